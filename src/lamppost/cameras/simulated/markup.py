"""Writes the XML of the simulated camera: every text in it is escaped."""

from __future__ import annotations

from typing import Final
from xml.sax.saxutils import escape, quoteattr

PREFIXES: Final = {
    "env": "http://www.w3.org/2003/05/soap-envelope",
    "wsa": "http://www.w3.org/2005/08/addressing",
    "wsnt": "http://docs.oasis-open.org/wsn/b-2",
    "wstop": "http://docs.oasis-open.org/wsn/t-1",
    "wsrf": "http://docs.oasis-open.org/wsrf/rw-2",
    "wsrfbf": "http://docs.oasis-open.org/wsrf/bf-2",
    "ter": "http://www.onvif.org/ver10/error",
    "tt": "http://www.onvif.org/ver10/schema",
    "tns1": "http://www.onvif.org/ver10/topics",
    "tds": "http://www.onvif.org/ver10/device/wsdl",
    "trt": "http://www.onvif.org/ver10/media/wsdl",
    "tr2": "http://www.onvif.org/ver20/media/wsdl",
    "tev": "http://www.onvif.org/ver10/events/wsdl",
    "tptz": "http://www.onvif.org/ver20/ptz/wsdl",
    "timg": "http://www.onvif.org/ver20/imaging/wsdl",
    "tmd": "http://www.onvif.org/ver10/deviceIO/wsdl",
    "tan": "http://www.onvif.org/ver20/analytics/wsdl",
    "xs": "http://www.w3.org/2001/XMLSchema",
}
_DECLARED: Final = "".join(f' xmlns:{prefix}="{uri}"' for prefix, uri in PREFIXES.items())
Content = str | int | float | bool | None


class Markup(str):
    """XML that is complete and escaped."""

    __slots__ = ()


def tag(name: str, *content: Content, **attributes: Content) -> Markup:
    """An element. A `str` becomes text, `Markup` stays, None is left out, attributes too."""
    shown = "".join(f" {key}={quoteattr(text(value))}" for key, value in attributes.items() if value is not None)
    inner = join(*content)
    return Markup(f"<{name}{shown}>{inner}</{name}>" if inner else f"<{name}{shown}/>")


def join(*content: Content) -> Markup:
    """Elements and texts, one after the other."""
    return Markup("".join(part if isinstance(part, Markup) else escape(text(part)) for part in content if part is not None))


def text(value: Content) -> str:
    """A value as XML Schema writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:g}" if isinstance(value, float) else str(value)


def document(root: Markup) -> bytes:
    """`root` as a document of its own, with every prefix declared."""
    head, sep, rest = root.partition(">")
    is_empty = head.endswith("/")
    opened = f"{head.removesuffix('/')}{_DECLARED}" + ("/" if is_empty else "")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{opened}{sep}{rest}'.encode()
