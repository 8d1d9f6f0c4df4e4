"""What `lamppost check` says, and what it is given to look with.

The store knows neither signatures nor the format of records: whoever calls
`check` hands in readers that verify.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, Protocol

from lamppost.model.books import EpochSealed, FragmentWritten, Rendition, SegmentEnd
from lamppost.store.account import Account

MAX_FINDINGS: Final = 1000


class Severity(StrEnum):
    """How bad a finding is."""

    ERROR = "error"  # something is lost, altered or contradictory
    WARNING = "warning"  # something is unfinished; the next start or `--repair` mends it
    NOTE = "note"  # worth knowing, and in order


@dataclass(frozen=True, slots=True)
class Finding:
    """One line for a person: what is wrong, where, and what to do about it."""

    severity: Severity
    what: str
    where: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class CheckCounts:
    """What was looked at."""

    segments: int
    open_segments: int
    fragments: int  # of closed segments, as their records say
    hashed_bytes: int
    gaps: int
    covers: int
    epochs: int
    shares: int
    acts: int
    journal_files: int
    destroyed_epochs: int = 0


@dataclass(frozen=True, slots=True)
class CheckReport:
    """Findings, counts, and what became of each camera's time."""

    findings: tuple[Finding, ...]
    findings_left_out: int
    counts: CheckCounts
    accounts: tuple[Account, ...]
    repaired: tuple[str, ...]
    is_live: bool  # some process was writing; what it has open was not judged

    @property
    def is_clean(self) -> bool:
        """Index, journals, files and vault agree, and every moment is explained."""
        return not self.findings_left_out and all(finding.severity is Severity.NOTE for finding in self.findings)


class RecordView(Protocol):
    """A segment record whose signature was verified."""

    @property
    def segment_id(self) -> str: ...
    @property
    def camera(self) -> str: ...
    @property
    def rendition(self) -> Rendition: ...
    @property
    def run_id(self) -> str: ...
    @property
    def epoch_id(self) -> str | None: ...
    @property
    def sequence(self) -> int: ...
    @property
    def start_us(self) -> int: ...
    @property
    def end_us(self) -> int: ...
    @property
    def frames(self) -> int: ...
    @property
    def size_bytes(self) -> int: ...
    @property
    def header_bytes(self) -> int: ...
    @property
    def header_sha256(self) -> str: ...
    @property
    def end(self) -> SegmentEnd: ...
    @property
    def previous_sha256(self) -> str: ...
    @property
    def fragments(self) -> tuple[FragmentWritten, ...]: ...


@dataclass(frozen=True, slots=True)
class CheckTools:
    """What lies above the store and is needed to check and to repair.

    `read_record` and `read_seal` take the bytes of a `.record` file and of a
    `seal.note`, verify the recorder's signature, and raise `SealError` where it
    does not hold. `recover` does for one writer what its next start would do.
    """

    read_record: Callable[[bytes], RecordView]
    read_seal: Callable[[bytes], EpochSealed]
    recover: Callable[[str], Any]


@dataclass(slots=True)
class Findings:
    """Collects findings, up to a bound; what is beyond is counted."""

    found: list[Finding] = field(default_factory=list[Finding])
    left_out: int = 0

    def error(self, what: str, where: str, remedy: str = "") -> None:
        self._add(Finding(Severity.ERROR, what, where, remedy))

    def warning(self, what: str, where: str, remedy: str = "") -> None:
        self._add(Finding(Severity.WARNING, what, where, remedy))

    def note(self, what: str, where: str, remedy: str = "") -> None:
        self._add(Finding(Severity.NOTE, what, where, remedy))

    def _add(self, finding: Finding) -> None:
        if len(self.found) < MAX_FINDINGS:
            self.found.append(finding)
        elif finding.severity is not Severity.NOTE:
            self.left_out += 1
