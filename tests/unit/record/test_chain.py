"""The chain goes on where the records on disk end, and recovery finds its place in it."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest

from camera_packets import encode
from lamppost.base.errors import StoreError
from lamppost.model.books import Rendition
from lamppost.record.chain import load_chain, previous_record_sha256
from lamppost.record.segment_record import record_path
from recorded import Recording


def test_an_empty_folder_starts_a_chain(tmp_path: Path) -> None:
    chain = load_chain(Recording(tmp_path).folder, "plaza", Rendition.SEALED)
    assert (chain.take(), chain.take(), chain.previous_sha256) == (0, 1, "")


def test_each_segment_finds_its_predecessor(tmp_path: Path) -> None:
    recording = Recording(tmp_path)
    recording.record(Rendition.SEALED)
    expected = ""
    for opened in recording.opened():
        assert previous_record_sha256(recording.folder, opened) == expected
        expected = sha256(record_path(recording.file(opened)).read_bytes()).hexdigest()
    chain = load_chain(recording.folder, "plaza", Rendition.SEALED)
    assert (chain.take(), chain.previous_sha256) == (3, expected)


def test_renditions_have_chains_of_their_own(tmp_path: Path) -> None:
    recording = Recording(tmp_path)
    recording.record(Rendition.SEALED, encode(frames=25)[1])
    assert load_chain(recording.folder, "plaza", Rendition.MASKED).take() == 0
    assert load_chain(recording.folder, "gate", Rendition.SEALED).take() == 0


def test_a_record_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    recording = Recording(tmp_path)
    recording.record(Rendition.SEALED, encode(frames=25)[1])
    record_path(recording.file(recording.opened()[0])).write_text("nonsense")
    with pytest.raises(StoreError, match="cannot read the segment record"):
        load_chain(recording.folder, "plaza", Rendition.SEALED)
