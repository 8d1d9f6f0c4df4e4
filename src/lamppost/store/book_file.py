"""A SQLite database of its own, beside the index: several processes write it, each in transactions that are whole or not at all."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Generator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, Self

from sqlalchemy import Connection, MetaData

from lamppost.base.durable import make_directory
from lamppost.base.errors import StoreError
from lamppost.store.index_file import index_errors, open_engine

NO_UPGRADES: Final[Mapping[int, Callable[[Connection], None]]] = MappingProxyType({})

First = Callable[[], object]
"""Called when a change is sure to be possible and before it is: what puts it on the record. Where it raises, nothing changes."""


def nothing() -> None:
    """For changes that are on the record already, or on none."""


def give_to_owner_of(folder: Path, *paths: Path) -> None:
    """Where root has made `paths`, they belong to whom `folder` belongs to; raises `OSError`."""
    if os.geteuid() == 0:
        status = folder.stat()
        for path in paths:
            os.chown(path, status.st_uid, status.st_gid)


class BookFile:
    """The database at `path`, made where there is none, for its owner alone; many threads may share it. Raises `StoreError`.

    `what` names it in what is told; one of a newer `version` is refused, and one of an older is brought up by `upgrades`, each of which
    makes the next version of the one it stands for.
    """

    def __init__(
        self, path: Path, metadata: MetaData, version: int, what: str, *, upgrades: Mapping[int, Callable[[Connection], None]] = NO_UPGRADES
    ) -> None:
        self._path, self._what = path, what
        self._upgrades = upgrades
        make_directory(path.parent)
        with self._errors("open"):
            os.chmod(path.parent, 0o700)
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
            # Made by a command that root gives: it is the server's all the same. SQLite does so with its logs.
            give_to_owner_of(path.parent.parent, path.parent, path)
        self._writer = open_engine(path, is_writer=True)
        self._reader = open_engine(path, by_statement=True)
        # SQLite has one writer: threads that wait here wait in order, and not by polling the file.
        self._mutex = threading.Lock()
        try:
            self._settle(metadata, version)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._writer.dispose()
        self._reader.dispose()

    def _settle(self, metadata: MetaData, version: int) -> None:
        # Who only opens it waits for nobody who writes.
        with self._errors("open"), self._reader.connect() as connection:
            if int(connection.exec_driver_sql("PRAGMA user_version").scalar_one()) == version:
                return
        with self._write("set up") as connection:
            found = int(connection.exec_driver_sql("PRAGMA user_version").scalar_one())
            if found > version:
                raise StoreError(f"{self._path} was written by a newer version of Lamppost", remedy="install that version")
            if found == version:
                return
            if not found:
                metadata.create_all(connection)
            else:
                for older in range(found, version):
                    self._upgrades[older](connection)
            connection.exec_driver_sql(f"PRAGMA user_version = {version}")

    def _all(self, query: Any) -> Sequence[Any]:
        with self._errors("read"), self._reader.connect() as connection:
            return connection.execute(query).all()

    @contextlib.contextmanager
    def _write(self, what: str) -> Generator[Connection]:
        with self._mutex, index_errors(f"{what} in {self._what}"), self._writer.begin() as connection:
            yield connection

    @contextlib.contextmanager
    def _errors(self, verb: str) -> Generator[None]:
        with index_errors(f"{verb} {self._what}"):
            try:
                yield
            except OSError as error:
                remedy = "may Lamppost's user write the data folder?"
                raise StoreError(f"cannot {verb} {self._what}: {error.strerror}", remedy=remedy) from error
