"""What people did with events, and indexes for pages of events and acts."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_LONG = sa.text("end_us IS NULL OR end_us - start_us > 21600000000")
_URGENT = sa.text("severity <> 'info'")
_INDEXES = (
    ("ix_notices_created_us", "notices", ["created_us"], None),
    ("ix_events_kind_start_us", "events", ["kind", "start_us"], None),
    ("ix_events_urgent", "events", ["severity", "start_us"], _URGENT),
    ("ix_events_long", "events", ["camera", "start_us"], _LONG),
    ("ix_acts_actor_wall_us", "acts", ["actor", "wall_us"], None),
    ("ix_acts_subject_wall_us", "acts", ["subject", "wall_us"], None),
)


def upgrade() -> None:
    """Add them; of the past nothing is noted."""
    op.create_table(
        "event_notes",
        sa.Column("note_id", sa.Text(), nullable=False, comment="random"),
        sa.Column("event_id", sa.Text(), nullable=False, comment="the event"),
        sa.Column("kind", sa.Text(), nullable=False, comment="acknowledged: somebody looks after it; comment: they say something"),
        sa.Column("wall_us", sa.BigInteger(), nullable=False, comment="when"),
        sa.Column("actor", sa.Text(), nullable=False, comment="by whom"),
        sa.Column("text", sa.Text(), nullable=False, comment="what they said; may be empty"),
        sa.Column("learnt_us", sa.BigInteger(), nullable=False, comment="when the index learnt of it"),
        sa.CheckConstraint("kind IN ('acknowledged', 'comment')", name=op.f("ck_event_notes_kind")),
        sa.PrimaryKeyConstraint("note_id", name=op.f("pk_event_notes")),
        comment="what people did with events",
    )
    op.create_index(op.f("ix_event_notes_event_id"), "event_notes", ["event_id"], unique=False)
    op.create_index(op.f("ix_event_notes_learnt_us"), "event_notes", ["learnt_us"], unique=False)
    for name, table, columns, where in _INDEXES:
        op.create_index(op.f(name), table, columns, unique=False, sqlite_where=where, postgresql_where=where)


def downgrade() -> None:
    """Drop them, with what was noted."""
    for name, table, _columns, _where in reversed(_INDEXES):
        op.drop_index(op.f(name), table_name=table)
    op.drop_table("event_notes")
