"""A served node for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from served_node import ServedNode


@pytest.fixture
def served(tmp_path: Path) -> Iterator[ServedNode]:
    node = ServedNode.make(tmp_path / "data")
    yield node
    node.close()
