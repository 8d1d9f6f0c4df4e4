"""The simulated street is the same everywhere, numbers its pictures and knows the truth."""

from __future__ import annotations

import hashlib
import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lamppost.ingest.street import Street, StreetSettings
from lamppost.ingest.strip import burn_frame_number, read_frame_number
from lamppost.model.i420 import chroma_of, luma_of
from lamppost.model.vision import Kind


@pytest.fixture(scope="module")
def street() -> Street:
    return Street(StreetSettings())


def test_one_seed_gives_one_street(street: Street) -> None:
    other = Street(StreetSettings())
    other.frame(7)
    assert np.array_equal(street.frame(123), other.frame(123))
    assert not np.array_equal(street.frame(123), Street(StreetSettings(seed=2)).frame(123))
    assert hashlib.sha256(street.frame(123).tobytes()).digest() != hashlib.sha256(street.frame(124).tobytes()).digest()


def test_noise_is_the_same_each_time() -> None:
    settings = StreetSettings(width_px=320, height_px=180, has_noise=True)
    assert np.array_equal(Street(settings).frame(5), Street(settings).frame(5))


def test_truth_follows_the_pictures(street: Street) -> None:
    seen = [truth for index in range(0, 600, 20) for truth in street.truth(index)]
    assert {truth.kind for truth in seen} == {Kind.FACE, Kind.PERSON, Kind.VEHICLE}
    for truth in seen:
        assert 0 <= truth.box.x0 < truth.box.x1 <= 1280
        assert 0 <= truth.box.y0 < truth.box.y1 <= 720
    empty = Street(StreetSettings(people=0, vehicles=0))
    difference = np.abs(street.frame(200).astype(int) - empty.frame(200).astype(int))[:720]
    for truth in street.truth(200):
        box = truth.box
        difference[int(box.y0) : int(np.ceil(box.y1)), int(box.x0) : int(np.ceil(box.x1))] = 0
    # What the truth leaves out is only what others hide or what barely shows at an edge.
    assert (difference[16:] > 30).mean() < 0.002


def test_someone_stops_and_goes_on(street: Street) -> None:
    where = [{one.object_id: one.box.x0 for one in street.truth(i) if one.kind is Kind.PERSON} for i in range(0, 900, 15)]
    still = {key for a, b in itertools.pairwise(where) for key in a.keys() & b.keys() if a[key] == b[key] and 100 < a[key] < 1100}
    assert still


def test_truth_csv_has_a_row_for_each_box(street: Street) -> None:
    rows = street.truth_csv(3).splitlines()
    assert rows[0] == "frame,object_id,kind,x0_px,y0_px,x1_px,y1_px"
    assert len(rows) == 1 + sum(len(street.truth(index)) for index in range(3))


@given(st.integers(0, (1 << 24) - 1), st.integers(0, 2**32 - 1))
def test_the_strip_reads_back_through_noise(number: int, seed: int) -> None:
    picture = np.full((96, 320), 90, np.uint8)
    luma, chroma = luma_of(picture), chroma_of(picture)
    burn_frame_number(luma, chroma, number)
    noise = np.random.default_rng(seed).integers(-40, 41, luma.shape)
    assert read_frame_number(np.clip(luma.astype(int) + noise, 0, 255).astype(np.uint8)) == number


def test_no_strip_no_number() -> None:
    assert read_frame_number(np.full((64, 320), 90, np.uint8)) is None
    assert read_frame_number(np.full((64, 320), 235, np.uint8)) is None
    assert read_frame_number(np.zeros((4, 320), np.uint8)) is None
