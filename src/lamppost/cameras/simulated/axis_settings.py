"""Changes to a simulated Axis camera: applications and producers of metadata, in the words of VAPIX."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from lamppost.cameras.simulated.http_server import Answer

_LIST: Final = "GET /axis-cgi/applications/list.cgi"
_PRODUCERS: Final = "POST /axis-cgi/analyticsmetadataconfig.cgi listProducers"
_NAME: Final = re.compile(r"[A-Za-z0-9_.-]{1,64}")
# What `control.cgi` answers instead of OK.
_UNKNOWN, _RUNNING, _STOPPED = (Answer(200, f"Error: {number}\n".encode(), "text/plain") for number in (4, 6, 7))
_DONE: Final = Answer(200, b"OK\n", "text/plain")
Replies = dict[str, tuple[bytes, str]]


def control(replies: Replies, query: Mapping[str, str]) -> Answer:
    """Start or stop an application."""
    action, name = query.get("action", ""), query.get("package", "")
    if action not in ("start", "stop", "restart") or not _NAME.fullmatch(name) or _LIST not in replies:
        return _UNKNOWN
    content, kind = replies[_LIST]
    text = content.decode()
    found = re.search(rf'<application\s[^>]*?Name="{re.escape(name)}"[^>]*?Status="(\w+)"', text)
    if found is None:
        return _UNKNOWN
    is_running = found[1] == "Running"
    if action == "start" and is_running:
        return _RUNNING
    if action != "start" and not is_running:
        return _STOPPED
    status = "Stopped" if action == "stop" else "Running"
    replies[_LIST] = (f"{text[: found.start(1)]}{status}{text[found.end(1) :]}".encode(), kind)
    return _DONE


def enable(replies: Replies, content: bytes) -> Answer:
    """Switch producers of metadata on or off, per channel."""
    try:
        asked: Any = json.loads(content)
        wanted = {
            (one["name"], channel["channel"]): bool(channel["enabled"])
            for one in asked["params"]["producers"]
            for channel in one["videochannels"]
        }
        known: Any = json.loads(replies[_PRODUCERS][0])
    except (ValueError, KeyError, TypeError, RecursionError):
        return _told({"error": {"code": 2103, "message": "Invalid JSON"}})  # fmt: skip
    for producer in known["data"]["producers"]:
        for channel in producer["videochannels"]:
            channel["enabled"] = wanted.get((producer["name"], channel["channel"]), channel["enabled"])
    replies[_PRODUCERS] = (json.dumps(known, indent=1).encode(), replies[_PRODUCERS][1])
    return _told({"data": {}})


def _told(more: Mapping[str, Any]) -> Answer:
    told = {"apiVersion": "1.0", "method": "setEnabledProducers", **more}
    return Answer(200, json.dumps(told).encode(), "application/json")
