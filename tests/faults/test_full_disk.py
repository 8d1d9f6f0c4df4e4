"""A disk without a byte left: the node lives, says what it lost, and goes on when there is room again."""

from __future__ import annotations

import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from crash.node import Node, let_pass, wait_until
from faults.conftest import SmallDisk
from lamppost.model.layout import DataFolder
from lamppost.model.media import GapCause
from lamppost.store.index import Index
from numbered import check_numbers

# What frees space by itself is another test's: here the disk stays full.
METRICS = "127.0.0.1:19464"
NO_RETENTION = {"retention": {"keep_free_gb": 0.0}, "metrics": {"listen": METRICS}}
RESUME_S = 30.0
ALARM_S = 10.0


def start(node: Node) -> None:
    node.start()
    node.await_fragments(2)


def check_account(node: Node) -> dict[str, object]:
    """Stop, and everything agrees; returns the gaps by cause.

    What the full disk left unfinished, a repair may end, as the next start would: nothing else may be amiss.
    """
    node.stop()
    node.run("check", "-c", str(node.config), "--repair", expect=None)
    account = node.accounts()[node.camera]
    check_numbers(node, fps=10, is_one_count=False)
    causes = account["gap_us_by_cause"]
    assert isinstance(causes, dict)
    return causes


def keep_full(disk: SmallDisk, node: Node, seconds: float) -> None:
    """Take every byte that the node gives up meanwhile, by ending a log or dropping what it could not finish."""

    def is_living() -> bool:
        disk.fill()
        return node.is_running

    let_pass(seconds, is_living, "the node lives on a full disk")


def await_alarm(node: Node, *kinds: str) -> None:
    """One of `kinds` must be told soon, by the log and by the metrics, though no journal has room for it."""
    wait_until(lambda: any(f"kind={kind}" in node.log() for kind in kinds), f"an alarm of {kinds}", ALARM_S)
    with urllib.request.urlopen(f"http://{METRICS}/metrics", timeout=10) as answer:
        told = answer.read().decode()
    assert any(f'lamppost_alarm{{camera="",kind="{kind}",severity="alarm"}} 1.0' in told for kind in kinds), told


def assert_alarm_ended(node: Node, *kinds: str) -> None:
    """Once there was room, the books have it too."""
    with Index(DataFolder(node.data)) as index:
        events = [event for event in index.events() if event.kind in kinds]
    assert events
    assert all(event.end_us is not None for event in events)


def test_whole_data_folder(make_node: Callable[..., Node], small_disk: Callable[[Path, int], SmallDisk], tmp_path: Path) -> None:
    disk = small_disk(tmp_path / "disk", 24)
    node = make_node(data=disk.place / "data", settings=NO_RETENTION)
    start(node)
    disk.fill()
    await_alarm(node, "recording_failing", "journal_failing")
    keep_full(disk, node, 1.0)  # what was under way comes to its end
    mark = node.fragments("recorder")
    keep_full(disk, node, 4.0)
    assert node.fragments("recorder") <= mark + 1
    disk.make_room()
    assert node.await_fragments(2, timeout_s=RESUME_S) <= RESUME_S
    causes = check_account(node)
    assert causes[GapCause.STORE_FAILED.value] > 2_000_000
    assert_alarm_ended(node, "recording_failing", "journal_failing")


@pytest.mark.long
def test_what_a_full_disk_left_open_is_ended_when_there_is_room(
    make_node: Callable[..., Node], small_disk: Callable[[Path, int], SmallDisk], tmp_path: Path
) -> None:
    disk = small_disk(tmp_path / "disk", 24)
    node = make_node(data=disk.place / "data", settings=NO_RETENTION)
    start(node)
    disk.fill()
    let_pass(2.0)
    disk.make_room()
    node.await_fragments(2, timeout_s=RESUME_S)
    node.stop()
    node.check()


@pytest.mark.long
def test_index_only(make_node: Callable[..., Node], small_disk: Callable[[Path, int], SmallDisk]) -> None:
    node = make_node(settings=NO_RETENTION)
    disk = small_disk(node.data / "index", 2)
    start(node)
    disk.fill()
    node.await_fragments(4)  # recording never waits for the index
    assert node.is_running
    disk.make_room()
    node.await_fragments(2)
    causes = check_account(node)
    assert set(causes) <= {"starting", "stopped"}


@pytest.mark.long
def test_journal_only(make_node: Callable[..., Node], small_disk: Callable[[Path, int], SmallDisk]) -> None:
    node = make_node(settings=NO_RETENTION)
    disk = small_disk(node.data / "journal", 2)
    start(node)
    disk.fill()
    # The last page of a file takes some lines more.
    wait_until(lambda: "the journal" in node.log(), "the first refusal", 60)
    await_alarm(node, "recording_failing", "journal_failing")
    wait_until(lambda: _stands_still(node), "the end of recording", 60)
    assert node.is_running
    disk.make_room()
    node.await_fragments(2, timeout_s=RESUME_S)
    causes = check_account(node)
    assert causes[GapCause.STORE_FAILED.value] > 2_000_000


@pytest.mark.long
def test_vault_only(make_node: Callable[..., Node], small_disk: Callable[[Path, int], SmallDisk]) -> None:
    node = make_node(settings=NO_RETENTION, epoch_s=10)
    disk = small_disk(node.data / "vault", 2)
    start(node)
    disk.fill()
    node.await_fragments(6)  # the epoch that is sealed serves on
    wait_until(lambda: _stands_still(node), "the end of the last epoch", 60)
    await_alarm(node, "recording_failing")
    assert node.is_running
    disk.make_room()
    node.await_fragments(2, timeout_s=RESUME_S)
    causes = check_account(node)
    assert causes[GapCause.SEAL_UNAVAILABLE.value] > 0


@pytest.mark.long
def test_full_again_and_again(make_node: Callable[..., Node], small_disk: Callable[[Path, int], SmallDisk], tmp_path: Path) -> None:
    disk = small_disk(tmp_path / "disk", 48)
    node = make_node(data=disk.place / "data", settings=NO_RETENTION)
    start(node)
    for number in range(10):
        disk.fill()
        let_pass(0.3 * number, lambda: node.is_running, "the node lives on a full disk")
        disk.make_room()
        node.await_fragments(2, timeout_s=RESUME_S)
    check_account(node)


def _stands_still(node: Node) -> bool:
    mark = node.fragments("recorder")
    let_pass(4.0)
    return node.fragments("recorder") == mark
