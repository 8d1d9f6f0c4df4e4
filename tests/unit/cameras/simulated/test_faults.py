"""A camera with a fault fails as it was told, and `DeviceWeb` comes through each within its time."""

from __future__ import annotations

import time

import pytest

from asked_camera import asking
from lamppost.base.errors import CameraError, CameraUnreachable, ConfigError, UnreadableReply
from lamppost.cameras.simulated.camera import SimulatedCamera
from lamppost.cameras.simulated.faults import Fault, FaultKind
from lamppost.cameras.simulated.nodes import read

_PATH = "/ISAPI/System/deviceInfo"


@pytest.mark.parametrize(
    ("fault", "status", "sign"),
    [
        ("error", 500, b""),
        ("error=503", 503, b""),
        ("refuse", 401, b""),
        ("empty", 200, b""),
        ("truncated", 200, b"<?xml"),
        ("unsupported", 404, b""),
        ("html", 200, b"<h1>"),
        ("redirect=http://192.0.2.1/", 302, b""),
        ("entities", 200, b"<!ENTITY"),
        ("external=file:///etc/passwd", 200, b"SYSTEM"),
        ("deep", 200, b"<a><a>"),
        ("content-type=image/png", 200, b"<DeviceInfo"),
    ],
)
def test_it_answers_wrongly(fault: str, status: int, sign: bytes) -> None:
    with SimulatedCamera("hikvision", fault=fault) as camera, asking(camera) as client:
        reply = client.web.get(_PATH)
        assert reply.status == status
        assert sign in reply.content
        camera.fault(None)
    with SimulatedCamera("hikvision", fault=fault) as camera:
        camera.fault(None)
        with asking(camera) as another:  # who was refused asks no more
            assert another.web.get(_PATH).status == 200, "healed"


@pytest.mark.parametrize(
    ("fault", "error"),
    [("timeout", CameraUnreachable), ("reset", CameraError), ("cut", CameraError), ("drip", CameraUnreachable), ("huge", UnreadableReply)],
)
def test_it_does_not_answer_and_nobody_waits_longer_than_he_wants(fault: str, error: type[CameraError]) -> None:
    begun_s = time.monotonic()
    with SimulatedCamera("hikvision", fault=f"{fault}@/ISAPI") as camera, asking(camera, timeout_s=0.5) as client:
        with pytest.raises(error):
            client.web.get(_PATH)
        with asking(camera) as other:
            other.ask("tds:GetDeviceInformation")  # elsewhere it is well
    assert time.monotonic() - begun_s < 3


def test_a_fault_strikes_one_operation() -> None:
    faults = ("unsupported@tan:GetRules", Fault(FaultKind.ERROR, "tds:GetNTP", "502"))
    with SimulatedCamera("onvif", fault=faults) as camera, asking(camera) as client:
        argument = "<tan:ConfigurationToken>AnalyticsConfig_1</tan:ConfigurationToken>"
        assert client.fault("tan:GetRules", argument) == (500, ["env:Receiver", "ter:ActionNotSupported"])
        assert client.post("tds:GetNTP").status == 502
        client.ask("tan:GetSupportedRules", argument)


def test_it_names_a_host_that_is_not_its_own() -> None:
    with SimulatedCamera("onvif", fault="foreign=169.254.169.254") as camera, asking(camera) as client:
        reply = client.post("tds:GetServices", "<tds:IncludeCapability>false</tds:IncludeCapability>")
        addresses = {node.text for node in read(reply.content).each("XAddr")}
        assert addresses
        assert all(address.startswith("http://169.254.169.254/") for address in addresses)


def test_what_is_no_fault_is_refused() -> None:
    with pytest.raises(ConfigError, match="sleepy"):
        SimulatedCamera("onvif", fault="sleepy")
