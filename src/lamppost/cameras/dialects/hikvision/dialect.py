"""Hikvision's devices: who they are, how they are, and how what they do with faces is switched off."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Final

from lamppost.base.errors import CameraRefused, UnreadableReply
from lamppost.cameras.dialects.dialect import Change, DeviceHealth, Interview, Plan, Setting, Storage
from lamppost.cameras.dialects.hikvision.harmless import is_harmless
from lamppost.cameras.dialects.hikvision.isapi import ask_for, document, options, put
from lamppost.cameras.dialects.hikvision.questions import CHANNELS, MOST_CHANNELS, Questions, channels_in, contrasts, resource_abilities
from lamppost.cameras.dialects.interview import Asker, outcome_of
from lamppost.cameras.dialects.reading import Element
from lamppost.cameras.dialects.words import is_of_faces, level_of
from lamppost.model.devices import Armament, DeviceIdentity, Level, Outcome

_NAMES: Final = re.compile(r"hik|hilook|annke|ezviz|safire", re.IGNORECASE)
# What a rollback may set again, and nothing else: the document's name, and where it is.
_HARMLESS: Final = {
    "LineDetection": "/ISAPI/Smart/LineDetection/{}",
    "FieldDetection": "/ISAPI/Smart/FieldDetection/{}",
    "RegionEntrance": "/ISAPI/Smart/regionEntrance/{}",
    "RegionExiting": "/ISAPI/Smart/regionExiting/{}",
    "MotionDetection": CHANNELS + "/{}/motionDetection",
}
_PREFERRED: Final = ("smart", "close", "behavior")
_MIB: Final = 1 << 20


class Hikvision:
    """ISAPI; see `Dialect`."""

    name = "hikvision"

    def speaks(self, identity: DeviceIdentity) -> bool:
        return bool(_NAMES.search(identity.vendor))

    def identify(self, web: Asker) -> DeviceIdentity | None:
        reply = web.ask("GET", "/ISAPI/System/deviceInfo")
        outcome, _ = outcome_of(reply)
        if outcome is not Outcome.ANSWERED:
            return None
        try:
            root = document("DeviceInfo")(reply)
        except UnreadableReply:
            return None
        firmware = " ".join(filter(None, (root.first("firmwareVersion"), root.first("firmwareReleasedDate"))))
        return DeviceIdentity(
            vendor=root.first("manufacturer") or "HIKVISION",
            model=root.first("model") or "",
            firmware=firmware,
            serial=root.first("serialNumber") or "",
            mac=(root.first("macAddress") or "").lower(),
            hardware=root.first("hardwareVersion") or "",
        )

    def audit(self, interview: Interview) -> Armament:
        return Questions(interview).put()

    def health(self, web: Asker) -> DeviceHealth:
        status = ask_for(web, "/ISAPI/System/status", "DeviceStatus")
        try:
            disks = tuple(_disks(ask_for(web, "/ISAPI/ContentMgmt/Storage", "storage")))
        except UnreadableReply:
            disks = ()
        return DeviceHealth(_number(status.first("temperature")), _number(status.first("deviceUpTime")), disks)

    def plan(self, interview: Interview) -> Plan:
        changes: list[Change] = []
        settings: list[Setting] = []
        listed = interview.get(CHANNELS, document("VideoInputChannelList"))
        channels = channels_in(listed.value)[:MOST_CHANNELS] if listed.value is not None else ()
        for channel in channels or ("1",):
            changes += _resource(interview, channel)
            switches = (
                (f"/ISAPI/Intelligent/channels/{channel}/faceContrast", "FaceContrast"),
                (f"/ISAPI/Smart/FaceDetect/{channel}", "FaceDetect"),
                (f"/ISAPI/Smart/IntelliTrace/{channel}", "IntelliTrace"),
            )
            for path, root in switches:
                changes += _switch(interview, path, root)
            settings += _harmless(interview, channel)
        problems = [f"{evidence.question}: {evidence.problem}" for evidence in interview.evidence if evidence.problem]
        return Plan(tuple(changes), tuple(settings), tuple(problems))

    def change(self, web: Asker, change: Change) -> None:
        root = ask_for(web, change.place, *_roots(change.key))
        put(web, change.place, root, tuple(_chosen(root, change.key)), change.then)

    def read_back(self, web: Asker, change: Change) -> str:
        root = ask_for(web, change.place, *_roots(change.key))
        values = {element.text for element in _chosen(root, change.key)}
        return values.pop() if len(values) == 1 else "true" if "true" in values else ""

    def put_back(self, web: Asker, setting: Setting) -> bool:
        _check_harmless(setting)
        root = ask_for(web, setting.place, setting.kind)
        chosen = [element for element in root.children if element.name == "enabled"]
        if root.name != setting.kind or not chosen:
            raise CameraRefused(f"{setting.place} is not {setting.kind} any more", remedy="set it on the device itself, where you want it")
        if {element.text for element in chosen} == {setting.value}:
            return False
        put(web, setting.place, root, chosen, setting.value)
        return True


def _resource(interview: Interview, channel: str) -> Iterator[Change]:
    path = f"{CHANNELS}/{channel}/VCAResource"
    now = interview.get(path, document("VCAResource"))
    kind = (now.value.first("type") if now.value is not None else None) or ""
    if not resource_abilities(kind):
        return
    choice = interview.get(f"{path}/capabilities", document("VCAResource"))
    offered = [option for element in choice.value.each("type") for option in options(element)] if choice.value is not None else []
    harmless = [option for option in offered if is_harmless(option)]
    then = next((option for option in _PREFERRED if option in harmless), harmless[0] if harmless else "smart")
    yield Change("hikvision", f"channel {channel} VCAResource", path, "type", kind, then)


def _switch(interview: Interview, path: str, root: str) -> Iterator[Change]:
    key = f"{root}.enabled"
    # May name libraries, and is not kept.
    answer = interview.get(path, document(root), count=lambda found: (("elements", sum(1 for _ in found.all())),))
    if answer.value is not None and any(level_of(element.text) is Level.YES for element in _chosen(answer.value, key)):
        channel = re.findall(r"\d+", path)[-1]
        yield Change("hikvision", f"channel {channel} {root}", path, key, "true", "false")


def _harmless(interview: Interview, channel: str) -> Iterator[Setting]:
    for kind, template in _HARMLESS.items():
        path = template.format(channel)
        answer = interview.get(path, document(kind))
        own = [element for element in answer.value.children if element.name == "enabled"] if answer.value is not None else []
        if own and own[0].text in ("true", "false"):
            yield Setting("hikvision", path, kind, "enabled", own[0].text)


def _check_harmless(setting: Setting) -> None:
    number = re.findall(r"\d+", setting.place)
    is_known = bool(number) and _HARMLESS.get(setting.kind, "").format(number[-1]) == setting.place and len(number[-1]) < 6
    if not is_known or setting.key != "enabled" or setting.value not in ("true", "false") or is_of_faces(setting.place):
        raise CameraRefused(
            f"{setting.kind[:60]} is nothing that a rollback puts back", remedy="a rollback sets motion, lines and regions alone"
        )


def _roots(key: str) -> tuple[str, ...]:
    return ("VCAResource",) if key == "type" else (key.partition(".")[0],)


def _chosen(root: Element, key: str) -> Collection[Element]:
    """The elements that a change is about."""
    if key == "type":
        return tuple(root.each("type"))
    if key.startswith("FaceContrast"):
        return tuple(contrasts(root))
    return tuple(element for element in root.children if element.name.lower() == "enabled")


def _disks(root: Element) -> Iterator[Storage]:
    for disk in (*root.each("hdd"), *root.each("nas")):
        free, total = _number(disk.first("freeSpace")), _number(disk.first("capacity"))
        yield Storage(
            (disk.first("hddName") or disk.first("path") or disk.first("id") or "")[:64],
            (disk.first("status") or "")[:64],
            None if free is None else int(free) * _MIB,
            None if total is None else int(total) * _MIB,
        )


def _number(text: str | None) -> float | None:
    try:
        number = float(text) if text else None
    except ValueError:
        return None
    return number if number is not None and abs(number) < 1e15 else None
