"""SOAP 1.2 as ONVIF uses it: envelopes, and faults with their subcodes (ONVIF Core Specification 5.8.2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from lamppost.cameras.simulated.markup import PREFIXES, Markup, document, join, tag
from lamppost.cameras.simulated.nodes import Node, read

CONTENT_TYPE: Final = "application/soap+xml; charset=utf-8"
_PREFIX_OF: Final = {uri: prefix for prefix, uri in PREFIXES.items()}


class SoapRefusal(Exception):
    """What a service does not do. `code` is Sender or Receiver; `subcodes` go from the general to the special."""

    def __init__(self, code: str, subcodes: tuple[str, ...], reason: str, detail: Markup | None = None) -> None:
        super().__init__(reason)
        self.code = code
        self.subcodes = subcodes
        self.reason = reason
        self.detail = detail

    @property
    def status(self) -> int:
        """SOAP 1.2 part 2, table 20: who sent nonsense is told so."""
        return 400 if self.code == "Sender" else 500


def invalid(subcode: str, reason: str) -> SoapRefusal:
    """An argument that makes no sense."""
    return SoapRefusal("Sender", ("ter:InvalidArgVal", subcode), reason)


def not_supported(reason: str = "Optional action not implemented") -> SoapRefusal:
    """An action that is known and not implemented."""
    return SoapRefusal("Receiver", ("ter:ActionNotSupported",), reason)


@dataclass(frozen=True, slots=True)
class Question:
    """What stands in an envelope."""

    operation: str  # "tds:GetHostname", or "?:Name" in a namespace that nobody knows
    body: Node
    header: Node | None
    message_id: str


def question(content: bytes) -> Question:
    """The request in `content`; raises `SoapRefusal`."""
    try:
        root = read(content)
    except ValueError as error:
        raise SoapRefusal("Sender", ("ter:WellFormed",), str(error)) from error
    if root.name != "Envelope":
        raise SoapRefusal("Sender", ("ter:TagMismatch",), "this is no SOAP envelope")
    if root.namespace != PREFIXES["env"]:
        raise SoapRefusal("Sender", ("ter:Namespace",), "SOAP 1.2 is spoken here")
    bodies, headers = root.own("Body"), root.own("Header")
    if len(bodies) != 1 or len(bodies[0].children) != 1:
        raise SoapRefusal("Sender", ("ter:InvalidArgs",), "one action at a time")
    asked = bodies[0].children[0]
    operation = f"{_PREFIX_OF.get(asked.namespace, '?')}:{asked.name}"
    header = headers[0] if headers else None
    return Question(operation, asked, header, "" if header is None else header.value("MessageID"))


def envelope(body: Markup, *, action: str = "", relates_to: str = "") -> bytes:
    """An answer; `action` and `relates_to` are those of WS-Addressing."""
    addressing = tag("wsa:Action", action) if action else None
    related = tag("wsa:RelatesTo", relates_to) if relates_to else None
    return document(tag("env:Envelope", tag("env:Header", addressing, related), tag("env:Body", body)))


def fault(refusal: SoapRefusal) -> bytes:
    """A fault as an envelope of its own."""
    subcode: Markup | None = None
    for value in reversed(refusal.subcodes):
        subcode = tag("env:Subcode", tag("env:Value", value), subcode)
    code = tag("env:Code", tag("env:Value", f"env:{refusal.code}"), subcode)
    # `xml:lang` cannot be said as an argument's name.
    reason = Markup(f'<env:Reason><env:Text xml:lang="en">{join(refusal.reason)}</env:Text></env:Reason>')
    detail = tag("env:Detail", refusal.detail) if refusal.detail else None
    return envelope(tag("env:Fault", code, reason, detail))


def required(body: Node, name: str) -> str:
    """The text of an argument that must be there."""
    found = body.first(name)
    if found is None:
        raise SoapRefusal("Sender", ("ter:InvalidArgs",), f"{name} is missing")
    return found.text.strip()


def number(body: Node, name: str, least: float, most: float) -> float:
    """An argument that is a number within bounds."""
    try:
        value = float(required(body, name))
    except ValueError as error:
        raise SoapRefusal("Sender", ("ter:InvalidArgVal",), f"{name} is no number") from error
    if not least <= value <= most:
        raise SoapRefusal("Sender", ("ter:InvalidArgVal",), f"{name} is out of range")
    return value


def is_true(text: str) -> bool:
    """Whether `text` is a true boolean of XML Schema."""
    return text in ("true", "1")
