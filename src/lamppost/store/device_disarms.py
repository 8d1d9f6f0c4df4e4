"""Disarms in the device book: each is there before its first step is done, and says after a crash how far it came."""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import Any, Final

from sqlalchemy import insert, select, update

from lamppost.base.errors import StoreError
from lamppost.model.disarming import Disarm, DisarmState, DisarmStep
from lamppost.store.book_file import BookFile, First, nothing
from lamppost.store.device_tables import DISARMS
from lamppost.store.device_words import from_json, to_json, word

_STEPS: Final = ("steps", "rollback_steps")
_WORDS: Final = tuple(field.name for field in fields(Disarm) if field.name not in (*_STEPS, "state", "problems", "at_us", "rolled_back_us"))


class DeviceDisarms(BookFile):
    """The part of the device book that has the disarms; see `device_book.DeviceBook`."""

    def add_disarm(self, disarm: Disarm, *, first: First = nothing) -> None:
        with self._write("keep a disarm") as connection:
            connection.execute(insert(DISARMS).values(_row(disarm)))
            first()

    def update_disarm(self, disarm: Disarm, *, first: First = nothing) -> None:
        """Raises `StoreError` where there is none of that id."""
        with self._write("change a disarm") as connection:
            changed = connection.execute(update(DISARMS).where(DISARMS.c.disarm_id == disarm.disarm_id).values(_row(disarm)))
            if changed.rowcount != 1:
                raise StoreError(f"there is no disarm {disarm.disarm_id}", remedy="begin it anew")
            first()

    def disarm(self, disarm_id: str) -> Disarm | None:
        rows = self._all(select(DISARMS).where(DISARMS.c.disarm_id == disarm_id))
        return _disarm(rows[0]) if rows else None

    def disarms(self, camera: str, *, limit: int = 200) -> tuple[Disarm, ...]:
        """Those of a camera, the newest first."""
        query = select(DISARMS).where(DISARMS.c.camera == camera).order_by(DISARMS.c.at_us.desc(), DISARMS.c.disarm_id.desc())
        return tuple(_disarm(row) for row in self._all(query.limit(limit)))


def _row(disarm: Disarm) -> dict[str, Any]:
    return {
        **{name: word(getattr(disarm, name)) for name in _WORDS},
        **{name: to_json([_plain(step) for step in getattr(disarm, name)]) for name in _STEPS},
        "state": disarm.state.value,
        "problems": to_json([word(problem) for problem in disarm.problems]),
        "at_us": disarm.at_us,
        "rolled_back_us": disarm.rolled_back_us,
    }


def _plain(step: DisarmStep) -> dict[str, Any]:
    return {key: word(value) if isinstance(value, str) else value for key, value in asdict(step).items()}


def _disarm(row: Any) -> Disarm:
    try:
        steps: dict[str, Any] = {name: tuple(DisarmStep(**step) for step in from_json(getattr(row, name), "a disarm")) for name in _STEPS}
    except TypeError as error:
        raise StoreError("a disarm in the device book cannot be read", remedy="put the device book back from a backup") from error
    return Disarm(
        **{name: getattr(row, name) for name in _WORDS},
        **steps,
        state=DisarmState(row.state),
        problems=tuple(from_json(row.problems, "a disarm")),
        at_us=row.at_us,
        rolled_back_us=row.rolled_back_us,
    )
