"""Only what is on the list gets in, and of all else not a byte is read, kept or told."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lamppost.base.clock import US_PER_S, ManualClock
from lamppost.base.errors import CameraError, UnreadableReply
from lamppost.cameras.onvif.events import PullPoint
from lamppost.cameras.onvif.faults import SoapFault
from lamppost.cameras.onvif.notices import KINDS, MOST_MESSAGES, let_in
from lamppost.cameras.simulated.notifications import UNWANTED
from lamppost.cameras.web import Reply
from lamppost.model.devices import DeviceEvent, DeviceEventKind
from onvif_devices import CLOCK, Canned, device, envelope, fault, reply, simulated

VENDORS = ("onvif", "onvif-s", "dahua", "hikvision", "axis")
SERVICES = envelope(
    "<tds:GetServicesResponse><tds:Service><tds:Namespace>http://www.onvif.org/ver10/events/wsdl</tds:Namespace>"
    "<tds:XAddr>http://10.0.0.5/onvif/events</tds:XAddr></tds:Service></tds:GetServicesResponse>"
)
CREATED = envelope(
    '<tev:CreatePullPointSubscriptionResponse><tev:SubscriptionReference><wsa:Address xmlns:wsa="http://www.w3.org/2005/08/addressing">'
    'http://10.0.0.5:8080/onvif/sub?Idx=7&amp;x=1</wsa:Address><wsa:ReferenceParameters xmlns:wsa="http://www.w3.org/2005/08/addressing">'
    '<d:Id xmlns:d="urn:d">42</d:Id></wsa:ReferenceParameters></tev:SubscriptionReference></tev:CreatePullPointSubscriptionResponse>'
)
MARK = "Jane Example"


def message(topic: str, body: str = "", source: str = "", data: str = "") -> str:
    told = body or (
        f'<tt:Message UtcTime="2024-05-01T10:00:00Z" PropertyOperation="Changed"><tt:Source>{source}</tt:Source>'
        f"<tt:Data>{data}</tt:Data></tt:Message>"
    )
    return (
        f'<wsnt:NotificationMessage><wsnt:Topic Dialect="http://www.onvif.org/ver10/tev/topicExpression/ConcreteSet">{topic}</wsnt:Topic>'
        f"<wsnt:Message>{told}</wsnt:Message></wsnt:NotificationMessage>"
    )


def item(name: str, value: str) -> str:
    return f'<tt:SimpleItem Name="{name}" Value="{value}"/>'


def pulled(*messages: str) -> bytes:
    return envelope(
        f"<tev:PullMessagesResponse><tev:CurrentTime>2024-05-01T10:00:00Z</tev:CurrentTime>{''.join(messages)}</tev:PullMessagesResponse>"
    )


MOTION = message("tns1:VideoSource/MotionAlarm", source=item("Source", "VideoSource_1"), data=item("State", "true"))
MOVED = DeviceEvent(DeviceEventKind.MOTION, True, "VideoSource_1", 1_714_557_600 * US_PER_S)


@pytest.mark.parametrize("vendor", VENDORS)
def test_events_of_every_vendor_get_in_and_those_of_persons_do_not(vendor: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with simulated(vendor) as (camera, web):
        point = PullPoint(device(web), CLOCK)
        point.open()
        first = point.pull(1.0)  # what holds at this moment
        assert {event.kind for event in first} >= {DeviceEventKind.MOTION, DeviceEventKind.INPUT, DeviceEventKind.OUTPUT}
        for unwanted in UNWANTED:
            camera.emit(unwanted)
        for kind in DeviceEventKind:
            camera.emit(DeviceEvent(kind, True, "", None))
        found: list[DeviceEvent] = []
        while len(found) < len(DeviceEventKind):
            found += point.pull(2.0)
        assert {(event.kind, event.is_active) for event in found} == {(kind, True) for kind in DeviceEventKind}
        point.renew()
        point.close()
        assert MARK not in f"{found}{caplog.text}"
        with pytest.raises(CameraError):
            point.pull(1.0)


def test_a_device_that_cannot_choose_is_listened_to_all_the_same_and_the_rest_is_dropped() -> None:
    def create(content: bytes) -> Reply:
        return fault("InvalidFilterFault") if b"Filter" in content else reply(CREATED)

    canned = Canned(
        {"GetServices": SERVICES, "CreatePullPointSubscription": create, "PullMessages": pulled(message(UNWANTED["face"].topic), MOTION)}
    )
    point = PullPoint(device(canned), CLOCK)
    point.open()
    assert point.pull(1.0) == (MOVED,)
    assert point.dropped == 1


def test_only_the_path_of_a_subscription_is_believed_and_its_parameters_are_said_again() -> None:
    canned = Canned({"GetServices": SERVICES, "CreatePullPointSubscription": CREATED, "PullMessages": pulled()})
    point = PullPoint(device(canned), CLOCK)
    point.open()
    assert point.pull(1.0) == ()
    operation, path, content = canned.asked[-1]
    assert (operation, path) == ("PullMessages", "/onvif/sub?Idx=7&x=1")
    assert b'<d:Id xmlns:d="urn:d"' in content
    # Nobody is connected to there: it is what the device calls its subscription.
    assert re.findall(rb"<[^>]*>[^<]*10\.0\.0\.5[^<]*<", content) == [b"<wsa:To>http://10.0.0.5:8080/onvif/sub?Idx=7&amp;x=1<"]


@pytest.mark.parametrize("address", ["", "   ", "urn:nothing", "http://10.0.0.5//evil/x", "x" * 9000, "http://[::1"])
def test_a_subscription_without_a_usable_address_is_at_the_service(address: str) -> None:
    created = CREATED.replace(b"http://10.0.0.5:8080/onvif/sub?Idx=7&amp;x=1", address.encode())
    canned = Canned({"GetServices": SERVICES, "CreatePullPointSubscription": created, "PullMessages": pulled(MOTION)})
    point = PullPoint(device(canned), CLOCK)
    point.open()
    assert point.pull(1.0) == (MOVED,)
    assert canned.asked[-1][1] == "/onvif/events"


@pytest.mark.parametrize(
    "created",
    [
        b"",
        b"<html/>",
        envelope("<tev:CreatePullPointSubscriptionResponse/>"),
        CREATED.replace(b">42<", b">" + b"4" * 5000 + b"<"),
        CREATED.replace(b">42<", b"><b><"),
        b'<!DOCTYPE a [<!ENTITY x "y">]>' + CREATED,
    ],
)
def test_a_subscription_that_cannot_be_read_is_an_error(created: bytes) -> None:
    canned = Canned({"GetServices": SERVICES, "CreatePullPointSubscription": created})
    with pytest.raises(UnreadableReply):
        PullPoint(device(canned), CLOCK).open()


def test_it_is_renewed_in_time_and_a_device_that_cannot_is_pulled_from_all_the_same() -> None:
    for renewed in (envelope("<wsnt:RenewResponse/>"), fault("ActionNotSupported", 500, "Receiver")):
        canned = Canned({"GetServices": SERVICES, "CreatePullPointSubscription": CREATED, "PullMessages": pulled(MOTION), "Renew": renewed})
        clock = ManualClock()
        point = PullPoint(device(canned), clock)
        point.open()
        for _ in range(100):
            assert point.pull(1.0) == (MOVED,)
            clock.advance(1.0)
        assert canned.operations.count("Renew") == 3


def test_what_is_no_answer_to_a_pull_is_an_error_and_not_silence() -> None:
    answers = (
        fault("ResourceUnknownFault", 200),
        fault("ResourceUnknownFault", 500),
        reply(b""),
        reply(b"<html/>"),
        reply(pulled(MOTION).decode().encode("utf-16")),
        reply(pulled(MOTION), 200, "multipart/related"),
        reply(pulled(MOTION), 500),
    )
    for answer in answers:
        canned = Canned({"GetServices": SERVICES, "CreatePullPointSubscription": CREATED, "PullMessages": answer})
        point = PullPoint(device(canned), CLOCK)
        point.open()
        with pytest.raises(CameraError):
            point.pull(1.0)


BODIES = {
    "broken XML": f"<tt:Message><tt:Data><{MARK}></wrong><<<&&&",
    "entities": f"<tt:Message><tt:Data>&laughs;&{MARK};&#x0;</tt:Data></tt:Message>",
    "a document type": f'<!DOCTYPE a [<!ENTITY x "{MARK}">]><tt:Message>&x;</tt:Message>',
    "a megabyte": f"<tt:Message>{MARK * 80_000}</tt:Message>",
    "other letters": f"<tt:Message>\ufffe\u202e{MARK}</tt:Message>",
    "a picture": f'<tt:Message><tt:Data><tt:SimpleItem Name="Image" Value="{"QUJD" * 50_000}{MARK}"/></tt:Data></tt:Message>',
    "another topic inside": f"<wsnt:Topic>tns1:VideoSource/MotionAlarm</wsnt:Topic><tt:Source>{item('Source', MARK)}</tt:Source>",
    "another message inside": MOTION.replace("VideoSource_1", MARK),
    "a letter cut off": f"<tt:Message>{MARK}<![CDATA[ </tt:Message>",
}
UNWANTED_TOPICS = [notification.topic for notification in UNWANTED.values()] + [
    "tns1:RuleEngine/FaceDetection",
    "tns1:VideoSource/MotionAlarm/Face",
    "tns1:VideoAnalytics/tnshik:FaceSnap",
    "tnsdahua:FaceRecognition",
    "tns1:RuleEngine/LicensePlateRecognition/tnsaxis:Plate",
    "tns1:RuleEngine/ObjectDetection/Object",
    "tns1:VideoSource/../MotionAlarm",
    "",
    " ",
    "VideoSource",
]


@pytest.mark.parametrize("what", BODIES)
@pytest.mark.parametrize("topic", UNWANTED_TOPICS)
def test_a_message_with_another_topic_is_dropped_unread(what: str, topic: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    canned = Canned(
        {
            "GetServices": SERVICES,
            "CreatePullPointSubscription": CREATED,
            "PullMessages": pulled(MOTION, message(topic, BODIES[what]), MOTION),
        }
    )
    point = PullPoint(device(canned), CLOCK)
    point.open()
    events = point.pull(1.0)
    assert events == (MOVED, MOVED)
    assert point.dropped == 1
    assert MARK not in f"{events}{caplog.text}{vars(point)}"


def test_a_status_that_is_no_success_has_nothing_of_its_messages_in_the_error() -> None:
    told = pulled(message("tns1:RuleEngine/Recognition/Face", f"<Text>{MARK}</Text><Value>{MARK}</Value>"))
    said = envelope(f"<e:Fault><e:Reason><e:Text>no</e:Text></e:Reason></e:Fault>{told.decode()}")
    canned = Canned({"GetServices": SERVICES, "CreatePullPointSubscription": CREATED, "PullMessages": reply(said, 500)})
    point = PullPoint(device(canned), CLOCK)
    point.open()
    with pytest.raises(CameraError) as failed:
        point.pull(1.0)
    seen: BaseException | None = failed.value
    while seen is not None:
        assert MARK not in f"{seen!r}"
        seen = seen.__cause__


def test_a_place_is_a_token_and_never_what_a_person_has_named() -> None:
    for source in (
        item("Rule", MARK) + item("Name", MARK) + item("FaceToken", "42"),
        item("Source", "Jane & Example"),
        item("Source", "x" * 100),
        item("Source", "&lt;b&gt;"),
        f'<tt:ElementItem Name="Object">{item("Source", MARK)}</tt:ElementItem>',
    ):
        (event,), dropped = let_in(pulled(message("tns1:VideoSource/MotionAlarm", source=source, data=item("IsMotion", "1"))))
        assert (event.place, event.is_active, dropped) == ("", True, 0)


@pytest.mark.parametrize(
    ("data", "is_active"),
    [
        (item("State", "true"), True),
        (item("LogicalState", "inactive"), False),
        (item("Level", "7") + item("State", "0"), False),
        (item("State", "maybe"), None),
        ("<tt:SimpleItem Value='TRUE' Name='State'></tt:SimpleItem>", True),
        ("", None),
    ],
)
def test_the_state_is_read_however_it_is_written(data: str, is_active: bool | None) -> None:
    source = item("VideoSourceConfigurationToken", "V_1") + item("Rule", "MyRule")
    (event,), _ = let_in(pulled(message("tns1:RuleEngine/CellMotionDetector/Motion", source=source, data=data)))
    assert (event.is_active, event.place) == (is_active, "V_1")


@pytest.mark.parametrize(
    ("time_said", "us"),
    [
        ("2024-05-01T10:00:00Z", 1_714_557_600 * US_PER_S),
        ("2024-05-01T12:00:00+02:00", 1_714_557_600 * US_PER_S),
        ("2024-05-01T10:00:00", 1_714_557_600 * US_PER_S),
        ("2024-99-01T10:00:00Z", None),
        ("0001-01-01T00:00:00+14:00", -62_135_647_200 * US_PER_S),
        ("yesterday", None),
    ],
)
def test_the_time_is_read_or_not_known(time_said: str, us: int | None) -> None:
    (event,), _ = let_in(pulled(MOTION.replace("2024-05-01T10:00:00Z", time_said)))
    assert event.device_us == us


@pytest.mark.parametrize("prefix", ["wsnt:", "", "a-very.long_prefix:", "SOAP-ENV:"])
@pytest.mark.parametrize("topic", KINDS)
def test_each_topic_of_the_list_gets_in_under_any_prefix(topic: str, prefix: str) -> None:
    first, _, rest = topic.partition("/")
    told = message(f" tns1:{first}/tns1:{rest}\n", source=item("Token", "T_1"), data=item("State", "true")).replace("wsnt:", prefix)
    (event,), dropped = let_in(pulled(told.replace("tt:", "x:")))
    assert (event.kind, event.place, event.is_active, dropped) == (KINDS[topic], "T_1", True, 0)


def test_more_messages_than_were_asked_for_are_dropped() -> None:
    events, dropped = let_in(pulled(MOTION * (MOST_MESSAGES + 50)))
    assert (len(events), dropped) == (MOST_MESSAGES, 50)


def test_a_message_with_two_topics_is_dropped_whichever_comes_first() -> None:
    face = "<wsnt:Topic>tns1:RuleEngine/Recognition/Face</wsnt:Topic>"
    for told in (MOTION.replace("<wsnt:Topic", f"{face}<wsnt:Topic", 1), MOTION.replace("</wsnt:Topic>", f"</wsnt:Topic>{face}", 1)):
        assert let_in(pulled(told)) == ((), 1)


def test_a_message_that_is_cut_off_is_dropped() -> None:
    events, dropped = let_in(pulled(MOTION, MOTION)[:-100])
    assert (events, dropped) == ((MOVED,), 1)


MIB = 1 << 20
SLOW: dict[str, Callable[[], bytes]] = {
    "openings": lambda: b"<NotificationMessage>" * (MIB // 21),
    "openings without an end": lambda: b"<NotificationMessage " * (MIB // 21),
    "closings": lambda: b"</NotificationMessage>" * (MIB // 22),
    "angles": lambda: b"<" * MIB,
    "prefixes": lambda: b"<aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" * (MIB // 33),
    "colons": lambda: b"<a:a:a:a:" * (MIB // 9),
    "topics": lambda: pulled(message("tns1:x", "<Topic " * (MIB // 7))),
    "one topic of blanks": lambda: b"<NotificationMessage><Topic" + b" " * MIB + b"</NotificationMessage>",
    "many topics of blanks": lambda: (b"<NotificationMessage>" + (b"<Topic" + b" " * 500) * 32 + b"</NotificationMessage>") * 64,
    "messages": lambda: MOTION.encode() * (MIB // len(MOTION)),
    "sources": lambda: pulled(*[message("tns1:VideoSource/MotionAlarm", "<Source>" * 2000)] * 64),
    "items": lambda: pulled(*[message("tns1:VideoSource/MotionAlarm", ("<SimpleItem " + " " * 500) * 31)] * 64),
    "attributes": lambda: pulled(
        *[message("tns1:VideoSource/MotionAlarm", "<tt:Data>" + ("<SimpleItem" + ' Name = "' * 50 + ">") * 31 + "</tt:Data>")] * 64
    ),
    "values": lambda: pulled(*[message("tns1:VideoSource/MotionAlarm", (' Value="' + "x" * 120) * 120)] * 64),
    "times": lambda: pulled(*[message("tns1:VideoSource/MotionAlarm", ' UtcTime="' * 1500)] * 64),
    "nested messages": lambda: b"<NotificationMessage><Topic>a</Topic>" * 14_000 + b"</NotificationMessage>" * 14_000,
}


@pytest.mark.parametrize("what", SLOW)
def test_a_megabyte_of_anything_takes_a_moment(what: str) -> None:
    content = SLOW[what]()
    began_s = time.thread_time()
    let_in(content[: 2 * MIB])
    assert time.thread_time() - began_s < 1.0


@given(
    st.lists(
        st.sampled_from(
            [
                MOTION,
                message("tns1:RuleEngine/Recognition/Face", "x"),
                "<NotificationMessage>",
                "</NotificationMessage>",
                "<a>",
                ">",
                "<wsnt:Topic>",
                MARK,
                '"',
                "<wsnt:Message>",
            ]
        )
    )
)
def test_no_order_of_pieces_lets_anything_else_in(pieces: list[str]) -> None:
    events, dropped = let_in("".join(pieces).encode())
    assert set(events) <= {MOVED}
    assert len(events) + dropped <= len(pieces)


@given(st.binary(max_size=300))
def test_bytes_are_no_events(content: bytes) -> None:
    assert let_in(content)[0] == ()


def test_a_device_without_events_says_so() -> None:
    canned = Canned({"GetServices": SERVICES.replace(b"ver10/events", b"ver10/other")})
    with pytest.raises(SoapFault):
        PullPoint(device(canned), CLOCK).open()
