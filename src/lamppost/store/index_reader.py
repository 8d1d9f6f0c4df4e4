"""What everybody who reads the index has in common: it is opened, asked and closed in one place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Self

from sqlalchemy import Select

from lamppost.model.layout import DataFolder
from lamppost.store.index_file import index_errors, open_reader


class IndexReader:
    """Reads the index of a data folder, from any thread, beside the one who writes it; a context manager.

    It can change nothing, and blocks nobody. Raises `StoreError` when there is no index, or when it cannot be read.
    """

    remedy: ClassVar[str] = "it is made when Lamppost runs"  # where there is no index
    subject: ClassVar[str] = "index"  # what cannot be read, in the words of who asked
    by_statement: ClassVar[bool] = True  # each statement sees what is there at that moment

    def __init__(self, folder: DataFolder) -> None:
        self._engine = open_reader(folder, self.remedy, by_statement=self.by_statement)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._engine.dispose()

    def _all(self, query: Select[*tuple[Any, ...]], **values: Any) -> Sequence[Any]:
        """All rows of the answer; `values` are those of the query's parameters."""
        with index_errors(f"read the {self.subject}"), self._engine.connect() as connection:
            return connection.execute(query, values).all()
