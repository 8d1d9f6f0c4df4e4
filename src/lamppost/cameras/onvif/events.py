"""What a device tells besides video, by a pull point (ONVIF Core, section 9): let in by an allow-list of topics.

The device is asked for these topics alone; whatever else it sends (faces,
plates, attributes, objects) is dropped unread, see `notices`.
"""

from __future__ import annotations

import contextlib
from typing import Final
from xml.sax.saxutils import escape

from lamppost.base.clock import Clock
from lamppost.base.errors import UnreadableReply
from lamppost.cameras.onvif import xml
from lamppost.cameras.onvif.descriptions import Service
from lamppost.cameras.onvif.device import OnvifDevice, path_of
from lamppost.cameras.onvif.faults import SoapFault, lacking
from lamppost.cameras.onvif.notices import MOST_MESSAGES, let_in
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
            raise lacking("event service")
        term = f"<tev:InitialTerminationTime>PT{TERM_S}S</tev:InitialTerminationTime>"
        body = "<tev:CreatePullPointSubscription>{}</tev:CreatePullPointSubscription>"
        try:
            reply = self._ask(place, _CREATE, body.format(_FILTER + term))
        except SoapFault as error:
            if error.is_refusal:
                raise
            reply = self._ask(place, _CREATE, body.format(term))
        root = xml.parse(reply.content)
        reference = next(xml.named(root, "SubscriptionReference"), None)
        if reference is None:
            raise UnreadableReply("the device does not say where its events are")
        address = xml.child(reference, "Address")
        self._path = path_of(address.text if address is not None else None) or place
        self._reference = _parameters_of(reference)
        self._renew_s = self._clock.monotonic_s() + TERM_S / 2

    def pull(self, timeout_s: float) -> tuple[DeviceEvent, ...]:
        """What has happened, as soon as something has, or nothing after `timeout_s`; renews the subscription when it is time."""
        if self._clock.monotonic_s() >= self._renew_s:
            with contextlib.suppress(SoapFault):  # many keep a subscription whose messages are pulled, and cannot renew it
                self.renew()
        limits = f"<tev:Timeout>PT{max(1, round(timeout_s))}S</tev:Timeout><tev:MessageLimit>{MOST_MESSAGES}</tev:MessageLimit>"
        body = f"<tev:PullMessages>{limits}</tev:PullMessages>"
        events, dropped = let_in(self._ask(self._path, _PULL, body, self._reference, timeout_s + 5.0).content)
        self.dropped += dropped
        return events

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
        header = f"<wsa:Action>{escape(action)}</wsa:Action>{reference}"
        expected = f"{action.rpartition('/')[2].removesuffix('Request')}Response"
        return self._soap.exchange(path, action, body, expected=expected, header=header, timeout_s=timeout_s)


def _parameters_of(reference: xml.Element) -> str:
    """What the device wants to hear again with each message, as it gave it."""
    parameters = next(xml.named(reference, "ReferenceParameters"), None)
    text = "" if parameters is None else "".join(xml.text(child) for child in parameters)
    if len(text) > _LONGEST_REFERENCE:
        raise UnreadableReply("the device wants to hear more with each message than it may")
    return text
