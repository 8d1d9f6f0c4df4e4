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

from lamppost.access.codes import CodesOffered, Seal, new_secret, pair, step_of
from lamppost.access.offers import Offers
from lamppost.access.passwords import Passwords
from lamppost.access.throttle import Attempt, SignInThrottled, Throttle, household
from lamppost.base.clock import US_PER_S, Clock
from lamppost.base.durable import write_durable
from lamppost.base.errors import ConfigError, LamppostError
from lamppost.base.ids import timed_id
from lamppost.model.access import Grant, Role, Scope
from lamppost.model.layout import DataFolder
from lamppost.model.server_settings import ServerSettings
from lamppost.store.access_book import AccessBook, LinkRow, SessionRow, TokenRow, UserRow
from lamppost.store.book_file import First, nothing

TOKEN_MARK: Final = "lp_"  # noqa: S105 - what tokens begin with
LINK_LIFE_S: Final = {"setup": 24 * 3600, "invite": 72 * 3600, "password": 24 * 3600, "sign_in": 3600}
NOTED_EVERY_US: Final = 60 * US_PER_S  # requests do not write, but for one a minute
DAY_US: Final = 86_400 * US_PER_S
SWEEP_S: Final = 300.0
MOST_TOKENS: Final = 50  # of one user
MOST_PREFERENCES: Final = 65_536
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
_LONGEST_DISPLAY: Final = 100


FirstOf = Callable[[str], object]
"""As `First`, of the user of that name, or of the token of that id."""


def _nothing_of(_of: str) -> None:
    """For changes that are on no record."""


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
    What changes something calls `first` when it is sure to be possible, and before it is: see `store.book_file.First`.
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
        self._offers = Offers(clock)
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

    def sign_in(self, name: str, password: str, code: str | None, *, address: str, first: FirstOf = _nothing_of) -> NewSession:
        """Raises `SignInThrottled`, `SignInRefused` or `CodeNeeded`."""
        keys = _keys(name, address)
        attempt = self._throttle.begin(*keys)
        user = self.book.user_named(name.strip().lower())
        is_right = self._is_right(attempt, user.password_hash if user is not None else None, password)
        if user is None or not is_right or user.is_disabled:
            raise _refused()
        if user.totp_sealed is not None:
            if not code:
                self._throttle.give_back(attempt)
                raise CodeNeeded("a one-time code is needed", remedy="type the one that your app shows")
            if not self._takes_code(user, code):
                raise _refused()
        self._throttle.give_back(attempt)
        self._throttle.forgive(keys[0])
        if user.password_hash is not None and self._passwords.is_dated(user.password_hash):
            self.book.change_user(user.user_id, password_hash=self._passwords.make(password))
        return self._begin(user, lambda: first(user.name))

    def sign_out(self, signed_in: SignedIn) -> None:
        if signed_in.session_id is not None:
            self.book.end_session(signed_in.session_id)

    def _is_right(self, attempt: Attempt, password_hash: str | None, password: str) -> bool:
        try:
            return self._passwords.is_right(password_hash, password)
        except SignInThrottled:  # too many at once: nothing was compared
            self._throttle.give_back(attempt)
            raise

    def _takes_code(self, user: UserRow, code: str) -> bool:
        step = step_of(self._seal.open_up(user.totp_sealed or ""), code, self._clock.wall_us())
        return step is not None and self.book.take_code(user.user_id, step)

    def _begin(self, user: UserRow, first: First = nothing) -> NewSession:
        now_us = self._clock.wall_us()
        cookie = secrets.token_urlsafe(32)
        expires_us = now_us + round(self._settings().session_hours * 3600 * US_PER_S)
        session = SessionRow(_hash(cookie), user.user_id, secrets.token_urlsafe(24), now_us, now_us, expires_us)
        self.book.add_session(session, first=first)
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

    def make_link(self, user: UserRow, kind: LinkKind, *, first: First = nothing) -> str:
        """The word of a new link for somebody; one of the same kind that they had is good no more."""
        return self._make_link(kind, user.user_id, first)

    def _make_link(self, kind: LinkKind, user_id: str | None, first: First = nothing) -> str:
        word = secrets.token_urlsafe(32)
        expires_us = self._clock.wall_us() + LINK_LIFE_S[kind.value] * US_PER_S
        self.book.add_link(LinkRow(_hash(word), kind.value, user_id, expires_us), first=first)
        return word

    def peek_link(self, word: str) -> LinkRow | None:
        """What a link is good for; None where it is used or over."""
        link = self.book.link(_hash(word))
        return None if link is None or link.expires_us <= self._clock.wall_us() else link

    def use_link(self, word: str, *, name: str = "", password: str | None = None, first: FirstOf = _nothing_of) -> NewSession:
        """Sign in by a link, which is good once. All but a sign-in link want a new password, and the first set-up a name.

        Raises `SignInRefused`, and `ConfigError` for a name or password that cannot be; the link is good still, then.
        """
        link = self.peek_link(word)
        if link is None:
            raise SignInRefused("this link was used, or its time is over", remedy="ask for a new one")
        if link.kind == LinkKind.SETUP:
            return self._set_up(word, name, password, first)
        user = self.book.user(link.user_id or "")
        if user is None or user.is_disabled:
            raise SignInRefused("this link was used, or its time is over", remedy="ask for a new one")
        new_hash = None if link.kind == LinkKind.SIGN_IN else self._passwords.make(password or "", name=user.name)
        if not self.book.take_link(_hash(word), first=lambda: first(user.name)):
            raise SignInRefused("this link was used just now", remedy="ask for a new one")
        if new_hash is not None:
            self.book.change_user(user.user_id, password_hash=new_hash)
            self.book.end_sessions_of(user.user_id)
        return self._welcome(user) if link.kind == LinkKind.INVITE else self._begin(user)

    def _set_up(self, word: str, name: str, password: str | None, first: FirstOf) -> NewSession:
        if self.book.has_users():
            raise SignInRefused("somebody has set up Lamppost already", remedy="sign in")
        user = self.new_user(
            name, "", [Grant(Role.ADMINISTRATOR, Scope("*"))], password_hash=self._passwords.make(password or "", name=name)
        )
        if not self.book.take_link(_hash(word), first=lambda: first(user.name)):
            raise SignInRefused("this link was used just now", remedy="sign in")
        self.book.add_user(user)
        return self._welcome(user)

    def _welcome(self, user: UserRow) -> NewSession:
        """The first session of somebody, who has just chosen their password and need not type it once more for codes."""
        new = self._begin(user)
        self._offers.welcome(new.signed_in.session_id or "")
        return new

    # Users

    def new_user(self, name: str, display_name: str, grants: Iterable[Grant], *, password_hash: str | None = None) -> UserRow:
        """Somebody who is not in the book yet; raises `ConfigError` for a name that cannot be."""
        name = name.strip().lower()
        if not _NAME.fullmatch(name):
            raise ConfigError(f"{name!r} cannot be a user's name", remedy="1 to 63 lower-case letters, digits, dots, hyphens, underscores")
        check_display_name(display_name)
        now_us = self._clock.wall_us()
        return UserRow(timed_id(now_us), name, display_name.strip(), password_hash, None, 0, False, now_us, None, tuple(grants))

    def invite(self, user: UserRow, *, first: First = nothing) -> str:
        """Add somebody; the word of the link by which they choose a password. Raises `NameTaken`."""
        self.book.add_user(user, first=first)
        return self._make_link(LinkKind.INVITE, user.user_id)

    # One's own account

    def change_password(self, signed_in: SignedIn, old: str, new: str, *, address: str, first: First = nothing) -> None:
        """All other sessions end. Raises `SignInRefused` for a wrong old one, and `ConfigError`."""
        self._prove(signed_in, old, address)
        self.book.change_user(signed_in.user_id, password_hash=self._passwords.make(new, name=signed_in.name), first=first)
        self.book.end_sessions_of(signed_in.user_id, but=signed_in.session_id)

    def offer_codes(self, signed_in: SignedIn, site: str) -> CodesOffered:
        """A new secret, kept here for this session; it is good once `turn_on_codes` has seen a code of it."""
        secret, user = new_secret(), self._user(signed_in)
        self._offers.keep(signed_in.session_id or "", secret)
        has_codes = user.totp_sealed is not None
        return CodesOffered(pair(secret, signed_in.name, site), self._needs_password(signed_in, user), has_codes)

    def turn_on_codes(
        self, signed_in: SignedIn, code: str, *, password: str = "", old_code: str = "", address: str, first: First = nothing
    ) -> None:
        """From now on codes of the secret that was offered are needed; all other sessions end.

        A session is not enough for it, since whoever has one for a moment would keep the account: it takes the password, but
        for the first session of somebody new, and a code of now where there are codes already. Raises `OfferOver`, `ConfigError` for a
        code that is not of that secret, and `SignInRefused`.
        """
        secret, user = self._offers.of(signed_in.session_id or ""), self._user(signed_in)
        step = step_of(secret, code, self._clock.wall_us())
        if step is None:
            raise ConfigError("this is not the code of now", remedy="is the clock of the phone right? try the next one")
        if self._needs_password(signed_in, user):
            self._prove(signed_in, password, address, old_code=old_code if user.totp_sealed is not None else None)
        self.book.change_user(signed_in.user_id, totp_sealed=self._seal.close_up(secret), totp_step=step, first=first)
        self._offers.drop(signed_in.session_id or "")
        self.book.end_sessions_of(signed_in.user_id, but=signed_in.session_id)

    def turn_off_codes(self, signed_in: SignedIn, password: str, *, address: str, first: First = nothing) -> None:
        """Raises `SignInRefused` for a wrong password."""
        self._prove(signed_in, password, address)
        self.book.change_user(signed_in.user_id, totp_sealed=None, first=first)

    def _needs_password(self, signed_in: SignedIn, user: UserRow) -> bool:
        return user.totp_sealed is not None or not self._offers.is_welcome(signed_in.session_id or "")

    def _user(self, signed_in: SignedIn) -> UserRow:
        user = self.book.user(signed_in.user_id)
        if user is None:
            raise SignInRefused("this user was removed just now", remedy="ask an administrator")
        return user

    def _prove(self, signed_in: SignedIn, password: str, address: str, *, old_code: str | None = None) -> None:
        """That it is they who ask: by the password, and by a code of now where `old_code` is one or empty."""
        if not password or old_code == "":
            what = "the password" if not password else "a code of the app that you have used so far"
            raise SignInRefused(f"{what} is needed for this", remedy="send it along")
        attempt = self._throttle.begin(*_keys(signed_in.name, address))
        user = self.book.user(signed_in.user_id)
        if user is None or not self._is_right(attempt, user.password_hash, password):
            raise SignInRefused("the password is wrong")
        if old_code is not None and not self._takes_code(user, old_code):
            raise SignInRefused("the code is not of the app that you have used so far", remedy="or turn the codes off, and on anew")
        self._throttle.give_back(attempt)

    # Tokens

    def make_token(
        self, signed_in: SignedIn, name: str, grants: tuple[Grant, ...], days: int, *, first: FirstOf = _nothing_of
    ) -> tuple[TokenRow, str]:
        """A token and what is kept of it; `first` is told its id. Raises `ConfigError` where it would permit more than its owner may."""
        if len(self.book.tokens_of(signed_in.user_id)) >= MOST_TOKENS:
            raise ConfigError(f"there are {MOST_TOKENS} tokens already", remedy="remove one")
        beyond = [grant for grant in grants if not is_within(grant, signed_in.grants, self._sites())]
        if beyond:
            raise ConfigError(f"you are no {beyond[0].role.value} of {beyond[0].scope.text} yourself", remedy="leave that out")
        token, now_us = TOKEN_MARK + secrets.token_urlsafe(32), self._clock.wall_us()
        row = TokenRow(timed_id(now_us), signed_in.user_id, _hash(token), name, grants, now_us, None, now_us + days * DAY_US)
        self.book.add_token(row, first=lambda: first(row.token_id))
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
    place = household(address)
    return f"name:{name.strip().lower()[:64]} {place}", f"address:{place}"


def _refused() -> SignInRefused:
    return SignInRefused("name, password or code is wrong", remedy="try again; an administrator can send you a link for a new password")
