"""The vendors' dialects are served over HTTP as their replies stand, take changes, and are audited and disarmed as real ones."""

from __future__ import annotations

import re
import socket

import pytest

from asked_camera import Asking, asking
from lamppost.base.clock import SystemClock
from lamppost.cameras.audit import audit_device
from lamppost.cameras.dialects.replies import Variant
from lamppost.cameras.simulated.camera import SimulatedCamera
from lamppost.model.devices import Ability, Audit, DeviceIdentity, Level

VENDORS = ("hikvision", "dahua", "axis")


def audited(client: Asking) -> Audit:
    return audit_device("cam", client.web, SystemClock(), identity=client.camera.identity)


@pytest.mark.parametrize("vendor", VENDORS)
def test_each_reply_comes_as_it_stands(vendor: str) -> None:
    with SimulatedCamera(vendor) as camera, asking(camera) as client:
        for question, reply in Variant.read(vendor, "armed").replies.items():
            method, path, *called = question.split(" ")
            content = f'{{"apiVersion": "1.0", "method": "{called[0]}"}}'.encode() if called else b""
            answer = client.web.ask(method, path, content)
            assert (answer.status, answer.content) == (200, reply.content) or camera.identity.serial.encode() in answer.content, question
            assert answer.headers["content-type"] == reply.headers["content-type"]


@pytest.mark.parametrize("vendor", VENDORS)
def test_it_says_who_it_is_in_both_languages(vendor: str) -> None:
    paths = {
        "hikvision": ("GET", "/ISAPI/System/deviceInfo", b""),
        "dahua": ("GET", "/cgi-bin/magicBox.cgi?action=getSystemInfo", b""),
        "axis": ("POST", "/axis-cgi/basicdeviceinfo.cgi", b'{"method": "getAllProperties"}'),
    }
    identity = DeviceIdentity("Other", "M<1>", "V1.2 build 7", "SER&IAL-9", "02:00:00:00:00:09", "1")
    with SimulatedCamera(vendor, number=77) as camera, asking(camera) as client:
        assert camera.identity.serial in client.web.ask(*paths[vendor]).content.decode()
        assert client.ask("tds:GetDeviceInformation").value("SerialNumber") == camera.identity.serial
        assert camera.identity.serial != SimulatedCamera(vendor, number=78).identity.serial
    with SimulatedCamera(vendor, identity=identity) as camera, asking(camera) as client:
        assert "IAL-9" in client.web.ask(*paths[vendor]).content.decode()


@pytest.mark.parametrize("vendor", VENDORS)
def test_an_armed_one_is_audited_as_armed_over_http(vendor: str) -> None:
    with SimulatedCamera(vendor) as camera, asking(camera) as client:
        audit = audited(client)
        assert (audit.recognise, audit.armament.is_armed) == (Level.YES, Level.YES)
    with SimulatedCamera(vendor, is_armed=False) as camera, asking(camera) as client:
        audit = audited(client)
        assert (audit.recognise, audit.armament.is_armed) == (Level.YES, Level.NO)
    with SimulatedCamera(vendor, most=None) as camera, asking(camera) as client:
        assert audited(client).level(Ability.RECOGNISE) is not Level.YES


def test_hikvision_takes_a_document_and_gives_it_back() -> None:
    path = "/ISAPI/System/Video/inputs/channels/1/VCAResource"
    with SimulatedCamera("hikvision") as camera, asking(camera) as client:
        document = client.web.get(path).content.replace(b"faceContrast", b"smart")
        answer = client.web.ask("PUT", path, document)
        assert b"<statusCode>7</statusCode>" in answer.content
        assert client.web.get(path).content == document
        assert client.web.ask("PUT", path, b"<Tea/>").status == 400
        assert client.web.ask("PUT", path, b"<VCAResource>").status == 400
        assert client.web.ask("PUT", "/ISAPI/Never", document).status == 403
        assert b"notSupport" in client.web.get("/ISAPI/Never").content


def test_dahua_sets_one_key_and_leaves_the_others() -> None:
    table = "/cgi-bin/configManager.cgi?action=getConfig&name=VideoAnalyseRule"
    setting = "/cgi-bin/configManager.cgi?action=setConfig&"
    with SimulatedCamera("dahua") as camera, asking(camera) as client:
        before = client.web.get(table).content.decode().split()
        assert client.web.get(f"{setting}VideoAnalyseRule[0][0].Enable=false").content == b"OK\r\n"
        after = client.web.get(table).content.decode().split()
        assert [(old, new) for old, new in zip(before, after, strict=True) if old != new] == [
            ("table.VideoAnalyseRule[0][0].Enable=true", "table.VideoAnalyseRule[0][0].Enable=false")
        ]
        assert client.web.get(f"{setting}VideoAnalyseRule%5B0%5D%5B1%5D.Enable=false").status == 200
        for wrong in ("Tea.Enable=true", "VideoAnalyseRule[0][0].Enable=a%0Atable.b=c", "=", ""):
            assert client.web.get(setting + wrong).status == 400, wrong
        assert client.web.get("/cgi-bin/magicBox.cgi?action=getSerialNo").content == f"sn={camera.identity.serial}\r\n".encode()


def test_axis_stops_an_application() -> None:
    with SimulatedCamera("axis") as camera, asking(camera) as client:

        def ask(action: str, package: str) -> bytes:
            return client.web.get(f"/axis-cgi/applications/control.cgi?action={action}&package={package}").content

        assert ask("stop", "facerecognition") == b"OK\n"
        assert ask("stop", "facerecognition") == b"Error: 7\n"
        assert ask("stop", "nothing") == b"Error: 4\n"
        listed = client.web.get("/axis-cgi/applications/list.cgi").content.decode()
        assert dict(re.findall(r'Name="(\w+)" Nice.*Status="(\w+)"', listed)) == {
            "vmd": "Running",
            "objectanalytics": "Running",
            "facerecognition": "Stopped",
            "ptzautotracking": "Running",
        }


@pytest.mark.parametrize(
    ("vendor", "path", "sign"),
    [
        ("dahua", "/cgi-bin/eventManager.cgi?action=attach&codes=[FaceRecognition]", b"Code=FaceRecognition;action=Pulse"),
        ("hikvision", "/ISAPI/Event/notification/alertStream", b"<eventType>FaceRecognition</eventType>"),
    ],
)
def test_the_vendors_own_stream_carries_faces_to_whoever_asks(vendor: str, path: str, sign: bytes) -> None:
    with SimulatedCamera(vendor) as camera, asking(camera) as client:
        client.web.get("/")  # learns what to answer
        answer = client.web._sign_in.answer("GET", path)
        with socket.create_connection((camera.address, camera.port), 5) as stream:
            stream.sendall(f"GET {path} HTTP/1.1\r\nHost: camera\r\nAuthorization: {answer}\r\n\r\n".encode())
            received = stream.recv(65_536)
            assert b" 200 " in received
            camera.emit("face")
            while sign not in received:
                more = stream.recv(65_536)
                assert more
                received += more
