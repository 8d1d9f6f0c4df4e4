"""What is known of a device: who made it, what it is able to do, and what was seen of that.

A level is `no` where the device itself has said so, `yes` where it has said so,
and `unknown` in every other case: what cannot be asked is never taken for a no.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """An answer that may be missing."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


class Ability(StrEnum):
    """What a device is able to do with faces, by itself."""

    DETECT = "detect"  # it finds that a face is there, and where
    CAPTURE = "capture"  # it cuts faces out, keeps them or sends them on
    RECOGNISE = "recognise"  # it compares them with a library, and says who


class Outcome(StrEnum):
    """What became of one question."""

    ANSWERED = "answered"  # with something that could be read
    REFUSED = "refused"  # 401 or 403
    ABSENT = "absent"  # 400, 404, 405 or 501, or a SOAP fault: nothing follows from it
    EMPTY = "empty"
    UNREADABLE = "unreadable"
    FAILED = "failed"  # no connection, a timeout, 5xx, too much


@dataclass(frozen=True, slots=True)
class DeviceIdentity:
    """Who a device says it is; empty where it does not. `mac` is lower case with colons.

    The same device is whoever has the same serial number or, where there is none, the same MAC address: never the same address.
    Its maker's name may read otherwise after an update, and says nothing by itself; only where the MAC addresses differ as well are
    two with one serial number two devices: cheap ones are all numbered alike.
    """

    vendor: str = ""
    model: str = ""
    firmware: str = ""
    serial: str = ""
    mac: str = ""
    hardware: str = ""

    def is_same_device(self, other: DeviceIdentity) -> bool:
        """Whether both are one device; false where neither serial nor MAC is known of both."""
        if self.serial and other.serial:
            return self.serial == other.serial and not self._has_all_else_other(other)
        return bool(self.mac) and self.mac == other.mac

    def is_another(self, other: DeviceIdentity) -> bool:
        """Whether both are two devices for certain; where nothing is known to compare, they are not."""
        if self.serial and other.serial:
            return self.serial != other.serial or self._has_all_else_other(other)
        return bool(self.mac and other.mac) and self.mac != other.mac

    def _has_all_else_other(self, other: DeviceIdentity) -> bool:
        makers = {self.vendor.casefold(), other.vendor.casefold()}
        return len(makers - {""}) == 2 and bool(self.mac and other.mac) and self.mac != other.mac


@dataclass(frozen=True, slots=True)
class Evidence:
    """One question that was put to a device, and its raw answer.

    `content` is the answer as it came, 64 KiB at most. Where the answer may name persons or libraries, it is empty and
    `counts` has what was counted in it; `sha256` is always that of the whole answer.
    """

    question: str  # "GET /ISAPI/Smart/capabilities", "tan:GetSupportedRules"
    asked_us: int
    outcome: Outcome
    http_status: int | None
    sha256: str
    size_bytes: int
    content: bytes
    content_type: str
    counts: tuple[tuple[str, int], ...] = ()
    problem: str = ""  # one line, where it was not answered


@dataclass(frozen=True, slots=True)
class Finding:
    """What one answer says: `ability` is `level`, because of it. `evidence` counts from 0 in the audit's."""

    ability: Ability
    level: Level
    because: str
    evidence: int


@dataclass(frozen=True, slots=True)
class Armament:
    """How a device is set: counts only. None: it did not say."""

    is_armed: Level = Level.UNKNOWN  # whether something with faces is switched on, be it detection alone
    has_library: Level = Level.UNKNOWN  # whether a library of faces is attached
    libraries: int | None = None
    entries: int | None = None
    armed: tuple[str, ...] = ()  # what is switched on, in the device's own words: "VideoAnalyseRule[0][1] FaceRecognition"
    auto_tracking: Level = Level.UNKNOWN


@dataclass(frozen=True, slots=True)
class Audit:
    """What a device was able to do, and how it was set, at one moment."""

    audit_id: str
    camera: str
    made_us: int
    identity: DeviceIdentity
    detect: Level
    capture: Level
    recognise: Level
    armament: Armament
    findings: tuple[Finding, ...]
    evidence: tuple[Evidence, ...]
    dialects: tuple[str, ...]  # which were spoken: "onvif", "hikvision", ...

    def level(self, ability: Ability) -> Level:
        return {Ability.DETECT: self.detect, Ability.CAPTURE: self.capture, Ability.RECOGNISE: self.recognise}[ability]


def conclude(findings: Iterable[Finding], ability: Ability) -> Level:
    """One yes makes it a yes; without one, it is a no only where the device has said so and no other answer is missing for it.

    `findings` must hold an `unknown` for each question about the ability that was not answered.
    """
    levels = {finding.level for finding in findings if finding.ability is ability}
    if Level.YES in levels:
        return Level.YES
    return Level.NO if levels == {Level.NO} else Level.UNKNOWN


class DeviceEventKind(StrEnum):
    """What a device may tell us besides video. All else it sends is dropped unread."""

    MOTION = "motion"
    TAMPER = "tamper"
    INPUT = "input"
    OUTPUT = "output"
    STORAGE = "storage"
    HEALTH = "health"


@dataclass(frozen=True, slots=True)
class DeviceEvent:
    """What a device has told: a kind, whether it began (`True`), ended (`False`) or happened (None), and where on the device."""

    kind: DeviceEventKind
    is_active: bool | None
    place: str  # a token of a source, such as "DigitalInput_1"; 64 characters at most
    device_us: int | None  # by the device's clock


@dataclass(frozen=True, slots=True)
class FoundDevice:
    """A device that has answered a probe. `identity` has what it said of itself without being asked for a password."""

    address: str  # a number
    device_url: str  # where its ONVIF device service is
    identity: DeviceIdentity
    scopes: tuple[str, ...]
    endpoint: str  # its WS-Discovery endpoint reference: "urn:uuid:…"
    certificate_sha256: str = ""  # what it showed over `https`; nobody has vouched for it


@dataclass(frozen=True, slots=True)
class StreamProfile:
    """An ONVIF media profile; None where the device does not say."""

    token: str
    name: str
    stream_url: str
    codec: str
    width_px: int | None
    height_px: int | None
    fps: float | None
    kbit_per_s: float | None
    keyframe_interval_s: float | None
    has_ptz: bool
    has_metadata: bool  # whether a metadata stream is set up in it
    source: str = ""  # the token of the lens or channel that it shows
