"""Who may sign in: the tables of `access/access.db`, each column with its meaning and what must hold of it.

A database of its own, since the index has another writer and is made again from
journals, and this is not. Times are UTC in microseconds since 1970. What proves
who somebody is stands here as a hash alone.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, CheckConstraint, Column, ForeignKey, Index, MetaData, Table, Text, UniqueConstraint

from lamppost.store.schema import NAMES

VERSION: Final = 1
"""Kept in SQLite's `user_version`; a database of a newer one is refused."""

METADATA: Final = MetaData(naming_convention=NAMES)


def _user() -> Column[str]:
    return Column("user_id", Text, ForeignKey("users.user_id", ondelete="CASCADE"), nullable=False, comment="whose it is")


USERS: Final = Table(
    "users",
    METADATA,
    Column("user_id", Text, primary_key=True, comment="random"),
    Column("name", Text, nullable=False, comment="what they type, and what acts call them; lower case"),
    Column("display_name", Text, nullable=False, comment="what others read; may be empty"),
    Column("password_hash", Text, comment="argon2id, encoded; null until they have chosen one"),
    Column("totp_sealed", Text, comment="secret of the one-time codes, encrypted with keys/access.key; null where there are none"),
    Column("totp_step", BigInteger, nullable=False, comment="the last code that was taken, as its number; no code is taken twice"),
    Column("is_disabled", BigInteger, nullable=False, comment="1: they cannot sign in"),
    Column("created_us", BigInteger, nullable=False, comment="when they were added"),
    Column("last_seen_us", BigInteger, comment="when they signed in last; null where they never did"),
    CheckConstraint("name <> ''", name="named"),
    CheckConstraint("is_disabled IN (0, 1)", name="is_disabled"),
    UniqueConstraint("name"),
    comment="people who may sign in",
)

GRANTS: Final = Table(
    "grants",
    METADATA,
    Column("user_id", Text, ForeignKey("users.user_id", ondelete="CASCADE"), primary_key=True, comment="who has it"),
    Column("role", Text, primary_key=True, comment="what they are (Role)"),
    Column("scope", Text, primary_key=True, comment="where: *, site:ID or camera:NAME"),
    comment="what each may do, and where",
)

SESSIONS: Final = Table(
    "sessions",
    METADATA,
    Column("session_id", Text, primary_key=True, comment="SHA-256 of the cookie"),
    _user(),
    Column("csrf", Text, nullable=False, comment="what a page must send with what it changes"),
    Column("created_us", BigInteger, nullable=False, comment="when they signed in"),
    Column("used_us", BigInteger, nullable=False, comment="when it was used last, to the minute"),
    Column("expires_us", BigInteger, nullable=False, comment="it is over then, used or not"),
    Index(None, "user_id"),
    Index(None, "expires_us"),
    comment="who is signed in",
)

TOKENS: Final = Table(
    "tokens",
    METADATA,
    Column("token_id", Text, primary_key=True, comment="random; names it to its owner"),
    _user(),
    Column("token_sha256", Text, nullable=False, comment="of the token, which nobody keeps"),
    Column("name", Text, nullable=False, comment="what its owner calls it"),
    Column("grants", Text, nullable=False, comment="what it permits, within what its owner may: one JSON list of role and scope"),
    Column("created_us", BigInteger, nullable=False, comment="when it was made"),
    Column("used_us", BigInteger, comment="when it was used last, to the minute; null where it never was"),
    Column("expires_us", BigInteger, nullable=False, comment="it is over then"),
    UniqueConstraint("token_sha256"),
    Index(None, "user_id"),
    comment="what programs show in place of a password",
)

LINKS: Final = Table(
    "links",
    METADATA,
    Column("link_sha256", Text, primary_key=True, comment="of the word in the link"),
    Column("kind", Text, nullable=False, comment="what it is for"),
    Column("user_id", Text, ForeignKey("users.user_id", ondelete="CASCADE"), comment="for whom; null for the first set-up"),
    Column("expires_us", BigInteger, nullable=False, comment="it is over then"),
    CheckConstraint("kind IN ('setup', 'invite', 'sign_in', 'password')", name="kind"),
    CheckConstraint("(kind = 'setup') = (user_id IS NULL)", name="of_somebody"),
    comment="links that are good once; a used one is gone",
)

PREFERENCES: Final = Table(
    "preferences",
    METADATA,
    Column("user_id", Text, ForeignKey("users.user_id", ondelete="CASCADE"), primary_key=True, comment="whose they are"),
    Column("content", Text, nullable=False, comment="one JSON object: theme, language, walls"),
    CheckConstraint("length(content) <= 65536", name="size"),
    comment="how somebody likes the console",
)

ANSWERS: Final = Table(
    "answers",
    METADATA,
    Column("user_id", Text, primary_key=True, comment="who asked"),
    Column("key", Text, primary_key=True, comment="the Idempotency-Key"),
    Column("request_sha256", Text, nullable=False, comment="of path and body, and of what they might do then"),
    Column("status", BigInteger, nullable=False, comment="of the answer; 0 while it is being made"),
    Column("content", Text, nullable=False, comment="of the answer, JSON"),
    Column("created_us", BigInteger, nullable=False, comment="when it was asked"),
    Index(None, "created_us"),
    comment="answers to what must not be done twice, for a day",
)
