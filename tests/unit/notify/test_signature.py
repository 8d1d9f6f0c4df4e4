"""A signature tells who sent what, and when; whatever is changed, it does not fit any more."""

from __future__ import annotations

import hmac
import subprocess
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets import verify_signature
from lamppost.notify.signature import is_signed, sign

SECRET = "a-secret-of-the-hook"


def test_it_is_what_any_other_program_computes() -> None:
    value = sign(SECRET, b'{"a":1}', 1_700_000_000)
    expected = hmac.digest(SECRET.encode(), b'1700000000.{"a":1}', "sha256").hex()
    assert value == f"t=1700000000,v1={expected}"


@given(st.text(min_size=1), st.binary(), st.integers(0, 2**40), st.integers(-300, 300))
def test_what_was_signed_is_accepted_while_it_is_fresh(secret: str, body: bytes, at_s: int, late_s: int) -> None:
    secret = secret.encode("utf-8", "ignore").decode() or "x"
    assert is_signed(secret, body, sign(secret, body, at_s), now_s=at_s + late_s)


@given(st.binary(), st.binary(), st.integers(0, 2**40))
def test_another_body_is_refused(body: bytes, other: bytes, at_s: int) -> None:
    assert is_signed(SECRET, other, sign(SECRET, body, at_s), now_s=at_s) == (body == other)


@pytest.mark.parametrize("late_s", [301, -301])
def test_an_old_one_is_refused(late_s: int) -> None:
    assert not is_signed(SECRET, b"x", sign(SECRET, b"x", 10_000), now_s=10_000 + late_s)


def test_another_time_or_secret_is_refused() -> None:
    value = sign(SECRET, b"x", 10_000)
    assert not is_signed(SECRET, b"x", value.replace("t=10000", "t=10001"), now_s=10_000)
    assert not is_signed(SECRET + "2", b"x", value, now_s=10_000)


@pytest.mark.parametrize("value", ["", "t=1", "v1=ab", "t=x,v1=ab", "t=10000,v1=", "t=10000,v1=é", ",,,", "t=,v1="])
def test_what_is_no_signature_is_refused(value: str) -> None:
    assert not is_signed(SECRET, b"x", value, now_s=10_000)


# What the guide tells others to run


@pytest.mark.parametrize(("age_s", "body", "is_good"), [(0, b'{"a":1}', True), (400, b'{"a":1}', False), (0, b'{"a":2}', False)])
def test_the_code_in_the_guide_verifies_what_is_sent(tmp_path: Path, age_s: int, body: bytes, is_good: bool) -> None:
    value = sign(SECRET, b'{"a":1}', int(time.time()) - age_s)
    assert verify_signature.is_from_lamppost(SECRET, body, value) is is_good
    assert not verify_signature.is_from_lamppost(SECRET, body, "")
    (tmp_path / "secret").write_text(f"{SECRET}\n")
    (tmp_path / "body").write_bytes(body)
    script = Path(verify_signature.__file__).with_suffix(".sh")
    command = ["sh", str(script), str(tmp_path / "secret"), str(tmp_path / "body"), value]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode == 0, "good" in done.stdout) == (is_good, is_good), done


def test_the_guide_shows_that_code() -> None:
    page = (Path(__file__).parents[3] / "docs" / "guide" / "notifications.md").read_text()
    for name in ("verify_signature.py", "verify_signature.sh"):
        assert f'--8<-- "tests/assets/{name}"' in page
