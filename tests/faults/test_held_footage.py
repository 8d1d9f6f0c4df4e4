"""A disk that fills up with footage that is held: none of it goes, recording stops with a word, and goes on when it may."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from crash.node import Node, let_pass, wait_until
from faults.conftest import SmallDisk
from lamppost.base.clock import US_PER_S, SystemClock
from lamppost.model.layout import DataFolder
from lamppost.model.media import GapCause
from lamppost.store.index import Index
from numbered import check_numbers

pytestmark = pytest.mark.long
KEEP_FREE = 20_000_000
SETTINGS = {"retention": {"keep_free_gb": KEEP_FREE / 1e9}}
ALARM_S = 10.0
RESUME_S = 30.0


@pytest.fixture
def disk(small_disk: Callable[[Path, int], SmallDisk], tmp_path: Path) -> SmallDisk:
    return small_disk(tmp_path / "disk", 64)


@pytest.fixture
def node(make_node: Callable[..., Node], disk: SmallDisk) -> Node:
    return make_node(data=disk.place / "data", settings=SETTINGS, epoch_s=10)


def hold(node: Node, until: str) -> str:
    words = ["--camera", node.camera, "--from", "2000-01-01", "--to", until, "--reason", "a test"]
    return str(json.loads(node.run("hold", "add", *words, "-c", str(node.config), "--json").stdout)["hold_id"])


def closed_files(node: Node, before_us: int = 2**62) -> dict[Path, str]:
    """Files of segments that have ended, masked ones too, and their records; with their hashes."""
    with Index(DataFolder(node.data)) as index:
        rows = [row for row in index.all_paths().values() if row.state == "closed" and row.start_us < before_us]
    files = [file for row in rows for file in (node.data / row.path, (node.data / row.path).with_suffix(".record"))]
    return {file: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def shares(node: Node, files: dict[Path, str]) -> dict[Path, str]:
    """The vault's files of the epochs that `files` are sealed to."""
    with Index(DataFolder(node.data)) as index:
        epochs = {row.epoch_id for row in index.all_paths().values() if node.data / row.path in files and row.epoch_id}
    found = [file for epoch_id in epochs for file in DataFolder(node.data).epoch(node.camera, epoch_id).iterdir()]
    return {file: hashlib.sha256(file.read_bytes()).hexdigest() for file in found}


def assert_all_there(files: dict[Path, str]) -> None:
    assert files
    lost = [str(file) for file, digest in files.items() if not file.exists() or hashlib.sha256(file.read_bytes()).hexdigest() != digest]
    assert lost == []


def test_recording_stops_where_all_is_held_and_goes_on_when_the_hold_is_released(node: Node, disk: SmallDisk) -> None:
    node.start()
    node.await_fragments(16)
    hold_id = hold(node, "2100-01-01")
    held = closed_files(node)
    disk.leave(KEEP_FREE - 100_000)
    wait_until(lambda: "kind=recording_held" in node.log(), "the alarm", ALARM_S)
    wait_until(lambda: bool(node.records("recorder", b'"held"')), "the gap", ALARM_S)
    mark = node.fragments("recorder")
    let_pass(8.0, lambda: node.is_running, "the node lives")
    assert node.fragments("recorder") == mark
    assert_all_there(held | shares(node, held))
    node.run("hold", "release", hold_id, "-c", str(node.config))
    assert node.await_fragments(2, timeout_s=RESUME_S) <= RESUME_S
    node.stop()
    causes = node.accounts()[node.camera]["gap_us_by_cause"]
    assert isinstance(causes, dict)
    assert causes[GapCause.HELD.value] >= 7 * US_PER_S
    with Index(DataFolder(node.data)) as index:
        (event,) = [event for event in index.events() if event.kind == "recording_held"]
    assert event.end_us is not None
    check_numbers(node, fps=10, is_one_count=False)


def test_no_held_file_is_lost_under_pressure_on_a_full_disk_with_kills(node: Node, disk: SmallDisk) -> None:
    node.start()
    node.await_fragments(10)
    until_us = SystemClock().wall_us()
    hold(node, datetime.fromtimestamp(until_us / US_PER_S, UTC).isoformat())
    node.await_fragments(22)
    held = closed_files(node, until_us)
    held |= shares(node, held)
    others = set(closed_files(node)) - set(held)
    disk.leave(KEEP_FREE - 300_000)
    wait_until(lambda: any(not file.exists() for file in others), "that others go", 60)
    node.kill_everything()
    assert_all_there(held)
    disk.fill()
    node.start()
    let_pass(6.0)
    node.kill_everything()
    assert_all_there(held)
    disk.make_room()
    node.start()
    node.await_fragments(4)
    node.stop()
    assert_all_there(held)
    assert int(str(node.accounts()[node.camera]["held_us"])) > 5 * US_PER_S
    check_numbers(node, fps=10, is_one_count=False)
