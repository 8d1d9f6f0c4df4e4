"""Brings an answer into the form that its description has: zeep drops in silence what stands in another place than it expects.

Servers that people write by hand send SOAP 1.1 for 1.2, elements in another order or namespace, elements of their own in
between, and fractions where whole numbers belong. Nothing is added and nothing is guessed: what stands under the right name
is put where it belongs.
"""

from __future__ import annotations

from copy import deepcopy
from math import isfinite
from typing import Any, Final

from zeep.xsd import Element as Described
from zeep.xsd.types.builtins import Integer

from lamppost.base.errors import UnreadableReply
from lamppost.cameras.onvif import xml

_SOAP: Final = "http://www.w3.org/2003/05/soap-envelope"
_ENVELOPES: Final = tuple(f"{{{soap}}}Envelope" for soap in (_SOAP, "http://schemas.xmlsoap.org/soap/envelope/"))


def fitted(root: xml.Element, described: Any) -> bytes:
    """The document `root`, whose body holds an answer, as `described` (an element of zeep) has that answer; `root` stays as it is.

    Raises `UnreadableReply` for what is no SOAP, 1.2 or 1.1.
    """
    root = deepcopy(root)
    body = xml.child(root, "Body")
    answer = next(iter(body), None) if body is not None else None
    if root.tag not in _ENVELOPES or body is None or answer is None:
        raise UnreadableReply("the device answers with what is no SOAP")
    # Of the headers of an answer none is for us, and of some zeep would want that they are understood.
    root[:] = [body]
    body[:] = [answer]
    root.tag, body.tag, answer.tag = _ENVELOPES[0], f"{{{_SOAP}}}Body", described.qname
    _fit(answer, described.type)
    return xml.text(root).encode()


def _fit(element: xml.Element, kind: Any) -> None:
    """Its children by name: sorted and named as `kind` has them, the unknown ones last. Bounded by what `xml.parse` lets in."""
    parts: list[Any] = [part for _, part in getattr(kind, "elements", ()) if isinstance(part, Described)]
    known = {str(part.qname.localname): (place, part) for place, part in reversed(list(enumerate(parts)))}
    children = [child for child in element if isinstance(child.tag, str)]
    if not known or not children:
        return
    places = [known[name][0] if (name := xml.local_name(child)) in known else len(parts) for child in children]
    if places != sorted(places):
        element[:] = [child for _, child in sorted(zip(places, children, strict=True), key=lambda each: each[0])]
    for child in children:
        _, part = known.get(xml.local_name(child), (0, None))
        if part is None:
            continue
        if child.tag != part.qname.text:
            child.tag = part.qname.text
        if isinstance(part.type, Integer):
            child.text = _whole(child.text)
        else:
            _fit(child, part.type)


def _whole(text: str | None) -> str | None:
    """A number as a whole one: `29.97` frames a second are 30."""
    try:
        number = float(text or "")
    except ValueError:
        return text
    return str(round(number)) if isfinite(number) else text
