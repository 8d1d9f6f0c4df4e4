"""What ISAPI is asked of faces, and what its answers say.

The documents do not define that a missing element is a no, and some firmware
leaves elements out for users who are no administrators: absence says nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from lamppost.cameras.dialects.hikvision.harmless import is_harmless, is_most, unknown_words
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
        self._tracking: list[Level] = []

    def put(self) -> Armament:
        self._flags("/ISAPI/Smart/capabilities", ("SmartCap",), (Ability.DETECT,))
        self._flags("/ISAPI/Intelligent/capabilities", ("IntelligentCap", "IntelliCap"), EVERY)
        self._flags("/ISAPI/AccessControl/capabilities", ("AccessControl",), (*_RECOGNISE,))
        tells_of_libraries = self._library_capabilities()
        for channel in self._channels():
            self._contrast(channel)
            self._resource(channel)
            self._detection(channel)
            self._follow(channel)
        libraries, entries, is_counted = self._libraries()
        has_none = libraries == 0 and is_counted and tells_of_libraries
        return Armament(
            is_armed=together(self._switched),
            has_library=Level.YES if libraries or entries else Level.NO if has_none else Level.UNKNOWN,
            libraries=libraries,
            entries=entries,
            armed=tuple(self._armed),
            auto_tracking=together(self._tracking),
        )

    def _flags(self, path: str, roots: tuple[str, ...], about: tuple[Ability, ...]) -> None:
        """A document of switches: a true one of faces is a yes, and a no takes every denial that it knows."""
        answer = self._interview.get(path, document_or_json(*roots), about=about, signs=EVERY)
        if answer.value is None:
            return
        self._interview.doubt(answer.number, unknown_words(answer.value))
        for element in answer.value.all():
            if level_of(element.text) is Level.YES:
                self._yes(answer, abilities_of(element.name), f"{element.name} is {element.text}")
            elif element.text.lower() == "false":
                for ability in _denied(element.name):
                    self._interview.find(answer.number, ability, Level.NO, f"{element.name} is false")

    def _library_capabilities(self) -> bool:
        """Whether it tells this user of libraries at all: some firmware shows an empty list to who may not see them."""
        path = "/ISAPI/Intelligent/FDLib/capabilities"
        answer = self._interview.get(path, document_or_json("FDLibCap", "FPLibCap"), about=_RECOGNISE)
        root = answer.value
        if root is None:
            return False
        is_doubted = self._interview.doubt(answer.number, unknown_words(root))
        most = [element.text for element in root.all() if is_most(element.name)]
        if flag(root, "isSupportFDLib") is Level.NO or (most and all(number == "0" for number in most)):
            self._interview.find(answer.number, Ability.RECOGNISE, Level.NO, "it can hold no library of faces")
        elif any(element.text or element.attributes for element in root.all() if element is not root):
            self._yes(answer, EVERY, "it can hold libraries of faces")
        return bool(most) and not is_doubted

    def _channels(self) -> tuple[str, ...]:
        answer = self._interview.get(CHANNELS, document("VideoInputChannelList"), signs=EVERY)
        if answer.value is None:
            self._switched.append(Level.UNKNOWN)  # by channels of which nothing is known
            self._tracking.append(Level.UNKNOWN)
            return ("1",)
        self._doubt(answer)
        found = channels_in(answer.value)
        if not found or len(found) > MOST_CHANNELS:
            self._switched.append(Level.UNKNOWN)
            self._tracking.append(Level.UNKNOWN)
            for ability in EVERY:
                self._interview.find(answer.number, ability, Level.UNKNOWN, f"{len(found)} channels, of which not all are asked")
        return found[:MOST_CHANNELS] or ("1",)

    def _contrast(self, channel: str) -> None:
        """Comparing with libraries: whether it can, and whether it does. Its setting may name libraries, and is not kept."""
        path = f"/ISAPI/Intelligent/channels/{channel}/faceContrast"
        answer = self._interview.get(f"{path}/capabilities", document_or_json("FaceContrast"), about=_RECOGNISE)
        if answer.value is not None:
            self._interview.doubt(answer.number, unknown_words(answer.value))
            choices = [choice for element in _switches(answer.value) for choice in options(element) or (element.text,)]
            levels = {level_of(choice) for choice in choices}
            if flag(answer.value, "isSupportFaceContrast") is Level.NO or levels == {Level.NO}:
                self._interview.find(answer.number, Ability.RECOGNISE, Level.NO, "faceContrast cannot be switched on")
            elif answer.value.children:
                self._yes(answer, EVERY, f"channel {channel} has faceContrast")
        now = self._interview.get(path, document_or_json("FaceContrast"), signs=EVERY, count=_count_contrast)
        if now.value is not None:
            self._doubt(now)
            self._set(now, EVERY, together(_values(contrasts(now.value))), f"channel {channel} faceContrast")
        else:
            self._switched.append(Level.UNKNOWN)

    def _resource(self, channel: str) -> None:
        """What the channel's intelligence is used for, and what it could be used for."""
        path = f"{CHANNELS}/{channel}/VCAResource"
        choice = self._interview.get(f"{path}/capabilities", document_or_json("VCAResource"), signs=EVERY)
        if choice.value is not None:
            offered = [option for element in choice.value.each("type") for option in (*options(element), element.text) if option]
            self._interview.doubt(choice.number, (*unknown_words(choice.value), *filter(_is_unknown, offered)))
            for option in offered:
                self._yes(choice, resource_abilities(option), f"channel {channel} can be set to {option}")
        now = self._interview.get(path, document_or_json("VCAResource"), signs=EVERY)
        if now.value is None:
            self._switched.append(Level.UNKNOWN)
            return
        self._doubt(now)
        kinds = [element.text for element in now.value.each("type")]
        self._interview.doubt(now.number, filter(_is_unknown, kinds))
        for kind in kinds or [""]:
            abilities = resource_abilities(kind)
            level = Level.YES if abilities else Level.NO if is_harmless(kind) else Level.UNKNOWN
            self._set(now, abilities, level, f"channel {channel} VCAResource {kind}")

    def _detection(self, channel: str) -> None:
        answer = self._interview.get(f"/ISAPI/Smart/FaceDetect/{channel}", document("FaceDetect"), signs=EVERY)
        if answer.value is None:
            self._switched.append(Level.UNKNOWN)
            return
        self._doubt(answer)
        own = [element for element in answer.value.children if element.name == "enabled"]
        self._set(answer, (Ability.DETECT,), together(_values(own)), f"channel {channel} FaceDetect")

    def _libraries(self) -> tuple[int | None, int | None, bool]:
        """How many libraries, how many entries in all, and whether these were counted; neither answer is kept."""
        listed = self._interview.get("/ISAPI/Intelligent/FDLib", document_or_json("FDLib"), count=_count_libraries)
        counted = self._interview.get(
            "/ISAPI/Intelligent/FDLib/Count?format=json", document_or_json("FDRecordDataInfo", "FDRecordCount"), count=_count_entries
        )
        libraries = len(list(_listed(listed.value))) if listed.value is not None else None
        if listed.value is not None and listed.value.children and not libraries:
            libraries = None  # what is listed there has no number by which it would be a library
        counts = dict(_count_entries(counted.value)) if counted.value is not None else {}
        entries = counts.get("entries")
        libraries = (counts.get("libraries") or None) if libraries is None else libraries
        for answer, number in ((listed, libraries), (counted, entries)):
            if answer.value is not None and number:
                self._yes(answer, EVERY, "it holds a library of faces")
        is_counted = counted.value is not None and not any(unknown_words(counted.value))
        return libraries, entries, is_counted

    def _follow(self, channel: str) -> None:
        """Each channel is asked: of a camera with a fixed lens and a head, the head is mostly on the second."""
        answer = self._interview.get(f"/ISAPI/Smart/IntelliTrace/{channel}", document("IntelliTrace"))
        if answer.value is None or any(unknown_words(answer.value)):
            self._tracking.append(Level.UNKNOWN)
        self._tracking += [together(_values(answer.value.each("enabled")))] if answer.value is not None else []

    def _doubt(self, answer: Answer[Element]) -> None:
        """What is not known in how it is set may be able to do something with faces, and may be on."""
        if answer.value is not None and self._interview.doubt(answer.number, unknown_words(answer.value)):
            self._switched.append(Level.UNKNOWN)

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


def _is_unknown(kind: str) -> bool:
    return not is_harmless(kind) and not resource_abilities(kind)


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
