"""A served node for each test, and a furnished one for all tests of a file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from configured_node import ConfiguredNode
from furnished_node import FurnishedNode
from lamppost.base.errors import CameraUnreachable
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


@pytest.fixture(scope="module")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FurnishedNode]:
    """A node with everything of two cameras, that asks nothing of the network."""

    def nobody(*_: object, **__: object) -> None:
        raise CameraUnreachable("no camera answers there")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("lamppost.api.camera_tests.probe_stream", nobody)
        patch.setattr("lamppost.api.notifications.send_test", lambda *_, **__: None)
        with FurnishedNode.furnished(tmp_path_factory.mktemp("furnished")) as node:
            yield node
