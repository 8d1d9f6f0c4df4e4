"""Reads XML that a device has sent, within limits and without believing it: no document type, no entity, no help from outside."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from lxml import etree

from lamppost.base.errors import UnreadableReply

MOST_ELEMENTS: Final = 20_000
MOST_DEPTH: Final = 64

Element = Any
"""An element of lxml, which brings no types."""


def parse(content: bytes) -> Element:
    """The root of a document; raises `UnreadableReply`.

    What is broken is not mended: a reply that ends too early would say less than the device did.
    """
    # The library forbids 256 levels, 10 million characters of one text and whatever lies outside by itself.
    parser = etree.XMLParser(
        resolve_entities=False, load_dtd=False, no_network=True, huge_tree=False, recover=False, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(content, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise UnreadableReply("the device answers with what is no XML") from error
    if root.getroottree().docinfo.doctype:
        raise UnreadableReply("the device answers with a document type, which no device needs")
    _check_size(root)
    return root


def _check_size(root: Element) -> None:
    depth = count = 0
    for event, _ in etree.iterwalk(root, events=("start", "end")):
        if event == "end":
            depth -= 1
            continue
        depth, count = depth + 1, count + 1
        if depth > MOST_DEPTH or count > MOST_ELEMENTS:
            raise UnreadableReply("the device answers with more XML than any answer has")


def local_name(element: Element) -> str:
    """The name of an element without its namespace; empty for what is no element."""
    tag = element.tag
    return str(tag).rpartition("}")[2] if isinstance(tag, str) else ""


def named(root: Element, name: str) -> Iterator[Element]:
    """The elements of that local name, in order, wherever they are."""
    return (element for element in root.iter() if local_name(element) == name)


def text_of(element: Element | None, most: int = 256) -> str:
    """The text of an element on one line, cut to `most` characters; empty where there is none."""
    text = "" if element is None else str(element.text or "")
    return "".join(letter if letter.isprintable() else " " for letter in text[: 4 * most]).strip()[:most]


def text(element: Element) -> str:
    """An element written out, with the namespaces that it needs."""
    return str(etree.tostring(element, encoding="unicode"))
