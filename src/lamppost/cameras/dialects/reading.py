"""Reads what devices answer: XML, JSON, and lines of `key=value`. What is hostile, cut off or something else is `UnreadableReply`.

XML has no document type and no entities here; depth, number and length of
everything are bounded, and nothing is loaded from anywhere.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, cast
from xml.parsers import expat

from lamppost.base.errors import UnreadableReply
from lamppost.cameras.web import Reply

MOST_DEPTH: Final = 48
MOST_ELEMENTS: Final = 20_000
MOST_LINES: Final = 20_000
_LONGEST_KEY: Final = 256
_LONGEST_VALUE: Final = 4096
_PLAIN: Final = {"", "text/plain"}
_XML_TYPES: Final = _PLAIN | {"application/xml", "text/xml"}
_JSON_TYPES: Final = _PLAIN | {"application/json", "text/json"}
_KEY: Final = re.compile(r"[A-Za-z_][\w.\[\]-]*")
_PAGE: Final = re.compile(rb"\s*(?:\xef\xbb\xbf)?\s*<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Element:
    """An element of XML; `name` is without its prefix."""

    name: str
    attributes: Mapping[str, str]
    text: str
    children: tuple[Element, ...]

    def all(self) -> Iterator[Element]:
        """It and everything in it, in order."""
        waiting: list[Element] = [self]
        while waiting:
            element = waiting.pop()
            yield element
            waiting.extend(reversed(element.children))

    def each(self, name: str) -> Iterator[Element]:
        """Every element of this name in it, in any case."""
        return (element for element in self.all() if element.name.lower() == name.lower())

    def first(self, name: str) -> str | None:
        """The text of the first of this name that has one; None where there is none."""
        return next((element.text for element in self.each(name) if element.text), None)


@dataclass(slots=True)
class _Open:
    name: str
    attributes: dict[str, str]
    text: list[str] = field(default_factory=list[str])
    children: list[Element] = field(default_factory=list[Element])


class _Builder:
    """Makes a tree of what expat tells, and gives up where there is too much of it."""

    def __init__(self) -> None:
        self.root: Element | None = None
        self._open: list[_Open] = []
        self._count = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._count += 1
        if len(self._open) >= MOST_DEPTH or self._count > MOST_ELEMENTS:
            raise UnreadableReply("its XML is too deep or too long")
        self._open.append(_Open(name.rpartition(":")[2], {key.rpartition(":")[2]: value for key, value in attributes.items()}))

    def end(self, _name: str) -> None:
        done = self._open.pop()
        element = Element(done.name, done.attributes, "".join(done.text).strip(), tuple(done.children))
        if self._open:
            self._open[-1].children.append(element)
        else:
            self.root = element

    def text(self, text: str) -> None:
        self._open[-1].text.append(text)

    def refuse(self, *_: Any) -> int:
        raise UnreadableReply("its XML has a document type or an entity")


def read_xml(reply: Reply) -> Element:
    """The root of a reply in XML; raises `UnreadableReply`."""
    if not (reply.content_type in _XML_TYPES or reply.content_type.endswith("+xml")) or _PAGE.match(reply.content):
        raise UnreadableReply("it answers with something else than XML")
    builder = _Builder()
    parser = expat.ParserCreate()
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.text
    parser.StartDoctypeDeclHandler = builder.refuse
    parser.EntityDeclHandler = builder.refuse
    parser.ExternalEntityRefHandler = builder.refuse
    try:
        parser.Parse(reply.content, True)
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise UnreadableReply("its XML cannot be read") from error
    if builder.root is None:
        raise UnreadableReply("its XML is empty")
    return builder.root


def read_json(reply: Reply) -> Mapping[str, Any]:
    """The object of a reply in JSON; raises `UnreadableReply`."""
    if reply.content_type not in _JSON_TYPES:
        raise UnreadableReply("it answers with something else than JSON")
    try:
        found: Any = json.loads(reply.content.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise UnreadableReply("its JSON cannot be read") from error
    if not isinstance(found, dict) or not _is_shallow(found):
        raise UnreadableReply("its JSON is no object, or too deep")
    return cast("Mapping[str, Any]", found)


def items_in(value: Any) -> list[Any]:
    """The items of a list; none of what is no list."""
    return list(cast("Iterable[Any]", value)) if isinstance(value, list) else []


def fields_in(value: Any) -> Mapping[str, Any]:
    """The fields of an object; none of what is no object."""
    return cast("Mapping[str, Any]", value) if isinstance(value, dict) else {}


def _is_shallow(value: Any) -> bool:
    level: list[Any] = [value]
    for _ in range(MOST_DEPTH):
        level = [inner for one in level for inner in (*items_in(one), *fields_in(one).values())]
        if not level:
            return True
    return False


@dataclass(frozen=True, slots=True)
class Lines:
    """`key=value`, a line each. `is_whole`: it is known that no line is missing, and every letter could be read."""

    values: Mapping[str, str]
    is_whole: bool


def read_lines(reply: Reply) -> Lines:
    """The keys and values of a reply in plain lines; raises `UnreadableReply`."""
    content = reply.content
    if reply.content_type not in _PLAIN or _PAGE.match(content) or content.lstrip()[:1] in (b"<", b"{"):
        raise UnreadableReply("it answers with something else than lines")
    try:
        text, is_whole = content.decode("utf-8-sig"), _is_whole(reply)
    except UnicodeDecodeError:
        # Old firmware writes names of rules in its own alphabet: what can be read may be a yes, and is never a no.
        text, is_whole = content.decode("latin-1"), False
    values: dict[str, str] = {}
    lines = [line.strip(" \t\r\0") for line in text.split("\n")]
    if len(lines) > MOST_LINES:
        raise UnreadableReply("it answers with too many lines")
    for line in filter(None, lines):
        key, is_pair, value = line.partition("=")
        if not is_pair or len(key) > _LONGEST_KEY or len(value) > _LONGEST_VALUE or not _KEY.fullmatch(key):
            raise UnreadableReply("it answers with an error, or with something else than keys and values")
        if key in values and values[key] != value:
            is_whole = False
        values.setdefault(key, value)
    if not values or any(key.lower() in ("error", "errorid") for key in values):
        raise UnreadableReply("it answers with an error")
    return Lines(values, is_whole)


def _is_whole(reply: Reply) -> bool:
    """Whether the device has said how long its answer is; one that just ends may have been cut off at the end of a line."""
    length = reply.headers.get("content-length", "").strip()
    is_counted = length.isascii() and length.isdigit() and len(length) < 12 and int(length) == len(reply.content)
    is_chunked = "chunked" in reply.headers.get("transfer-encoding", "").lower()
    return (is_counted or is_chunked) and reply.content.endswith(b"\n")
