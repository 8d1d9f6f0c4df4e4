"""Which words of Dahua's CGI are known to have nothing to do with faces: any other may, and a setting with one of them is not off.

After Dahua's HTTP API (the tables VideoAnalyseGlobal, VideoAnalyseRule, LeSmartTrack) and NetSDK (CFG_ANALYSEGLOBAL_INFO and the
rules of the events EVENT_IVS_*), as published.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from lamppost.cameras.dialects.dahua.cgi import Rule
from lamppost.cameras.dialects.words import is_of_faces, level_of
from lamppost.model.devices import Level

# Types of rules that a rollback may switch on again, and nothing else.
PUT_BACK: Final = frozenset(
    {
        "CrossLineDetection",
        "CrossRegionDetection",
        "LeftDetection",
        "TakenAwayDetection",
        "ParkingDetection",
        "SmokeDetection",
        "FireDetection",
    }
)
# Scenes, and classes and types of rules: lines, regions, things, counting, heat maps.
_KINDS: Final = frozenset(map(str.lower, PUT_BACK)) | {
    *("normal", "numberstat", "mannumdetection", "heatmap", "crossfencedetection", "wanderdetection", "staydetection"),
    *("movedetection", "retrogradedetection", "rioterdetection", "preservation", "videoabnormaldetection"),
}
_OBJECTS: Final = frozenset({"human", "vehicle", "nonmotor", "unknown", "fire", "smoke"})
_SCENE: Final = re.compile(r"\.Scene\.Type(?:List)?(?:\[\d+\])?$|\.Scene\[\d+\]\.Type$")
# Measures of the place that a scene is set up with.
_MEASURES: Final = re.compile(
    r"(?i)\.Scene(?:\[\d+\])?\.(?:CameraHeight|CameraDistance|NearDistance|FarDistance|Depth|NearDetectPoint|FarD\w{4,5}Point)(?:\[\d+\])*$"
)
_FIELDS: Final = frozenset({"Id", "Name", "Enable", "PtzPresetId"})
_NESTED: Final = ("EventHandler.", "Config.", "TimeSection[", "ObjectTypes[")


def is_harmless_kind(word: str) -> bool:
    """Whether a scene, a class or a type of a rule is known, and has nothing to do with faces."""
    return word.lower() in _KINDS


def scenes_in(lines: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """What each channel's intelligence is set to: key and value, without `table.`."""
    for key, value in lines.items():
        if _SCENE.search(key):
            yield key.removeprefix("table."), value


def unknown_of_scenes(lines: Mapping[str, str]) -> Iterator[str]:
    """Keys beside the scenes that may set something with faces."""
    for key, value in lines.items():
        if not _SCENE.search(key) and not _MEASURES.search(key) and value and level_of(value) is not Level.NO:
            yield key.removeprefix("table.")


def unknown_of_rule(rule: Rule) -> Iterator[str]:
    """What in a rule may stand for something with faces: its kind, what it looks for, and switches beside these."""
    if not any(rule.fields.get(name) for name in ("Class", "Type")):
        yield "a rule without a type"
    for key, value in rule.fields.items():
        if key in ("Class", "Type"):
            yield from () if is_harmless_kind(value) else (value,)
        elif key.startswith("ObjectTypes["):
            yield from () if value.lower() in _OBJECTS else (value,)
        elif key not in _FIELDS and _may_do_something(rule, key, value):
            yield key


def unknown_switches(lines: Mapping[str, str], known: Iterable[str]) -> Iterator[str]:
    """Keys that are on, or a mask that is not empty, beside those whose last name is known."""
    last_names = frozenset(known)
    for key, value in lines.items():
        name = key.rpartition(".")[2]
        is_switch = name.endswith(("Mask", "Enable")) or _is_on(value)
        if name not in last_names and is_switch and value and level_of(value) is not Level.NO:
            yield key.removeprefix("table.")


def _may_do_something(rule: Rule, key: str, value: str) -> bool:
    if level_of(value) is Level.NO:
        return False
    if key in (tracked for tracked, _ in rule.tracking()):
        return False  # it follows, and that is told for itself
    if is_of_faces(f"{key}={value}"):
        return True
    # What a rule sets off is no matter of what it looks for; what it is set by are numbers and words, unless it is a switch.
    return not key.startswith(_NESTED) or (key.startswith("Config.") and _is_on(value))


def _is_on(value: str) -> bool:
    """In words: a number may count something."""
    return level_of(value) is Level.YES and not value.strip().isdigit()
