"""`lamppost bench track` from a folder of sequences to a table and a JSON file."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from lamppost.bench import peers

Lamppost = Callable[..., Result]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    for name in ("east", "west"):
        folder = tmp_path / "sets" / name
        folder.mkdir(parents=True)
        walks = [(frame, who, 10 + 200 * who + 4 * frame) for frame in range(1, 26) for who in (1, 2)]
        (folder / "gt.txt").write_text("".join(f"{frame},{who},{left},50,40,100,1,-1,-1,-1\n" for frame, who, left in walks))
        (folder / "det.txt").write_text("".join(f"{frame},-1,{left},50,40,100,0.95,-1,-1,-1\n" for frame, who, left in walks))
        (folder / "test.txt").write_text("".join(f"{frame},{who},{left},50,40,100,-1,-1,-1,-1\n" for frame, who, left in walks))
        (folder / "seqinfo.ini").write_text("[Sequence]\nframeRate=10\n")
    return tmp_path / "sets"


def test_sequences_are_measured_beside_the_reference_trackers(lamppost: Lamppost, data: Path, tmp_path: Path) -> None:
    figures = tmp_path / "track.json"
    result = lamppost("bench", "track", "--data", str(data), "--json", str(figures))
    assert result.exit_code == 0, result.output
    for word in ("HOTA", "east", "west", "all", "Lamppost", "ByteTrack", "test.txt"):
        assert word in result.output
    assert "note:" not in result.output
    found = json.loads(figures.read_text())
    assert found["format"] == "lamppost-track-1"
    assert [(each["name"], each["fps"], each["frames"]) for each in found["sequences"]] == [("east", 10, 25), ("west", 10, 25)]
    for each in (*(sequence["results"] for sequence in found["sequences"]), found["combined"]):
        assert each["test.txt"]["hota"] == 1
        assert each["test.txt"]["frame_ms"] is None
        assert each["Lamppost"]["idf1"] > 0.95
        assert each["Lamppost"]["frame_ms"]["median"] > 0
    again = lamppost("bench", "track", "--data", str(data), "--json", str(figures))
    assert again.exit_code == 2
    assert "track.json exists" in again.output


def test_without_the_library_there_is_a_note(lamppost: Lamppost, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peers, "find_spec", lambda _name: None)
    result = lamppost("bench", "track", "--data", str(data / "east"))
    assert result.exit_code == 0, result.output
    assert "pip install trackers" in result.output
    assert "ByteTrack" not in result.output


def test_two_files_and_ready_tracks(lamppost: Lamppost, data: Path) -> None:
    east = data / "east"
    single = ("--truth", str(east / "gt.txt"), "--detections", str(east / "det.txt"), "--fps", "10", "--no-peer")
    result = lamppost("bench", "track", *single, "--tracks", str(east / "test.txt"))
    assert result.exit_code == 0, result.output
    assert "test.txt" in result.output
    assert "note:" not in result.output
    alone = lamppost("bench", "track", "--truth", str(east / "gt.txt"), "--tracks", str(east / "test.txt"), "--fps", "10")
    assert alone.exit_code == 0, alone.output
    assert "100.0%" in alone.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "say what to measure on"),
        (("--data", "sets", "--truth", "sets/east/gt.txt"), "say what to measure on"),
        (("--data", "sets", "--detections", "sets/east/det.txt"), "--detections goes with --truth"),
        (("--truth", "sets/east/gt.txt"), "tells nothing"),
        (("--truth", "sets/east/gt.txt", "--detections", "nowhere.txt"), "nowhere.txt cannot be read"),
        (("--data", "sets/none"), "is no folder"),
        (("--data", "sets", "--json", "none/a.json"), "the folder of none/a.json does not exist"),
        (("--truth", "sets/east/gt.txt", "--detections", "sets/bad.txt"), "sets/bad.txt, line 3: is no box"),
        (("--truth", "sets/east/gt.txt", "--tracks", "sets/east/det.txt"), "boxes without an id"),
    ],
)
def test_wrong_input_is_told_in_one_line(
    lamppost: Lamppost, data: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], message: str
) -> None:
    monkeypatch.chdir(data.parent)
    (data / "bad.txt").write_text("1,1,1,1,5,5,1\n1,2,1,1,5,5,1\n1,2\n")
    result = lamppost("bench", "track", *arguments, "--no-peer")
    assert result.exit_code == 2
    assert message in result.output
    assert "Traceback" not in result.output
    assert len(result.output.strip().splitlines()) == 1


def test_a_folder_with_nothing_but_truth_is_refused(lamppost: Lamppost, data: Path) -> None:
    for name in ("det.txt", "test.txt"):
        (data / "east" / name).unlink()
    result = lamppost("bench", "track", "--data", str(data / "east"))
    assert result.exit_code == 2
    assert "neither detections nor tracks" in result.output
