"""What is due is forgotten, what is held is not, and afterwards all agrees and every moment is explained."""

from __future__ import annotations

import hashlib
import json
import os
import re
import sqlite3
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine, event

from lamppost.base.clock import US_PER_S, ManualClock
from lamppost.base.errors import ConfigError, StoreError
from lamppost.model.books import GapClosed, GapOpened, Rendition
from lamppost.model.layout import DataFolder
from lamppost.record.chain import load_chain
from lamppost.store import forgetting, retaining
from lamppost.store.bookkeeping import Bookkeeper
from lamppost.store.check import check
from lamppost.store.check_report import CheckReport, Severity
from lamppost.store.holds import list_holds, place_hold, release_hold
from lamppost.store.index import Index
from lamppost.store.journal import JournalWriter, journal_files
from lamppost.store.retaining import Retention
from lamppost.store.retention import CameraLimits, RetentionLimits
from lamppost.store.vault import Vault
from street_books import Street, check_tools

MINUTE_US = 60 * US_PER_S
NEVER = CameraLimits(3650 * 86_400 * US_PER_S, 3650 * 86_400 * US_PER_S, 0)
PLENTY = 10**15


class Town:
    """A data folder with two cameras; a minute of video is three seconds of it, for the tests' sake."""

    def __init__(self, root: Path) -> None:
        self.folder = DataFolder(root)
        self.clock = ManualClock()
        self.limits = RetentionLimits(NEVER, {}, 0)
        self.free_bytes = PLENTY
        self.step: Callable[[str], None] = lambda _name: None
        self.status = retaining.RetentionStatus()
        self.streets: dict[tuple[str, Rendition], Street] = {}
        self.gaps = 0

    def record(self, segments: int = 1, camera: str = "plaza", *, is_masked: bool = True, new_epoch: bool = False) -> None:
        """Whole segments, of both renditions at the same time."""
        with JournalWriter(self.folder.journal / "recorder", clock=self.clock) as journal:
            sealed = self._street(camera, Rendition.SEALED, journal)
            if new_epoch:
                sealed.seal_epoch()
            masked_clock = ManualClock(self.clock.wall_us())
            for _ in range(segments):
                sealed.record(3)
            if is_masked:
                masked = self._street(camera, Rendition.MASKED, journal)
                masked.clock = masked_clock
                for _ in range(segments):
                    masked.record(3)

    def pause(self, seconds: float, camera: str = "plaza") -> None:
        """A declared gap of the camera."""
        self.gaps += 1
        with JournalWriter(self.folder.journal / "recorder", clock=self.clock) as journal:
            journal.append(GapOpened(f"g{self.gaps}", camera, "stopped", self.clock.wall_us(), ""))
            self.clock.advance(seconds)
            journal.append(GapClosed(f"g{self.gaps}", self.clock.wall_us()))

    def _street(self, camera: str, rendition: Rendition, journal: JournalWriter) -> Street:
        street = self.streets.setdefault(
            (camera, rendition), Street(self.folder, journal, self.clock, camera=camera, rendition=rendition, run_id=f"{camera}-run")
        )
        street.journal, street.clock = journal, self.clock
        return street

    def forget(self, *, passes: int = 20, vault: Vault | None = None) -> None:
        """Passes until nothing is due any more."""
        with Bookkeeper(self.folder, self.clock) as bookkeeper:
            retention = Retention(
                self.folder, bookkeeper, self.clock, self.limits, vault=vault, free_bytes=lambda _: self.free_bytes, step=self.step
            )
            for _ in range(passes):
                retention.run_pass()
            self.status = retention.status

    def keep_for(self, seconds: float, camera: str | None = None) -> None:
        limits = CameraLimits(round(seconds * US_PER_S), round(seconds * US_PER_S), 0)
        self.limits = replace(self.limits, common=limits) if camera is None else replace(self.limits, cameras={camera: limits})

    def hold(self, start_us: int, end_us: int, camera: str = "plaza") -> str:
        return place_hold(self.folder, camera, start_us, end_us, "case 7", actor="tester", clock=self.clock).hold_id

    def check(self) -> CheckReport:
        return check(self.folder, clock=self.clock, tools=check_tools(self.folder, self.clock))

    def files(self, rendition: Rendition = Rendition.SEALED, camera: str = "plaza") -> list[Path]:
        return sorted(path for path in (self.folder.root / rendition.value / camera).glob("*/*") if path.suffix != ".record")

    def shares(self, camera: str = "plaza") -> list[str]:
        return sorted({path.parent.name for path in (self.folder.vault / camera).glob("*/share-*")})

    def assert_sound(self) -> CheckReport:
        with Bookkeeper(self.folder, self.clock) as bookkeeper:
            bookkeeper.apply_new()
        report = self.check()
        assert [f"{f.what} | {f.where}" for f in report.findings if f.severity is not Severity.NOTE] == []
        assert all(account.unexplained_us == 0 for account in report.accounts)
        return report


@pytest.fixture
def town(tmp_path: Path) -> Town:
    return Town(tmp_path / "data")


def test_an_epoch_goes_whole_once_its_start_is_too_old(town: Town) -> None:
    began_us = town.clock.wall_us()
    town.record(4, new_epoch=True)
    town.pause(600)
    town.record(4, new_epoch=True)
    town.pause(10)
    first, second = town.shares()
    town.keep_for((town.clock.wall_us() - began_us) / US_PER_S - 0.001)
    town.forget()
    assert town.shares() == [second]
    assert len(town.files()) == 4
    assert not (town.folder.epoch("plaza", first)).exists()
    (account,) = town.assert_sound().accounts
    assert (account.forgotten_us, account.recorded_us, account.gap_us) == (12 * US_PER_S, 12 * US_PER_S, 610 * US_PER_S)
    with Index(town.folder) as index:
        assert index.destroyed() == {first}
        (act,) = index.acts("footage_forgotten")
        assert act.subject == "plaza"
        detail = json.loads(act.detail)
        assert (detail["epochs"], detail["sealed"]["segments"], detail["causes"]) == ([first], 4, ["age"])
    masked = len(town.files(Rendition.MASKED))
    assert town.status.forgotten_segments == 4 + 8 - masked
    assert 5 <= masked <= 7  # in steps of a hundredth of the limit, six seconds here: never late


def test_shares_go_before_bytes(town: Town) -> None:
    town.record(2, new_epoch=True)
    town.clock.advance(3600)
    town.keep_for(60)
    seen: list[tuple[str, int, int]] = []
    town.step = lambda name: seen.append((name, len(town.shares()), len(town.files())))
    town.forget()
    names = [name for name, _, _ in seen]
    assert names.index("begin") < names.index("destroy") < names.index("book") < names.index("unlink") < names.index("drop")
    assert all(shares == 0 for name, shares, _ in seen if name in ("book", "unlink", "sync"))
    assert all(files == 2 for name, _, files in seen if name in ("begin", "destroy", "book"))
    assert town.files() == []


def test_a_hold_keeps_both_renditions_and_the_shares(town: Town) -> None:
    start_us = town.clock.wall_us()
    town.record(4, new_epoch=True)
    hold = town.hold(start_us + 4 * US_PER_S, start_us + 6 * US_PER_S)  # within the second segment of four
    town.pause(3600)
    kept = [town.files(rendition)[1] for rendition in Rendition]
    town.keep_for(60)
    town.forget()
    assert [town.files(rendition) for rendition in Rendition] == [[path] for path in kept]
    assert len(town.shares()) == 1
    (account,) = town.assert_sound().accounts
    assert (account.recorded_us, account.held_us, account.forgotten_us) == (3 * US_PER_S, 2 * US_PER_S, 9 * US_PER_S)
    assert town.status.held_bytes > 0
    release_hold(town.folder, hold, actor="tester", clock=town.clock)
    town.forget()
    assert town.files() == town.files(Rendition.MASKED) == town.shares() == []
    (account,) = town.assert_sound().accounts
    assert (account.recorded_us, account.forgotten_us) == (0, 12 * US_PER_S)


@pytest.mark.parametrize(("start_s", "end_s", "kept"), [(3, 6, [1]), (0, 3, [0]), (2.999999, 3, [0]), (3, 3.000001, [1]), (-9, 0, [])])
def test_holds_are_half_open(town: Town, start_s: float, end_s: float, kept: list[int]) -> None:
    start_us = town.clock.wall_us()
    town.record(3, new_epoch=True)
    files = town.files()
    town.hold(start_us + round(start_s * US_PER_S), start_us + round(end_s * US_PER_S))
    town.pause(3600)
    town.keep_for(60)
    town.forget()
    assert town.files() == [files[number] for number in kept]
    town.assert_sound()


def test_a_hold_placed_while_nobody_ran_is_known_before_anything_goes(town: Town) -> None:
    start_us = town.clock.wall_us()
    town.record(1, new_epoch=True)
    town.clock.advance(3600)
    town.hold(start_us, start_us + US_PER_S)
    assert not town.folder.index.exists()
    town.keep_for(60)
    town.forget(passes=1)
    assert len(town.files()) == 1


def _unreadable(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Path.open

    def refuse(path: Path, *arguments: object, **options: object) -> object:
        if "hold" in path.parts:
            raise PermissionError(13, "Permission denied", str(path))
        return real(path, *arguments, **options)  # type: ignore[call-overload]

    monkeypatch.setattr(Path, "open", refuse)


def _damaged(town: Town, _: pytest.MonkeyPatch) -> None:
    (path,) = journal_files(town.folder.journal / "hold")
    content = bytearray(path.read_bytes())
    content[30] ^= 1
    path.write_bytes(content)


def _newer(town: Town, _: pytest.MonkeyPatch) -> None:
    (path,) = journal_files(town.folder.journal / "hold")
    text = path.read_bytes().split(b" ", 1)[1].split(b"\n")[0].replace(b"hold_placed", b"hold_placed_2")
    path.write_bytes(b"%08x %s\n" % (zlib.crc32(text), text))


def _unlisted(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Path.iterdir

    def refuse(path: Path) -> Iterator[Path]:
        if path.name == "hold":
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(Path, "iterdir", refuse)


@pytest.mark.parametrize("breaking", [_unreadable, _damaged, _newer, _unlisted])
def test_where_a_hold_cannot_be_read_nothing_is_deleted(
    town: Town, breaking: Callable[[Town, pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    start_us = town.clock.wall_us()
    town.record(2, new_epoch=True)
    town.clock.advance(3600)
    town.hold(start_us, start_us + US_PER_S)
    town.keep_for(60)
    town.free_bytes = 0
    with monkeypatch.context() as patched:
        breaking(town, patched)
        for _ in range(2):  # the second life has the damage behind it
            town.forget(passes=3)
            assert len(town.files()) == 2
            assert "nothing is deleted" in town.status.problem


def test_after_a_damaged_journal_of_holds_is_moved_away_retention_goes_on(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    start_us = town.clock.wall_us()
    town.record(2, new_epoch=True)
    town.clock.advance(3600)
    town.hold(start_us, start_us + US_PER_S)
    _damaged(town, monkeypatch)
    town.keep_for(60)
    town.forget()
    assert len(town.files()) == 2
    town.hold(start_us, start_us + US_PER_S)
    journal_files(town.folder.journal / "hold")[0].rename(town.folder.root / "evidence.jsonl")
    town.forget()
    assert len(town.files()) == 1
    assert town.status.problem == ""


def test_the_footage_of_an_open_segment_and_of_the_epoch_in_use_stays(town: Town) -> None:
    town.record(2, new_epoch=True)
    town.clock.advance(30)
    town.keep_for(1)
    town.free_bytes = 0
    town.limits = replace(town.limits, keep_free_bytes=PLENTY)
    town.forget()
    assert len(town.files()) == 2
    assert town.files(Rendition.MASKED) == []
    town.clock.advance(1300)  # twice its length, and the grace
    town.forget()
    assert town.files() == town.shares() == []


def test_an_epoch_is_over_once_its_successor_is_used(town: Town) -> None:
    town.record(1, new_epoch=True)
    town.pause(600)
    town.record(1, new_epoch=True)
    town.keep_for(1)
    town.forget()
    assert len(town.files()) == 1
    town.assert_sound()


def test_sequences_go_on_when_everything_was_forgotten(town: Town) -> None:
    town.record(3, new_epoch=True)
    notes = {r: hashlib.sha256(town.files(r)[-1].with_suffix(".record").read_bytes()).hexdigest() for r in Rendition}
    town.pause(3600)
    town.keep_for(60)
    town.forget()
    for rendition in Rendition:
        assert town.files(rendition) == []
        chain = load_chain(town.folder, "plaza", rendition)
        assert (chain.take(), chain.previous_sha256) == (3, notes[rendition])
    (epoch,) = (town.folder.vault / "plaza").iterdir()
    assert [path.name for path in epoch.iterdir()] == ["seal.note"]
    town.assert_sound()
    town.record(2, new_epoch=True)
    town.assert_sound()
    town.pause(3600)
    town.forget()
    town.assert_sound()
    (newer,) = (town.folder.vault / "plaza").iterdir()
    assert newer != epoch


def test_by_bytes_the_oldest_go_until_it_is_enough(town: Town) -> None:
    town.record(10, new_epoch=True)
    town.pause(1000)
    town.record(2, new_epoch=True)
    with Bookkeeper(town.folder, town.clock) as bookkeeper:
        bookkeeper.apply_new()
    with Index(town.folder) as index:
        rows = index.segments("plaza")
    total = sum(row.size_bytes for row in rows)
    largest = max(row.size_bytes for row in rows)
    limit = total - 5 * largest // 2
    town.limits = RetentionLimits(replace(NEVER, max_bytes=limit), {}, 0)
    town.forget()
    left = sum(path.stat().st_size for rendition in Rendition for path in town.files(rendition))
    assert limit - largest < left <= limit
    assert len(town.shares()) == 2
    town.assert_sound()


def test_under_pressure_the_oldest_of_all_cameras_go(town: Town) -> None:
    for number in range(6):
        town.record(1, camera=("plaza", "gate")[number % 2], new_epoch=True)
        town.clock.advance(700)
    town.hold(0, town.clock.wall_us(), camera="plaza")
    town.clock.advance(700)
    town.free_bytes, town.limits = 1000, replace(town.limits, keep_free_bytes=1001)
    town.forget(passes=1)
    gone = [len(town.files(r, c)) for c in ("gate", "plaza") for r in Rendition]
    assert gone in ([2, 3, 3, 3], [3, 2, 3, 3])
    assert not town.status.stuck_by_holds
    town.forget()
    assert [len(town.files(r, c)) for c in ("gate", "plaza") for r in Rendition] == [0, 0, 3, 3]
    assert town.status.stuck_by_holds
    assert "held" in town.status.problem
    town.free_bytes = PLENTY
    town.forget()
    assert not town.status.stuck_by_holds


def test_where_nothing_is_held_a_full_disk_is_not_the_holds_fault(town: Town) -> None:
    town.record(1, new_epoch=True)
    town.clock.advance(2000)
    town.free_bytes, town.limits = 0, replace(town.limits, keep_free_bytes=PLENTY)
    town.forget()
    assert town.files() == []
    assert not town.status.stuck_by_holds
    assert "what else fills it" in town.status.problem


def test_a_mirror_that_fails_keeps_the_bytes(town: Town, tmp_path: Path) -> None:
    town.record(2, new_epoch=True)
    town.pause(3600)
    town.keep_for(60)

    class Failing(Vault):
        def delete(self, camera: str, epoch_id: str, *, keep_note: bool = False) -> None:
            raise StoreError("the mirror is gone")

    town.forget(passes=3, vault=Failing(town.folder.vault))
    assert len(town.files()) == 2
    assert town.files(Rendition.MASKED) == []
    assert "the mirror is gone" in town.status.problem
    town.forget()
    assert town.files() == town.shares() == []
    assert town.status.problem == ""
    town.assert_sound()


def test_epochs_that_nothing_was_sealed_to_go_too(town: Town) -> None:
    town.record(1, new_epoch=True)
    with JournalWriter(town.folder.journal / "recorder", clock=town.clock) as journal:
        town._street("plaza", Rendition.SEALED, journal).seal_epoch()
    town.pause(3600)
    town.keep_for(60)
    town.forget()
    assert town.shares() == []
    town.assert_sound()


def test_empty_days_are_removed_and_full_ones_stay(town: Town) -> None:
    town.record(1, new_epoch=True)
    town.pause(3 * 86_400)
    town.record(1, new_epoch=True)
    town.pause(1000)
    town.keep_for(86_400)
    town.forget()
    assert len(list((town.folder.root / "sealed" / "plaza").glob("20*"))) == 1
    town.assert_sound()


def test_a_lost_segment_goes_in_its_time(town: Town) -> None:
    town.record(1, new_epoch=True)
    with Bookkeeper(town.folder, town.clock) as bookkeeper:
        bookkeeper.apply_new()
    connection = sqlite3.connect(town.folder.index)
    connection.execute("UPDATE segments SET state = 'garbage', record_sha256 = NULL WHERE rendition = 'masked'")
    connection.execute("DELETE FROM stored WHERE rendition = 'masked'")
    connection.commit()
    connection.close()
    town.forget()
    assert len(town.files(Rendition.MASKED)) == 1  # lost is not forgotten
    town.clock.advance(3600)
    town.keep_for(60)
    town.forget()
    assert town.files(Rendition.MASKED) == []


def test_the_work_of_a_pass_is_bounded(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retaining, "SWEEP_LIMIT", 4)
    monkeypatch.setattr(forgetting, "SWEEP_LIMIT", 4)
    town.record(3, new_epoch=True)
    town.pause(700)
    town.record(3, new_epoch=True)
    town.pause(3600)
    town.keep_for(60)
    town.forget(passes=1)
    assert 0 < len([*town.files(), *town.files(Rendition.MASKED)]) < 12
    town.forget()
    assert town.files() == town.files(Rendition.MASKED) == []
    town.assert_sound()


def test_a_camera_that_is_not_configured_any_more_is_kept_like_the_others(town: Town) -> None:
    for camera in ("plaza", "gate"):
        town.record(1, camera, new_epoch=True)
    town.clock.advance(3600)
    town.limits = RetentionLimits(CameraLimits(60 * US_PER_S, 60 * US_PER_S, 0), {"plaza": NEVER}, 0)
    town.forget()
    assert (len(town.files()), len(town.files(camera="gate"))) == (1, 0)


def test_holds_are_checked_before_they_are_placed(town: Town) -> None:
    town.record(1, new_epoch=True)
    now_us = town.clock.wall_us()
    with pytest.raises(ConfigError, match="never recorded"):
        town.hold(0, 1, camera="nowhere")
    with pytest.raises(ConfigError, match=r"ends .* before it begins"):
        town.hold(now_us, now_us)
    with pytest.raises(ConfigError, match="reason"):
        place_hold(town.folder, "plaza", 0, 1, "  \n ", actor="t", clock=town.clock)
    with pytest.raises(ConfigError, match="no hold"):
        release_hold(town.folder, "nothing", actor="t", clock=town.clock)
    hold = town.hold(now_us, now_us + 10**12)
    (row,) = list_holds(town.folder)
    assert (row.hold_id, row.end_us, row.released_us) == (hold, now_us + 10**12, None)
    release_hold(town.folder, hold, actor="someone", clock=town.clock)
    with pytest.raises(ConfigError, match=r"was released at .* by someone"):
        release_hold(town.folder, hold, actor="t", clock=town.clock)
    before = list_holds(town.folder)
    with Bookkeeper(town.folder, town.clock) as bookkeeper:
        bookkeeper.apply_new()
    assert list_holds(town.folder) == before
    with Index(town.folder) as index:
        assert index.holds() == before
        assert [act.kind for act in index.acts()] == ["hold_placed", "hold_released"]


def test_holds_outlive_the_index(town: Town) -> None:
    town.record(2, new_epoch=True)
    hold = town.hold(0, town.clock.wall_us())
    for number in range(5):
        release_hold(town.folder, town.hold(number, number + 1), actor="t", clock=town.clock)
    for _ in range(3):
        town.forget(passes=1)
    for path in town.folder.index.parent.iterdir():
        os.unlink(path)
    town.clock.advance(3600)
    town.keep_for(60)
    town.forget()
    assert len(town.files()) == 2
    with Index(town.folder) as index:
        assert [row.hold_id for row in index.holds(is_active=True)] == [hold]


def test_no_look_reads_a_whole_table(town: Town) -> None:
    for _ in range(3):
        town.record(2, new_epoch=True)
        town.pause(700)
    town.hold(0, town.clock.wall_us() - 800 * US_PER_S)
    town.clock.advance(3600)
    town.forget(passes=0)
    seen: dict[str, tuple[object, ...]] = {}

    def note(_connection: object, _cursor: object, statement: str, parameters: object, *_: object) -> None:
        assert isinstance(parameters, (tuple, list))
        seen[statement] = tuple(parameters[0] if parameters and isinstance(parameters[0], tuple) else parameters)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        town.keep_for(60)
        town.limits = replace(town.limits, common=replace(town.limits.common, max_bytes=1), keep_free_bytes=PLENTY)
        town.free_bytes = 0
        town.forget(passes=3)
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    statements = {s: values for s, values in seen.items() if s.split()[0] in ("SELECT", "UPDATE", "DELETE", "INSERT")}
    assert len(statements) > 20
    connection = sqlite3.connect(town.folder.index)
    try:
        for statement, values in statements.items():
            for line in [str(row[3]) for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}", values)]:
                assert not re.match("SCAN (segments|epochs|epoch_shares|acts|gaps)", line), (statement, line)
                # Few are garbage or open, and nearly all are closed.
                assert "(state=?" not in line or not {"closed"} & set(values), (statement, line)
    finally:
        connection.close()


def test_the_moments_between_two_files_are_joined_in_any_order_of_deletion(town: Town) -> None:
    starts = []
    with JournalWriter(town.folder.journal / "recorder", clock=town.clock) as journal:
        street = town._street("plaza", Rendition.SEALED, journal)
        for _ in range(5):
            starts.append(town.clock.wall_us())
            street.record(2)
            town.clock.advance(0.04)  # a run's last frame in a file has no known duration
        journal.append(GapOpened("end", "plaza", "stopped", street.last_end_us, ""))
    town.clock.advance(3600)
    holds = [town.hold(starts[number], starts[number] + 1) for number in (0, 1, 3)]
    town.keep_for(60)
    town.forget()
    assert len(town.files()) == 3
    town.assert_sound()
    for hold in (holds[1], holds[2], holds[0]):
        release_hold(town.folder, hold, actor="t", clock=town.clock)
        town.forget()
        town.assert_sound()
    with Index(town.folder) as index:
        (span,) = index.forgotten("plaza", Rendition.SEALED)
        assert (span.start_us, span.end_us, span.segments) == (starts[0], street.last_end_us, 5)


def test_a_segment_that_was_taken_out_beside_forgotten_ones_is_missed(town: Town) -> None:
    start_us = town.clock.wall_us()
    town.record(6, new_epoch=True, is_masked=False)
    town.pause(3600)
    town.hold(start_us + 6 * US_PER_S, start_us + 18 * US_PER_S)
    town.keep_for(60)
    town.forget()
    assert len(town.files()) == 4
    town.assert_sound()
    with Index(town.folder) as index:
        row = index.segments("plaza")[1]
    for suffix in (".tar", ".record"):
        (town.folder.root / row.path).with_suffix(suffix).unlink()
    connection = sqlite3.connect(town.folder.index)
    connection.execute("DELETE FROM segments WHERE segment_id = ?", (row.segment_id,))
    connection.commit()
    connection.close()
    problems = [finding.what for finding in town.check().findings]
    assert any("the chain is broken" in what for what in problems)
    assert any("neither recorded" in what for what in problems)
    assert any("adds up" in what for what in problems)


def test_a_share_that_came_back_is_told_and_destroyed(town: Town) -> None:
    town.record(2, new_epoch=True)
    (epoch,) = town.shares()
    share = town.folder.epoch("plaza", epoch) / "share-1.age"
    content = share.read_bytes()
    town.pause(3600)
    town.keep_for(60)
    town.forget()
    share.parent.mkdir(exist_ok=True)
    share.write_bytes(content)
    assert [finding.what for finding in town.check().findings] == ["a share of an epoch that was destroyed"]
    town.forget()
    assert town.shares() == []
    town.assert_sound()
