"""A served node for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from configured_node import ConfiguredNode
from served_node import ServedNode


@pytest.fixture
def served(tmp_path: Path) -> Iterator[ServedNode]:
    node = ServedNode.make(tmp_path / "data")
    yield node
    node.close()


@pytest.fixture
def configured(tmp_path: Path) -> Iterator[ConfiguredNode]:
    """A served node with a configuration file."""
    node = ConfiguredNode.configured(tmp_path)
    yield node
    node.close()
