"""Processes that stand still, die all at once, or find their index locked or broken: recording goes on, the account is exact."""

from __future__ import annotations

import json
import random
import sqlite3
from collections.abc import Callable

import pytest

from crash.node import Node, let_pass, wait_until
from numbered import check_numbers

PROCESSES = ("recorder", "analyst", "bookkeeper", "supervisor")


def start(node: Node) -> None:
    node.start()
    node.await_fragments(2)


def stand_still(node: Node, name: str, seconds: float) -> None:
    thaw = node.freeze(name)
    mark = node.fragments("recorder")
    let_pass(seconds)
    if name != "recorder":
        assert node.fragments("recorder") >= mark + int(seconds) - 2, f"recording does not wait for the {name}"
    thaw()
    node.await_fragments(3)


@pytest.mark.long
def test_everything_dies_at_once(make_node: Callable[..., Node]) -> None:
    node = make_node()
    start(node)
    for _ in range(2):
        node.await_fragments(1)
        node.kill_everything()
        start(node)
    node.stop()
    assert "recorder_died" in str(node.accounts()[node.camera]["gap_us_by_cause"])
    check_numbers(node, fps=10, is_one_count=False)


@pytest.mark.long
def test_a_repair_prints_nothing_but_json(make_node: Callable[..., Node]) -> None:
    node = make_node()
    start(node)
    node.kill_everything()
    done = node.run("check", "-c", str(node.config), "--repair", "--json", expect=None)
    assert json.loads(done.stdout)["is_clean"]


@pytest.mark.long
def test_each_process_stands_still_for_a_moment(make_node: Callable[..., Node]) -> None:
    node = make_node()
    start(node)
    for name in PROCESSES:
        stand_still(node, name, 3.0)
    node.stop()
    node.accounts()
    check_numbers(node, fps=10, is_one_count=False)


@pytest.mark.long
@pytest.mark.parametrize("name", PROCESSES)
def test_a_process_stands_still_for_ten_seconds(make_node: Callable[..., Node], name: str) -> None:
    node = make_node()
    start(node)
    stand_still(node, name, 10.0)
    node.stop()
    node.accounts()
    check_numbers(node, fps=10, is_one_count=False)


def lock_index(node: Node, seconds: float) -> None:
    """Another program holds the index for so long, as a backup tool or a person with a shell may."""
    wait_until((node.data / "index" / "index.db").exists, "an index")
    connection = sqlite3.connect(node.data / "index" / "index.db", timeout=20, isolation_level=None)
    try:
        connection.execute("BEGIN IMMEDIATE")
        mark = node.fragments("recorder")
        let_pass(seconds, lambda: node.is_running, "the node lives with a locked index")
        assert node.fragments("recorder") >= mark + int(seconds) - 2
        connection.execute("ROLLBACK")
    finally:
        connection.close()


@pytest.mark.long
@pytest.mark.parametrize("seconds", [6.0, 30.0])
def test_locked_index(make_node: Callable[..., Node], seconds: float) -> None:
    node = make_node()
    start(node)
    lock_index(node, seconds)
    node.await_fragments(2)
    node.stop()
    causes = node.accounts()[node.camera]["gap_us_by_cause"]
    assert isinstance(causes, dict)
    assert set(causes) <= {"starting", "stopped"}
    check_numbers(node, fps=10, is_one_count=False)


def test_broken_index(make_node: Callable[..., Node]) -> None:
    """Random bytes in the index: recording goes on, and the journals and files make a new one."""
    node = make_node()
    start(node)
    dice = random.Random(5)
    with (node.data / "index" / "index.db").open("r+b") as index:
        content = index.read()
        for _ in range(12):
            index.seek(dice.randrange(100, len(content)))
            index.write(dice.randbytes(400))
    node.await_fragments(6)  # recording does not know the index
    assert node.is_running
    assert node.process is not None
    node.process.terminate()
    node.process.wait(30)  # it may say that it cannot read its index
    node.run("check", "-c", str(node.config), "--repair", expect=None)
    account = node.accounts()[node.camera]
    assert check_numbers(node, fps=10, is_one_count=False).recorded == account["frames"]
