"""Counts by the minute and the quarter of an hour, and the masked pictures of events."""

from typing import Any, cast

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_DOUBLE = cast(Any, sa.Double())


def upgrade() -> None:
    """Add the tables."""
    _make_minutes()
    _make_quarters()
    _make_quarter_tallies()
    _make_snapshots()
    _make_tallies()


def downgrade() -> None:
    """Drop them, with all that was counted."""
    for table in ("tallies", "snapshots", "quarter_tallies", "quarters", "minutes"):
        op.drop_table(table)


def _make_minutes() -> None:
    op.create_table(
        "minutes",
        sa.Column("minute_id", sa.Text(), nullable=False, comment="random"),
        sa.Column("camera", sa.Text(), nullable=False, comment="whose it is"),
        sa.Column("place_kind", sa.Text(), nullable=False, comment="line, zone, or the whole picture"),
        sa.Column("place", sa.Text(), nullable=False, comment="the name of the line or zone in the rules; empty for the picture"),
        sa.Column("minute_us", sa.BigInteger(), nullable=False, comment="the beginning of the minute; of the hour for a heat map"),
        sa.Column("observed_ms", sa.BigInteger(), nullable=False, comment="so much of it was seen: the rest is unknown, and not zero"),
        sa.CheckConstraint("place_kind IN ('line', 'zone', 'picture')", name=op.f("ck_minutes_place_kind")),
        sa.CheckConstraint("0 <= observed_ms AND observed_ms <= 3600000", name=op.f("ck_minutes_observed")),
        sa.ForeignKeyConstraint(["camera"], ["cameras.camera"], name=op.f("fk_minutes_camera")),
        sa.PrimaryKeyConstraint("minute_id", name=op.f("pk_minutes")),
        comment="a minute, or a part of one, at a place that was watched; parts of one minute add up",
    )
    op.create_index(op.f("ix_minutes_camera_minute_us"), "minutes", ["camera", "minute_us"], unique=False)
    op.create_index(op.f("ix_minutes_minute_us"), "minutes", ["minute_us"], unique=False)


def _make_quarters() -> None:
    op.create_table(
        "quarters",
        sa.Column("camera", sa.Text(), nullable=False, comment="whose it is"),
        sa.Column("place_kind", sa.Text(), nullable=False, comment="line, zone, or the whole picture"),
        sa.Column("place", sa.Text(), nullable=False, comment="the name of the line or zone in the rules; empty for the picture"),
        sa.Column(
            "quarter_us", sa.BigInteger(), autoincrement=False, nullable=False, comment="the beginning of a quarter of an hour of UTC"
        ),
        sa.Column("observed_ms", sa.BigInteger(), nullable=False, comment="so much of it was seen"),
        sa.CheckConstraint("observed_ms >= 0", name=op.f("ck_quarters_observed")),
        sa.ForeignKeyConstraint(["camera"], ["cameras.camera"], name=op.f("fk_quarters_camera")),
        sa.PrimaryKeyConstraint("camera", "place_kind", "place", "quarter_us", name=op.f("pk_quarters")),
        comment="minutes added up: hours and days of every time zone are made of quarters",
    )


def _make_quarter_tallies() -> None:
    op.create_table(
        "quarter_tallies",
        sa.Column("camera", sa.Text(), nullable=False, comment="whose it is"),
        sa.Column("place_kind", sa.Text(), nullable=False, comment="line, zone, or the whole picture"),
        sa.Column("place", sa.Text(), nullable=False, comment="the name of the line or zone in the rules; empty for the picture"),
        sa.Column("quarter_us", sa.BigInteger(), autoincrement=False, nullable=False, comment="the quarter of an hour"),
        sa.Column("measure", sa.Text(), nullable=False, comment="what was counted or measured"),
        sa.Column("kind", sa.Text(), nullable=False, comment="of what kind of thing; empty for all together"),
        sa.Column("count", sa.BigInteger(), nullable=False, comment="how many, or how many samples"),
        sa.Column("total", _DOUBLE, nullable=True, comment="the sum of what was measured; null where it was only counted"),
        sa.Column("most", _DOUBLE, nullable=True, comment="the largest that was measured"),
        sa.Column(
            "bins", sa.Text(), nullable=True, comment="a histogram, or the cells of a heat map: one JSON list; null where there is none"
        ),
        sa.CheckConstraint("count >= 0", name=op.f("ck_quarter_tallies_count")),
        sa.ForeignKeyConstraint(
            ["camera", "place_kind", "place", "quarter_us"],
            ["quarters.camera", "quarters.place_kind", "quarters.place", "quarters.quarter_us"],
            name="fk_quarter_tallies_quarter",
        ),
        sa.PrimaryKeyConstraint("camera", "place_kind", "place", "quarter_us", "measure", "kind", name=op.f("pk_quarter_tallies")),
        comment="what was counted in a quarter of an hour",
    )


def _make_snapshots() -> None:
    op.create_table(
        "snapshots",
        sa.Column("event_id", sa.Text(), nullable=False, comment="the event"),
        sa.Column("camera", sa.Text(), nullable=False, comment="whose it is"),
        sa.Column("path", sa.Text(), nullable=False, comment="its masked picture, relative to the data folder"),
        sa.Column("wall_us", sa.BigInteger(), nullable=False, comment="when the picture was taken"),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False, comment="of that file"),
        sa.Column("sha256", sa.Text(), nullable=False, comment="of that file, lower-case hexadecimal"),
        sa.CheckConstraint("length(sha256) = 64", name=op.f("ck_snapshots_sha256")),
        sa.CheckConstraint("size_bytes >= 0", name=op.f("ck_snapshots_size")),
        sa.ForeignKeyConstraint(["camera"], ["cameras.camera"], name=op.f("fk_snapshots_camera")),
        sa.ForeignKeyConstraint(["event_id"], ["events.event_id"], name=op.f("fk_snapshots_event_id")),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_snapshots")),
        sa.UniqueConstraint("path", name=op.f("uq_snapshots_path")),
        comment="masked pictures of events",
    )
    op.create_index(op.f("ix_snapshots_camera_wall_us"), "snapshots", ["camera", "wall_us"], unique=False)


def _make_tallies() -> None:
    op.create_table(
        "tallies",
        sa.Column("minute_id", sa.Text(), nullable=False, comment="the minute"),
        sa.Column("measure", sa.Text(), nullable=False, comment="what was counted or measured"),
        sa.Column("kind", sa.Text(), nullable=False, comment="of what kind of thing; empty for all together"),
        sa.Column("count", sa.BigInteger(), nullable=False, comment="how many, or how many samples"),
        sa.Column("total", _DOUBLE, nullable=True, comment="the sum of what was measured; null where it was only counted"),
        sa.Column("most", _DOUBLE, nullable=True, comment="the largest that was measured"),
        sa.Column(
            "bins", sa.Text(), nullable=True, comment="a histogram, or the cells of a heat map: one JSON list; null where there is none"
        ),
        sa.CheckConstraint("count >= 0", name=op.f("ck_tallies_count")),
        sa.ForeignKeyConstraint(["minute_id"], ["minutes.minute_id"], name=op.f("fk_tallies_minute_id")),
        sa.PrimaryKeyConstraint("minute_id", "measure", "kind", name=op.f("pk_tallies")),
        comment="what was counted in a minute; what has no row was zero in what was seen",
    )
