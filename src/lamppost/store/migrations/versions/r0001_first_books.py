"""The first books: cameras, epochs, segments, gaps, covers, acts and how far journals were applied."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    _make_cameras()
    _make_epochs()
    _make_epoch_shares()
    _make_segments()
    _make_gaps()
    _make_covered()
    _make_acts()
    _make_journal_offsets()


def downgrade() -> None:
    """Drop them; the journals and records that they were made from stay."""
    for table in ("journal_offsets", "acts", "covered", "gaps", "segments", "epoch_shares", "epochs", "cameras"):
        op.drop_table(table)


def _make_cameras() -> None:
    op.create_table(
        "cameras",
        sa.Column("camera", sa.Text(), nullable=False, comment="name in the configuration, part of every path"),
        sa.CheckConstraint("camera <> ''", name=op.f("ck_cameras_named")),
        sa.PrimaryKeyConstraint("camera", name=op.f("pk_cameras")),
        comment="every camera that anything is known of",
    )


def _make_epochs() -> None:
    op.create_table(
        "epochs",
        sa.Column("epoch_id", sa.Text(), nullable=False, comment="folder name in the vault"),
        sa.Column("camera", sa.Text(), nullable=False, comment="whose it is"),
        sa.Column("sequence", sa.BigInteger(), nullable=False, comment="counts up per camera"),
        sa.Column("start_us", sa.BigInteger(), nullable=False, comment="sealing to it may begin"),
        sa.Column("end_us", sa.BigInteger(), nullable=False, comment="no segment starts in it from here on"),
        sa.Column("recipient", sa.Text(), nullable=False, comment="age X25519 recipient, age1..."),
        sa.Column("threshold", sa.Integer(), nullable=False, comment="k: so many shares open it"),
        sa.Column("shares", sa.Integer(), nullable=False, comment="n: so many shares were made"),
        sa.CheckConstraint("1 <= threshold AND threshold <= shares AND shares <= 16", name=op.f("ck_epochs_quorum")),
        sa.CheckConstraint("sequence >= 0", name=op.f("ck_epochs_sequence")),
        sa.CheckConstraint("start_us < end_us", name=op.f("ck_epochs_span")),
        sa.ForeignKeyConstraint(["camera"], ["cameras.camera"], name=op.f("fk_epochs_camera")),
        sa.PrimaryKeyConstraint("epoch_id", name=op.f("pk_epochs")),
        comment="spans that one sealing key covers; its shares lie in the vault",
    )
    op.create_index(op.f("ix_epochs_camera_start_us"), "epochs", ["camera", "start_us"], unique=False)


def _make_epoch_shares() -> None:
    op.create_table(
        "epoch_shares",
        sa.Column("epoch_id", sa.Text(), nullable=False, comment="the epoch"),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False, comment="1 to n, as in share-N.age"),
        sa.Column("sha256", sa.Text(), nullable=False, comment="of the share's file, lower-case hexadecimal"),
        sa.CheckConstraint("1 <= number AND number <= 16", name=op.f("ck_epoch_shares_number")),
        sa.CheckConstraint("length(sha256) = 64", name=op.f("ck_epoch_shares_sha256")),
        sa.ForeignKeyConstraint(["epoch_id"], ["epochs.epoch_id"], name=op.f("fk_epoch_shares_epoch_id")),
        sa.PrimaryKeyConstraint("epoch_id", "number", name=op.f("pk_epoch_shares")),
        comment="what each share file of an epoch must be",
    )


def _make_segments() -> None:
    op.create_table(
        "segments",
        sa.Column("segment_id", sa.Text(), nullable=False, comment="file name without its suffix"),
        sa.Column("camera", sa.Text(), nullable=False, comment="whose it is"),
        sa.Column("rendition", sa.Text(), nullable=False, comment="sealed original or masked video"),
        sa.Column("state", sa.Text(), nullable=False, comment="open: being written; closed: whole; garbage: may be unlinked, or is lost"),
        sa.Column("path", sa.Text(), nullable=False, comment="relative to the data folder"),
        sa.Column("run_id", sa.Text(), nullable=False, comment="gapless packets of one session"),
        sa.Column("epoch_id", sa.Text(), nullable=True, comment="what it is sealed to; null for masked video"),
        sa.Column("sequence", sa.BigInteger(), nullable=False, comment="counts up per camera and rendition"),
        sa.Column("start_us", sa.BigInteger(), nullable=False, comment="first picture"),
        sa.Column("end_us", sa.BigInteger(), nullable=False, comment="end of the last whole fragment; contiguous but for declared gaps"),
        sa.Column("header_bytes", sa.BigInteger(), nullable=False, comment="before the first fragment"),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False, comment="whole file; while open, the end of the last fragment"),
        sa.Column("frames", sa.BigInteger(), nullable=False, comment="pictures in all fragments"),
        sa.Column("fragments", sa.BigInteger(), nullable=False, comment="whole fragments; each stands in the .record"),
        sa.Column("end_reason", sa.Text(), nullable=True, comment="why it was closed; null while open"),
        sa.Column("record_sha256", sa.Text(), nullable=True, comment="of the .record file; null while open, or when lost"),
        sa.Column("opened_in", sa.Text(), nullable=False, comment="journal that opened it, WRITER/FILE; kept until it is closed"),
        sa.CheckConstraint("(rendition = 'sealed') = (epoch_id IS NOT NULL)", name=op.f("ck_segments_epoch")),
        sa.CheckConstraint("(state = 'open') = (end_reason IS NULL)", name=op.f("ck_segments_ended")),
        sa.CheckConstraint("end_reason IN ('rotated', 'run_ended', 'stopped', 'recovered')", name=op.f("ck_segments_end_reason")),
        sa.CheckConstraint("rendition IN ('sealed', 'masked')", name=op.f("ck_segments_rendition")),
        sa.CheckConstraint("state <> 'closed' OR record_sha256 IS NOT NULL", name=op.f("ck_segments_recorded")),
        sa.CheckConstraint("state IN ('open', 'closed', 'garbage')", name=op.f("ck_segments_state")),
        sa.CheckConstraint("length(record_sha256) = 64", name=op.f("ck_segments_record_sha256")),
        sa.CheckConstraint(
            "sequence >= 0 AND header_bytes >= 0 AND size_bytes >= 0 AND frames >= 0 AND fragments >= 0", name=op.f("ck_segments_counts")
        ),
        sa.CheckConstraint("start_us <= end_us", name=op.f("ck_segments_span")),
        sa.ForeignKeyConstraint(["camera"], ["cameras.camera"], name=op.f("fk_segments_camera")),
        sa.PrimaryKeyConstraint("segment_id", name=op.f("pk_segments")),
        sa.UniqueConstraint("path", name=op.f("uq_segments_path")),
        comment="one stored file each",
    )
    op.create_index(op.f("ix_segments_camera_rendition_start_us"), "segments", ["camera", "rendition", "start_us"], unique=False)
    op.create_index(op.f("ix_segments_epoch_id"), "segments", ["epoch_id"], unique=False)
    op.create_index(op.f("ix_segments_state_opened_in"), "segments", ["state", "opened_in"], unique=False)


def _make_gaps() -> None:
    op.create_table(
        "gaps",
        sa.Column("gap_id", sa.Text(), nullable=False, comment="random"),
        sa.Column("camera", sa.Text(), nullable=False, comment="whose it is"),
        sa.Column("cause", sa.Text(), nullable=False, comment="why nothing intact was recorded (GapCause)"),
        sa.Column("start_us", sa.BigInteger(), nullable=False, comment="from here on"),
        sa.Column("end_us", sa.BigInteger(), nullable=True, comment="up to here; null while it lasts"),
        sa.Column("detail", sa.Text(), nullable=False, comment="one line for a person"),
        sa.Column("opened_in", sa.Text(), nullable=False, comment="journal that opened it, WRITER/FILE; kept until it is closed"),
        sa.CheckConstraint("cause <> ''", name=op.f("ck_gaps_cause")),
        sa.CheckConstraint("start_us <= end_us", name=op.f("ck_gaps_span")),
        sa.ForeignKeyConstraint(["camera"], ["cameras.camera"], name=op.f("fk_gaps_camera")),
        sa.PrimaryKeyConstraint("gap_id", name=op.f("pk_gaps")),
        comment="intervals without an intact recording, declared when they began",
    )
    op.create_index(op.f("ix_gaps_camera_start_us"), "gaps", ["camera", "start_us"], unique=False)
    op.create_index(op.f("ix_gaps_opened_in"), "gaps", ["opened_in"], unique=False)


def _make_covered() -> None:
    op.create_table(
        "covered",
        sa.Column("cover_id", sa.Text(), nullable=False, comment="random"),
        sa.Column("camera", sa.Text(), nullable=False, comment="whose it is"),
        sa.Column("cause", sa.Text(), nullable=False, comment="why the masked video was covered whole (CoverCause)"),
        sa.Column("start_us", sa.BigInteger(), nullable=False, comment="from here on"),
        sa.Column("end_us", sa.BigInteger(), nullable=True, comment="up to here; null while it lasts"),
        sa.Column("opened_in", sa.Text(), nullable=False, comment="journal that opened it, WRITER/FILE; kept until it is closed"),
        sa.CheckConstraint("cause <> ''", name=op.f("ck_covered_cause")),
        sa.CheckConstraint("start_us <= end_us", name=op.f("ck_covered_span")),
        sa.ForeignKeyConstraint(["camera"], ["cameras.camera"], name=op.f("fk_covered_camera")),
        sa.PrimaryKeyConstraint("cover_id", name=op.f("pk_covered")),
        comment="intervals in which the masked video shows nothing",
    )
    op.create_index(op.f("ix_covered_camera_start_us"), "covered", ["camera", "start_us"], unique=False)
    op.create_index(op.f("ix_covered_opened_in"), "covered", ["opened_in"], unique=False)


def _make_acts() -> None:
    op.create_table(
        "acts",
        sa.Column("act_id", sa.Text(), nullable=False, comment="random, or made of what it is about"),
        sa.Column("kind", sa.Text(), nullable=False, comment="what was done"),
        sa.Column("wall_us", sa.BigInteger(), nullable=False, comment="when"),
        sa.Column("actor", sa.Text(), nullable=False, comment="by whom"),
        sa.Column("subject", sa.Text(), nullable=False, comment="to what"),
        sa.Column("detail", sa.Text(), nullable=False, comment="one JSON object"),
        sa.CheckConstraint("kind <> ''", name=op.f("ck_acts_kind")),
        sa.PrimaryKeyConstraint("act_id", name=op.f("pk_acts")),
        comment="what was done on purpose; only ever appended to",
    )
    op.create_index(op.f("ix_acts_kind_wall_us"), "acts", ["kind", "wall_us"], unique=False)
    op.create_index(op.f("ix_acts_wall_us"), "acts", ["wall_us"], unique=False)


def _make_journal_offsets() -> None:
    op.create_table(
        "journal_offsets",
        sa.Column("writer", sa.Text(), nullable=False, comment="process that writes the journal"),
        sa.Column("file", sa.Text(), nullable=False, comment="file name in its folder"),
        sa.Column("offset_bytes", sa.BigInteger(), nullable=False, comment="records before this are in the index"),
        sa.CheckConstraint("offset_bytes >= 0", name=op.f("ck_journal_offsets_offset")),
        sa.PrimaryKeyConstraint("writer", "file", name=op.f("pk_journal_offsets")),
        comment="how far each journal was applied; moves in the transaction that applies",
    )
