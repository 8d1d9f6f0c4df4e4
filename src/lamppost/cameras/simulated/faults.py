"""What can be wrong with a camera: spoils answers on purpose, so that a client's patience is tried."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from lamppost.base.clock import Clock
from lamppost.base.errors import ConfigError
from lamppost.cameras.simulated.http_server import Answer
from lamppost.cameras.simulated.markup import PREFIXES

_LONGEST_S: Final = 600.0
_DRIP_S: Final = 0.2
_HUGE_BYTES: Final = 64 << 20


class FaultKind(StrEnum):
    """One way to fail."""

    TIMEOUT = "timeout"  # says nothing, for `detail` seconds or until the camera closes
    ERROR = "error"  # answers with the status `detail`, or 500
    REFUSE = "refuse"  # wants another password, always
    EMPTY = "empty"  # 200 and nothing
    TRUNCATED = "truncated"  # half of the answer, well-formed HTTP
    CUT = "cut"  # half of the answer, then the connection ends
    DRIP = "drip"  # a byte now and then, without an end
    HUGE = "huge"  # an answer without an end, as fast as it goes
    RESET = "reset"  # the connection ends without a word
    UNSUPPORTED = "unsupported"  # SOAP: the action is not implemented; elsewhere 404
    CONTENT_TYPE = "content-type"  # says it is `detail`, or text/html
    HTML = "html"  # a page for people where something else was asked for
    REDIRECT = "redirect"  # 302 to the URL `detail`
    FOREIGN = "foreign"  # names the host `detail` in every address that it tells
    ENTITIES = "entities"  # XML with entities that grow without an end
    EXTERNAL = "external"  # XML with an entity from the URL `detail`
    DEEP = "deep"  # XML that is nested very deep


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault of every answer to a request whose path, or SOAP operation (`tds:GetHostname`), begins with `where`."""

    kind: FaultKind
    where: str = ""
    detail: str = ""

    @classmethod
    def of(cls, text: str) -> Fault:
        """Read `KIND[@WHERE][=DETAIL]`, such as `error@/ISAPI/Smart=503`; raises `ConfigError`."""
        head, _, detail = text.partition("=")
        kind, _, where = head.partition("@")
        if kind not in set(FaultKind):
            raise ConfigError(f"{kind!r} is no fault of a camera", remedy=f"write one of {', '.join(FaultKind)}")
        return cls(FaultKind(kind), where, detail)

    def strikes(self, path: str, operation: str) -> bool:
        return path.startswith(self.where) or (bool(operation) and operation.startswith(self.where))


def spoiled(answer: Answer, fault: Fault, leaving: threading.Event, clock: Clock) -> Answer:
    """`answer` as a camera with `fault` gives it; waits where the fault is to be late."""
    detail = fault.detail
    half = answer.content[: len(answer.content) // 2]
    drip = _drip(answer.content, leaving, clock)
    if fault.kind is FaultKind.TIMEOUT:
        clock.wait(leaving, float(detail or _LONGEST_S))
    page = b"<!doctype html><html><body><h1>Sign in</h1><br></body></html>"
    hostile = Answer(200, _hostile(fault), answer.content_type or "application/xml")
    becomes = {
        FaultKind.TIMEOUT: answer if detail else Answer(is_reset=True),
        FaultKind.ERROR: Answer(int(detail) if detail.isdigit() else 500),
        FaultKind.EMPTY: replace(answer, status=200, content=b""),
        FaultKind.TRUNCATED: replace(answer, content=half),
        FaultKind.CUT: replace(answer, content=half, said_bytes=len(answer.content) or 1),
        FaultKind.DRIP: replace(answer, content=b"", pieces=drip),
        FaultKind.HUGE: replace(answer, content=b"", pieces=_padding()),
        FaultKind.RESET: Answer(is_reset=True),
        FaultKind.CONTENT_TYPE: replace(answer, content_type=detail or "text/html"),
        FaultKind.HTML: Answer(200, page, "text/html"),
        FaultKind.REDIRECT: Answer(302, headers=(("Location", detail),)),
        FaultKind.ENTITIES: hostile,
        FaultKind.EXTERNAL: hostile,
        FaultKind.DEEP: hostile,
    }
    # The others are done by whoever made the answer.
    return becomes.get(fault.kind, answer)


def _drip(content: bytes, leaving: threading.Event, clock: Clock) -> Iterator[bytes]:
    for number in range(1 << 20):
        yield content[number : number + 1] or b" "
        if clock.wait(leaving, _DRIP_S):
            return


def _padding() -> Iterator[bytes]:
    yield b'<?xml version="1.0"?><a>'
    for _ in range(_HUGE_BYTES >> 16):
        yield b"<b/>" * (1 << 14)


def _hostile(fault: Fault) -> bytes:
    if fault.kind is FaultKind.DEEP:
        return b"<a>" * 50_000 + b"</a>" * 50_000
    if fault.kind is FaultKind.EXTERNAL:
        declared, used = f'<!ENTITY a SYSTEM "{fault.detail or "file:///etc/hostname"}">', "&a;"
    else:
        levels = "".join(f'<!ENTITY {chr(98 + level)} "{f"&{chr(97 + level)};" * 10}">' for level in range(9))
        declared, used = f'<!ENTITY a "lamppost">{levels}', "&j;"
    body = f'<e:Envelope xmlns:e="{PREFIXES["env"]}"><e:Body><a>{used}</a></e:Body></e:Envelope>'
    return f'<?xml version="1.0"?><!DOCTYPE x [{declared}]>{body}'.encode()
