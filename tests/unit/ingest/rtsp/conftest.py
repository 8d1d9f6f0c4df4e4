"""A viewer that is closed with its test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from scripted_camera import Viewer


@pytest.fixture
def viewer() -> Iterator[Viewer]:
    one = Viewer()
    yield one
    one.close()
