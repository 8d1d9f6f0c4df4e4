"""Axis's devices: faces are a matter of the applications on them, and of the metadata that these write.

A list of applications without one of faces denies nothing: an application may
compare faces under any name, and metadata may hold faces. Only a device that
says that it takes no applications, has none and writes no metadata says no.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Final

from lamppost.base.errors import CameraError, CameraRefused, UnreadableReply
from lamppost.cameras.dialects.axis.vapix import (
    JSON,
    LIST,
    METADATA,
    Application,
    Producer,
    read_answer,
    read_applications,
    read_parameters,
    read_producers,
    request,
)
from lamppost.cameras.dialects.dialect import Change, DeviceHealth, Interview, Plan, Setting, Storage
from lamppost.cameras.dialects.interview import Answer, Asker, answered, outcome_of
from lamppost.cameras.dialects.reading import Element, fields_in, items_in, read_xml
from lamppost.cameras.dialects.scene_words import CLASSES, SHAPES
from lamppost.cameras.dialects.words import EVERY, abilities_of, is_of_faces, level_of, together
from lamppost.model.devices import Ability, Armament, DeviceIdentity, Level, Outcome

_NAMES: Final = re.compile(r"\baxis\b", re.IGNORECASE)
# Applications that compare faces, whose names do not say so.
_KNOWN: Final = re.compile(r"herta|oosto|anyvision|corsight|cognitec|neoface|ayonix|\bsafr\b|cyberlink", re.IGNORECASE)
_FOLLOWS: Final = re.compile(r"auto.?track", re.IGNORECASE)
# What a rollback may start again, and nothing else: applications of Axis itself, by their package's name.
_HARMLESS: Final = frozenset({"vmd", "fenceguard", "motionguard", "loiteringguard", "crosslinedetection"})
_OWN: Final = _HARMLESS | {"objectanalytics"}
# What an application that does nothing says of itself (VAPIX, application API): of one that says anything else nobody can tell.
_AT_REST: Final = "stopped"
_TAKES_NONE: Final = "root.Properties.EmbeddedDevelopment.EmbeddedDevelopment"
_EMBEDDED: Final = frozenset(f"root.Properties.EmbeddedDevelopment.{name}" for name in ("EmbeddedDevelopment", "CacheSize", "Version"))
_WORD: Final = re.compile(r"[A-Za-z]{2,}")
_NOT_SAID: Final = re.compile(r"https?://[^\s\"'<>]*|xmlns(?::\w+)?|\btt:|\b\d{4}-\d\d-\d\dT[\d:.]*Z?")
_IN_SAMPLES: Final = CLASSES | SHAPES | {"metadata", "classes", "sampleframexml", "xml", "version", "encoding", "utf"}
_PACKAGE: Final = re.compile(r"[\w.-]{1,64}")
_KIB: Final = 1 << 10


class Axis:
    """VAPIX; see `Dialect`."""

    name = "axis"

    def speaks(self, identity: DeviceIdentity) -> bool:
        return bool(_NAMES.search(identity.vendor))

    def identify(self, web: Asker) -> DeviceIdentity | None:
        reply = web.ask("POST", "/axis-cgi/basicdeviceinfo.cgi", request("getAllProperties"), JSON)
        if outcome_of(reply)[0] is not Outcome.ANSWERED:
            return None
        try:
            found = read_answer(reply).get("propertyList")
        except UnreadableReply:
            return None
        known = fields_in(found)
        if not known.get("SerialNumber") and not known.get("ProdNbr"):
            return None
        serial = str(known.get("SerialNumber", ""))[:64]
        mac = ":".join(re.findall("..", serial.lower())) if re.fullmatch(r"[0-9A-Fa-f]{12}", serial) else ""
        words = {name: str(known.get(name, ""))[:128] for name in ("Brand", "ProdShortName", "ProdNbr", "Version", "HardwareID")}
        return DeviceIdentity(
            words["Brand"] or "AXIS", words["ProdNbr"] or words["ProdShortName"], words["Version"], serial, mac, words["HardwareID"]
        )

    def audit(self, interview: Interview) -> Armament:
        takes_none = _takes_no_applications(interview)
        listed = interview.get(LIST, read_applications, about=EVERY)
        switched: list[Level] = []
        armed: list[str] = []
        for application in listed.value or ():
            abilities = application_abilities(application)
            for ability in abilities:
                interview.find(listed.number, ability, Level.YES, f"the application {application.words} is installed")
            switched.append(_is_at_work(application))
            armed += [f"application {application.name}"] if switched[-1] is Level.YES else []
        if takes_none and listed.value == ():
            for ability in EVERY:
                interview.find(listed.number, ability, Level.NO, "it takes no applications, and has none")
        interview.doubt(listed.number, (f"the application {each.words}" for each in listed.value or () if not _is_known(each)))
        switched.append(Level.UNKNOWN if listed.value is None else Level.NO)
        writing, written = _metadata(interview)
        return Armament(
            is_armed=together([*switched, writing]),
            has_library=Level.UNKNOWN,
            armed=(*armed, *written),
            auto_tracking=_tracking(listed.value),
        )

    def health(self, web: Asker) -> DeviceHealth:
        reply = web.ask("POST", "/axis-cgi/systemready.cgi", request("systemready"), JSON)
        uptime: float | None = None
        if outcome_of(reply)[0] is Outcome.ANSWERED:
            try:
                told = str(read_answer(reply).get("uptime", ""))
                uptime = float(told) if told.isascii() and told.isdigit() and len(told) < 12 else None
            except UnreadableReply:
                uptime = None
        try:
            disks = tuple(_disks(read_xml(answered(web.ask("GET", "/axis-cgi/disks/list.cgi?diskid=all")))))
        except CameraError:
            disks = ()
        return DeviceHealth(None, uptime, disks)

    def plan(self, interview: Interview) -> Plan:
        listed = interview.get(LIST, read_applications)
        changes = [
            Change("axis", f"application {application.words}", LIST, application.name, application.status, "Stopped")
            for application in listed.value or ()
            if application.status.lower() == "running" and (application_abilities(application) or _FOLLOWS.search(application.words))
        ]
        settings = [
            Setting("axis", LIST, application.name, "Status", "Running")
            for application in listed.value or ()
            if application.name in _HARMLESS and application.status.lower() == "running"
        ]
        producers = _ask(interview, "listProducers", read_producers)
        faces = _faces_in(_ask(interview, "getSupportedMetadata", read_answer))
        for producer in producers.value or ():
            if producer.name in faces:
                changes += [
                    Change(
                        "axis",
                        f"metadata of {producer.nice_name or producer.name}, channel {number}",
                        METADATA,
                        f"{producer.name}/{number}",
                        "on",
                        "off",
                    )
                    for number, is_on in producer.channels
                    if is_on
                ]
        problems = [f"{evidence.question}: {evidence.problem}" for evidence in interview.evidence if evidence.problem]
        return Plan(tuple(changes), tuple(settings), tuple(problems))

    def change(self, web: Asker, change: Change) -> None:
        if change.place == METADATA:
            name, _, number = change.key.rpartition("/")
            wanted = [{"name": name, "videochannels": [{"channel": int(number), "enabled": False}]}]
            read_answer(answered(web.ask("POST", METADATA, request("setEnabledProducers", producers=wanted), JSON)))
            return
        _control(web, "stop", change.key)

    def read_back(self, web: Asker, change: Change) -> str:
        if change.place == METADATA:
            name, _, number = change.key.rpartition("/")
            found = read_producers(answered(web.ask("POST", METADATA, request("listProducers"), JSON)))
            states = {str(channel): is_on for one in found if one.name == name for channel, is_on in one.channels}
            return {True: "on", False: "off"}.get(states.get(number, True), "")
        applications = {application.name: application for application in read_applications(answered(web.ask("GET", LIST)))}
        status = applications[change.key].status if change.key in applications else ""
        return "Stopped" if status.lower() == _AT_REST else status

    def put_back(self, web: Asker, setting: Setting) -> bool:
        if setting.kind not in _HARMLESS or setting.value != "Running" or setting.key != "Status" or is_of_faces(setting.kind):
            raise CameraRefused(
                f"{setting.kind[:60]} is nothing that a rollback puts back",
                remedy="a rollback starts Axis's own guards and motion detection alone",
            )
        found = {application.name: application for application in read_applications(answered(web.ask("GET", LIST)))}
        application = found.get(setting.kind)
        if application is None or application_abilities(application) or _FOLLOWS.search(application.words):
            raise CameraRefused(f"{setting.kind} is not there any more", remedy="install it on the device itself, where you want it")
        if application.status.lower() == "running":
            return False
        _control(web, "start", setting.kind)
        return True


def application_abilities(application: Application) -> tuple[Ability, ...]:
    """What an application does with faces, as far as its name tells."""
    return EVERY if _KNOWN.search(f"{application.words} {application.vendor}") else abilities_of(application.words)


def _is_at_work(application: Application) -> Level:
    """Whether it does something with faces just now; of a running one that is not known, nobody can tell."""
    status = application.status.lower()
    if status == _AT_REST:
        return Level.NO
    if application_abilities(application):
        return Level.YES if status == "running" else Level.UNKNOWN
    return Level.NO if status == "running" and _is_known(application) else Level.UNKNOWN


def _is_known(application: Application) -> bool:
    """Whether what an application does with faces is known: it says so, or it is one of Axis's own that does nothing with them."""
    is_own = application.name in _OWN and application.vendor.lower().startswith("axis")
    return is_own or bool(application_abilities(application) or _FOLLOWS.search(application.words))


def _takes_no_applications(interview: Interview) -> bool:
    path = "/axis-cgi/param.cgi?action=list&group=root.Properties.EmbeddedDevelopment"
    answer = interview.get(path, read_parameters, signs=EVERY)
    if answer.value is None:
        return False
    strange = [key for key, value in answer.value.values.items() if key not in _EMBEDDED and level_of(value) is not Level.NO]
    is_doubted = interview.doubt(answer.number, strange)
    return answer.value.is_whole and not is_doubted and level_of(answer.value.values.get(_TAKES_NONE)) is Level.NO


def _metadata(interview: Interview) -> tuple[Level, tuple[str, ...]]:
    """What of faces may be in metadata, and whether it is written just now."""
    producers = _ask(interview, "listProducers", read_producers, signs=EVERY)
    supported = _ask(interview, "getSupportedMetadata", read_answer, about=EVERY)
    faces = _faces_in(supported)
    for name in faces:
        interview.find(supported.number, Ability.DETECT, Level.YES, f"the metadata of {name} may hold faces")
    strange = _unknown_in(supported)
    interview.doubt(supported.number, (word for words in strange.values() for word in words))
    if producers.value == () and supported.value is not None and dict(supported.value) == {"producers": []}:
        for ability in EVERY:
            interview.find(supported.number, ability, Level.NO, "nothing writes metadata")
    if producers.value is None or supported.value is None:
        return Level.UNKNOWN, ()
    writing = [producer.name for producer in producers.value if any(is_on for _, is_on in producer.channels)]
    on = [name for name in writing if name in faces]
    # Of what is written without a sample, or in words that nobody here knows, nobody can tell.
    is_clear = all(strange.get(name, ["without a sample"]) == [] for name in writing) and "" not in strange
    return (Level.YES if on else Level.NO if is_clear else Level.UNKNOWN), tuple(f"metadata of {name}" for name in on)


def _ask(interview: Interview, method: str, read: Any, *, about: tuple[Ability, ...] = (), signs: tuple[Ability, ...] = ()) -> Answer[Any]:
    return interview.ask("POST", METADATA, read, content=request(method), headers=JSON, about=about, signs=signs)


def _faces_in(answer: Answer[Any]) -> tuple[str, ...]:
    """The names of the producers whose sample of metadata has faces in it."""
    listed = items_in(answer.value.get("producers")) if answer.value is not None else []
    return tuple(str(fields_in(one).get("name", ""))[:128] for one in listed if is_of_faces(json.dumps(one)))


def _unknown_in(answer: Answer[Any]) -> dict[str, list[str]]:
    """By producer, the words in its sample that are not known; under no name, what stands beside all of them."""
    found: dict[str, list[str]] = {}
    said = fields_in(answer.value)
    for key, value in said.items():
        if key != "producers" or not isinstance(value, list):
            found.setdefault("", []).append(key)
    for one in map(fields_in, items_in(said.get("producers"))):
        sample = json.dumps({key: value for key, value in one.items() if key not in ("name", "niceName")})
        words = _WORD.findall(_NOT_SAID.sub(" ", sample.replace('\\"', '"')))
        unknown = [word for word in words if word.lower() not in _IN_SAMPLES and not is_of_faces(word)]
        found.setdefault(str(one.get("name", ""))[:128], []).extend(unknown)
    return found


def _tracking(applications: tuple[Application, ...] | None) -> Level:
    """What follows is one of them; one that is not known may follow as well."""
    levels = [_follows(application) for application in applications or ()]
    return together(level for level in levels if level is not None)


def _follows(application: Application) -> Level | None:
    """Whether it lets the camera follow somebody just now; None where it never does."""
    status = application.status.lower()
    if not _FOLLOWS.search(application.words):
        return None if status == _AT_REST or _is_known(application) else Level.UNKNOWN
    return Level.YES if status == "running" else Level.NO if status == _AT_REST else Level.UNKNOWN


def _control(web: Asker, action: str, package: str) -> None:
    if not _PACKAGE.fullmatch(package):
        raise CameraRefused("an application has a name that cannot be asked for", remedy="stop it on the device itself")
    reply = answered(web.ask("GET", f"/axis-cgi/applications/control.cgi?action={action}&package={package}"))
    # 6: it runs already; 7: it does not run.
    if reply.content.strip()[:16] not in (b"OK", b"Error: 6" if action == "start" else b"Error: 7"):
        raise CameraRefused(f"it did not {action} {package}", remedy="may this user control applications?")


def _disks(root: Element) -> Iterator[Storage]:
    for disk in root.each("disk"):
        known = disk.attributes
        sizes = [known.get(name, "") for name in ("freesize", "totalsize")]
        free, total = (int(size) * _KIB if size.isascii() and size.isdigit() and len(size) < 15 else None for size in sizes)
        yield Storage(known.get("diskid", "")[:64], known.get("status", "")[:64], free, total)


__all__ = ["Axis", "Producer", "application_abilities"]
