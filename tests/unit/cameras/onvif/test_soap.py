"""One password, offered once; and no reply that is more than an error of one camera."""

from __future__ import annotations

import logging
import time

import pytest

from lamppost.base.clock import US_PER_S
from lamppost.base.errors import CameraError, CameraRefused, CameraUnreachable, ConfigError, UnreadableReply
from lamppost.cameras.onvif.descriptions import Service
from lamppost.cameras.onvif.events import PullPoint
from lamppost.cameras.onvif.faults import SoapFault
from lamppost.cameras.onvif.reading import address, line, many, read
from lamppost.cameras.web import Reply
from lamppost.model.devices import Outcome
from onvif_devices import CLOCK, PASSWORD, Canned, TokenOnly, device, envelope, fault, reply, simulated

WHO = envelope("<tds:GetDeviceInformationResponse><tds:Manufacturer>Acme</tds:Manufacturer></tds:GetDeviceInformationResponse>")
UNAUTHORIZED = fault("NotAuthorized")
PAGE = b"<!DOCTYPE html><html><body>401 Unauthorized</body></html>"


def test_a_user_over_http_is_not_in_the_message_too() -> None:
    with simulated("onvif") as (camera, web):
        token_only = TokenOnly(web)
        assert device(token_only).identity().serial == camera.identity.serial
        assert token_only.tokens == []


@pytest.mark.parametrize("offset_s", [0.0, 86_400.0, -1_000_000.0])
def test_a_device_that_asks_for_nothing_gets_its_user_in_the_message_by_its_own_clock(offset_s: float) -> None:
    with simulated("onvif", username="") as (camera, web):
        camera.state.clock_offset_s = offset_s
        token_only = TokenOnly(web)
        asked = device(token_only)
        # Everybody is told its services, which says nothing of a password.
        assert asked.services()
        assert asked.identity().serial == camera.identity.serial
        assert len(asked.profiles()) == 2
        point = PullPoint(asked, CLOCK)
        point.open()
        assert point.pull(1.0)
        point.close()
        assert all(PASSWORD.encode() not in message and b"Z</" in message for message in token_only.tokens)


def test_listening_alone_gives_the_user_in_the_message_too() -> None:
    with simulated("onvif", username="") as (_, web):
        point = PullPoint(device(TokenOnly(web)), CLOCK)
        point.open()
        assert point.pull(1.0)


def test_a_clock_that_was_set_later_is_learned_again() -> None:
    with simulated("onvif", username="") as (camera, web):
        token_only = TokenOnly(web)
        asked = device(token_only)
        asked.identity()
        camera.state.clock_offset_s = 7200.0
        assert asked.identity().serial == camera.identity.serial
        # One that was refused is followed by one of the right time.
        assert len(asked.scopes()) > 1


def test_a_wrong_password_in_the_message_is_offered_once() -> None:
    with simulated("onvif", username="") as (_, web):
        token_only = TokenOnly(web)
        asked = device(token_only, password="wrong")
        for _ in range(3):
            with pytest.raises(CameraRefused):
                asked.identity()
            with pytest.raises(CameraRefused):
                PullPoint(asked, CLOCK).open()
        assert len(token_only.tokens) == 1


def test_a_wrong_password_is_offered_once_over_http_and_never_in_the_message() -> None:
    with simulated("onvif", password="wrong") as (camera, web):
        token_only = TokenOnly.__new__(TokenOnly)
        token_only.web, token_only.tokens = web, []
        asked = device(web, password="wrong")
        for _ in range(3):
            with pytest.raises(CameraRefused):
                asked.identity()
        assert [each.user for each in camera.requests] == ["", ""]  # unsigned, and signed wrongly
        with pytest.raises(CameraRefused):
            asked.relays()
        assert len(camera.requests) == 2


def test_listening_with_a_wrong_password_offers_it_once() -> None:
    with simulated("onvif", password="wrong") as (camera, web):
        for _ in range(3):
            asked = device(web, password="wrong")
            with pytest.raises(CameraRefused):
                PullPoint(asked, CLOCK).open()
        assert sum(each.operation == "tev:CreatePullPointSubscription" for each in camera.requests) <= 4


def test_without_a_user_nothing_is_offered() -> None:
    canned = Canned({"*": UNAUTHORIZED})
    asked = device(canned, username="", password="")
    with pytest.raises(CameraRefused):
        asked.identity()
    assert canned.operations == ["GetDeviceInformation"]


def test_a_question_that_is_not_for_this_user_does_not_take_the_others_away() -> None:
    canned = Canned({"GetDeviceInformation": WHO, "GetUsers": UNAUTHORIZED, "GetScopes": envelope("<tds:GetScopesResponse/>")})
    asked = device(canned)
    asked.identity()
    with pytest.raises(SoapFault) as refused:
        asked.set_password("admin", "new-plum-42")
    assert refused.value.is_refusal
    assert asked.scopes() == ()
    assert asked.identity().vendor == "Acme"


def test_one_that_refuses_everything_from_now_on_is_not_asked_without_an_end() -> None:
    answers: dict[str, Reply | bytes] = {"GetDeviceInformation": WHO}
    canned = Canned(answers)
    asked = device(canned)
    asked.identity()
    answers["*"] = answers["GetDeviceInformation"] = UNAUTHORIZED
    for _ in range(20):
        with pytest.raises(CameraError):
            asked.soap.call(Service.DEVICE, "GetDeviceInformation")
    signed = [content for _, _, content in canned.asked if b"UsernameToken" in content]
    assert 1 <= len(signed) <= 4


def test_a_device_without_a_clock_gets_a_token_of_our_own_time() -> None:
    def answer(content: bytes) -> Reply:
        return reply(WHO) if b"UsernameToken" in content else UNAUTHORIZED

    for no_clock in (fault("ActionNotSupported"), reply(PAGE, 404, "text/html"), envelope("<tds:GetSystemDateAndTimeResponse/>")):
        canned = Canned({"GetDeviceInformation": answer, "GetSystemDateAndTime": no_clock})
        assert device(canned).identity().vendor == "Acme"


@pytest.mark.parametrize("content", [PAGE, b"", b"Unauthorized", UNAUTHORIZED.content])
def test_401_is_a_refusal_whatever_page_comes_with_it(content: bytes) -> None:
    challenged = reply(content, 401, "text/html", www_authenticate='Digest realm="x", nonce="y"')
    canned = Canned({"GetDeviceInformation": challenged})
    asked = device(canned)
    with pytest.raises(CameraRefused):
        asked.identity()
    assert not any(b"UsernameToken" in content for _, _, content in canned.asked)
    assert device(canned).soap.ask(Service.DEVICE, "GetDeviceInformation").outcome is Outcome.REFUSED


HOSTILE = {
    "a page": (reply(PAGE, 200, "text/html"), Outcome.UNREADABLE),
    "a page as SOAP": (reply(b"<html><body/></html>"), Outcome.UNREADABLE),
    "nothing": (reply(b""), Outcome.EMPTY),
    "nothing, with a status": (reply(b"", 204), Outcome.EMPTY),
    "accepted": (reply(b"", 202), Outcome.EMPTY),
    "cut off": (reply(WHO[: len(WHO) // 2]), Outcome.UNREADABLE),
    "another answer": (reply(envelope("<tds:GetUsersResponse/>")), Outcome.UNREADABLE),
    "an empty envelope": (reply(envelope("")), Outcome.UNREADABLE),
    "no envelope": (reply(b"<tds:GetDeviceInformationResponse xmlns:tds='http://www.onvif.org/ver10/device/wsdl'/>"), Outcome.UNREADABLE),
    "another version of SOAP": (reply(WHO.replace(b"http://www.w3.org/2003/05/soap-envelope", b"urn:soap")), Outcome.UNREADABLE),
    "several parts": (reply(b"--x\r\n\r\n" + WHO + b"\r\n--x--", 200, "multipart/related"), Outcome.UNREADABLE),
    "somewhere else": (reply(b"", 302, location="http://192.0.2.1/"), Outcome.ABSENT),
    "somewhere else, with an answer": (reply(WHO, 301, location="http://192.0.2.1/"), Outcome.ABSENT),
    "not found": (reply(PAGE, 404, "text/html"), Outcome.ABSENT),
    "not found, with an answer": (reply(WHO, 404), Outcome.ABSENT),
    "an error": (reply(b"", 500), Outcome.FAILED),
    "an error, with an answer": (reply(WHO, 503), Outcome.FAILED),
    "forbidden": (reply(PAGE, 403, "text/html"), Outcome.REFUSED),
    "a fault": (fault("ActionNotSupported", 500, "Receiver"), Outcome.ABSENT),
    "a fault that says 200": (fault("ActionNotSupported", 200, "Receiver"), Outcome.ABSENT),
    "a fault of SOAP 1.1": (
        reply(envelope("<Fault><faultcode>x:Client</faultcode><faultstring>no such thing</faultstring></Fault>"), 500),
        Outcome.ABSENT,
    ),
    "an empty fault": (reply(envelope("<e:Fault/>"), 500), Outcome.ABSENT),
    "a fault without an end": (
        reply(envelope("<e:Fault>" + "<e:Code><e:Value>e:Sender</e:Value></e:Code>" * 3 + "</e:Fault>"), 500),
        Outcome.ABSENT,
    ),
    "entities": (reply(b'<!DOCTYPE a [<!ENTITY x "y">]>' + WHO), Outcome.UNREADABLE),
    "UTF-16 with a document type": (
        reply(('<?xml version="1.0" encoding="utf-16"?><!DOCTYPE a>' + WHO.decode()).encode("utf-16")),
        Outcome.UNREADABLE,
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", HOSTILE)
def test_what_is_no_answer_is_an_error_of_one_camera_and_an_outcome_of_an_audit(what: str) -> None:
    answer, outcome = HOSTILE[what]
    began_s = time.thread_time()
    with pytest.raises(CameraError) as failed:
        device(Canned({"GetDeviceInformation": answer})).identity()
    heard = device(Canned({"GetDeviceInformation": answer})).soap.ask(Service.DEVICE, "GetDeviceInformation")
    assert time.thread_time() - began_s < 3.0
    assert (heard.outcome, heard.value) == (outcome, None)
    assert heard.reply is not None
    assert len(failed.value.problem) < 300
    assert "\n" not in failed.value.problem


def test_a_fault_says_what_the_device_says_on_one_line_and_never_the_password() -> None:
    canned = Canned(
        {"GetScopes": fault("ter:Odd", text="first\nsecond " + "long " * 90), "GetUsers": fault("Odd", text=f"no {PASSWORD} here")}
    )
    with pytest.raises(SoapFault) as failed:
        device(canned).scopes()
    assert (failed.value.code, failed.value.subcode) == ("Sender", "Odd")
    assert failed.value.problem.startswith("the device refuses GetScopes: first second long")
    assert len(failed.value.problem) < 200
    with pytest.raises(SoapFault) as told:
        device(canned).soap.call(Service.DEVICE, "GetUsers")
    assert PASSWORD not in str(told.value)
    assert PASSWORD not in repr(told.value.args)


def test_nothing_of_an_answer_gets_into_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    spoiled = envelope(
        "<tds:GetSystemDateAndTimeResponse><tds:SystemDateAndTime><tt:DateTimeType>NTP</tt:DateTimeType><tt:DaylightSavings>Jane Example"
        "</tt:DaylightSavings><tt:UTCDateTime><tt:Time><tt:Hour>Jane Example</tt:Hour></tt:Time></tt:UTCDateTime></tds:SystemDateAndTime>"
        "</tds:GetSystemDateAndTimeResponse>"
    )
    asked = device(Canned({"GetSystemDateAndTime": spoiled}))
    assert asked.clock_offset_s() is None
    assert "Jane" not in caplog.text


def test_a_device_that_is_gone_stays_unreachable() -> None:
    def gone(content: bytes) -> Reply:
        raise CameraUnreachable("gone")

    with pytest.raises(CameraUnreachable):
        device(Canned({"*": gone})).identity()
    assert device(Canned({"*": gone})).soap.ask(Service.DEVICE, "GetScopes").outcome is Outcome.FAILED


def test_what_cannot_be_sent_is_the_callers_mistake_and_is_not_told_again() -> None:
    canned = Canned({})
    with pytest.raises(ConfigError) as wrong:
        device(canned).soap.call(Service.DEVICE, "SetUser", User=[{"Username": "admin", "Password": "plum\x00tin", "UserLevel": "User"}])
    assert "plum" not in f"{wrong.value!r}{wrong.value.__cause__!r}"
    assert canned.asked == []
    with pytest.raises(TypeError):
        device(canned).soap.call(Service.DEVICE, "GetScopes", NoSuchArgument=1)


def test_a_service_that_it_has_not_is_asked_nowhere() -> None:
    canned = Canned({})
    with pytest.raises(SoapFault):
        device(canned).soap.call(Service.PTZ, "GetNodes")
    assert canned.asked == []


def test_an_answer_of_nothing_but_numbers_is_read_in_time() -> None:
    scopes = "<tds:Scopes><tt:ScopeDef>Fixed</tt:ScopeDef><tt:ScopeItem>x</tt:ScopeItem></tds:Scopes>" * 6000
    canned = Canned({"GetScopes": envelope(f"<tds:GetScopesResponse>{scopes}</tds:GetScopesResponse>")})
    began_s = time.thread_time()
    assert len(device(canned).scopes()) == 256
    assert time.thread_time() - began_s < 5.0


@pytest.mark.parametrize(
    ("date", "expected_us"),
    [
        ((1970, 1, 1, 0, 0, 0), 0),
        ((2024, 2, 29, 23, 59, 60), 1_709_251_199 * US_PER_S),
        ((2024, 2, 30, 0, 0, 0), None),
        ((9999, 12, 31, 23, 59, 59), None),
        ((-5, 1, 1, 0, 0, 0), None),
        (("9" * 5000, 1, 1, 0, 0, 0), None),
    ],
)
def test_the_clock_of_a_device_is_read_or_not_known(date: tuple[object, ...], expected_us: int | None) -> None:
    year, month, day, hour, minute, second = date
    moment = (
        f"<tt:UTCDateTime><tt:Time><tt:Hour>{hour}</tt:Hour><tt:Minute>{minute}</tt:Minute><tt:Second>{second}</tt:Second></tt:Time>"
        f"<tt:Date><tt:Year>{year}</tt:Year><tt:Month>{month}</tt:Month><tt:Day>{day}</tt:Day></tt:Date></tt:UTCDateTime>"
    )
    said = f"<tds:SystemDateAndTime><tt:DateTimeType>NTP</tt:DateTimeType><tt:DaylightSavings>false</tt:DaylightSavings>{moment}</tds:SystemDateAndTime>"
    canned = Canned({"GetSystemDateAndTime": envelope(f"<tds:GetSystemDateAndTimeResponse>{said}</tds:GetSystemDateAndTimeResponse>")})
    try:
        found = device(canned).soap.device_time_us()
    except UnreadableReply:
        found = None
    assert found == expected_us


def test_values_are_taken_as_they_are_or_not_at_all() -> None:
    assert (line(None), line(object()), line("a\nb\u202ec "), line(12), line(10**5000), line("x" * 500, 8)) == (
        "",
        "",
        "a b c",
        "12",
        "",
        "x" * 8,
    )
    assert (many(None), many([1]), many((1, 2)), many("x")) == ([], [1], [1, 2], ["x"])
    assert read(object(), "Nothing", "below") is None
    assert (address(" http://x/a \n b"), address("x" * 3000), address("http://ö/"), address(7)) == ("http://x/ab", "", "", "")
