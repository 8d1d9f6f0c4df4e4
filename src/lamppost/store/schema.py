"""The index's tables, each column with its meaning and what must hold of it.

Migrations (`migrations/`) make exactly this; a test compares. Times are UTC in
microseconds since 1970. SQL that SQLite and PostgreSQL both read.
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Double,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.schema import CreateColumn

NAMES: Final = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}
"""How constraints and indexes are called, in every database of ours."""

METADATA: Final = MetaData(naming_convention=NAMES)


URGENT: Final = text("severity <> 'info'")
OPEN: Final = text("end_us IS NULL")
ACKNOWLEDGED: Final = text("acknowledged_us IS NOT NULL")
LONG_US: Final = 6 * 3600 * 1_000_000
LONG: Final = text(f"(end_us IS NULL OR end_us - start_us > {LONG_US})")
"""The few events that may reach into a span of time though they began long before it: a query must say it in these words."""


def _camera() -> Column[str]:
    return Column("camera", Text, ForeignKey("cameras.camera"), nullable=False, comment="whose it is")


def _opened_in() -> Column[str]:
    return Column("opened_in", Text, nullable=False, comment="journal that opened it, WRITER/FILE; kept until it is closed")


CAMERAS: Final = Table(
    "cameras",
    METADATA,
    Column("camera", Text, primary_key=True, comment="name in the configuration, part of every path"),
    CheckConstraint("camera <> ''", name="named"),
    comment="every camera that anything is known of",
)

EPOCHS: Final = Table(
    "epochs",
    METADATA,
    Column("epoch_id", Text, primary_key=True, comment="folder name in the vault"),
    _camera(),
    Column("sequence", BigInteger, nullable=False, comment="counts up per camera"),
    Column("start_us", BigInteger, nullable=False, comment="sealing to it may begin"),
    Column("end_us", BigInteger, nullable=False, comment="no segment starts in it from here on"),
    Column("recipient", Text, nullable=False, comment="age X25519 recipient, age1..."),
    Column("threshold", Integer, nullable=False, comment="k: so many shares open it"),
    Column("shares", Integer, nullable=False, comment="n: so many shares were made"),
    CheckConstraint("start_us < end_us", name="span"),
    CheckConstraint("1 <= threshold AND threshold <= shares AND shares <= 16", name="quorum"),
    CheckConstraint("sequence >= 0", name="sequence"),
    Index(None, "camera", "start_us"),
    comment="spans that one sealing key covers; its shares lie in the vault",
)

EPOCH_SHARES: Final = Table(
    "epoch_shares",
    METADATA,
    Column("epoch_id", Text, ForeignKey("epochs.epoch_id"), primary_key=True, comment="the epoch"),
    Column("number", Integer, primary_key=True, autoincrement=False, comment="1 to n, as in share-N.age"),
    Column("sha256", Text, nullable=False, comment="of the share's file, lower-case hexadecimal"),
    CheckConstraint("1 <= number AND number <= 16", name="number"),
    CheckConstraint("length(sha256) = 64", name="sha256"),
    comment="what each share file of an epoch must be",
)

DESTROYED_EPOCHS: Final = Table(
    "destroyed_epochs",
    METADATA,
    Column("epoch_id", Text, ForeignKey("epochs.epoch_id"), primary_key=True, comment="the epoch"),
    Column("destroyed_us", BigInteger, nullable=False, comment="its shares were destroyed; nothing sealed to it can be opened since"),
    comment="epochs whose shares retention destroyed",
)

DESTROYING: Final = Table(
    "destroying",
    METADATA,
    Column("epoch_id", Text, ForeignKey("epochs.epoch_id"), primary_key=True, comment="the epoch"),
    Column("begun_us", BigInteger, nullable=False, comment="from here on its shares may be gone; it is not undone"),
    comment="epochs whose shares are being destroyed; after a crash that goes on",
)

SEGMENTS: Final = Table(
    "segments",
    METADATA,
    Column("segment_id", Text, primary_key=True, comment="file name without its suffix"),
    _camera(),
    Column("rendition", Text, nullable=False, comment="sealed original or masked video"),
    Column("state", Text, nullable=False, comment="open: being written; closed: whole; garbage: may be unlinked, or is lost"),
    Column("path", Text, nullable=False, comment="relative to the data folder"),
    Column("run_id", Text, nullable=False, comment="gapless packets of one session"),
    # No foreign key: a damaged journal line must not keep out the footage that names its epoch.
    Column("epoch_id", Text, comment="what it is sealed to; null for masked video"),
    Column("sequence", BigInteger, nullable=False, comment="counts up per camera and rendition"),
    Column("start_us", BigInteger, nullable=False, comment="first picture"),
    Column("end_us", BigInteger, nullable=False, comment="end of the last whole fragment; contiguous but for declared gaps"),
    Column("header_bytes", BigInteger, nullable=False, comment="before the first fragment"),
    Column("size_bytes", BigInteger, nullable=False, comment="whole file; while open, the end of the last fragment"),
    Column("frames", BigInteger, nullable=False, comment="pictures in all fragments"),
    Column("fragments", BigInteger, nullable=False, comment="whole fragments; each stands in the .record"),
    Column("end_reason", Text, comment="why it was closed; null while open"),
    Column("record_sha256", Text, comment="of the .record file; null while open, or when lost"),
    _opened_in(),
    CheckConstraint("rendition IN ('sealed', 'masked')", name="rendition"),
    CheckConstraint("state IN ('open', 'closed', 'garbage')", name="state"),
    CheckConstraint("(state = 'open') = (end_reason IS NULL)", name="ended"),
    CheckConstraint("state <> 'closed' OR record_sha256 IS NOT NULL", name="recorded"),
    CheckConstraint("(rendition = 'sealed') = (epoch_id IS NOT NULL)", name="epoch"),
    CheckConstraint("end_reason IN ('rotated', 'run_ended', 'stopped', 'recovered')", name="end_reason"),
    CheckConstraint("length(record_sha256) = 64", name="record_sha256"),
    CheckConstraint("start_us <= end_us", name="span"),
    CheckConstraint("sequence >= 0 AND header_bytes >= 0 AND size_bytes >= 0 AND frames >= 0 AND fragments >= 0", name="counts"),
    UniqueConstraint("path"),
    Index(None, "camera", "rendition", "start_us"),
    Index(None, "epoch_id"),
    Index(None, "state", "opened_in"),
    comment="one stored file each",
)

STORED: Final = Table(
    "stored",
    METADATA,
    Column("camera", Text, ForeignKey("cameras.camera"), primary_key=True, comment="whose it is"),
    Column("rendition", Text, primary_key=True, comment="sealed original or masked video"),
    Column("segments", BigInteger, nullable=False, comment="closed ones"),
    Column("size_bytes", BigInteger, nullable=False, comment="of their files"),
    CheckConstraint("rendition IN ('sealed', 'masked')", name="rendition"),
    comment="what each camera's closed segments take, so that nobody has to add them up",
)

GAPS: Final = Table(
    "gaps",
    METADATA,
    Column("gap_id", Text, primary_key=True, comment="random"),
    _camera(),
    Column("cause", Text, nullable=False, comment="why nothing intact was recorded (GapCause)"),
    Column("start_us", BigInteger, nullable=False, comment="from here on"),
    Column("end_us", BigInteger, comment="up to here; null while it lasts"),
    Column("detail", Text, nullable=False, comment="one line for a person"),
    _opened_in(),
    CheckConstraint("cause <> ''", name="cause"),
    CheckConstraint("start_us <= end_us", name="span"),
    Index(None, "camera", "start_us"),
    Index(None, "opened_in"),
    comment="intervals without an intact recording, declared when they began",
)

COVERED: Final = Table(
    "covered",
    METADATA,
    Column("cover_id", Text, primary_key=True, comment="random"),
    _camera(),
    Column("cause", Text, nullable=False, comment="why the masked video was covered whole (CoverCause)"),
    Column("start_us", BigInteger, nullable=False, comment="from here on"),
    Column("end_us", BigInteger, comment="up to here; null while it lasts"),
    _opened_in(),
    CheckConstraint("cause <> ''", name="cause"),
    CheckConstraint("start_us <= end_us", name="span"),
    Index(None, "camera", "start_us"),
    Index(None, "opened_in"),
    comment="intervals in which the masked video shows nothing",
)

REDUCTIONS: Final = Table(
    "reductions",
    METADATA,
    Column("reduction_id", Text, primary_key=True, comment="random"),
    _camera(),
    Column("step", Text, nullable=False, comment="what the masked video gave up (ReductionStep)"),
    Column("start_us", BigInteger, nullable=False, comment="from here on"),
    Column("end_us", BigInteger, comment="up to here; null while it lasts"),
    _opened_in(),
    CheckConstraint("step <> ''", name="step"),
    CheckConstraint("start_us <= end_us", name="span"),
    Index(None, "camera", "start_us"),
    Index(None, "opened_in"),
    comment="intervals in which the machine could not mask everything, and what was given up",
)

_URGENT_COLUMNS: Final = ("severity", "start_us", "camera", "kind", "acknowledged_us")
_ACKNOWLEDGED_COLUMNS: Final = ("start_us", "camera", "kind", "severity")

EVENTS: Final = Table(
    "events",
    METADATA,
    Column("event_id", Text, primary_key=True, comment="random"),
    Column("kind", Text, nullable=False, comment="what happened"),
    Column("severity", Text, nullable=False, comment="how urgent it is"),
    Column("camera", Text, ForeignKey("cameras.camera"), comment="whose it is; null where it concerns the node"),
    Column("start_us", BigInteger, nullable=False, comment="it began"),
    Column("end_us", BigInteger, comment="it was over; null while it lasts"),
    Column("detail", Text, nullable=False, comment="one JSON object"),
    _opened_in(),
    Column("acknowledged_us", BigInteger, comment="somebody has looked after it since; null while nobody does"),
    CheckConstraint("kind <> ''", name="kind"),
    CheckConstraint("severity IN ('info', 'warning', 'alarm')", name="severity"),
    CheckConstraint("start_us <= end_us", name="span"),
    Index(None, "start_us"),
    Index(None, "camera", "start_us"),
    Index(None, "kind", "start_us"),
    Index(None, "camera", "kind", "start_us"),
    # The few of a kind are all looked at where more is asked of them; what stands behind the time lets that be done in the index alone.
    Index("ix_events_urgent", *_URGENT_COLUMNS, sqlite_where=URGENT, postgresql_where=URGENT),
    Index("ix_events_open", "start_us", sqlite_where=OPEN, postgresql_where=OPEN),
    Index("ix_events_acknowledged", *_ACKNOWLEDGED_COLUMNS, sqlite_where=ACKNOWLEDGED, postgresql_where=ACKNOWLEDGED),
    Index("ix_events_long", "camera", "start_us", "end_us", sqlite_where=LONG, postgresql_where=LONG),
    Index(None, "opened_in"),
    comment="what an operator acts on, alarms among it",
)

EVENT_NOTES: Final = Table(
    "event_notes",
    METADATA,
    Column("note_id", Text, primary_key=True, comment="random"),
    # No foreign key: the note and its event stand in two journals, and either may be applied first.
    Column("event_id", Text, nullable=False, comment="the event"),
    Column("kind", Text, nullable=False, comment="acknowledged: somebody looks after it; comment: they say something"),
    Column("wall_us", BigInteger, nullable=False, comment="when"),
    Column("actor", Text, nullable=False, comment="by whom"),
    Column("text", Text, nullable=False, comment="what they said; may be empty"),
    Column("learnt_us", BigInteger, nullable=False, comment="when the index learnt of it"),
    CheckConstraint("kind IN ('acknowledged', 'comment')", name="kind"),
    Index(None, "event_id"),
    Index(None, "learnt_us"),
    comment="what people did with events",
)

SNAPSHOTS: Final = Table(
    "snapshots",
    METADATA,
    Column("event_id", Text, ForeignKey("events.event_id"), primary_key=True, comment="the event"),
    _camera(),
    Column("path", Text, nullable=False, comment="its masked picture, relative to the data folder"),
    Column("wall_us", BigInteger, nullable=False, comment="when the picture was taken"),
    Column("size_bytes", BigInteger, nullable=False, comment="of that file"),
    Column("sha256", Text, nullable=False, comment="of that file, lower-case hexadecimal"),
    CheckConstraint("length(sha256) = 64", name="sha256"),
    CheckConstraint("size_bytes >= 0", name="size"),
    UniqueConstraint("path"),
    Index(None, "camera", "wall_us"),
    comment="masked pictures of events",
)

NOTICES: Final = Table(
    "notices",
    METADATA,
    Column("event_id", Text, ForeignKey("events.event_id"), primary_key=True, comment="the event"),
    Column("sequence", Integer, primary_key=True, autoincrement=False, comment="from 0, in the order of what happened to the event"),
    Column("phase", Text, nullable=False, comment="what happened to the event"),
    Column("at_us", BigInteger, nullable=False, comment="when"),
    Column("severity", Text, nullable=False, comment="of the event as it was then"),
    Column("detail", Text, nullable=False, comment="of the event as it was then, one JSON object"),
    Column("snapshot", Text, comment="its masked picture, relative to the data folder; null while there is none"),
    Column("created_us", BigInteger, nullable=False, comment="when the index learnt of it"),
    Column("routed_us", BigInteger, comment="when its deliveries were made; null until then"),
    CheckConstraint("phase IN ('start', 'update', 'end')", name="phase"),
    CheckConstraint("severity IN ('info', 'warning', 'alarm')", name="severity"),
    CheckConstraint("sequence >= 0", name="sequence"),
    UniqueConstraint("event_id", "phase", "at_us"),
    Index(None, "routed_us"),
    Index(None, "created_us"),
    comment="what there is to tell others of an event; made in the transaction that changes the event",
)

DELIVERIES: Final = Table(
    "deliveries",
    METADATA,
    Column("carrier", Text, primary_key=True, comment="who is to be told, by its name in the configuration"),
    # No foreign key: after the loss of the index a delivery may be known before its event.
    Column("event_id", Text, primary_key=True, comment="the event of the notice"),
    Column("sequence", Integer, primary_key=True, autoincrement=False, comment="the number of the notice"),
    Column("state", Text, nullable=False, comment="pending: to be delivered; delivered; dead: given up, or refused"),
    Column("attempts", Integer, nullable=False, comment="how often it was offered"),
    Column("since_us", BigInteger, nullable=False, comment="the time in which it is given up begins here"),
    Column("next_us", BigInteger, nullable=False, comment="not offered before"),
    Column("settled_us", BigInteger, comment="when it was delivered or given up; null while it is pending"),
    Column("problem", Text, nullable=False, comment="why it was not taken last; one line for a person"),
    CheckConstraint("carrier <> ''", name="carrier"),
    CheckConstraint("state IN ('pending', 'delivered', 'dead')", name="state"),
    CheckConstraint("(state = 'pending') = (settled_us IS NULL)", name="settled"),
    CheckConstraint("attempts >= 0 AND sequence >= 0", name="counts"),
    Index(None, "carrier", "state", "next_us"),
    Index(None, "event_id", "sequence"),
    comment="each notice for each carrier that wants it, and how far that is",
)


def _place() -> tuple[Column[str], Column[str]]:
    return (
        Column("place_kind", Text, nullable=False, comment="line, zone, or the whole picture"),
        Column("place", Text, nullable=False, comment="the name of the line or zone in the rules; empty for the picture"),
    )


def _tally() -> tuple[Column[Any], ...]:
    return (
        Column("measure", Text, primary_key=True, comment="what was counted or measured"),
        Column("kind", Text, primary_key=True, comment="of what kind of thing; empty for all together"),
        Column("count", BigInteger, nullable=False, comment="how many, or how many samples"),
        Column("total", Double, comment="the sum of what was measured; null where it was only counted"),
        Column("most", Double, comment="the largest that was measured"),
        Column("bins", Text, comment="a histogram, or the cells of a heat map: one JSON list; null where there is none"),
    )


MINUTES: Final = Table(
    "minutes",
    METADATA,
    Column("minute_id", Text, primary_key=True, comment="random"),
    _camera(),
    *_place(),
    Column("minute_us", BigInteger, nullable=False, comment="the beginning of the minute; of the hour for a heat map"),
    Column("observed_ms", BigInteger, nullable=False, comment="so much of it was seen: the rest is unknown, and not zero"),
    CheckConstraint("place_kind IN ('line', 'zone', 'picture')", name="place_kind"),
    CheckConstraint("0 <= observed_ms AND observed_ms <= 3600000", name="observed"),
    Index(None, "camera", "minute_us"),
    Index(None, "minute_us"),
    comment="a minute, or a part of one, at a place that was watched; parts of one minute add up",
)

TALLIES: Final = Table(
    "tallies",
    METADATA,
    Column("minute_id", Text, ForeignKey("minutes.minute_id"), primary_key=True, comment="the minute"),
    *_tally(),
    CheckConstraint("count >= 0", name="count"),
    comment="what was counted in a minute; what has no row was zero in what was seen",
)

QUARTERS: Final = Table(
    "quarters",
    METADATA,
    Column("camera", Text, ForeignKey("cameras.camera"), primary_key=True, comment="whose it is"),
    Column("place_kind", Text, primary_key=True, comment="line, zone, or the whole picture"),
    Column("place", Text, primary_key=True, comment="the name of the line or zone in the rules; empty for the picture"),
    Column("quarter_us", BigInteger, primary_key=True, autoincrement=False, comment="the beginning of a quarter of an hour of UTC"),
    Column("observed_ms", BigInteger, nullable=False, comment="so much of it was seen"),
    CheckConstraint("observed_ms >= 0", name="observed"),
    comment="minutes added up: hours and days of every time zone are made of quarters",
)

QUARTER_TALLIES: Final = Table(
    "quarter_tallies",
    METADATA,
    Column("camera", Text, primary_key=True, comment="whose it is"),
    Column("place_kind", Text, primary_key=True, comment="line, zone, or the whole picture"),
    Column("place", Text, primary_key=True, comment="the name of the line or zone in the rules; empty for the picture"),
    Column("quarter_us", BigInteger, primary_key=True, autoincrement=False, comment="the quarter of an hour"),
    *_tally(),
    ForeignKeyConstraint(
        ["camera", "place_kind", "place", "quarter_us"],
        ["quarters.camera", "quarters.place_kind", "quarters.place", "quarters.quarter_us"],
        name="fk_quarter_tallies_quarter",
    ),
    CheckConstraint("count >= 0", name="count"),
    comment="what was counted in a quarter of an hour",
)

HOLDS: Final = Table(
    "holds",
    METADATA,
    Column("hold_id", Text, primary_key=True, comment="random"),
    _camera(),
    Column("start_us", BigInteger, nullable=False, comment="footage is kept from here on"),
    Column("end_us", BigInteger, nullable=False, comment="up to here; may lie in the future"),
    Column("placed_us", BigInteger, nullable=False, comment="when it was placed"),
    Column("placed_by", Text, nullable=False, comment="by whom"),
    Column("reason", Text, nullable=False, comment="one line for a person"),
    Column("released_us", BigInteger, comment="when it ended; null while it holds"),
    Column("released_by", Text, comment="by whom"),
    CheckConstraint("start_us < end_us", name="span"),
    CheckConstraint("reason <> ''", name="reason"),
    CheckConstraint("(released_us IS NULL) = (released_by IS NULL)", name="released"),
    Index(None, "camera", "start_us"),
    comment="intervals of which nothing is deleted automatically",
)

FORGOTTEN: Final = Table(
    "forgotten",
    METADATA,
    Column("camera", Text, ForeignKey("cameras.camera"), primary_key=True, comment="whose it was"),
    Column("rendition", Text, primary_key=True, comment="sealed original or masked video"),
    Column("start_us", BigInteger, primary_key=True, autoincrement=False, comment="from here on"),
    Column("end_us", BigInteger, nullable=False, comment="up to here; neighbours are joined"),
    Column("segments", BigInteger, nullable=False, comment="so many files were deleted"),
    Column("size_bytes", BigInteger, nullable=False, comment="of so many bytes"),
    CheckConstraint("rendition IN ('sealed', 'masked')", name="rendition"),
    CheckConstraint("start_us <= end_us", name="span"),
    CheckConstraint("segments >= 0 AND size_bytes >= 0", name="counts"),
    comment="spans whose footage was recorded and then deleted by retention",
)

ACTS: Final = Table(
    "acts",
    METADATA,
    Column("act_id", Text, primary_key=True, comment="random, or made of what it is about"),
    Column("kind", Text, nullable=False, comment="what was done"),
    Column("wall_us", BigInteger, nullable=False, comment="when"),
    Column("actor", Text, nullable=False, comment="by whom"),
    Column("subject", Text, nullable=False, comment="to what"),
    Column("detail", Text, nullable=False, comment="one JSON object"),
    CheckConstraint("kind <> ''", name="kind"),
    Index(None, "wall_us"),
    Index(None, "kind", "wall_us"),
    Index(None, "actor", "wall_us"),
    Index(None, "subject", "wall_us"),
    comment="what was done on purpose; only ever appended to",
)

JOURNAL_OFFSETS: Final = Table(
    "journal_offsets",
    METADATA,
    Column("writer", Text, primary_key=True, comment="process that writes the journal"),
    Column("file", Text, primary_key=True, comment="file name in its folder"),
    Column("offset_bytes", BigInteger, nullable=False, comment="records before this are in the index"),
    CheckConstraint("offset_bytes >= 0", name="offset"),
    comment="how far each journal was applied; moves in the transaction that applies",
)


@compiles(CreateColumn, "sqlite")
def _with_comment(create: CreateColumn, compiler: Any, **options: Any) -> str:
    """SQLite has no comments on columns, but keeps the text of its DDL: `sqlite3 index.db .schema` shows them."""
    definition: str = compiler.visit_create_column(create, **options)
    return f"{definition} /* {create.element.comment} */" if create.element.comment else definition
