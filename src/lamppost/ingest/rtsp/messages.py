"""RTSP 1.0 messages (RFC 2326): written as the standard says, read as cameras send them.

Cameras leave out CSeq, end lines with a single line feed and write header names
in any case. All of it is taken; nothing is taken without a bound.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

USER_AGENT: Final = "Lamppost"
MOST_HEAD_BYTES: Final = 16 * 1024
MOST_BODY_BYTES: Final = 64 * 1024
_MOST_HEADERS: Final = 100
_STATUS_LINE = re.compile(r"RTSP/\d\.\d +(\d{3})(?: +(.*))?", re.IGNORECASE)
_REQUEST_LINE = re.compile(r"([A-Z_]{3,20}) +(\S+) +RTSP/\d\.\d", re.IGNORECASE)
_HEAD_END = re.compile(rb"\r?\n\r?\n")
_UNSAFE = re.compile(r"[^\x21-\x7e]")

Headers = tuple[tuple[str, str], ...]


class BadMessage(ValueError):
    """These bytes are no RTSP message, or one that is too long."""


@dataclass(frozen=True, slots=True)
class Message:
    """A reply, or a request that the camera makes (then `method` is set and `status` is 0)."""

    status: int
    reason: str
    headers: Headers
    body: bytes = b""
    method: str = ""

    def header(self, name: str) -> str | None:
        """The first header `name`, whatever its case; None when absent."""
        return next(iter(self.all(name)), None)

    def all(self, name: str) -> list[str]:
        """Every header `name`, in order."""
        wanted = name.lower()
        return [value for key, value in self.headers if key == wanted]


def format_request(method: str, url: str, cseq: int, headers: Headers = ()) -> bytes:
    """The bytes of a request; `url` has gone through `safe_url`."""
    lines = [f"{method} {url} RTSP/1.0", f"CSeq: {cseq}", f"User-Agent: {USER_AGENT}"]
    lines += [f"{name}: {_one_line(value)}" for name, value in headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("utf-8", "surrogateescape")


def safe_url(url: str) -> str:
    """`url` with everything percent-encoded that may not stand in a request line."""
    return _UNSAFE.sub(lambda match: "".join(f"%{byte:02X}" for byte in match[0].encode("utf-8", "surrogateescape")), url)


def format_refusal(request: Message) -> bytes:
    """The answer to whatever a camera asks of us: nothing here is implemented."""
    cseq = _one_line(request.header("cseq") or "0")[:20]
    return f"RTSP/1.0 501 Not Implemented\r\nCSeq: {cseq}\r\n\r\n".encode("utf-8", "surrogateescape")


def parse_message(content: bytes | bytearray | memoryview) -> tuple[Message, int] | None:
    """The message that `content` begins with, and its length in bytes; None when it is not all there.

    Raises `BadMessage`.
    """
    window = bytes(content[: MOST_HEAD_BYTES + 4])
    skipped = len(window) - len(window.lstrip(b"\r\n"))
    end = _HEAD_END.search(window, skipped)
    if end is None:
        _refuse_early(window[skipped:])
        return None
    message, length = _parse_head(window[skipped : end.start()])
    total = end.end() + length
    if len(content) < total:
        return None
    body = bytes(content[end.end() : total])
    return Message(message.status, message.reason, message.headers, body, message.method), total


def _refuse_early(window: bytes) -> None:
    """Raise `BadMessage` as soon as no further byte can make a message of `window`."""
    if len(window) >= MOST_HEAD_BYTES:
        raise BadMessage(f"a message head is longer than {MOST_HEAD_BYTES} bytes")
    line, newline, _ = window.partition(b"\n")
    if newline:
        _parse_first_line(line.decode("utf-8", "surrogateescape").rstrip("\r"))
    elif len(line) >= 5 and line[:5].upper() != b"RTSP/" and not re.match(rb"[A-Za-z_]{3,20}(?: |$)", line):
        raise BadMessage("this is no RTSP message")


def _parse_head(head: bytes) -> tuple[Message, int]:
    # Bytes that are no UTF-8 (a realm in another code) survive, since a digest is made of them.
    lines = head.decode("utf-8", "surrogateescape").split("\n")
    status, reason, method = _parse_first_line(lines[0].rstrip("\r"))
    headers: list[tuple[str, str]] = []
    for line in lines[1:]:
        if line[:1] in " \t" and headers and line.strip():
            headers[-1] = (headers[-1][0], f"{headers[-1][1]} {line.strip()}")
            continue
        name, colon, value = line.partition(":")
        if colon:
            headers.append((name.strip().lower(), value.strip()))
        if len(headers) > _MOST_HEADERS:
            raise BadMessage(f"a message has more than {_MOST_HEADERS} headers")
    message = Message(status, reason, tuple(headers), method=method)
    return message, _body_length(message)


def _parse_first_line(line: str) -> tuple[int, str, str]:
    status = _STATUS_LINE.fullmatch(line.strip())
    if status is not None:
        return int(status[1]), status[2] or "", ""
    request = _REQUEST_LINE.fullmatch(line.strip())
    if request is not None:
        return 0, "", request[1].upper()
    raise BadMessage("this is no RTSP message")


def _body_length(message: Message) -> int:
    text = message.header("content-length")
    if text is None:
        return 0
    if not re.fullmatch(r"[0-9]{1,9}", text):
        raise BadMessage("a message has no readable length")
    if int(text) > MOST_BODY_BYTES:
        raise BadMessage(f"a message is longer than {MOST_BODY_BYTES} bytes")
    return int(text)


def _one_line(value: str) -> str:
    return re.sub(r"[\r\n\x00]", " ", value)
