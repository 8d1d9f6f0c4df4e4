"""An address is asked what a device tells without a password, and what answers is read within limits; it is never signed in."""

from __future__ import annotations

import random
import select
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from discovered import HERE
from http_device import ScriptedDevice, Talk
from lamppost.cameras.knocking import Door, Knock, identity_in
from lamppost.cameras.simulated.camera import SimulatedCamera
from lamppost.model.devices import DeviceIdentity
from self_signed import Certificate

SOAP = '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:tds="http://www.onvif.org/ver10/device/wsdl"><s:Body>{}</s:Body></s:Envelope>'
WHO = SOAP.format(
    "<tds:GetDeviceInformationResponse><tds:Manufacturer>A &amp; B</tds:Manufacturer><tds:Model>X1</tds:Model>"
    "<tds:FirmwareVersion>1.2</tds:FirmwareVersion><tds:SerialNumber>S-7</tds:SerialNumber></tds:GetDeviceInformationResponse>"
).encode()


def knocked(address: str, port: int, *, asks_who: bool = False, is_secure: bool = False) -> Knock:
    """Knock, and wait until it is done."""
    knock = Knock(address, Door(port, is_secure), 0.0, asks_who=asks_who)
    end = knock.open()
    if end is None:
        return knock
    with end:
        for _ in range(200):
            readable, writable, _ = select.select([end], [] if knock.is_connected else [end], [], 5)
            assert readable or writable, "nothing comes"
            knock.go_on(end)
            if knock.is_done:
                return knock
    raise AssertionError("it never ends")


@contextmanager
def saying(content: bytes, tls: ssl.SSLContext | None = None) -> Iterator[ScriptedDevice]:
    def talk(one: Talk) -> None:
        one.request()
        one.say(content)

    with ScriptedDevice(talk, tls=tls) as device:
        yield device


def reply(status: int, body: bytes = b"", *headers: str) -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status} X", *headers]).encode() + b"\r\n\r\n" + body


@pytest.mark.parametrize(
    ("vendor", "said"),
    [
        ("onvif", DeviceIdentity()),
        ("dahua", DeviceIdentity(vendor="Dahua")),
        ("hikvision", DeviceIdentity(vendor="Hikvision")),
        ("axis", DeviceIdentity(vendor="AXIS", mac="b8:a4:4f:00:00:01")),
    ],
)
def test_devices_answer_and_say_their_maker_in_asking_for_a_password(vendor: str, said: DeviceIdentity) -> None:
    with SimulatedCamera(vendor, address=f"{HERE}.3") as camera:
        knock = knocked(camera.address, camera.port)
        assert (knock.has_answered, knock.is_alive) == (True, True)
        assert knock.device_url == camera.base
        assert knocked(camera.address, camera.port, asks_who=True).identity == said
        assert [(asked.operation, asked.user) for asked in camera.requests] == [
            ("tds:GetSystemDateAndTime", ""),
            ("tds:GetDeviceInformation", ""),
        ]


@pytest.mark.parametrize("newest", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_over_tls_the_same_is_asked_and_the_certificate_is_told(tmp_path: Path, newest: ssl.TLSVersion) -> None:
    certificate = Certificate(tmp_path)
    certificate.context.maximum_version = newest
    with SimulatedCamera("axis", address=f"{HERE}.3", tls=certificate.context) as camera:
        knock = knocked(camera.address, camera.port, asks_who=True, is_secure=True)
        assert (knock.has_answered, knock.identity.mac) == (True, "b8:a4:4f:00:00:01")
        assert (knock.device_url, knock.certificate_sha256) == (camera.base, certificate.sha256)
        assert [(asked.operation, asked.user) for asked in camera.requests] == [("tds:GetDeviceInformation", "")]


def test_a_long_answer_over_tls_is_read_and_one_without_an_end_is_not(tmp_path: Path) -> None:
    certificate = Certificate(tmp_path)
    for content, has_answered in ((reply(200, b" " * 12_000 + WHO), True), (reply(200, b"<a>" * 200_000), False)):
        with saying(content, tls=certificate.context) as device:
            assert knocked("127.0.0.1", device.port, asks_who=True, is_secure=True).has_answered is has_answered


@pytest.mark.parametrize("content", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x16\x03\x01\x00\x02\x02\x28", bytes(range(256)) * 400])
def test_what_is_no_tls_is_no_device(content: bytes) -> None:
    with ScriptedDevice(lambda talk: talk.say(content)) as device:
        knock = knocked("127.0.0.1", device.port, is_secure=True)
        assert (knock.has_answered, knock.is_alive, knock.certificate_sha256) == (False, True, "")


def test_who_shakes_hands_slowly_has_a_little_longer() -> None:
    knock = Knock("127.0.0.1", Door(443, is_secure=True), 10.0)
    assert knock.is_over(10.9), "nobody is there"
    knock.is_connected = True
    assert not knock.is_over(12.5)
    assert knock.is_over(13.1)


def test_who_says_it_all_unasked_is_read() -> None:
    said = DeviceIdentity(vendor="A & B", model="X1", firmware="1.2", serial="S-7")
    with saying(reply(200, WHO)) as device:
        knock = knocked("127.0.0.1", device.port, asks_who=True)
        assert (knock.has_answered, knock.identity) == (True, said)
        assert "authorization" not in device.asked[0].headers
    chunks = b"".join(b"%x;x=1\r\n%s\r\n" % (len(part), part) for part in (WHO[:150], WHO[150:151], WHO[151:])) + b"0\r\n\r\n"
    assert identity_in(reply(200, chunks, "Transfer-Encoding: chunked")) == said
    assert identity_in(reply(500, WHO)) == DeviceIdentity(), "a refusal says nothing"


@pytest.mark.parametrize(
    "content",
    [
        reply(200, b"<html>a printer</html>"),
        reply(401, b"", 'WWW-Authenticate: Basic realm="router"'),
        reply(404),
        reply(200, b'<pre>&lt;s:Envelope <GetSystemDateAndTime xmlns="http://www.onvif.org/ver10/device/wsdl"/></pre></s:Envelope>'),
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"\x00" * 40_000,
        b"",
    ],
)
def test_others_are_no_devices(content: bytes) -> None:
    with saying(content) as device:
        knock = knocked("127.0.0.1", device.port)
        assert (knock.has_answered, knock.is_alive) == (False, True)


def test_a_device_that_tells_nobody_the_time_is_one_by_its_words() -> None:
    with saying(reply(401, b"", 'www-authenticate: Digest realm="IP Camera(D2417)", nonce="1", qop="auth"')) as device:
        knock = knocked("127.0.0.1", device.port)
        assert (knock.has_answered, knock.identity.vendor) == (True, "Hikvision")
    fault = SOAP.format('<s:Fault xmlns:ter="http://www.onvif.org/ver10/error">no</s:Fault>').encode()
    with saying(reply(400, fault)) as device:
        assert knocked("127.0.0.1", device.port).has_answered, "a refusal is an answer"


def test_nobody_there_is_told_from_somebody_who_does_not_listen() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    knock = knocked("127.0.0.1", port)
    assert (knock.is_alive, knock.has_answered) == (True, False)
    assert Knock("127.0.0.1", Door(80), 10.0).is_over(10.9)
    assert not Knock("127.0.0.1", Door(80), 10.0).is_over(10.5)


def test_an_answer_that_never_ends_is_not_read_to_its_end() -> None:
    with saying(reply(200, b"<a>" * 200_000)) as device:
        knock = knocked("127.0.0.1", device.port)
        assert not knock.has_answered


def test_answers_that_were_changed_in_any_way_are_read_or_not() -> None:
    draw = random.Random(3)
    realm = reply(401, b"", 'WWW-Authenticate: Digest realm="AXIS_B8A44F000001", nonce="1", qop="auth"')
    for _ in range(600):
        content = bytearray(draw.choice((reply(200, WHO), reply(200, WHO, "Transfer-Encoding: chunked"), realm)))
        for _ in range(draw.randint(1, 6)):
            content[draw.randrange(len(content))] = draw.randrange(256)
        said = identity_in(bytes(content))
        for word in (said.vendor, said.model, said.firmware, said.serial, said.mac, said.hardware):
            assert len(word) <= 64
            assert word == "" or word.isprintable()
