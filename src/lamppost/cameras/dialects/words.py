"""What the names that makers give to things say of faces: one table for all dialects.

A name without the word face denies nothing: what a dialect does not know by name is unknown, and its own list of harmless names says
what is known.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from lamppost.model.devices import Ability, Level

# Makers write FaceRecognition, face_compare, faceContrast, facesnap.
_FACE: Final = re.compile(r"face|facial|visage", re.IGNORECASE)
# Only as they are written when they mean nothing else: AlarmTypeFace, FaceTracking and PointerFace are about faces.
_INNOCENT: Final = re.compile(r"[Ii]nterface|INTERFACE|[Ss]urface|SURFACE|(?<![A-Za-z])(?i:typefaces?|facets?)(?![A-Za-z])")
_WHO: Final = re.compile(r"recog|compar|contrast|identi|match|verif|lib(?:rary)?|blacklist|whitelist|database|group|access", re.IGNORECASE)
_CUT_OUT: Final = re.compile(r"snap|captur|analy[sz]|attribut|picture|score|cutout", re.IGNORECASE)
# Modes that cut out the face with the body, and do not say so: Hikvision's event of mixedTargetDetection carries pictures of faces
# (ISAPI, "Face and body"), as does Dahua's of HumanTrait (NetSDK, DEV_EVENT_HUMANTRAIT_INFO).
_MIXED: Final = re.compile(r"mixed[ _-]?target|human[ _-]?trait", re.IGNORECASE)
EVERY: Final = (Ability.DETECT, Ability.CAPTURE, Ability.RECOGNISE)


def abilities_of(name: str) -> tuple[Ability, ...]:
    """What something of this name is able to do with faces; empty where it has nothing to do with them.

    Who compares has captured, and who captures has detected.
    """
    if not is_of_faces(name):
        return ()
    if _WHO.search(name):
        return EVERY
    return (Ability.DETECT, Ability.CAPTURE) if _CUT_OUT.search(name) or _MIXED.search(name) else (Ability.DETECT,)


def is_of_faces(name: str) -> bool:
    """Whether a name, or any text, speaks of faces."""
    return bool(_FACE.search(_INNOCENT.sub(" ", name)) or _MIXED.search(name))


def together(levels: Iterable[Level]) -> Level:
    """One yes is a yes; a no is every answer being no; anything else, and nothing asked, is unknown."""
    found = set(levels)
    if Level.YES in found:
        return Level.YES
    return Level.NO if found == {Level.NO} else Level.UNKNOWN


def level_of(word: str | None) -> Level:
    """A switch in a maker's words."""
    return {"true": Level.YES, "1": Level.YES, "on": Level.YES, "yes": Level.YES}.get((word or "").strip().lower()) or (
        Level.NO if (word or "").strip().lower() in ("false", "0", "off", "no") else Level.UNKNOWN
    )
