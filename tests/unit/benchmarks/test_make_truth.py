"""The truth that leaks are counted in is what was typed, lies in the pictures, and is listed."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from benchmarks.truth.keys import Box, KeyedObject, read_keys
from benchmarks.truth.make_truth import FOLDER, made, stale
from hypothesis import given
from hypothesis import strategies as st

CLIP = """
frames = 9
size = [100, 50]
[[object]]
id = 7
class = "head"
keys = [[2, 10, 20, 8, 10], [4, 20, 20, 8, 12], [8, 96, 20, 8, 12]]
gone = [[5, 6]]
[[object]]
id = 8
class = "ignore"
keys = [[4, 0, 0, 5, 5]]
"""

boxes = st.builds(Box, *[st.floats(-50, 50)] * 2, *[st.floats(1, 50)] * 2)
keyed = st.dictionaries(st.integers(1, 40), boxes, min_size=1, max_size=6).map(lambda keys: tuple(sorted(keys.items())))


def clip(folder: Path, text: str = CLIP) -> Path:
    path = folder / "street.keys.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_boxes_are_linear_between_keys_absent_while_gone_and_cut_to_the_picture(tmp_path: Path) -> None:
    assert read_keys(clip(tmp_path)).mot_text().splitlines() == [
        "2,7,10.0,20.0,8.0,10.0,1,1,1.00",
        "3,7,15.0,20.0,8.0,11.0,1,1,1.00",
        "4,7,20.0,20.0,8.0,12.0,1,1,1.00",
        "4,8,0.0,0.0,5.0,5.0,0,9,1.00",
        "7,7,77.0,20.0,8.0,12.0,1,1,1.00",
        "8,7,96.0,20.0,4.0,12.0,1,1,0.50",
    ]


@given(keyed)
def test_every_key_is_met_and_no_box_leaves_the_span_of_its_neighbours(keys: tuple[tuple[int, Box], ...]) -> None:
    drawn = dict(KeyedObject(1, "head", keys, ()).boxes())
    assert list(drawn) == list(range(keys[0][0], keys[-1][0] + 1))
    for frame, box in keys:
        assert drawn[frame] == pytest.approx(box)
    for frame, box in drawn.items():
        before = max(key for key in keys if key[0] <= frame)[1]
        behind = min(key for key in keys if key[0] >= frame)[1]
        assert all(min(a, b) - 1e-6 <= side <= max(a, b) + 1e-6 for a, side, b in zip(before, box, behind, strict=True))


@pytest.mark.parametrize(
    ("typed", "mistyped", "complaint"),
    [
        ('"head"', '"haed"', "haed is none of"),
        ("[4, 20, 20, 8, 12]", "[1, 20, 20, 8, 12]", "must ascend"),
        ("[8, 96", "[10, 96", "must ascend"),
        ("96, 20, 8, 12", "96, 20, 0, 12", "without an area"),
        ("[[5, 6]]", "[[5, 8]]", "gone only between"),
        ("id = 8", "id = 7", "occurs twice"),
    ],
)
def test_a_mistyped_key_is_told(tmp_path: Path, typed: str, mistyped: str, complaint: str) -> None:
    assert typed in CLIP
    with pytest.raises(ValueError, match=complaint):
        read_keys(clip(tmp_path, CLIP.replace(typed, mistyped)))


def test_a_truth_file_that_is_missing_or_edited_is_stale(tmp_path: Path) -> None:
    clip(tmp_path)
    [(path, text)] = made(tmp_path)
    assert stale(tmp_path) == [path]
    path.write_text(text, encoding="utf-8")
    assert stale(tmp_path) == []
    path.write_text(text.replace("15.0", "16.0"), encoding="utf-8")
    assert stale(tmp_path) == [path]


def test_the_truth_in_the_repository_is_what_its_keys_say() -> None:
    assert stale(FOLDER) == []


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.keys.toml")), ids=lambda path: path.name.split(".")[0])
def test_boxes_in_the_repository_lie_in_the_picture_and_in_the_clip(path: Path) -> None:
    keys = read_keys(path)
    for line in keys.mot_text().splitlines():
        frame, _, left, top, width, height, *_, visibility = map(float, line.split(","))
        assert 1 <= frame <= keys.frames
        assert 0 <= left < left + width <= keys.width_px + 0.1
        assert 0 <= top < top + height <= keys.height_px + 0.1
        assert 0 < visibility <= 1


def test_every_keyed_clip_is_a_set() -> None:
    sets = tomllib.loads((FOLDER / "truth.toml").read_text(encoding="utf-8"))["set"]
    truths = [each["truth"] for each in sets]
    assert len({each["name"] for each in sets}) == len(sets)
    assert {path.name for path, _ in made(FOLDER)} <= set(truths)
    assert all((FOLDER / truth).exists() for truth in truths)
