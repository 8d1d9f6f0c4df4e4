"""What was switched off on a device, by whose authorisation, and what became of each step."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class DisarmState(StrEnum):
    """How far a disarm has come; it begins as `failed`, so that a crash leaves what is true."""

    DONE = "done"  # every step was read back from the device
    PARTIAL = "partial"  # some were
    FAILED = "failed"  # none was
    ROLLED_BACK = "rolled_back"  # what is not of faces was put back


@dataclass(frozen=True, slots=True)
class DisarmStep:
    """One thing that is switched off, in the device's words. `is_begun` without `is_done` or `problem`: it broke off in the middle."""

    what: str
    before: str
    after: str  # what was read back; empty until then
    is_done: bool = False
    is_begun: bool = False
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Disarm:
    """A disarm as it is kept: written before each step and after."""

    disarm_id: str
    camera: str
    at_us: int
    by: str
    authorisation: str
    reference: str
    state: DisarmState
    steps: tuple[DisarmStep, ...]
    saved: str = "[]"  # JSON: settings beside faces, as they were before, for a rollback
    audit_before: str = ""
    audit_after: str = ""
    problems: tuple[str, ...] = ()  # what could not be asked when it was planned
    rolled_back_us: int | None = None
    rolled_back_by: str = ""
    rollback_authorisation: str = ""
    rollback_steps: tuple[DisarmStep, ...] = ()
