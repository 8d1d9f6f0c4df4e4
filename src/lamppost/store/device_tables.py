"""What is known of the devices behind the cameras: the tables of `devices/devices.db`, each column with its meaning.

A database of its own, since the index is made again from journals, and this is
not. Times are UTC in microseconds since 1970. Nothing here holds a password in
the clear, or anything of a person: of libraries in devices, counts alone.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, CheckConstraint, Column, Double, ForeignKey, Index, Integer, LargeBinary, MetaData, Table, Text

from lamppost.store.schema import NAMES

VERSION: Final = 3
"""Kept in SQLite's `user_version`; a database of a newer one is refused."""

MOST_CONTENT_BYTES: Final = 64 * 1024  # of one answer of a device that is kept
MOST_DOCUMENT: Final = 1024 * 1024  # of a document that is kept whole
MOST_LIST: Final = 4 * 1024 * 1024

METADATA: Final = MetaData(naming_convention=NAMES)


def _camera() -> Column[str]:
    return Column("camera", Text, primary_key=True, comment="its name")


def _identity() -> list[Column[str]]:
    words = {
        "vendor": "who made it, as it says",
        "model": "as it says",
        "firmware": "as it says",
        "serial": "as it says; a device is known again by it",
        "mac": "lower case with colons; a device without a serial is known again by it",
        "hardware": "as it says",
    }
    return [Column(name, Text, nullable=False, comment=comment) for name, comment in words.items()]


DEVICES: Final = Table(
    "devices",
    METADATA,
    _camera(),
    *_identity(),
    Column("device_url", Text, nullable=False, comment="where it answered last"),
    Column("first_seen_us", BigInteger, nullable=False, comment="when this device answered first for this camera"),
    Column("seen_us", BigInteger, nullable=False, comment="when it answered last"),
    CheckConstraint("first_seen_us <= seen_us", name="seen"),
    comment="the device behind each camera",
)

HEALTH: Final = Table(
    "health",
    METADATA,
    _camera(),
    Column("document", Text, nullable=False, comment="one JSON object: clock, storage, temperature, what was wrong"),
    Column("noted_us", BigInteger, nullable=False, comment="when it was asked"),
    CheckConstraint(f"length(document) <= {MOST_CONTENT_BYTES}", name="size"),
    comment="how each device was when it was asked last",
)

PROFILES: Final = Table(
    "profiles",
    METADATA,
    _camera(),
    Column("document", Text, nullable=False, comment="one JSON list of media profiles, main first"),
    Column("kept_us", BigInteger, nullable=False, comment="when they were asked"),
    CheckConstraint(f"length(document) <= {MOST_DOCUMENT}", name="size"),
    comment="the media profiles of each device",
)

_LEVELS: Final = ("detect", "capture", "recognise", "is_armed", "has_library", "auto_tracking")

CONTENTS: Final = Table(
    "contents",
    METADATA,
    Column("content_id", Text, primary_key=True, comment="SHA-256 of what is kept"),
    Column("size_bytes", BigInteger, nullable=False, comment="of what is kept"),
    Column("packed", LargeBinary, nullable=False, comment="what is kept, as zlib (RFC 1950) makes it smaller"),
    Column(
        "base_id",
        Text,
        ForeignKey("contents.content_id"),
        comment="the answer whose last 32 KiB were zlib's dictionary; null where there was none. A base has no base",
    ),
    CheckConstraint(f"size_bytes BETWEEN 1 AND {MOST_CONTENT_BYTES}", name="size"),
    CheckConstraint("base_id <> content_id", name="base"),
    Index(None, "base_id"),
    comment="raw answers of devices, each once, whichever devices have given it",
)

ANSWERS: Final = Table(
    "answers",
    METADATA,
    Column("answer_id", Integer, primary_key=True, comment="counts"),
    Column("fingerprint", Text, nullable=False, comment="SHA-256 of all that follows"),
    Column("question", Text, nullable=False, comment="what was asked"),
    Column("outcome", Text, nullable=False, comment="what became of it (Outcome)"),
    Column("http_status", BigInteger, comment="null where no answer came"),
    Column("sha256", Text, nullable=False, comment="of the whole answer"),
    Column("size_bytes", BigInteger, nullable=False, comment="of the whole answer"),
    Column(
        "content_id", Text, ForeignKey("contents.content_id"), comment="the answer as it came; null where it is empty, or may name persons"
    ),
    Column("content_type", Text, nullable=False, comment="as the device says"),
    Column("counts", Text, nullable=False, comment="one JSON list of pairs: what was counted in it"),
    Column("problem", Text, nullable=False, comment="one line, where it was not answered"),
    Index(None, "fingerprint", unique=True),
    Index(None, "content_id"),
    comment="what devices say to a question, each once: they say the same for months",
)

FINDINGS: Final = Table(
    "findings",
    METADATA,
    Column("findings_id", Integer, primary_key=True, comment="counts"),
    Column("fingerprint", Text, nullable=False, comment="SHA-256 of `document`"),
    Column("document", Text, nullable=False, comment="one JSON list: ability, level, because, number of the answer that says so"),
    Index(None, "fingerprint", unique=True),
    comment="what the answers of an audit say, each list once",
)

AUDITS: Final = Table(
    "audits",
    METADATA,
    Column("audit_id", Text, primary_key=True, comment="sorts by time"),
    Column("camera", Text, nullable=False, comment="whose device it is about"),
    Column("made_us", BigInteger, nullable=False, comment="when it was made"),
    *_identity(),
    *(Column(name, Text, nullable=False, comment="yes, no or unknown (Level)") for name in _LEVELS),
    Column("libraries", BigInteger, comment="how many libraries of faces it has; null where it does not say"),
    Column("entries", BigInteger, comment="how many entries they have; null where it does not say"),
    Column("armed", Text, nullable=False, comment="one JSON list: what is switched on, in the device's words"),
    Column("dialects", Text, nullable=False, comment="one JSON list: which were spoken"),
    Column("drift", Text, nullable=False, comment="one JSON list: what has come back since the audit before it"),
    Column("differs", BigInteger, nullable=False, comment="1: it says something else than the one before it"),
    Column("findings_id", Integer, ForeignKey("findings.findings_id"), comment="what its answers say; null where they say nothing"),
    *(CheckConstraint(f"{name} IN ('yes', 'no', 'unknown')", name=name) for name in _LEVELS),
    CheckConstraint("differs IN (0, 1)", name="differs"),
    CheckConstraint("camera <> ''", name="camera"),
    Index(None, "camera", "made_us"),
    Index(None, "findings_id"),
    comment="what devices were able to do with faces, and how they were set",
)

EVIDENCE: Final = Table(
    "evidence",
    METADATA,
    Column("audit_id", Text, ForeignKey("audits.audit_id", ondelete="CASCADE"), primary_key=True, comment="of which audit"),
    Column("number", Integer, primary_key=True, comment="from 0"),
    Column("asked_us", BigInteger, nullable=False, comment="when it was asked"),
    Column("answer_id", Integer, ForeignKey("answers.answer_id"), nullable=False, comment="what was asked, and what became of it"),
    Index(None, "answer_id"),
    sqlite_with_rowid=False,
    comment="the questions of each audit, in order",
)

DISARMS: Final = Table(
    "disarms",
    METADATA,
    Column("disarm_id", Text, primary_key=True, comment="sorts by time"),
    Column("camera", Text, nullable=False, comment="whose device it is"),
    Column("at_us", BigInteger, nullable=False, comment="when it began"),
    Column("by", Text, nullable=False, comment="who had it done"),
    Column("authorisation", Text, nullable=False, comment="what allows it, in their words"),
    Column("reference", Text, nullable=False, comment="of a file or a decision; may be empty"),
    Column("state", Text, nullable=False, comment="how far it has come (DisarmState)"),
    Column("steps", Text, nullable=False, comment="one JSON list: what was switched off, before, after, and what went wrong"),
    Column("saved", Text, nullable=False, comment="JSON: settings beside faces as they were before, for a rollback"),
    Column("audit_before", Text, nullable=False, comment="audit_id of what was seen before; such audits are kept"),
    Column("audit_after", Text, nullable=False, comment="audit_id of what was seen after; such audits are kept"),
    Column("problems", Text, nullable=False, comment="one JSON list: what could not be asked, or is not known after it"),
    Column("rolled_back_us", BigInteger, comment="when it was rolled back; null where it was not"),
    Column("rolled_back_by", Text, nullable=False, comment="who had it rolled back"),
    Column("rollback_authorisation", Text, nullable=False, comment="what allows that, in their words"),
    Column("rollback_steps", Text, nullable=False, comment="one JSON list, as `steps`"),
    Column("rollback_audit", Text, nullable=False, comment="audit_id of what was seen after the rollback; such audits are kept"),
    CheckConstraint("state IN ('done', 'unconfirmed', 'partial', 'failed', 'rolled_back')", name="state"),
    CheckConstraint(f"length(saved) <= {MOST_DOCUMENT} AND length(steps) <= {MOST_DOCUMENT}", name="size"),
    Index(None, "camera", "at_us"),
    Index(None, "audit_before"),
    Index(None, "audit_after"),
    Index(None, "rollback_audit"),
    comment="what was switched off on devices, by whose authorisation",
)

ORIGINS: Final = Table(
    "origins",
    METADATA,
    _camera(),
    Column("vendor", Text, nullable=False, comment="who sold it"),
    Column("oem", Text, nullable=False, comment="who made it, where that is somebody else"),
    Column("model", Text, nullable=False, comment="as it was bought"),
    Column("firmware", Text, nullable=False, comment="as it was installed"),
    Column("integrator", Text, nullable=False, comment="who installed it"),
    Column("contract", Text, nullable=False, comment="contract or tender reference"),
    Column("cost", Double, comment="null where it is not known"),
    Column("currency", Text, nullable=False, comment="ISO 4217; may be empty"),
    Column("installed", Text, comment="date, ISO 8601; null where it is not known"),
    Column("legal_basis", Text, nullable=False, comment="why it may be there"),
    Column("purpose", Text, nullable=False, comment="what it is there for"),
    Column("note", Text, nullable=False, comment="whatever else"),
    Column("revision", BigInteger, nullable=False, comment="counts changes from 1; who changes it must have seen the last"),
    CheckConstraint("revision >= 1", name="revision"),
    CheckConstraint("cost IS NULL OR cost >= 0", name="cost"),
    comment="where cameras came from, and why they are there",
)

CREDENTIALS: Final = Table(
    "credentials",
    METADATA,
    Column("credential_id", Text, primary_key=True, comment="16 hexadecimal digits; the configuration names it"),
    Column("camera", Text, nullable=False, comment="whose password it is; it opens for no other"),
    Column("key_id", Text, nullable=False, comment="which key it was sealed with"),
    Column("sealed", LargeBinary, nullable=False, comment="nonce, AES-256-GCM of the password, tag"),
    Column("kept_us", BigInteger, nullable=False, comment="when it was given"),
    CheckConstraint("length(credential_id) = 16", name="credential_id"),
    CheckConstraint("length(sealed) BETWEEN 28 AND 4096", name="sealed"),
    comment="passwords of cameras, encrypted with keys/cameras.key",
)

CAMERA_KEY: Final = Table(
    "camera_key",
    METADATA,
    Column("number", BigInteger, primary_key=True, comment="1: there is one row"),
    Column("key_id", Text, nullable=False, comment="of the key that all passwords are encrypted with; it does not tell the key"),
    CheckConstraint("number = 1", name="number"),
    comment="which key is the one",
)

FIRMWARE_LIST: Final = Table(
    "firmware_list",
    METADATA,
    Column("number", BigInteger, primary_key=True, comment="1: there is one row"),
    Column("document", Text, nullable=False, comment="one JSON object: advisories and bans, as it was given"),
    Column("updated_us", BigInteger, nullable=False, comment="when it was given"),
    CheckConstraint("number = 1", name="number"),
    CheckConstraint(f"length(document) <= {MOST_LIST}", name="size"),
    comment="the list of known firmware that an operator gave; without a row, the one that came with Lamppost holds",
)

IMPORT_PROFILES: Final = Table(
    "import_profiles",
    METADATA,
    Column("name", Text, primary_key=True, comment="what it is called"),
    Column("fields", Text, nullable=False, comment="one JSON object of words"),
    CheckConstraint("name <> ''", name="named"),
    CheckConstraint(f"length(fields) <= {MOST_CONTENT_BYTES}", name="size"),
    comment="what many cameras of an imported table have in common",
)

TOURS: Final = Table(
    "tours",
    METADATA,
    _camera(),
    Column("document", Text, nullable=False, comment="one JSON object: by name, a list of preset tokens and seconds"),
    CheckConstraint(f"length(document) <= {MOST_CONTENT_BYTES}", name="size"),
    comment="tours that an operator has fixed for a camera that turns",
)
