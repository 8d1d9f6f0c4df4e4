"""When each event was acknowledged, and indexes by which rare events are found among many millions."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_COMMENT = "somebody has looked after it since; null while nobody does"
_LONG = sa.text("(end_us IS NULL OR end_us - start_us > 21600000000)")
_URGENT = sa.text("severity <> 'info'")
_ACKNOWLEDGED = sa.text("acknowledged_us IS NOT NULL")
_BEFORE = (
    ("ix_events_urgent", ["severity", "start_us"], _URGENT),
    ("ix_events_long", ["camera", "start_us"], _LONG),
)
_AFTER = (
    ("ix_events_camera_kind_start_us", ["camera", "kind", "start_us"], None),
    ("ix_events_urgent", ["severity", "start_us", "camera", "kind", "acknowledged_us"], _URGENT),
    ("ix_events_long", ["camera", "start_us", "end_us"], _LONG),
    ("ix_events_acknowledged", ["start_us", "camera", "kind", "severity"], _ACKNOWLEDGED),
)


def upgrade() -> None:
    """Fill the column from the notes; no other row is written anew. The large index takes a minute for twenty million events."""
    if op.get_bind().dialect.name == "sqlite":
        # Alembic would leave the comment out, and the file could not explain itself.
        op.execute(f"ALTER TABLE events ADD COLUMN acknowledged_us BIGINT /* {_COMMENT} */")
    else:
        op.add_column("events", sa.Column("acknowledged_us", sa.BigInteger(), comment=_COMMENT))
    first = "SELECT min(wall_us) FROM event_notes WHERE event_notes.event_id = events.event_id AND event_notes.kind = 'acknowledged'"
    noted = "SELECT event_id FROM event_notes WHERE kind = 'acknowledged'"
    op.execute(f"UPDATE events SET acknowledged_us = ({first}) WHERE event_id IN ({noted})")  # noqa: S608 - our own words
    _replace(_BEFORE, _AFTER)


def downgrade() -> None:
    """Drop them; the notes stay."""
    _replace(_AFTER, _BEFORE)
    op.drop_column("events", "acknowledged_us")


def _replace(old: tuple[tuple[str, list[str], object], ...], new: tuple[tuple[str, list[str], object], ...]) -> None:
    for name, _columns, _where in old:
        op.drop_index(op.f(name), table_name="events")
    for name, columns, where in new:
        op.create_index(op.f(name), "events", columns, unique=False, sqlite_where=where, postgresql_where=where)
