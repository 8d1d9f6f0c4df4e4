"""What retention has deleted, so that an opening can say so and not just find nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from lamppost.base.clock import format_utc
from lamppost.base.errors import ShareMismatch
from lamppost.model.books import Rendition
from lamppost.model.layout import DataFolder
from lamppost.store.index import Index


@dataclass(frozen=True, slots=True)
class Past:
    """The index of a data folder, as far as there is one: a copy that was carried elsewhere may have none."""

    folder: DataFolder | None

    @classmethod
    def read(cls, folder: DataFolder) -> Self:
        return cls(folder if folder.index.is_file() else None)

    def forgotten(self, camera: str, from_us: int, to_us: int) -> tuple[tuple[int, int], ...]:
        """The parts of the interval whose originals were deleted."""
        if self.folder is None:
            return ()
        with Index(self.folder) as index:
            rows = index.forgotten(camera, Rendition.SEALED, from_us, to_us)
        return tuple((max(row.start_us, from_us), min(row.end_us, to_us)) for row in rows)

    def refuse_destroyed(self, camera: str, epoch_id: str) -> None:
        """Raise `ShareMismatch` for an epoch whose shares were destroyed."""
        if self.folder is None:
            return
        with Index(self.folder) as index:
            destroyed_us = index.destroyed_us(epoch_id)
        if destroyed_us is not None:
            raise ShareMismatch(
                f"camera {camera}: epoch {epoch_id} was destroyed at {format_utc(destroyed_us)}, when its time was over",
                remedy="its shares are gone: nobody can open what was sealed to it, nor any copy",
            )
