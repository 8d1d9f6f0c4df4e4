"""Where fragments lie: as the record says, as the boxes say, and never past the last whole one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lamppost.base.errors import StoreError
from lamppost.playback.parts import PartsShelf, SegmentParts, read_parts
from lamppost.record.segment_record import record_path
from lamppost.store.footage import Footage, MaskedSegment
from masked_street import START_US, MaskedStreet

S = 1_000_000


@pytest.fixture
def street(tmp_path: Path) -> MaskedStreet:
    return MaskedStreet(tmp_path / "data")


def segments(street: MaskedStreet) -> tuple[MaskedSegment, ...]:
    with Footage(street.folder) as footage:
        return footage.segments(street.camera, 0, 1 << 61)


def read(street: MaskedStreet, segment: MaskedSegment) -> SegmentParts:
    found = read_parts(street.folder, segment)
    assert found is not None
    return found


def test_a_file_is_its_header_and_its_parts(street: MaskedStreet) -> None:
    street.record(75, START_US)
    found = [read(street, segment) for segment in segments(street)]
    assert [sum(part.frames for part in file.parts) for file in found] == [20, 20, 20, 15]
    for file in found:
        assert file.parts[0].offset == file.segment.header_bytes
        assert [part.offset + part.length for part in file.parts] == [part.offset for part in file.parts[1:]] + [file.path.stat().st_size]
        assert file.parts[0].decode_90k == 0
        assert (file.pictures.width_px, file.pictures.height_px) == (96, 64)
        assert file.pictures.codec.startswith("avc1.64")


def test_the_record_and_the_boxes_say_the_same(street: MaskedStreet) -> None:
    for opened in street.record(75, START_US):
        (segment,) = [each for each in segments(street) if each.segment_id == opened.segment_id]
        recorded = read(street, segment)
        record_path(street.file(opened)).unlink()
        assert read(street, segment) == recorded


def test_a_record_that_the_index_does_not_know_is_not_believed(street: MaskedStreet) -> None:
    (opened,) = street.record(10, START_US)
    (segment,) = segments(street)
    recorded = read(street, segment)
    note = record_path(street.file(opened))
    note.write_bytes(note.read_bytes().replace(b"fragment: ", b"fragment: 1"))
    assert read(street, segment).parts == recorded.parts


def test_an_open_file_is_read_up_to_what_the_index_knows(street: MaskedStreet) -> None:
    street.record(35, START_US, segment_s=60, is_left_open=True)
    (segment,) = segments(street)
    assert segment.is_open
    assert [part.start_us - START_US for part in read(street, segment).parts] == [0, 1 * S, 2 * S]
    first = read(street, segment).parts[0]
    shorter = replace(segment, size_bytes=first.offset + first.length)
    assert read(street, shorter).parts == (first,)


@pytest.fixture(scope="module", params=[True, False], ids=["open", "closed"])
def whole_file(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[MaskedStreet, SegmentParts, bytes]:
    street = MaskedStreet(tmp_path_factory.mktemp("torn") / "data")
    street.record(35, START_US, segment_s=60, is_left_open=request.param)
    whole = read(street, segments(street)[0])
    return street, whole, whole.path.read_bytes()


@settings(max_examples=100, deadline=None)
@given(cut=st.integers(0, 3000), claimed=st.integers(0, 4000))
def test_a_torn_file_never_gives_a_torn_fragment(whole_file: tuple[MaskedStreet, SegmentParts, bytes], cut: int, claimed: int) -> None:
    street, whole, content = whole_file
    segment = whole.segment
    whole.path.write_bytes(content[: segment.header_bytes + cut])
    found = read(street, replace(segment, size_bytes=min(segment.size_bytes, segment.header_bytes + claimed)))
    end = segment.header_bytes + min(cut, claimed)
    assert found.parts == tuple(part for part in whole.parts if part.offset + part.length <= end)


def test_what_is_no_video_is_told(street: MaskedStreet) -> None:
    (opened,) = street.record(10, START_US)
    street.file(opened).write_bytes(b"x" * 2000)
    with pytest.raises(StoreError, match="what its pictures are"):
        read(street, segments(street)[0])


def test_a_file_that_is_gone_is_none(street: MaskedStreet) -> None:
    (opened,) = street.record(10, START_US)
    street.file(opened).unlink()
    assert read_parts(street.folder, segments(street)[0]) is None


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(first=st.integers(-20, 90), lasts=st.integers(1, 90))
def test_an_interval_begins_with_a_keyframe_and_holds_all_of_it(tmp_path_factory: pytest.TempPathFactory, first: int, lasts: int) -> None:
    street = MaskedStreet(tmp_path_factory.getbasetemp() / "within" / "data")
    if not street.root.is_dir():
        street.record(60, START_US, segment_s=60)
    file = read(street, segments(street)[0])
    from_us, to_us = START_US + first * S // 10, START_US + (first + lasts) * S // 10
    found = file.within(from_us, to_us)
    shares = [part for part in file.parts if part.start_us < to_us and part.end_us > from_us]
    assert bool(found) == bool(shares)
    if found:
        assert found[0].is_sync
        assert found[0].start_us <= max(from_us, START_US)
        assert set(shares) <= set(found)
        assert all(part.start_us < to_us for part in found)
        assert from_us - found[0].start_us < 1 * S, "not further back than the keyframe"


def test_the_shelf_forgets_what_was_asked_for_first(street: MaskedStreet) -> None:
    opened = street.record(75, START_US)
    shelf = PartsShelf(street.folder, most_parts=4)
    found = segments(street)
    assert [len(file.parts) for file in map(shelf.of, found[:3]) if file] == [2, 2, 2]
    for each in opened:
        street.file(each).unlink()
    assert shelf.of(found[0]) is None, "two files hold four parts"
    assert shelf.of(found[2]) is not None
    assert shelf.of(found[1]) is not None
