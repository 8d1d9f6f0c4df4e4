"""One camera's counts and events, over all its runs: what is seen becomes records of the journal."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from lamppost.events.health import PictureHealth
from lamppost.events.scene import SceneNow
from lamppost.model.books import EventEnded, EventOpened, EventUpdated, JournalRecord, MinuteCounted
from lamppost.model.event_document import detail_of
from lamppost.model.happening import CountedMinute, EventChange, Phase
from lamppost.model.layout import DataFolder
from lamppost.model.rules import RuleBook
from lamppost.model.tallies import tally_to_json
from lamppost.model.vision import MaskedFrame
from lamppost.pipeline.pending import PendingRecords
from lamppost.pipeline.sight import Detector
from lamppost.pipeline.snapshots import SnapshotKeeper
from lamppost.pipeline.watching import Ledgers, StreetWatch

_MOST_PENDING: Final = 10_000


@dataclass(frozen=True, slots=True)
class CountingPlan:
    """How a camera is counted: by the rules of `book`, with the detector `model` (empty: what moves is counted), every `interval_s`."""

    book: RuleBook
    model: str
    interval_s: float


class CameraCounting:
    """Keeps the counts and the events of one camera in the journal.

    It lives as long as its camera's analysis. Minutes and events go over from one run to the next; a plan that differs
    ends the events of rules that are gone, and closes the minutes that are open. A crash loses the open minutes, which
    are unknown then, and leaves open events to recovery. Raises `StoreError` while the journal cannot be written; what
    was to be written is kept, within bounds, and written before anything else.
    """

    def __init__(
        self,
        camera: str,
        plan: CountingPlan,
        *,
        make_detector: Callable[[], Detector | None],
        journal: Callable[[JournalRecord], None],
        folder: DataFolder,
    ) -> None:
        self._camera = camera
        self._plan = plan
        self._make_detector = make_detector
        self._ledgers = Ledgers(plan.book)
        self._health = PictureHealth()
        self._watch: StreetWatch | None = None
        self._end_us = 0  # of the last picture
        self._pending = PendingRecords(journal)
        self.left_out = 0  # records that neither the journal nor memory had room for
        self._snapshots = SnapshotKeeper(camera, folder, journal)

    def begin_run(self, *, goes_on: bool = False) -> StreetWatch:
        """Who watches the run that begins; the same as before where it goes on with the one before. Raises `ConfigError`."""
        if self._watch is None or not goes_on:
            self._finish_watch()
            plan = self._plan
            self._watch = StreetWatch(
                plan.book,
                self._ledgers,
                self,
                detector=self._make_detector(),
                interval_s=plan.interval_s,
                health=self._health,
            )
        return self._watch

    def adopt(self, plan: CountingPlan, make_detector: Callable[[], Detector | None]) -> None:
        """Count by another plan from now on; the run that goes on is watched by it as well, unless the model changed."""
        if plan is self._plan:
            return  # asked with every packet
        if plan == self._plan:
            self._plan, self._make_detector = plan, make_detector
            return
        is_same_model = (plan.model, plan.interval_s) == (self._plan.model, self._plan.interval_s)
        if plan.book != self._plan.book:
            self._close_minutes()
            self.note_changes(self._ledgers.adopt(plan.book), 0)
        self._plan, self._make_detector = plan, make_detector
        if self._watch is not None and is_same_model:
            self._watch.adopt(plan.book)

    def end_run(self) -> None:
        """Nothing is seen until the next run begins."""
        self._finish_watch()

    def close(self) -> None:
        """Nothing is seen any more: open minutes are written as far as they were seen, and events end."""
        self._finish_watch()
        self.note_changes(self._health.close(self._end_us), 0)
        self._close_minutes()

    def note_masked(self, frame: MaskedFrame) -> None:
        """Take one outgoing frame into account, for snapshots."""
        self._end_us = frame.wall_us
        self._snapshots.note(frame)

    def note_scene(self, scene: SceneNow) -> None:
        """Nothing is kept of it."""

    def note_changes(self, changes: Sequence[EventChange], pts_90k: int) -> None:
        del pts_90k
        for change in changes:
            self._keep(self._record_of(change))
            if change.phase is Phase.START:
                self._snapshots.want(change.event_id, change.wall_us)
        self._pending.write()

    def note_minutes(self, minutes: Sequence[CountedMinute]) -> None:
        for minute in minutes:
            self._keep(
                MinuteCounted(
                    minute_id=secrets.token_hex(8),
                    camera=self._camera,
                    place_kind=minute.place_kind.value,
                    place=minute.place,
                    minute_us=minute.minute_us,
                    observed_ms=minute.observed_ms,
                    tallies=tuple(tally_to_json(tally) for tally in minute.tallies),
                )
            )
        self._pending.write()

    def _keep(self, record: JournalRecord) -> None:
        if len(self._pending) < _MOST_PENDING:
            self._pending.add(record)
        else:
            self.left_out += 1

    def _record_of(self, change: EventChange) -> JournalRecord:
        detail = detail_of(change)
        match change.phase:
            case Phase.START:
                return EventOpened(change.event_id, change.type.value, change.severity, self._camera, change.wall_us, detail)
            case Phase.UPDATE:
                return EventUpdated(change.event_id, change.wall_us, change.severity, detail)
            case Phase.END:
                return EventEnded(change.event_id, change.wall_us, detail)

    def _close_minutes(self) -> None:
        self.note_minutes(self._ledgers.minutes.flush())

    def _finish_watch(self) -> None:
        if self._watch is not None:
            self._watch.finish()
            self._watch = None
