"""What a device tells besides video, by a pull point (ONVIF Core, section 9): let in by an allow-list of topics.

Whatever else a device sends (faces, plates, attributes, objects) is dropped
unread: a message is cut out by its tags and looked at for its topic alone, and
no byte of one with another topic is parsed, kept or logged.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final
from xml.sax.saxutils import escape

from lamppost.base.clock import US_PER_S, Clock
from lamppost.base.errors import UnreadableReply
from lamppost.cameras.onvif import xml
from lamppost.cameras.onvif.device import OnvifDevice, path_of
from lamppost.cameras.onvif.soap import Service, SoapFault
from lamppost.cameras.web import Reply
from lamppost.model.devices import DeviceEvent, DeviceEventKind

MOST_MESSAGES: Final = 100
TERM_S: Final = 60
_ACTIONS: Final = "http://www.onvif.org/ver10/events/wsdl"
_CREATE: Final = f"{_ACTIONS}/EventPortType/CreatePullPointSubscriptionRequest"
_PULL: Final = f"{_ACTIONS}/PullPointSubscription/PullMessagesRequest"
_RENEW: Final = "http://docs.oasis-open.org/wsn/bw-2/SubscriptionManager/RenewRequest"
_END: Final = "http://docs.oasis-open.org/wsn/bw-2/SubscriptionManager/UnsubscribeRequest"
_FILTER: Final = (
    '<tev:Filter><wsnt:TopicExpression Dialect="http://www.onvif.org/ver10/tev/topicExpression/ConcreteSet">'
    "tns1:VideoSource//.|tns1:RuleEngine/CellMotionDetector//.|tns1:RuleEngine/TamperDetector//.|tns1:Device//."
    "</wsnt:TopicExpression></tev:Filter>"
)
_LONGEST_REFERENCE: Final = 2048
_LONGEST_PART: Final = 4096

_KINDS: Final = {
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
    "Storage/Disruption": DeviceEventKind.STORAGE,
}
"""Topics that are let in, without the prefixes of their namespaces; exactly these, and nothing below them."""

# Tags alone: what lies between two of them is never searched for its end, which may not be there.
_MESSAGE: Final = re.compile(rb"<(/?)(?:[A-Za-z][\w.-]{0,31}:)?(NotificationMessage)[\s>]")
_PART: Final = re.compile(rb"<(/?)(?:[A-Za-z][\w.-]{0,31}:)?(Source|Data)[\s>]")
_TOPIC: Final = re.compile(rb"<(?:[A-Za-z][\w.-]{0,31}:)?Topic(?:\s[^<>]{0,512})?>([^<>]{1,256})</")
_VALUE: Final = re.compile(rb"<(?:[A-Za-z][\w.-]{0,31}:)?SimpleItem\s[^<>]{0,256}?\bValue\s*=\s*[\"']([^\"'<>]{0,64})[\"']")
_TIME: Final = re.compile(rb"\bUtcTime\s*=\s*[\"']([0-9T:.Z+-]{10,40})[\"']")
_PLAIN: Final = re.compile(r"[A-Za-z0-9_. :-]{1,64}")
_STATES: Final = {b"true": True, b"1": True, b"active": True, b"false": False, b"0": False, b"inactive": False}


class PullPoint:
    """A subscription at one device, between `open` and `close`; for one thread. Raises `CameraError`.

    `dropped` counts the messages that were not let in, without saying of what.
    """

    def __init__(self, device: OnvifDevice, clock: Clock) -> None:
        self._soap = device.soap
        self._device = device
        self._clock = clock
        self._path = ""
        self._reference = ""
        self._renew_s = 0.0
        self.dropped = 0

    def open(self) -> None:
        """Subscribe to what is let in; to everything where the device cannot choose, and the rest is dropped here."""
        place = self._device.services().get(Service.EVENTS.namespace)
        if place is None:
            raise SoapFault("the device has no event service", code="Receiver", subcode="ActionNotSupported")
        term = f"<tev:InitialTerminationTime>PT{TERM_S}S</tev:InitialTerminationTime>"
        body = "<tev:CreatePullPointSubscription>{}</tev:CreatePullPointSubscription>"
        try:
            reply = self._soap.exchange(place, _CREATE, body.format(_FILTER + term), header=_header(_CREATE))
        except SoapFault:
            reply = self._soap.exchange(place, _CREATE, body.format(term), header=_header(_CREATE))
        root = xml.parse(reply.content)
        reference = next(xml.named(root, "SubscriptionReference"), None)
        if reference is None:
            raise UnreadableReply("the device does not say where its events are")
        self._path = path_of(xml.text_of(next(xml.named(reference, "Address"), None), 512)) or place
        self._reference = _parameters_of(reference)
        self._renew_s = self._clock.monotonic_s() + TERM_S / 2

    def pull(self, timeout_s: float) -> tuple[DeviceEvent, ...]:
        """What has happened, as soon as something has, or nothing after `timeout_s`; renews the subscription when it is time."""
        if self._clock.monotonic_s() >= self._renew_s:
            self.renew()
        limits = f"<tev:Timeout>PT{max(1, round(timeout_s))}S</tev:Timeout><tev:MessageLimit>{MOST_MESSAGES}</tev:MessageLimit>"
        body = f"<tev:PullMessages>{limits}</tev:PullMessages>"
        reply = self._soap.exchange(self._path, _PULL, body, header=_header(_PULL) + self._reference, timeout_s=timeout_s + 5.0)
        return tuple(self._let_in(reply))

    def renew(self) -> None:
        body = f"<wsnt:Renew><wsnt:TerminationTime>PT{TERM_S}S</wsnt:TerminationTime></wsnt:Renew>"
        self._soap.exchange(self._path, _RENEW, body, header=_header(_RENEW) + self._reference)
        self._renew_s = self._clock.monotonic_s() + TERM_S / 2

    def close(self) -> None:
        """Unsubscribe, where that was subscribed."""
        if self._path:
            path, self._path = self._path, ""
            self._soap.exchange(path, _END, "<wsnt:Unsubscribe/>", header=_header(_END) + self._reference)

    def _let_in(self, reply: Reply) -> Iterator[DeviceEvent]:
        for number, (_, content) in enumerate(_between(_MESSAGE, reply.content)):
            topic = _TOPIC.search(content)
            kind = _KINDS.get(_plain_topic(topic[1])) if topic is not None and number < MOST_MESSAGES else None
            if kind is None or topic is None:
                self.dropped += 1
                continue
            yield _event(kind, content[topic.end() :])


def _between(tags: re.Pattern[bytes], content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """What stands between a tag of these and the next one that ends it, with its name; in one pass, whatever is missing."""
    name, begin = b"", 0
    for tag in tags.finditer(content):
        if not tag[1]:
            # One in another is part of it, where they have the same name.
            name, begin = (name, begin) if name == tag[2] else (tag[2], tag.end())
        elif name == tag[2]:
            yield name, content[begin : tag.start()]
            name = b""


def _plain_topic(topic: bytes) -> str:
    """A topic without the prefixes of its namespaces: `tns1:Device/Trigger/tns1:Relay` as `Device/Trigger/Relay`."""
    steps = topic.decode("ascii", "replace").strip().split("/")
    return "/".join(step.rpartition(":")[2] for step in steps)


def _event(kind: DeviceEventKind, content: bytes) -> DeviceEvent:
    values: dict[bytes, bytes] = {}
    for part, items in _between(_PART, content):
        value = _VALUE.search(items[:_LONGEST_PART])
        if value is not None:
            values.setdefault(part, value[1])
    place = values.get(b"Source", b"").decode("ascii", "replace")
    time = _TIME.search(content)
    return DeviceEvent(
        kind=kind,
        is_active=_STATES.get(values.get(b"Data", b"").strip().lower()),
        place=place if _PLAIN.fullmatch(place) else "",
        device_us=_us_of(time[1].decode("ascii")) if time is not None else None,
    )


def _us_of(text: str) -> int | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    return round(moment.timestamp() * US_PER_S)


def _header(action: str) -> str:
    return f"<wsa:Action>{escape(action)}</wsa:Action>"


def _parameters_of(reference: xml.Element) -> str:
    """What the device wants to hear again with each message, as it gave it."""
    parameters = next(xml.named(reference, "ReferenceParameters"), None)
    text = "" if parameters is None else "".join(xml.text(child) for child in parameters)
    if len(text) > _LONGEST_REFERENCE:
        raise UnreadableReply("the device wants to hear more with each message than it may")
    return text
