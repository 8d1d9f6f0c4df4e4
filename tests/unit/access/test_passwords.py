"""A new password is long enough, as the console says it, and none that everybody tries first."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from lamppost.access.passwords import SHORTEST, Passwords
from lamppost.base.errors import ConfigError

CONSOLE = Path(__file__).parents[3] / "console/src/app/strength.ts"
PASSWORDS = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


def test_twelve_characters_are_enough_and_eleven_are_not() -> None:
    with pytest.raises(ConfigError, match="fewer than 12 characters"):
        PASSWORDS.make("blue-tables")
    assert PASSWORDS.is_right(PASSWORDS.make("blue-tables!"), "blue-tables!")


def test_the_console_asks_for_as_many() -> None:
    found = re.search(r"LEAST = (\d+);", CONSOLE.read_text(encoding="utf-8"))
    assert found
    assert int(found[1]) == SHORTEST


@pytest.mark.parametrize("password", ["Password1234", "qwerty123456", "abababababab", "anna-and-anna"])
def test_what_everybody_tries_first_is_refused(password: str) -> None:
    with pytest.raises(ConfigError, match="one of the first"):
        PASSWORDS.make(password, name="anna")
