"""An epoch is used only once the journal names it, and one that cannot be made does not stop the present one at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from lamppost.base.clock import US_PER_S, ManualClock
from lamppost.base.errors import SealError, StoreError
from lamppost.model.books import EpochSealed, JournalRecord
from lamppost.model.settings import SealingSettings
from lamppost.pipeline.epochs import RETRY_S, EpochSupply
from lamppost.seal.epochs import SealingDesk
from lamppost.seal.sealer import SealRequest
from sealed_site import Site


class ScriptedPreparation:
    """Stands for the sealer's child: it answers each request at once, and only once."""

    failure: SealError | None = None

    def __init__(self, answer: EpochSealed) -> None:
        self._answer: EpochSealed | None = answer

    def poll(self) -> EpochSealed:
        if self.failure is not None:
            raise self.failure
        assert self._answer is not None, "the child is gone: it is read once"
        answer, self._answer = self._answer, None
        return answer

    def kill(self) -> None:
        pass


class Books:
    def __init__(self) -> None:
        self.records: list[JournalRecord] = []
        self.is_full = False

    def append(self, record: JournalRecord) -> None:
        if self.is_full:
            raise StoreError("the disk is full")
        self.records.append(record)


class Scene:
    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.site = Site(root)
        self.clock = ManualClock()
        self.books = Books()
        self.failure: SealError | None = None
        self.started: list[tuple[int, int]] = []

        def answer(request: SealRequest) -> ScriptedPreparation:
            self.started.append((request.start_us, request.end_us))
            preparation = ScriptedPreparation(
                EpochSealed(
                    f"e{request.sequence}",
                    "plaza",
                    request.sequence,
                    request.start_us,
                    request.end_us,
                    self.site.custodians[0],
                    2,
                    3,
                    ("",) * 3,
                )
            )
            preparation.failure = self.failure
            return preparation

        desk = SealingDesk(self.clock)
        monkeypatch.setattr(desk, "request", answer)
        sealing = SealingSettings(custodians=self.site.custodians, threshold=2, epoch_s=600)
        self.supply = EpochSupply("plaza", folder=self.site.folder, sealing=sealing, desk=desk, journal=self.books.append, clock=self.clock)

    def tend(self, times: int = 2) -> None:
        for _ in range(times):
            self.supply.tend()


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scene:
    return Scene(tmp_path, monkeypatch)


def test_an_epoch_is_journalled_before_it_is_used(scene: Scene) -> None:
    scene.tend()
    assert scene.supply.is_ready()
    assert scene.supply.seal_with(scene.clock.wall_us()).epoch_id == "e0"
    assert [type(record) for record in scene.books.records] == [EpochSealed]


def test_an_epoch_that_the_journal_does_not_take_is_offered_again_and_not_used(scene: Scene) -> None:
    scene.supply.tend()
    scene.books.is_full = True
    for _ in range(2):
        with pytest.raises(StoreError):
            scene.supply.tend()
        assert not scene.supply.is_ready()
    scene.books.is_full = False
    scene.supply.tend()
    assert scene.supply.is_ready()
    assert len(scene.started) == 1


def test_the_next_epoch_is_made_ahead_and_starts_where_the_present_one_ends(scene: Scene) -> None:
    scene.tend()
    first = scene.supply.seal_with(scene.clock.wall_us())
    scene.clock.advance(600 - 30)
    scene.tend()
    assert scene.started[1][0] == first.end_us
    assert scene.supply.seal_with(first.end_us - 1).epoch_id == "e0"
    assert scene.supply.seal_with(first.end_us).epoch_id == "e1"


def test_without_a_successor_the_present_one_is_stretched_and_then_recording_stops(scene: Scene) -> None:
    scene.tend()
    first = scene.supply.seal_with(scene.clock.wall_us())
    scene.failure = SealError("the vault is full")
    scene.clock.advance(600)
    assert scene.supply.seal_with(first.end_us + 1).epoch_id == "e0"
    with pytest.raises(SealError, match="plaza"):
        scene.supply.seal_with(first.end_us + 600 * US_PER_S)


def test_a_failed_making_is_tried_again_after_a_pause(scene: Scene) -> None:
    scene.failure = SealError("the vault is full")
    scene.tend(10)
    assert len(scene.started) == 1
    with pytest.raises(SealError):
        scene.supply.seal_with(scene.clock.wall_us())
    scene.failure = None
    scene.clock.advance(RETRY_S)
    scene.tend()
    assert len(scene.started) == 2
    assert scene.supply.is_ready()


def test_no_epoch_lasts_longer_because_the_wall_clock_was_set_back(scene: Scene) -> None:
    scene.tend()
    first = scene.supply.seal_with(scene.clock.wall_us())
    scene.clock.advance(600 - 30)
    scene.tend()  # the next one is ready, for a time that is now far ahead
    scene.clock.step_wall(-86_400)
    back_us = scene.clock.wall_us()
    assert scene.supply.seal_with(back_us).epoch_id == first.epoch_id
    scene.tend()
    assert scene.supply.seal_with(back_us).epoch_id == "e2"
    assert scene.started[2] == (back_us, back_us + 600 * US_PER_S)


def test_a_small_step_back_changes_no_epoch(scene: Scene) -> None:
    scene.tend()
    scene.supply.seal_with(scene.clock.wall_us())
    scene.clock.step_wall(-5)
    scene.tend()
    assert scene.supply.seal_with(scene.clock.wall_us()).epoch_id == "e0"
    assert len(scene.started) == 1


def test_an_epoch_long_over_is_not_ready(scene: Scene) -> None:
    scene.tend()
    scene.supply.seal_with(scene.clock.wall_us())
    scene.failure = SealError("the vault is full")
    scene.clock.step_wall(86_400)
    assert not scene.supply.is_ready()


@pytest.mark.parametrize("stage", ["in the making", "not yet in the journal", "ready"])
def test_who_is_a_custodian_no_longer_gets_no_further_share(scene: Scene, stage: str) -> None:
    scene.supply.tend()
    if stage == "not yet in the journal":
        scene.books.is_full = True
        with pytest.raises(StoreError):
            scene.supply.tend()
        scene.books.is_full = False
    elif stage == "ready":
        scene.supply.tend()
    scene.supply.use(SealingSettings(custodians=scene.site.custodians[:2], threshold=2, epoch_s=600))
    assert not scene.supply.is_ready()
    scene.tend()
    assert scene.supply.seal_with(scene.clock.wall_us()).epoch_id == "e1"
