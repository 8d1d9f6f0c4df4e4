"""What a device tells besides video, by a pull point (ONVIF Core, section 9): let in by an allow-list of topics.

The device is asked for these topics alone; whatever else it sends (faces,
plates, attributes, objects) is dropped unread, see `notices`.
"""

from __future__ import annotations

import contextlib
import re
from typing import Final
from uuid import uuid4
from xml.sax.saxutils import escape

from lamppost.base.clock import Clock
from lamppost.base.errors import UnreadableReply
from lamppost.cameras.onvif import xml
from lamppost.cameras.onvif.descriptions import Service
from lamppost.cameras.onvif.device import OnvifDevice, path_of
from lamppost.cameras.onvif.faults import SoapFault, lacking
from lamppost.cameras.onvif.notices import MOST_MESSAGES, let_in
from lamppost.cameras.onvif.reading import address
from lamppost.cameras.web import Reply
from lamppost.model.devices import DeviceEvent

TERM_S: Final = 60
_ACTIONS: Final = "http://www.onvif.org/ver10/events/wsdl"
_CREATE: Final = f"{_ACTIONS}/EventPortType/CreatePullPointSubscriptionRequest"
_PULL: Final = f"{_ACTIONS}/PullPointSubscription/PullMessagesRequest"
_RENEW: Final = "http://docs.oasis-open.org/wsn/bw-2/SubscriptionManager/RenewRequest"
_END: Final = "http://docs.oasis-open.org/wsn/bw-2/SubscriptionManager/UnsubscribeRequest"
_FILTER: Final = (
    '<tev:Filter><wsnt:TopicExpression Dialect="http://www.onvif.org/ver10/tev/topicExpression/ConcreteSet">'
    "tns1:VideoSource//.|tns1:RuleEngine/CellMotionDetector//.|tns1:RuleEngine/MotionRegionDetector//.|"
    "tns1:RuleEngine/TamperDetector//.|tns1:Device//."
    "</wsnt:TopicExpression></tev:Filter>"
)
_LONGEST_REFERENCE: Final = 2048
_DURATION: Final = re.compile(r"PT(?:(\d{1,4})H)?(?:(\d{1,6})M)?(?:(\d{1,6}(?:\.\d{1,6})?)S)?")


class PullPoint:
    """A subscription at one device, between `open` and `close`; for one thread. Raises `CameraError`.

    `dropped` counts the messages that were not let in, without saying of what.
    """

    def __init__(self, device: OnvifDevice, clock: Clock) -> None:
        self._soap = device.soap
        self._device = device
        self._clock = clock
        self._path = ""
        self._to = ""
        self._reference = ""
        self._renew_s = 0.0
        self._most_messages = MOST_MESSAGES
        self._most_s = float(TERM_S)
        self.dropped = 0

    def open(self) -> None:
        """Subscribe to what is let in; to everything where the device cannot choose, and the rest is dropped here."""
        place = self._device.services().get(Service.EVENTS.namespace)
        if place is None:
            raise lacking("event service")
        term = f"<tev:InitialTerminationTime>PT{TERM_S}S</tev:InitialTerminationTime>"
        body = "<tev:CreatePullPointSubscription>{}</tev:CreatePullPointSubscription>"
        try:
            reply = self._ask(place, _CREATE, body.format(_FILTER + term))
        except (SoapFault, UnreadableReply) as error:
            if isinstance(error, SoapFault) and error.is_refusal:
                raise
            reply = self._ask(place, _CREATE, body.format(term))
        root = xml.parse(reply.content)
        # Some leave the reference out, and give the address alone.
        reference = next(xml.named(root, "SubscriptionReference"), xml.child(root, "Body", "CreatePullPointSubscriptionResponse"))
        named = next(xml.named(reference, "Address"), None) if reference is not None else None
        if reference is None or (named is None and xml.local_name(reference) != "SubscriptionReference"):
            raise UnreadableReply("the device does not say where its events are")
        self._to = address(named.text if named is not None else None)
        self._path = path_of(self._to) or place
        self._reference = _parameters_of(reference)
        self._renew_s = self._clock.monotonic_s() + TERM_S / 2

    def pull(self, timeout_s: float) -> tuple[DeviceEvent, ...]:
        """What has happened, as soon as something has, or nothing after `timeout_s`; renews the subscription when it is time."""
        if self._clock.monotonic_s() >= self._renew_s:
            with contextlib.suppress(SoapFault, UnreadableReply):  # many keep a subscription whose messages are pulled, and cannot renew it
                self.renew()
        try:
            reply = self._pulled(timeout_s)
        except SoapFault as fault:
            if not self._learn_limits(fault):
                raise
            reply = self._pulled(timeout_s)
        events, dropped = let_in(reply.content)
        self.dropped += dropped
        return events

    def _pulled(self, timeout_s: float) -> Reply:
        wait_s = max(1, round(min(timeout_s, self._most_s)))
        limits = f"<tev:Timeout>PT{wait_s}S</tev:Timeout><tev:MessageLimit>{self._most_messages}</tev:MessageLimit>"
        return self._ask(self._path, _PULL, f"<tev:PullMessages>{limits}</tev:PullMessages>", self._reference, timeout_s + 5.0)

    def _learn_limits(self, fault: SoapFault) -> bool:
        """Ask for no more than a device can do that has said how much that is; whether it has said so."""
        before = (self._most_messages, self._most_s)
        messages, duration = fault.limits.get("MaxMessageLimit", ""), _DURATION.fullmatch(fault.limits.get("MaxTimeout", ""))
        if messages.isdecimal() and len(messages) < 9:
            self._most_messages = min(self._most_messages, max(1, int(messages)))
        if duration is not None:
            hours, minutes, seconds = (float(part or 0) for part in duration.groups())
            self._most_s = min(self._most_s, max(1.0, 3600 * hours + 60 * minutes + seconds))
        return (self._most_messages, self._most_s) != before

    def renew(self) -> None:
        body = f"<wsnt:Renew><wsnt:TerminationTime>PT{TERM_S}S</wsnt:TerminationTime></wsnt:Renew>"
        self._renew_s = self._clock.monotonic_s() + TERM_S / 2
        self._ask(self._path, _RENEW, body, self._reference)

    def close(self) -> None:
        """Unsubscribe, where that was subscribed."""
        if self._path:
            path, self._path = self._path, ""
            self._ask(path, _END, "<wsnt:Unsubscribe/>", self._reference)

    def _ask(self, path: str, action: str, body: str, reference: str = "", timeout_s: float | None = None) -> Reply:
        header = f"<wsa:Action>{escape(action)}</wsa:Action><wsa:MessageID>urn:uuid:{uuid4()}</wsa:MessageID>"
        # Some tell their subscriptions apart by whom a message is for, in their own words, and not by its path.
        header += (f"<wsa:To>{escape(self._to)}</wsa:To>" if self._to else "") + reference
        expected = f"{action.rpartition('/')[2].removesuffix('Request')}Response"
        return self._soap.exchange(path, action, body, expected=expected, header=header, timeout_s=timeout_s)


def _parameters_of(reference: xml.Element) -> str:
    """What the device wants to hear again with each message, as it gave it."""
    parameters = next(xml.named(reference, "ReferenceParameters"), None)
    text = "" if parameters is None else "".join(xml.text(child) for child in parameters)
    if len(text) > _LONGEST_REFERENCE:
        raise UnreadableReply("the device wants to hear more with each message than it may")
    return text
