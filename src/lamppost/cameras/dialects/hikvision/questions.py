"""What ISAPI is asked of faces, and what its answers say.

The documents do not define that a missing element is a no, and some firmware
leaves elements out for users who are no administrators: absence says nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from lamppost.cameras.dialects.hikvision.isapi import document, document_or_json, flag, options
from lamppost.cameras.dialects.interview import Answer, Interview
from lamppost.cameras.dialects.reading import Element
from lamppost.cameras.dialects.words import EVERY, abilities_of, level_of, together
from lamppost.model.devices import Ability, Armament, Level

MOST_CHANNELS: Final = 32
_RECOGNISE: Final = (Ability.RECOGNISE,)
CHANNELS: Final = "/ISAPI/System/Video/inputs/channels"
# What an explicit false denies, by the whole name of its element; every other element can only be a yes.
_DENIALS: Final = {
    "issupportfacedetect": (Ability.DETECT,),
    "isfacesupport": EVERY,
    "issupportfacerecognize(?:mode)?": _RECOGNISE,
    "issupportfacecontrast": _RECOGNISE,
    "issupportfdlib": _RECOGNISE,
    "issupportcaptureface": (Ability.CAPTURE,),
}


class Questions:
    """One audit of one device."""

    def __init__(self, interview: Interview) -> None:
        self._interview = interview
        self._switched: list[Level] = []
        self._armed: list[str] = []

    def put(self) -> Armament:
        self._flags("/ISAPI/Smart/capabilities", ("SmartCap",), (Ability.DETECT,))
        self._flags("/ISAPI/Intelligent/capabilities", ("IntelligentCap", "IntelliCap"), EVERY)
        self._flags("/ISAPI/AccessControl/capabilities", ("AccessControl",), (*_RECOGNISE,))
        self._library_capabilities()
        for channel in self._channels():
            self._contrast(channel)
            self._resource(channel)
            self._detection(channel)
        libraries, entries = self._libraries()
        return Armament(
            is_armed=together(self._switched),
            has_library=_has_library(libraries, entries),
            libraries=libraries,
            entries=entries,
            armed=tuple(self._armed),
            auto_tracking=self._tracking(),
        )

    def _flags(self, path: str, roots: tuple[str, ...], about: tuple[Ability, ...]) -> None:
        """A document of switches: a true one of faces is a yes, and a no takes every denial that it knows."""
        answer = self._interview.get(path, document_or_json(*roots), about=about, signs=EVERY)
        if answer.value is None:
            return
        for element in answer.value.all():
            if level_of(element.text) is Level.YES:
                self._yes(answer, abilities_of(element.name), f"{element.name} is {element.text}")
            elif element.text.lower() == "false":
                for ability in _denied(element.name):
                    self._interview.find(answer.number, ability, Level.NO, f"{element.name} is false")

    def _library_capabilities(self) -> None:
        path = "/ISAPI/Intelligent/FDLib/capabilities"
        answer = self._interview.get(path, document_or_json("FDLibCap", "FPLibCap"), about=_RECOGNISE)
        root = answer.value
        if root is None:
            return
        most = [element.text for element in root.all() if _is_most(element.name)]
        if flag(root, "isSupportFDLib") is Level.NO or (most and all(number == "0" for number in most)):
            self._interview.find(answer.number, Ability.RECOGNISE, Level.NO, "it can hold no library of faces")
        elif any(element.text or element.attributes for element in root.all() if element is not root):
            self._yes(answer, EVERY, "it can hold libraries of faces")

    def _channels(self) -> tuple[str, ...]:
        answer = self._interview.get(CHANNELS, document("VideoInputChannelList"), signs=EVERY)
        if answer.value is None:
            self._switched.append(Level.UNKNOWN)  # by channels of which nothing is known
            return ("1",)
        found = channels_in(answer.value)
        if not found or len(found) > MOST_CHANNELS:
            self._switched.append(Level.UNKNOWN)
            for ability in EVERY:
                self._interview.find(answer.number, ability, Level.UNKNOWN, f"{len(found)} channels, of which not all are asked")
        return found[:MOST_CHANNELS] or ("1",)

    def _contrast(self, channel: str) -> None:
        """Comparing with libraries: whether it can, and whether it does. Its setting may name libraries, and is not kept."""
        path = f"/ISAPI/Intelligent/channels/{channel}/faceContrast"
        answer = self._interview.get(f"{path}/capabilities", document_or_json("FaceContrast"), about=_RECOGNISE)
        if answer.value is not None:
            choices = [choice for element in _switches(answer.value) for choice in options(element) or (element.text,)]
            levels = {level_of(choice) for choice in choices}
            if flag(answer.value, "isSupportFaceContrast") is Level.NO or levels == {Level.NO}:
                self._interview.find(answer.number, Ability.RECOGNISE, Level.NO, "faceContrast cannot be switched on")
            elif answer.value.children:
                self._yes(answer, EVERY, f"channel {channel} has faceContrast")
        now = self._interview.get(path, document_or_json("FaceContrast"), signs=EVERY, count=_count_contrast)
        if now.value is not None:
            self._set(now, EVERY, together(_values(contrasts(now.value))), f"channel {channel} faceContrast")
        else:
            self._switched.append(Level.UNKNOWN)

    def _resource(self, channel: str) -> None:
        """What the channel's intelligence is used for, and what it could be used for."""
        path = f"{CHANNELS}/{channel}/VCAResource"
        choice = self._interview.get(f"{path}/capabilities", document_or_json("VCAResource"), signs=EVERY)
        if choice.value is not None:
            for element in choice.value.each("type"):
                for option in (*options(element), element.text):
                    self._yes(choice, resource_abilities(option), f"channel {channel} can be set to {option}")
        now = self._interview.get(path, document_or_json("VCAResource"), signs=EVERY)
        if now.value is None:
            self._switched.append(Level.UNKNOWN)
            return
        kinds = [element.text for element in now.value.each("type")]
        for kind in kinds or [""]:
            abilities = resource_abilities(kind)
            level = Level.UNKNOWN if not kind else Level.YES if abilities else Level.NO
            self._set(now, abilities, level, f"channel {channel} VCAResource {kind}")

    def _detection(self, channel: str) -> None:
        answer = self._interview.get(f"/ISAPI/Smart/FaceDetect/{channel}", document("FaceDetect"), signs=EVERY)
        if answer.value is None:
            self._switched.append(Level.UNKNOWN)
            return
        own = [element for element in answer.value.children if element.name == "enabled"]
        self._set(answer, (Ability.DETECT,), together(_values(own)), f"channel {channel} FaceDetect")

    def _libraries(self) -> tuple[int | None, int | None]:
        """How many libraries, and how many entries in all; neither answer is kept."""
        listed = self._interview.get("/ISAPI/Intelligent/FDLib", document_or_json("FDLib"), count=_count_libraries)
        counted = self._interview.get(
            "/ISAPI/Intelligent/FDLib/Count?format=json", document_or_json("FDRecordDataInfo", "FDRecordCount"), count=_count_entries
        )
        libraries = len(list(_listed(listed.value))) if listed.value is not None else None
        counts = dict(_count_entries(counted.value)) if counted.value is not None else {}
        entries = counts.get("entries")
        libraries = (counts.get("libraries") or None) if libraries is None else libraries
        for answer, number in ((listed, libraries), (counted, entries)):
            if answer.value is not None and number:
                self._yes(answer, EVERY, "it holds a library of faces")
        return libraries, entries

    def _tracking(self) -> Level:
        answer = self._interview.get("/ISAPI/Smart/IntelliTrace/1", document("IntelliTrace"))
        return together(_values(answer.value.each("enabled"))) if answer.value is not None else Level.UNKNOWN

    def _set(self, answer: Answer[Element], abilities: tuple[Ability, ...], level: Level, what: str) -> None:
        """How something of faces is set just now; that it is on says that it can be."""
        self._switched.append(level)
        if level is Level.YES:
            self._armed.append(what)
            self._yes(answer, abilities, f"{what} is on")

    def _yes(self, answer: Answer[Element], abilities: tuple[Ability, ...], because: str) -> None:
        for ability in abilities:
            self._interview.find(answer.number, ability, Level.YES, because)


def _denied(name: str) -> tuple[Ability, ...]:
    return next((abilities for pattern, abilities in _DENIALS.items() if re.fullmatch(pattern, name, re.IGNORECASE)), ())


def channels_in(root: Element) -> tuple[str, ...]:
    """The numbers of the channels in a list of them."""
    named = (channel.first("id") or "" for channel in root.each("VideoInputChannel"))
    return tuple(dict.fromkeys(number for number in named if number.isascii() and number.isdigit() and len(number) < 6))


def resource_abilities(kind: str) -> tuple[Ability, ...]:
    """What a channel does with faces when its intelligence is set to this."""
    found = abilities_of(kind)
    return (Ability.DETECT, Ability.CAPTURE) if found == (Ability.DETECT,) else found


def _switches(root: Element) -> Iterator[Element]:
    yield from root.each("enable")
    yield from root.each("enabled")


def contrasts(root: Element) -> Iterator[Element]:
    """The switches of faceContrast itself, and not those of what is set beside it."""
    holders = [root, *root.each("FaceContrast"), *root.each("item")]
    for holder in holders:
        yield from (element for element in holder.children if element.name.lower() in ("enable", "enabled"))


def _values(elements: Iterable[Element]) -> list[Level]:
    return [level_of(element.text) for element in elements]


def _is_most(name: str) -> bool:
    """Whether an element says how many libraries or entries there may be at most."""
    lower = name.lower()
    return "max" in lower and "num" in lower and "len" not in lower and ("fd" in lower or "lib" in lower or "record" in lower)


def _listed(root: Element) -> Iterator[Element]:
    """The libraries in a list of them: each has an FDID."""
    return (element for element in root.all() if any(child.name.upper() == "FDID" for child in element.children))


def _count_libraries(root: Element) -> tuple[tuple[str, int], ...]:
    return (("libraries", len(list(_listed(root)))),)


def _count_contrast(root: Element) -> tuple[tuple[str, int], ...]:
    return (("switched_on", _values(contrasts(root)).count(Level.YES)), ("libraries", len(list(root.each("FDID")))))


def _count_entries(root: Element) -> tuple[tuple[str, int], ...]:
    numbers = [element.text for name in ("recordDataNumber", "totalNum") for element in root.each(name)]
    known = [int(number) for number in numbers if number.isascii() and number.isdigit() and len(number) < 10]
    return (("libraries", len(list(_listed(root)))), *((("entries", sum(known)),) if known else ()))


def _has_library(libraries: int | None, entries: int | None) -> Level:
    if libraries or entries:
        return Level.YES
    return Level.UNKNOWN if libraries is None else Level.NO
