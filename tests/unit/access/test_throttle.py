"""Guessing is slow, however many guess at once and from however many addresses of one network."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path

import pyotp
import pytest
from argon2 import PasswordHasher

from lamppost.access.desk import CodeNeeded, Desk, SignInRefused
from lamppost.access.passwords import AT_ONCE, MOST_WAITING, Passwords
from lamppost.access.throttle import FIRST_WAIT_S, FREE_FAILURES, SignInThrottled, Throttle, household
from lamppost.base.clock import US_PER_S, ManualClock
from lamppost.base.durable import make_directory
from lamppost.model.layout import DataFolder

PASSWORD = "seven quiet lanterns"
WRONG = "wrong wrong wrong"
MANY = 24


class SlowHasher(PasswordHasher):
    """Compares once the test lets it, and counts how many do so at once."""

    def __init__(self) -> None:
        super().__init__(time_cost=1, memory_cost=8, parallelism=1)
        self.mutex, self.go = threading.Lock(), threading.Event()
        self.go.set()
        self.asked = self.now = self.most = 0

    def verify(self, hash: str | bytes, password: str | bytes) -> bool:  # type: ignore[override]
        with self.mutex:
            self.asked += 1
            self.now += 1
            self.most = max(self.most, self.now)
        try:
            assert self.go.wait(10)
            return bool(super().verify(hash, password))
        finally:
            with self.mutex:
                self.now -= 1


@pytest.fixture
def hasher() -> SlowHasher:
    return SlowHasher()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def desk(tmp_path: Path, clock: ManualClock, hasher: SlowHasher) -> Iterator[Desk]:
    make_directory(tmp_path / "keys")
    made = Desk(DataFolder(tmp_path), clock, passwords=Passwords(hasher))
    made.use_link(made.setup_link() or "", name="anna", password=PASSWORD)
    yield made
    made.close()


def guess(desk: Desk, address: str = "192.0.2.1", password: str = WRONG) -> str:
    try:
        desk.sign_in("anna", password, None, address=address)
    except (SignInRefused, SignInThrottled) as error:
        return type(error).__name__
    return "in"


def test_guesses_at_once_are_counted_before_any_is_compared(desk: Desk, hasher: SlowHasher) -> None:
    hasher.go.clear()
    with ThreadPoolExecutor(MANY) as pool:
        waiting = [pool.submit(guess, desk) for _ in range(MANY)]
        # Those over the limit are answered while the others are still compared.
        try:
            assert await_some(waiting, MANY - FREE_FAILURES) == MANY - FREE_FAILURES
        finally:
            hasher.go.set()
    told = [each.result() for each in waiting]
    assert (told.count("SignInRefused"), told.count("SignInThrottled")) == (FREE_FAILURES, MANY - FREE_FAILURES)
    assert hasher.asked == FREE_FAILURES
    assert hasher.most <= AT_ONCE


def await_some(waiting: list[Future[str]], wanted: int) -> int:
    """How many are answered, once at least `wanted` are."""
    done: set[Future[str]] = set()
    while len(done) < wanted:
        left = [each for each in waiting if each not in done]
        more = wait(left, timeout=10, return_when=FIRST_COMPLETED).done
        assert more, "nobody is answered any more"
        done |= more
    return len(done)


def test_however_many_ask_two_are_compared_and_few_wait(desk: Desk, hasher: SlowHasher) -> None:
    hasher.go.clear()
    asked = AT_ONCE + MOST_WAITING + 8
    with ThreadPoolExecutor(asked) as pool:
        waiting = [pool.submit(guess, desk, f"198.51.100.{number}", PASSWORD) for number in range(asked)]
        try:
            await_some(waiting, 8)
        finally:
            hasher.go.set()
    told = [each.result() for each in waiting]
    assert hasher.most == AT_ONCE == 2, "each takes 64 MiB"
    assert (told.count("in"), told.count("SignInThrottled")) == (AT_ONCE + MOST_WAITING, 8)
    assert guess(desk, f"198.51.100.{told.index('SignInThrottled')}", PASSWORD) == "in", "who was sent away for that has failed at nothing"


def test_all_addresses_of_one_network_are_one(desk: Desk) -> None:
    told = [guess(desk, f"2001:db8:0:7::{number:x}") for number in range(1, 31)]
    assert told.count("SignInRefused") == FREE_FAILURES
    assert guess(desk, "2001:db8:0:8::1", PASSWORD) == "in", "the neighbour's network is another"


def test_who_signs_in_rightly_has_failed_at_nothing(desk: Desk, clock: ManualClock) -> None:
    for _ in range(3 * FREE_FAILURES):
        assert guess(desk, password=PASSWORD) == "in"
    for _ in range(FREE_FAILURES):
        assert guess(desk, password=WRONG) == "SignInRefused"
    assert guess(desk, password=PASSWORD) == "SignInThrottled"
    clock.advance(FIRST_WAIT_S)
    assert [guess(desk, password=PASSWORD) for _ in range(3)] == ["in"] * 3, "nor does one wait again for an address that failed before"


def test_to_be_asked_for_a_code_is_no_failure(desk: Desk, clock: ManualClock) -> None:
    me = desk.sign_in("anna", PASSWORD, None, address="192.0.2.1").signed_in
    secret = desk.offer_codes(me, "").pairing.secret
    desk.turn_on_codes(me, pyotp.TOTP(secret).at(clock.wall_us() // US_PER_S), password=PASSWORD, address="192.0.2.1")
    for _ in range(2 * FREE_FAILURES):
        with pytest.raises(CodeNeeded):
            desk.sign_in("anna", PASSWORD, None, address="192.0.2.1")
    for _ in range(FREE_FAILURES):
        with pytest.raises(SignInRefused):
            desk.sign_in("anna", PASSWORD, "000000", address="192.0.2.1")
    with pytest.raises(SignInThrottled):
        desk.sign_in("anna", PASSWORD, "000000", address="192.0.2.1")


def test_what_others_fail_at_meanwhile_stays_counted(clock: ManualClock) -> None:
    throttle = Throttle(clock)
    right = throttle.begin("here")
    for _ in range(FREE_FAILURES - 1):
        throttle.begin("here")
    with pytest.raises(SignInThrottled):
        throttle.begin("here")
    throttle.give_back(right)
    throttle.begin("here")
    with pytest.raises(SignInThrottled):
        throttle.begin("here")


@pytest.mark.parametrize(
    ("address", "whose"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:0:7::1", "2001:db8:0:7::/64"),
        ("2001:db8:0:7:ffff:ffff:ffff:ffff", "2001:db8:0:7::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("unknown", "unknown"),
        ("", ""),
    ],
)
def test_whom_an_address_belongs_to(address: str, whose: str) -> None:
    assert household(address) == whose
