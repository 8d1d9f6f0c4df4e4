"""What a vendor's own clients ask before anything else, and no audit does: it stands in no folder of replies, and is made here.

The words are those of the vendors' public documents: ISAPI, the HTTP API of Dahua, VAPIX.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qsl, unquote
from xml.sax.saxutils import escape

from lamppost.base.clock import US_PER_S, parse_utc
from lamppost.cameras.simulated.http_server import Answer, Request
from lamppost.cameras.simulated.machine import Machine
from lamppost.cameras.simulated.state import SPEED_PER_S
from lamppost.model.devices import DeviceIdentity

HIKVISION_SPACE: Final = "http://www.hikvision.com/ver20/XMLSchema"
LINES: Final = "text/plain;charset=utf-8"
XML: Final = 'application/xml; charset="UTF-8"'
_DONE: Final = Answer(200, b"OK\r\n", LINES)
_MOST_PTZ_S: Final = 60.0
_FASTEST: Final = 8
_TRIGGERS: Final = {"VMD-1": "VMD", "tamper-1": "shelteralarm", "IO-1": "IO", "diskerror": "diskerror"}
_WAYS: Final[Mapping[str, tuple[int, int, int]]] = {
    "Up": (0, 1, 0),
    "Down": (0, -1, 0),
    "Left": (-1, 0, 0),
    "Right": (1, 0, 0),
    "LeftUp": (-1, 1, 0),
    "RightUp": (1, 1, 0),
    "LeftDown": (-1, -1, 0),
    "RightDown": (1, -1, 0),
    "ZoomTele": (0, 0, 1),
    "ZoomWide": (0, 0, -1),
}
_APIS: Final = {
    "analytics-metadata-config": ("1.0", "Analytics Metadata Producer Configuration"),
    "api-discovery": ("1.0", "API Discovery Service"),
    "basic-device-info": ("1.3", "Basic Device Information"),
    "systemready": ("1.1", "Systemready"),
}


def hikvision(machine: Machine, request: Request) -> Answer | None:
    """ISAPI's streams and event triggers; None for anything else."""
    if request.method != "GET":
        return None
    channels = {str(100 + number): _channel(machine, number) for number in (1, 2)}
    documents = {
        "/ISAPI/Event/triggers": _element("EventTriggerList", "".join(_trigger(*one) for one in _TRIGGERS.items())),
        "/ISAPI/Streaming/channels": _element("StreamingChannelList", "".join(channels.values())),
        **{f"/ISAPI/Streaming/channels/{number}": channel for number, channel in channels.items()},
    }
    found = documents.get(request.path)
    if found is None:
        return None
    return Answer(200, f'<?xml version="1.0" encoding="UTF-8"?>\n{found}'.encode(), XML)


def _element(name: str, inner: str) -> str:
    return f'<{name} version="2.0" xmlns="{HIKVISION_SPACE}">\n{inner}</{name}>\n'


def _trigger(identity: str, kind: str) -> str:
    place = "inputIOPortID" if kind == "IO" else "videoInputChannelID"
    told = f"<EventTriggerNotification><id>{kind}</id><notificationMethod>center</notificationMethod></EventTriggerNotification>"
    known = f"<id>{identity}</id><eventType>{kind}</eventType><{place}>1</{place}>"
    return f"<EventTrigger>{known}<EventTriggerNotificationList>{told}</EventTriggerNotificationList></EventTrigger>\n"


def _channel(machine: Machine, number: int) -> str:
    shape = machine.streams[number - 1]
    codec = {"H264": "H.264", "H265": "H.265"}.get(shape.codec, shape.codec)
    fields = {
        "enabled": "true",
        "videoInputChannelID": "1",
        "videoCodecType": codec,
        "videoResolutionWidth": shape.width_px,
        "videoResolutionHeight": shape.height_px,
        "videoQualityControlType": "VBR",
        "vbrUpperCap": shape.kbit_per_s,
        "maxFrameRate": shape.fps * 100,
        "GovLength": shape.fps * shape.keyframe_interval_s,
    }
    video = "".join(f"<{name}>{escape(str(value))}</{name}>" for name, value in fields.items())
    transport = f"<Transport><rtspPortNo>{machine.rtsp_port}</rtspPortNo></Transport>"
    known = f"<id>{100 + number}</id><channelName>Camera 01</channelName><enabled>true</enabled>"
    return _element("StreamingChannel", f"{known}{transport}<Video>{video}</Video>")


def dahua(machine: Machine, request: Request) -> Answer | None:
    """Which events hold, the head, the clock, and the hardware's version; None for anything else."""
    path, _, asked = request.target.partition("?")
    query = {key: value for key, _, value in (pair.partition("=") for pair in unquote(asked).split("&"))}
    match path, query.get("action", ""):
        case "/cgi-bin/eventManager.cgi", "getEventIndexes":
            state = {"VideoMotion": machine.state.has_motion, "VideoBlind": machine.state.is_tampered}
            holds = state.get(query.get("code", ""), False)
            return Answer(200, b"channels[0]=0\r\n" if holds else b"Error: No Events\r\n", LINES)
        case "/cgi-bin/ptz.cgi", "start" | "stop" as action:
            return _turned(machine, action, query)
        case "/cgi-bin/global.cgi", "setCurrentTime":
            return _clock_set(machine, query.get("time", ""))
        case "/cgi-bin/magicBox.cgi", "getHardwareVersion":
            return Answer(200, f"version={machine.identity.hardware}\r\n".encode(), LINES)
        case _:
            return None


def _turned(machine: Machine, action: str, query: Mapping[str, str]) -> Answer | None:
    state, code, now_s = machine.state, query.get("code", ""), machine.now_s()
    if code in _WAYS and action == "stop":
        state.stop(now_s)
        return _DONE
    speed = query.get("arg2", "")
    if not (speed.isascii() and speed.isdigit()):
        return None
    if code in _WAYS:
        share = min(max(int(speed[:2]), 1), _FASTEST) / _FASTEST * SPEED_PER_S
        pan, tilt, zoom = (way * share for way in _WAYS[code])
        state.move(pan, tilt, zoom, _MOST_PTZ_S, now_s)
        return _DONE
    preset = state.presets.get(speed) if code == "GotoPreset" and action == "start" else None
    if preset is None:
        return None
    state.settle(now_s)
    state.go(preset.pan, preset.tilt, preset.zoom, now_s)
    return _DONE


def _clock_set(machine: Machine, when: str) -> Answer | None:
    try:
        wanted_us = parse_utc(f"{when.replace(' ', 'T', 1)}Z")
    except ValueError:
        return None
    machine.state.clock_offset_s = (wanted_us - machine.clock.wall_us()) / US_PER_S
    machine.state.is_clock_by_ntp = False
    return _DONE


def axis_device_info(identity: DeviceIdentity) -> dict[str, str]:
    """What `basicdeviceinfo.cgi` says beside what the folder of replies has."""
    return {
        "Architecture": "aarch64",
        "BuildDate": "Jan 17 2024 13:12",
        "ProdFullName": f"AXIS {identity.model} PTZ Network Camera",
        "ProdType": "PTZ Network Camera",
        "ProdVariant": "",
        "Soc": "Axis Artpec-8",
        "SocSerialNumber": "00000000-00000000",
        "WebURL": "http://www.axis.com",
    }


def axis(machine: Machine, request: Request) -> Answer | None:
    """VAPIX's list of its parts, and the parameters that say who the camera is; None for anything else."""
    if request.path == "/axis-cgi/apidiscovery.cgi" and request.method == "POST":
        return _apis(request.content)
    if request.path == "/axis-cgi/param.cgi":
        asked = request.content.decode("latin-1") if request.method == "POST" else request.target.partition("?")[2]
        query = dict(parse_qsl(asked))
        return _parameters(machine, query.get("group", "root")) if query.get("action") == "list" else None
    return None


def _apis(content: bytes) -> Answer:
    try:
        asked: Any = json.loads(content)
        method, context = str(asked["method"])[:64], str(asked.get("context", ""))[:256]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        method, context = "", ""
    told: dict[str, Any] = {"apiVersion": "1.0", "context": context, "method": method}
    if method == "getApiList":
        apis = [
            {"id": key, "version": version, "name": name, "docLink": "", "status": "official"} for key, (version, name) in _APIS.items()
        ]
        told["data"] = {"apiList": apis}
    elif method == "getSupportedVersions":
        told["data"] = {"apiVersions": ["1.0"]}
    else:
        told["error"] = {"code": 2004, "message": "Method not supported"}
    return Answer(200, json.dumps(told).encode(), "application/json")


def _parameters(machine: Machine, groups: str) -> Answer:
    identity, main = machine.identity, machine.streams[0]
    said = axis_device_info(identity)
    known = {
        "root.Brand.Brand": "AXIS",
        "root.Brand.ProdFullName": said["ProdFullName"],
        "root.Brand.ProdNbr": identity.model,
        "root.Brand.ProdShortName": f"AXIS {identity.model}",
        "root.Brand.ProdType": said["ProdType"],
        "root.Brand.WebURL": said["WebURL"],
        "root.Properties.API.HTTP.Version": "3",
        "root.Properties.API.Metadata.Metadata": "yes",
        "root.Properties.API.Metadata.Version": "1.0",
        "root.Properties.API.RTSP.Version": "2.01",
        "root.Properties.EmbeddedDevelopment.EmbeddedDevelopment": "yes",
        "root.Properties.EmbeddedDevelopment.Version": "2.16",
        "root.Properties.Firmware.BuildDate": said["BuildDate"],
        "root.Properties.Firmware.BuildNumber": "26",
        "root.Properties.Firmware.Version": identity.firmware,
        "root.Properties.Image.Format": "jpeg,mjpeg,h264",
        "root.Properties.Image.NbrOfViews": "1",
        "root.Properties.Image.Resolution": f"{main.width_px}x{main.height_px}",
        "root.Properties.PTZ.PTZ": "yes",
        "root.Properties.System.Architecture": said["Architecture"],
        "root.Properties.System.HardwareID": identity.hardware,
        "root.Properties.System.Language": "English",
        "root.Properties.System.SerialNumber": identity.serial,
        "root.Properties.System.Soc": said["Soc"],
    }
    lines: list[str] = []
    for group in groups.split(","):
        name = group if group.startswith("root") else f"root.{group}"
        found = [f"{key}={value}" for key, value in known.items() if key == name or key.startswith(f"{name}.")]
        lines += found or [f"# Error: Error -1 getting param in group '{name[:64]}'"]
    return Answer(200, ("\n".join(lines) + "\n").encode(), "text/plain")
