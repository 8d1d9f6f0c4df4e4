"""Versions are compared where their names tell, and where they do not nobody guesses."""

from __future__ import annotations

import time
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lamppost.model.firmware_versions import compare, parse_version

numbers = st.lists(st.integers(0, 30), min_size=1, max_size=4)
builds = st.none() | st.dates(min_value=date(2000, 1, 1), max_value=date(2099, 12, 31))


@st.composite
def versions(draw: st.DrawFn) -> str:
    text = ".".join(str(part) for part in draw(numbers))
    text = f"{draw(st.sampled_from(('', 'V')))}{text}{draw(st.sampled_from(('', '.R', '.T')))}"
    built = draw(builds)
    if built is None:
        return text
    return draw(st.sampled_from((f"{text} build {built:%y%m%d}", f"{text}, build {built:%Y-%m-%d}", f"{text}, Build Date: {built:%Y%m%d}")))


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ("V5.5.0 build 170725", "V5.5.0 build 210628"),
        ("V5.4.5 build 160928", "V5.5.0 build 150101"),
        ("2.622.0000000.18.R, build 2018-08-08", "2.800.0000000.16.R, build 2019-12-05"),
        ("2.800.0000000.16.R,build:2019-12-05", "2.800.0000000.16.R, Build Date 2020-01-01"),
        ("9.80.2", "9.80.12"),
        ("9.80.2", "10.0"),
        ("6.50.5.14", "6.50.5.15"),
    ],
)
def test_the_versions_of_vendors(older: str, newer: str) -> None:
    assert compare(older, newer) == -1
    assert compare(newer, older) == 1
    assert compare(older, older) == 0


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("9.80", "9.80.2"),  # which of the 9.80s it is, it does not say
        ("V5.5.0", "V5.5.0 build 170725"),
        ("2.800.0.16.R", "2.800.0.16.T"),
        ("V5.5.0 build 179999", "V5.5.0 build 170725"),  # no day
        ("2019 spring", "V1"),
        ("", "1"),
        ("1.", "1"),
        ("1" * 13, "1"),
        ("1.2.3.4.5.6.7.8.9", "1"),
        ("\u0661", "1"),
        ("V5.5.0 build 170725 and more", "V5.5.0 build 170725"),
    ],
)
def test_what_cannot_be_told_is_not_guessed(one: str, other: str) -> None:
    assert compare(one, other) is None
    assert compare(other, one) is None


@given(versions(), versions())
def test_one_way_is_the_other_turned_round(one: str, other: str) -> None:
    there, back = compare(one, other), compare(other, one)
    assert (there is None) == (back is None)
    assert there is None or there == -(back or 0)


@given(versions(), versions(), versions())
def test_an_order_does_not_contradict_itself(one: str, two: str, three: str) -> None:
    if compare(one, two) == -1 and compare(two, three) == -1:
        assert compare(one, three) in (-1, None)


@given(versions())
def test_a_version_is_as_itself_and_zeros_at_its_end_tell_nothing(text: str) -> None:
    parsed = parse_version(text)
    assert parsed is not None
    assert compare(text, text) == 0
    assert compare(text, f" {text} ") == 0


@given(st.text(max_size=300))
def test_any_text_is_read_or_not(text: str) -> None:
    parsed = parse_version(text)
    assert compare(text, text) == (None if parsed is None else 0)


def test_no_text_takes_long() -> None:
    began = time.perf_counter()
    for text in ("1." * 100_000, "V" * 200, "1.1.1.1.1.1.1.1" + " " * 180, "1 build " * 24, "9" * 200):
        parse_version(text)
    assert time.perf_counter() - began < 0.5
