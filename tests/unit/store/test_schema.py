"""The schema is commented, constrained and portable; migrations make exactly it."""

import sqlite3
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import insert, inspect, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.schema import CreateIndex, CreateTable

from lamppost.base.errors import StoreError
from lamppost.store.index_file import make_index, migrate, open_engine
from lamppost.store.schema import CAMERAS, GAPS, METADATA, SEGMENTS


def test_everything_is_commented() -> None:
    for table in METADATA.sorted_tables:
        assert table.comment, table.name
        for column in table.columns:
            assert column.comment, f"{table.name}.{column.name}"


def test_the_file_explains_itself(tmp_path: Path) -> None:
    make_index(tmp_path / "index.db").dispose()
    connection = sqlite3.connect(tmp_path / "index.db")
    try:
        ddl = "\n".join(row[0] for row in connection.execute("SELECT sql FROM sqlite_master WHERE type = 'table'"))
    finally:
        connection.close()
    for table in METADATA.sorted_tables:
        for column in table.columns:
            assert f"/* {column.comment} */" in ddl


def test_postgresql_can_have_it() -> None:
    dialect = postgresql.dialect()
    for table in METADATA.sorted_tables:
        ddl = str(CreateTable(table).compile(dialect=dialect))
        assert f"CREATE TABLE {table.name}" in ddl
        assert "SERIAL" not in ddl
        for index in table.indexes:
            assert len(str(index.name)) < 63
            CreateIndex(index).compile(dialect=dialect)


def test_migrations_make_exactly_the_schema(tmp_path: Path) -> None:
    engine = make_index(tmp_path / "index" / "index.db")
    try:
        with engine.connect() as connection:
            context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
            assert compare_metadata(context, METADATA) == []
            # Autogenerate does not look at checks and names; the DDL does.
            made = dict(connection.execute(text("SELECT name, sql FROM sqlite_master WHERE type = 'table'")).all())
        for table in METADATA.sorted_tables:
            assert _constraints(made[table.name]) == _constraints(str(CreateTable(table).compile(engine)))
    finally:
        engine.dispose()


def _constraints(ddl: str) -> set[str]:
    # A column that was added later stands in the line of the one before it.
    lines = ddl.strip().replace("*/, ", "*/,\n").splitlines()
    return {" ".join(line.strip(" ,\t").split()) for line in lines[1:] if line.strip(" )")}


def test_the_index_is_durable_and_checked(tmp_path: Path) -> None:
    engine = make_index(tmp_path / "index.db")
    try:
        with engine.connect() as connection:
            pragmas = {
                name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("journal_mode", "synchronous", "foreign_keys")
            }
            assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
        with pytest.raises(IntegrityError), engine.begin() as connection:
            connection.execute(insert(GAPS).values(gap_id="g", camera="nobody", cause="c", start_us=0, detail="", opened_in=""))
        with engine.begin() as connection:
            connection.execute(insert(CAMERAS).values(camera="plaza"))
        with pytest.raises(IntegrityError, match="span"), engine.begin() as connection:
            connection.execute(insert(GAPS).values(gap_id="g", camera="plaza", cause="c", start_us=9, end_us=8, detail="", opened_in=""))
    finally:
        engine.dispose()


def test_a_reader_cannot_write(tmp_path: Path) -> None:
    make_index(tmp_path / "index.db").dispose()
    reader = open_engine(tmp_path / "index.db")
    try:
        with pytest.raises(OperationalError, match="readonly"), reader.begin() as connection:
            connection.execute(insert(CAMERAS).values(camera="plaza"))
    finally:
        reader.dispose()


def test_migrating_twice_changes_nothing(tmp_path: Path) -> None:
    engine = make_index(tmp_path / "index.db")
    try:
        before = inspect(engine).get_table_names()
        migrate(engine)
        assert inspect(engine).get_table_names() == before
        assert {table.name for table in METADATA.sorted_tables} < set(before)
    finally:
        engine.dispose()


def test_an_index_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    make_index(tmp_path / "index.db").dispose()
    with sqlite3.connect(tmp_path / "index.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    with pytest.raises(StoreError, match="newer version"):
        make_index(tmp_path / "index.db")


def test_a_failed_migration_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = open_engine(tmp_path / "index.db", is_writer=True)
    real = Operations.create_index
    made = []

    def create_index(self: Operations, *args: object, **kwargs: object) -> None:
        made.append(args)
        if len(made) == 3:
            raise sqlite3.OperationalError("disk I/O error")
        real(self, *args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(Operations, "create_index", create_index)
    try:
        with pytest.raises(StoreError, match="disk I/O error"):
            migrate(engine)
        assert inspect(engine).get_table_names() == []
        monkeypatch.undo()
        migrate(engine)
        assert SEGMENTS.name in inspect(engine).get_table_names()
    finally:
        engine.dispose()


def test_a_file_that_is_no_index_is_told(tmp_path: Path) -> None:
    (tmp_path / "index.db").write_bytes(b"this is not a database, it is a letter" * 100)
    with pytest.raises(StoreError, match="not a database"):
        make_index(tmp_path / "index.db")
