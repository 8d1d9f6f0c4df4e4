"""Reads what a device tells, without reading it: lets notifications in by an allow-list of topics and drops the rest unparsed.

A message is cut out by its tags and looked at for its topic alone. No byte of
one with another topic (faces, plates, attributes, objects) is parsed, kept or
logged. Everything here takes time in proportion to what came, whatever came.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Final

from lamppost.base.clock import US_PER_S
from lamppost.model.devices import DeviceEvent, DeviceEventKind

KINDS: Final = MappingProxyType(
    {
        "VideoSource/MotionAlarm": DeviceEventKind.MOTION,
        "RuleEngine/CellMotionDetector/Motion": DeviceEventKind.MOTION,
        "RuleEngine/MotionRegionDetector/Motion": DeviceEventKind.MOTION,
        "RuleEngine/TamperDetector/Tamper": DeviceEventKind.TAMPER,
        "VideoSource/GlobalSceneChange/AnalyticsService": DeviceEventKind.TAMPER,
        "VideoSource/GlobalSceneChange/ImagingService": DeviceEventKind.TAMPER,
        "VideoSource/ImageTooBlurry/AnalyticsService": DeviceEventKind.TAMPER,
        "VideoSource/ImageTooBlurry/ImagingService": DeviceEventKind.TAMPER,
        "VideoSource/ImageTooDark/AnalyticsService": DeviceEventKind.TAMPER,
        "VideoSource/ImageTooDark/ImagingService": DeviceEventKind.TAMPER,
        "VideoSource/ImageTooBright/AnalyticsService": DeviceEventKind.TAMPER,
        "VideoSource/ImageTooBright/ImagingService": DeviceEventKind.TAMPER,
        "VideoSource/SignalLoss": DeviceEventKind.HEALTH,
        "Device/Trigger/DigitalInput": DeviceEventKind.INPUT,
        "Device/Trigger/Relay": DeviceEventKind.OUTPUT,
        "Device/HardwareFailure/StorageFailure": DeviceEventKind.STORAGE,
        "Device/HardwareFailure/FanFailure": DeviceEventKind.HEALTH,
        "Device/HardwareFailure/PowerSupplyFailure": DeviceEventKind.HEALTH,
        "Device/HardwareFailure/TemperatureCritical": DeviceEventKind.HEALTH,
    }
)
"""Topics that are let in, without the prefixes of their namespaces; exactly these, and nothing below them."""

MOST_MESSAGES: Final = 100
_MOST_BYTES: Final = 16 << 10  # of one message
_LONGEST_TAG: Final = 1024
_PREFIX: Final = rb"(?:[A-Za-z_][\w.-]{0,31}:)?"
_EDGE: Final = re.compile(rb"<(/?)" + _PREFIX + rb"NotificationMessage(?=[\s/>])")
_TOPIC: Final = re.compile(rb"<" + _PREFIX + rb"Topic(?:\s[^<>]{0,512})?>([^<>]{0,256})</")
_BODY: Final = re.compile(rb"<" + _PREFIX + rb"Message(?=[\s/>])")
_TAG: Final = re.compile(rb"<(/?)" + _PREFIX + rb"(Source|Data|SimpleItem|ElementItem)(\s[^<>]{0,512}|/)?>")
_ATTRIBUTE: Final = re.compile(rb"\s(Name|Value)\s{0,4}=\s{0,4}(?:\"([^\"]{0,128})\"|'([^']{0,128})')")
_TIME: Final = re.compile(rb"\sUtcTime\s{0,4}=\s{0,4}[\"']([0-9T:.Z+-]{10,40})[\"']")
_PLAIN: Final = re.compile(r"[A-Za-z0-9_. :-]{1,64}")
# What a source is called by: not the name of a rule, which a person has given.
_PLACES: Final = frozenset(
    {
        *(b"Source", b"VideoSource", b"VideoSourceToken", b"VideoSourceConfigurationToken"),
        *(b"InputToken", b"RelayToken", b"Token"),
    }
)
_STATES: Final = MappingProxyType({b"true": True, b"1": True, b"active": True, b"false": False, b"0": False, b"inactive": False})


def let_in(content: bytes) -> tuple[tuple[DeviceEvent, ...], int]:
    """The events in an answer to PullMessages, and how many messages were dropped."""
    events: list[DeviceEvent] = []
    dropped = 0
    for number, message in enumerate(_messages(content)):
        event = _event(message) if message is not None and number < MOST_MESSAGES else None
        if event is None:
            dropped += 1
        else:
            events.append(event)
    return tuple(events), dropped


def _messages(content: bytes) -> Iterator[bytes | None]:
    """The inside of each message; None for one that is too long, or has another in it: such are not looked at."""
    depth = start = 0
    is_plain = True
    for edge in _EDGE.finditer(content):
        if edge[1]:
            if depth == 1:
                yield content[start : edge.start()] if is_plain and edge.start() - start <= _MOST_BYTES else None
            depth = max(0, depth - 1)
            continue
        end = content.find(b">", edge.end(), edge.end() + _LONGEST_TAG)
        if end > 0 and content[end - 1 : end] == b"/":
            if depth == 0:
                yield None
            continue
        depth += 1
        start, is_plain = (end + 1, end > 0) if depth == 1 else (start, False)
    if depth:
        yield None  # one that has no end


def _event(message: bytes) -> DeviceEvent | None:
    """What a message says, if its topic is let in."""
    body = _BODY.search(message)
    topics = _TOPIC.findall(message, 0, body.start()) if body is not None else []
    kind = KINDS.get(_plain_topic(topics[0])) if len(topics) == 1 else None
    if kind is None or body is None:
        return None
    content = message[body.start() :]
    place, is_active = _items(content)
    time = _TIME.search(content, 0, 2 * _LONGEST_TAG)
    device_us = _us_of(time[1].decode("ascii")) if time is not None else None
    return DeviceEvent(kind=kind, is_active=is_active, place=place, device_us=device_us)


def _plain_topic(topic: bytes) -> str:
    """A topic without the prefixes of its namespaces: `tns1:Device/Trigger/tns1:Relay` as `Device/Trigger/Relay`."""
    steps = topic.decode("ascii", "replace").strip().split("/")
    return "/".join(step.rpartition(":")[2] for step in steps)


def _items(content: bytes) -> tuple[str, bool | None]:
    """The first source that is a token, and the first value that is a state."""
    part, in_element = b"", False
    place, is_active = "", None
    for tag in _TAG.finditer(content):
        is_end, name, rest = bool(tag[1]), tag[2], tag[3] or b""
        if name == b"ElementItem":
            in_element = not is_end and not rest.endswith(b"/")
        elif in_element:
            continue
        elif name != b"SimpleItem":
            part = b"" if is_end or rest.endswith(b"/") else name
        elif not is_end:
            given = {found[1]: found[2] or found[3] or b"" for found in _ATTRIBUTE.finditer(rest)}
            value = given.get(b"Value", b"")
            if part == b"Source" and not place and given.get(b"Name") in _PLACES:
                text = value.decode("ascii", "replace")
                place = text if _PLAIN.fullmatch(text) else ""
            elif part == b"Data" and is_active is None:
                is_active = _STATES.get(value.strip().lower())
    return place, is_active


def _us_of(text: str) -> int | None:
    try:
        moment = datetime.fromisoformat(text)
        moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
        return round(moment.timestamp() * US_PER_S)
    except (ValueError, OverflowError):
        return None
