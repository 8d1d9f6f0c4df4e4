"""Spoils SOAP replies in every way that we could think of, the same way for the same seed."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Sequence
from typing import Any

from lxml import etree

from lamppost.cameras.web import MOST_BYTES, Reply

_NAMESPACES = (
    "http://www.onvif.org/ver10/schema",
    "http://www.onvif.org/ver20/media/wsdl",
    "http://schemas.xmlsoap.org/soap/envelope/",
    "urn:x",
    "",
)
_TEXTS = (
    *(
        "",
        " ",
        "NaN",
        "INF",
        "-INF",
        "-1",
        "0",
        "1e400",
        "9" * 19,
        "9" * 5000,
        "0x7f",
        "true",
        "PT99999999999999999S",
        "P1Y2M",
        "99999-99-99",
    ),
    *(
        "2024-02-30T25:61:61Z",
        "\u202e\u0000"[:1] + "x",
        "é" * 3000,
        "A" * 100_000,
        "rtsp://[::1",
        "http://x:99999999/y",
        "//x/y",
        "/" * 9000,
    ),
    *("rtsp://u:p@10.0.0.1:0/a?b=c&d", "file:///etc/passwd", "tt:FaceRecognition", "Face, Human", "%s%n{0}{__class__}", "\ud7ff\ue000"),
)
_XSI = "{http://www.w3.org/2001/XMLSchema-instance}"
_TYPES = ("tt:Profile", "xs:int", "xs:dateTime", "tt:RuleEngineConfiguration", "nowhere:Thing", "x", ":", "xs:anyType")
_LAUGHS = b'<!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]>'


class Spoiler:
    """Makes hostile replies out of good ones."""

    def __init__(self, seed: int, others: Sequence[Reply]) -> None:
        self.chance = random.Random(seed)
        self._others = others

    def spoiled(self, good: Reply) -> Reply:
        """`good`, with one to four things wrong with it; never longer than a device may answer."""
        content, status, headers = good.content, good.status, dict(good.headers)
        for _ in range(self.chance.choice((1, 1, 2, 3, 4))):
            content = self.chance.choice((self._bytes, self._tree, self._tree, self._tree))(content)
        if self.chance.random() < 0.1:
            status = self.chance.choice((204, 301, 400, 401, 403, 404, 500, 503))
        if self.chance.random() < 0.05:
            headers["content-type"] = self.chance.choice(
                ("text/html", "multipart/related; boundary=x", "", "application/soap+xml; charset=x")
            )
        if self.chance.random() < 0.05:
            headers["www-authenticate"] = 'Digest realm="x", nonce="y"'
        return Reply(status, headers, content[:MOST_BYTES])

    def _bytes(self, content: bytes) -> bytes:
        chance = self.chance
        at, to = sorted((chance.randrange(len(content) + 1), chance.randrange(len(content) + 1)))
        ways: tuple[Callable[[], bytes], ...] = (
            lambda: content[:at],
            lambda: content[:at] + content[to:],
            lambda: content[:to] + content[at:],
            lambda: content[:at] + chance.choice(self._others).content[at:],
            lambda: content[:at] + bytes(chance.randrange(256) for _ in range(chance.choice((1, 2, 8, 64)))) + content[at:],
            lambda: content[:at] + bytes([chance.randrange(256)]) + content[at + 1 :],
            lambda: content[:at] + content[at:to] * chance.choice((2, 10, 1000)) + content[to:],
            lambda: _LAUGHS + content.replace(b"?>", b"?>" + _LAUGHS, 1),
            lambda: content.decode("utf-8", "replace").encode(chance.choice(("utf-16", "utf-32", "utf-7"))),
            lambda: content.replace(b"utf-8", chance.choice((b"utf-16", b"gbk", b"x", b"utf-7", b"iso-8859-1"))).replace(
                b"UTF-8", b"utf-7"
            ),
            lambda: b"<a>" * chance.choice((100, 100_000)) + content,
            lambda: content[:at] + b"<![CDATA[" + content[at:to] + b"]]>" + content[to:],
            lambda: b"",
        )
        return chance.choice(ways)()[: 2 * MOST_BYTES]

    def _tree(self, content: bytes) -> bytes:
        try:
            root: Any = etree.fromstring(content, etree.XMLParser(resolve_entities=False, recover=True))
        except (etree.XMLSyntaxError, ValueError):
            return content
        if root is None:
            return content
        elements = [element for element in root.iter() if isinstance(element.tag, str)]
        # Deep ones more often: those hold what is asked for.
        element = self.chance.choice(elements[len(elements) // 3 :] if self.chance.random() < 0.7 else elements)
        self._element(element, self.chance.choice(elements))
        try:
            return bytes(etree.tostring(root, xml_declaration=True, encoding="utf-8"))
        except (ValueError, etree.LxmlError):
            return content

    def _element(self, element: Any, other: Any) -> None:
        chance, above = self.chance, element.getparent()
        way = chance.randrange(10)
        try:
            if way == 0 and above is not None:
                size = len(etree.tostring(element))
                for _ in range(min(chance.choice((1, 3, 50, 5000)), MOST_BYTES // (2 * size) + 1)):
                    above.append(copy.copy(element))
            elif way == 1 and above is not None:
                above.remove(element)
            elif way == 2 and above is not None:
                element.tag, other.tag = other.tag, element.tag
            elif way == 3:
                element.tag = f"{{{chance.choice(_NAMESPACES) or 'x'}}}{etree.QName(element).localname}"
            elif way == 4:
                element.text = chance.choice(_TEXTS)
            elif way == 5 and element.attrib:
                element.set(chance.choice(list(element.attrib)), chance.choice(_TEXTS))
            elif way == 6:
                element.set(chance.choice(("token", "Name", "Value", "Type", f"{_XSI}nil", "x")), chance.choice((*_TEXTS, "true")))
            elif way == 7:
                element.set(f"{_XSI}type", chance.choice(_TYPES))
            elif way == 8:
                element.append(copy.copy(other))
            else:
                inner = element
                for _ in range(chance.choice((5, 60, 250))):
                    inner = etree.SubElement(inner, element.tag)
        except ValueError:
            return  # what no document can hold
