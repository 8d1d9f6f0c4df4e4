"""Which classes a model may tell apart: things of a street or a room, from a list, and nothing else.

A list of what is allowed is the only one that can refuse every name of a
person. What is most often refused beside names (characters, what a person is
like) is recognised as such for a better message alone.
"""

from __future__ import annotations

import re
from typing import Final

# The 80 labels of COCO in their order; YOLOX counts its classes by it.
COCO: Final = tuple(
    """person, bicycle, car, motorcycle, airplane, bus, train, truck, boat, traffic light, fire hydrant, stop sign, parking meter, bench,
bird, cat, dog, horse, sheep, cow, elephant, bear, zebra, giraffe, backpack, umbrella, handbag, tie, suitcase, frisbee, skis, snowboard,
sports ball, kite, baseball bat, baseball glove, skateboard, surfboard, tennis racket, bottle, wine glass, cup, fork, knife, spoon, bowl,
banana, apple, sandwich, orange, broccoli, carrot, hot dog, pizza, donut, cake, chair, couch, potted plant, bed, dining table, toilet, tv,
laptop, mouse, remote, keyboard, cell phone, microwave, oven, toaster, sink, refrigerator, book, clock, vase, scissors, teddy bear,
hair drier, toothbrush""".replace("\n", " ").split(", ")
)
OTHER_THINGS: Final = tuple(
    """background, object, thing, animal, face, head, human face, human head, person head, plate, license plate, licence plate,
number plate, vehicle registration plate, pedestrian, people, human, rider, cyclist, motorcyclist, wheelchair, stroller, bike, cycle,
scooter, e scooter, motorbike, moped, tricycle, rickshaw, vehicle, other vehicle, van, minivan, minibus, pickup, lorry, tank truck, tram,
trolley bus, caravan, trailer, tractor, ambulance, taxi, forklift, excavator, aeroplane, ship, cart, train wagon, diningtable, pottedplant,
sofa, tvmonitor, monitor, screen, traffic sign, traffic cone, street light, barrier, bag, luggage""".replace("\n", " ").split(", ")
)
UNUSED: Final = "unused"  # a class that a network has room for and does not tell apart
_ALLOWED: Final = frozenset((*COCO, *OTHER_THINGS, UNUSED))
_PERSONAL: Final = frozenset(
    """male, female, man, woman, men, women, boy, girl, boys, girls, child, children, kid, baby, infant, teenager, adult, adults, senior,
elderly, old, young, age, gender, sex, ethnicity, race, asian, black, white, latino, african, european, mood, emotion, happy, sad, angry,
neutral, surprise, surprised, fear, disgust, smile, smiling, beard, glasses, bald, hair, skin, hat""".replace("\n", " ").split(", ")
)


def normalised(label: str) -> str:
    """`License_Plate` as `license plate`."""
    return re.sub(r"[\s_-]+", " ", label).strip().casefold()


def why_refused(label: str) -> str | None:
    """Why a model with this label is not taken in, or None."""
    plain = normalised(label)
    if plain in _ALLOWED:
        return None
    if len(plain) <= 1 or plain.isdigit() or plain.removeprefix("plate ").removeprefix("char ").isdigit():
        return "is a character or a number: no plate and no sign is read here"
    if _PERSONAL & set(plain.split()):
        return "says what a person is like"
    return "is not on the list of things that a model may tell apart; names of persons never are"
