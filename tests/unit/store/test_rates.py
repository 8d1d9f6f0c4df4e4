"""Bytes a second of each camera come from what it recorded lately."""

from __future__ import annotations

from pathlib import Path

import pytest

from lamppost.base.clock import ManualClock
from lamppost.model.books import Rendition
from lamppost.model.layout import DataFolder
from lamppost.store.bookkeeping import Bookkeeper
from lamppost.store.journal import JournalWriter
from lamppost.store.rates import camera_rates
from street_books import Street


def test_without_an_index_nothing_is_known(tmp_path: Path) -> None:
    assert camera_rates(DataFolder(tmp_path)) == {}


def test_recent_footage_counts_and_too_little_says_nothing(tmp_path: Path) -> None:
    folder, clock = DataFolder(tmp_path / "data"), ManualClock()
    with JournalWriter(folder.journal / "recorder", clock=clock) as journal:
        street = Street(folder, journal, clock)
        old = street.record(200)
        clock.advance(10 * 86_400)
        recent = [street.record(45) for _ in range(2)]
        Street(folder, journal, clock, camera="yard").record(5)
    with Bookkeeper(folder, clock) as bookkeeper:
        bookkeeper.apply_new()
    rates = camera_rates(folder)
    size = sum(closed.size_bytes for closed in recent)
    plaza = rates["plaza", Rendition.SEALED]
    assert plaza.stored_bytes == size + old.size_bytes
    assert plaza.bytes_per_s == pytest.approx(size / 90, rel=0.01)
    assert rates["yard", Rendition.SEALED].bytes_per_s is None
