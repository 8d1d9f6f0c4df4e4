"""The vendors' own event streams, over HTTP without an end: they carry what nobody here asks for, to prove that nobody does."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Final
from xml.sax.saxutils import escape

from lamppost.base.clock import format_utc
from lamppost.cameras.simulated.first_questions import HIKVISION_SPACE
from lamppost.cameras.simulated.http_server import Answer
from lamppost.cameras.simulated.machine import Machine
from lamppost.cameras.simulated.notifications import Notification
from lamppost.cameras.simulated.pull_points import PullPoint

_BEAT_S: Final = 5.0
_LISTENS_S: Final = 86_400.0
_ACTIVE: Final = frozenset({"true", "active"})


# Hikvision's words for what Dahua's are noted of.
_HIKVISION_WORDS: Final = {
    "VideoMotion": "VMD",
    "VideoBlind": "shelteralarm",
    "AlarmLocal": "IO",
    "StorageFailure": "diskerror",
    "CrossRegionDetection": "fielddetection",
    "FaceDetection": "facedetection",
    "FaceRecognition": "alarmResult",
}


def attached(machine: Machine, query: str) -> Answer:
    """Dahua's `eventManager.cgi?action=attach&codes=[...]`."""
    codes = query.partition("codes=")[2].partition("&")[0].strip("[]").replace("%5B", "").replace("%5D", "").split(",")
    return _stream(machine, "myboundary", _dahua_part, lambda notification: "All" in codes or notification.vendor_word in codes)


def alert_stream(machine: Machine) -> Answer:
    """Hikvision's `alertStream`, which takes no filter."""
    return _stream(machine, "boundary", _hikvision_part, lambda _: True)


def _stream(
    machine: Machine, boundary: str, write: Callable[[Notification | None, int], tuple[str, str]], wants: Callable[[Notification], bool]
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
    write: Callable[[Notification | None, int], tuple[str, str]],
    wants: Callable[[Notification], bool],
) -> Iterator[bytes]:
    while not machine.pull_points.is_down:
        told = [(one, at_us) for one, at_us, _ in machine.pull_points.pull(point, _BEAT_S, 16) if wants(one)]
        parts = [write(one, at_us) for one, at_us in told] or [write(None, machine.device_us())]
        for content_type, content in parts:
            encoded = content.encode()
            yield f"--{boundary}\r\nContent-Type: {content_type}\r\nContent-Length: {len(encoded)}\r\n\r\n".encode() + encoded + b"\r\n\r\n"


def _dahua_part(notification: Notification | None, _: int) -> tuple[str, str]:
    if notification is None:
        return "text/plain", "Heartbeat"
    data = dict(notification.data)
    state = next(iter(data.values()), "")
    action = ("Start" if state in _ACTIVE else "Stop") if notification.is_property else "Pulse"
    more = f";data={json.dumps(data)}" if not notification.is_property else ""
    return "text/plain", f"Code={notification.vendor_word};action={action};index=0{more}"


def _hikvision_part(notification: Notification | None, at_us: int) -> tuple[str, str]:
    """One event; where nothing happens, the word that the picture is not lost, which is how these cameras show that they live."""
    data = dict(notification.data) if notification is not None else {}
    word = "videoloss" if notification is None else _HIKVISION_WORDS.get(notification.vendor_word, notification.vendor_word)
    is_lasting = notification is None or notification.is_property
    fields = {
        "inputIOPortID" if word == "IO" else "channelID": "1",
        "dateTime": format_utc(at_us),
        "activePostCount": "0" if notification is None else "1",
        "eventType": word,
        "eventState": "inactive" if is_lasting and next(iter(data.values()), "") not in _ACTIVE else "active",
        "eventDescription": f"{word} alarm",
        **({} if is_lasting else data),
    }
    body = "".join(f"<{name}>{escape(value)}</{name}>\n" for name, value in fields.items())
    return "application/xml", f'<EventNotificationAlert version="2.0" xmlns="{HIKVISION_SPACE}">\n{body}</EventNotificationAlert>'
