"""What was switched off on a device, by whose authorisation, and what became of each step."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class DisarmState(StrEnum):
    """How far a disarm has come; it begins as `failed`, so that a crash leaves what is true."""

    DONE = "done"  # every step was read back from the device, which says that nothing with faces is on
    UNCONFIRMED = "unconfirmed"  # every step was read back, and the device does not say that nothing else is on
    PARTIAL = "partial"  # some steps were read back
    FAILED = "failed"  # none was, or it is not known what was on
    ROLLED_BACK = "rolled_back"  # something that is not of faces was put back


@dataclass(frozen=True, slots=True)
class DisarmStep:
    """One thing that is switched off, in the device's words. `is_begun` without `is_done` or `problem`: it broke off in the middle."""

    what: str
    before: str
    after: str  # what was read back; empty until then
    is_done: bool = False
    is_begun: bool = False
    problem: str = ""

    @property
    def may_have_changed(self) -> bool:
        """Whether it may have changed something on the device: also where it broke off, or could not be read back."""
        return self.is_begun and not (self.after and self.after == self.before)


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
    problems: tuple[str, ...] = ()  # what could not be asked when it was planned, or is not known after it
    rolled_back_us: int | None = None
    rolled_back_by: str = ""
    rollback_authorisation: str = ""
    rollback_steps: tuple[DisarmStep, ...] = ()
    rollback_audit: str = ""  # the audit after a rollback; that after the disarm stays what it was
