"""Plays a device from a folder of replies, and lets answers go wrong: how a dialect is tried without its device.

`replies/questions.txt` names the file of each question; `replies/VARIANT/` holds
those that a device of this kind answers, and `able.txt`: what it may be able to
do. A question that it lacks is answered with 404.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

from lamppost.base.errors import CameraUnreachable
from lamppost.cameras.dialects.reading import read_json
from lamppost.cameras.web import Reply
from lamppost.model.devices import Ability

FOLDER: Final = Path(__file__).parent
_TYPES: Final = MappingProxyType({".xml": "application/xml", ".json": "application/json", ".txt": "text/plain;charset=utf-8"})
_PAGE: Final = b"<!DOCTYPE html>\n<html><head><title>Login</title></head><body><form>User <input name=u></form></body></html>\n"
_HIK_ERROR: Final = (
    b'<?xml version="1.0" encoding="UTF-8"?>\n<ResponseStatus version="2.0" xmlns="http://www.hikvision.com/ver20/XMLSchema">'
    b"<requestURL>/ISAPI</requestURL><statusCode>4</statusCode><statusString>Invalid Operation</statusString>"
    b"<subStatusCode>notSupport</subStatusCode></ResponseStatus>\n"
)
Fault = Callable[[Reply], Reply]


def reply(status: int, content: bytes, content_type: str) -> Reply:
    """An answer as `DeviceWeb` would give it."""
    return Reply(status, {"content-type": content_type, "content-length": str(len(content))}, content)


def _time_out(_reply: Reply) -> Reply:
    raise CameraUnreachable("the device has not answered in time")


def _cut(whole: Reply) -> Reply:
    """Half of it, at the end of a line where there is one, from a device that does not say how long its answer is."""
    half = whole.content[: max(1, len(whole.content) // 2)]
    end = half.rfind(b"\n") + 1 or len(half)
    return Reply(whole.status, {"content-type": whole.headers["content-type"]}, half[:end])


FAULTS: Final[Mapping[str, Fault]] = MappingProxyType(
    {
        "400": lambda _: reply(400, b"Error\r\nBad Request!\r\n", "text/plain"),
        "401": lambda _: reply(401, b"Invalid Authority!\r\n", "text/plain"),
        "403": lambda _: reply(403, _HIK_ERROR, "application/xml"),
        "404": lambda _: reply(404, _PAGE, "text/html"),
        "405": lambda _: reply(405, b"", "text/html"),
        "500": lambda _: reply(500, b"", "text/plain"),
        "501": lambda _: reply(501, b"Not Implemented!\r\n", "text/plain"),
        "503": lambda _: reply(503, _PAGE, "text/html"),
        "timeout": _time_out,
        "empty": lambda whole: reply(200, b"", whole.headers["content-type"]),
        "blank": lambda whole: reply(200, b"\r\n\r\n", whole.headers["content-type"]),
        "204": lambda _: reply(204, b"", ""),
        "302": lambda _: reply(302, b"", "text/html"),
        "cut off": _cut,
        "page": lambda _: reply(200, _PAGE, "text/html"),
        "page as lines": lambda _: reply(200, _PAGE, "text/plain"),
        "page as XML": lambda _: reply(200, _PAGE, "application/xml"),
        "wrong type": lambda whole: reply(200, whole.content, "image/jpeg"),
        "wrong letters": lambda whole: reply(200, b"\xff\xfe" + whole.content, whole.headers["content-type"]),
        "compressed": lambda whole: reply(200, b"\x1f\x8b\x08\x00" + bytes(range(200)), whole.headers["content-type"]),
        "error in XML": lambda _: reply(200, _HIK_ERROR, "application/xml"),
        "error in JSON": lambda _: reply(
            200, b'{"statusCode": 4, "subStatusCode": "notSupport", "error": {"code": 2104}}', "application/json"
        ),
        "error in lines": lambda _: reply(200, b"Error\r\nErrorID=268632085\r\nDetail=Bad Request!\r\n", "text/plain"),
        "error in one line": lambda _: reply(200, b"Error: Bad Request!\r\n", "text/plain"),
        "OK": lambda _: reply(200, b"OK\r\n", "text/plain"),
        "refused list": lambda _: reply(200, b'<reply result="error"><error type="10" message="No permission"/></reply>', "text/xml"),
    }
)
"""What may become of an answer; each is given the answer as it would have been."""


@dataclass(frozen=True, slots=True)
class Variant:
    """A kind of device of one maker: its answers by question."""

    vendor: str
    name: str
    replies: Mapping[str, Reply]
    able: frozenset[Ability]  # what such a device is able to do, or may be: a no to any of these is a false one

    @classmethod
    def read(cls, vendor: str, name: str) -> Variant:
        """The variant `name` in the folder of `vendor`."""
        folder = FOLDER / vendor / "replies"
        lines = (line.rsplit("  ", 1) for line in (folder / "questions.txt").read_text("utf-8").splitlines())
        files = {question: folder / name / file for question, file in lines}
        found = {question: _read(file) for question, file in files.items() if file.exists()}
        able = frozenset(map(Ability, (folder / name / "able.txt").read_text("utf-8").split()))
        return cls(vendor, name, MappingProxyType(found), able)

    @classmethod
    def all(cls, vendor: str) -> tuple[Variant, ...]:
        """Every variant of a vendor."""
        folders = sorted(folder.name for folder in (FOLDER / vendor / "replies").iterdir() if folder.is_dir())
        return tuple(cls.read(vendor, name) for name in folders)


class PlayedDevice:
    """An `Asker` that answers from a variant; `faults` says which answers go wrong. `asked` has all questions, in order."""

    def __init__(self, variant: Variant, faults: Mapping[str, Fault] = MappingProxyType({})) -> None:
        self._variant = variant
        self._faults = faults
        self.asked: list[str] = []

    def ask(
        self, method: str, path: str, content: bytes = b"", headers: Mapping[str, str] | None = None, *, timeout_s: float | None = None
    ) -> Reply:
        del headers, timeout_s
        question = question_of(method, path, content)
        self.asked.append(question)
        answer = self._variant.replies.get(question) or reply(404, _PAGE, "text/html")
        fault = self._faults.get(question) or self._faults.get("*")
        return fault(answer) if fault is not None else answer


def question_of(method: str, path: str, content: bytes) -> str:
    """As `questions.txt` names it: a question in JSON has its method at the end."""
    if method != "POST" or content[:1] != b"{":
        return f"{method} {path}"
    return f"{method} {path} {read_json(reply(200, content, 'application/json')).get('method', '')}"


def _read(file: Path) -> Reply:
    content = file.read_bytes()
    is_json = content.lstrip()[:1] == b"{"
    return reply(200, content, "application/json" if is_json else _TYPES[file.suffix])
