"""Bytes of a file with its times shifted are the same bytes but for the times, wherever one begins to read."""

from __future__ import annotations

import io
from pathlib import Path

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lamppost.base.errors import StoreError
from lamppost.playback import segment_bytes
from lamppost.playback.parts import SegmentParts, read_parts
from lamppost.playback.segment_bytes import blocks_of, open_segment, shifted
from lamppost.store.footage import Footage
from masked_street import START_US, MaskedStreet


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> SegmentParts:
    street = MaskedStreet(tmp_path_factory.mktemp("bytes") / "data")
    street.record(40, START_US, segment_s=60)
    with Footage(street.folder) as footage:
        found = read_parts(street.folder, footage.segments("plaza", 0, 1 << 61)[0])
    assert found is not None
    return found


def whole(file: SegmentParts, shift_90k: int) -> bytes:
    return b"".join(shifted(iter([file.path.read_bytes()]), 0, file, shift_90k))


def test_every_picture_is_so_much_later(file: SegmentParts) -> None:
    def times(content: bytes) -> list[int]:
        with av.open(io.BytesIO(content), "r") as container:
            return [packet.pts for packet in container.demux(video=0) if packet.pts is not None]

    assert times(file.path.read_bytes()) == [9000 * number for number in range(40)]
    assert times(whole(file, 1 << 33)) == [(1 << 33) + 9000 * number for number in range(40)]
    assert whole(file, 0) == file.path.read_bytes()


@given(st.data(), st.integers(0, 1 << 40), st.integers(1, 900))
def test_a_range_of_it_is_that_range(file: SegmentParts, data: st.DataObject, shift_90k: int, block: int) -> None:
    size = file.segment.size_bytes
    start = data.draw(st.integers(0, size - 1))
    end = data.draw(st.integers(start + 1, size))
    content = file.path.read_bytes()
    blocks = (content[at : min(at + block, end)] for at in range(start, end, block))
    assert b"".join(shifted(blocks, start, file, shift_90k)) == whole(file, shift_90k)[start:end]


def test_it_is_read_in_blocks(file: SegmentParts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segment_bytes, "BLOCK_BYTES", 100)
    opened = open_segment(file)
    assert opened is not None
    with opened:
        blocks = list(blocks_of(opened, 50, 1030))
        assert b"".join(blocks) == file.path.read_bytes()[50:1080]
        assert {len(block) for block in blocks[:-1]} == {100}
        with pytest.raises(StoreError, match="shorter"):
            list(blocks_of(opened, file.segment.size_bytes - 10, 20))


def test_what_is_no_fragment_is_not_changed_unseen(file: SegmentParts, tmp_path: Path) -> None:
    content = bytearray(file.path.read_bytes())
    content[file.parts[1].offset + 60 + 7] ^= 1
    with pytest.raises(StoreError, match="not what its record says"):
        list(shifted(iter([bytes(content)]), 0, file, 1))
