"""The index's writer as others see it: a query, or a transaction that is whole or not at all."""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Engine

from lamppost.store.index_file import index_errors


class Transactions:
    """Reads, and writes with the engine of the one writer, in one thread; raises `StoreError`.

    `reader` begins no transactions: a pass of retention reads hundreds of times,
    and one around each statement would cost more than the statement.
    """

    def __init__(self, writer: Engine, reader: Engine) -> None:
        self._writer = writer
        with index_errors("read the index"):
            self._reading = reader.connect()

    def close(self) -> None:
        self._reading.close()

    def read(self, query: Any, values: Mapping[str, Any] | None = None) -> Sequence[Any]:
        """All rows of a select, with `values` for what it leaves open; no lock is taken for it."""
        with index_errors("read the index"):
            return self._reading.execute(query, values or {}).all()

    @contextlib.contextmanager
    def write(self) -> Generator[Connection]:
        """A transaction; what it did is durable when it ends, and undone where it raises."""
        with index_errors("write the index"), self._writer.begin() as connection:
            yield connection
