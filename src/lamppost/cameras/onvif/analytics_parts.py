"""Reads which analytics rules and modules a device has set, and which of them are about faces.

Read from the document as it came, by names without their namespaces: what a
description leaves out must not become a rule that is not there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from lamppost.cameras.dialects.words import is_of_faces, level_of
from lamppost.cameras.onvif import xml
from lamppost.cameras.onvif.descriptions import Service
from lamppost.cameras.onvif.known_words import is_known, unknown_words
from lamppost.cameras.onvif.reading import line
from lamppost.model.devices import Level

_MOST_PARTS: Final = 128
_LONGEST_NAME: Final = 128
# Where a rule says what it looks for.
_CLASSES: Final = re.compile(r"class|object|target|type|filter|kind", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Kind:
    """Rules, or modules: how they are asked for and removed."""

    word: str
    service: Service
    element: str
    get: str
    remove: str
    names: str  # what the removal calls them


RULE: Final = Kind("rule", Service.RULES, "Rule", "GetRules", "DeleteRules", "RuleName")
MODULE: Final = Kind("module", Service.ANALYTICS, "AnalyticsModule", "GetAnalyticsModules", "DeleteAnalyticsModules", "AnalyticsModuleName")


@dataclass(frozen=True, slots=True)
class Part:
    """A rule or module of a configuration. `name` is as the device has it; `faces` are the words in it that speak of faces."""

    kind: Kind
    configuration: str
    name: str
    type: str
    faces: tuple[str, ...]
    is_removable: bool  # it is about faces alone, and can be told from every other

    @property
    def key(self) -> str:
        return f"{self.kind.word} {self.name}"

    @property
    def shown(self) -> str:
        """For a person."""
        return f"{self.kind.word} {line(self.name)} ({self.type})"


@dataclass(frozen=True, slots=True)
class Parts:
    """All of one kind. `is_whole`: each was understood, so that one that is not about faces surely is not."""

    all: tuple[Part, ...]
    is_whole: bool


def parts_in(root: xml.Element, configuration: str, kind: Kind) -> Parts:
    """The rules or modules in an answer."""
    response = xml.child(root, "Body", f"{kind.get}Response")
    elements = list(response) if response is not None else []
    parts = [_part(element, configuration, kind) for element in elements[:_MOST_PARTS] if xml.local_name(element) == kind.element]
    names = [part.name for part, _ in parts]
    found = tuple(replace(part, is_removable=part.is_removable and names.count(part.name) == 1) for part, _ in parts)
    is_whole = response is not None and len(parts) == len(elements) and all(is_clear for _, is_clear in parts)
    return Parts(found, is_whole)


def _part(element: xml.Element, configuration: str, kind: Kind) -> tuple[Part, bool]:
    """A part, and whether it surely says all that it is about."""
    name, type_ = element.get("Name") or "", line(element.get("Type"))
    faces, is_alone = [type_], True
    if not is_of_faces(type_):
        looked_for = [word for words in _classes(element) for word in words]
        faces = [line(word, 96) for word in looked_for if is_of_faces(word)]
        is_alone = len(faces) == len(looked_for) > 0
    is_nameable = bool(name) and len(name) <= _LONGEST_NAME and name.isprintable() and name == name.strip()
    part = Part(kind, configuration, name[: 2 * _LONGEST_NAME], type_, tuple(faces), is_alone and is_nameable)
    return part, bool(faces) or (bool(type_) and not any(map(is_of_faces, _all_words(element))) and _is_known(element))


def _is_known(element: xml.Element) -> bool:
    """Whether its type, what it is set by and what it looks for are words of ONVIF's that have nothing to do with faces."""
    classes = (word for words in _classes(element) for word in words if word)
    return not any(unknown_words(element, has_given_names=True)) and all(map(is_known, classes))


def _classes(element: xml.Element) -> Iterator[list[str]]:
    """What it looks for: the words of each value that says so, and the names of switches that are on."""
    for item in xml.named(element, "SimpleItem"):
        name, value = item.get("Name") or "", (item.get("Value") or "")[:4096]
        if _CLASSES.search(name):
            yield re.split(r"[\s,;|]+", value.strip()) if value.strip() else []
        elif is_of_faces(name) and level_of(value) is Level.YES:
            yield [name, ""]  # a switch among others


def _all_words(element: xml.Element) -> Iterator[str]:
    """All that stands in it but its own name, which a person has given it."""
    for each in element.iter():
        yield xml.local_name(each)
        yield str(each.text or "")
        # A switch that is off says nothing.
        if not (xml.local_name(each) == "SimpleItem" and level_of(each.get("Value")) is Level.NO):
            yield from (str(value) for key, value in each.attrib.items() if each is not element or key != "Name")
