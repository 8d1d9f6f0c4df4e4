"""What a vendor's camera speaks beside ONVIF: the replies of the dialects' folders, and settings that can be changed.

`documents` has each reply by its question, as `replies/questions.txt` names it; what a client sets is written into them and read back.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import parse_qsl, unquote
from xml.sax.saxutils import escape

from lamppost.base.clock import format_utc
from lamppost.base.errors import ConfigError, UnreadableReply
from lamppost.cameras.dialects.replies import Variant, question_of
from lamppost.cameras.simulated import axis_settings, first_questions
from lamppost.cameras.simulated.event_streams import alert_stream, attached
from lamppost.cameras.simulated.first_questions import HIKVISION_SPACE as _SPACE
from lamppost.cameras.simulated.first_questions import LINES as _LINES
from lamppost.cameras.simulated.first_questions import XML as _XML
from lamppost.cameras.simulated.http_server import Answer, Request
from lamppost.cameras.simulated.machine import Machine
from lamppost.cameras.simulated.nodes import read
from lamppost.model.devices import Ability, DeviceIdentity

_BAD: Final = Answer(400, b"Error\r\nBad Request!\r\n", _LINES)
_KEY: Final = re.compile(r"([A-Za-z]\w{0,63})[\w.\[\]-]{0,191}")
_AXIS_INFO: Final = "POST /axis-cgi/basicdeviceinfo.cgi getAllProperties"
_MOST_LINES: Final = 2000
_PICTURE: Final = re.compile(r"/ISAPI/Streaming/channels/(?:1|101|102)/picture")
# Changes that a Hikvision camera takes up with its next start.
_AFTER_RESTART: Final = "/VCAResource"


@dataclass(slots=True)
class Documents:
    """The replies of one camera, changed by what is set."""

    replies: dict[str, tuple[bytes, str]]

    @classmethod
    def read(cls, vendor: str, variant: str) -> Documents:
        known = Variant.read(vendor, variant).replies
        return cls({question: (reply.content, reply.headers["content-type"]) for question, reply in known.items()})

    def text(self, question: str) -> str:
        return self.replies[question][0].decode()

    def set(self, question: str, text: str) -> None:
        self.replies[question] = (text.encode(), self.replies[question][1])

    def change(self, question: str, pattern: str, value: str) -> None:
        """Put `value` where the group of `pattern` matches, every time; nothing where the reply is missing."""
        text = self.text(question) if question in self.replies else ""
        for match in reversed(list(re.finditer(pattern, text))):
            text = f"{text[: match.start(1)]}{value}{text[match.end(1) :]}"
        if text:
            self.set(question, text)

    def answer(self, request: Request) -> Answer | None:
        try:
            question = question_of(request.method, request.target, request.content)
        except UnreadableReply:
            return _BAD
        found = self.replies.get(question)
        return None if found is None else Answer(200, *found)


def variant_of(most: Ability | None, *, is_armed: bool) -> str:
    """The folder of replies that fits what a camera is to be able to do; raises `ConfigError` where there is none."""
    if most is None:
        return "incapable"
    if most is not Ability.RECOGNISE:
        raise ConfigError(f"a camera of this vendor with {most} alone is not simulated", remedy="take the vendor onvif for it")
    return "armed" if is_armed else "off"


class HikvisionDevice:
    """ISAPI: documents that are put back changed."""

    def __init__(self, variant: str, identity: DeviceIdentity) -> None:
        self.documents = Documents.read("hikvision", variant)
        version, _, released = identity.firmware.partition(" ")
        said = {"serialNumber": identity.serial, "macAddress": identity.mac, "model": identity.model, "manufacturer": identity.vendor}
        for name, value in (said | {"firmwareVersion": version, "firmwareReleasedDate": released}).items():
            self.documents.change("GET /ISAPI/System/deviceInfo", f"<{name}>([^<]*)</{name}>", escape(value))

    def answer(self, machine: Machine, request: Request) -> Answer | None:
        if request.path == "/ISAPI/Event/notification/alertStream":
            return alert_stream(machine)
        if _PICTURE.fullmatch(request.path):
            return Answer(200, machine.snapshot(), "image/jpeg")
        if request.path == "/ISAPI/System/time":
            return _time(machine)
        if request.method == "PUT":
            return self._put(request)
        if request.path.startswith("/ISAPI/"):
            own = first_questions.hikvision(machine, request)
            return own or self.documents.answer(request) or self._status(request, 403, 4, "Invalid Operation", "notSupport")
        return None

    def _put(self, request: Request) -> Answer:
        question = f"GET {request.target}"
        if question not in self.documents.replies:
            return self._status(request, 403, 4, "Invalid Operation", "notSupport")
        try:
            given, known = read(request.content), read(self.documents.text(question).encode())
        except ValueError:
            return self._status(request, 400, 5, "Invalid XML Format", "badXmlFormat")
        if given.name != known.name:
            return self._status(request, 400, 6, "Invalid XML Content", "badXmlContent")
        self.documents.set(question, request.content.decode("utf-8", "replace"))
        if request.path.endswith(_AFTER_RESTART):
            return self._status(request, 200, 7, "Reboot Required", "rebootRequired")
        return self._status(request, 200, 1, "OK", "ok")

    @staticmethod
    def _status(request: Request, status: int, code: int, words: str, more: str) -> Answer:
        fields = {"requestURL": request.path, "statusCode": str(code), "statusString": words, "subStatusCode": more}
        body = "".join(f"<{name}>{escape(value)}</{name}>\n" for name, value in fields.items())
        whole = f'<?xml version="1.0" encoding="UTF-8"?>\n<ResponseStatus version="2.0" xmlns="{_SPACE}">\n{body}</ResponseStatus>\n'
        return Answer(status, whole.encode(), _XML)


def _time(machine: Machine) -> Answer:
    mode = "NTP" if machine.state.is_clock_by_ntp else "manual"
    now = format_utc(machine.device_us())[:19]
    fields = f"<timeMode>{mode}</timeMode>\n<localTime>{now}+00:00</localTime>\n<timeZone>{machine.state.time_zone}:00:00</timeZone>\n"
    return Answer(200, f'<?xml version="1.0" encoding="UTF-8"?>\n<Time version="2.0" xmlns="{_SPACE}">\n{fields}</Time>\n'.encode(), _XML)


class DahuaDevice:
    """CGI: tables of `key=value`, set one by one."""

    def __init__(self, variant: str, identity: DeviceIdentity) -> None:
        self.documents = Documents.read("dahua", variant)
        magic = "GET /cgi-bin/magicBox.cgi?action="
        self.documents.change(f"{magic}getSystemInfo", r"(?m)^serialNumber=(\S*)", identity.serial)
        self.documents.change(f"{magic}getSystemInfo", r"(?m)^deviceType=(\S*)", identity.model)
        self.documents.change(f"{magic}getDeviceType", r"(?m)^type=(\S*)", identity.model)
        version = identity.firmware.replace(", Build Date ", ",build:")
        self.documents.change(f"{magic}getSoftwareVersion", r"(?m)^version=([^\r\n]*)", version)
        motion = b"table.MotionDetect[0].Enable=true\r\ntable.MotionDetect[0].MotionDetectWindow[0].Sensitive=60\r\n"
        self.documents.replies.setdefault(self._table("MotionDetect"), (motion, _LINES))
        self._serial, self._vendor = identity.serial, identity.vendor

    def answer(self, machine: Machine, request: Request) -> Answer | None:
        if not request.path.startswith("/cgi-bin/"):
            return None
        query = request.target.partition("?")[2]
        if request.path == "/cgi-bin/snapshot.cgi":
            return Answer(200, machine.snapshot(), "image/jpeg")
        if request.path == "/cgi-bin/eventManager.cgi" and query.startswith("action=attach"):
            return attached(machine, query)
        if request.path == "/cgi-bin/configManager.cgi" and query.startswith("action=setConfig&"):
            return self._set(query.removeprefix("action=setConfig&"))
        first = first_questions.dahua(machine, request)
        if first is not None:
            return first
        own = self._own(machine, request.target)
        return Answer(200, f"{own}\r\n".encode(), _LINES) if own else self.documents.answer(request) or _BAD

    def _own(self, machine: Machine, target: str) -> str:
        """What is asked of every camera, and stands in no folder."""
        local = format_utc(machine.device_us())[:19].replace("T", " ")
        return {
            "/cgi-bin/magicBox.cgi?action=getSerialNo": f"sn={self._serial}",
            "/cgi-bin/magicBox.cgi?action=getMachineName": f"name={self._serial}",
            "/cgi-bin/magicBox.cgi?action=getDeviceClass": "class=IPC",
            "/cgi-bin/global.cgi?action=getCurrentTime": f"result={local}",
        }.get(target, "")

    def _set(self, query: str) -> Answer:
        wanted: dict[str, str] = {}
        for pair in query.split("&"):
            key, _, value = unquote(pair).partition("=")
            match = _KEY.fullmatch(key)
            if match is None or self._table(match[1]) not in self.documents.replies or not value.isprintable():
                return _BAD
            wanted[key] = value[:1024]
        for key, value in wanted.items():
            question = self._table(key.partition("[")[0].partition(".")[0])
            lines = self.documents.text(question).splitlines()
            places = [number for number, line in enumerate(lines) if line.startswith(f"table.{key}=")]
            if places:
                lines[places[0]] = f"table.{key}={value}"
            elif len(lines) < _MOST_LINES:
                lines.append(f"table.{key}={value}")
            self.documents.set(question, "\r\n".join(lines) + "\r\n")
        return Answer(200, b"OK\r\n", _LINES)

    @staticmethod
    def _table(name: str) -> str:
        return f"GET /cgi-bin/configManager.cgi?action=getConfig&name={name}"


class AxisDevice:
    """VAPIX: applications that are started and stopped, and who writes metadata."""

    def __init__(self, variant: str, identity: DeviceIdentity) -> None:
        self.documents = Documents.read("axis", variant)
        said = {"SerialNumber": identity.serial, "ProdNbr": identity.model, "Version": identity.firmware}
        for name, value in (said | {"ProdShortName": f"AXIS {identity.model}"}).items():
            self.documents.change(_AXIS_INFO, f'"{name}": "([^"]*)"', value)
        if _AXIS_INFO in self.documents.replies:
            known = json.loads(self.documents.text(_AXIS_INFO))
            known["data"]["propertyList"] = first_questions.axis_properties(identity) | known["data"]["propertyList"]
            self.documents.set(_AXIS_INFO, json.dumps(known, indent=1) + "\n")

    def answer(self, machine: Machine, request: Request) -> Answer | None:
        if not request.path.startswith("/axis-cgi/"):
            return None
        query = dict(parse_qsl(request.target.partition("?")[2]))
        if request.path == "/axis-cgi/jpg/image.cgi":
            return Answer(200, machine.snapshot(), "image/jpeg")
        if request.path == "/axis-cgi/applications/control.cgi":
            return axis_settings.control(self.documents.replies, query)
        if request.method == "POST" and b"setEnabledProducers" in request.content:
            return axis_settings.enable(self.documents.replies, request.content)
        if request.path == "/axis-cgi/applications/list.cgi":
            request = replace(request, method="GET", content=b"")  # it may be asked by POST as well
        if f"{request.method} {request.target}" not in self.documents.replies:
            own = first_questions.axis(machine, request)
            if own is not None:
                return own
        return self.documents.answer(request)


Device = HikvisionDevice | DahuaDevice | AxisDevice
DEVICES: Final[Mapping[str, Callable[[str, DeviceIdentity], Device]]] = {
    "hikvision": HikvisionDevice,
    "dahua": DahuaDevice,
    "axis": AxisDevice,
}
