"""The ONVIF event service: pull points over WS-BaseNotification (Core Specification, section 9)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from lamppost.base.clock import US_PER_S, format_utc, parse_utc
from lamppost.cameras.simulated.machine import Call, Operation
from lamppost.cameras.simulated.markup import PREFIXES, Markup, join, tag
from lamppost.cameras.simulated.nodes import Node
from lamppost.cameras.simulated.notifications import Notification, digital_input, known, message, motion, relay, tamper
from lamppost.cameras.simulated.pull_points import PullPoint
from lamppost.cameras.simulated.soap import SoapRefusal, invalid, required

_CONCRETE: Final = "http://docs.oasis-open.org/wsn/t-1/TopicExpression/Concrete"
_CONCRETE_SET: Final = "http://www.onvif.org/ver10/tev/topicExpression/ConcreteSet"
_ITEM_FILTER: Final = "http://www.onvif.org/ver10/tev/messageContentFilter/ItemFilter"
_DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?")
_DEFAULT_S: Final = 60.0
_LONGEST_S: Final = 3600.0
_LONGEST_PULL_S: Final = 60.0
_MOST_AT_ONCE: Final = 100


def seconds(written: str) -> float:
    """A duration of XML Schema, such as `PT1M`; raises `SoapRefusal`."""
    match = _DURATION.fullmatch(written)
    if match is None or not any(match.groups()):
        raise invalid("ter:InvalidArgVal", f"{written[:32]} is no duration")
    days, hours, minutes, left = (float(part or 0) for part in match.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60 + left


def _create(call: Call) -> Markup:
    wants = _topic_filter(call.body.first("Filter"))
    asked = call.body.value("InitialTerminationTime")
    for_s = _until(call, asked) if asked else _DEFAULT_S
    machine = call.machine
    point = machine.pull_points.open(wants, for_s, is_kept_by_pulling=not asked)
    if point is None:
        raise SoapRefusal("Receiver", ("wsnt:SubscribeCreationFailedFault",), "too many pull points")
    _tell_states(call, point)
    base, path = call.base, machine.vendor.paths["tev"]
    address = tag("wsa:Address", f"{base}{path}/subscription?Idx={point.number}")
    return join(tag("tev:SubscriptionReference", address), *_times(call, point, "wsnt"))


def _topic_filter(given: Node | None) -> Callable[[str], bool]:
    """Which topics a subscription wants: `tns1:A/B|tns1:C//.`; anything where there is no filter."""
    expressions = [] if given is None else list(given.each("TopicExpression"))
    if not expressions:
        return lambda topic: True
    wanted: list[tuple[str, bool]] = []
    for expression in expressions:
        if expression.attributes.get("Dialect", _CONCRETE_SET) not in (_CONCRETE, _CONCRETE_SET):
            raise SoapRefusal("Sender", ("wsnt:TopicExpressionDialectUnknownFault",), "ConcreteSet is spoken here")
        for alternative in expression.text.split("|"):
            path = alternative.strip()
            has_below = path.endswith("//.")
            wanted.append((_in_our_words(path.removesuffix("//."), expression.prefixes), has_below))
    return lambda topic: any(topic == path or (has_below and topic.startswith(f"{path}/")) for path, has_below in wanted)


def _in_our_words(path: str, prefixes: Mapping[str, str]) -> str:
    """A topic with the prefix that stands for its namespace here."""
    prefix, colon, rest = path.partition(":")
    if not colon or not rest:
        raise SoapRefusal("Sender", ("wsnt:InvalidTopicExpressionFault",), "a topic has a namespace")
    return f"tns1:{rest}" if prefixes.get(prefix) == PREFIXES["tns1"] else f"{{{prefixes.get(prefix)}}}{rest}"


def _until(call: Call, asked: str) -> float:
    """How long from now `asked` is, a duration or a time by the camera's clock."""
    if asked.startswith("P"):
        for_s = seconds(asked)
    else:
        try:
            for_s = (parse_utc(asked) - call.machine.device_us()) / US_PER_S
        except ValueError as error:
            raise invalid("ter:InvalidArgVal", "that is no time") from error
    if for_s <= 0:
        raise SoapRefusal("Sender", ("wsnt:UnacceptableInitialTerminationTimeFault",), "that time is over")
    return min(for_s, _LONGEST_S)


def _times(call: Call, point: PullPoint, prefix: str) -> tuple[Markup, Markup]:
    now_us = call.machine.device_us()
    end_us = now_us + round((point.ends_s - call.machine.now_s()) * US_PER_S)
    return tag(f"{prefix}:CurrentTime", format_utc(now_us)), tag(f"{prefix}:TerminationTime", format_utc(end_us))


def _tell_states(call: Call, point: PullPoint) -> None:
    """What holds at this moment, so that nobody has to wait for a change (9.1, property events)."""
    machine, state = call.machine, call.state
    by_rule = machine.vendor.tells_by_rule
    states = [motion(state.has_motion, by_rule=by_rule), tamper(state.is_tampered, by_rule=by_rule)]
    states += [digital_input(token, is_active) for token, is_active in state.inputs.items()]
    states += [relay(token, is_active) for token, is_active in state.relays.items()]
    for each in states:
        machine.pull_points.tell(each, machine.device_us(), "Initialized", to=point)


def _point(call: Call) -> PullPoint:
    number = call.target.partition("?Idx=")[2]
    point = call.machine.pull_points.point(int(number)) if number.isascii() and number.isdigit() and len(number) < 10 else None
    if point is None:
        at = tag("wsrfbf:Timestamp", format_utc(call.machine.device_us()))
        raise SoapRefusal("Sender", ("wsrf:ResourceUnknownFault",), "there is no such subscription", tag("wsrf:ResourceUnknownFault", at))
    return point


def _pull(call: Call) -> Markup:
    point = _point(call)
    timeout_s = min(seconds(required(call.body, "Timeout")), _LONGEST_PULL_S)
    limit = required(call.body, "MessageLimit")
    if not (limit.isascii() and limit.isdigit()) or len(limit) > 9 or int(limit) < 1:
        raise invalid("ter:InvalidArgVal", "MessageLimit is a number from 1")
    messages = call.machine.pull_points.pull(point, timeout_s, min(int(limit), _MOST_AT_ONCE))
    shown = (message(notification, format_utc(at_us), operation) for notification, at_us, operation in messages)
    return join(*_times(call, point, "tev"), *shown)


def _synchronize(call: Call) -> Markup:
    _tell_states(call, _point(call))
    return Markup()


def _renew(call: Call) -> Markup:
    point = _point(call)
    call.machine.pull_points.renew(point, _until(call, required(call.body, "TerminationTime")))
    now, end = _times(call, point, "wsnt")
    return join(end, now)


def _unsubscribe(call: Call) -> Markup:
    call.machine.pull_points.close(_point(call))
    return Markup()


def _properties(call: Call) -> Markup:
    topics = known(call.state.most, by_rule=call.machine.vendor.tells_by_rule)
    return join(
        tag("tev:TopicNamespaceLocation", "http://www.onvif.org/onvif/ver10/topics/topicns.xml"),
        tag("wsnt:FixedTopicSet", True),
        tag("wstop:TopicSet", _topic_tree(topics)),
        tag("wsnt:TopicExpressionDialect", _CONCRETE),
        tag("wsnt:TopicExpressionDialect", _CONCRETE_SET),
        tag("tev:MessageContentFilterDialect", _ITEM_FILTER),
        tag("tev:MessageContentSchemaLocation", "http://www.onvif.org/onvif/ver10/schema/onvif.xsd"),
    )


def _topic_tree(topics: tuple[Notification, ...]) -> Markup:
    """The topics as nested elements, of which the last says that it is one."""
    tree: dict[str, Any] = {}
    for notification in topics:
        node = tree
        *above, last = notification.topic.split("/")
        for step in above:
            node = node.setdefault(step, {})
        node[last] = notification
    return _branches(tree)


def _branches(tree: dict[str, Any]) -> Markup:
    return join(*(_branch(name, node) for name, node in tree.items()))


def _branch(name: str, node: Any) -> Markup:
    if not isinstance(node, Notification):
        return tag(name, _branches(node))
    source = tag("tt:Source", *(tag("tt:SimpleItemDescription", Name=item, Type="tt:ReferenceToken") for item, _ in node.source))
    data = tag("tt:Data", *(tag("tt:SimpleItemDescription", Name=item, Type=_type(value)) for item, value in node.data))
    described = tag("tt:MessageDescription", source, data, IsProperty=node.is_property)
    return tag(name, described, **{"wstop:topic": True})


def _type(value: str) -> str:
    return "xs:boolean" if value in ("true", "false") else "xs:string"


OPERATIONS: Final[dict[str, Operation]] = {
    "CreatePullPointSubscription": _create,
    "PullMessages": _pull,
    "SetSynchronizationPoint": _synchronize,
    "GetEventProperties": _properties,
}
SUBSCRIPTIONS: Final[dict[str, Operation]] = {"Renew": _renew, "Unsubscribe": _unsubscribe}
_EVENTS: Final = "http://www.onvif.org/ver10/events/wsdl"
_PORTS: Final = {
    "tev:PullMessages": f"{_EVENTS}/PullPointSubscription",
    "tev:SetSynchronizationPoint": f"{_EVENTS}/PullPointSubscription",
    "wsnt:Renew": "http://docs.oasis-open.org/wsn/bw-2/SubscriptionManager",
    "wsnt:Unsubscribe": "http://docs.oasis-open.org/wsn/bw-2/SubscriptionManager",
}


def action_of(operation: str) -> str:
    """The WS-Addressing action of the answer to `operation`; empty outside of the event service."""
    prefix, _, name = operation.partition(":")
    if prefix not in ("tev", "wsnt"):
        return ""
    return f"{_PORTS.get(operation, f'{_EVENTS}/EventPortType')}/{name}Response"
