"""Connections to the index, and its schema brought up to this version.

SQLite keeps a write-ahead log and syncs it at each commit, so that a committed
transaction survives a power loss and readers never wait for the bookkeeper.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Generator
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import QueuePool

from lamppost.base.durable import make_directory
from lamppost.base.errors import StoreError
from lamppost.model.layout import DataFolder

BUSY_TIMEOUT_S: Final = 5.0
MIGRATIONS: Final = Path(__file__).with_name("migrations")


def open_engine(path: Path, *, is_writer: bool = False, by_statement: bool = False) -> Engine:
    """An engine for the index at `path`; the caller disposes of it.

    Only the writer may change anything; a reader's connections are read-only.
    Each transaction of the writer takes the write lock when it begins. With
    `by_statement` none is begun: each statement sees what is there at that moment.
    """
    mode = "rwc" if is_writer else "ro"
    address = f"file:{quote(str(path.absolute()))}?mode={mode}"

    def connect() -> sqlite3.Connection:
        # No isolation level: SQLAlchemy's events begin transactions, which Python would not do for DDL.
        return sqlite3.connect(address, uri=True, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False)

    engine = create_engine("sqlite://", creator=connect, poolclass=QueuePool, pool_size=2, max_overflow=6)

    def set_up(connection: Any, _record: object) -> None:
        pragmas = ["foreign_keys = ON", f"busy_timeout = {round(BUSY_TIMEOUT_S * 1000)}"]
        if is_writer:
            pragmas += ["journal_mode = WAL", "synchronous = FULL"]
        for pragma in pragmas:
            connection.execute(f"PRAGMA {pragma}").close()

    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if is_writer else "BEGIN")

    event.listen(engine, "connect", set_up)
    if not by_statement:
        event.listen(engine, "begin", begin)
    return engine


def migrate(engine: Engine, *, may_upgrade: bool = True) -> None:
    """Bring the schema up to this version, all of it or nothing; raises `StoreError`.

    Without `may_upgrade`, an older one that is filled is refused: it is upgraded after a backup, and by nobody in passing.
    """
    config, script = _scripts()
    with index_errors("migrate the index"), engine.begin() as connection:
        heads = set(MigrationContext.configure(connection).get_current_heads())
        _refuse_newer(heads, script)
        if heads != set(script.get_heads()):
            if heads and not may_upgrade:
                raise StoreError("the index was written by an older version of Lamppost", remedy="run `lamppost upgrade`")
            config.attributes["connection"] = connection
            command.upgrade(config, "head")


def newest_revision() -> str:
    """The schema that this version writes."""
    return str(_scripts()[1].get_current_head())


def revision_of(path: Path) -> str:
    """The schema of the index at `path`, empty when it has none yet; raises `StoreError` when a newer version wrote it."""
    engine = open_engine(path)
    try:
        with index_errors("read the index"), engine.connect() as connection:
            heads = set(MigrationContext.configure(connection).get_current_heads())
    finally:
        engine.dispose()
    _refuse_newer(heads, _scripts()[1])
    return min(heads, default="")


def _scripts() -> tuple[Config, ScriptDirectory]:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return config, ScriptDirectory.from_config(config)


def _refuse_newer(heads: set[str], script: ScriptDirectory) -> None:
    if heads - {revision.revision for revision in script.walk_revisions()}:
        raise StoreError("the index was written by a newer version of Lamppost", remedy="install that version")


def make_index(path: Path) -> Engine:
    """The writer's engine on the index at `path`, made where there is none; raises `StoreError` for one of another version."""
    make_directory(path.parent)
    engine = open_engine(path, is_writer=True)
    try:
        migrate(engine, may_upgrade=False)
    except BaseException:
        engine.dispose()
        raise
    return engine


def upgrade_index(path: Path) -> None:
    """Bring the index at `path`, which nobody has open, up to this version; raises `StoreError`."""
    engine = open_engine(path, is_writer=True)
    try:
        migrate(engine)
    finally:
        engine.dispose()


def open_reader(folder: DataFolder, remedy: str, *, by_statement: bool = False) -> Engine:
    """A reader's engine on the index of `folder`; raises `StoreError`, with `remedy`, where there is none."""
    if not folder.index.is_file():
        raise StoreError(f"there is no index in {folder.root}", remedy=remedy)
    return open_engine(folder.index, by_statement=by_statement)


@contextlib.contextmanager
def index_errors(what: str) -> Generator[None]:
    """Turn the library's errors into `StoreError: cannot WHAT`."""
    try:
        yield
    except (SQLAlchemyError, sqlite3.Error) as error:
        cause = error.__cause__ or error
        raise StoreError(f"cannot {what}: {cause}", remedy="look at the disk, and run `lamppost check`") from error
