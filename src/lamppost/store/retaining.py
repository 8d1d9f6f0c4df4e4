"""Retention's passes: what is due is forgotten a little at a time, so that no journal waits for it.

A pass first applies every journal: only then are the holds known without which
nothing can be chosen.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from sqlalchemy import select

from lamppost.base.clock import US_PER_S, Clock
from lamppost.base.errors import StoreError
from lamppost.base.ids import compact_utc
from lamppost.base.logging import get_logger
from lamppost.model.books import Rendition
from lamppost.model.layout import DataFolder
from lamppost.store.ageing import Ageing
from lamppost.store.bookkeeping import Bookkeeper
from lamppost.store.forgetting import SWEEP_LIMIT, Epoch, Forgetting, Going, kept_counts
from lamppost.store.reserve import RESERVE_BYTES, Reserve
from lamppost.store.retention import US_PER_DAY, Choice, Footage, RetentionLimits, Situation, choose, whole_epochs
from lamppost.store.schema import EPOCHS
from lamppost.store.shelves import HeldBytes, KnownHolds, Shelves
from lamppost.store.vault import Vault

PASS_PATIENCE_S: Final = 0.5  # journals are applied between two passes
FOLDERS_INTERVAL_S: Final = 3600.0
UNUSED_LIMIT: Final = 100


@dataclass(frozen=True, slots=True)
class RetentionStatus:
    """How retention stands; counted since the start of the process.

    `stuck_by_holds` says that the disk lacks room, and that all that could make
    some is held: recording must stop.
    """

    forgotten_segments: int = 0
    forgotten_bytes: int = 0
    free_bytes: int = 0
    held_bytes: int = 0
    stuck_by_holds: bool = False
    problem: str = ""

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


class Retention:
    """Forgets what is due in a data folder, with the index of `bookkeeper`.

    `limits` may be replaced at any time; the next pass goes by them.
    """

    def __init__(
        self,
        folder: DataFolder,
        bookkeeper: Bookkeeper,
        clock: Clock,
        limits: RetentionLimits,
        *,
        vault: Vault | None = None,
        free_bytes: Callable[[Path], int] | None = None,
        step: Callable[[str], None] | None = None,
    ) -> None:
        self.limits = limits
        self.status = RetentionStatus()
        self._folder = folder
        self._bookkeeper = bookkeeper
        self._clock = clock
        self._free_bytes = free_bytes or _free_bytes
        self._forgetting = Forgetting(folder, bookkeeper.transactions, clock, vault=vault, step=step)
        self._ageing = Ageing(folder, bookkeeper.transactions, clock)
        self._reserve = Reserve(folder)
        self._held = HeldBytes()
        self._cameras: list[str] = []  # whose vault is still to be looked at in this round
        self._folders_at_s = clock.monotonic_s()
        self._log = get_logger("store")

    def run_pass(self) -> bool:
        """Forget some of what is due; true where more may be due at once. Trouble is told once, and tried again with the next pass."""
        is_behind, problem = False, ""
        try:
            is_behind, problem = self._pass()
        except StoreError as error:
            problem = str(error)
            if self.status.free_bytes < max(RESERVE_BYTES, self.limits.keep_free_bytes):
                self._reserve.release()  # the index needs a little room to book what makes more
        if problem and problem != self.status.problem:
            self._log.error("retention", problem=problem)
        forgetting = self._forgetting
        self.status = replace(
            self.status,
            forgotten_segments=forgetting.forgotten_segments,
            forgotten_bytes=forgetting.forgotten_bytes,
            held_bytes=self._held.size_bytes,
            problem=problem,
        )
        return is_behind

    def _pass(self) -> tuple[bool, str]:
        deadline_s = self._clock.monotonic_s() + PASS_PATIENCE_S
        limits = self.limits
        self._free()

        def is_due() -> bool:
            return self._clock.monotonic_s() <= deadline_s

        holds = self._bookkeeper.catch_up()
        failure = self._try(self._forgetting.resume)
        # What is still on the disk of an earlier pass must be gone before the need of the next one is measured.
        if not self._forgetting.sweep(is_due):
            return True, failure
        shelves = Shelves(self._bookkeeper.transactions.read, holds, self._clock.wall_us())
        free_bytes = self._free() - self._reserve.owed_bytes
        situation = Situation(
            shelves.now_us, free_bytes, limits, holds.spans, shelves.used_bytes() if _has_bytes(limits) else {}, shelves.is_in_use
        )
        choice = choose(shelves.shelves(), situation, SWEEP_LIMIT)
        problem = self._judge(choice, situation, shelves)
        self._forget(choice)
        is_behind = not self._forgetting.sweep(is_due) or len(choice.chosen) >= SWEEP_LIMIT
        if not is_behind:
            self._tidy(situation, shelves, holds)
            is_behind = not self._ageing.run(situation, is_due)
        self._free()
        return is_behind, failure or problem

    def _forget(self, choice: Choice) -> None:
        if not choice.chosen:
            return
        footage = [chosen.footage for chosen in choice.chosen]
        epoch_ids = sorted({one.epoch_id for one in footage if one.epoch_id is not None})
        whole = whole_epochs(footage, kept_counts(self._bookkeeper.transactions, epoch_ids))
        self._forgetting.forget([Going(chosen.footage.segment_id, chosen.cause) for chosen in choice.chosen], whole)

    def _judge(self, choice: Choice, situation: Situation, shelves: Shelves) -> str:
        """Note whether holds keep the disk full; returns what is to be told."""
        if situation.free_bytes >= situation.limits.keep_free_bytes:
            is_stuck = False
        elif choice.is_exhausted:
            is_stuck = shelves.holds_keep(choice.missing_bytes)
        else:
            is_stuck = self.status.stuck_by_holds and not choice.chosen
        self.status = replace(self.status, stuck_by_holds=is_stuck)
        if not choice.is_exhausted or not choice.missing_bytes:
            return ""
        lacking = f"the disk lacks {choice.missing_bytes / 1e9:.3f} GB of what must stay free"
        if is_stuck:
            return f"{lacking}, and what could go is held — release holds, or add space"
        return f"{lacking}, and there is no footage that could go — look at what else fills it"

    def _tidy(self, situation: Situation, shelves: Shelves, holds: KnownHolds) -> None:
        def is_due(camera: str, rendition: Rendition, start_us: int, end_us: int) -> bool:
            lost = Footage("", camera, rendition, start_us, end_us, 0)
            return start_us < situation.due_before_us(camera, rendition) and situation.may_go(lost)

        self._forgetting.drop_lost(is_due)
        self._destroy_unused(situation, shelves)
        self._held.go_on(shelves.query, holds)
        self._reserve.keep(self._free() - situation.limits.keep_free_bytes)
        if self._clock.monotonic_s() >= self._folders_at_s:
            self._folders_at_s = self._clock.monotonic_s() + FOLDERS_INTERVAL_S
            self._remove_empty_days()

    def _destroy_unused(self, situation: Situation, shelves: Shelves) -> None:
        """Destroy what one camera's vault still holds of epochs that are too old and that nothing is sealed to."""
        vault = self._folder.vault
        if not self._cameras:
            self._cameras = [name for name in _names(vault) if (vault / name).is_dir()]
        if not self._cameras:
            return
        camera = self._cameras.pop()
        due_us = situation.due_before_us(camera, Rendition.SEALED)
        old = [name for name in _names(vault / camera) if not name.startswith(".") and name < compact_utc(max(0, due_us) + US_PER_S)]
        old = [name for name in old if any(vault.joinpath(camera, name).glob("share-*"))][:UNUSED_LIMIT]
        if not old:
            return
        counts = kept_counts(self._bookkeeper.transactions, old)
        known = shelves.query(select(EPOCHS).where(EPOCHS.c.epoch_id.in_(old), EPOCHS.c.camera == camera, EPOCHS.c.start_us < due_us))
        unused = [row for row in known if not counts.get(row.epoch_id) and not shelves.is_in_use(row.epoch_id)]
        self._forgetting.destroy_unused([Epoch(row.epoch_id, row.camera, row.start_us) for row in unused])

    def _remove_empty_days(self) -> None:
        """Remove folders of days that nothing is left of, and in which no segment can begin any more."""
        before = f"{datetime.fromtimestamp((self._clock.wall_us() - 2 * US_PER_DAY) // US_PER_S, UTC):%Y-%m-%d}"
        for rendition in Rendition:
            for camera in _names(self._folder.root / rendition.value):
                place = self._folder.root / rendition.value / camera
                for day in _names(place):
                    if day < before and day[:4].isdigit():
                        _remove_if_empty(place / day)

    def _free(self) -> int:
        free_bytes = self._free_bytes(self._folder.root)
        self.status = replace(self.status, free_bytes=free_bytes)
        return free_bytes

    def _try(self, step: Callable[[], None]) -> str:
        """What goes wrong with one thing must not keep the others from going."""
        try:
            step()
        except StoreError as error:
            return str(error)
        return ""


def _has_bytes(limits: RetentionLimits) -> bool:
    return any(one.max_bytes for one in (limits.common, *limits.cameras.values()))


def _free_bytes(folder: Path) -> int:
    try:
        status = os.statvfs(folder)
    except OSError as error:
        raise StoreError(f"cannot look at the disk of {folder}: {error.strerror}") from error
    return status.f_bavail * status.f_frsize


def _names(folder: Path) -> Sequence[str]:
    try:
        return sorted(os.listdir(folder))
    except (FileNotFoundError, NotADirectoryError):
        return ()
    except OSError as error:
        raise StoreError(f"cannot read the folder {folder}: {error.strerror}") from error


def _remove_if_empty(folder: Path) -> None:
    try:
        folder.rmdir()
    except OSError:
        return  # something is left in it
