"""Takes out of an answer what must not be kept with it: passwords, and names of persons and of libraries.

The hash of the evidence is that of the answer as it came.
"""

from __future__ import annotations

import re
from typing import Final

MOST_KEPT_BYTES: Final = 64 << 10
GONE: Final = b"[taken out]"

# Names that makers give to what is secret or names somebody, as a part of an element's, a key's or a field's name, in any case.
_SECRET: Final = rb"password|passwd|passphrase|pwd|secret|credential|privatekey|token|apikey|authorization|username|nonce|digest"
_SECRET_KEY: Final = rb"wpa_?key|wep_?key|psk|shared_?key|access_?key|encrypt(?:ion)?_?key|wlan[\w.\[\]-]{0,40}?key"
_NAMED: Final = rb"groupname|groupid|libname|libraryname|personname|employeeno|certificate(?:no|number)|fdid|candidate"
_NAMES: Final = rb"[\w.:\[\]-]{0,80}?(?:" + _SECRET + rb"|" + _SECRET_KEY + rb"|" + _NAMED + rb")[\w.\[\]-]{0,64}"
_QUOTED: Final = rb"(?:\"[^\"<]{0,4096}\"|'[^'<]{0,4096}')"
_ELEMENT: Final = re.compile(rb"(?i)(<(" + _NAMES + rb")(?:\s[^<>]{0,400})?>)(?:[^<]{1,4096}|<!\[CDATA\[[^\]]{0,4096}\]\]>)(?=</?)")
_ATTRIBUTE: Final = re.compile(rb"(?i)(\s" + _NAMES + rb"\s{0,4}=\s{0,4})" + _QUOTED)
# Some write `<item name="password">`.
_CALLED: Final = re.compile(rb"(?i)(<[\w:]{1,64}\s{1,4}name\s{0,4}=\s{0,4}[\"']" + _NAMES + rb"[\"'][^<>]{0,200}>)[^<]{1,4096}(?=</)")
# ONVIF writes parameters as pairs of Name and Value, in either order.
_ITEM: Final = re.compile(rb"(?i)(\sName\s{0,4}=\s{0,4}[\"']" + _NAMES + rb"[\"'][^<>]{0,200}?\sValue\s{0,4}=\s{0,4})" + _QUOTED)
_TURNED: Final = re.compile(rb"(?i)(\sValue\s{0,4}=\s{0,4})" + _QUOTED + rb"([^<>]{0,200}?\sName\s{0,4}=\s{0,4}[\"']" + _NAMES + rb"[\"'])")
_FIELD: Final = re.compile(
    rb"(?i)(\"" + _NAMES + rb"\"\s{0,8}:\s{0,8})(?:\"(?:[^\"\\]|\\.){0,4096}\"|[-\d.]{1,40}|\[[^\[\]]{0,4096}\]|\{[^{}]{0,4096}\})"
)
_LINE: Final = re.compile(rb"(?im)^(" + _NAMES + rb"=)[^\r\n]{1,4096}")
_URL: Final = re.compile(rb"([a-zA-Z][a-zA-Z0-9+.-]{1,20}://)[^/@\s<>\"']{1,300}@")


def redacted(content: bytes) -> bytes:
    """`content` without what is secret in it, as far as its name tells."""
    content = content[: 2 * MOST_KEPT_BYTES]
    content = _ELEMENT.sub(rb"\g<1>" + GONE, content)
    content = _CALLED.sub(rb"\g<1>" + GONE, content)
    content = _ATTRIBUTE.sub(rb'\g<1>"' + GONE + rb'"', content)
    content = _ITEM.sub(rb'\g<1>"' + GONE + rb'"', content)
    content = _TURNED.sub(rb'\g<1>"' + GONE + rb'"\g<2>', content)
    content = _FIELD.sub(rb'\g<1>"' + GONE + rb'"', content)
    content = _LINE.sub(rb"\g<1>" + GONE, content)
    return _URL.sub(rb"\g<1>", content)
