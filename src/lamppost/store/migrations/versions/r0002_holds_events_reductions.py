"""Holds, what retention has forgotten, events and alarms, and the steps of overload."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the tables."""
    _make_destroyed_epochs()
    _make_reductions()
    _make_events()
    _make_holds()
    _make_forgotten()


def downgrade() -> None:
    """Drop them; what was deleted stays deleted."""
    for table in ("forgotten", "holds", "events", "reductions", "destroyed_epochs"):
        op.drop_table(table)


def _make_destroyed_epochs() -> None:
    meaning = "its shares were destroyed; nothing sealed to it can be opened since"
    op.create_table(
        "destroyed_epochs",
        sa.Column("epoch_id", sa.Text(), nullable=False, comment="the epoch"),
        sa.Column("destroyed_us", sa.BigInteger(), nullable=False, comment=meaning),
        sa.ForeignKeyConstraint(["epoch_id"], ["epochs.epoch_id"], name=op.f("fk_destroyed_epochs_epoch_id")),
        sa.PrimaryKeyConstraint("epoch_id", name=op.f("pk_destroyed_epochs")),
        comment="epochs whose shares retention destroyed",
    )


def _make_reductions() -> None:
    op.create_table(
        "reductions",
        sa.Column("reduction_id", sa.Text(), nullable=False, comment="random"),
        sa.Column("camera", sa.Text(), nullable=False, comment="whose it is"),
        sa.Column("step", sa.Text(), nullable=False, comment="what the masked video gave up (ReductionStep)"),
        sa.Column("start_us", sa.BigInteger(), nullable=False, comment="from here on"),
        sa.Column("end_us", sa.BigInteger(), nullable=True, comment="up to here; null while it lasts"),
        sa.Column("opened_in", sa.Text(), nullable=False, comment="journal that opened it, WRITER/FILE; kept until it is closed"),
        sa.CheckConstraint("start_us <= end_us", name=op.f("ck_reductions_span")),
        sa.CheckConstraint("step <> ''", name=op.f("ck_reductions_step")),
        sa.ForeignKeyConstraint(["camera"], ["cameras.camera"], name=op.f("fk_reductions_camera")),
        sa.PrimaryKeyConstraint("reduction_id", name=op.f("pk_reductions")),
        comment="intervals in which the machine could not mask everything, and what was given up",
    )
    op.create_index(op.f("ix_reductions_camera_start_us"), "reductions", ["camera", "start_us"], unique=False)
    op.create_index(op.f("ix_reductions_opened_in"), "reductions", ["opened_in"], unique=False)


def _make_events() -> None:
    op.create_table(
        "events",
        sa.Column("event_id", sa.Text(), nullable=False, comment="random"),
        sa.Column("kind", sa.Text(), nullable=False, comment="what happened"),
        sa.Column("severity", sa.Text(), nullable=False, comment="how urgent it is"),
        sa.Column("camera", sa.Text(), nullable=True, comment="whose it is; null where it concerns the node"),
        sa.Column("start_us", sa.BigInteger(), nullable=False, comment="it began"),
        sa.Column("end_us", sa.BigInteger(), nullable=True, comment="it was over; null while it lasts"),
        sa.Column("detail", sa.Text(), nullable=False, comment="one JSON object"),
        sa.Column("opened_in", sa.Text(), nullable=False, comment="journal that opened it, WRITER/FILE; kept until it is closed"),
        sa.CheckConstraint("kind <> ''", name=op.f("ck_events_kind")),
        sa.CheckConstraint("severity IN ('info', 'warning', 'alarm')", name=op.f("ck_events_severity")),
        sa.CheckConstraint("start_us <= end_us", name=op.f("ck_events_span")),
        sa.ForeignKeyConstraint(["camera"], ["cameras.camera"], name=op.f("fk_events_camera")),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_events")),
        comment="what an operator acts on, alarms among it",
    )
    op.create_index(op.f("ix_events_start_us"), "events", ["start_us"], unique=False)
    op.create_index(op.f("ix_events_camera_start_us"), "events", ["camera", "start_us"], unique=False)
    op.create_index(op.f("ix_events_opened_in"), "events", ["opened_in"], unique=False)


def _make_holds() -> None:
    op.create_table(
        "holds",
        sa.Column("hold_id", sa.Text(), nullable=False, comment="random"),
        sa.Column("camera", sa.Text(), nullable=False, comment="whose it is"),
        sa.Column("start_us", sa.BigInteger(), nullable=False, comment="footage is kept from here on"),
        sa.Column("end_us", sa.BigInteger(), nullable=False, comment="up to here; may lie in the future"),
        sa.Column("placed_us", sa.BigInteger(), nullable=False, comment="when it was placed"),
        sa.Column("placed_by", sa.Text(), nullable=False, comment="by whom"),
        sa.Column("reason", sa.Text(), nullable=False, comment="one line for a person"),
        sa.Column("released_us", sa.BigInteger(), nullable=True, comment="when it ended; null while it holds"),
        sa.Column("released_by", sa.Text(), nullable=True, comment="by whom"),
        sa.CheckConstraint("(released_us IS NULL) = (released_by IS NULL)", name=op.f("ck_holds_released")),
        sa.CheckConstraint("reason <> ''", name=op.f("ck_holds_reason")),
        sa.CheckConstraint("start_us < end_us", name=op.f("ck_holds_span")),
        sa.ForeignKeyConstraint(["camera"], ["cameras.camera"], name=op.f("fk_holds_camera")),
        sa.PrimaryKeyConstraint("hold_id", name=op.f("pk_holds")),
        comment="intervals of which nothing is deleted automatically",
    )
    op.create_index(op.f("ix_holds_camera_start_us"), "holds", ["camera", "start_us"], unique=False)


def _make_forgotten() -> None:
    op.create_table(
        "forgotten",
        sa.Column("camera", sa.Text(), nullable=False, comment="whose it was"),
        sa.Column("rendition", sa.Text(), nullable=False, comment="sealed original or masked video"),
        sa.Column("start_us", sa.BigInteger(), autoincrement=False, nullable=False, comment="from here on"),
        sa.Column("end_us", sa.BigInteger(), nullable=False, comment="up to here; neighbours are joined"),
        sa.Column("segments", sa.BigInteger(), nullable=False, comment="so many files were deleted"),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False, comment="of so many bytes"),
        sa.CheckConstraint("rendition IN ('sealed', 'masked')", name=op.f("ck_forgotten_rendition")),
        sa.CheckConstraint("segments >= 0 AND size_bytes >= 0", name=op.f("ck_forgotten_counts")),
        sa.CheckConstraint("start_us <= end_us", name=op.f("ck_forgotten_span")),
        sa.ForeignKeyConstraint(["camera"], ["cameras.camera"], name=op.f("fk_forgotten_camera")),
        sa.PrimaryKeyConstraint("camera", "rendition", "start_us", name=op.f("pk_forgotten")),
        comment="spans whose footage was recorded and then deleted by retention",
    )
