"""The index's writer as others see it: a query, or a transaction that is whole or not at all."""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Sequence
from typing import Any

from sqlalchemy import Connection, Engine

from lamppost.store.index_file import index_errors


class Transactions:
    """Reads, and writes with the engine of the one writer; raises `StoreError`."""

    def __init__(self, writer: Engine, reader: Engine) -> None:
        self._writer = writer
        self._reader = reader

    def read(self, query: Any) -> Sequence[Any]:
        """All rows of a select; no lock is taken for it."""
        with index_errors("read the index"), self._reader.connect() as connection:
            return connection.execute(query).all()

    @contextlib.contextmanager
    def write(self) -> Generator[Connection]:
        """A transaction; what it did is durable when it ends, and undone where it raises."""
        with index_errors("write the index"), self._writer.begin() as connection:
            yield connection
