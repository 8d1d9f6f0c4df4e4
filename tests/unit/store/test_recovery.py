"""After a death at any moment, recovery leaves whole files and an account without holes."""

import subprocess
import tarfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lamppost.base.clock import ManualClock
from lamppost.base.errors import StoreError
from lamppost.model.books import (
    Act,
    CoverOpened,
    FragmentWritten,
    GapClosed,
    GapOpened,
    JournalRecord,
    Rendition,
    SegmentClosed,
    SegmentEnd,
    SegmentOpened,
)
from lamppost.model.layout import DataFolder
from lamppost.record.chain import previous_record_sha256
from lamppost.record.segment_record import read_unverified, record_path
from lamppost.store.journal import JournalWriter, journal_files, scan_journal
from lamppost.store.recovery import Recovered, recover_writer
from street_books import FRAGMENT_US, Street, finisher


class Scene:
    """A recorder that can die and come back in one folder."""

    def __init__(self, root: Path) -> None:
        self.clock = ManualClock()
        self.folder = DataFolder(root)
        self.open_journal()

    def open_journal(self) -> None:
        self.journal = JournalWriter(self.folder.journal / "recorder", clock=self.clock)

    def street(self, camera: str = "plaza", rendition: Rendition = Rendition.SEALED) -> Street:
        return Street(self.folder, self.journal, self.clock, camera, rendition)

    def die(self) -> None:
        self.journal.close()
        self.clock.advance(30)
        self.open_journal()

    def recover(self) -> Recovered:
        return recover_writer(self.folder, "recorder", finish=finisher(self.folder), journal=self.journal, clock=self.clock)

    def records(self) -> list[JournalRecord]:
        paths = journal_files(self.folder.journal / "recorder")
        return [r for path in paths for r in scan_journal(path, skip_damage=True).records]


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path / "data")


def test_nothing_is_done_after_an_end_in_good_order(scene: Scene) -> None:
    street = scene.street()
    street.record()
    stopped = GapOpened("g", "plaza", "stopped", scene.clock.wall_us(), "")
    scene.journal.append(stopped)
    before = scene.records()
    scene.die()
    assert scene.recover() == Recovered((), (stopped,), (), (), (), ())
    assert scene.records() == before


def test_a_torn_segment_ends_after_its_last_whole_fragment(scene: Scene) -> None:
    street = scene.street()
    opened = street.open()
    whole = [street.write() for _ in range(3)]
    path = street.path
    street.write(is_journalled=False)
    with path.open("ab") as file:
        file.write(b"half a member")
    scene.die()
    done = scene.recover()
    assert [(c.segment_id, c.end, c.fragments) for c in done.closed] == [(opened.segment_id, SegmentEnd.RECOVERED, 3)]
    (gap,) = done.gaps
    assert (gap.camera, gap.cause, gap.start_us) == ("plaza", "recorder_died", whole[-1].end_us)
    assert read_unverified(record_path(path).read_bytes()).fragments == tuple(whole)
    assert path.stat().st_size == done.closed[0].size_bytes
    with tarfile.open(path) as tar:
        assert len(tar.getnames()) == 4
    listed = subprocess.run(["tar", "tf", str(path)], check=True, capture_output=True, text=True)
    assert listed.stderr == ""
    assert listed.stdout.split()[0] == "init.mp4.age"


@settings(max_examples=40, deadline=None)
@given(fragments=st.integers(0, 4), cut=st.floats(0, 1))
def test_after_a_cut_anywhere_the_tar_is_whole_and_the_gap_starts_where_it_ends(
    tmp_path_factory: pytest.TempPathFactory, fragments: int, cut: float
) -> None:
    scene = Scene(tmp_path_factory.mktemp("cut") / "data")
    street = scene.street()
    opened = street.open()
    written = [street.write() for _ in range(fragments)]
    path = street.path
    size = opened.header_bytes + round(cut * (street.size - opened.header_bytes))
    with path.open("r+b") as file:
        file.truncate(size)
    whole = [f for f in written if -(-(f.offset + f.length) // 512) * 512 <= size]
    scene.die()
    done = scene.recover()
    assert done.closed[0].fragments == len(whole)
    assert done.gaps[0].start_us == (whole[-1].end_us if whole else opened.wall_us)
    with tarfile.open(path) as tar:
        for fragment, item in zip(whole, tar.getmembers()[1:], strict=True):
            assert (item.offset_data, item.size) == (fragment.offset, fragment.length)
    scene.journal.close()


def test_a_changed_last_fragment_is_cut_off(scene: Scene) -> None:
    street = scene.street()
    street.open()
    first, second = street.write(), street.write()
    with street.path.open("r+b") as file:
        file.seek(second.offset + 30)
        file.write(b"\0\0\0")
    scene.die()
    done = scene.recover()
    assert done.closed[0].fragments == 1
    assert done.gaps[0].start_us == first.end_us


def test_a_masked_segment_is_ended_and_declares_no_gap(scene: Scene) -> None:
    street = scene.street(rendition=Rendition.MASKED)
    street.open()
    street.write()
    end = street.size
    cover = CoverOpened("c", "plaza", "starting", scene.clock.wall_us())
    scene.journal.append(cover)
    path = street.path
    with path.open("ab") as file:
        file.write(b"torn")
    scene.die()
    done = scene.recover()
    assert path.stat().st_size == end
    assert done.gaps == ()
    assert done.covers == (cover,)


@pytest.mark.parametrize("dies_before", [SegmentClosed, GapOpened, "finish"])
def test_a_death_in_recovery_is_recovered(scene: Scene, dies_before: object, monkeypatch: pytest.MonkeyPatch) -> None:
    street = scene.street()
    street.record()
    street.open()
    last = street.write()
    scene.die()
    real = JournalWriter.append

    def append(journal: JournalWriter, record: JournalRecord) -> None:
        if type(record) is dies_before:
            raise StoreError("dead")
        real(journal, record)

    def finish(opened: SegmentOpened, fragments: object, end: SegmentEnd) -> SegmentClosed:
        closed = finisher(scene.folder)(opened, fragments, end)  # type: ignore[arg-type]
        if dies_before == "finish":
            raise StoreError("dead")
        return closed

    with monkeypatch.context() as patch:
        patch.setattr(JournalWriter, "append", append)
        with pytest.raises(StoreError, match="dead"):
            recover_writer(scene.folder, "recorder", finish=finish, journal=scene.journal, clock=scene.clock)
    scene.die()
    done = scene.recover()
    assert [(gap.cause, gap.start_us) for gap in done.gaps] == [("recorder_died", last.end_us)]
    assert sum(isinstance(r, GapOpened) for r in scene.records()) == 1
    assert sum(isinstance(r, SegmentClosed) for r in scene.records()) == 2
    # The chain goes on over the recovered segment's own record.
    record = read_unverified(record_path(street.path).read_bytes())
    assert street.opened is not None
    assert record.previous_sha256 == previous_record_sha256(scene.folder, street.opened) != ""
    # And once more changes nothing.
    scene.die()
    assert scene.recover().closed == ()
    assert sum(isinstance(r, GapOpened) for r in scene.records()) == 1


def test_a_death_between_two_segments_is_declared(scene: Scene) -> None:
    closed = scene.street().record()
    scene.die()
    done = scene.recover()
    assert [(gap.cause, gap.start_us) for gap in done.gaps] == [("recorder_died", closed.end_us)]


def test_a_gap_that_a_fragment_ended_is_closed_where_that_starts(scene: Scene) -> None:
    street = scene.street()
    gap = GapOpened("g", "plaza", "starting", scene.clock.wall_us(), "")
    scene.journal.append(gap)
    scene.clock.advance(2)
    street.open()
    first = street.write()
    last = street.write()
    scene.die()
    done = scene.recover()
    assert GapClosed("g", first.start_us) in scene.records()
    assert [(g.cause, g.start_us) for g in done.gaps] == [("recorder_died", last.end_us)]


def test_an_open_gap_goes_on(scene: Scene) -> None:
    street = scene.street()
    street.open()
    street.write()
    gap = GapOpened("g", "plaza", "damaged", scene.clock.wall_us(), "")
    scene.journal.append(gap)
    scene.die()
    assert scene.recover().gaps == (gap,)


def test_of_two_open_gaps_the_later_takes_over(scene: Scene) -> None:
    scene.street().record()
    scene.journal.append(GapOpened("g1", "plaza", "damaged", 100, ""))
    second = GapOpened("g2", "plaza", "stopped", 300, "")
    scene.journal.append(second)
    scene.die()
    assert scene.recover().gaps == (second,)
    assert GapClosed("g1", 300) in scene.records()


def test_a_file_that_died_before_its_journal_record_is_dropped(scene: Scene) -> None:
    street = scene.street()
    street.record()
    street.open(is_journalled=False)
    orphan = street.path
    scene.die()
    done = scene.recover()
    assert done.dropped == (scene.folder.relative(orphan),)
    assert not orphan.exists()
    acts = [r for r in scene.records() if isinstance(r, Act)]
    assert [(act.kind, act.subject) for act in acts] == [("orphan_dropped", scene.folder.relative(orphan))]


@pytest.mark.parametrize("rendition", list(Rendition))
def test_a_file_with_footage_is_never_dropped(scene: Scene, rendition: Rendition) -> None:
    street = scene.street(rendition=rendition)
    street.record()
    street.open(is_journalled=False)
    street.write(is_journalled=False)
    scene.die()
    assert scene.recover().dropped == ()
    assert street.path.exists()


def test_a_file_of_another_writer_is_left_alone(scene: Scene) -> None:
    scene.street().record()
    with JournalWriter(scene.folder.journal / "recorder-2", clock=scene.clock) as other:
        street = Street(scene.folder, other, scene.clock)
        street.open()
        scene.die()
        assert scene.recover().dropped == ()
        assert street.path.exists()


def test_a_lost_file_is_told_and_does_not_stop_the_start(scene: Scene) -> None:
    street = scene.street()
    opened = street.open()
    street.write()
    street.path.unlink()
    scene.die()
    done = scene.recover()
    assert [(c.segment_id, c.size_bytes, c.record_sha256) for c in done.closed] == [(opened.segment_id, 0, "")]
    assert done.gaps[0].start_us == opened.wall_us
    assert any(isinstance(r, Act) and r.kind == "segment_lost" for r in scene.records())


def test_a_damaged_journal_does_not_stop_the_start(scene: Scene) -> None:
    street = scene.street()
    street.open()
    street.write()
    last = street.write()
    scene.journal.close()
    (path,) = journal_files(scene.folder.journal / "recorder")
    content = path.read_bytes()
    position = content.index(b'"fragment"') + 40  # in the first fragment's line
    path.write_bytes(content[:position] + bytes([content[position] ^ 1]) + content[position + 1 :])
    scene.open_journal()
    done = scene.recover()
    assert done.closed[0].end_us == last.end_us
    assert any(isinstance(r, Act) and r.kind == "journal_damaged" for r in scene.records())


def test_cameras_are_recovered_each_by_itself(scene: Scene) -> None:
    streets = [scene.street(camera) for camera in ("north", "south")]
    last: dict[str, FragmentWritten] = {}
    for street in streets:
        street.open()
        last[street.camera] = street.write()
    scene.die()
    gaps = {gap.camera: gap.start_us for gap in scene.recover().gaps}
    assert gaps == {camera: fragment.end_us for camera, fragment in last.items()}
    assert gaps["south"] - gaps["north"] == FRAGMENT_US
