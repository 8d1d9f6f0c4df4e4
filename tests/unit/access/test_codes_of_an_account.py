"""Nobody takes over somebody's second step who has no more than their session."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pyotp
import pytest
from argon2 import PasswordHasher

from lamppost.access.desk import Desk, LinkKind, NewSession, SignedIn, SignInRefused
from lamppost.access.offers import OFFER_S, WELCOME_S
from lamppost.access.passwords import Passwords
from lamppost.access.throttle import FREE_FAILURES, SignInThrottled
from lamppost.base.clock import US_PER_S, ManualClock
from lamppost.base.durable import make_directory
from lamppost.base.errors import ConfigError
from lamppost.model.access import Grant, Role, Scope
from lamppost.model.layout import DataFolder

PASSWORD = "seven quiet lanterns"
HERE = "192.0.2.1"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def desk(tmp_path: Path, clock: ManualClock) -> Iterator[Desk]:
    make_directory(tmp_path / "keys")
    made = Desk(DataFolder(tmp_path), clock, passwords=Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)))
    yield made
    made.close()


@pytest.fixture
def first(desk: Desk) -> NewSession:
    """The session in which anna chose her password."""
    return desk.use_link(desk.setup_link() or "", name="anna", password=PASSWORD)


@pytest.fixture
def code_of(clock: ManualClock) -> Callable[[str], str]:
    return lambda secret: pyotp.TOTP(secret).at(clock.wall_us() // US_PER_S)


Codes = Callable[[str], str]


def has_codes(desk: Desk) -> bool:
    user = desk.book.user_named("anna")
    assert user is not None
    return user.totp_sealed is not None


def signed_in(desk: Desk) -> SignedIn:
    return desk.sign_in("anna", PASSWORD, None, address=HERE).signed_in


def test_who_has_just_chosen_a_password_need_not_type_it_again(desk: Desk, first: NewSession, code_of: Codes) -> None:
    offer = desk.offer_codes(first.signed_in, "")
    assert (offer.needs_password, offer.needs_old_code) == (False, False)
    desk.turn_on_codes(first.signed_in, code_of(offer.pairing.secret), address=HERE)
    assert has_codes(desk)


def test_who_was_invited_need_not_either(desk: Desk, first: NewSession, code_of: Codes) -> None:
    del first
    word = desk.invite(desk.new_user("bert", "", [Grant(Role.VIEWER, Scope("*"))]))
    bert = desk.use_link(word, password="eight loud lanterns").signed_in
    offer = desk.offer_codes(bert, "")
    assert not offer.needs_password
    desk.turn_on_codes(bert, code_of(offer.pairing.secret), address=HERE)


@pytest.mark.parametrize("how", ["signed in", "by a link", "later"])
def test_a_session_alone_turns_nothing_on(desk: Desk, first: NewSession, clock: ManualClock, code_of: Codes, how: str) -> None:
    me = first.signed_in
    if how == "signed in":
        me = signed_in(desk)
    elif how == "by a link":
        user = desk.book.user(me.user_id)
        assert user is not None
        me = desk.use_link(desk.make_link(user, LinkKind.SIGN_IN)).signed_in
    else:
        clock.advance(WELCOME_S)
    offer = desk.offer_codes(me, "")
    assert offer.needs_password
    code = code_of(offer.pairing.secret)
    for password in ("", "not her password"):
        with pytest.raises(SignInRefused):
            desk.turn_on_codes(me, code, password=password, address=HERE)
    assert not has_codes(desk)
    assert desk.of_session(first.cookie) is not None, "and ends nobody's session"
    desk.turn_on_codes(me, code, password=PASSWORD, address=HERE)
    assert has_codes(desk)


def test_codes_that_are_on_are_replaced_by_who_has_them_alone(desk: Desk, first: NewSession, clock: ManualClock, code_of: Codes) -> None:
    me = first.signed_in
    old = desk.offer_codes(me, "").pairing.secret
    desk.turn_on_codes(me, code_of(old), address=HERE)
    clock.advance(60)
    offer = desk.offer_codes(me, "")
    assert (offer.needs_password, offer.needs_old_code) == (True, True)
    new = offer.pairing.secret
    for proof in ({}, {"password": PASSWORD}, {"old_code": code_of(old)}, {"password": PASSWORD, "old_code": code_of(new)}):
        with pytest.raises(SignInRefused):
            desk.turn_on_codes(me, code_of(new), address=HERE, **proof)
    desk.turn_on_codes(me, code_of(new), password=PASSWORD, old_code=code_of(old), address=HERE)
    clock.advance(60)
    assert desk.sign_in("anna", PASSWORD, code_of(new), address=HERE).signed_in.name == "anna"
    with pytest.raises(SignInRefused):
        desk.sign_in("anna", PASSWORD, code_of(old), address=HERE)


def test_the_password_cannot_be_guessed_here_either(desk: Desk, first: NewSession, code_of: Codes) -> None:
    me = signed_in(desk)
    code = code_of(desk.offer_codes(me, "").pairing.secret)
    for _ in range(FREE_FAILURES):
        with pytest.raises(SignInRefused):
            desk.turn_on_codes(me, code, password="not her password", address=HERE)
    with pytest.raises(SignInThrottled):
        desk.turn_on_codes(me, code, password=PASSWORD, address=HERE)
    assert not has_codes(desk)
    del first


def test_a_secret_is_good_for_the_session_that_it_was_offered_to_and_for_a_while(
    desk: Desk, first: NewSession, clock: ManualClock, code_of: Codes
) -> None:
    mine, other = first.signed_in, signed_in(desk)
    secret = desk.offer_codes(mine, "").pairing.secret
    with pytest.raises(ConfigError, match="time of this secret"):
        desk.turn_on_codes(other, code_of(secret), password=PASSWORD, address=HERE)
    clock.advance(OFFER_S)
    with pytest.raises(ConfigError, match="time of this secret"):
        desk.turn_on_codes(mine, code_of(secret), password=PASSWORD, address=HERE)
    again = desk.offer_codes(mine, "").pairing.secret
    with pytest.raises(ConfigError, match="not the code"):
        desk.turn_on_codes(mine, code_of(secret), password=PASSWORD, address=HERE)
    desk.turn_on_codes(mine, code_of(again), password=PASSWORD, address=HERE)
    with pytest.raises(ConfigError, match="time of this secret"):
        desk.turn_on_codes(mine, code_of(again), password=PASSWORD, address=HERE)


def test_a_welcome_is_over_once_it_is_used(desk: Desk, first: NewSession, code_of: Codes) -> None:
    me = first.signed_in
    desk.turn_on_codes(me, code_of(desk.offer_codes(me, "").pairing.secret), address=HERE)
    desk.turn_off_codes(me, PASSWORD, address=HERE)
    assert desk.offer_codes(me, "").needs_password
