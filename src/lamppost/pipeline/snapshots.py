"""A masked picture of each event, of the moment at which it began."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from lamppost.base.durable import make_directory, write_durable
from lamppost.base.errors import LamppostError
from lamppost.base.logging import get_logger
from lamppost.mask.stills import encode_frame
from lamppost.model.books import JournalRecord, SnapshotTaken
from lamppost.model.layout import DataFolder
from lamppost.model.vision import MaskedFrame

_MOST_WANTED: Final = 32
_PATIENCE_US: Final = 5_000_000  # of an event whose moment no masked frame reaches


@dataclass(frozen=True, slots=True)
class _Wanted:
    event_id: str
    wall_us: int


class SnapshotKeeper:
    """Writes a picture for each event that asks for one, from the masked frames of its camera as they leave.

    The file is durable before the journal names it. An event without a picture is still an event: a
    full disk, or a moment that was never masked, leaves it out, and says so once.
    """

    def __init__(self, camera: str, folder: DataFolder, journal: Callable[[JournalRecord], None]) -> None:
        self._camera = camera
        self._folder = folder
        self._journal = journal
        self._wanted: deque[_Wanted] = deque(maxlen=_MOST_WANTED)
        self._told = ""

    def want(self, event_id: str, wall_us: int) -> None:
        """A picture of the moment `wall_us`, please; with too many at once, the oldest goes without."""
        self._wanted.append(_Wanted(event_id, wall_us))

    def note(self, frame: MaskedFrame) -> None:
        """Take one outgoing frame into account; frames come in order of time."""
        if not self._wanted or frame.wall_us < self._wanted[0].wall_us:
            return
        due = [wanted for wanted in self._wanted if wanted.wall_us <= frame.wall_us]
        self._wanted = deque((wanted for wanted in self._wanted if wanted.wall_us > frame.wall_us), maxlen=_MOST_WANTED)
        fresh = [wanted for wanted in due if frame.wall_us - wanted.wall_us <= _PATIENCE_US]
        if fresh:
            self._take(frame, fresh)

    def _take(self, frame: MaskedFrame, wanted: list[_Wanted]) -> None:
        try:
            picture = encode_frame(frame, ".jpg")
            for each in wanted:
                path = self._folder.snapshot(self._camera, each.event_id, each.wall_us)
                make_directory(path.parent)
                write_durable(path, picture)
                digest = hashlib.sha256(picture).hexdigest()
                relative = self._folder.relative(path)
                self._journal(SnapshotTaken(each.event_id, self._camera, relative, frame.wall_us, len(picture), digest))
            self._told = ""
        except LamppostError as error:
            if str(error) != self._told:
                get_logger("events").error("no snapshot of an event", camera=self._camera, problem=str(error))
            self._told = str(error)
