"""Dahua's devices: who they are, how they are, and how what they do with faces is switched off."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from lamppost.base.errors import CameraError, CameraRefused
from lamppost.cameras.dialects.dahua.cgi import Rule, ask_for, config_path, rules_in, set_config, table
from lamppost.cameras.dialects.dahua.harmless import PUT_BACK, scenes_in
from lamppost.cameras.dialects.dahua.questions import SWITCHES, Questions, is_rule_of_faces, kind_abilities
from lamppost.cameras.dialects.dialect import Change, DeviceHealth, Interview, Plan, Setting, Storage
from lamppost.cameras.dialects.interview import Answer, Asker, outcome_of
from lamppost.cameras.dialects.reading import Lines, read_lines
from lamppost.cameras.dialects.words import is_of_faces, level_of
from lamppost.model.devices import Armament, DeviceIdentity, Level, Outcome

_NAMES: Final = re.compile(r"dahua|amcrest|lorex|imou|intelbras|\bdh\b", re.IGNORECASE)
_PLACE: Final = re.compile(r"VideoAnalyseRule\[\d{1,4}\]\[\d{1,4}\]")
_MAGIC: Final = "/cgi-bin/magicBox.cgi?action="


class Dahua:
    """CGI; see `Dialect`."""

    name = "dahua"

    def speaks(self, identity: DeviceIdentity) -> bool:
        return bool(_NAMES.search(identity.vendor))

    def identify(self, web: Asker) -> DeviceIdentity | None:
        known = _lines(web, "getSystemInfo")
        if "serialNumber" not in known and "deviceType" not in known:
            return None
        version = _lines(web, "getSoftwareVersion").get("version", "")
        named = _lines(web, "getDeviceType").get("type", "")
        vendor = _lines(web, "getVendor").get("vendor", "")
        return DeviceIdentity(
            vendor=vendor or "Dahua",
            model=named or known.get("deviceType", ""),
            firmware=version.replace(",build:", ", build ").strip(),
            serial=known.get("serialNumber", ""),
            hardware=known.get("hardwareVersion", ""),
        )

    def audit(self, interview: Interview) -> Armament:
        return Questions(interview).put()

    def health(self, web: Asker) -> DeviceHealth:
        uptime = _lines(web, "getUpTime").get("info.last", "")
        try:
            disks = tuple(_disks(ask_for(web, "/cgi-bin/storageDevice.cgi?action=getDeviceAllInfo")))
        except CameraError:
            disks = ()
        return DeviceHealth(None, float(uptime) if uptime.isascii() and uptime.isdigit() and len(uptime) < 12 else None, disks)

    def plan(self, interview: Interview) -> Plan:
        changes: list[Change] = []
        settings: list[Setting] = []
        scenes = _table(interview, "VideoAnalyseGlobal")
        for key, value in scenes_in(scenes.value.values) if scenes.value is not None else ():
            if kind_abilities(value):
                changes.append(_change("VideoAnalyseGlobal", f"{key} {value}", key, value, "Normal"))
        rules = _table(interview, "VideoAnalyseRule")
        for rule in rules_in(rules.value) if rules.value is not None else ():
            changes += _rule(rule)
            settings += _harmless(rule)
        handlers = _table(interview, "FaceRecognitionEventHandler", is_kept=False)
        changes += _switches(handlers, "FaceRecognitionEventHandler", SWITCHES)
        changes += _switches(_table(interview, "LeSmartTrack"), "LeSmartTrack", ("Enable",))
        problems = [f"{evidence.question}: {evidence.problem}" for evidence in interview.evidence if evidence.problem]
        return Plan(tuple(changes), tuple(settings), tuple(problems))

    def change(self, web: Asker, change: Change) -> None:
        set_config(web, change.key, change.then)

    def read_back(self, web: Asker, change: Change) -> str:
        return ask_for(web, config_path(change.place)).values.get(f"table.{change.key}", "")

    def put_back(self, web: Asker, setting: Setting) -> bool:
        is_known = bool(_PLACE.fullmatch(setting.place)) and setting.kind in PUT_BACK and setting.key == "Enable"
        if not is_known or setting.value not in ("true", "false"):
            raise CameraRefused(
                f"{setting.kind[:60]} is nothing that a rollback puts back", remedy="a rollback sets lines, regions and things left alone"
            )
        rules = {rule.place: rule for rule in rules_in(ask_for(web, config_path("VideoAnalyseRule")))}
        rule = rules.get(setting.place)
        if rule is None or rule.fields.get("Type") != setting.kind or _is_touchy(rule):
            raise CameraRefused(f"{setting.place} is not {setting.kind} any more", remedy="set it on the device itself, where you want it")
        if rule.fields.get("Enable") == setting.value:
            return False
        set_config(web, f"{setting.place}.Enable", setting.value)
        return True


def _rule(rule: Rule) -> Iterator[Change]:
    if is_rule_of_faces(rule) and rule.is_on is Level.YES:
        what = f"{rule.place} {' '.join(rule.kinds)}"
        yield _change("VideoAnalyseRule", what, f"{rule.place}.Enable", rule.fields["Enable"], "false")
    for key, level in rule.tracking():
        if level is Level.YES:
            yield _change("VideoAnalyseRule", f"{rule.place} {key}", f"{rule.place}.{key}", rule.fields[key], "false")


def _harmless(rule: Rule) -> Iterator[Setting]:
    kind, value = rule.fields.get("Type", ""), rule.fields.get("Enable", "")
    if kind in PUT_BACK and value in ("true", "false") and not is_rule_of_faces(rule):
        yield Setting("dahua", rule.place, kind, "Enable", value)


def _is_touchy(rule: Rule) -> bool:
    """Whether switching it on would do something with faces, or let the camera follow somebody."""
    follows = any(level is not Level.NO for _, level in rule.tracking())
    return follows or any(is_of_faces(f"{key}={value}") for key, value in rule.fields.items() if key != "Name")


def _switches(answer: Answer[Lines], config: str, names: tuple[str, ...]) -> Iterator[Change]:
    for key, value in answer.value.values.items() if answer.value is not None else ():
        name = key.rpartition(".")[2]
        is_on = level_of(value) is Level.YES or (name.endswith("Mask") and value not in ("0", ""))
        if name in names and is_on:
            shown = key.removeprefix("table.")
            yield _change(config, shown, shown, value, "0" if name.endswith("Mask") else "false")


def _change(config: str, what: str, key: str, now: str, then: str) -> Change:
    return Change("dahua", what, config, key, now, then)


def _table(interview: Interview, name: str, *, is_kept: bool = True) -> Answer[Lines]:
    return interview.get(config_path(name), table(name), count=None if is_kept else _count)


def _count(lines: Lines) -> tuple[tuple[str, int], ...]:
    return (("lines", len(lines.values)),)


def _lines(web: Asker, action: str) -> dict[str, str]:
    """What `magicBox` says; nothing where it does not answer in lines. Raises `CameraUnreachable`."""
    reply = web.ask("GET", _MAGIC + action)
    if outcome_of(reply)[0] is not Outcome.ANSWERED:
        return {}
    try:
        return dict(read_lines(reply).values)
    except CameraError:
        return {}


def _disks(lines: Lines) -> Iterator[Storage]:
    places = dict.fromkeys(match[1] for key in lines.values if (match := re.match(r"(list\.info\[\d{1,3}\])\.", key)) is not None)
    for place in places:
        total = _number(lines.values.get(f"{place}.Detail[0].TotalBytes"))
        used = _number(lines.values.get(f"{place}.Detail[0].UsedBytes"))
        yield Storage(
            lines.values.get(f"{place}.Name", "")[:64],
            lines.values.get(f"{place}.State", "")[:64],
            total - used if total is not None and used is not None else None,
            total,
        )


def _number(text: str | None) -> int | None:
    whole = (text or "").partition(".")[0]
    return int(whole) if whole.isascii() and whole.isdigit() and len(whole) < 18 else None
