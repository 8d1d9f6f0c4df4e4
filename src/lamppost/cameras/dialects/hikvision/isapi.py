"""How ISAPI is spoken: documents of XML or JSON, and what is an error although its status is 200."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Any, Final
from xml.sax.saxutils import escape, quoteattr

from lamppost.base.errors import CameraRefused, UnreadableReply
from lamppost.cameras.dialects.interview import Asker, answered
from lamppost.cameras.dialects.reading import Element, fields_in, items_in, read_json, read_xml
from lamppost.cameras.dialects.words import level_of
from lamppost.cameras.web import Reply
from lamppost.model.devices import Level

XML: Final = {"Content-Type": "application/xml"}
_STATUS: Final = frozenset({"statusCode", "statusString", "subStatusCode"})
_SPACE: Final = "http://www.hikvision.com/ver20/XMLSchema"


def document(*roots: str) -> Callable[[Reply], Element]:
    """Reads XML whose root's name begins with one of these; an error of ISAPI is none of them."""

    def read(reply: Reply) -> Element:
        root = read_xml(reply)
        if root.name == "ResponseStatus":
            raise UnreadableReply(f"it answers with an error: {_error(root)}")
        if not any(root.name.lower().startswith(name.lower()) for name in roots):
            raise UnreadableReply(f"it answers with another document: {root.name[:60]}")
        return root

    return read


def document_or_json(*roots: str) -> Callable[[Reply], Element]:
    """As `document`; JSON of the same names is read as if it were XML."""

    def read(reply: Reply) -> Element:
        if not reply.content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
            return document(*roots)(reply)
        found = read_json(reply)
        name = next((name for name in found if any(name.lower().startswith(root.lower()) for root in roots)), None)
        if name is not None:
            root = _element(name, found[name], 0)
            # What stands beside it belongs to the answer as well.
            beside = tuple(_element(key, value, 1) for key, value in found.items() if key != name and key not in _STATUS)
            return replace(root, children=(*root.children, *beside))
        raise UnreadableReply("it answers with an error, or with another document")

    return read


def flag(root: Element, name: str) -> Level:
    """What a document says of `name`: unknown where it is not in it, for absence says nothing."""
    levels = {level_of(element.text) for element in root.each(name)}
    return levels.pop() if len(levels) == 1 else Level.YES if Level.YES in levels else Level.UNKNOWN


def options(element: Element) -> tuple[str, ...]:
    """What `opt` says may be set; empty where it does not say."""
    return tuple(word.strip() for word in element.attributes.get("opt", "").split(",") if word.strip())


def ask_for(web: Asker, path: str, *roots: str) -> Element:
    """A document outside an audit; raises `CameraError`."""
    return document(*roots)(answered(web.ask("GET", path)))


def written(element: Element, chosen: Collection[Element] = (), text: str = "") -> str:
    """`element` as XML again, with `text` in each of `chosen`."""
    inner = text if any(element is one for one in chosen) else element.text
    attributes = "".join(f" {name}={quoteattr(value)}" for name, value in element.attributes.items() if name not in ("xmlns", "opt"))
    children = "".join(written(child, chosen, text) for child in element.children)
    return f"<{element.name}{attributes}>{escape(inner)}{children}</{element.name}>"


def put(web: Asker, path: str, root: Element, chosen: Collection[Element], text: str) -> None:
    """Set `text` in the chosen elements of a document, and leave the rest; raises `CameraError` unless the device says it took it."""
    attributes = {name: value for name, value in root.attributes.items() if name in ("version", "xmlns")}
    whole = Element(root.name, {"version": attributes.get("version", "2.0")}, root.text, root.children)
    content = written(whole, chosen, text).replace(f"<{root.name}", f"<{root.name} xmlns={quoteattr(attributes.get('xmlns', _SPACE))}", 1)
    reply = answered(web.ask("PUT", path, f'<?xml version="1.0" encoding="UTF-8"?>{content}'.encode(), XML))
    status = read_xml(reply)
    if status.name != "ResponseStatus" or status.first("statusCode") not in ("1", "7"):  # OK, and OK after a restart
        raise CameraRefused(f"it did not take {path}: {_error(status)}", remedy="may this user change it?")


def _error(root: Element) -> str:
    words = (root.first("statusString"), root.first("subStatusCode"))
    return " ".join(word[:60] for word in words if word) or "without a word"


def _element(name: str, value: Any, depth: int) -> Element:
    if depth > 24:
        raise UnreadableReply("its JSON is too deep")
    fields = fields_in(value)
    attributes = {key[1:]: str(inner) for key, inner in fields.items() if key.startswith("@")}
    children = [_element(key, inner, depth + 1) for key, inner in fields.items() if not key.startswith("@")]
    children += [_element("item", inner, depth + 1) for inner in items_in(value)]
    if isinstance(value, dict | list):
        return Element(name, attributes, "", tuple(children))
    text = str(value).lower() if isinstance(value, bool) else "" if value is None else str(value)
    return Element(name, {}, text, ())
