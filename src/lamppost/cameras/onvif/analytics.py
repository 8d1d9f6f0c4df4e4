"""What a device is able to do with faces as far as ONVIF says, as a dialect of the audit.

ONVIF's answers can give an ability away and cannot deny it: what a maker adds
beside ONVIF is asked in the maker's dialect.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

from lamppost.base.clock import Clock
from lamppost.base.errors import CameraError, CameraRefused, CameraUnreachable, UnreadableReply
from lamppost.cameras.dialects.dialect import Asker, Change, DeviceHealth, Interview, Plan, Setting
from lamppost.cameras.dialects.words import EVERY, abilities_of, is_of_faces
from lamppost.cameras.onvif import xml
from lamppost.cameras.onvif.analytics_parts import MODULE, RULE, Kind, Part, Parts, parts_in
from lamppost.cameras.onvif.descriptions import Service
from lamppost.cameras.onvif.device import OnvifDevice
from lamppost.cameras.onvif.known_words import unknown_words
from lamppost.cameras.onvif.reading import line, many, read
from lamppost.cameras.onvif.soap import Answer
from lamppost.model.devices import Armament, DeviceIdentity, Level, Outcome

_MOST_CONFIGURATIONS: Final = 8
_MOST_FAILURES: Final = 3
_MOST_SIGNS: Final = 32  # of one answer
_LONGEST_S: Final = 5.0
_LEFT_S: Final = 25.0  # of the interview's time, for the maker's own dialect, which is asked after this
_KINDS: Final = (RULE, MODULE)
_TOPIC_OF_FACES: Final = ("Recognition", "Face")


class OnvifAnalytics:
    """The dialect that every ONVIF device speaks. It asks through `device`, whose `web` is the interview's."""

    name = "onvif"

    def __init__(self, device: OnvifDevice, clock: Clock) -> None:
        self._device = device
        self._clock = clock

    def speaks(self, identity: DeviceIdentity) -> bool:
        """Whoever answers to ONVIF at all."""
        del identity
        return True

    def identify(self, web: Asker) -> DeviceIdentity | None:
        del web
        return self._device.identity()

    def audit(self, interview: Interview) -> Armament:
        return _Audit(self._device, interview).made()

    def health(self, web: Asker) -> DeviceHealth:
        """ONVIF has no questions for that."""
        del web
        return DeviceHealth()

    def plan(self, interview: Interview) -> Plan:
        audit = _Audit(self._device, interview)
        audit.made()
        changes = tuple(
            Change(self.name, f"{part.shown} of {line(part.configuration, 64)}", part.configuration, part.key, "present", "absent")
            for part in audit.armed
            if part.is_removable
        )
        problems = [each.problem for each in interview.evidence if each.outcome not in (Outcome.ANSWERED, Outcome.ABSENT)]
        problems += [
            f"{part.shown} looks for faces beside other things: take them out of it on the device"
            for part in audit.armed
            if not part.is_removable
        ]
        return Plan(changes, problems=tuple(dict.fromkeys(problem for problem in problems if problem)))

    def change(self, web: Asker, change: Change) -> None:
        del web
        kind = next((kind for kind in _KINDS if change.key.startswith(f"{kind.word} ")), None)
        if kind is None:
            raise CameraRefused(f"{change.key[:40]} is nothing that is removed")
        # It is looked up again: nothing is removed that is not about faces, and about nothing else, at this moment.
        found = [part for part in self._parts(kind, change.place).all if part.key == change.key]
        if not all(part.is_removable for part in found):
            raise CameraRefused(f"{change.what[:80]} is not about faces alone", remedy="look at it on the device")
        if found:
            names: dict[str, Any] = {kind.names: [found[0].name]}
            self._device.soap.call(kind.service, kind.remove, ConfigurationToken=change.place, **names)

    def read_back(self, web: Asker, change: Change) -> str:
        del web
        kind = MODULE if change.key.startswith(f"{MODULE.word} ") else RULE
        return "present" if any(part.key == change.key for part in self._parts(kind, change.place).all) else "absent"

    def put_back(self, web: Asker, setting: Setting) -> bool:
        """Nothing of this dialect is ever put back: what it takes away is about faces."""
        raise CameraRefused(f"{setting.kind} is never put back", remedy="set it on the device, where it is needed")

    def _parts(self, kind: Kind, configuration: str) -> Parts:
        self._device.services()
        answer = self._device.soap.ask(kind.service, kind.get, ConfigurationToken=configuration)
        if answer.outcome is not Outcome.ANSWERED:
            raise UnreadableReply(f"it does not say which {kind.word}s it has: {answer.problem}")
        return parts_in(answer.root, configuration, kind)


class _Audit:
    """One round of questions. `armed` are the rules and modules that are about faces."""

    def __init__(self, device: OnvifDevice, interview: Interview) -> None:
        self._device = device
        self._interview = interview
        self._failures = 0
        self._is_whole = True  # whether every question was answered that `no` takes
        self.armed: list[Part] = []

    def made(self) -> Armament:
        if not self._services():
            return Armament()
        device, ask = self._device, self._ask
        if device.has(Service.EVENTS):
            self._signs(ask(Service.EVENTS, "GetEventProperties"), _topics)
        if not device.has(Service.ANALYTICS):
            self._says_it_has_none()
            return Armament()
        self._doubt(*ask(Service.ANALYTICS, "GetServiceCapabilities"))
        self._signs(ask(Service.ANALYTICS, "GetSupportedMetadata"), _metadata)
        tokens = self._configurations()
        for token in tokens:
            self._configured(token)
        level = Level.NO if tokens and self._is_whole else Level.UNKNOWN
        return Armament(is_armed=Level.YES if self.armed else level, armed=tuple(part.shown for part in self.armed))

    def _services(self) -> bool:
        try:
            self._device.services()
        except CameraError as error:
            self._interview.note("tds:GetServices", _outcome_of(error), None, problem=error.problem, signs=EVERY)
            return False
        return True

    def _says_it_has_none(self) -> None:
        """That it names no analytics is an answer too, and says nothing of what its maker has put beside ONVIF."""
        for operation, arguments in (("GetServices", {"IncludeCapability": False}), ("GetCapabilities", {})):
            answer = self._device.soap.ask(Service.DEVICE, operation, timeout_s=_LONGEST_S, **arguments)
            if answer.outcome is Outcome.ANSWERED:
                self._interview.note(f"tds:{operation}", answer.outcome, answer.reply)
                return

    def _configurations(self) -> list[str]:
        """The tokens of the analytics configurations, by Media2 and Media1."""
        tokens: list[str] = []
        asked = {Service.MEDIA2: "GetAnalyticsConfigurations", Service.MEDIA1: "GetVideoAnalyticsConfigurations"}
        for service, operation in asked.items():
            if self._device.has(service):
                _, answer = self._ask(service, operation)
                self._is_whole = self._is_whole and answer.outcome is Outcome.ANSWERED
                tokens += [line(read(each, "token"), 64) for each in many(answer.value)]
        found = list(dict.fromkeys(filter(None, tokens)))
        self._is_whole = self._is_whole and all(tokens) and len(found) <= _MOST_CONFIGURATIONS
        return found[:_MOST_CONFIGURATIONS]

    def _configured(self, token: str) -> None:
        """What is able and what is set in one configuration."""
        given = {"ConfigurationToken": token}
        self._signs(self._ask(Service.RULES, "GetSupportedRules", **given), _types)
        self._signs(self._ask(Service.ANALYTICS, "GetSupportedAnalyticsModules", **given), _types)
        self._signs(self._ask(Service.RULES, "GetRuleOptions", **given), _options)
        for kind in _KINDS:
            number, answer = self._ask(kind.service, kind.get, **given)
            if answer.outcome is not Outcome.ANSWERED or answer.root is None:
                self._is_whole = False
                continue
            self._doubt(number, answer, has_given_names=True)
            parts = parts_in(answer.root, token, kind)
            self._is_whole = self._is_whole and parts.is_whole
            armed = [part for part in parts.all if part.faces]
            self.armed += armed
            self._say(number, (word for part in armed for word in part.faces))

    def _ask(self, service: Service, operation: str, **arguments: Any) -> tuple[int, Answer]:
        left_s = self._interview.left_s - _LEFT_S
        if self._failures >= _MOST_FAILURES:
            answer = Answer(Outcome.FAILED, problem="not asked: it has stopped answering")
        elif left_s <= 0:
            answer = Answer(Outcome.FAILED, problem="not asked: the device takes too long")
        else:
            answer = self._device.soap.ask(service, operation, timeout_s=min(left_s, _LONGEST_S), **arguments)
        self._failures = self._failures + 1 if answer.outcome is Outcome.FAILED else 0
        question = f"{service.prefix}:{operation}" + (f" {arguments['ConfigurationToken']}" if arguments else "")
        # What can give an ability away leaves it unknown where it is not answered, however old the device is.
        signs = () if operation == "GetServiceCapabilities" else EVERY
        return self._interview.note(question, answer.outcome, answer.reply, problem=answer.problem, signs=signs), answer

    def _signs(self, asked: tuple[int, Answer], names: Callable[[xml.Element], Iterable[str]]) -> None:
        """Each name in the answer that speaks of faces gives abilities away."""
        number, answer = asked
        if answer.root is None or answer.outcome is not Outcome.ANSWERED:
            return
        self._say(number, names(answer.root))
        self._doubt(number, answer)

    def _doubt(self, number: int, answer: Answer, *, has_given_names: bool = False) -> None:
        """What a maker calls in words of its own may be of faces: an answer with such a word denies nothing."""
        if answer.root is not None and answer.outcome is Outcome.ANSWERED:
            self._interview.doubt(number, unknown_words(answer.root, has_given_names=has_given_names))

    def _say(self, number: int, names: Iterable[str]) -> None:
        for name in list(dict.fromkeys(names))[:_MOST_SIGNS]:
            for ability in abilities_of(name):
                self._interview.find(number, ability, Level.YES, f"it names {name}")


def _outcome_of(error: CameraError) -> Outcome:
    if isinstance(error, CameraRefused):
        return Outcome.REFUSED
    return Outcome.FAILED if isinstance(error, CameraUnreachable) else Outcome.UNREADABLE


def _types(root: xml.Element) -> Iterable[str]:
    """Names of the types of rules and modules: `tt:FaceRecognition`."""
    for element in root.iter():
        if isinstance(element.tag, str):
            # What has a type was given its name by a person.
            value = element.get("Type") or element.get("Name")
            if value and is_of_faces(value[:256]):
                yield line(value[:256], 96)


def _options(root: xml.Element) -> Iterable[str]:
    """Class filters and the like, as attributes or as text."""
    yield from _types(root)
    for element in root.iter():
        text = xml.text_of(element, 512) if isinstance(element.tag, str) else ""
        yield from (line(word, 96) for word in text.replace(",", " ").split() if is_of_faces(word))


def _metadata(root: xml.Element) -> Iterable[str]:
    """Elements of sample frames and their classes: `Face`, `HumanFace`."""
    yield from _options(root)
    yield from (line(name, 96) for name in map(xml.local_name, root.iter()) if is_of_faces(name))


def _topics(root: xml.Element) -> Iterable[str]:
    """Topics are nested elements: `Recognition` with `Face` in it says that somebody is told who it was."""
    for element in root.iter():
        name = xml.local_name(element)
        above = xml.local_name(element.getparent()) if element.getparent() is not None else ""
        if (above, name) == _TOPIC_OF_FACES:
            yield "Recognition/Face"
        elif is_of_faces(name):
            yield line(name, 96)
