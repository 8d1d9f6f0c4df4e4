"""Answers of a pull point that nobody can end: read in one pass, however they are cut."""

from __future__ import annotations

import time
from typing import Any

import pytest

from lamppost.base.clock import ManualClock
from lamppost.cameras.onvif.events import PullPoint
from lamppost.cameras.web import MOST_BYTES, Reply
from lamppost.model.devices import DeviceEvent, DeviceEventKind

_CREATED = b"<e><SubscriptionReference><Address>http://camera/events</Address></SubscriptionReference></e>"
_INPUT = (
    b"<wsnt:NotificationMessage><wsnt:Topic>tns1:Device/Trigger/tns1:DigitalInput</wsnt:Topic><wsnt:Message>"
    b"<tt:Message UtcTime='2026-01-02T03:04:05Z'><tt:Source><tt:SimpleItem Name='Token' Value='IN_1'/></tt:Source>"
    b"<tt:Data><tt:SimpleItem Name='LogicalState' Value='true'/></tt:Data></tt:Message></wsnt:Message></wsnt:NotificationMessage>"
)
_TOPIC = b"<Topic>tns1:Device/Trigger/DigitalInput</Topic>"


class _Soap:
    """Says `pulled` to whoever pulls."""

    def __init__(self, pulled: bytes) -> None:
        self.pulled = pulled

    def exchange(self, path: str, action: str, body: str, **_: Any) -> Reply:
        del path, body
        return Reply(200, {}, _CREATED if "CreatePullPoint" in action else self.pulled)


class _Device:
    def __init__(self, pulled: bytes) -> None:
        self.soap = _Soap(pulled)

    def services(self) -> dict[str, str]:
        return {"http://www.onvif.org/ver10/events/wsdl": "/onvif/events"}


def pulled(content: bytes) -> tuple[DeviceEvent, ...]:
    """What is let in of an answer."""
    device: Any = _Device(content)
    point = PullPoint(device, ManualClock())
    point.open()
    return point.pull(1.0)


@pytest.mark.parametrize(
    "repeated",
    [
        b"<NotificationMessage ",
        b"<wsnt:NotificationMessage>",
        b"</NotificationMessage>",
        b"<NotificationMessage>" + _TOPIC + b"<Source>" * 100,
        b"<Source>",
        b"<tt:Data a='",
        b"UtcTime ",
    ],
)
def test_an_answer_without_ends_is_read_at_once(repeated: bytes) -> None:
    flood = repeated * (MOST_BYTES // len(repeated))
    began_s = time.process_time()
    pulled(flood)
    pulled(b"<NotificationMessage>" + _TOPIC + flood + b"</NotificationMessage>")
    assert time.process_time() - began_s < 2.0


def test_what_is_let_in_is_read_as_it_stands() -> None:
    (event,) = pulled(b"<e>" + _INPUT + b"<wsnt:NotificationMessage><wsnt:Topic>")
    assert (event.kind, event.is_active, event.place) == (DeviceEventKind.INPUT, True, "IN_1")
    assert event.device_us == 1_767_323_045_000_000


def test_an_empty_source_hides_no_state() -> None:
    (event,) = pulled(
        _INPUT.replace(b"<tt:SimpleItem Name='Token' Value='IN_1'/></tt:Source>", b"").replace(b"<tt:Source>", b"<tt:Source />")
    )
    assert (event.is_active, event.place) == (True, "")
