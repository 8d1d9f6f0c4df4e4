"""The vendors' dialects are served over HTTP as their replies stand, take changes, and are audited and disarmed as real ones."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Callable

import httpx
import pytest

from asked_camera import Asking, asking
from lamppost.base.clock import ManualClock, SystemClock
from lamppost.cameras.audit import audit_device
from lamppost.cameras.dialects.replies import Variant
from lamppost.cameras.simulated.camera import SimulatedCamera
from lamppost.cameras.simulated.nodes import read
from lamppost.model.devices import Ability, Audit, DeviceEvent, DeviceEventKind, DeviceIdentity, Level

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
        ("hikvision", "/ISAPI/Event/notification/alertStream", b"<eventType>alarmResult</eventType>"),
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


def part(camera: SimulatedCamera, path: str, sign: bytes, emit: Callable[[], None] = lambda: None) -> bytes:
    """What the vendor's own stream has sent when `sign` has come; `emit` is called once it has begun."""
    with asking(camera) as client, socket.create_connection((camera.address, camera.port), 5) as stream:
        client.web.get("/")
        answer = client.web._sign_in.answer("GET", path)
        stream.sendall(f"GET {path} HTTP/1.1\r\nHost: camera\r\nAuthorization: {answer}\r\n\r\n".encode())
        received = stream.recv(65_536)
        emit()
        while sign not in received:
            more = stream.recv(65_536)
            assert more
            received += more
        return received


def test_hikvision_tells_in_its_own_words() -> None:
    with SimulatedCamera("hikvision") as camera:
        motion = DeviceEvent(DeviceEventKind.MOTION, True, "", None)
        sent = part(camera, "/ISAPI/Event/notification/alertStream", b"</EventNotificationAlert>", lambda: camera.emit(motion))
        for sign in (b"<eventType>VMD</eventType>", b"<eventState>active</eventState>", b"<channelID>1</channelID>"):
            assert sign in sent
        assert b'xmlns="http://www.hikvision.com/ver20/XMLSchema"' in sent


def test_hikvision_says_what_it_streams_and_tells_of() -> None:
    with SimulatedCamera("hikvision") as camera, asking(camera) as client:
        streams = read(client.web.get("/ISAPI/Streaming/channels").content)
        shown = [(one.value("id"), one.value("videoResolutionWidth"), one.value("maxFrameRate")) for one in streams.own("StreamingChannel")]
        assert shown == [("101", "1280", "1500"), ("102", "640", "1000")]
        assert read(client.web.get("/ISAPI/Streaming/channels/102").content).value("videoResolutionHeight") == "360"
        for number in (1, 101, 102):
            assert client.web.get(f"/ISAPI/Streaming/channels/{number}/picture").content_type == "image/jpeg"
        kinds = {node.text for node in read(client.web.get("/ISAPI/Event/triggers").content).each("eventType")}
        assert kinds == {"VMD", "shelteralarm", "IO", "diskerror"}


def test_dahua_says_which_events_hold() -> None:
    asked = "/cgi-bin/eventManager.cgi?action=getEventIndexes&code="
    with SimulatedCamera("dahua") as camera, asking(camera) as client:
        assert client.web.get(f"{asked}VideoMotion").content == b"Error: No Events\r\n"
        camera.emit(DeviceEvent(DeviceEventKind.MOTION, True, "", None))
        assert client.web.get(f"{asked}VideoMotion").content == b"channels[0]=0\r\n"
        assert client.web.get(f"{asked}VideoBlind").content == b"Error: No Events\r\n"


def test_dahua_turns_goes_to_a_preset_and_sets_its_clock() -> None:
    clock = ManualClock()
    with SimulatedCamera("dahua", clock=clock) as camera, asking(camera) as client:

        def head(action: str, code: str, speed: str) -> int:
            return client.web.get(f"/cgi-bin/ptz.cgi?action={action}&channel=0&code={code}&arg1=0&arg2={speed}&arg3=0").status

        assert head("start", "RightUp", "8") == 200
        clock.advance(1)
        assert head("stop", "RightUp", "8") == 200
        assert (camera.state.pan, camera.state.tilt, camera.state.velocity) == (0.5, 0.5, (0, 0, 0))
        assert head("start", "GotoPreset", "1") == 200
        clock.advance(10)
        camera.state.settle(clock.monotonic_s())
        assert (camera.state.pan, camera.state.tilt) == pytest.approx((-0.5, 0.1))
        for wrong in (("start", "GotoPreset", "99"), ("start", "Dance", "1"), ("start", "Left", "x")):
            assert head(*wrong) == 400, wrong
        when = "/cgi-bin/global.cgi?action=setCurrentTime&time="
        assert client.web.get(f"{when}2026-11-30%2012:00:05").content == b"OK\r\n"
        assert client.web.get("/cgi-bin/global.cgi?action=getCurrentTime").content == b"result=2026-11-30 12:00:05\r\n"
        assert client.web.get(f"{when}tomorrow").status == 400


def test_axis_lists_its_parts_and_says_who_it_is() -> None:
    with SimulatedCamera("axis", number=7) as camera, asking(camera) as client:
        listed = client.web.ask("POST", "/axis-cgi/apidiscovery.cgi", b'{"method": "getApiList", "context": "mine"}')
        told = json.loads(listed.content)
        assert told["context"] == "mine"
        assert "basic-device-info" in {one["id"] for one in told["data"]["apiList"]}
        for wrong in (b"{", b"[]", b'{"method": "dance"}'):
            assert json.loads(client.web.ask("POST", "/axis-cgi/apidiscovery.cgi", wrong).content)["error"]["code"] == 2004
        asked = "action=list&group=root.Properties.System"
        lines = client.web.ask("POST", "/axis-cgi/param.cgi", asked.encode()).content
        assert f"root.Properties.System.SerialNumber={camera.identity.serial}\n".encode() in lines
        assert client.web.get(f"/axis-cgi/param.cgi?{asked}").content == lines
        assert client.web.get("/axis-cgi/param.cgi?action=list&group=Brand").content.startswith(b"root.Brand.Brand=AXIS\n")
        assert b"# Error" in client.web.get("/axis-cgi/param.cgi?action=list&group=root.Tea").content
        applications = client.web.get("/axis-cgi/applications/list.cgi").content
        assert client.web.ask("POST", "/axis-cgi/applications/list.cgi").content == applications


@pytest.mark.parametrize(("vendor", "path"), [("hikvision", "/ISAPI/System/deviceInfo"), ("onvif", "/snapshot.jpg")])
def test_a_head_is_answered_as_a_get_without_its_content(vendor: str, path: str) -> None:
    with SimulatedCamera(vendor) as camera, asking(camera) as client:
        whole = client.web.get(path)
        answer = client.web._sign_in.answer("HEAD", path)
        reply = httpx.head(f"{camera.base}{path}", headers={"Authorization": answer or ""})
        assert (reply.status_code, reply.headers["content-length"], reply.content) == (200, str(len(whole.content)), b"")
