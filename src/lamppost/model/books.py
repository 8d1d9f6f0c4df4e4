"""What processes write to their journals, and the bookkeeper into the index.

Each record is one line of a journal. Times are UTC in microseconds, sizes in
bytes; paths are relative to the data folder, with forward slashes.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar


class Rendition(StrEnum):
    """The two things made of a camera: the sealed original and the masked video."""

    SEALED = "sealed"
    MASKED = "masked"


class Severity(StrEnum):
    """How urgent an event is."""

    INFO = "info"
    WARNING = "warning"
    ALARM = "alarm"  # somebody must act now


class NoteKind(StrEnum):
    """What somebody did with an event."""

    ACKNOWLEDGED = "acknowledged"
    COMMENT = "comment"


class SegmentEnd(StrEnum):
    """Why a segment was closed."""

    ROTATED = "rotated"
    RUN_ENDED = "run_ended"
    STOPPED = "stopped"
    RECOVERED = "recovered"  # its process died; cut after the last whole fragment


@dataclass(frozen=True, slots=True)
class SegmentOpened:
    """File and directory are durable, the first member or header is written."""

    TYPE: ClassVar[str] = "segment_opened"
    segment_id: str
    camera: str
    rendition: Rendition
    path: str
    run_id: str
    epoch_id: str | None  # None for the masked rendition
    sequence: int  # per camera and rendition, counts up
    wall_us: int
    header_bytes: int  # bytes before the first fragment (init member or init boxes)
    header_sha256: str  # of exactly those bytes of the file


@dataclass(frozen=True, slots=True)
class FragmentWritten:
    """`length` bytes at `offset` of the file are one whole fragment.

    For a sealed segment the range is the tar member's content (the age file),
    without its header and padding; for a masked one the `moof` and `mdat`.
    """

    TYPE: ClassVar[str] = "fragment"
    segment_id: str
    offset: int
    length: int
    sha256: str
    start_us: int
    end_us: int
    first_pts_90k: int
    frames: int
    is_sync: bool


@dataclass(frozen=True, slots=True)
class SegmentClosed:
    """Nothing is written to the segment any more; `size_bytes` is its whole file.

    The segment record (signed, beside the file) was durable before this was written.
    """

    TYPE: ClassVar[str] = "segment_closed"
    segment_id: str
    end_us: int
    size_bytes: int
    frames: int
    fragments: int
    end: SegmentEnd
    record_sha256: str  # of the bytes of the `.record` file


@dataclass(frozen=True, slots=True)
class GapOpened:
    """From `start_us` nothing (intact) is recorded. Written when it begins."""

    TYPE: ClassVar[str] = "gap_opened"
    gap_id: str
    camera: str
    cause: str  # GapCause
    start_us: int
    detail: str


@dataclass(frozen=True, slots=True)
class GapClosed:
    """Recording goes on from `end_us`."""

    TYPE: ClassVar[str] = "gap_closed"
    gap_id: str
    end_us: int


@dataclass(frozen=True, slots=True)
class CoverOpened:
    """From `start_us` the masked rendition is covered whole."""

    TYPE: ClassVar[str] = "cover_opened"
    cover_id: str
    camera: str
    cause: str  # CoverCause
    start_us: int


@dataclass(frozen=True, slots=True)
class CoverClosed:
    """The scene is visible (masked) again from `end_us`."""

    TYPE: ClassVar[str] = "cover_closed"
    cover_id: str
    end_us: int


@dataclass(frozen=True, slots=True)
class EpochSealed:
    """The shares of an epoch's key are durable in the vault; writing to it may begin."""

    TYPE: ClassVar[str] = "epoch_sealed"
    epoch_id: str
    camera: str
    sequence: int
    start_us: int
    end_us: int
    recipient: str  # age1…
    threshold: int  # k
    shares: int  # n
    share_sha256s: tuple[str, ...]  # of the n share files, in order


@dataclass(frozen=True, slots=True)
class AccountMoved:
    """From now on another process keeps the account of the camera; this journal says nothing of it any more."""

    TYPE: ClassVar[str] = "account_moved"
    camera: str
    wall_us: int


@dataclass(frozen=True, slots=True)
class HoldPlaced:
    """From now on nothing of the camera in [`start_us`, `end_us`) is deleted automatically."""

    TYPE: ClassVar[str] = "hold_placed"
    hold_id: str
    camera: str
    start_us: int
    end_us: int
    wall_us: int
    actor: str
    reason: str


@dataclass(frozen=True, slots=True)
class HoldReleased:
    """The hold ends at `wall_us`; what it kept is retained like everything else again."""

    TYPE: ClassVar[str] = "hold_released"
    hold_id: str
    wall_us: int
    actor: str


@dataclass(frozen=True, slots=True)
class ReductionOpened:
    """From `start_us` the masked video of a camera is reduced to that step of overload."""

    TYPE: ClassVar[str] = "reduction_opened"
    reduction_id: str
    camera: str
    step: str  # ReductionStep
    start_us: int


@dataclass(frozen=True, slots=True)
class ReductionClosed:
    """The step ends at `end_us`; another one may begin there."""

    TYPE: ClassVar[str] = "reduction_closed"
    reduction_id: str
    end_us: int


@dataclass(frozen=True, slots=True)
class EventOpened:
    """Something that an operator acts on began at `start_us`; an alarm is an event of that severity."""

    TYPE: ClassVar[str] = "event_opened"
    event_id: str
    kind: str
    severity: Severity
    camera: str | None  # None: it concerns the node
    start_us: int
    detail: str  # one JSON object


@dataclass(frozen=True, slots=True)
class EventClosed:
    """It is over since `end_us`."""

    TYPE: ClassVar[str] = "event_closed"
    event_id: str
    end_us: int


@dataclass(frozen=True, slots=True)
class EventUpdated:
    """What is known of an event changed, or it became more urgent."""

    TYPE: ClassVar[str] = "event_updated"
    event_id: str
    wall_us: int
    severity: Severity
    detail: str  # one JSON object, in place of the one before


@dataclass(frozen=True, slots=True)
class EventEnded:
    """It is over since `end_us`, and this is what it was."""

    TYPE: ClassVar[str] = "event_ended"
    event_id: str
    end_us: int
    detail: str  # one JSON object, in place of the one before


@dataclass(frozen=True, slots=True)
class SnapshotTaken:
    """A masked picture of an event is durable at `path`."""

    TYPE: ClassVar[str] = "snapshot_taken"
    event_id: str
    camera: str
    path: str
    wall_us: int  # of the picture
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class EventNoted:
    """Somebody has taken note of an event, or said something about it."""

    TYPE: ClassVar[str] = "event_noted"
    note_id: str
    event_id: str
    kind: str  # NoteKind
    wall_us: int
    actor: str
    text: str


@dataclass(frozen=True, slots=True)
class MinuteCounted:
    """What was counted at one place of a camera in one minute, or in a part of it (see `happening.CountedMinute`)."""

    TYPE: ClassVar[str] = "minute_counted"
    minute_id: str  # random: the same record twice counts once
    camera: str
    place_kind: str  # PlaceKind
    place: str
    minute_us: int
    observed_ms: int
    tallies: tuple[str, ...]  # each one JSON object: a Tally


@dataclass(frozen=True, slots=True)
class NoticeDelivered:
    """A carrier has taken the notice. Without this record it is offered again, under the same id."""

    TYPE: ClassVar[str] = "notice_delivered"
    event_id: str
    sequence: int  # with the event's id, that of the notice
    carrier: str
    attempt: int  # from 1
    wall_us: int


@dataclass(frozen=True, slots=True)
class NoticeFailed:
    """A carrier did not take the notice; it is offered again from `next_us` on."""

    TYPE: ClassVar[str] = "notice_failed"
    event_id: str
    sequence: int
    carrier: str
    attempt: int
    wall_us: int
    next_us: int
    problem: str


@dataclass(frozen=True, slots=True)
class NoticeBuried:
    """The notice is a dead letter: it was refused for good, or its time is over."""

    TYPE: ClassVar[str] = "notice_buried"
    event_id: str
    sequence: int
    carrier: str
    attempt: int
    wall_us: int
    problem: str


@dataclass(frozen=True, slots=True)
class NoticesRevived:
    """Somebody wants the dead letters of a carrier, those until `wall_us`, to be offered again."""

    TYPE: ClassVar[str] = "notices_revived"
    carrier: str
    wall_us: int
    actor: str


@dataclass(frozen=True, slots=True)
class Act:
    """Something done on purpose: configuration, start, stop, hold, opening, destruction."""

    TYPE: ClassVar[str] = "act"
    act_id: str
    kind: str
    wall_us: int
    actor: str
    subject: str
    detail: str  # one JSON object


JournalRecord = (
    SegmentOpened
    | FragmentWritten
    | SegmentClosed
    | GapOpened
    | GapClosed
    | CoverOpened
    | CoverClosed
    | ReductionOpened
    | ReductionClosed
    | EpochSealed
    | AccountMoved
    | HoldPlaced
    | HoldReleased
    | EventOpened
    | EventUpdated
    | EventEnded
    | EventClosed
    | SnapshotTaken
    | EventNoted
    | MinuteCounted
    | NoticeDelivered
    | NoticeFailed
    | NoticeBuried
    | NoticesRevived
    | Act
)
RECORD_TYPES: tuple[type[JournalRecord], ...] = (
    SegmentOpened,
    FragmentWritten,
    SegmentClosed,
    GapOpened,
    GapClosed,
    CoverOpened,
    CoverClosed,
    ReductionOpened,
    ReductionClosed,
    EpochSealed,
    AccountMoved,
    HoldPlaced,
    HoldReleased,
    EventOpened,
    EventUpdated,
    EventEnded,
    EventClosed,
    SnapshotTaken,
    EventNoted,
    MinuteCounted,
    NoticeDelivered,
    NoticeFailed,
    NoticeBuried,
    NoticesRevived,
    Act,
)
