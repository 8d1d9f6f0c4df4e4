"""What each camera's footage takes, and the epochs whose shares are being destroyed."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the tables, and count once what there is."""
    op.create_table(
        "destroying",
        sa.Column("epoch_id", sa.Text(), nullable=False, comment="the epoch"),
        sa.Column("begun_us", sa.BigInteger(), nullable=False, comment="from here on its shares may be gone; it is not undone"),
        sa.ForeignKeyConstraint(["epoch_id"], ["epochs.epoch_id"], name=op.f("fk_destroying_epoch_id")),
        sa.PrimaryKeyConstraint("epoch_id", name=op.f("pk_destroying")),
        comment="epochs whose shares are being destroyed; after a crash that goes on",
    )
    op.create_table(
        "stored",
        sa.Column("camera", sa.Text(), nullable=False, comment="whose it is"),
        sa.Column("rendition", sa.Text(), nullable=False, comment="sealed original or masked video"),
        sa.Column("segments", sa.BigInteger(), nullable=False, comment="closed ones"),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False, comment="of their files"),
        sa.CheckConstraint("rendition IN ('sealed', 'masked')", name=op.f("ck_stored_rendition")),
        sa.ForeignKeyConstraint(["camera"], ["cameras.camera"], name=op.f("fk_stored_camera")),
        sa.PrimaryKeyConstraint("camera", "rendition", name=op.f("pk_stored")),
        comment="what each camera's closed segments take, so that nobody has to add them up",
    )
    op.execute(
        "INSERT INTO stored (camera, rendition, segments, size_bytes) SELECT camera, rendition, count(*), sum(size_bytes)"
        " FROM segments WHERE state = 'closed' GROUP BY camera, rendition"
    )


def downgrade() -> None:
    """Drop them."""
    for table in ("stored", "destroying"):
        op.drop_table(table)
