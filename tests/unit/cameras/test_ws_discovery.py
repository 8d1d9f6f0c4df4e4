"""What a device says of itself is read within limits: where its answer came from counts, and printers do not."""

from __future__ import annotations

import random
from dataclasses import astuple
from ipaddress import ip_address
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from discovered import SCOPES, answer, match
from lamppost.base.errors import UnreadableReply
from lamppost.cameras import ws_discovery
from lamppost.cameras.onvif import xml
from lamppost.cameras.ws_discovery import MOST_ANSWERED, name_of, read_answer
from lamppost.model.devices import DeviceIdentity

SENDER = "10.20.0.7"


def identity(*scopes: str, endpoint: str = "urn:uuid:1") -> DeviceIdentity:
    (device,) = read_answer(answer(match(scopes=scopes, endpoint=endpoint)), SENDER)
    return device.identity


def device_url(xaddrs: str, sender: str = SENDER) -> str:
    (device,) = read_answer(answer(match(xaddrs)), sender)
    return device.device_url


def test_a_call_is_for_video_and_for_onvif_and_has_a_number_of_its_own() -> None:
    for call, kind in zip(ws_discovery.probes(("one", "two")), ("NetworkVideoTransmitter", "Device"), strict=True):
        root = xml.parse(call)
        assert xml.text_of(next(xml.named(root, "Types"))).rpartition(":")[2] == kind
        assert xml.text_of(next(xml.named(root, "MessageID"))) in ("urn:uuid:one", "urn:uuid:two")
        assert b"Security" not in call


@pytest.mark.parametrize(
    ("xaddrs", "url"),
    [
        ("http://10.20.0.7/onvif/device_service", "http://10.20.0.7"),
        ("http://10.20.0.7:80/onvif/device_service", "http://10.20.0.7"),
        ("http://10.20.0.7:8000/onvif/device_service", "http://10.20.0.7:8000"),
        ("https://10.20.0.7:443/onvif/device_service", "https://10.20.0.7"),
        ("http://192.168.1.2/onvif http://10.20.0.7:85/onvif", "http://10.20.0.7:85"),
        ("http://169.254.169.254/latest", "http://10.20.0.7"),
        ("http://camera.local:8080/onvif/device_service", "http://10.20.0.7:8080"),
        ("http://user:secret@10.20.0.9:81/onvif", "http://10.20.0.7:81"),
        ("ftp://10.20.0.7:21/ rtsp://10.20.0.7/main", "http://10.20.0.7"),
        ("http://10.20.0.7:99999/ http://[bad/ http://10.20.0.7:0/", "http://10.20.0.7"),
        ("", "http://10.20.0.7"),
    ],
)
def test_a_device_is_where_its_answer_came_from(xaddrs: str, url: str) -> None:
    assert device_url(xaddrs) == url


def test_an_ipv6_sender_is_written_as_one() -> None:
    assert device_url("http://[fd00::7]:81/onvif", "fd00::7") == "http://[fd00::7]:81"


def test_printers_and_others_are_no_cameras() -> None:
    printer = match(types="wsdp:Device wprt:PrintDeviceType", scopes=("ldap:///ou=floor",))
    assert read_answer(answer(printer), SENDER) == ()
    assert len(read_answer(answer(printer, match(types="tds:Device")), SENDER)) == 1, "by its scopes"
    assert len(read_answer(answer(match(types="x:NetworkVideoTransmitter", scopes=())), SENDER)) == 1, "by its type"


@pytest.mark.parametrize(
    ("types", "scopes", "xaddrs", "is_found"),
    [
        ("tds:Device", (), f"http://{SENDER}:8080/", True),
        ("Device", (), f"http://{SENDER}/onvif/device_service", True),
        ("", (), f"http://{SENDER}/onvif/device_service", True),
        ("wsdp:Device", (), f"http://{SENDER}/wsd/scan", False),
        ("", (), "", False),
    ],
)
def test_a_server_that_leaves_out_scopes_or_types_is_found_by_the_rest(
    types: str, scopes: tuple[str, ...], xaddrs: str, is_found: bool
) -> None:
    declared = match(xaddrs, types=types, scopes=scopes).replace(
        "<d:Types>",
        '<d:Types xmlns:tds="http://www.onvif.org/ver10/device/wsdl" xmlns:wsdp="http://schemas.xmlsoap.org/ws/2006/02/devprof">',
    )
    assert bool(read_answer(answer(declared), SENDER)) is is_found


def test_a_name_with_a_blank_in_it_stays_whole() -> None:
    scopes = ("onvif://www.onvif.org/name/Virtual Camera  2", "onvif://www.onvif.org/hardware/V1")
    (device,) = read_answer(answer(match(scopes=scopes)), SENDER)
    assert name_of(device) == "Virtual Camera 2"
    assert device.identity.model == "V1"
    (stray,) = read_answer(answer(match(scopes=("stray words", *scopes))), SENDER)
    assert name_of(stray) == "Virtual Camera 2"


def test_what_it_calls_itself_is_read_from_its_scopes() -> None:
    said = identity(
        "onvif://www.onvif.org/name/HIKVISION%20DS-2CD",
        "onvif://www.onvif.org/hardware/DS-2CD2042",
        "onvif://www.onvif.org/MAC/44-19-B6-00-00-01",
    )
    assert (said.vendor, said.model, said.mac) == ("HIKVISION", "DS-2CD2042", "44:19:b6:00:00:01")
    assert identity("onvif://www.onvif.org/manufacturer/Acme", "onvif://www.onvif.org/hardware/Acme X1").vendor == "Acme"
    assert identity("onvif://www.onvif.org/name/Praxis%20Nord").vendor == "", "a name within a word is nobody's"
    assert identity(endpoint="urn:uuid:00000000-0000-0000-0000-3cef8c000001").vendor == "Dahua"
    assert identity(endpoint="urn:uuid:00000000-0000-0000-0000-123456000001").mac == "", "any other number may be no MAC"


def test_what_is_shown_has_no_control_characters_and_is_short() -> None:
    (device,) = read_answer(answer(match(scopes=("onvif://www.onvif.org/name/%1B%5B31m%E2%80%AEgate%00" + "x" * 500,))), SENDER)
    assert name_of(device).isprintable()
    assert len(name_of(device)) == 64


def test_one_answer_has_few_devices_and_few_scopes() -> None:
    many = [match(f"http://{SENDER}:{port}/", endpoint=f"urn:uuid:{port}") for port in range(1, 200)]
    assert len(read_answer(answer(*many), SENDER)) == MOST_ANSWERED
    (device,) = read_answer(answer(match(scopes=[f"onvif://www.onvif.org/x/{n}" for n in range(200)])), SENDER)
    assert len(device.scopes) <= 64


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"GET / HTTP/1.1\r\n\r\n",
        answer(match())[:-20],
        answer(match(), before='<!DOCTYPE x [<!ENTITY e "camera">]>'),
        answer(match(), before='<!DOCTYPE x SYSTEM "http://10.0.0.1/x.dtd">'),
        answer(match(endpoint="urn:&e;")).replace(b"&amp;", b"&"),
        b"<a>" * 200 + b"</a>" * 200,
        b"<r>" + b"<a/>" * 16_000 + b"</r>",
        b"<Envelope><Body><Hello/></Body></Envelope>",
        b"\xff\xfe" + b"\x00" * 65_000,
    ],
)
def test_what_is_no_answer_is_refused(content: bytes) -> None:
    with pytest.raises(UnreadableReply):
        read_answer(content, SENDER)


def _check(content: bytes) -> None:
    try:
        devices = read_answer(content, SENDER)
    except UnreadableReply:
        return
    assert len(devices) <= MOST_ANSWERED
    for device in devices:
        parts = urlsplit(device.device_url)
        assert ip_address(parts.hostname or "") == ip_address(SENDER)
        assert parts.scheme in ("http", "https")
        assert parts.username is None
        assert parts.port != 0
        for word in (*astuple(device.identity), name_of(device)):
            assert len(word) <= 64
            assert word == "" or word.isprintable()


def _mutated(draw: random.Random) -> bytes:
    content = bytearray(answer(match(f"http://{SENDER}:81/x http://10.1.1.1/", scopes=SCOPES), match()))
    for _ in range(draw.randint(1, 8)):
        at = draw.randrange(len(content))
        match draw.randrange(4):
            case 0:
                content[at] = draw.randrange(256)
            case 1:
                del content[at : at + draw.randint(1, 40)]
            case 2:
                content[at:at] = content[at : at + draw.randint(1, 200)]
            case _:
                content[at:at] = draw.choice((b"<", b"&#0;", b"%00", b"]]>", b"\xc3", b"http://[", b":99999", b"urn:", b"%E2%80%AE"))
    return bytes(content)


def test_answers_that_were_changed_in_any_way_are_read_or_refused() -> None:
    draw = random.Random(7)
    for _ in range(500):
        _check(_mutated(draw))


@pytest.mark.long
def test_ten_thousand_answers_that_were_changed_are_read_or_refused() -> None:
    draw = random.Random(8)
    for _ in range(10_000):
        _check(_mutated(draw))


@given(st.lists(st.text(max_size=60), max_size=6), st.text(max_size=80), st.text(max_size=40))
def test_whatever_a_device_says_in_well_formed_words_is_read(scopes: list[str], xaddrs: str, endpoint: str) -> None:
    _check(answer(match(xaddrs, scopes=[f"onvif://www.onvif.org/name/{scope}" for scope in scopes], endpoint=endpoint)))
