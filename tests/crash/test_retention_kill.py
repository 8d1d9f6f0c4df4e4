"""kill -9 between any two steps of retention: nothing held is lost, no share outlives its bytes, and all agrees afterwards."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from retention_child import forget

from lamppost.base.clock import US_PER_S, ManualClock
from lamppost.model.books import GapOpened, Rendition
from lamppost.model.layout import DataFolder
from lamppost.store.bookkeeping import Bookkeeper
from lamppost.store.check import check
from lamppost.store.check_report import Severity
from lamppost.store.holds import place_hold
from lamppost.store.index import Index
from lamppost.store.journal import JournalWriter
from street_books import Street, check_tools

CHILD = Path(__file__).with_name("retention_child.py")


@dataclass
class Scene:
    """An epoch that goes whole, one of which a part is held, and masked video; all of it too old."""

    folder: DataFolder
    now_us: int
    epochs: tuple[str, ...]
    sealed: dict[str, list[Path]]
    held: list[Path]

    def copy(self, root: Path) -> Scene:
        shutil.copytree(self.folder.root, root)

        def moved(path: Path) -> Path:
            return root / path.relative_to(self.folder.root)

        sealed = {epoch: [moved(path) for path in paths] for epoch, paths in self.sealed.items()}
        return Scene(DataFolder(root), self.now_us, self.epochs, sealed, [moved(path) for path in self.held])

    def shares(self, epoch_id: str) -> int:
        return len(list(self.folder.epoch("plaza", epoch_id).glob("share-*")))


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    folder, clock = DataFolder(tmp_path_factory.mktemp("kill") / "data"), ManualClock()
    sealed: dict[str, list[Path]] = {}
    with JournalWriter(folder.journal / "recorder", clock=clock) as journal:
        street = Street(folder, journal, clock)
        masked = Street(folder, journal, ManualClock(clock.wall_us()), rendition=Rendition.MASKED)
        for epoch in range(2):
            epoch_id = street.seal_epoch().epoch_id
            before = set((folder.root / "sealed").rglob("*.tar"))
            starts = []
            for _ in range(2):
                starts.append(clock.wall_us())
                street.record(2)
            sealed[epoch_id] = sorted(set((folder.root / "sealed").rglob("*.tar")) - before)
            if epoch == 1:
                place_hold(folder, "plaza", starts[1], starts[1] + US_PER_S, "case 7", actor="t", clock=clock)
        masked.record(2)
        journal.append(GapOpened("g", "plaza", "stopped", clock.wall_us(), ""))
    with Bookkeeper(folder, clock) as bookkeeper:
        bookkeeper.apply_new()
    with Index(folder) as index:
        held = [folder.root / row.path for row in index.segments("plaza", Rendition.SEALED) if row.start_us == starts[1]]
    return Scene(folder, clock.wall_us() + 7200 * US_PER_S, tuple(sealed), sealed, held)


def _kill_at(scene: Scene, step: int) -> bool:
    """Run the child up to `step`; false when it had nothing left to do before."""
    path = os.pathsep.join([str(CHILD.parents[1]), *filter(None, [os.environ.get("PYTHONPATH")])])
    command = [sys.executable, "-W", "error", str(CHILD), str(scene.folder.root), str(scene.now_us), str(step)]
    done = subprocess.run(command, env=os.environ | {"PYTHONPATH": path}, check=False, timeout=60)
    assert done.returncode in (0, -signal.SIGKILL), "it died by itself"
    return done.returncode != 0


def _assert_nothing_held_is_lost(scene: Scene) -> None:
    whole, held = scene.epochs
    assert all(path.exists() and path.with_suffix(".record").exists() for path in scene.held)
    assert scene.shares(held) == 3
    if not all(path.exists() for path in scene.sealed[whole]):
        assert scene.shares(whole) == 0, "bytes went before their shares"


def _assert_sound(scene: Scene) -> None:
    clock = ManualClock(scene.now_us)
    report = check(scene.folder, clock=clock, tools=check_tools(scene.folder, clock))
    assert [finding for finding in report.findings if finding.severity is not Severity.NOTE] == []
    (account,) = report.accounts
    assert account.unexplained_us == 0


@pytest.mark.timeout(600)
@pytest.mark.parametrize("stride", [pytest.param(5, id="some"), pytest.param(1, id="all", marks=pytest.mark.long)])
def test_a_kill_between_two_steps_of_retention(scene: Scene, tmp_path: Path, stride: int) -> None:
    steps = forget(scene.copy(tmp_path / "whole").folder, scene.now_us)
    assert steps > 15
    for step in range(min(2, stride), steps + 1, stride):
        here = scene.copy(tmp_path / f"step-{step}")
        assert _kill_at(here, step)
        _assert_nothing_held_is_lost(here)
        forget(here.folder, here.now_us)
        _assert_nothing_held_is_lost(here)
        assert [path for path in (here.folder.root / "sealed").rglob("*.tar") if path not in here.held] == []
        assert list((here.folder.root / "masked").rglob("*.mp4")) == []
        assert here.shares(here.epochs[0]) == 0
        _assert_sound(here)
    assert not _kill_at(scene.copy(tmp_path / "beyond"), steps + 1)


def test_a_hold_that_comes_after_the_kill_finds_no_half_destroyed_epoch(scene: Scene, tmp_path: Path) -> None:
    here = scene.copy(tmp_path / "late")
    assert _kill_at(here, 3)  # between the first epoch's shares and the books
    clock = ManualClock(here.now_us)
    place_hold(here.folder, "plaza", 0, here.now_us, "too late for the first epoch", actor="t", clock=clock)
    forget(here.folder, here.now_us)
    assert not any(path.exists() for path in here.sealed[here.epochs[0]])
    assert all(path.exists() for path in here.sealed[here.epochs[1]]), "what was not begun is held"
    assert here.shares(here.epochs[1]) == 3
    _assert_sound(here)
