"""An index of before knows after its upgrade what was acknowledged, and can go back."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from sqlalchemy import text

from lamppost.model.layout import DataFolder
from lamppost.store import index_file
from lamppost.store.event_pages import EventPages
from lamppost.store.event_search import EventFilter
from lamppost.store.index_file import open_engine, upgrade_index

EVENTS = "INSERT INTO events (event_id, kind, severity, start_us, detail, opened_in) VALUES (:id, 'k', 'info', 1, '{}', '-')"
NOTES = "INSERT INTO event_notes VALUES (:id, :event, :kind, :at, 'anna', '', 0)"


def test_what_was_acknowledged_before_is_found_after(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path)
    folder.index.parent.mkdir(parents=True)
    config, _script = index_file._scripts()
    engine = open_engine(folder.index, is_writer=True)
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0006")
        connection.execute(text(EVENTS), [{"id": name} for name in ("both", "comment", "nothing")])
        notes = (
            ("1", "both", "acknowledged", 9),
            ("2", "both", "acknowledged", 5),
            ("3", "comment", "comment", 5),
            ("4", "gone", "acknowledged", 5),
        )
        connection.execute(text(NOTES), [dict(zip(("id", "event", "kind", "at"), note, strict=True)) for note in notes])
    upgrade_index(folder.index)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT acknowledged_us FROM events WHERE event_id = 'both'")).scalar() == 5, "the first counts"
    with EventPages(folder) as pages:
        assert [each.row.event_id for each in pages.page(EventFilter(state="acknowledged"), limit=9).events] == ["both"]
        found = pages.page(EventFilter(state="unacknowledged"), limit=9).events
        assert {each.row.event_id for each in found} == {"comment", "nothing"}
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "0006")
        assert connection.execute(text("SELECT count(*) FROM event_notes")).scalar() == 4
        assert "acknowledged_us" not in {row[1] for row in connection.exec_driver_sql("PRAGMA table_info(events)")}
    engine.dispose()
