"""A clip is what the segments show, from the picture one wants on, in one file that says what it is."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import av
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lamppost.playback.clip_boxes import SampleTable
from lamppost.playback.clips import FilesGone, NothingThere, SizesDiffer, make_clip
from lamppost.playback.parts import PartsShelf
from lamppost.playback.stretch import Stretch, find_stretch
from lamppost.record.fmp4 import boxes
from lamppost.store.footage import Footage
from masked_street import START_US, MaskedStreet

S = 1_000_000


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> MaskedStreet:
    """Four and a half seconds from 0 on, and two more from 10 on."""
    street = MaskedStreet(tmp_path_factory.mktemp("clips") / "data")
    street.record(45, START_US)
    street.record(20, START_US + 10 * S)
    return street


@pytest.fixture(scope="module")
def footage(street: MaskedStreet) -> Iterator[Footage]:
    with Footage(street.folder) as footage:
        yield footage


def stretch_of(footage: Footage, street: MaskedStreet, from_s: float, to_s: float) -> Stretch:
    return find_stretch(footage, PartsShelf(street.folder), "plaza", START_US + round(from_s * S), START_US + round(to_s * S))


def clip_of(stretch: Stretch) -> tuple[bytes, dict[str, str]]:
    with make_clip(stretch) as clip:
        content = b"".join(clip.blocks())
        assert len(content) == clip.size_bytes
    with av.open(io.BytesIO(content), "r") as container:
        return content, dict(container.metadata)


def greys(content: bytes) -> list[tuple[int, int]]:
    """Time on the clip's own line in tenths of a second, and the grey of each picture that is shown."""
    with av.open(io.BytesIO(content), "r") as container:
        pictures = list(container.decode(video=0))
    return [(round((picture.pts or 0) / 9000), round(float(picture.to_ndarray()[:64].mean()))) for picture in pictures]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(first=st.integers(-5, 125), lasts=st.integers(1, 130))
def test_it_shows_every_picture_of_the_interval_and_no_other(street: MaskedStreet, footage: Footage, first: int, lasts: int) -> None:
    stretch = stretch_of(footage, street, first / 10, (first + lasts) / 10)
    taken = [(n, 20 + n) for n in range(45)] + [(100 + n, 20 + n) for n in range(20)]
    expected = [grey for at, grey in taken if first <= at < first + lasts]
    if not expected:
        with pytest.raises(NothingThere):
            make_clip(stretch)
        return
    shown = greys(clip_of(stretch)[0])
    assert [grey for _, grey in shown] == expected
    assert [at for at, _ in shown] == list(range(len(expected))), "gaps are cut out"


def test_its_head_comes_first_and_the_pictures_are_the_files_own_bytes(street: MaskedStreet, footage: Footage) -> None:
    stretch = stretch_of(footage, street, 0, 20)
    content, _ = clip_of(stretch)
    assert [kind for kind, _, _ in boxes(content)] == [b"ftyp", b"moov", b"mdat"]
    (mdat,) = [content[start + 8 : end] for kind, start, end in boxes(content) if kind == b"mdat"]
    files = [piece.file.path.read_bytes() for piece in stretch.pieces]
    assert mdat == b"".join(data[start + 8 : end] for data in files for kind, start, end in boxes(data) if kind == b"mdat")


def test_the_same_interval_is_the_same_file(street: MaskedStreet, footage: Footage) -> None:
    with make_clip(stretch_of(footage, street, 1.5, 11)) as one, make_clip(stretch_of(footage, street, 1.5, 11)) as other:
        assert one.sha256() == other.sha256()
        assert one.sha256() == one.sha256(), "it can be read twice"


def test_it_says_what_it_is(street: MaskedStreet, footage: Footage) -> None:
    _, texts = clip_of(stretch_of(footage, street, 3, 11))
    assert texts["title"] == "plaza, 2023-11-14T22:13:23.000Z to 2023-11-14T22:13:31.000Z"
    assert "left out: 2023-11-14T22:13:24.500Z to 2023-11-14T22:13:30.000Z" in texts["comment"]
    assert texts["comment"].endswith("masked by Lamppost")
    assert "nothing left out" in clip_of(stretch_of(footage, street, 1, 3))[1]["comment"]


def test_a_picture_of_another_size_is_no_part_of_it(tmp_path: Path) -> None:
    street = MaskedStreet(tmp_path / "data")
    street.record(20, START_US)
    street.record(20, START_US + 2 * S, size_px=(64, 48))
    with Footage(street.folder) as footage:
        with pytest.raises(SizesDiffer) as found:
            make_clip(stretch_of(footage, street, 0, 4))
        spans = [((start - START_US) / S, (end - START_US) / S, width, height) for (start, end), width, height in found.value.spans]
        assert spans == [(0, 2, 96, 64), (2, 4, 64, 48)]
        for start, end, _, _ in spans:
            assert len(greys(clip_of(stretch_of(footage, street, start, end))[0])) == 20


def test_retention_may_delete_what_is_being_read(tmp_path: Path) -> None:
    street = MaskedStreet(tmp_path / "data")
    opened = street.record(40, START_US)
    with Footage(street.folder) as footage:
        stretch = stretch_of(footage, street, 0, 4)
        with make_clip(stretch) as clip:
            expected = clip.sha256()
            for each in opened:
                street.file(each).unlink()
            assert clip.sha256() == expected
        with pytest.raises(FilesGone):
            make_clip(stretch)


def test_a_clip_of_more_than_four_gigabytes_has_wide_offsets() -> None:
    from lamppost.playback.clip_boxes import ClipFacts, make_head

    table = SampleTable()
    for _ in range(5):
        table.add(1 << 30, 9000, 0, is_sync=True)
        table.chunks.append((1 << 30, 1, 1))
    head = make_head(ClipFacts(96, 64, (b"\0\0\0\x08avc1",), START_US, 0, "", ""), table)
    assert b"co64" in head
    assert head[-16:] == b"\0\0\0\x01mdat" + ((5 << 30) + 16).to_bytes(8, "big")
    position = head.index(b"co64") + 12
    assert int.from_bytes(head[position : position + 8], "big") == len(head)
    assert int.from_bytes(head[position + 32 : position + 40], "big") == len(head) + (4 << 30)
