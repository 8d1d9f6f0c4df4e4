"""An interview keeps what was answered, hides what must not be kept, ends in time, and takes no silence for an answer."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping

import pytest

from lamppost.base.clock import ManualClock
from lamppost.base.errors import CameraError, CameraRefused, CameraUnreachable, UnreadableReply
from lamppost.cameras.audit import audit_device
from lamppost.cameras.dialects.evidence import MOST_KEPT_BYTES, redacted
from lamppost.cameras.dialects.interview import MOST_QUESTIONS, Interview, outcome_of
from lamppost.cameras.dialects.reading import read_lines, read_xml
from lamppost.cameras.dialects.replies import PlayedDevice, Variant, reply
from lamppost.cameras.dialects.words import EVERY, abilities_of
from lamppost.cameras.web import Reply
from lamppost.model.devices import Ability, DeviceIdentity, Level, Outcome, conclude


class Device:
    """Answers everything alike, and lets time pass."""

    def __init__(self, answer: Reply | CameraError, clock: ManualClock | None = None, takes_s: float = 0.0) -> None:
        self.answer = answer
        self.clock = clock
        self.takes_s = takes_s
        self.asked = 0
        self.timeouts: list[float] = []

    def ask(
        self, method: str, path: str, content: bytes = b"", headers: Mapping[str, str] | None = None, *, timeout_s: float | None = None
    ) -> Reply:
        self.asked += 1
        self.timeouts.append(timeout_s or 0.0)
        if self.clock is not None:
            self.clock.advance(min(self.takes_s, timeout_s or self.takes_s))
        if isinstance(self.answer, CameraError):
            raise self.answer
        return self.answer


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        *((status, Outcome.REFUSED) for status in (401, 403)),
        *((status, Outcome.ABSENT) for status in (300, 302, 400, 404, 405, 418, 501)),
        *((status, Outcome.FAILED) for status in (100, 500, 502, 503, 599)),
        *((status, Outcome.EMPTY) for status in (202, 204, 206)),
        (200, Outcome.ANSWERED),
    ],
)
def test_a_status_says_no_more_than_it_does(status: int, outcome: Outcome) -> None:
    assert outcome_of(reply(status, b"x=1\n", "text/plain"))[0] is outcome


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (CameraUnreachable("gone"), Outcome.FAILED),
        (CameraRefused("no"), Outcome.REFUSED),
        (UnreadableReply("what"), Outcome.UNREADABLE),
    ],
)
def test_an_error_is_an_outcome_and_unknown(error: CameraError, outcome: Outcome) -> None:
    interview = Interview(Device(error), ManualClock())
    answer = interview.get("/x", read_xml, about=(Ability.DETECT,), signs=(Ability.CAPTURE, Ability.DETECT))
    assert (answer.outcome, answer.value) == (outcome, None)
    assert [(finding.ability, finding.level) for finding in interview.findings] == [
        (Ability.DETECT, Level.UNKNOWN),
        (Ability.CAPTURE, Level.UNKNOWN),
    ]


def test_an_answer_that_says_nothing_of_what_it_is_about_is_unknown_and_a_sign_is_silent() -> None:
    interview = Interview(Device(reply(200, b"a=1\r\n", "text/plain")), ManualClock())
    interview.get("/x", read_lines, about=(Ability.RECOGNISE,), signs=EVERY)
    assert [(finding.ability, finding.level) for finding in interview.findings] == [(Ability.RECOGNISE, Level.UNKNOWN)]
    assert conclude(interview.findings, Ability.DETECT) is Level.UNKNOWN, "nothing was said of it"


def test_what_may_name_somebody_is_counted_and_not_kept() -> None:
    content = b"GroupList[0].groupName=Ada\r\n"
    interview = Interview(Device(reply(200, content, "text/plain")), ManualClock())
    interview.get("/x", read_lines, count=lambda lines: (("lines", len(lines.values)),))
    (evidence,) = interview.evidence
    assert evidence.content == b""
    assert evidence.counts == (("lines", 1),)
    assert (evidence.sha256, evidence.size_bytes) == (hashlib.sha256(content).hexdigest(), len(content))


@pytest.mark.parametrize("vendor", ["hikvision", "dahua", "axis"])
def test_no_evidence_of_an_audit_names_a_library_and_each_has_the_hash_of_the_answer(vendor: str) -> None:
    variant = Variant.read(vendor, "armed")
    audit = audit_device("plaza", PlayedDevice(variant), ManualClock(), identity=DeviceIdentity(vendor=vendor))
    hashes = {hashlib.sha256(answer.content).hexdigest() for answer in variant.replies.values()}
    assert any(b"invented list" in answer.content for answer in variant.replies.values()) or vendor == "axis"
    for evidence in audit.evidence:
        assert b"invented list" not in evidence.content
        assert evidence.outcome is not Outcome.ANSWERED or evidence.sha256 in hashes
    assert "invented list" not in repr(audit)


@pytest.mark.parametrize(
    ("answer", "gone"),
    [
        (b"<User><userName>admin</userName><password>hunter2</password></User>", (b"hunter2", b"admin")),
        (b"<ns:Password type='x'>hunter2</ns:Password>", (b"hunter2",)),
        (b"<FTP ftpPassword=\"hunter2\" host='a'/>", (b"hunter2",)),
        (b"table.FTP.Password=hunter2\r\ntable.FTP.UserName=bob\r\ntable.FTP.Port=21", (b"hunter2", b"bob")),
        (b'{"data": {"apiToken": "hunter2", "mqtt": {"password": "hun\\"ter2"}}}', (b"hunter2", b'hun\\"ter2')),
        (b"<url>rtsp://admin:hunter2@10.0.0.1/main</url>", (b"hunter2",)),
        (b"GroupList[0].groupName=Ada\r\nx.Candidates[0].Person.Name=Ada\r\n", (b"Ada",)),
        (b"<FDLib><FDID>77421</FDID></FDLib>", (b"77421",)),
        (b"<tt:SimpleItem Name='GroupName' Value='Ada'/><tt:SimpleItem Value=\"hunter2\" Name=\"Password\"/>", (b"Ada", b"hunter2")),
        (b"<password><![CDATA[hunter2]]></password>", (b"hunter2",)),
        (b'{"groupName": ["Ada", "Eve"], "port": 21}', (b"Ada", b"Eve")),
    ],
)
def test_secrets_and_names_are_taken_out_of_what_is_kept(answer: bytes, gone: tuple[bytes, ...]) -> None:
    kept = redacted(answer)
    assert not any(word in kept for word in gone)
    assert b"[taken out]" in kept or b"://10.0.0.1" in kept
    for harmless in (b"table.FTP.Port=21", b"host='a'", b"/main"):
        assert (harmless in answer) <= (harmless in kept)


@pytest.mark.parametrize(
    "answer",
    [
        b"<Wlan><wpaKey>geheim</wpaKey></Wlan>",
        b"table.Wlan[0].Key=geheim\n",
        b"table.Wlan.Network[0].Encryption.PSK=geheim\n",
        b'{"password": {"value": "geheim", "x": 1}}',
        b'<item name="password">geheim</item>',
        b'<x:parameter name="Admin.Password" type="string">geheim</x:parameter>',
    ],
)
def test_secrets_in_unusual_places_are_taken_out(answer: bytes) -> None:
    assert b"geheim" not in redacted(answer)


@pytest.mark.parametrize(
    "text",
    [
        b"candidate" * 22 + b"\n",
        b"candidate." * 12 + b"\n",
        b"<" + b"candidate" * 12,
        b" Name='pwd' ",
        b" Value='",
        b"<a name='pwd'>",
        b'"pwd":{',
        b"wlan.",
    ],
)
def test_secrets_are_taken_out_at_once_whatever_a_device_sends(text: bytes) -> None:
    began_s = time.process_time()
    redacted(text * (2 * MOST_KEPT_BYTES // len(text)))
    assert time.process_time() - began_s < 1.0


def test_what_is_harmless_stays_as_it_came() -> None:
    for variant in Variant.all("hikvision"):
        content = variant.replies.get("GET /ISAPI/Smart/capabilities")
        assert content is None or redacted(content.content) == content.content


def test_no_more_is_kept_than_there_is_room_for() -> None:
    content = b"<SmartCap>" + b"<a>x</a>" * 30_000 + b"</SmartCap>"
    interview = Interview(Device(reply(200, content, "text/xml")), ManualClock())
    interview.get("/x", read_xml)
    assert len(interview.evidence[0].content) == MOST_KEPT_BYTES
    assert interview.evidence[0].size_bytes == len(content)


def test_a_device_that_is_gone_is_not_asked_for_long() -> None:
    device = Device(CameraUnreachable("gone"))
    audit = audit_device("plaza", device, ManualClock(), identity=DeviceIdentity(vendor="Dahua"))
    assert device.asked == 3
    assert (audit.detect, audit.capture, audit.recognise) == (Level.UNKNOWN,) * 3


def test_a_device_that_takes_its_time_does_not_take_more_than_a_minute() -> None:
    clock = ManualClock()
    began_s = clock.monotonic_s()
    many = b"<VideoInputChannelList>" + b"".join(b"<VideoInputChannel><id>%d</id></VideoInputChannel>" % i for i in range(1, 33))
    device = Device(reply(200, many + b"</VideoInputChannelList>", "text/xml"), clock, takes_s=4.9)
    audit = audit_device("plaza", device, clock, identity=DeviceIdentity(vendor="HIKVISION"))
    assert clock.monotonic_s() - began_s <= 55
    assert max(device.timeouts) <= 5.0
    assert audit.recognise is Level.UNKNOWN


def test_an_audit_puts_so_many_questions_and_no_more() -> None:
    device = Device(reply(200, b"<A/>", "text/xml"))
    interview = Interview(device, ManualClock())
    for _ in range(MOST_QUESTIONS + 10):
        answer = interview.get("/x", read_xml, about=(Ability.DETECT,))
    assert device.asked == MOST_QUESTIONS
    assert answer.outcome is Outcome.FAILED


def test_nothing_that_a_device_says_breaks_a_line() -> None:
    interview = Interview(Device(UnreadableReply("a\r\nb\x1b[31m\u202ec")), ManualClock())
    interview.get("/x", read_xml, about=(Ability.DETECT,))
    texts = [interview.evidence[0].problem, interview.findings[0].because]
    assert all(text.isprintable() for text in texts)


@pytest.mark.parametrize(
    ("name", "most"),
    [
        *(
            (name, Ability.RECOGNISE)
            for name in ("FaceRecognition", "faceContrast", "isSupportFaceRecognizeMode", "FaceCompare", "FaceLib")
        ),
        *((name, Ability.CAPTURE) for name in ("facesnap", "FaceCapture", "FaceAnalysis", "isSupportCaptureFace", "FaceAttribute")),
        *((name, Ability.DETECT) for name in ("HumanFace", "isSupportFaceDetect", "FACE", "isFaceSupport")),
        *((name, None) for name in ("Interface", "networkInterfaces", "surface", "Typeface", "facets", "CrossLineDetection", "")),
    ],
)
def test_a_name_says_what_it_is_about(name: str, most: Ability | None) -> None:
    found = abilities_of(name)
    assert (found[-1] if found else None) is most
    assert found == EVERY[: len(found)]
