"""What a simulated camera tells by itself: the events that Lamppost takes, and those that it must never read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from lamppost.cameras.simulated.markup import Content, Markup, tag, text
from lamppost.cameras.simulated.tokens import ANALYTICS_CONFIGURATION, SOURCE, SOURCE_CONFIGURATION
from lamppost.model.devices import Ability, DeviceEvent, DeviceEventKind

Items = tuple[tuple[str, str], ...]
_BY_RULE: Final = (("VideoSourceConfigurationToken", SOURCE_CONFIGURATION), ("VideoAnalyticsConfigurationToken", ANALYTICS_CONFIGURATION))


@dataclass(frozen=True, slots=True)
class Notification:
    """One event: `topic` as ONVIF writes it, and the vendor's own word for its own event stream.

    A property has a state, which is told to whoever begins to listen.
    """

    topic: str
    source: Items = ()
    data: Items = ()
    is_property: bool = False
    vendor_word: str = ""
    content: Markup | None = None  # an element beside the simple values


def message(notification: Notification, at: str, operation: str) -> Markup:
    """The notification as a `wsnt:NotificationMessage`; `operation` is Initialized or Changed."""
    source = tag("tt:Source", *(tag("tt:SimpleItem", Name=name, Value=value) for name, value in notification.source))
    items = (tag("tt:SimpleItem", Name=name, Value=value) for name, value in notification.data)
    extra = tag("tt:ElementItem", notification.content, Name="Object") if notification.content else None
    told = tag(
        "tt:Message", source, tag("tt:Data", *items, extra), UtcTime=at, PropertyOperation=operation if notification.is_property else None
    )
    topic = tag("wsnt:Topic", notification.topic, Dialect="http://www.onvif.org/ver10/tev/topicExpression/ConcreteSet")
    return tag("wsnt:NotificationMessage", topic, tag("wsnt:Message", told))  # fmt: skip


def _state(topic: str, place: tuple[str, str], name: str, value: Content, word: str) -> Notification:
    return Notification(topic, (place,), ((name, text(value)),), is_property=True, vendor_word=word)


def _by_rule(topic: str, rule: str, name: str, value: bool, word: str) -> Notification:
    return Notification(topic, (*_BY_RULE, ("Rule", rule)), ((name, text(value)),), is_property=True, vendor_word=word)


def motion(is_active: bool, *, by_rule: bool = False) -> Notification:
    """Motion, by the imaging chip or, as Dahua and Hikvision tell it, by a rule."""
    if by_rule:
        return _by_rule("tns1:RuleEngine/CellMotionDetector/Motion", "MyMotionDetectorRule", "IsMotion", is_active, "VideoMotion")
    return _state("tns1:VideoSource/MotionAlarm", ("Source", SOURCE), "State", is_active, "VideoMotion")


def tamper(is_active: bool, *, by_rule: bool = False) -> Notification:
    """The picture covered, turned or out of focus."""
    if by_rule:
        return _by_rule("tns1:RuleEngine/TamperDetector/Tamper", "MyTamperDetectorRule", "IsTamper", is_active, "VideoBlind")
    return _state("tns1:VideoSource/GlobalSceneChange/ImagingService", ("Source", SOURCE), "State", is_active, "VideoBlind")


def digital_input(token: str, is_active: bool) -> Notification:
    """A contact that was closed or opened."""
    return _state("tns1:Device/Trigger/DigitalInput", ("InputToken", token), "LogicalState", is_active, "AlarmLocal")


def relay(token: str, is_active: bool) -> Notification:
    """A relay that was switched."""
    word = "active" if is_active else "inactive"
    return _state("tns1:Device/Trigger/Relay", ("RelayToken", token), "LogicalState", word, "AlarmOutput")


def storage_failure(token: str, is_active: bool) -> Notification:
    """A card or disk that fails."""
    return _state("tns1:Device/HardwareFailure/StorageFailure", ("Token", token), "Failed", is_active, "StorageFailure")


def overheated(is_active: bool) -> Notification:
    """The camera is too hot."""
    return _state("tns1:Device/HardwareFailure/TemperatureCritical", ("Token", "Sensor_1"), "Critical", is_active, "HighTemperature")


def appearance(kind: str) -> Markup:
    """How an object that the camera takes for a `kind` looks in its metadata."""
    box = tag("tt:BoundingBox", left=-0.1, top=0.4, right=0.1, bottom=0.1)
    shape = tag("tt:Shape", box, tag("tt:CenterOfGravity", x=0.0, y=0.25))
    return tag("tt:Appearance", shape, tag("tt:Class", tag("tt:Type", kind, Likelihood=0.9)))


def _object(kind: str) -> Markup:
    return tag("tt:Object", appearance(kind), ObjectId=15)


# Made up, every word: nobody is called so, and no plate reads so.
UNWANTED: Final[dict[str, Notification]] = {
    "face": Notification(
        "tns1:RuleEngine/Recognition/Face",
        (*_BY_RULE, ("Rule", "MyFaceRule")),
        (("Likelihood", "0.97"), ("FaceToken", "00000042"), ("Name", "Jane Example"), ("Group", "1")),
        vendor_word="FaceRecognition",
        content=_object("Face"),
    ),
    "face-seen": Notification(
        "tns1:RuleEngine/FaceDetection/Face", (*_BY_RULE, ("Rule", "MyFaceSeenRule")), (("ObjectId", "15"),), vendor_word="FaceDetection",
        content=_object("Face"),
    ),
    "plate": Notification(
        "tns1:RuleEngine/Recognition/LicensePlate",
        (*_BY_RULE, ("Rule", "MyPlateRule")),
        (("PlateNumber", "EX-AMPLE"), ("CountryCode", "XX"), ("Likelihood", "0.88")),
        vendor_word="TrafficJunction",
        content=_object("LicensePlate"),
    ),
    "object": Notification(
        "tns1:RuleEngine/FieldDetector/ObjectsInside",
        (*_BY_RULE, ("Rule", "MyFieldRule")),
        (("ObjectId", "15"), ("IsInside", "true")),
        vendor_word="CrossRegionDetection",
        content=_object("Human"),
    ),
    "person": Notification(
        "tns1:RuleEngine/Recognition/HumanBody",
        (*_BY_RULE, ("Rule", "MyBodyRule")),
        (("UpperColor", "Red"), ("HasBag", "true")),
        vendor_word="HumanTrait",
        content=_object("Human"),
    ),
}  # fmt: skip
"""Events that say something of a person, a face, a plate or an object, by name."""


def told_by(event: DeviceEvent, *, by_rule: bool) -> Notification:
    """The notification that a camera makes of `event`."""
    is_active = event.is_active is not False
    match event.kind:
        case DeviceEventKind.MOTION:
            return motion(is_active, by_rule=by_rule)
        case DeviceEventKind.TAMPER:
            return tamper(is_active, by_rule=by_rule)
        case DeviceEventKind.INPUT:
            return digital_input(event.place or "DigitalInput_1", is_active)
        case DeviceEventKind.OUTPUT:
            return relay(event.place or "RelayOutput_1", is_active)
        case DeviceEventKind.STORAGE:
            return storage_failure(event.place or "SD_1", is_active)
        case DeviceEventKind.HEALTH:
            return overheated(is_active)


def known(most: Ability | None, *, by_rule: bool) -> tuple[Notification, ...]:
    """One of each topic that a camera with `most` tells of."""
    plain = (motion(False, by_rule=by_rule), tamper(False, by_rule=by_rule), digital_input("", False), relay("", False))
    wanted = (*plain, storage_failure("", False), overheated(False), UNWANTED["object"])
    seen = (UNWANTED["face-seen"],) if most is not None else ()
    return (*wanted, *seen, *((UNWANTED["face"], UNWANTED["person"]) if most is Ability.RECOGNISE else ()))
