"""Whoever reads the index says plainly that there is none or that it is broken, changes nothing, and lets go of it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import insert, select

from lamppost.base.errors import StoreError
from lamppost.model.layout import DataFolder
from lamppost.store.act_pages import ActPages
from lamppost.store.counting import CountReader
from lamppost.store.event_pages import EventPages
from lamppost.store.footage import Footage
from lamppost.store.index import Index
from lamppost.store.index_file import make_index
from lamppost.store.index_reader import IndexReader
from lamppost.store.outbox_view import OutboxView
from lamppost.store.schema import CAMERAS

READERS = (ActPages, CountReader, EventPages, Footage, Index, OutboxView)
every_reader = pytest.mark.parametrize("reader", READERS)


@every_reader
def test_no_index_is_told_with_a_remedy(reader: type[IndexReader], tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="there is no index in") as told:
        reader(DataFolder(tmp_path))
    assert told.value.remedy
    assert not any(tmp_path.iterdir()), "and none is made"


@every_reader
def test_a_broken_index_is_one_plain_line(reader: type[IndexReader], tmp_path: Path) -> None:
    folder = DataFolder(tmp_path)
    folder.index.parent.mkdir(parents=True)
    folder.index.write_bytes(b"no database " * 1000)
    with reader(folder) as index, pytest.raises(StoreError) as told:
        index._all(select(CAMERAS))
    assert str(told.value).startswith(f"cannot read the {reader.subject}: ")
    assert "\n" not in str(told.value)


@every_reader
def test_many_threads_read_and_none_writes(reader: type[IndexReader], tmp_path: Path) -> None:
    folder = DataFolder(tmp_path)
    writer = make_index(folder.index)
    with writer.begin() as connection:
        connection.execute(insert(CAMERAS).values(camera="plaza"))
    with reader(folder) as index:
        with ThreadPoolExecutor(4) as threads:
            found = list(threads.map(lambda _: index._all(select(CAMERAS)), range(20)))
        assert {row.camera for rows in found for row in rows} == {"plaza"}
        with pytest.raises(StoreError, match="readonly"):
            index._all(insert(CAMERAS).values(camera="gate"))  # type: ignore[arg-type]
    writer.dispose()
