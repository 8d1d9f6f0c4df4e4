"""Who can sign in, for how long, and what nobody can: guess, replay, keep more than they may."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

import pyotp
import pytest
from argon2 import PasswordHasher

from lamppost.access.desk import CodeNeeded, Desk, LinkKind, NewSession, SignInRefused
from lamppost.access.passwords import Passwords
from lamppost.access.throttle import SignInThrottled
from lamppost.base.clock import US_PER_S, ManualClock
from lamppost.base.durable import make_directory
from lamppost.base.errors import ConfigError, StoreError
from lamppost.model.access import Grant, Role, Scope
from lamppost.model.layout import DataFolder
from lamppost.model.server_settings import ServerSettings
from lamppost.store.access_book import LastAdministrator, NameTaken

PASSWORD = "seven quiet lanterns"
ALL = Scope("*")
FAST = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def desk(tmp_path: Path, clock: ManualClock) -> Iterator[Desk]:
    make_directory(tmp_path / "keys")
    made = Desk(
        DataFolder(tmp_path),
        clock,
        settings=lambda: ServerSettings(session_hours=12, idle_minutes=60),
        sites=lambda: {"plaza": "old-town", "bridge": "harbour"},
        passwords=Passwords(FAST),
    )
    yield made
    made.close()


def set_up(desk: Desk, name: str = "anna") -> NewSession:
    word = desk.setup_link()
    assert word is not None
    return desk.use_link(word, name=name, password=PASSWORD)


def sign_in(desk: Desk, password: str = PASSWORD, code: str | None = None, address: str = "192.0.2.1") -> NewSession:
    return desk.sign_in("anna", password, code, address=address)


def test_nobody_can_sign_in_before_the_first_was_set_up(desk: Desk) -> None:
    for name in ("admin", "anna", ""):
        with pytest.raises(SignInRefused):
            desk.sign_in(name, "admin", None, address="192.0.2.1")
    first = set_up(desk)
    assert first.signed_in.grants == (Grant(Role.ADMINISTRATOR, ALL),)
    assert desk.setup_link() is None


def test_a_link_is_good_once(desk: Desk) -> None:
    word = desk.setup_link()
    assert word == desk.setup_link(), "the same as long as it is good"
    assert word is not None
    with pytest.raises(ConfigError, match="fewer than"):
        desk.use_link(word, name="anna", password="short")
    desk.use_link(word, name="anna", password=PASSWORD)
    with pytest.raises(SignInRefused):
        desk.use_link(word, name="eve", password=PASSWORD)
    user = desk.book.user_named("anna")
    assert user is not None
    link = desk.make_link(user, LinkKind.SIGN_IN)
    assert desk.use_link(link).signed_in.name == "anna"
    with pytest.raises(SignInRefused):
        desk.use_link(link)


def test_a_link_is_over_in_time(desk: Desk, clock: ManualClock) -> None:
    set_up(desk)
    user = desk.book.user_named("anna")
    assert user is not None
    word = desk.make_link(user, LinkKind.SIGN_IN)
    clock.advance(3601)
    assert desk.peek_link(word) is None


def test_a_session_ends_by_age_by_idling_and_by_signing_out(desk: Desk, clock: ManualClock) -> None:
    cookie = set_up(desk).cookie
    assert desk.of_session(cookie) is not None
    for _ in range(13):
        clock.advance(55 * 60)
        alive = desk.of_session(cookie)
    assert alive is not None
    clock.advance(55 * 60)
    assert desk.of_session(cookie) is None, "twelve hours are over"
    idle = sign_in(desk)
    clock.advance(61 * 60)
    assert desk.of_session(idle.cookie) is None
    unused = sign_in(desk)
    for minutes in (50, 9):
        clock.advance(minutes * 60)
        assert desk.of_session(unused.cookie, is_use=False) is not None
    clock.advance(2 * 60)
    assert desk.of_session(unused.cookie) is None, "a page that asks by itself keeps nobody signed in"
    last = sign_in(desk)
    desk.sign_out(last.signed_in)
    assert desk.of_session(last.cookie) is None


def test_each_session_has_a_cookie_of_its_own_and_nobody_keeps_it(desk: Desk, tmp_path: Path) -> None:
    set_up(desk)
    first, second = sign_in(desk), sign_in(desk)
    assert first.cookie != second.cookie
    desk.close()
    kept = b"".join(path.read_bytes() for path in (tmp_path / "access").iterdir())
    assert first.cookie.encode() not in kept
    assert PASSWORD.encode() not in kept


def test_guessing_is_slow_from_where_it_comes_and_nowhere_else(desk: Desk, clock: ManualClock) -> None:
    set_up(desk)
    for _ in range(5):
        with pytest.raises(SignInRefused):
            sign_in(desk, "wrong wrong wrong")
    with pytest.raises(SignInThrottled) as throttled:
        sign_in(desk)
    assert throttled.value.wait_s > 0
    assert sign_in(desk, address="192.0.2.9").signed_in.name == "anna", "the owner is not locked out from elsewhere"
    clock.advance(throttled.value.wait_s + 0.1)
    assert sign_in(desk).signed_in.name == "anna"


def test_a_code_is_taken_once(desk: Desk, clock: ManualClock) -> None:
    me = set_up(desk).signed_in
    secret = desk.offer_codes(me, "Old Town").pairing.secret
    totp = pyotp.TOTP(secret)

    def code() -> str:
        return totp.at(clock.wall_us() // US_PER_S)

    with pytest.raises(ConfigError):
        desk.turn_on_codes(me, "000000" if code() != "000000" else "111111", address="192.0.2.1")
    desk.turn_on_codes(me, code(), address="192.0.2.1")
    with pytest.raises(CodeNeeded):
        sign_in(desk)
    with pytest.raises(SignInRefused):
        sign_in(desk, code=code())  # it turned codes on, and is used up
    clock.advance(30)
    assert sign_in(desk, code=code()).signed_in.name == "anna"
    with pytest.raises(SignInRefused):
        sign_in(desk, code=code())


def test_the_secret_of_codes_is_not_readable_without_its_key(desk: Desk, tmp_path: Path, clock: ManualClock) -> None:
    me = set_up(desk).signed_in
    secret = desk.offer_codes(me, "").pairing.secret
    desk.turn_on_codes(me, pyotp.TOTP(secret).at(clock.wall_us() // US_PER_S), address="192.0.2.1")
    assert secret.encode() not in b"".join(path.read_bytes() for path in (tmp_path / "access").iterdir())
    assert stat.S_IMODE((tmp_path / "keys" / "access.key").stat().st_mode) == 0o600


def test_a_token_permits_no_more_than_its_owner_may_today(desk: Desk) -> None:
    me = set_up(desk).signed_in
    with pytest.raises(ConfigError, match="operator"):
        desk.make_token(me, "too much", (Grant(Role.OPERATOR, ALL),), 30)
    _, token = desk.make_token(me, "script", (Grant(Role.ADMINISTRATOR, Scope("camera:plaza")),), 30)
    found = desk.of_token(token)
    assert found is not None
    assert found.grants == (Grant(Role.ADMINISTRATOR, Scope("camera:plaza")),)
    desk.book.add_user(desk.new_user("boss", "", [Grant(Role.ADMINISTRATOR, ALL)], password_hash="x"))
    desk.book.change_user(me.user_id, grants=[Grant(Role.ADMINISTRATOR, Scope("site:harbour"))])
    shrunk = desk.of_token(token)
    assert shrunk is not None
    assert shrunk.grants == ()
    desk.book.change_user(me.user_id, is_disabled=1)
    assert desk.of_token(token) is None


def test_a_token_is_over_in_time_and_when_it_is_removed(desk: Desk, clock: ManualClock) -> None:
    me = set_up(desk).signed_in
    row, token = desk.make_token(me, "script", me.grants, 1)
    assert desk.of_token(token) is not None
    clock.advance(86_401)
    assert desk.of_token(token) is None
    row, token = desk.make_token(me, "script", me.grants, 1)
    assert desk.book.remove_token(me.user_id, row.token_id)
    assert desk.of_token(token) is None


def test_the_last_administrator_stays(desk: Desk) -> None:
    me = set_up(desk).signed_in
    for change in (
        lambda: desk.book.remove_user(me.user_id),
        lambda: desk.book.change_user(me.user_id, is_disabled=1),
        lambda: desk.book.change_user(me.user_id, grants=[Grant(Role.VIEWER, ALL)]),
    ):
        with pytest.raises(LastAdministrator):
            change()
    desk.invite(desk.new_user("boss", "", [Grant(Role.ADMINISTRATOR, ALL)]))
    with pytest.raises(LastAdministrator):  # who was only invited administrates nothing
        desk.book.remove_user(me.user_id)
    assert desk.book.user(me.user_id) is not None


def test_a_new_password_ends_all_other_sessions(desk: Desk) -> None:
    here, elsewhere = set_up(desk), sign_in(desk)
    with pytest.raises(SignInRefused):
        desk.change_password(here.signed_in, "not the old one", "eight quiet lanterns", address="192.0.2.1")
    desk.change_password(here.signed_in, PASSWORD, "eight quiet lanterns", address="192.0.2.1")
    assert desk.of_session(here.cookie) is not None
    assert desk.of_session(elsewhere.cookie) is None


@pytest.mark.parametrize("password", ["short", "password123", "aaaaaaaaaaaa", "anna anna anna", "x" * 300])
def test_a_password_that_anybody_would_try_is_refused(desk: Desk, password: str) -> None:
    word = desk.setup_link()
    assert word is not None
    with pytest.raises(ConfigError):
        desk.use_link(word, name="anna", password=password)


def test_names_are_taken_once(desk: Desk) -> None:
    set_up(desk)
    with pytest.raises(NameTaken):
        desk.invite(desk.new_user("Anna ", "", []))
    with pytest.raises(ConfigError):
        desk.new_user("Ann/a", "", [])


def test_the_database_is_closed_to_others_and_a_newer_one_is_refused(desk: Desk, tmp_path: Path, clock: ManualClock) -> None:
    assert stat.S_IMODE((tmp_path / "access").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "access" / "access.db").stat().st_mode) == 0o600
    with desk.book._write("look ahead") as connection:
        connection.exec_driver_sql("PRAGMA user_version = 99")
    with pytest.raises(StoreError, match="newer version"):
        Desk(DataFolder(tmp_path), clock)
