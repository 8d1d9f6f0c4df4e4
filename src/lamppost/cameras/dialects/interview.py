"""Puts questions to a device, keeps what was answered, and never takes silence for a no."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Generic, Protocol, TypeVar

from lamppost.base.clock import Clock
from lamppost.base.errors import CameraError, CameraRefused, UnreadableReply
from lamppost.cameras.dialects.evidence import MOST_KEPT_BYTES, redacted
from lamppost.cameras.dialects.words import EVERY
from lamppost.cameras.web import Reply
from lamppost.model.devices import Ability, Evidence, Finding, Level, Outcome

MOST_QUESTIONS: Final = 400
MOST_S: Final = 50.0
# A device that is gone is not asked a hundred times more.
_MOST_FAILURES: Final = 3
_MOST_LINE: Final = 200
_MOST_SHOWN: Final = 4  # words of one answer

Read = TypeVar("Read")
Counts = tuple[tuple[str, int], ...]


class Asker(Protocol):
    """What of `DeviceWeb` a dialect needs."""

    def ask(
        self, method: str, path: str, content: bytes = b"", headers: Mapping[str, str] | None = None, *, timeout_s: float | None = None
    ) -> Reply: ...


@dataclass(frozen=True, slots=True)
class Answer(Generic[Read]):
    """What became of one question. `value` is what was read; None unless it was answered."""

    number: int  # of its evidence, from 0
    outcome: Outcome
    value: Read | None
    problem: str = ""


class Interview:
    """The questions of one audit, one after the other; never raises a `CameraError`.

    A question is `about` abilities: unless `find` says what its answer says of one, `unknown` is found. `signs` are abilities that an
    answer may give away and cannot deny, such as a setting: without an answer `unknown` is found, with one nothing.
    """

    def __init__(self, web: Asker, clock: Clock, *, most_s: float = MOST_S) -> None:
        self.web = web
        self.clock = clock
        self._until_s = clock.monotonic_s() + most_s
        self._failures = 0
        self._evidence: list[Evidence] = []
        self._found: list[Finding] = []
        self._about: list[tuple[int, Ability, str]] = []

    @property
    def left_s(self) -> float:
        """How long questions may still be put, for those that are put otherwise; 0 where there were too many."""
        left_s = self._until_s - self.clock.monotonic_s()
        return max(0.0, left_s) if len(self._evidence) < MOST_QUESTIONS else 0.0

    @property
    def evidence(self) -> tuple[Evidence, ...]:
        return tuple(self._evidence)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """All that was found, and an `unknown` for each question that has said nothing of what it is about."""
        said = {(finding.evidence, finding.ability) for finding in self._found}
        unsaid = [
            Finding(ability, Level.UNKNOWN, because, number) for number, ability, because in self._about if (number, ability) not in said
        ]
        return (*self._found, *unsaid)

    def get(
        self,
        path: str,
        read: Callable[[Reply], Read],
        *,
        about: tuple[Ability, ...] = (),
        signs: tuple[Ability, ...] = (),
        count: Callable[[Read], Counts] | None = None,
    ) -> Answer[Read]:
        """Ask for `path`; `read` raises `UnreadableReply` for what is no answer. With `count`, the content itself is not kept."""
        return self.ask("GET", path, read, about=about, signs=signs, count=count)

    def ask(
        self,
        method: str,
        path: str,
        read: Callable[[Reply], Read],
        *,
        content: bytes = b"",
        headers: Mapping[str, str] | None = None,
        about: tuple[Ability, ...] = (),
        signs: tuple[Ability, ...] = (),
        count: Callable[[Read], Counts] | None = None,
    ) -> Answer[Read]:
        """As `get`, with any method and content. The question in the evidence is method and path."""
        reply, problem, outcome = self._reply(method, path, content, headers)
        value: Read | None = None
        if reply is not None:
            outcome, problem = outcome_of(reply)
            if outcome is Outcome.ANSWERED:
                try:
                    value = read(reply)
                except UnreadableReply as error:
                    outcome, problem = Outcome.UNREADABLE, error.problem
        counts = count(value) if count is not None and value is not None else ()
        number = self.note(
            f"{method} {path}",
            outcome,
            reply,
            problem=problem,
            about=about,
            signs=signs,
            counts=counts,
            keeps_content=count is None,
        )
        return Answer(number, outcome, value, problem)

    def note(
        self,
        question: str,
        outcome: Outcome,
        reply: Reply | None,
        *,
        problem: str = "",
        about: tuple[Ability, ...] = (),
        signs: tuple[Ability, ...] = (),
        counts: Counts = (),
        keeps_content: bool = True,
    ) -> int:
        """Keep a question that was put otherwise, such as one in SOAP, and return its number."""
        content = reply.content if reply is not None else b""
        is_answered = outcome is Outcome.ANSWERED
        number = len(self._evidence)
        self._evidence.append(
            Evidence(
                question=question[:_MOST_LINE],
                asked_us=self.clock.wall_us(),
                outcome=outcome,
                http_status=reply.status if reply is not None else None,
                sha256=hashlib.sha256(content).hexdigest(),
                size_bytes=len(content),
                content=redacted(content)[:MOST_KEPT_BYTES] if keeps_content else b"",
                content_type=reply.content_type[:_MOST_LINE] if reply is not None else "",
                counts=counts,
                problem=_line(problem) if not is_answered else "",
            )
        )
        because = f"{question[:_MOST_LINE]}: " + ("its answer does not say" if is_answered else _line(problem) or outcome.value)
        self._about += [(number, ability, because) for ability in (about if is_answered else dict.fromkeys((*about, *signs)))]
        return number

    def find(self, number: int, ability: Ability, level: Level, because: str) -> None:
        """Say what the answer with this number says of `ability`."""
        self._found.append(Finding(ability, level, _line(because), number))

    def doubt(self, number: int, words: Iterable[str]) -> bool:
        """Words of an answer that are not known here: each may stand for any ability. Whether there are any."""
        unknown = list(dict.fromkeys(words))
        shown = ", ".join(word[:40] for word in unknown[:_MOST_SHOWN])
        for ability in EVERY if unknown else ():
            self.find(number, ability, Level.UNKNOWN, f"it speaks of what is not known here: {shown}")
        return bool(unknown)

    def _reply(self, method: str, path: str, content: bytes, headers: Mapping[str, str] | None) -> tuple[Reply | None, str, Outcome]:
        left_s = self.left_s
        if self._failures >= _MOST_FAILURES:
            return None, "not asked: it has stopped answering", Outcome.FAILED
        if left_s <= 0:
            return None, "not asked: the audit has taken too long", Outcome.FAILED
        try:
            reply = self.web.ask(method, path, content, headers, timeout_s=min(left_s, 5.0))
        except CameraRefused as error:
            return None, error.problem, Outcome.REFUSED
        except UnreadableReply as error:
            return None, error.problem, Outcome.UNREADABLE
        except CameraError as error:
            self._failures += 1
            return None, error.problem, Outcome.FAILED
        self._failures = 0
        return reply, "", Outcome.ANSWERED


def outcome_of(reply: Reply) -> tuple[Outcome, str]:
    """What a status says, and a line about it; `ANSWERED` where there is something to be read."""
    status = reply.status
    if status in (401, 403):
        return Outcome.REFUSED, f"refused with status {status}"
    if status == 501 or 300 <= status < 500:
        return Outcome.ABSENT, f"status {status}, from which nothing follows"
    if not 200 <= status < 300:
        return Outcome.FAILED, f"failed with status {status}"
    if status != 200 or not reply.content.strip(b"\0\t\r\n\f\v \xef\xbb\xbf"):
        return Outcome.EMPTY, "an empty answer"
    return Outcome.ANSWERED, ""


def answered(reply: Reply) -> Reply:
    """The reply, where it is an answer; for what is asked outside an audit. Raises `CameraError` otherwise."""
    outcome, problem = outcome_of(reply)
    if outcome is Outcome.REFUSED:
        raise CameraRefused(problem, remedy="may this user do it?")
    if outcome is not Outcome.ANSWERED:
        raise UnreadableReply(problem)
    return reply


def _line(text: str) -> str:
    """One line that can be shown, whatever a device has put into it."""
    return "".join(letter if letter.isprintable() else " " for letter in text)[:_MOST_LINE].strip()
