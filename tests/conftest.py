"""Fixtures that every floor uses."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

# How long an example takes says something of the machine that day, and nothing of the code.
settings.register_profile("lamppost", deadline=None)
settings.load_profile("lamppost")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real clips, streams and models; skips where it is absent."""
    folder = Path(os.environ.get("LAMPPOST_TEST_DATA") or Path(__file__).parents[2] / "shared" / "data")
    if not folder.is_dir():
        pytest.skip(f"real test material is absent: {folder} (set LAMPPOST_TEST_DATA)")
    return folder
