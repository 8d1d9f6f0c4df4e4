"""Thumbnails show the keyframe of their moment, masked as it is, and cost no more than they may."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from lamppost.base.errors import StoreError
from lamppost.playback import thumbnails as made
from lamppost.playback import turns
from lamppost.playback.parts import Part, PartsShelf, SegmentParts
from lamppost.playback.thumbnails import Thumbnails
from lamppost.playback.turns import TooManyPictures
from lamppost.store.footage import Footage
from masked_street import START_US, MaskedStreet

S = 1_000_000


@pytest.fixture
def street(tmp_path: Path) -> MaskedStreet:
    street = MaskedStreet(tmp_path / "data")
    street.record(45, START_US)
    return street


@pytest.fixture
def footage(street: MaskedStreet) -> Iterator[Footage]:
    with Footage(street.folder) as footage:
        yield footage


@pytest.fixture
def thumbnails(street: MaskedStreet, footage: Footage) -> Thumbnails:
    return Thumbnails(footage, PartsShelf(street.folder))


@pytest.mark.parametrize(("at_s", "taken_s"), [(0, 0), (0.99, 0), (1.0, 1), (3.7, 3), (4.4, 4), (6.4, 4)])
def test_the_keyframe_at_or_before(thumbnails: Thumbnails, at_s: float, taken_s: int) -> None:
    found = thumbnails.at("plaza", START_US + round(at_s * S), 80)
    assert found is not None
    assert found.wall_us == START_US + taken_s * S
    picture = cv2.imdecode(np.frombuffer(found.jpeg, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert picture is not None
    assert picture.shape == (52, 80)
    grey = round((20 + 10 * taken_s - 16) * 255 / 219)
    assert abs(int(np.median(picture)) - grey) <= 3


@pytest.mark.parametrize("at_s", [-1, 6.6, 5000, 10**6])
def test_where_nothing_is_nothing_is_shown(thumbnails: Thumbnails, at_s: float) -> None:
    assert thumbnails.at("plaza", START_US + round(at_s * S), 80) is None
    assert thumbnails.at("bridge", START_US, 80) is None


def test_it_is_never_made_larger(thumbnails: Thumbnails) -> None:
    found = thumbnails.at("plaza", START_US, 640)
    assert found is not None
    picture = cv2.imdecode(np.frombuffer(found.jpeg, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert picture is not None
    assert picture.shape == (64, 96)


def test_what_was_made_is_remembered_up_to_so_many_bytes(street: MaskedStreet, footage: Footage, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def count(_file: SegmentParts, part: Part, _width_px: int) -> bytes:
        asked.append(part.start_us)
        return bytes(1000)

    monkeypatch.setattr(made, "make_jpeg", count)
    thumbnails = Thumbnails(footage, PartsShelf(street.folder), most_bytes=2500)
    for at_s in (0, 0, 1, 1, 0, 2, 1, 0):
        thumbnails.at("plaza", START_US + at_s * S, 80)
    assert [(at_us - START_US) // S for at_us in asked] == [0, 1, 2, 1, 0]


def test_who_asks_for_too_many_at_once_is_told(street: MaskedStreet, footage: Footage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "IN_LINE", 0)
    monkeypatch.setattr(turns, "AT_ONCE", 1)
    thumbnails = Thumbnails(footage, PartsShelf(street.folder))
    refused: list[bool] = []

    def another(*_: object) -> bytes:
        try:
            thumbnails.at("plaza", START_US + 2 * S, 80)
        except TooManyPictures:
            refused.append(True)
        return b"jpeg"

    monkeypatch.setattr(made, "make_jpeg", another)
    assert thumbnails.at("plaza", START_US, 80) is not None
    assert refused == [True]
    assert thumbnails.at("plaza", START_US + S, 80) is not None, "the line is free again"


def test_damage_is_told(street: MaskedStreet, thumbnails: Thumbnails, footage: Footage) -> None:
    segment = footage.segments("plaza", START_US, START_US + S)[0]
    path = street.root / segment.path
    content = bytearray(path.read_bytes())
    content[segment.header_bytes :] = bytes(len(content) - segment.header_bytes)
    path.write_bytes(content)
    with pytest.raises(StoreError, match="cannot be read"):
        thumbnails.at("plaza", START_US, 80)


def test_a_file_that_goes_meanwhile_is_nothing(street: MaskedStreet, thumbnails: Thumbnails, footage: Footage) -> None:
    assert thumbnails.at("plaza", START_US, 80) is not None
    (street.root / footage.segments("plaza", START_US, START_US + S)[0].path).unlink()
    assert thumbnails.at("plaza", START_US + S, 80) is None
