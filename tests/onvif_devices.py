"""ONVIF devices for tests: simulated over loopback, answering by heart, and wanting their user in the message."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from lamppost.base.clock import SystemClock
from lamppost.base.errors import CameraError
from lamppost.cameras.dialects.dialect import Interview
from lamppost.cameras.onvif.analytics import OnvifAnalytics
from lamppost.cameras.onvif.device import OnvifDevice
from lamppost.cameras.onvif.events import PullPoint
from lamppost.cameras.onvif.imaging import Imaging
from lamppost.cameras.onvif.ptz import Ptz
from lamppost.cameras.simulated.camera import SimulatedCamera
from lamppost.cameras.simulated.markup import PREFIXES
from lamppost.cameras.web import DeviceAddress, DeviceWeb, Reply
from lamppost.model.networks import CameraNetworks

CLOCK = SystemClock()
PASSWORD = "plum-42-tin"
SOAP = "application/soap+xml"
_NOT_AUTHORIZED = (
    "<e:Fault><e:Code><e:Value>e:Sender</e:Value><e:Subcode><e:Value>ter:NotAuthorized</e:Value></e:Subcode></e:Code>"
    "<e:Reason><e:Text>Sender not authorized</e:Text></e:Reason></e:Fault>"
)


def envelope(body: str) -> bytes:
    """A message with `body` in it; `e` is SOAP 1.2's prefix, the others are ONVIF's usual ones."""
    declared = "".join(f' xmlns:{prefix}="{uri}"' for prefix, uri in PREFIXES.items() if prefix != "env")
    return f'<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"{declared}><e:Body>{body}</e:Body></e:Envelope>'.encode()


def reply(content: bytes, status: int = 200, content_type: str = SOAP, **headers: str) -> Reply:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(status, {"content-type": content_type, **named}, content)


def fault(subcode: str, status: int = 400, code: str = "Sender", text: str = "no") -> Reply:
    codes = f"<e:Code><e:Value>e:{code}</e:Value><e:Subcode><e:Value>ter:{subcode}</e:Value></e:Subcode></e:Code>"
    return reply(envelope(f"<e:Fault>{codes}<e:Reason><e:Text>{text}</e:Text></e:Reason></e:Fault>"), status)


def operation_of(content: bytes) -> str:
    """What a message asks for."""
    found = re.search(rb"Body[^>]*>\s*<(?:[\w-]+:)?(\w+)", content)
    assert found is not None, content
    return found[1].decode()


@dataclass
class Canned:
    """Answers by heart, whatever path is asked; what it does not know is a fault. `asked` has every message."""

    answers: Mapping[str, Reply | bytes | Callable[[bytes], Reply]]
    asked: list[tuple[str, str, bytes]] = field(default_factory=list)

    def ask(
        self, method: str, path: str, content: bytes = b"", headers: Mapping[str, str] | None = None, *, timeout_s: float | None = None
    ) -> Reply:
        assert (method, timeout_s is None or timeout_s > 0) == ("POST", True), headers
        operation = operation_of(content)
        self.asked.append((operation, path, content))
        answer = self.answers.get(operation, self.answers.get("*", fault("ActionNotSupported", 500, "Receiver")))
        if isinstance(answer, bytes):
            return reply(answer)
        return answer if isinstance(answer, Reply) else answer(content)

    @property
    def operations(self) -> list[str]:
        return [operation for operation, _, _ in self.asked]


@dataclass
class BareServer:
    """What somebody has written to show one stream: no users, no Media2, `who` to who it is, and a page for all else."""

    who: Reply
    encoding: str = "H264"

    def ask(self, method: str, path: str, content: bytes) -> Reply:
        operation = operation_of(content) if method == "POST" and path.startswith("/onvif/") else ""
        service = "<tds:Namespace>http://www.onvif.org/ver10/media/wsdl</tds:Namespace><tds:XAddr>/onvif/media</tds:XAddr>"
        encoder = f"<tt:VideoEncoderConfiguration><tt:Encoding>{self.encoding}</tt:Encoding></tt:VideoEncoderConfiguration>"
        video = f'<tt:Name>gate</tt:Name><tt:VideoSourceConfiguration token="v"/>{encoder if self.encoding else ""}'
        place = "<trt:MediaUri><tt:Uri>rtsp://0.0.0.0:8554/gate</tt:Uri></trt:MediaUri>"
        answers = {
            "GetServices": f"<tds:GetServicesResponse><tds:Service>{service}</tds:Service></tds:GetServicesResponse>",
            "GetProfiles": f'<trt:GetProfilesResponse><trt:Profiles token="gate">{video}</trt:Profiles></trt:GetProfilesResponse>',
            "GetStreamUri": f"<trt:GetStreamUriResponse>{place}</trt:GetStreamUriResponse>",
        }
        if operation == "GetDeviceInformation":
            return self.who
        return reply(envelope(answers[operation])) if operation in answers else reply(b"no such page", 404, "text/plain")


def device(posting: object, username: str = "admin", password: str = PASSWORD, host: str = "192.0.2.7") -> OnvifDevice:
    return OnvifDevice(posting, CLOCK, host, username=username, password=password)  # type: ignore[arg-type]


@dataclass
class Recording:
    """Asks `web`, and keeps the last answer to each operation."""

    web: DeviceWeb
    answers: dict[str, Reply] = field(default_factory=dict)

    def ask(
        self, method: str, path: str, content: bytes = b"", headers: Mapping[str, str] | None = None, *, timeout_s: float | None = None
    ) -> Reply:
        answer = self.web.ask(method, path, content, headers, timeout_s=timeout_s)
        self.answers[operation_of(content)] = answer
        return answer


class TokenOnly:
    """A device that asks for nothing over HTTP, and refuses who does not stand in the message."""

    def __init__(self, web: DeviceWeb) -> None:
        self.web = web
        self.tokens: list[bytes] = []

    def ask(
        self, method: str, path: str, content: bytes = b"", headers: Mapping[str, str] | None = None, *, timeout_s: float | None = None
    ) -> Reply:
        if b"UsernameToken" in content:
            self.tokens.append(content)
        answer = self.web.ask(method, path, content, headers, timeout_s=timeout_s)
        return reply(envelope(_NOT_AUTHORIZED), 400) if answer.status == 401 else answer


@contextmanager
def simulated(
    vendor: str, *, username: str = "admin", password: str = PASSWORD, **how: object
) -> Iterator[tuple[SimulatedCamera, DeviceWeb]]:
    """A simulated camera, and the way to it: signed with `password` over HTTP, unless `username` is empty."""
    with SimulatedCamera(vendor, password=PASSWORD, **how) as camera:  # type: ignore[arg-type]
        networks = CameraNetworks(["127.0.0.0/8"])
        with DeviceWeb(DeviceAddress.of(camera.url), networks, CLOCK, username=username, password=password if username else "") as web:
            yield camera, web


def every_question(device: OnvifDevice) -> Iterator[tuple[str, Callable[[], object]]]:
    """All that we ever ask of a device, by name; each may raise a `CameraError`."""
    yield "identity", device.identity
    yield "services", device.services
    yield "profiles", device.profiles
    yield "snapshot", lambda: device.snapshot_path("main")
    yield "clock", device.clock_offset_s
    yield "ntp", device.ntp
    yield "set ntp", lambda: device.set_ntp("192.0.2.1")
    yield "scopes", device.scopes
    yield "password", lambda: device.set_password("admin", PASSWORD)
    yield "relays", device.relays
    yield "relay", lambda: device.set_relay("RelayOutput_1", is_on=True)
    yield "events", lambda: _listened(device)
    yield "presets", lambda: Ptz(device, "main").presets()
    yield "go to", lambda: Ptz(device, "main").go_to("1")
    yield "save", lambda: Ptz(device, "main").save_preset("Bank")
    yield "remove", lambda: Ptz(device, "main").remove("2")
    yield "move", lambda: Ptz(device, "main").move(0.5, 0.0, 0.1, 0.5)
    yield "stop", lambda: Ptz(device, "main").stop()
    yield "status", lambda: Ptz(device, "main").status()
    yield "sources", lambda: Imaging(device).sources()
    yield "picture", lambda: Imaging(device).settings("VideoSource_1")
    yield "set picture", lambda: Imaging(device).set("VideoSource_1", brightness=60.0)
    yield "audit", lambda: _audited(device)


def _listened(device: OnvifDevice) -> object:
    point = PullPoint(device, CLOCK)
    point.open()
    events = point.pull(0.1)
    point.renew()
    point.close()
    return events


def _audited(device: OnvifDevice) -> object:
    return OnvifAnalytics(device, CLOCK).audit(Interview(device.soap._web, CLOCK))


def recorded(vendor: str) -> dict[str, Reply]:
    """The answer of a simulated camera to each operation that we know."""
    with simulated(vendor) as (camera, web):
        recording = Recording(web)
        for _, question in every_question(device(recording)):
            with suppress(CameraError):
                question()
        token = camera.profile_tokens[0]
        asked = Ptz(device(recording), token)
        for question in (asked.presets, asked.status, asked.stop, lambda: asked.save_preset("Bank"), lambda: asked.move(0.5, 0, 0, 0.1)):
            question()
        device(recording).snapshot_path(token)
        return recording.answers
