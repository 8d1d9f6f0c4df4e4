"""Names that become folders are harmless; ids sort by time and do not collide."""

from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lamppost.base.errors import ConfigError
from lamppost.base.ids import check_camera_name, compact_utc, timed_id


@pytest.mark.parametrize("name", ["a", "0", "plaza-north", "a" * 63, "a--b"])
def test_a_good_name_is_kept(name: str) -> None:
    assert check_camera_name(name) == name


@pytest.mark.parametrize("name", ["", "-a", "a-", "A", "a b", "a/b", "..", ".", "a.b", "a\n", "ä", "a" * 64, "a_b", "\u0661"])
def test_a_name_that_could_harm_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match="cannot be used"):
        check_camera_name(name)


@given(st.text(max_size=80))
def test_whatever_passes_is_one_harmless_path_part(name: str) -> None:
    try:
        check_camera_name(name)
    except ConfigError:
        return
    assert PurePosixPath("root", name).parts == ("root", name)
    assert name.isascii()
    assert name == name.lower()


@given(st.integers(0, 4_000_000_000), st.integers(1, 4_000_000_000))
def test_ids_sort_by_their_second(first_s: int, delta_s: int) -> None:
    assert timed_id(first_s * 1_000_000) < timed_id((first_s + delta_s) * 1_000_000)


def test_ids_of_one_second_differ() -> None:
    assert len({timed_id(0) for _ in range(1000)}) == 1000
    assert compact_utc(0) == "19700101T000000Z"
