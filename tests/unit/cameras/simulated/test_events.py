"""Pull points: a filter lets through what it names, states are told at the beginning, nobody waits longer than he wants."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from asked_camera import Asking, asking
from lamppost.base.clock import ManualClock
from lamppost.cameras.simulated.camera import SimulatedCamera
from lamppost.cameras.simulated.nodes import Node
from lamppost.cameras.simulated.pull_points import MOST_POINTS
from lamppost.model.devices import DeviceEvent, DeviceEventKind

_MOTION = DeviceEvent(DeviceEventKind.MOTION, True, "", None)


@pytest.fixture
def client() -> Iterator[Asking]:
    with SimulatedCamera("onvif") as camera, asking(camera) as client:
        yield client


def open_point(client: Asking, topics: str = "", time_s: str = "") -> str:
    dialect = "http://www.onvif.org/ver10/tev/topicExpression/ConcreteSet"
    kind = f'<tev:Filter><wsnt:TopicExpression Dialect="{dialect}">{topics}</wsnt:TopicExpression></tev:Filter>' if topics else ""
    until = f"<tev:InitialTerminationTime>{time_s}</tev:InitialTerminationTime>" if time_s else ""
    url = client.ask("tev:CreatePullPointSubscription", kind + until).value("Address")
    assert url.startswith(client.camera.base)
    return url.removeprefix(client.camera.base)


def pull(client: Asking, path: str, timeout: str = "PT1S", limit: int = 100) -> list[Node]:
    arguments = f"<tev:Timeout>{timeout}</tev:Timeout><tev:MessageLimit>{limit}</tev:MessageLimit>"
    return client.ask("tev:PullMessages", arguments, path=path).own("NotificationMessage")


def topics(messages: list[Node]) -> list[str]:
    return [message.value("Topic") for message in messages]


def test_states_are_told_at_the_beginning_and_changes_later(client: Asking) -> None:
    client.camera.state.inputs["DigitalInput_2"] = True
    path = open_point(client)
    first = pull(client, path)
    assert topics(first)[:2] == ["tns1:VideoSource/MotionAlarm", "tns1:VideoSource/GlobalSceneChange/ImagingService"]
    assert {node.attributes.get("PropertyOperation") for message in first for node in message.each("Message")} == {None, "Initialized"}
    client.camera.emit(_MOTION)
    client.camera.emit("face")
    later = pull(client, path)
    assert topics(later) == ["tns1:VideoSource/MotionAlarm", "tns1:RuleEngine/Recognition/Face"]
    assert any(node.attributes == {"Name": "State", "Value": "true"} for node in later[0].each("SimpleItem"))
    assert any("Jane" in node.attributes.get("Value", "") for node in later[1].each("SimpleItem")), "faces come with a name, to be dropped"


def test_a_filter_lets_through_what_it_names_and_no_more(client: Asking) -> None:
    path = open_point(client, "tns1:VideoSource/MotionAlarm|tns1:Device//.")
    assert set(topics(pull(client, path))) == {
        "tns1:VideoSource/MotionAlarm",
        "tns1:Device/Trigger/DigitalInput",
        "tns1:Device/Trigger/Relay",
    }
    for name in ("face", "plate", "object", "person", "face-seen"):
        client.camera.emit(name)
    client.camera.emit(DeviceEvent(DeviceEventKind.STORAGE, True, "SD", None))
    assert topics(pull(client, path)) == ["tns1:Device/HardwareFailure/StorageFailure"]


def test_a_filter_is_read_by_its_namespace(client: Asking) -> None:
    strange = '<tev:Filter><wsnt:TopicExpression xmlns:x="http://www.onvif.org/ver10/topics">x:VideoSource/MotionAlarm</wsnt:TopicExpression></tev:Filter>'
    url = client.ask("tev:CreatePullPointSubscription", strange).value("Address")
    assert topics(pull(client, url.removeprefix(client.camera.base))) == ["tns1:VideoSource/MotionAlarm"]
    foreign = strange.replace("http://www.onvif.org/ver10/topics", "http://example.org")
    url = client.ask("tev:CreatePullPointSubscription", foreign).value("Address")
    assert pull(client, url.removeprefix(client.camera.base), "PT0.05S") == []


def test_who_waits_is_told_at_once(client: Asking) -> None:
    path = open_point(client, "tns1:VideoSource//.")
    pull(client, path)
    teller = threading.Timer(0.1, client.camera.emit, (_MOTION,))
    teller.start()
    begun_s = time.monotonic()
    assert topics(pull(client, path, "PT4S")) == ["tns1:VideoSource/MotionAlarm"]
    assert time.monotonic() - begun_s < 2
    teller.join()


def test_a_limit_holds_and_nothing_is_lost(client: Asking) -> None:
    path = open_point(client, "tns1:VideoSource/MotionAlarm")
    client.camera.emit(_MOTION)
    client.camera.emit(_MOTION)
    assert [len(pull(client, path, limit=2)), len(pull(client, path, limit=2))] == [2, 1]


def test_a_subscription_ends_is_renewed_and_given_up() -> None:
    clock = ManualClock()
    with SimulatedCamera("onvif", clock=clock) as camera, asking(camera) as client:
        path = open_point(client, time_s="PT30S")
        pull(client, path, "PT0.01S")
        clock.advance(20)
        client.ask("wsnt:Renew", "<wsnt:TerminationTime>PT30S</wsnt:TerminationTime>", path=path)
        clock.advance(20)
        pull(client, path, "PT0.01S")
        client.ask("wsnt:Unsubscribe", path=path)
        arguments = "<tev:Timeout>PT1S</tev:Timeout><tev:MessageLimit>1</tev:MessageLimit>"
        assert client.fault("tev:PullMessages", arguments, path=path) == (400, ["env:Sender", "wsrf:ResourceUnknownFault"])
        path = open_point(client, time_s="PT30S")
        clock.advance(31)
        assert client.fault("tev:PullMessages", arguments, path=path)[0] == 400


def test_there_are_not_too_many(client: Asking) -> None:
    for _ in range(MOST_POINTS):
        open_point(client)
    assert client.fault("tev:CreatePullPointSubscription") == (500, ["env:Receiver", "wsnt:SubscribeCreationFailedFault"])


@pytest.mark.parametrize(
    ("operation", "arguments", "subcode"),
    [
        ("tev:CreatePullPointSubscription", "<tev:InitialTerminationTime>soon</tev:InitialTerminationTime>", "ter:InvalidArgVal"),
        (
            "tev:CreatePullPointSubscription",
            "<tev:InitialTerminationTime>2001-01-01T00:00:00Z</tev:InitialTerminationTime>",
            "wsnt:UnacceptableInitialTerminationTimeFault",
        ),
        (
            "tev:CreatePullPointSubscription",
            "<tev:Filter><wsnt:TopicExpression>Motion</wsnt:TopicExpression></tev:Filter>",
            "wsnt:InvalidTopicExpressionFault",
        ),
        ("tev:Subscribe", "", "ter:ActionNotSupported"),
    ],
)
def test_what_makes_no_sense_is_a_fault(client: Asking, operation: str, arguments: str, subcode: str) -> None:
    assert client.fault(operation, arguments)[1][-1] == subcode


def test_dahua_and_hikvision_tell_of_motion_by_a_rule() -> None:
    with SimulatedCamera("dahua") as camera, asking(camera) as client:
        path = open_point(client, "tns1:RuleEngine/CellMotionDetector/Motion")
        camera.emit(_MOTION)
        assert len(pull(client, path)) == 2
