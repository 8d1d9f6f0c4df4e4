"""The outbox: what others are to be told of events, and how far that is."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the tables; of the past nobody is told."""
    _make_notices()
    _make_deliveries()


def downgrade() -> None:
    """Drop them, with what was not delivered."""
    for table in ("deliveries", "notices"):
        op.drop_table(table)


def _make_notices() -> None:
    picture = "its masked picture, relative to the data folder; null while there is none"
    op.create_table(
        "notices",
        sa.Column("event_id", sa.Text(), nullable=False, comment="the event"),
        sa.Column("sequence", sa.Integer(), nullable=False, comment="from 0, in the order of what happened to the event"),
        sa.Column("phase", sa.Text(), nullable=False, comment="what happened to the event"),
        sa.Column("at_us", sa.BigInteger(), nullable=False, comment="when"),
        sa.Column("severity", sa.Text(), nullable=False, comment="of the event as it was then"),
        sa.Column("detail", sa.Text(), nullable=False, comment="of the event as it was then, one JSON object"),
        sa.Column("snapshot", sa.Text(), nullable=True, comment=picture),
        sa.Column("created_us", sa.BigInteger(), nullable=False, comment="when the index learnt of it"),
        sa.Column("routed_us", sa.BigInteger(), nullable=True, comment="when its deliveries were made; null until then"),
        sa.CheckConstraint("phase IN ('start', 'update', 'end')", name=op.f("ck_notices_phase")),
        sa.CheckConstraint("sequence >= 0", name=op.f("ck_notices_sequence")),
        sa.CheckConstraint("severity IN ('info', 'warning', 'alarm')", name=op.f("ck_notices_severity")),
        sa.ForeignKeyConstraint(["event_id"], ["events.event_id"], name=op.f("fk_notices_event_id")),
        sa.PrimaryKeyConstraint("event_id", "sequence", name=op.f("pk_notices")),
        sa.UniqueConstraint("event_id", "phase", "at_us", name=op.f("uq_notices_event_id_phase_at_us")),
        comment="what there is to tell others of an event; made in the transaction that changes the event",
    )
    op.create_index(op.f("ix_notices_routed_us"), "notices", ["routed_us"], unique=False)


def _make_deliveries() -> None:
    op.create_table(
        "deliveries",
        sa.Column("carrier", sa.Text(), nullable=False, comment="who is to be told, by its name in the configuration"),
        sa.Column("event_id", sa.Text(), nullable=False, comment="the event of the notice"),
        sa.Column("sequence", sa.Integer(), nullable=False, comment="the number of the notice"),
        sa.Column("state", sa.Text(), nullable=False, comment="pending: to be delivered; delivered; dead: given up, or refused"),
        sa.Column("attempts", sa.Integer(), nullable=False, comment="how often it was offered"),
        sa.Column("since_us", sa.BigInteger(), nullable=False, comment="the time in which it is given up begins here"),
        sa.Column("next_us", sa.BigInteger(), nullable=False, comment="not offered before"),
        sa.Column("settled_us", sa.BigInteger(), nullable=True, comment="when it was delivered or given up; null while it is pending"),
        sa.Column("problem", sa.Text(), nullable=False, comment="why it was not taken last; one line for a person"),
        sa.CheckConstraint("(state = 'pending') = (settled_us IS NULL)", name=op.f("ck_deliveries_settled")),
        sa.CheckConstraint("attempts >= 0 AND sequence >= 0", name=op.f("ck_deliveries_counts")),
        sa.CheckConstraint("carrier <> ''", name=op.f("ck_deliveries_carrier")),
        sa.CheckConstraint("state IN ('pending', 'delivered', 'dead')", name=op.f("ck_deliveries_state")),
        sa.PrimaryKeyConstraint("carrier", "event_id", "sequence", name=op.f("pk_deliveries")),
        comment="each notice for each carrier that wants it, and how far that is",
    )
    op.create_index(op.f("ix_deliveries_carrier_state_next_us"), "deliveries", ["carrier", "state", "next_us"], unique=False)
    op.create_index(op.f("ix_deliveries_event_id_sequence"), "deliveries", ["event_id", "sequence"], unique=False)
