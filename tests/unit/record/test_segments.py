"""Segments lose no frame, name what they hold, and can be cut anywhere."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import io
import os
import subprocess
import tarfile
from pathlib import Path

import av
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from camera_packets import START_US, encode, is_parameter_set
from lamppost.base.annexb import nal_units
from lamppost.base.errors import SealError, ShareMismatch, StoreError
from lamppost.model.books import FragmentWritten, Rendition, SegmentClosed, SegmentEnd, SegmentOpened
from lamppost.model.media import Codec, Packet
from lamppost.record import segment_record, segments
from lamppost.record.chain import load_chain
from lamppost.record.endings import MOST_UNENDED
from lamppost.record.segment_record import finish_segment, record_path, verify_record, whole_length
from lamppost.record.segments import SegmentWriter
from lamppost.record.tar import whole_members
from lamppost.store.check_files import FileCheck
from lamppost.store.check_report import CheckTools, Finding, Findings
from recorded import Recording, unseal, verify


def units(samples: list[bytes]) -> list[bytes]:
    found = []
    for sample in samples:
        while sample:
            length = int.from_bytes(sample[:4], "big")
            found.append(sample[4 : 4 + length])
            sample = sample[4 + length :]
    return [u for u in found if not is_parameter_set(Codec.H264, u)]


def demux(content: bytes) -> list[av.Packet]:
    with av.open(io.BytesIO(content)) as opened:
        return [packet for packet in opened.demux(video=0) if packet.size]


def write_all_of(writer: SegmentWriter, packets: tuple[Packet, ...]) -> None:
    for packet in packets:
        writer.write(packet)


def sent_units() -> list[bytes]:
    return [u for p in encode(frames=125)[1] for u in nal_units(p.data) if not is_parameter_set(Codec.H264, u)]


def test_a_sealed_run_opens_to_what_was_sent(tmp_path: Path) -> None:
    recording = Recording(tmp_path)
    recording.record(Rendition.SEALED)
    assert len(recording.opened()) == 3
    video = b""
    for number, opened in enumerate(recording.opened()):
        with tarfile.open(recording.file(opened)) as archive:
            members = [(m.name, unseal(archive.extractfile(m).read())) for m in archive]
        assert members[0][0] == "init.mp4.age"
        assert [name for name, _ in members] == sorted(name for name, _ in members)
        video += b"".join(content for _, content in (members if number == 0 else members[1:]))
    samples = demux(video)
    assert units([bytes(s) for s in samples]) == sent_units()
    assert [s.pts for s in samples] == [p.pts_90k for p in encode(frames=125)[1]]


def test_each_masked_segment_plays_by_itself_from_zero(tmp_path: Path) -> None:
    recording = Recording(tmp_path)
    recording.record(Rendition.MASKED)
    samples = [demux(recording.file(opened).read_bytes()) for opened in recording.opened()]
    assert [len(found) for found in samples] == [50, 50, 25]
    assert all(found[0].pts == 0 for found in samples)
    assert units([bytes(s) for found in samples for s in found]) == sent_units()


@pytest.mark.parametrize("rendition", list(Rendition))
def test_the_books_say_what_the_file_holds(tmp_path: Path, rendition: Rendition) -> None:
    recording = Recording(tmp_path)
    recording.record(rendition)
    previous = ""
    for sequence, (opened, closed) in enumerate(zip(recording.opened(), recording.closed(), strict=True)):
        content = recording.file(opened).read_bytes()
        fragments = recording.fragments(opened.segment_id)
        assert hashlib.sha256(content[: opened.header_bytes]).hexdigest() == opened.header_sha256
        for part in fragments:
            assert hashlib.sha256(content[part.offset : part.offset + part.length]).hexdigest() == part.sha256
        note = record_path(recording.file(opened)).read_bytes()
        record = verify_record(note, verify)
        assert record.fragments == tuple(fragments)
        assert (record.sequence, record.previous_sha256) == (sequence, previous)
        assert (opened.sequence, closed.size_bytes, closed.record_sha256) == (sequence, len(content), hashlib.sha256(note).hexdigest())
        assert closed.frames == sum(part.frames for part in fragments)
        assert recording.file(opened).stat().st_mode & 0o777 == 0o640
        previous = closed.record_sha256
    starts = [recording.fragments(o.segment_id)[0].start_us for o in recording.opened()]
    ends = [recording.fragments(o.segment_id)[-1].end_us for o in recording.opened()]
    assert starts == [START_US + s * 1_000_000 for s in (0, 2, 4)]
    assert ends == [*starts[1:], START_US + 5_000_000]
    assert [c.end for c in recording.closed()] == [SegmentEnd.ROTATED, SegmentEnd.ROTATED, SegmentEnd.STOPPED]
    chain = load_chain(recording.folder, "plaza", rendition)
    assert (chain.take(), chain.previous_sha256) == (3, previous)


def test_a_new_epoch_begins_a_new_segment(tmp_path: Path) -> None:
    recording = Recording(tmp_path, epoch_s=3.0)
    recording.record(Rendition.SEALED, segment_s=60.0)
    epochs = [opened.epoch_id for opened in recording.opened()]
    assert len(epochs) == len(set(epochs)) == 2 or len(epochs) == 3
    assert sum(closed.frames for closed in recording.closed()) == 125


def test_the_file_is_durable_before_it_is_journalled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recording, calls = Recording(tmp_path), []
    real_fsync, real_write = os.fsync, segments.write_all
    monkeypatch.setattr(os, "fsync", lambda fd: (calls.append("fsync"), real_fsync(fd))[1])
    monkeypatch.setattr(segments, "write_all", lambda fd, content: (calls.append("write"), real_write(fd, content))[1])
    recording.books = Listening(calls)
    recording.record(Rendition.SEALED, encode(frames=25)[1])
    start = calls.index("write")
    assert calls[start : start + 4] == ["write", "fsync", "fsync", "SegmentOpened"]
    rest = calls[start + 4 :]
    assert rest[:2] == ["write", "FragmentWritten"]
    assert rest[-1] == "SegmentClosed"
    assert rest.count("fsync") >= 4  # the file, its folder, the record, its folder


class Listening(list):  # type: ignore[type-arg]
    def __init__(self, calls: list[str]) -> None:
        super().__init__()
        self.calls = calls

    def append(self, record: object) -> None:
        self.calls.append(type(record).__name__)
        super().append(record)


def test_bytes_are_synced_at_the_interval(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recording, synced = Recording(tmp_path), []
    monkeypatch.setattr(os, "fdatasync", lambda fd: synced.append(recording.clock.monotonic_s()))
    recording.record(Rendition.SEALED, encode(frames=400)[1], segment_s=60.0)
    assert len(synced) == 2
    assert all(later - earlier <= 6.1 for earlier, later in zip([0.9, *synced], synced, strict=False))


def test_a_full_disk_leaves_whole_fragments_and_no_hidden_gap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recording = Recording(tmp_path)
    parameters, packets = encode(frames=125)
    writer = recording.writer(Rendition.SEALED, parameters, segment_s=60.0)
    for packet in packets[:60]:
        writer.write(packet)

    def fill(descriptor: int, content: bytes) -> None:
        os.write(descriptor, content[: len(content) // 2])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(segments, "write_all", fill)
        with pytest.raises(StoreError, match=r"plaza: cannot write .*No space left on device — free some space"):
            write_all_of(writer, packets[60:])
    with pytest.raises(StoreError, match="closed"):
        writer.write(packets[100])
    writer.close(SegmentEnd.RUN_ENDED)
    assert writer.last_end_us == START_US + 2_000_000
    (closed,) = recording.closed()
    assert (closed.frames, closed.end_us) == (50, START_US + 2_000_000)
    with tarfile.open(recording.file(recording.opened()[0])) as archive:
        assert len(archive.getnames()) == 3


def test_what_a_full_disk_kept_from_ending_is_ended_before_the_next_segment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recording = Recording(tmp_path)
    parameters, packets = encode(frames=125)
    recording.record(Rendition.SEALED, packets[:50])
    writer = recording.writer(Rendition.SEALED, parameters, run_id="run-2", segment_s=60.0)
    write_all_of(writer, packets[50:])
    with monkeypatch.context() as patched:
        patched.setattr(segment_record, "write_all", _full)
        with pytest.raises(StoreError, match="cannot end the segment"):
            writer.close(SegmentEnd.RUN_ENDED)
    assert len(recording.closed()) == len(recording.opened()) - 1
    recording.record(Rendition.SEALED, packets[:50])
    assert [closed.segment_id for closed in recording.closed()] == [opened.segment_id for opened in recording.opened()]
    assert [closed.end for closed in recording.closed()] == [SegmentEnd.STOPPED, SegmentEnd.RUN_ENDED, SegmentEnd.STOPPED]
    assert _check_chain(recording) == []
    assert recording.chain.unended == []


def test_what_cannot_be_ended_keeps_nothing_from_being_recorded_and_is_ended_behind_it(tmp_path: Path) -> None:
    recording = Recording(tmp_path)
    recording.record(Rendition.SEALED, encode(frames=50)[1])
    parameters, packets = encode(frames=125)
    writer = recording.writer(Rendition.SEALED, parameters, run_id="run-2", segment_s=60.0)
    write_all_of(writer, packets[:75])
    unended = recording.opened()[-1]
    path = recording.file(unended)
    path.rename(path.with_suffix(".away"))
    with pytest.raises(StoreError):
        writer.close(SegmentEnd.RUN_ENDED)
    recording.record(Rendition.SEALED, packets[:50])
    assert unended.segment_id not in [closed.segment_id for closed in recording.closed()]
    path.with_suffix(".away").rename(path)
    recording.record(Rendition.SEALED, packets[:50])
    assert {closed.segment_id: closed.end for closed in recording.closed()}[unended.segment_id] is SegmentEnd.RECOVERED
    assert {closed.segment_id for closed in recording.closed()} == {opened.segment_id for opened in recording.opened()}
    assert _check_chain(recording) == []


@pytest.mark.parametrize("refused", [SegmentOpened, SegmentClosed])
def test_what_the_journal_refused_is_said_again_before_another_file_is_made(tmp_path: Path, refused: type) -> None:
    recording = Recording(tmp_path)
    parameters, packets = encode(frames=50)
    writer = recording.writer(Rendition.SEALED, parameters)
    recording.refuses = refused
    with contextlib.suppress(StoreError):
        write_all_of(writer, packets)
    with contextlib.suppress(StoreError):
        writer.close(SegmentEnd.RUN_ENDED)
    for _ in range(3):
        with pytest.raises(StoreError, match="the journal is full"):
            recording.record(Rendition.SEALED, packets)
    assert len(list(tmp_path.rglob("*.tar"))) == 1
    recording.refuses = None
    recording.record(Rendition.SEALED, packets)
    assert [closed.segment_id for closed in recording.closed()] == [opened.segment_id for opened in recording.opened()]
    assert len(recording.closed()) == len(list(tmp_path.rglob("*.tar"))) == 2
    assert _check_chain(recording) == []


def test_so_many_wait_for_their_end_and_no_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recording = Recording(tmp_path)
    parameters, packets = encode(frames=50)
    monkeypatch.setattr(segment_record, "write_all", _full)
    for number in range(MOST_UNENDED + 2):
        writer = recording.writer(Rendition.SEALED, parameters, run_id=f"run-{number}")
        write_all_of(writer, packets)
        with pytest.raises(StoreError):
            writer.close(SegmentEnd.RUN_ENDED)
    assert [segment.opened for segment in recording.chain.unended] == recording.opened()[2:]


def _full(_descriptor: int, _content: bytes) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _check_chain(recording: Recording) -> list[Finding]:
    """What `lamppost check` says of the chain."""
    findings = Findings()
    notes = [record_path(recording.file(opened)).read_bytes() for opened in recording.opened()]
    tools = CheckTools(lambda note: verify_record(note, verify), lambda note: None, lambda writer: None)  # type: ignore[arg-type, return-value]
    FileCheck(recording.folder, tools, findings, deep=False).check_chain(
        "plaza", [(verify_record(note, verify), hashlib.sha256(note).hexdigest()) for note in notes]
    )
    return findings.found


def test_a_segment_that_cannot_be_begun_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recording = Recording(tmp_path)
    parameters, packets = encode(frames=125)

    def fill(descriptor: int, content: bytes) -> None:
        os.write(descriptor, content[:100])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(segments, "write_all", fill)
    writer = recording.writer(Rendition.SEALED, parameters)
    with pytest.raises(StoreError, match="No space left"):
        write_all_of(writer, packets)
    writer.close(SegmentEnd.RUN_ENDED)
    assert recording.books == []
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_no_epoch_no_segment(tmp_path: Path) -> None:
    recording = Recording(tmp_path)
    parameters, packets = encode(frames=125)
    writer = recording.writer(Rendition.SEALED, parameters)
    writer._sealing = lambda _wall_us: (_ for _ in ()).throw(SealError("no epoch"))
    with pytest.raises(SealError, match="no epoch"):
        write_all_of(writer, packets)
    writer.close(SegmentEnd.RUN_ENDED)
    assert recording.books == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("rendition", list(Rendition))
@given(cut=st.floats(0, 1), is_finished=st.booleans())
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_cut_anywhere_what_was_journalled_is_readable(
    tmp_path_factory: pytest.TempPathFactory, rendition: Rendition, cut: float, is_finished: bool
) -> None:
    recording = Recording(tmp_path_factory.mktemp("cut"))
    recording.record(rendition, encode(frames=100)[1], segment_s=60.0)
    (opened,) = recording.opened()
    path, content = recording.file(opened), recording.file(opened).read_bytes()
    size = opened.header_bytes + round(cut * (len(content) - opened.header_bytes))
    os.truncate(path, size)
    whole = [part for part in recording.fragments(opened.segment_id) if whole_length(opened, [part]) <= size]
    if is_finished:
        record_path(path).unlink()
        arguments = {"folder": recording.folder, "opened": opened, "fragments": whole, "end": SegmentEnd.RECOVERED}
        closed = finish_segment(**arguments, previous_sha256="", sign=lambda text: text + b"\n")
        assert closed == finish_segment(**arguments, previous_sha256="", sign=lambda text: text + b"\n")
        assert (closed.frames, closed.size_bytes) == (sum(part.frames for part in whole), path.stat().st_size)
    if rendition is Rendition.SEALED:
        with path.open("rb") as file:
            found = list(whole_members(file))
            parts = [unseal(os.pread(file.fileno(), m.length, m.offset)) for m in found]
        assert [m.offset for m in found[1:]] == [part.offset for part in whole]
        video = b"".join(parts)
    else:
        # FFmpeg refuses a file that ends inside a `moof`; what lies past the last whole fragment nobody reads.
        video = path.read_bytes()[: whole_length(opened, whole)]
    if whole:
        assert len(demux(video)) == sum(part.frames for part in whole)


def test_a_file_shorter_than_its_books_is_no_segment(tmp_path: Path) -> None:
    recording = Recording(tmp_path)
    recording.record(Rendition.MASKED, encode(frames=50)[1])
    (opened,) = recording.opened()
    os.truncate(recording.file(opened), opened.header_bytes + 10)
    with pytest.raises(StoreError, match="its fragments need"):
        finish_segment(
            folder=recording.folder,
            opened=opened,
            fragments=recording.fragments(opened.segment_id),
            end=SegmentEnd.RECOVERED,
            previous_sha256="",
            sign=lambda text: text,
        )


@pytest.mark.parametrize(
    ("old", "new"), [(b"frames: ", b"Frames: "), (b"sequence: 0", b"sequence: +0"), (b"v1", b"v2"), (b"fragments: ", b"parts: ")]
)
def test_a_record_has_one_form_only(tmp_path: Path, old: bytes, new: bytes) -> None:
    recording = Recording(tmp_path)
    recording.record(Rendition.SEALED, encode(frames=25)[1])
    note = record_path(recording.file(recording.opened()[0])).read_bytes()
    with pytest.raises(ShareMismatch):
        verify_record(note.replace(old, new, 1), verify)


@pytest.mark.debian
@pytest.mark.parametrize("locale", ["C", "C.UTF-8", "en_US.UTF-8"])
def test_a_growing_tar_unpacks_in_playing_order(tmp_path: Path, locale: str) -> None:
    recording = Recording(tmp_path)
    parameters, packets = encode(frames=125)
    writer = recording.writer(Rendition.SEALED, parameters, segment_s=60.0)
    for packet in packets[:110]:
        writer.write(packet)
    path = recording.file(recording.opened()[0])
    (tmp_path / "out").mkdir()
    script = f'tar xf "{path}" && for f in *.age; do echo $f; done'
    done = subprocess.run(
        ["sh", "-c", script], cwd=tmp_path / "out", env={**os.environ, "LC_ALL": locale}, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["init.mp4.age", *(f"part-{n:08d}.m4s.age" for n in range(1, 5))]
    assert "rror" not in done.stderr
    writer.close(SegmentEnd.STOPPED)
    assert [type(r) for r in recording.books][:2] == [SegmentOpened, FragmentWritten]
    assert isinstance(recording.books[-1], SegmentClosed)
