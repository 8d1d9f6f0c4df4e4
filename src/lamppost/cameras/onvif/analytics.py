"""What a device is able to do with faces as far as ONVIF says, as a dialect of the audit.

ONVIF's answers can give an ability away and cannot deny it: what a maker adds
beside ONVIF is asked in the maker's dialect.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

from lamppost.base.clock import Clock
from lamppost.base.errors import CameraError, CameraRefused
from lamppost.cameras.dialects.dialect import Asker, Change, DeviceHealth, Interview, Plan, Setting
from lamppost.cameras.dialects.words import EVERY, abilities_of, is_of_faces
from lamppost.cameras.onvif import xml
from lamppost.cameras.onvif.descriptions import Service
from lamppost.cameras.onvif.device import OnvifDevice
from lamppost.cameras.onvif.reading import line, many, read
from lamppost.cameras.onvif.soap import Answer
from lamppost.model.devices import Armament, DeviceIdentity, Level, Outcome

_MOST_CONFIGURATIONS: Final = 8
_MOST_FAILURES: Final = 3
_MOST_RULES: Final = 64
_TOPIC_OF_FACES: Final = ("Recognition", "Face")


@dataclass(frozen=True, slots=True)
class _Part:
    """A rule or an analytics module of a configuration."""

    configuration: str
    name: str
    type: str
    is_module: bool


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
            Change(self.name, f"{part.name} ({part.type})", part.configuration, _key(part), "present", "absent") for part in audit.parts
        )
        problems = tuple(each.problem for each in interview.evidence if each.outcome not in (Outcome.ANSWERED, Outcome.ABSENT))
        return Plan(changes, problems=tuple(dict.fromkeys(problem for problem in problems if problem)))

    def change(self, web: Asker, change: Change) -> None:
        del web
        kind, _, name = change.key.partition(" ")
        # The type is looked up again: nothing is deleted that is not about faces now.
        if not any(_key(part) == change.key and is_of_faces(part.type) for part in self._parts(change.place)):
            return
        if kind == "module":
            self._device.soap.call(Service.ANALYTICS, "DeleteAnalyticsModules", ConfigurationToken=change.place, AnalyticsModuleName=[name])
        else:
            self._device.soap.call(Service.RULES, "DeleteRules", ConfigurationToken=change.place, RuleName=[name])

    def read_back(self, web: Asker, change: Change) -> str:
        del web
        return "present" if any(_key(part) == change.key for part in self._parts(change.place)) else "absent"

    def put_back(self, web: Asker, setting: Setting) -> bool:
        """Nothing of this dialect is ever put back: what it takes away is about faces."""
        raise CameraRefused(f"{setting.kind} is never put back", remedy="set it on the device, where it is needed")

    def _parts(self, configuration: str) -> list[_Part]:
        soap = self._device.soap
        self._device.services()
        rules = parts_of(soap.call(Service.RULES, "GetRules", ConfigurationToken=configuration), configuration, is_module=False)
        return [
            *rules,
            *parts_of(soap.call(Service.ANALYTICS, "GetAnalyticsModules", ConfigurationToken=configuration), configuration, is_module=True),
        ]


class _Audit:
    """One round of questions. `parts` are the rules and modules that are about faces."""

    def __init__(self, device: OnvifDevice, interview: Interview) -> None:
        self._device = device
        self._interview = interview
        self._failures = 0
        self.parts: list[_Part] = []

    def made(self) -> Armament:
        if not self._services():
            return Armament()
        device, ask = self._device, self._ask
        if device.has(Service.EVENTS):
            self._signs(ask(Service.EVENTS, "GetEventProperties"), _topics)
        if not device.has(Service.ANALYTICS):
            return Armament()
        ask(Service.ANALYTICS, "GetServiceCapabilities")
        tokens = self._configurations()
        armed = [self._configured(token) for token in tokens]
        if not tokens or Level.UNKNOWN in armed:
            level = Level.YES if self.parts else Level.UNKNOWN
        else:
            level = Level.YES if self.parts else Level.NO
        names = tuple(f"{'module' if part.is_module else 'rule'} {part.name} ({part.type})" for part in self.parts)
        return Armament(is_armed=level, armed=names)

    def _services(self) -> bool:
        try:
            self._device.services()
        except CameraError as error:
            self._interview.note("tds:GetServices", Outcome.FAILED, None, problem=error.problem, signs=EVERY)
            return False
        return True

    def _configurations(self) -> list[str]:
        """The tokens of the analytics configurations, by Media2 or Media1."""
        service, operation = (
            (Service.MEDIA2, "GetAnalyticsConfigurations")
            if self._device.has(Service.MEDIA2)
            else (Service.MEDIA1, "GetVideoAnalyticsConfigurations")
        )
        _, answer = self._ask(service, operation)
        found = [line(read(each, "token"), 64) for each in many(answer.value)]
        return [token for token in found if token][:_MOST_CONFIGURATIONS]

    def _configured(self, token: str) -> Level:
        """What is able and what is set in one configuration; whether something of it is armed."""
        given = {"ConfigurationToken": token}
        self._signs(self._ask(Service.RULES, "GetSupportedRules", **given), _types)
        self._signs(self._ask(Service.ANALYTICS, "GetSupportedAnalyticsModules", **given), _types)
        self._signs(self._ask(Service.RULES, "GetRuleOptions", **given), _options)
        self._signs(self._ask(Service.ANALYTICS, "GetSupportedMetadata"), _metadata)
        before, are_read = len(self.parts), True
        for service, operation, is_module in ((Service.RULES, "GetRules", False), (Service.ANALYTICS, "GetAnalyticsModules", True)):
            number, answer = self._ask(service, operation, **given)
            self._signs((number, answer), _types)
            are_read = are_read and answer.outcome is Outcome.ANSWERED
            self.parts += [part for part in parts_of(answer.value, token, is_module=is_module) if is_of_faces(part.type)]
        if len(self.parts) > before:
            return Level.YES
        return Level.NO if are_read else Level.UNKNOWN

    def _ask(self, service: Service, operation: str, **arguments: Any) -> tuple[int, Answer]:
        if self._failures >= _MOST_FAILURES:
            answer = Answer(Outcome.FAILED, problem="not asked: it has stopped answering")
        else:
            answer = self._device.soap.ask(service, operation, **arguments)
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
        for name in dict.fromkeys(names(answer.root)):
            for ability in abilities_of(name):
                self._interview.find(number, ability, Level.YES, f"it names {name}")


def parts_of(said: Any, configuration: str, *, is_module: bool) -> list[_Part]:
    """The rules or modules of an answer."""
    found = [_Part(configuration, line(read(each, "Name"), 128), line(read(each, "Type"), 128), is_module) for each in many(said)]
    return [part for part in found if part.name][:_MOST_RULES]


def _key(part: _Part) -> str:
    return f"{'module' if part.is_module else 'rule'} {part.name}"


def _types(root: xml.Element) -> Iterable[str]:
    """Names of the types of rules and modules: `tt:FaceRecognition`."""
    for element in root.iter():
        if isinstance(element.tag, str):
            # What has a type was given its name by a person.
            value = element.get("Type") or element.get("Name")
            if value and is_of_faces(value):
                yield line(value, 96)


def _options(root: xml.Element) -> Iterable[str]:
    """Class filters and the like, as attributes or as text."""
    yield from _types(root)
    for element in root.iter():
        text = xml.text_of(element, 512) if isinstance(element.tag, str) else ""
        yield from (word for word in text.replace(",", " ").split() if is_of_faces(word))


def _metadata(root: xml.Element) -> Iterable[str]:
    """Elements of sample frames and their classes: `Face`, `HumanFace`."""
    yield from _options(root)
    yield from (name for name in map(xml.local_name, root.iter()) if is_of_faces(name))


def _topics(root: xml.Element) -> Iterable[str]:
    """Topics are nested elements: `Recognition` with `Face` in it says that somebody is told who it was."""
    for element in root.iter():
        name = xml.local_name(element)
        above = xml.local_name(element.getparent()) if element.getparent() is not None else ""
        if (above, name) == _TOPIC_OF_FACES:
            yield "Recognition/Face"
        elif is_of_faces(name):
            yield name
