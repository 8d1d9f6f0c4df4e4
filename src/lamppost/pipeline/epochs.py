"""One camera's sealing keys: the next epoch is ready before the present one ends.

The keys themselves are made by a short-lived child (`seal/sealer.py`) and are
never seen here: this room knows recipients, times and what was stored.
"""

from __future__ import annotations

from collections.abc import Callable

from lamppost.base.clock import US_PER_S, Clock
from lamppost.base.errors import SealError, ShareMismatch, StoreError
from lamppost.base.logging import get_logger
from lamppost.model.books import EpochSealed, JournalRecord
from lamppost.model.layout import DataFolder
from lamppost.model.settings import SealingSettings
from lamppost.record.segments import SealingEpoch
from lamppost.seal.age import AgeSealer
from lamppost.seal.epochs import EpochPreparation, SealingDesk, seal_request
from lamppost.seal.notes import VerifierKey
from lamppost.seal.opening import read_seal
from lamppost.store.vault import Vault

LEAD_S = 60.0
RETRY_S = 5.0
AHEAD_S = 120.0  # an epoch that begins so much later than now was made before the wall clock was set back
STRETCH = 2.0  # an epoch whose successor cannot be made is used for so many lengths, then recording stops


class EpochSupply:
    """The present epoch of one camera, and the next one in the making.

    `seal_with` is given to the segment writer. An epoch is journalled
    before it is first used. When the next one cannot be made, the present one goes on,
    with an alarm, for `STRETCH` lengths at most. Where the wall clock was set back, the present one ends as soon
    as another is made: it would cover more than its length.
    """

    def __init__(
        self,
        camera: str,
        *,
        folder: DataFolder,
        sealing: SealingSettings,
        desk: SealingDesk,
        journal: Callable[[JournalRecord], None],
        clock: Clock,
    ) -> None:
        self._camera = camera
        self._desk = desk
        self._folder = folder
        self._sealing = sealing
        self._journal = journal
        self._clock = clock
        self._sequence = _next_sequence(folder, camera)
        self._present: SealingEpoch | None = None
        self._present_start_us = 0
        self._made: EpochSealed | None = None  # sealed, and not yet in the journal
        self._next: EpochSealed | None = None
        self._preparation: EpochPreparation | None = None
        self._retry_at_s = 0.0
        self._log = get_logger("pipeline").bind(camera=camera)

    def use(self, sealing: SealingSettings) -> None:
        """Make the epochs from now on for these custodians; the present one goes on to its end."""
        if sealing != self._sealing:
            self._sealing = sealing
            # One in the making as well: who is a custodian no longer gets no share of what is sealed from now on.
            self.close()
            self._made = self._next = None

    def tend(self) -> None:
        """Start, collect or retry the making of the next epoch; never waits. Call it often.

        Raises `StoreError` when the journal cannot take an epoch that was made.
        """
        if self._next is not None and (self._is_ahead(self._next.start_us) or self._next.end_us <= self._clock.wall_us()):
            self._next = None  # made before the wall clock was set back, or before hours without a camera
        if self._preparation is not None:
            self._collect(self._preparation)
        elif self._made is None and self._next is None and self._clock.monotonic_s() >= self._retry_at_s and self._is_next_due():
            self._prepare()
        if self._made is not None:
            # Tried again with the next call where the journal fails: an epoch that it does not name is not used.
            self._journal(self._made)
            self._next, self._made = self._made, None

    def is_ready(self) -> bool:
        """Whether a segment may be opened now."""
        return self._next is not None or (self._present is not None and self._clock.wall_us() < self._last_us(self._present))

    def seal_with(self, wall_us: int) -> SealingEpoch:
        """The epoch for a segment that starts at `wall_us`; raises `SealError` when there is none."""
        self.tend()
        is_over = self._present is None or wall_us >= self._present.end_us or self._is_ahead(self._present_start_us)
        if is_over and self._next is not None:
            sealed, self._next = self._next, None
            self._present_start_us = sealed.start_us
            self._present = SealingEpoch(epoch_id=sealed.epoch_id, end_us=sealed.end_us, seal=AgeSealer(sealed.recipient).seal)
            self.tend()
        if self._present is None:
            raise SealError(f"camera {self._camera}: no sealing epoch is ready", remedy="see the log for why it could not be made")
        if wall_us >= self._last_us(self._present):
            raise SealError(
                f"camera {self._camera}: the sealing epoch is over and no new one could be made",
                remedy="see the log for why; is the vault's disk full or read-only?",
            )
        return self._present

    def close(self) -> None:
        """Stop the making of an epoch, if one is in the making."""
        if self._preparation is not None:
            self._preparation.kill()
            self._preparation = None

    def _collect(self, preparation: EpochPreparation) -> None:
        try:
            self._made = preparation.poll()
        except SealError as error:
            self._log.error("no new sealing epoch", problem=str(error))
            self._preparation = None
            self._retry_at_s = self._clock.monotonic_s() + RETRY_S
        if self._made is not None:
            self._preparation = None

    def _last_us(self, present: SealingEpoch) -> int:
        return present.end_us + round(self._sealing.epoch_s * (STRETCH - 1.0) * US_PER_S)

    def _is_ahead(self, start_us: int) -> bool:
        return start_us - self._clock.wall_us() > AHEAD_S * US_PER_S

    def _is_next_due(self) -> bool:
        if self._present is None or self._is_ahead(self._present_start_us):
            return True
        lead_us = round(min(LEAD_S, self._sealing.epoch_s / 2) * US_PER_S)
        return self._clock.wall_us() >= self._present.end_us - lead_us

    def _prepare(self) -> None:
        now_us = self._clock.wall_us()
        start_us = now_us
        if self._present is not None and not self._is_ahead(self._present_start_us):
            start_us = max(now_us, self._present.end_us)
        self._preparation = self._desk.request(
            seal_request(
                folder=self._folder,
                camera=self._camera,
                sequence=self._sequence,
                start_us=start_us,
                end_us=start_us + round(self._sealing.epoch_s * US_PER_S),
                custodians=self._sealing.custodians,
                threshold=self._sealing.threshold,
            )
        )
        self._sequence += 1


def _next_sequence(folder: DataFolder, camera: str) -> int:
    """One more than the newest epoch of this camera that can be read; 0 where there is none."""
    vault = Vault(folder.vault)
    recorder = VerifierKey.load(folder.keys / "recorder.pub")
    for _, epoch_id in reversed(vault.epochs(camera)):
        try:
            return read_seal(vault.read(camera, epoch_id), recorder).sealed.sequence + 1
        except (ShareMismatch, StoreError):
            continue  # `check` tells of it; the one before it serves as well
    return 0
