"""One event from its beginning to its end: what flickers is one event, and what grows worse is told in time.

Durations are of the stream's time, stamps are UTC. What an event is told of is the worst so far: its severity only rises,
and so do its numbers.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from lamppost.base.clock import US_PER_S
from lamppost.base.ids import timed_id
from lamppost.model.books import Severity
from lamppost.model.happening import EventChange, EventType, Findings, Phase

UPDATE_EVERY_S: Final = 2.0  # at most, but for a severity that rises
LEAST_UNOBSERVED_S: Final = 10.0  # so long a camera may see nothing before an event ends for that
NOTE_UNOBSERVED: Final = "no longer observed"
NOTE_RULE_CHANGED: Final = "its rule was changed or removed"
_BLINK_SHARE: Final = 4.0  # of a wait: what is away for less than a quarter of it has not stopped
_LONGEST_BLINK_S: Final = 5.0
_URGENCY: Final = (Severity.INFO, Severity.WARNING, Severity.ALARM)


@dataclass(frozen=True, slots=True)
class Found:
    """What a rule finds in one look. `since_s` is when it began to be so; None: with this look, or as `Episode` waited.

    With `adds`, `findings.count` are those that came with this look, and an event sums them up; otherwise they are all that
    are there now, and an event keeps the most.
    """

    findings: Findings
    severity: Severity
    since_s: float | None = None
    adds: bool = False


class Waiting:
    """Waits until something has been so for `after_s`. A blink shorter than a quarter of that, 5 s at most, is overlooked."""

    def __init__(self, after_s: float) -> None:
        self._after_s = after_s
        self._blink_s = min(after_s / _BLINK_SHARE, _LONGEST_BLINK_S)
        self._last_s = 0.0
        self._is_blinking = False
        self.since_s: float | None = None

    def update(self, at_s: float, is_so: bool) -> bool:
        """Whether it is so, and has been for long enough."""
        if self._is_blinking and at_s - self._last_s > self._blink_s:
            self.since_s = None
        self._is_blinking = not is_so
        if not is_so:
            return False
        if self.since_s is None:
            self.since_s = at_s
        self._last_s = at_s
        return at_s - self.since_s >= self._after_s

    def forget(self) -> None:
        """It may have been otherwise meanwhile."""
        self.since_s = None
        self._is_blinking = False


@dataclass(slots=True)
class _Open:
    """An event that was told of and has not ended."""

    event_id: str
    findings: Findings
    severity: Severity
    told: tuple[Severity, Findings]
    told_s: float
    held_s: float
    held_us: int
    looked_s: float
    is_holding: bool = True

    def take_in(self, at_s: float, wall_us: int, found: Found) -> None:
        self.findings = _worse_of(self.findings, found)
        self.severity = max(self.severity, found.severity, key=_URGENCY.index)
        self.held_s, self.looked_s = at_s, at_s
        self.held_us = max(self.held_us, wall_us)  # the wall clock may be put back a little
        self.is_holding = True

    def is_due(self, at_s: float) -> bool:
        """Whether it grew worse than what was told, and may be told now."""
        severity, findings = self.told
        if self.severity is not severity:
            return True
        return at_s - self.told_s >= UPDATE_EVERY_S and _grew(findings, self.findings)


class Episode:
    """One rule's events, one after the other: each starts once, ends once, and is told of in between when it grows worse.

    It starts when something was found for `after_s`, and ends when nothing was found for `cooldown_s`; what is found sooner
    is the same event. An event is stamped with what it is, not with when that was noticed: it starts when it began to be so,
    and ends when it was so last. `at_s` never goes back, but after `forget`.
    """

    def __init__(self, event_type: EventType, rule: str, place: str, *, after_s: float = 0.0, cooldown_s: float) -> None:
        self._type = event_type
        self._rule = rule
        self._place = place
        self._cooldown_s = cooldown_s
        self._waiting = Waiting(after_s)
        self._open: _Open | None = None
        self._ended_us: int | None = None

    @property
    def is_open(self) -> bool:
        """Whether an event lasts."""
        return self._open is not None

    def look(self, at_s: float, wall_us: int, found: Found | None) -> tuple[EventChange, ...]:
        """Take in what a look at the scene found; None: nothing."""
        lasts = self._waiting.update(at_s, found is not None)
        event = self._open
        if event is None:
            return (self._start(at_s, wall_us, found),) if found is not None and lasts else ()
        if found is not None:
            event.take_in(at_s, wall_us, found)
        else:
            event.looked_s, event.is_holding = at_s, False
            if at_s - event.held_s >= self._cooldown_s:
                return self._end(event)
        return (self._update(event, at_s),) if event.is_due(at_s) else ()

    def rest(self, at_s: float) -> tuple[EventChange, ...]:
        """The camera sees nothing at `at_s`. An event waits for that to end, for its cooldown and at least for 10 s."""
        self._waiting.forget()
        event = self._open
        if event is None or at_s - event.looked_s < max(self._cooldown_s, LEAST_UNOBSERVED_S):
            return ()
        return self._end(event, NOTE_UNOBSERVED if event.is_holding else "")

    def forget(self, note: str = NOTE_UNOBSERVED) -> tuple[EventChange, ...]:
        """End what lasts, for nobody looks any more; `note` says why, where it was so until now."""
        event = self._open
        self._waiting.forget()
        return () if event is None else self._end(event, note if event.is_holding else "")

    def _start(self, at_s: float, wall_us: int, found: Found) -> EventChange:
        since_s = self._waiting.since_s if found.since_s is None else found.since_s
        began_us = wall_us - round(max(0.0, at_s - (at_s if since_s is None else since_s)) * US_PER_S)
        if self._ended_us is not None:
            began_us = max(began_us, self._ended_us)  # events of one rule do not overlap
        told = (found.severity, found.findings)
        event = _Open(timed_id(began_us), found.findings, found.severity, told, at_s, at_s, max(wall_us, began_us), at_s)
        self._open = event
        return self._change(event, Phase.START, began_us)

    def _update(self, event: _Open, at_s: float) -> EventChange:
        event.told, event.told_s = (event.severity, event.findings), at_s
        return self._change(event, Phase.UPDATE, event.held_us)

    def _end(self, event: _Open, note: str = "") -> tuple[EventChange, ...]:
        self._open, self._ended_us = None, event.held_us
        self._waiting.forget()  # the next event waits for itself
        event.findings = replace(event.findings, note="; ".join(filter(None, (event.findings.note, note))))
        return (self._change(event, Phase.END, event.held_us),)

    def _change(self, event: _Open, phase: Phase, wall_us: int) -> EventChange:
        return EventChange(event.event_id, phase, self._type, event.severity, wall_us, self._rule, self._place, event.findings)


def _grew(told: Findings, now: Findings) -> bool:
    """By its level where it has one: a crowd's number moves all the time."""
    if now.level is not None:
        return now.level > (told.level or 0)
    return (now.count or 0) > (told.count or 0)


def _worse_of(before: Findings, found: Found) -> Findings:
    now = found.findings
    counts = [count for count in (before.count, now.count) if count is not None]
    levels = [level for level in (before.level, now.level) if level is not None]
    # A queue may be measured in metres now and in heads then: what it began with stays.
    values = [findings.value for findings in (before, now) if findings.value is not None and findings.unit == before.unit]
    return Findings(
        kind=before.kind if before.kind is now.kind else None,
        count=(sum(counts) if found.adds else max(counts)) if counts else None,
        value=max(values, default=None),
        unit=before.unit,
        limit=now.limit if (now.level or 0) > (before.level or 0) else before.limit,
        level=max(levels, default=None),
        ways=tuple(dict.fromkeys((*before.ways, *now.ways))),
        note=before.note or now.note,
    )
