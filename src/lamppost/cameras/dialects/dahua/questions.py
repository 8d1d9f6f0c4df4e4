"""What Dahua's CGI is asked of faces, and what its answers say.

A list of scenes or rules without faces is no denial: firmware lists those of
the smart plan that is chosen just now, and hides others from some users.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from lamppost.cameras.dialects.dahua.cgi import MOST_CHANNELS, Rule, channels_in, config_path, rules_in, table
from lamppost.cameras.dialects.dahua.harmless import (
    is_harmless_kind,
    scenes_in,
    unknown_of_rule,
    unknown_of_scenes,
    unknown_switches,
)
from lamppost.cameras.dialects.interview import Answer, Interview
from lamppost.cameras.dialects.reading import Lines, read_lines
from lamppost.cameras.dialects.words import EVERY, abilities_of, level_of, together
from lamppost.model.devices import Ability, Armament, Level

_GROUP: Final = re.compile(r"(?i)GroupList\[(\d{1,4})\]\.(.+)")
_COUNTED: Final = re.compile(r"(?i)totalCount|found|count")
# What a handler of recognition is switched on by; a disarm switches off the same.
MASKS: Final = ("EventEnableMask", "RecordEnableMask", "SnapEnableMask", "MailEnableMask")
SWITCHES: Final = ("Enable", *MASKS)


class Questions:
    """One audit of one device."""

    def __init__(self, interview: Interview) -> None:
        self._interview = interview
        self._switched: list[Level] = []
        self._armed: list[str] = []
        self._tracking: list[Level] = []

    def put(self) -> Armament:
        scenes = self._scenes()
        rules = self._rules()
        for channel in self._channels(scenes, rules):
            self._capabilities(channel)
        handlers = self._handlers()
        libraries, entries = self._libraries()
        self._follow()
        return Armament(
            is_armed=together(self._switched),
            has_library=_has_library(handlers, libraries, entries),
            libraries=libraries,
            entries=entries,
            armed=tuple(self._armed),
            auto_tracking=together(self._tracking),
        )

    def _scenes(self) -> Lines | None:
        answer = self._interview.get(config_path("VideoAnalyseGlobal"), table("VideoAnalyseGlobal"), signs=EVERY)
        if answer.value is None:
            self._switched.append(Level.UNKNOWN)
            return None
        self._unless_whole(answer.value)
        scenes = tuple(scenes_in(answer.value.values))
        for key, value in scenes:
            abilities = kind_abilities(value)
            level = Level.YES if abilities else Level.NO if is_harmless_kind(value) else Level.UNKNOWN
            self._set(answer, abilities, level, f"{key} {value}")
        strange = [value or key for key, value in scenes if not kind_abilities(value) and not is_harmless_kind(value)]
        strange += unknown_of_scenes(answer.value.values)
        if self._interview.doubt(answer.number, strange) or not scenes:
            self._switched.append(Level.UNKNOWN)
        return answer.value

    def _rules(self) -> Lines | None:
        answer = self._interview.get(config_path("VideoAnalyseRule"), table("VideoAnalyseRule"), signs=EVERY)
        if answer.value is None:
            self._switched.append(Level.UNKNOWN)
            self._tracking.append(Level.UNKNOWN)
            return None
        self._unless_whole(answer.value)
        self._tracking += [] if answer.value.is_whole else [Level.UNKNOWN]
        rules = rules_in(answer.value)
        if sum(len(rule.fields) for rule in rules) < len(answer.value.values):
            self._switched.append(Level.UNKNOWN)  # by lines that belong to no rule
        for rule in rules:
            for kind in rule.kinds:
                self._yes(answer, kind_abilities(kind), f"{rule.place} is {kind}")
            is_strange = not is_rule_of_faces(rule) and self._interview.doubt(answer.number, unknown_of_rule(rule))
            self._set(answer, (), _rule_level(rule, is_strange=is_strange), f"{rule.place} {' '.join(rule.kinds)}")
            self._tracking += [level for _, level in rule.tracking()]
        return answer.value

    def _channels(self, *answers: Lines | None) -> tuple[int, ...]:
        found = channels_in(*answers)
        if len(found) > MOST_CHANNELS:
            for ability in EVERY:
                self._interview.find(0, ability, Level.UNKNOWN, f"{len(found)} channels, of which not all are asked")
        return found[:MOST_CHANNELS] or (1,)

    def _capabilities(self, channel: int) -> None:
        """Everything of faces that the list of abilities names is a yes; a no takes a switch of that name which is false."""
        path = f"/cgi-bin/devVideoAnalyse.cgi?action=getCaps&channel={channel}"
        answer = self._interview.get(path, read_lines, about=EVERY)
        if answer.value is None:
            return
        denied: set[Ability] = set()
        for key, value in answer.value.values.items():
            named = tuple(dict.fromkeys(ability for part in key.split(".") for ability in kind_abilities(part)))
            if named and level_of(value) is Level.NO:
                # A count of none is no denial: it may be what is in use just now. And who cannot compare may still detect.
                denied.update(_denied(key) if value.lower() == "false" else ())
                continue
            self._yes(answer, named if value else (), f"{key}={value}")
            self._yes(answer, kind_abilities(value), f"{key}={value}")
        for ability in EVERY if answer.value.is_whole else ():
            if ability in denied:
                self._interview.find(answer.number, ability, Level.NO, f"channel {channel} says that it has none")

    def _handlers(self) -> int | None:
        """What is done when somebody is compared: it names libraries, and is not kept."""
        name = "FaceRecognitionEventHandler"
        answer = self._interview.get(config_path(name), table(name), signs=EVERY, count=_count_handlers)
        if answer.value is None:
            self._switched.append(Level.UNKNOWN)
            return None
        self._unless_whole(answer.value)
        self._yes(answer, EVERY, f"it has settings of {name}")
        for place, is_on in handlers_in(answer.value):
            self._set(answer, (), is_on, place)
        if any(unknown_switches(answer.value.values, SWITCHES)):
            self._switched.append(Level.UNKNOWN)
        return dict(_count_handlers(answer.value))["groups"]

    def _libraries(self) -> tuple[int | None, int | None]:
        """How many libraries, and how many entries in all; the answer is not kept."""
        path = "/cgi-bin/faceRecognitionServer.cgi?action=findGroup"
        answer = self._interview.get(path, read_lines, signs=EVERY, count=_count_groups)
        if answer.value is None:
            return None, None
        self._yes(answer, EVERY, "it has a service for libraries of faces")
        counts = dict(_count_groups(answer.value))
        return counts.get("libraries"), counts.get("entries")

    def _follow(self) -> None:
        answer = self._interview.get(config_path("LeSmartTrack"), table("LeSmartTrack"))
        found = [level_of(value) for key, value in answer.value.values.items() if key.endswith(".Enable")] if answer.value else []
        is_whole = answer.value is not None and answer.value.is_whole and not any(unknown_switches(answer.value.values, ("Enable",)))
        self._tracking += found if found and is_whole else [*found, Level.UNKNOWN]

    def _unless_whole(self, lines: Lines) -> None:
        """What is armed may stand in lines that did not come."""
        self._switched += [] if lines.is_whole else [Level.UNKNOWN]

    def _set(self, answer: Answer[Lines], abilities: tuple[Ability, ...], level: Level, what: str) -> None:
        self._switched.append(level)
        if level is Level.YES:
            self._armed.append(what)
            self._yes(answer, abilities, f"{what} is on")

    def _yes(self, answer: Answer[Lines], abilities: tuple[Ability, ...], because: str) -> None:
        for ability in abilities:
            self._interview.find(answer.number, ability, Level.YES, because)


def kind_abilities(kind: str) -> tuple[Ability, ...]:
    """What a scene, a class or a rule of this name does with faces. FaceDetection sends what it has cut out, too."""
    found = abilities_of(kind)
    return (Ability.DETECT, Ability.CAPTURE) if found == (Ability.DETECT,) and "detection" in kind.lower() else found


def _denied(key: str) -> tuple[Ability, ...]:
    """What a false of this name denies: the most that it names, and nothing below or above."""
    return abilities_of(key.rpartition(".")[2])[-1:]


def is_rule_of_faces(rule: Rule) -> bool:
    """Whether a rule is about faces, or looks for them."""
    return any(abilities_of(kind) for kind in rule.kinds)


def _rule_level(rule: Rule, *, is_strange: bool) -> Level:
    """Whether a rule does something with faces just now. One that is off does nothing; of one that is not known, nobody can tell."""
    if rule.is_on is Level.NO or is_rule_of_faces(rule):
        return rule.is_on
    return Level.UNKNOWN if is_strange else Level.NO


def handlers_in(lines: Lines) -> Iterator[tuple[str, Level]]:
    """Each handler, and whether it is on: by a switch or by a mask that is not empty."""
    for place in dict.fromkeys(re.findall(r"FaceRecognitionEventHandler(?:\[\d{1,4}\])*", " ".join(lines.values))):
        own = {key.removeprefix(f"table.{place}."): value for key, value in lines.values.items() if key.startswith(f"table.{place}.")}
        if not own:
            continue
        switch = level_of(own.get("Enable"))
        masks = [own[name] for name in MASKS if name in own]
        is_masked = Level.YES if any(mask not in ("0", "") for mask in masks) else Level.NO if masks else Level.UNKNOWN
        yield place, is_masked if switch is Level.UNKNOWN else switch


def _count_handlers(lines: Lines) -> tuple[tuple[str, int], ...]:
    groups = sum(1 for key, value in lines.values.items() if key.rpartition(".")[2].lower().startswith("groupid") and value)
    found = list(handlers_in(lines))
    return (("handlers", len(found)), ("switched_on", sum(level is Level.YES for _, level in found)), ("groups", groups))


def _count_groups(lines: Lines) -> tuple[tuple[str, int], ...]:
    """Libraries, and their entries where each says how many it has."""
    groups: dict[str, str | None] = {}
    stated: int | None = None
    is_known = True
    for key, value in lines.values.items():
        match = _GROUP.fullmatch(key)
        if match is not None:
            groups.setdefault(match[1], None)
            if match[2].lower() == "groupsize":
                groups[match[1]] = value
        elif _COUNTED.fullmatch(key):
            stated = _whole(value)
        else:
            is_known = False
    sizes = [_whole(size) for size in groups.values()]
    known = [size for size in sizes if size is not None]
    if not groups and (stated is None or (stated == 0 and not is_known)):
        return ()
    libraries = max(len(groups), stated or 0)
    has_all = len(known) == libraries
    return (("libraries", libraries), *((("entries", sum(known)),) if has_all else ()))


def _whole(text: str | None) -> int | None:
    return int(text) if text is not None and text.isascii() and text.isdigit() and len(text) < 10 else None


def _has_library(handlers: int | None, libraries: int | None, entries: int | None) -> Level:
    if handlers or libraries or entries:
        return Level.YES
    return Level.NO if handlers == 0 and libraries == 0 else Level.UNKNOWN
