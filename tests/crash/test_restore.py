"""A real node is backed up while it runs, loses its index, and is restored: everything it recorded opens."""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Iterator
from pathlib import Path

import av
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from node import Node, wait_until

from lamppost.ingest.strip import read_frame_number

URL = "sim://plaza?seed=3&people=3&vehicles=1&width=640&height=360&fps=10"


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    node = Node(tmp_path, URL)
    yield node
    node.kill_everything()


def scribble(path: Path) -> None:
    """Random bytes in the middle of the database; its log, which could mend it, is gone."""
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle - 20_000 : middle + 20_000] = random.Random(1).randbytes(40_000)
    path.write_bytes(content)


def frames_of(path: Path) -> list[int | None]:
    with av.open(str(path)) as container:
        return [read_frame_number(frame.to_ndarray(format="gray")) for frame in container.decode(video=0)]


def test_a_corrupted_index_costs_no_footage(node: Node) -> None:
    node.start()
    wait_until(lambda: node.fragments("recorder") >= 4, "fragments before the backup")
    made = json.loads(node.run("backup", "create", "-c", str(node.config), "--json", "books.tar").stdout)
    mark = node.fragments("recorder")
    wait_until(lambda: node.fragments("recorder") >= mark + 8, "fragments after the backup")
    node.stop()
    before = node.check()
    scribble(node.data / "index" / "index.db")
    node.run("check", "-c", str(node.config), expect=1)
    restored = json.loads(node.run("backup", "restore", "-c", str(node.config), "--json", made["path"]).stdout)
    assert restored["is_clean"]
    after = node.check()
    for name in ("segments", "fragments", "epochs", "shares", "gaps", "covers"):
        assert after["counts"][name] == before["counts"][name], name  # type: ignore[index]
    keys = [str(node.folder / "custodians-TRIAL" / f"custodian-{number}.key") for number in (1, 3)]
    node.run("release", "open", "-c", str(node.config), "--key", keys[0], "--key", keys[1], "--camera", "plaza",
             "--from", "2020-01-01T00:00:00Z", "--to", "2100-01-01T00:00:00Z", "opened")  # fmt: skip
    numbers = [number for path in sorted((node.folder / "opened").glob("*.mp4")) for number in frames_of(path)]
    assert numbers == list(range(numbers[0] or 0, (numbers[0] or 0) + len(numbers)))
    assert len(numbers) >= 100
