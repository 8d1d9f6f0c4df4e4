"""The vendors' own event streams, over HTTP without an end: they carry what nobody here asks for, to prove that nobody does."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Final
from xml.sax.saxutils import escape

from lamppost.base.clock import format_utc
from lamppost.cameras.simulated.http_server import Answer
from lamppost.cameras.simulated.machine import Machine
from lamppost.cameras.simulated.notifications import Notification
from lamppost.cameras.simulated.pull_points import PullPoint

_BEAT_S: Final = 5.0
_LISTENS_S: Final = 86_400.0
_ACTIVE: Final = frozenset({"true", "active"})


def attached(machine: Machine, query: str) -> Answer:
    """Dahua's `eventManager.cgi?action=attach&codes=[...]`."""
    codes = query.partition("codes=")[2].partition("&")[0].strip("[]").replace("%5B", "").replace("%5D", "").split(",")
    return _stream(machine, "myboundary", _dahua_part, lambda notification: "All" in codes or notification.vendor_word in codes)


def alert_stream(machine: Machine) -> Answer:
    """Hikvision's `alertStream`, which takes no filter."""
    return _stream(machine, "boundary", _hikvision_part, lambda _: True)


def _stream(
    machine: Machine, boundary: str, write: Callable[[Notification, int], tuple[str, str]], wants: Callable[[Notification], bool]
) -> Answer:
    point = machine.pull_points.open(lambda _: True, _LISTENS_S, is_kept_by_pulling=False)
    if point is None:
        return Answer(503)

    def pieces() -> Iterator[bytes]:
        try:
            yield from _parts(machine, point, boundary, write, wants)
        finally:
            machine.pull_points.close(point)

    return Answer(200, b"", f"multipart/x-mixed-replace; boundary={boundary}", pieces=pieces())


def _parts(
    machine: Machine,
    point: PullPoint,
    boundary: str,
    write: Callable[[Notification, int], tuple[str, str]],
    wants: Callable[[Notification], bool],
) -> Iterator[bytes]:
    while not machine.pull_points.is_down:
        told = [(one, at_us) for one, at_us, _ in machine.pull_points.pull(point, _BEAT_S, 16) if wants(one)]
        parts = [write(one, at_us) for one, at_us in told] or [("text/plain", "Heartbeat")]
        for content_type, content in parts:
            encoded = content.encode()
            yield f"--{boundary}\r\nContent-Type: {content_type}\r\nContent-Length: {len(encoded)}\r\n\r\n".encode() + encoded + b"\r\n\r\n"


def _dahua_part(notification: Notification, _: int) -> tuple[str, str]:
    data = dict(notification.data)
    state = next(iter(data.values()), "")
    action = ("Start" if state in _ACTIVE else "Stop") if notification.is_property else "Pulse"
    more = f";data={json.dumps(data)}" if not notification.is_property else ""
    return "text/plain", f"Code={notification.vendor_word};action={action};index=0{more}"


def _hikvision_part(notification: Notification, at_us: int) -> tuple[str, str]:
    data = dict(notification.data)
    state = next(iter(data.values()), "")
    fields = {
        "dateTime": format_utc(at_us),
        "activePostCount": "1",
        "eventType": notification.vendor_word,
        "eventState": "inactive" if notification.is_property and state not in _ACTIVE else "active",
        **({} if notification.is_property else data),
    }
    body = "".join(f"<{name}>{escape(value)}</{name}>\n" for name, value in fields.items())
    return "application/xml", f'<EventNotificationAlert version="2.0">\n{body}</EventNotificationAlert>'
