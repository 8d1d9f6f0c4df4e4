"""The one place that is asked who somebody is.

Nobody can sign in by default: while there is no user, a link sets up the first.
Cookies, tokens and links are random words; their hashes alone are kept.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

from lamppost.access.codes import Pairing, Seal, new_secret, pair, step_of
from lamppost.access.passwords import Passwords
from lamppost.access.throttle import Throttle
from lamppost.base.clock import US_PER_S, Clock
from lamppost.base.durable import write_durable
from lamppost.base.errors import ConfigError, LamppostError
from lamppost.base.ids import timed_id
from lamppost.model.access import Grant, Role, Scope
from lamppost.model.layout import DataFolder
from lamppost.model.settings import ServerSettings
from lamppost.store.access_book import AccessBook, LinkRow, SessionRow, TokenRow, UserRow

TOKEN_MARK: Final = "lp_"  # noqa: S105 - what tokens begin with
LINK_LIFE_S: Final = {"setup": 24 * 3600, "invite": 72 * 3600, "password": 24 * 3600, "sign_in": 3600}
NOTED_EVERY_US: Final = 60 * US_PER_S  # requests do not write, but for one a minute
DAY_US: Final = 86_400 * US_PER_S
SWEEP_S: Final = 300.0
MOST_TOKENS: Final = 50  # of one user
MOST_PREFERENCES: Final = 65_536
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
_LONGEST_DISPLAY: Final = 100


class LinkKind(StrEnum):
    """What a link is good for."""

    SETUP = "setup"
    INVITE = "invite"
    PASSWORD = "password"  # noqa: S105 - a kind of link
    SIGN_IN = "sign_in"


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Somebody who has proven who they are; `session_id` is None where an API token did."""

    user_id: str
    name: str
    display_name: str
    grants: tuple[Grant, ...]
    session_id: str | None
    csrf: str
    expires_us: int


@dataclass(frozen=True, slots=True)
class NewSession:
    """A session just begun, with the cookie that nobody keeps but its owner."""

    cookie: str
    signed_in: SignedIn


class SignInRefused(LamppostError):
    """The name, the password or the code is wrong, or that user is disabled; which of them is not said."""


class CodeNeeded(LamppostError):
    """Name and password are right, and a one-time code is needed as well."""


class SignInThrottled(LamppostError):
    """Too many failures: nothing is looked at before `wait_s` have passed."""

    def __init__(self, wait_s: float) -> None:
        super().__init__("too many attempts", remedy=f"wait {wait_s:.0f} s")
        self.wait_s = wait_s


class AccessDesk(Protocol):
    """Knows sessions and tokens: all that a request needs."""

    def of_session(self, cookie: str, *, is_use: bool = True) -> SignedIn | None:
        """Who has the session with this cookie; None where nobody has, any more. What is no use keeps no session alive."""
        ...

    def of_token(self, token: str) -> SignedIn | None:
        """Who has this API token; None where nobody has, any more."""
        ...


class Desk:
    """Signs people in and out, and keeps their users, tokens and links; many threads may ask it.

    `settings` tells how long sessions last; `sites` has the site of each camera, for scopes within scopes.
    """

    def __init__(
        self,
        folder: DataFolder,
        clock: Clock,
        *,
        settings: Callable[[], ServerSettings] = ServerSettings,
        sites: Callable[[], Mapping[str, str]] = dict[str, str],
        passwords: Passwords | None = None,
    ) -> None:
        self.book = AccessBook(folder)
        self._clock = clock
        self._settings = settings
        self._sites = sites
        self._passwords = passwords or Passwords()
        self._seal = Seal(_key_of(folder))
        self._throttle = Throttle(clock)
        self._mutex = threading.Lock()
        self._swept_s: float | None = None
        self._setup_word: str | None = None

    def close(self) -> None:
        self.book.close()

    # Who asks

    def of_session(self, cookie: str, *, is_use: bool = True) -> SignedIn | None:
        """Who has the session with this cookie; None where nobody has, any more. What is no use keeps no session alive."""
        self._sweep()
        session = self.book.session(_hash(cookie))
        now_us = self._clock.wall_us()
        if session is None or session.expires_us <= now_us or session.used_us < now_us - self._idle_us:
            return None
        user = self.book.user(session.user_id)
        if user is None or user.is_disabled:
            return None
        if is_use and now_us - session.used_us >= NOTED_EVERY_US:
            self.book.touch_session(session.session_id, now_us)
        return _signed_in(user, session)

    def of_token(self, token: str) -> SignedIn | None:
        """Who has this API token; it permits what it was made for, as far as its owner may that today."""
        self._sweep()
        if not token.startswith(TOKEN_MARK):
            return None
        found = self.book.token(_hash(token))
        now_us = self._clock.wall_us()
        if found is None or found.expires_us <= now_us:
            return None
        user = self.book.user(found.user_id)
        if user is None or user.is_disabled:
            return None
        if found.used_us is None or now_us - found.used_us >= NOTED_EVERY_US:
            self.book.touch_token(found.token_id, now_us)
        grants = tuple(grant for grant in found.grants if is_within(grant, user.grants, self._sites()))
        return SignedIn(user.user_id, user.name, user.display_name, grants, None, "", found.expires_us)

    # Signing in

    def sign_in(self, name: str, password: str, code: str | None, *, address: str) -> NewSession:
        """Raises `SignInThrottled`, `SignInRefused` or `CodeNeeded`."""
        keys = _keys(name, address)
        if (wait_s := self._throttle.wait_s(*keys)) > 0:
            raise SignInThrottled(wait_s)
        user = self.book.user_named(name.strip().lower())
        is_right = self._passwords.is_right(user.password_hash if user is not None else None, password)
        if user is None or not is_right or user.is_disabled:
            self._throttle.note_failure(*keys)
            raise _refused()
        if user.totp_sealed is not None:
            if not code:
                raise CodeNeeded("a one-time code is needed", remedy="type the one that your app shows")
            self._check_code(user, code, keys)
        self._throttle.forgive(keys[0])
        if user.password_hash is not None and self._passwords.is_dated(user.password_hash):
            self.book.change_user(user.user_id, password_hash=self._passwords.make(password))
        return self._begin(user)

    def sign_out(self, signed_in: SignedIn) -> None:
        if signed_in.session_id is not None:
            self.book.end_session(signed_in.session_id)

    def _check_code(self, user: UserRow, code: str, keys: tuple[str, ...]) -> None:
        step = step_of(self._seal.open_up(user.totp_sealed or ""), code, self._clock.wall_us())
        if step is None or not self.book.take_code(user.user_id, step):
            self._throttle.note_failure(*keys)
            raise _refused()

    def _begin(self, user: UserRow) -> NewSession:
        now_us = self._clock.wall_us()
        cookie = secrets.token_urlsafe(32)
        expires_us = now_us + round(self._settings().session_hours * 3600 * US_PER_S)
        session = SessionRow(_hash(cookie), user.user_id, secrets.token_urlsafe(24), now_us, now_us, expires_us)
        self.book.add_session(session)
        return NewSession(cookie, _signed_in(user, session))

    # Links

    def setup_link(self) -> str | None:
        """The word of the link that sets up the first user; None when there is one."""
        if self.book.has_users():
            self._setup_word = None
            return None
        with self._mutex:
            word = self._setup_word
            if word is None or self.peek_link(word) is None:
                word = self._setup_word = self._make_link(LinkKind.SETUP, None)
            return word

    def make_link(self, user: UserRow, kind: LinkKind) -> str:
        """The word of a new link for somebody; one of the same kind that they had is good no more."""
        return self._make_link(kind, user.user_id)

    def _make_link(self, kind: LinkKind, user_id: str | None) -> str:
        word = secrets.token_urlsafe(32)
        self.book.add_link(LinkRow(_hash(word), kind.value, user_id, self._clock.wall_us() + LINK_LIFE_S[kind.value] * US_PER_S))
        return word

    def peek_link(self, word: str) -> LinkRow | None:
        """What a link is good for; None where it is used or over."""
        link = self.book.link(_hash(word))
        return None if link is None or link.expires_us <= self._clock.wall_us() else link

    def use_link(self, word: str, *, name: str = "", password: str | None = None) -> NewSession:
        """Sign in by a link, which is good once. All but a sign-in link want a new password, and the first set-up a name.

        Raises `SignInRefused`, and `ConfigError` for a name or password that cannot be; the link is good still, then.
        """
        link = self.peek_link(word)
        if link is None:
            raise SignInRefused("this link was used, or its time is over", remedy="ask for a new one")
        if link.kind == LinkKind.SETUP:
            return self._set_up(word, name, password)
        user = self.book.user(link.user_id or "")
        if user is None or user.is_disabled:
            raise SignInRefused("this link was used, or its time is over", remedy="ask for a new one")
        new_hash = None if link.kind == LinkKind.SIGN_IN else self._passwords.make(password or "", name=user.name)
        if not self.book.take_link(_hash(word)):
            raise SignInRefused("this link was used just now", remedy="ask for a new one")
        if new_hash is not None:
            self.book.change_user(user.user_id, password_hash=new_hash)
            self.book.end_sessions_of(user.user_id)
        return self._begin(user)

    def _set_up(self, word: str, name: str, password: str | None) -> NewSession:
        if self.book.has_users():
            raise SignInRefused("somebody has set up Lamppost already", remedy="sign in")
        first = self.new_user(
            name, "", [Grant(Role.ADMINISTRATOR, Scope("*"))], password_hash=self._passwords.make(password or "", name=name)
        )
        if not self.book.take_link(_hash(word)):
            raise SignInRefused("this link was used just now", remedy="sign in")
        self.book.add_user(first)
        return self._begin(first)

    # Users

    def new_user(self, name: str, display_name: str, grants: Iterable[Grant], *, password_hash: str | None = None) -> UserRow:
        """Somebody who is not in the book yet; raises `ConfigError` for a name that cannot be."""
        name = name.strip().lower()
        if not _NAME.fullmatch(name):
            raise ConfigError(f"{name!r} cannot be a user's name", remedy="1 to 63 lower-case letters, digits, dots, hyphens, underscores")
        check_display_name(display_name)
        now_us = self._clock.wall_us()
        return UserRow(timed_id(now_us), name, display_name.strip(), password_hash, None, 0, False, now_us, None, tuple(grants))

    def invite(self, user: UserRow) -> str:
        """Add somebody; the word of the link by which they choose a password. Raises `NameTaken`."""
        self.book.add_user(user)
        return self._make_link(LinkKind.INVITE, user.user_id)

    # One's own account

    def change_password(self, signed_in: SignedIn, old: str, new: str, *, address: str) -> None:
        """All other sessions end. Raises `SignInRefused` for a wrong old one, and `ConfigError`."""
        self._prove(signed_in, old, address)
        self.book.change_user(signed_in.user_id, password_hash=self._passwords.make(new, name=signed_in.name))
        self.book.end_sessions_of(signed_in.user_id, but=signed_in.session_id)

    def offer_codes(self, signed_in: SignedIn, site: str) -> Pairing:
        """A new secret; it is good once `turn_on_codes` has seen a code of it."""
        return pair(new_secret(), signed_in.name, site)

    def turn_on_codes(self, signed_in: SignedIn, secret: str, code: str) -> None:
        """Raises `ConfigError` for a code that is not of that secret."""
        try:
            step = step_of(secret, code, self._clock.wall_us())
        except ValueError as error:  # no base32
            raise ConfigError("this is no secret for codes", remedy="begin anew") from error
        if step is None:
            raise ConfigError("this is not the code of now", remedy="is the clock of the phone right? try the next one")
        self.book.change_user(signed_in.user_id, totp_sealed=self._seal.close_up(secret), totp_step=step)
        self.book.end_sessions_of(signed_in.user_id, but=signed_in.session_id)

    def turn_off_codes(self, signed_in: SignedIn, password: str, *, address: str) -> None:
        """Raises `SignInRefused` for a wrong password."""
        self._prove(signed_in, password, address)
        self.book.change_user(signed_in.user_id, totp_sealed=None)

    def _prove(self, signed_in: SignedIn, password: str, address: str) -> None:
        keys = _keys(signed_in.name, address)
        if (wait_s := self._throttle.wait_s(*keys)) > 0:
            raise SignInThrottled(wait_s)
        user = self.book.user(signed_in.user_id)
        if user is None or not self._passwords.is_right(user.password_hash, password):
            self._throttle.note_failure(*keys)
            raise SignInRefused("the password is wrong")

    # Tokens

    def make_token(self, signed_in: SignedIn, name: str, grants: tuple[Grant, ...], days: int) -> tuple[TokenRow, str]:
        """A token and what is kept of it; raises `ConfigError` where it would permit more than its owner may."""
        if len(self.book.tokens_of(signed_in.user_id)) >= MOST_TOKENS:
            raise ConfigError(f"there are {MOST_TOKENS} tokens already", remedy="remove one")
        beyond = [grant for grant in grants if not is_within(grant, signed_in.grants, self._sites())]
        if beyond:
            raise ConfigError(f"you are no {beyond[0].role.value} of {beyond[0].scope.text} yourself", remedy="leave that out")
        token, now_us = TOKEN_MARK + secrets.token_urlsafe(32), self._clock.wall_us()
        row = TokenRow(timed_id(now_us), signed_in.user_id, _hash(token), name, grants, now_us, None, now_us + days * DAY_US)
        self.book.add_token(row)
        return row, token

    @property
    def _idle_us(self) -> int:
        return round(self._settings().idle_minutes * 60 * US_PER_S)

    def _sweep(self) -> None:
        now_s = self._clock.monotonic_s()
        with self._mutex:
            if self._swept_s is not None and now_s - self._swept_s < SWEEP_S:
                return
            self._swept_s = now_s
        now_us = self._clock.wall_us()
        self.book.sweep(now_us, idle_before_us=now_us - self._idle_us, answers_before_us=now_us - DAY_US)


def is_within(grant: Grant, own: Iterable[Grant], sites: Mapping[str, str]) -> bool:
    """Whether `grant` is part of the grants `own`; `sites` has the site of each camera."""
    return any(each.role is grant.role and grant.scope.is_within(each.scope, sites) for each in own)


def check_display_name(display_name: str) -> None:
    """Raises `ConfigError`."""
    if len(display_name) > _LONGEST_DISPLAY or not display_name.isprintable():
        raise ConfigError(f"a display name has at most {_LONGEST_DISPLAY} characters, all of them printable")


def _key_of(folder: DataFolder) -> bytes:
    path = folder.keys / "access.key"
    if path.is_file():
        return path.read_bytes().strip()
    key = Seal.new_key()
    write_durable(path, key + b"\n", mode=0o600)
    return key


def _hash(word: str) -> str:
    """What is kept of a word: it has 256 bits by chance, so that a plain hash cannot be turned around."""
    return hashlib.sha256(word.encode()).hexdigest()


def _signed_in(user: UserRow, session: SessionRow) -> SignedIn:
    return SignedIn(user.user_id, user.name, user.display_name, user.grants, session.session_id, session.csrf, session.expires_us)


def _keys(name: str, address: str) -> tuple[str, str]:
    """Failures count for an address, and for a name from there: nobody can lock somebody else out from elsewhere."""
    return f"name:{name.strip().lower()[:64]} {address}", f"address:{address}"


def _refused() -> SignInRefused:
    return SignInRefused("name, password or code is wrong", remedy="try again; an administrator can send you a link for a new password")
