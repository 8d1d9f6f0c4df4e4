"""Reads and writes who may sign in; the server's process and `lamppost user` do so, each in transactions that are whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Select, and_, delete, exists, func, insert, or_, select, update

from lamppost.base.errors import ConfigError
from lamppost.model.access import EVERYTHING, Grant, Role, Scope
from lamppost.model.layout import DataFolder
from lamppost.store.access_tables import ANSWERS, GRANTS, LINKS, METADATA, PREFERENCES, SESSIONS, TOKENS, USERS, VERSION
from lamppost.store.book_file import BookFile, First, nothing

MOST_ANSWERS: Final = 1000  # of one user
LONGEST_ANSWER_US: Final = 600_000_000  # nothing is being answered for longer


@dataclass(frozen=True, slots=True)
class UserRow:
    """Somebody who may sign in; times in microseconds since 1970."""

    user_id: str
    name: str
    display_name: str
    password_hash: str | None
    totp_sealed: str | None
    totp_step: int
    is_disabled: bool
    created_us: int
    last_seen_us: int | None
    grants: tuple[Grant, ...] = ()


@dataclass(frozen=True, slots=True)
class SessionRow:
    """Somebody who is signed in."""

    session_id: str
    user_id: str
    csrf: str
    created_us: int
    used_us: int
    expires_us: int


@dataclass(frozen=True, slots=True)
class TokenRow:
    """An API token, without the token."""

    token_id: str
    user_id: str
    token_sha256: str
    name: str
    grants: tuple[Grant, ...]
    created_us: int
    used_us: int | None
    expires_us: int


@dataclass(frozen=True, slots=True)
class LinkRow:
    """A link that is good once; `user_id` is None for the first set-up."""

    link_sha256: str
    kind: str
    user_id: str | None
    expires_us: int


@dataclass(frozen=True, slots=True)
class AnswerRow:
    """An answer that is given again; `status` is 0 while it is being made."""

    request_sha256: str
    status: int
    content: str


class NameTaken(ConfigError):
    """Somebody has that name already."""


class LastAdministrator(ConfigError):
    """The change would leave nobody who can administrate everything."""


class UserChanged(ConfigError):
    """Somebody else has changed or removed that user meanwhile; nothing was done."""


class AccessBook(BookFile):
    """The access database of `folder`, made where there is none; many threads may share it. Raises `StoreError`."""

    def __init__(self, folder: DataFolder) -> None:
        super().__init__(folder.access, METADATA, VERSION, "the access database")

    # Users

    def users(self) -> tuple[UserRow, ...]:
        """Everybody, by name."""
        grants: dict[str, list[Grant]] = {}
        for row in self._all(select(GRANTS).order_by(GRANTS.c.role, GRANTS.c.scope)):
            grants.setdefault(row.user_id, []).append(Grant(Role(row.role), Scope(row.scope)))
        return tuple(_user(row, grants.get(row.user_id, ())) for row in self._all(select(USERS).order_by(USERS.c.name)))

    def user(self, user_id: str) -> UserRow | None:
        return self._one(USERS.c.user_id == user_id)

    def user_named(self, name: str) -> UserRow | None:
        return self._one(USERS.c.name == name)

    def has_users(self) -> bool:
        """Whether anybody has been set up."""
        return bool(self._all(select(USERS.c.user_id).limit(1)))

    def add_user(self, user: UserRow, *, first: First = nothing) -> None:
        """Raises `NameTaken`."""
        values = {name: getattr(user, name) for name in UserRow.__slots__ if name != "grants"} | {"is_disabled": int(user.is_disabled)}
        with self._write("add a user") as connection:
            if connection.execute(select(USERS.c.user_id).where(USERS.c.name == user.name)).first():
                raise NameTaken(f"there is a user {user.name!r} already", remedy="choose another name")
            connection.execute(insert(USERS).values(values))
            _put_grants(connection, user.user_id, user.grants)
            first()

    def change_user(
        self, user_id: str, *, grants: Sequence[Grant] | None = None, expected: UserRow | None = None, first: First = nothing, **values: Any
    ) -> None:
        """Change columns, and the grants where they are given; raises `LastAdministrator`, and `UserChanged` for one not as `expected`."""
        with self._write("change a user") as connection:
            _check_expected(connection, expected)
            before = _administrators(connection)
            if values:
                connection.execute(update(USERS).where(USERS.c.user_id == user_id).values(values))
            if grants is not None:
                connection.execute(delete(GRANTS).where(GRANTS.c.user_id == user_id))
                _put_grants(connection, user_id, grants)
            _check_administrators(connection, before)
            first()

    def remove_user(self, user_id: str, *, expected: UserRow | None = None, first: First = nothing) -> None:
        """With sessions, tokens and links; raises as `change_user` does."""
        with self._write("remove a user") as connection:
            _check_expected(connection, expected)
            before = _administrators(connection)
            connection.execute(delete(USERS).where(USERS.c.user_id == user_id))
            _check_administrators(connection, before)
            first()

    def take_code(self, user_id: str, step: int) -> bool:
        """Whether the code with that number was not taken before, nor a later one; now it is."""
        with self._write("take a code") as connection:
            taken = connection.execute(update(USERS).where(USERS.c.user_id == user_id, USERS.c.totp_step < step).values(totp_step=step))
            return taken.rowcount == 1

    # Sessions

    def add_session(self, session: SessionRow, *, first: First = nothing) -> None:
        """Also remembers when they were seen."""
        with self._write("add a session") as connection:
            connection.execute(insert(SESSIONS).values({name: getattr(session, name) for name in SessionRow.__slots__}))
            connection.execute(update(USERS).where(USERS.c.user_id == session.user_id).values(last_seen_us=session.created_us))
            first()

    def session(self, session_id: str) -> SessionRow | None:
        rows = self._all(select(SESSIONS).where(SESSIONS.c.session_id == session_id))
        return SessionRow(**rows[0]._mapping) if rows else None  # SQLAlchemy's documented way to a mapping

    def touch_session(self, session_id: str, used_us: int) -> None:
        with self._write("note a session") as connection:
            connection.execute(update(SESSIONS).where(SESSIONS.c.session_id == session_id).values(used_us=used_us))

    def end_session(self, session_id: str) -> None:
        with self._write("end a session") as connection:
            connection.execute(delete(SESSIONS).where(SESSIONS.c.session_id == session_id))

    def end_sessions_of(self, user_id: str, *, but: str | None = None, first: First = nothing) -> None:
        """All sessions of somebody, but for one."""
        query = delete(SESSIONS).where(SESSIONS.c.user_id == user_id)
        with self._write("end sessions") as connection:
            connection.execute(query if but is None else query.where(SESSIONS.c.session_id != but))
            first()

    # Tokens

    def add_token(self, token: TokenRow, *, first: First = nothing) -> None:
        values = {name: getattr(token, name) for name in TokenRow.__slots__} | {"grants": _to_json(token.grants)}
        with self._write("add a token") as connection:
            connection.execute(insert(TOKENS).values(values))
            first()

    def token(self, token_sha256: str) -> TokenRow | None:
        rows = self._all(select(TOKENS).where(TOKENS.c.token_sha256 == token_sha256))
        return _token(rows[0]) if rows else None

    def tokens_of(self, user_id: str) -> tuple[TokenRow, ...]:
        """The newest first."""
        query = select(TOKENS).where(TOKENS.c.user_id == user_id).order_by(TOKENS.c.created_us.desc(), TOKENS.c.token_id)
        return tuple(_token(row) for row in self._all(query))

    def touch_token(self, token_id: str, used_us: int) -> None:
        with self._write("note a token") as connection:
            connection.execute(update(TOKENS).where(TOKENS.c.token_id == token_id).values(used_us=used_us))

    def remove_token(self, user_id: str, token_id: str, *, first: First = nothing) -> bool:
        """False where there was none."""
        with self._write("remove a token") as connection:
            query = delete(TOKENS).where(TOKENS.c.user_id == user_id, TOKENS.c.token_id == token_id)
            return _taken(connection, query, first)

    # Links

    def add_link(self, link: LinkRow, *, first: First = nothing) -> None:
        """In place of those of its kind for the same user: one is good at a time."""
        same = LINKS.c.user_id.is_(None) if link.user_id is None else LINKS.c.user_id == link.user_id
        with self._write("add a link") as connection:
            connection.execute(delete(LINKS).where(LINKS.c.kind == link.kind, same))
            connection.execute(insert(LINKS).values({name: getattr(link, name) for name in LinkRow.__slots__}))
            first()

    def link(self, link_sha256: str) -> LinkRow | None:
        rows = self._all(select(LINKS).where(LINKS.c.link_sha256 == link_sha256))
        return LinkRow(**rows[0]._mapping) if rows else None

    def invited(self) -> frozenset[str]:
        """Ids of users with an invitation that waits."""
        return frozenset(row.user_id for row in self._all(select(LINKS.c.user_id).where(LINKS.c.kind == "invite")))

    def take_link(self, link_sha256: str, *, first: First = nothing) -> bool:
        """Whether it was there; now it is not, for whoever comes second."""
        with self._write("take a link") as connection:
            return _taken(connection, delete(LINKS).where(LINKS.c.link_sha256 == link_sha256), first)

    # Preferences

    def preferences(self, user_id: str) -> str:
        """One JSON object."""
        rows = self._all(select(PREFERENCES.c.content).where(PREFERENCES.c.user_id == user_id))
        return str(rows[0].content) if rows else "{}"

    def put_preferences(self, user_id: str, content: str) -> None:
        self.change_preferences(user_id, lambda _: content)

    def change_preferences(self, user_id: str, change: Callable[[str], str]) -> str:
        """What `change` makes of what is there, with nobody in between; nothing is kept where it raises."""
        with self._write("keep preferences") as connection:
            known = connection.execute(select(PREFERENCES.c.content).where(PREFERENCES.c.user_id == user_id)).scalar_one_or_none()
            content = change("{}" if known is None else known)
            connection.execute(delete(PREFERENCES).where(PREFERENCES.c.user_id == user_id))
            connection.execute(insert(PREFERENCES).values(user_id=user_id, content=content))
        return content

    # Answers that are given again

    def begin_answer(self, user_id: str, key: str, request_sha256: str, now_us: int) -> AnswerRow | None:
        """None: nobody has asked this, and the answer is ours to make. Otherwise what was answered, or is being made."""
        same = (ANSWERS.c.user_id == user_id, ANSWERS.c.key == key)
        with self._write("note a request") as connection:
            row = connection.execute(select(ANSWERS).where(*same)).first()
            if row is not None:
                return AnswerRow(row.request_sha256, row.status, row.content)
            values = {"user_id": user_id, "key": key, "request_sha256": request_sha256, "status": 0, "content": "", "created_us": now_us}
            connection.execute(insert(ANSWERS).values(values))
            newest = select(ANSWERS.c.key).where(ANSWERS.c.user_id == user_id).order_by(ANSWERS.c.created_us.desc(), ANSWERS.c.key)
            too_many = ANSWERS.c.key.in_(newest.limit(-1).offset(MOST_ANSWERS))
            connection.execute(delete(ANSWERS).where(ANSWERS.c.user_id == user_id, ANSWERS.c.status != 0, too_many))
        return None

    def end_answer(self, user_id: str, key: str, status: int, content: str) -> None:
        """Keep the answer; with status 0 forget that it was asked."""
        same = (ANSWERS.c.user_id == user_id, ANSWERS.c.key == key)
        with self._write("keep an answer") as connection:
            connection.execute(
                update(ANSWERS).where(*same).values(status=status, content=content) if status else delete(ANSWERS).where(*same)
            )

    def forget_unanswered(self) -> None:
        """For a server that begins: whoever was answering when the one before it ended does so no more."""
        with self._write("forget what was not answered") as connection:
            connection.execute(delete(ANSWERS).where(ANSWERS.c.status == 0))

    def sweep(self, now_us: int, *, idle_before_us: int, answers_before_us: int) -> None:
        """Remove what is over."""
        with self._write("remove what is over") as connection:
            connection.execute(delete(SESSIONS).where(or_(SESSIONS.c.expires_us <= now_us, SESSIONS.c.used_us < idle_before_us)))
            connection.execute(delete(TOKENS).where(TOKENS.c.expires_us <= now_us))
            connection.execute(delete(LINKS).where(LINKS.c.expires_us <= now_us))
            unanswered = and_(ANSWERS.c.status == 0, ANSWERS.c.created_us < now_us - LONGEST_ANSWER_US)
            connection.execute(delete(ANSWERS).where(or_(ANSWERS.c.created_us < answers_before_us, unanswered)))

    def _one(self, condition: Any) -> UserRow | None:
        rows = self._all(select(USERS).where(condition))
        return _user(rows[0], [_grant(row) for row in self._all(_grants_of(rows[0].user_id))]) if rows else None


def _check_expected(connection: Connection, expected: UserRow | None) -> None:
    """In the transaction that changes them, so that of two who have seen the same only one goes on."""
    if expected is None:
        return
    row = connection.execute(select(USERS).where(USERS.c.user_id == expected.user_id)).first()
    grants = [_grant(each) for each in connection.execute(_grants_of(expected.user_id))]
    if row is None or _user(row, grants) != expected:
        raise UserChanged("somebody else has changed this user just now", remedy="look again, and try once more")


def _grants_of(user_id: str) -> Select[Any]:
    return select(GRANTS).where(GRANTS.c.user_id == user_id).order_by(GRANTS.c.role, GRANTS.c.scope)


def _grant(row: Any) -> Grant:
    return Grant(Role(row.role), Scope(row.scope))


def _taken(connection: Connection, query: Any, first: First) -> bool:
    """Whether `query` removed the one; where it did not, nothing is put on the record."""
    is_taken = connection.execute(query).rowcount == 1
    if is_taken:
        first()
    return is_taken


def _administrators(connection: Connection) -> int:
    """How many can administrate everything: enabled, and not only invited."""
    holds = exists().where(GRANTS.c.user_id == USERS.c.user_id, GRANTS.c.role == Role.ADMINISTRATOR.value, GRANTS.c.scope == EVERYTHING)
    query = select(func.count()).select_from(USERS).where(USERS.c.is_disabled == 0, USERS.c.password_hash.is_not(None), holds)
    return int(connection.execute(query).scalar_one())


def _check_administrators(connection: Connection, before: int) -> None:
    if before and not _administrators(connection):
        raise LastAdministrator(
            "nobody would be left who can administrate everything", remedy="make somebody else administrator of * first"
        )


def _put_grants(connection: Connection, user_id: str, grants: Iterable[Grant]) -> None:
    rows = [{"user_id": user_id, "role": grant.role.value, "scope": grant.scope.text} for grant in dict.fromkeys(grants)]
    if rows:
        connection.execute(insert(GRANTS), rows)


def _to_json(grants: Iterable[Grant]) -> str:
    return json.dumps([[grant.role.value, grant.scope.text] for grant in grants])


def _user(row: Any, grants: Iterable[Grant]) -> UserRow:
    values: dict[str, Any] = {name: getattr(row, name) for name in UserRow.__slots__ if name != "grants"}
    values["is_disabled"] = bool(row.is_disabled)
    return UserRow(**values, grants=tuple(grants))


def _token(row: Any) -> TokenRow:
    grants = tuple(Grant(Role(role), Scope(scope)) for role, scope in json.loads(row.grants))
    values: dict[str, Any] = {name: getattr(row, name) for name in TokenRow.__slots__}
    values["grants"] = grants
    return TokenRow(**values)
