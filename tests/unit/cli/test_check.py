"""The account says what overload took of the masked video, and nothing where it took nothing."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from lamppost.cli.check import _print_account
from lamppost.store.account import Account


def shown(reduced: tuple[tuple[str, int], ...]) -> str:
    account = Account("plaza", 0, 10_000_000, 10_000_000, 9_000_000, 500_000, 0, (), 250, 1000, 0, (), reduced_us_by_step=reduced)
    output = io.StringIO()
    _print_account(Console(file=output, width=200, no_color=True, highlight=False), account)
    return output.getvalue().strip()


@pytest.mark.parametrize("reduced", [(), (("fewer_frames", 0),)])
def test_a_camera_that_kept_up_has_no_word_of_overload(reduced: tuple[tuple[str, int], ...]) -> None:
    assert shown(reduced) == "plaza: recorded 10.0 s, masked 90.0% of it, covered 0.5 s; gaps: none; unexplained 0.000 s"


def test_each_step_is_told_with_its_time() -> None:
    line = shown((("covered", 400_000), ("fewer_frames", 2_000_000)))
    assert "covered 0.5 s, reduced by overload: covered 0.4 s, fewer_frames 2.0 s; gaps: none" in line
