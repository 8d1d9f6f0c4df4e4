"""Reads XML that a device has sent, within limits and without believing it: no document type, no entity, no help from outside."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, cast

from lxml import etree

from lamppost.base.errors import UnreadableReply

MOST_ELEMENTS: Final = 20_000
MOST_ATTRIBUTES: Final = 64
MOST_DEPTH: Final = 64

# In all of these, `<!DOCTYPE` is the same bytes, and no other bytes become it.
_LETTERS: Final = frozenset({"utf-8", "utf8", "us-ascii", "ascii", "iso-8859-1", "gb2312", "gbk", "gb18030"})
_DECLARATION: Final = re.compile(rb"<\?xml\s[^<>]{0,256}?\?>")
_ENCODING: Final = re.compile(rb"\sencoding\s{0,8}=\s{0,8}[\"']([A-Za-z0-9._-]{1,32})[\"']")
_ATTRIBUTES_OR_SO: Final = re.compile(rb"=\s{0,8}[\"']")
_ROOT: Final = re.compile(rb"\s*<[A-Za-z_][\w.:-]{0,127}")
_PREFIX: Final = re.compile(rb"[<\s/]([A-Za-z_][\w.-]{0,31}):[A-Za-z_]")
_MOST_PREFIXES: Final = 64
_BARE: Final = re.compile(rb"&(?!(?:#[0-9]{1,7}|#x[0-9A-Fa-f]{1,6}|[A-Za-z_][\w.-]{0,31});)")
_KINDS: Final = cast("Any", etree).ErrorTypes
_MENDABLE: Final = frozenset[int]({_KINDS.NS_ERR_UNDEFINED_NAMESPACE, _KINDS.ERR_NAME_REQUIRED, _KINDS.ERR_ENTITYREF_SEMICOL_MISSING})

Element = Any
"""An element of lxml, which brings no types."""


def parse(content: bytes) -> Element:
    """The root of a document; raises `UnreadableReply`.

    What is broken is not mended: a reply that ends too early would say less than the device did.
    """
    return parse_plain(plain(content))


def plain(content: bytes) -> bytes:
    """A document as UTF-8 without its declaration, and surely without a document type; raises `UnreadableReply`.

    Looked at before any library reads it: entities grow while they are read.
    """
    content = content.removeprefix(b"\xef\xbb\xbf").strip(b" \t\r\n\0")
    if b"\0" in content:
        raise UnreadableReply("the device answers in letters that no answer has")
    declaration = _DECLARATION.match(content)
    if declaration is not None:
        content = content[declaration.end() :]
        found = _ENCODING.search(declaration[0])
        encoding = found[1].decode("ascii").lower() if found else "utf-8"
        if encoding not in _LETTERS:
            raise UnreadableReply("the device answers in letters that no answer has")
        try:
            content = content if encoding in ("utf-8", "utf8") else content.decode(encoding).encode()
        except UnicodeDecodeError:
            raise UnreadableReply("the device answers in other letters than it says") from None
    if re.match(rb"\s*<\?xml\s", content) or b"<!DOCTYPE" in content or b"<!ENTITY" in content:
        raise UnreadableReply("the device answers with a document type, which no device needs")
    if content.count(b"<") > 3 * MOST_ELEMENTS or sum(1 for _ in _ATTRIBUTES_OR_SO.finditer(content)) > 2 * MOST_ELEMENTS:
        raise UnreadableReply("the device answers with more XML than any answer has")
    return content


def parse_plain(content: bytes) -> Element:
    """The root of what `plain` has given; raises `UnreadableReply`."""
    root = _root(content, mends=(_declared, _escaped))
    if root.getroottree().docinfo.doctype:
        raise UnreadableReply("the device answers with a document type, which no device needs")
    _check_size(root)
    return root


def _root(content: bytes, mends: Sequence[Callable[[bytes], bytes]]) -> Element:
    # The library forbids what is nested without an end, 10 million characters of one text and whatever lies outside by itself.
    parser: Any = etree.XMLParser(
        resolve_entities=False, load_dtd=False, no_network=True, huge_tree=False, recover=False, remove_comments=True, remove_pis=True
    )
    try:
        return etree.fromstring(content, parser)
    except (etree.XMLSyntaxError, ValueError):
        # The parser's own log: that of the error goes on from one document to the next.
        kinds: set[int] = {entry.type for entry in parser.error_log}
    # Only what takes nothing away: templates that people write by hand use prefixes and forget to say what they mean, and
    # addresses of streams come with a bare `&`.
    if mends and kinds and kinds <= _MENDABLE:
        mended = content
        for mend in mends:
            mended = mend(mended)
        return _root(mended, mends=())
    # Without the error as its cause: it quotes what was sent.
    raise UnreadableReply("the device answers with what is no XML")


def _escaped(content: bytes) -> bytes:
    """The document with each `&` that begins no reference as `&amp;`."""
    return _BARE.sub(b"&amp;", content)


def _declared(content: bytes) -> bytes:
    """The document with each prefix declared that its outermost element does not declare: we go by names without prefixes."""
    start = _ROOT.match(content)
    used = {found[1] for found in _PREFIX.finditer(content)} - {b"xml", b"xmlns"}
    if start is None or len(used) > _MOST_PREFIXES:
        return content
    tag = content[: content.find(b">", start.end())]
    said = b"".join(b' xmlns:%s="urn:undeclared:%s"' % (prefix, prefix) for prefix in sorted(used) if b"xmlns:%s=" % prefix not in tag)
    return content[: start.end()] + said + content[start.end() :]


def _check_size(root: Element) -> None:
    depth = count = 0
    for event, element in etree.iterwalk(root, events=("start", "end")):
        if event == "end":
            depth -= 1
            continue
        depth, count = depth + 1, count + 1
        if depth > MOST_DEPTH or count > MOST_ELEMENTS or len(element.attrib) > MOST_ATTRIBUTES:
            raise UnreadableReply("the device answers with more XML than any answer has")


def local_name(element: Element) -> str:
    """The name of an element without its namespace; empty for what is no element."""
    tag = element.tag
    return str(tag).rpartition("}")[2] if isinstance(tag, str) else ""


def named(root: Element, name: str) -> Iterator[Element]:
    """The elements of that local name, in order, wherever they are."""
    return (element for element in root.iter() if local_name(element) == name)


def child(element: Element | None, *names: str) -> Element | None:
    """The first child of the first name, in that the first of the second, and so on; None where one is missing."""
    for name in names:
        element = next((each for each in element if local_name(each) == name), None) if element is not None else None
    return element


def text_of(element: Element | None, most: int = 256) -> str:
    """The text of an element on one line, cut to `most` characters; empty where there is none."""
    text = "" if element is None else str(element.text or "")
    return "".join(letter if letter.isprintable() else " " for letter in text[: 4 * most]).strip()[:most].rstrip()


def text(element: Element) -> str:
    """An element written out, with the namespaces that it needs."""
    return str(etree.tostring(element, encoding="unicode", with_tail=False))
