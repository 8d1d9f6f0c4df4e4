"""`check` is silent about a sound folder, and names each single thing that is wrong."""

import os
import re
import shutil
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lamppost.base.clock import ManualClock
from lamppost.base.errors import DataFolderBusy, StoreError
from lamppost.model.books import CoverClosed, CoverOpened, GapClosed, GapOpened, Rendition, SegmentEnd
from lamppost.model.layout import DataFolder
from lamppost.store.bookkeeping import Bookkeeper
from lamppost.store.check import check
from lamppost.store.check_report import CheckReport, Findings, Severity
from lamppost.store.index import Index
from lamppost.store.journal import JournalWriter, journal_files
from street_books import FRAMES, Street, check_tools

S = 1_000_000


class House:
    """A data folder after a recorder's and an analyst's day."""

    def __init__(self, root: Path) -> None:
        self.folder = DataFolder(root)
        self.clock = ManualClock()
        start_us = self.clock.wall_us()
        with JournalWriter(self.folder.journal / "recorder", clock=self.clock) as journal:
            journal.append(GapOpened("g0", "plaza", "starting", start_us, ""))
            self.clock.advance(2)
            journal.append(GapClosed("g0", self.clock.wall_us()))
            street = Street(self.folder, journal, self.clock)
            self.epoch = street.seal_epoch()
            self.closed = [street.record() for _ in range(3)]
            journal.append(GapOpened("g1", "plaza", "stopped", self.clock.wall_us(), ""))
        masked_clock = ManualClock(start_us + 2 * S)
        with JournalWriter(self.folder.journal / "analyst", clock=masked_clock) as journal:
            journal.append(CoverOpened("c0", "plaza", "starting", start_us + 2 * S))
            Street(self.folder, journal, masked_clock, rendition=Rendition.MASKED).record(6)
            journal.append(CoverClosed("c0", start_us + 3 * S))
        self.apply()
        self.clock.advance(10)

    def apply(self) -> None:
        with Bookkeeper(self.folder, self.clock) as bookkeeper:
            bookkeeper.apply_new()

    def check(self, *, repair: bool = False, deep: bool = True) -> CheckReport:
        return check(self.folder, clock=self.clock, tools=check_tools(self.folder, self.clock), repair=repair, deep=deep)

    def sealed(self, number: int = 1, suffix: str = ".tar") -> Path:
        return sorted((self.folder.root / "sealed").glob("plaza/*/*.tar"), key=_sequence)[number].with_suffix(suffix)

    def masked(self) -> Path:
        (path,) = (self.folder.root / "masked").glob("plaza/*/*.mp4")
        return path

    def sql(self, statement: str) -> None:
        connection = sqlite3.connect(self.folder.index)
        try:
            connection.execute(statement)
            connection.commit()
        finally:
            connection.close()


def _sequence(path: Path) -> int:
    text = path.with_suffix(".record").read_text() if path.with_suffix(".record").exists() else "sequence: 99\n"
    return int(text.split("sequence: ")[1].split("\n")[0])


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path / "data")


def _problems(report: CheckReport) -> list[str]:
    return [f"{finding.what} | {finding.where}" for finding in report.findings if finding.severity is not Severity.NOTE]


def test_a_sound_folder_is_clean_and_its_account_adds_up(house: House) -> None:
    report = house.check()
    assert report.is_clean
    assert report.findings == ()
    assert not report.is_live
    counts = report.counts
    assert (counts.segments, counts.open_segments, counts.fragments, counts.epochs, counts.shares) == (4, 0, 15, 1, 3)
    assert (counts.gaps, counts.covers, counts.journal_files) == (2, 1, 2)
    assert counts.hashed_bytes > 1000
    (account,) = report.accounts
    assert (account.recorded_us, account.masked_us, account.covered_us, account.gap_us) == (9 * S, 6 * S, S, 12 * S)
    assert (account.frames, account.unexplained_us) == (9 * FRAMES, 0)
    assert house.check(deep=False).counts.hashed_bytes == 0
    assert house.check(repair=True).repaired == ()


def _flip(path: Path, position: int) -> None:
    content = bytearray(path.read_bytes())
    content[position] ^= 0x40
    path.write_bytes(content)


def _take_out(house: House) -> None:
    path, record = house.sealed(), house.sealed(1, ".record")
    house.sql("DELETE FROM segments WHERE rendition = 'sealed' AND sequence = 1")
    path.unlink()
    record.unlink()


BREAKAGES: dict[str, tuple[Callable[[House], object], str]] = {
    "file gone": (lambda h: h.sealed().unlink(), "the file of a segment is missing"),
    "masked file gone": (lambda h: h.masked().unlink(), "the file of a segment is missing"),
    "file cut": (lambda h: os.truncate(h.sealed(), 2048), "the file has 2048 bytes"),
    "byte changed": (lambda h: _flip(h.sealed(), h.sealed().read_bytes().index(b" 2 ") + 1), "fragment 2"),
    "header changed": (lambda h: _flip(h.sealed(), 1200), "fragment 1|header|tar"),
    "masked byte changed": (lambda h: _flip(h.masked(), h.masked().stat().st_size - 3), "fragment 6"),
    "record gone": (lambda h: h.sealed(1, ".record").unlink(), "a segment has no record"),
    "record changed": (lambda h: _flip(h.sealed(1, ".record"), 60), "cannot be read|canonical|differ|not signed|not the one"),
    "signature changed": (lambda h: _flip(h.sealed(1, ".record"), -3), "not signed by the recorder"),
    "segment taken out": (lambda h: _take_out(h), "the chain is broken"),
    "row gone": (lambda h: h.sql("DELETE FROM segments WHERE rendition = 'sealed' AND sequence = 1"), "a segment is not in the index"),
    "row changed": (lambda h: h.sql("UPDATE segments SET frames = 7 WHERE sequence = 1"), "differ in frames"),
    "stray tar": (lambda h: shutil.copy(h.sealed(), h.sealed().with_name("stray.tar")), "a file with footage that no journal names"),
    "plaintext": (lambda h: (h.sealed().parent / "clip.mp4").write_bytes(b"ftyp"), "no sealed segment"),
    "stray record": (lambda h: (h.sealed().parent / "x.record").write_bytes(b""), "the file of a record is missing"),
    "share gone": (lambda h: (h.folder.epoch("plaza", h.epoch.epoch_id) / "share-2.age").unlink(), "a share is missing"),
    "share changed": (lambda h: _flip(h.folder.epoch("plaza", h.epoch.epoch_id) / "share-1.age", 3), "a share is not what was sealed"),
    "share too many": (lambda h: (h.folder.epoch("plaza", h.epoch.epoch_id) / "share-9.age").write_bytes(b""), "no share of this epoch"),
    "seal note gone": (lambda h: (h.folder.epoch("plaza", h.epoch.epoch_id) / "seal.note").unlink(), "the seal note is missing"),
    "epoch gone": (lambda h: shutil.rmtree(h.folder.epoch("plaza", h.epoch.epoch_id)), "the shares of an epoch are missing"),
    "epoch row gone": (
        lambda h: (h.sql("DELETE FROM epoch_shares"), h.sql("DELETE FROM epochs")),
        "sealed to an epoch that the index does not know",
    ),
    "shares of nobody": (lambda h: (h.folder.vault / "plaza" / "other").mkdir(), "belongs to no epoch"),
    "gap forgotten": (lambda h: h.sql("DELETE FROM gaps WHERE gap_id = 'g1'"), r"10\.000 s from .* neither recorded nor"),
    "journal not applied": (lambda h: h.sql("UPDATE journal_offsets SET offset_bytes = 0"), "not in the index yet"),
    "journal damaged": (lambda h: _flip(journal_files(h.folder.journal / "recorder")[0], 40), "the checksum does not match"),
    "dangling row": (lambda h: h.sql("DELETE FROM cameras"), "refers to nothing"),
}


@pytest.mark.parametrize("name", BREAKAGES)
def test_each_breakage_is_named(house: House, name: str) -> None:
    breaking, expected = BREAKAGES[name]
    breaking(house)
    problems = _problems(house.check())
    assert problems
    assert any(re.search(expected, problem) for problem in problems), problems


REPAIRABLE = ("row gone", "epoch row gone", "journal not applied")


@pytest.mark.parametrize("name", REPAIRABLE)
def test_repair_mends_the_index(house: House, name: str) -> None:
    BREAKAGES[name][0](house)
    report = house.check(repair=True)
    assert report.is_clean, _problems(report)
    assert report.repaired
    assert house.check().is_clean


@pytest.mark.parametrize("name", sorted(set(BREAKAGES) - set(REPAIRABLE)))
def test_repair_hides_nothing_and_deletes_no_footage(house: House, name: str) -> None:
    BREAKAGES[name][0](house)
    files = {path for kind in ("sealed", "masked", "vault") for path in (house.folder.root / kind).rglob("*") if path.is_file()}
    house.check(repair=True)
    assert all(path.exists() for path in files)
    if name != "dangling row":  # the index was made anew
        assert not house.check().is_clean


def test_a_lost_index_is_made_again_from_journals_and_records(house: House) -> None:
    shutil.rmtree(house.folder.index.parent)
    with pytest.raises(StoreError, match="no index"):
        house.check()
    for path in journal_files(house.folder.journal / "analyst"):
        path.unlink()  # applied long ago
    report = house.check(repair=True)
    assert report.is_clean, _problems(report)
    with Index(house.folder) as index:
        assert len(index.segments()) == 4
        assert index.epochs() == (house.epoch,)
        assert len(index.gaps()) == 2


def test_a_damaged_index_is_set_aside(house: House) -> None:
    content = bytearray(house.folder.index.read_bytes())
    content[4096 * 2 : 4096 * 6] = os.urandom(4096 * 4)
    house.folder.index.write_bytes(content)
    report = house.check(repair=True)
    assert report.is_clean, _problems(report)
    assert any("set the damaged index aside" in line for line in report.repaired)
    assert list(house.folder.index.parent.glob("index.db.damaged-*"))


def test_what_a_dead_recorder_left_is_told_and_repaired(house: House) -> None:
    with JournalWriter(house.folder.journal / "recorder", clock=house.clock) as journal:
        street = Street(house.folder, journal, house.clock, epoch_id=house.epoch.epoch_id)
        street.open()
        street.write()
        street.write(is_journalled=False)
    house.apply()
    house.clock.advance(5)
    assert any("never ended" in problem for problem in _problems(house.check()))
    report = house.check(repair=True)
    assert report.is_clean, _problems(report)
    assert dict(report.accounts[0].gap_us_by_cause)["starting"] == 2 * S
    with Index(house.folder) as index:
        assert index.segments(rendition=Rendition.SEALED)[-1].end_reason == SegmentEnd.RECOVERED


def test_a_header_alone_is_removed_by_repair(house: House) -> None:
    with JournalWriter(house.folder.journal / "recorder", clock=house.clock) as journal:
        street = Street(house.folder, journal, house.clock, camera="new")
        street.open(is_journalled=False)
    house.apply()
    assert any("without footage" in problem for problem in _problems(house.check()))
    assert house.check(repair=True).is_clean
    assert not street.path.exists()


def test_an_epoch_prepared_and_never_used_is_in_order(house: House) -> None:
    with JournalWriter(house.folder.journal / "recorder", clock=house.clock) as journal:
        Street(house.folder, journal, house.clock).seal_epoch(is_journalled=False)
    report = house.check()
    assert report.is_clean
    assert [finding.what for finding in report.findings] == ["an epoch was prepared and never used"]
    (house.folder.vault / "plaza" / ".staging-x").mkdir()
    report = house.check(repair=True)
    assert report.is_clean
    assert report.findings == ()


def test_while_processes_write_what_is_open_is_not_judged(house: House) -> None:
    with JournalWriter(house.folder.journal / "recorder", clock=house.clock) as journal:
        journal.append(GapClosed("g1", house.clock.wall_us()))
        street = Street(house.folder, journal, house.clock, epoch_id=house.epoch.epoch_id)
        street.open()
        street.write()
        with Bookkeeper(house.folder, house.clock) as bookkeeper:
            bookkeeper.apply_new()
            street.write()
            report = house.check()
            assert report.is_live
            assert report.is_clean, _problems(report)
            assert report.counts.open_segments == 1
        with pytest.raises(DataFolderBusy, match="in use"):
            house.check(repair=True)


def test_findings_are_bounded() -> None:
    findings = Findings()
    for number in range(1100):
        findings.error("wrong", str(number))
    assert (len(findings.found), findings.left_out) == (1000, 100)


@pytest.mark.parametrize("skipped", [0, 3], ids=["next", "after some that could not be begun"])
def test_a_segment_that_recovery_ended_after_its_successor_breaks_no_chain(house: House, skipped: int) -> None:
    with JournalWriter(house.folder.journal / "recorder", clock=house.clock) as journal:
        late = Street(house.folder, journal, house.clock, epoch_id=house.epoch.epoch_id)
        late.open()
        late.write()  # and a full disk keeps it from being ended
        after = Street(house.folder, journal, house.clock, epoch_id=house.epoch.epoch_id)
        opened = after.open(is_journalled=False)
        after.opened = replace(opened, sequence=opened.sequence + 1 + skipped)
        journal.append(after.opened)
        after.write()
        after.close()
    house.apply()
    report = house.check(repair=True)
    assert report.is_clean, _problems(report)


def test_an_unreadable_file_is_named_and_the_others_are_checked(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    refused = {house.sealed(0), house.folder.epoch("plaza", house.epoch.epoch_id) / "share-1.age"}
    whole = house.check().counts.fragments
    real = Path.open

    def refuse(path: Path, *arguments: Any, **options: Any) -> Any:
        if path in refused:
            raise PermissionError(13, "Permission denied", str(path))
        return real(path, *arguments, **options)

    monkeypatch.setattr(Path, "open", refuse)
    report = house.check()
    assert sum("cannot be read: Permission denied" in problem for problem in _problems(report)) == 2
    assert report.counts.fragments == whole
