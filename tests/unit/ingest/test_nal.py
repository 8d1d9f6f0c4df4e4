"""NAL units and parameter sets are read right, and damage never crashes a recorder."""

from __future__ import annotations

from pathlib import Path

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lamppost.ingest.locator import parse_locator
from lamppost.ingest.nal import START_CODE, inspect, nal_type, split_annex_b, with_parameter_sets
from lamppost.ingest.parameters import ParameterSets
from lamppost.ingest.simulation import StreetEncoder, street_settings
from lamppost.ingest.sps import parse_sps
from lamppost.model.media import Codec

_UNIT = st.binary(min_size=1, max_size=40).filter(lambda unit: b"\0\0\1" not in unit and b"\0\0\0" not in unit and unit[-1] != 0)


@given(st.lists(_UNIT, max_size=8), st.booleans())
def test_what_is_joined_is_split_again(units: list[bytes], is_short: bool) -> None:
    code = START_CODE[1:] if is_short else START_CODE
    assert list(split_annex_b(b"".join(code + unit for unit in units))) == units


@given(st.sampled_from(list(Codec)), st.binary(max_size=200))
def test_any_bytes_are_judged_without_a_crash(codec: Codec, noise: bytes) -> None:
    picture = inspect(codec, START_CODE + noise)
    sets = ParameterSets(codec)
    sets.update(picture.parameter_sets)
    assert picture.is_keyframe <= picture.has_slices


@pytest.mark.parametrize("codec", list(Codec))
@pytest.mark.parametrize(("width", "height"), [(320, 180), (1280, 720), (642, 362)])
def test_the_size_is_that_of_the_picture(codec: Codec, width: int, height: int) -> None:
    encoder = StreetEncoder(street_settings(parse_locator(f"sim://plaza?people=0&vehicles=0&width={width}&height={height}")), codec)
    picture = inspect(codec, encoder.encode(0))
    assert picture.is_keyframe
    sets = ParameterSets(codec)
    sets.update(picture.parameter_sets)
    facts = sets.facts(picture.picture_set_id)
    assert (facts.width_px, facts.height_px, facts.reorder_depth) == (width, height, 0)
    assert not inspect(codec, encoder.encode(1)).is_keyframe


def test_an_open_gop_counts_as_keyframe_and_intra_refresh_does_not() -> None:
    idr, other = bytes([0x65, 0x88]), bytes([0x61, 0xE0])
    # first_mb 0, slice_type 7 (I): 1 0001000; slice_type 5 (P): 1 00110.
    intra, inter = bytes([0x61, 0b10001000, 0x80]), bytes([0x61, 0b10011000, 0x80])
    exact, gradual = bytes([6, 6, 1, 0b11000000, 0x80]), bytes([6, 6, 1, 0b01000000, 0x80])

    def unit(*units: bytes) -> bytes:
        return b"".join(START_CODE + one for one in units)

    assert inspect(Codec.H264, unit(idr)).is_keyframe
    assert inspect(Codec.H264, unit(exact, intra)).is_open
    assert not inspect(Codec.H264, unit(exact, intra, inter)).is_keyframe
    assert not inspect(Codec.H264, unit(gradual, intra)).is_keyframe
    assert not inspect(Codec.H264, unit(intra)).is_keyframe
    assert not inspect(Codec.H264, unit(other)).is_keyframe


@pytest.mark.parametrize(
    ("type_code", "is_keyframe", "is_open"), [(19, True, False), (20, True, False), (21, True, True), (16, True, True), (1, False, False)]
)
def test_irap_pictures_of_hevc(type_code: int, is_keyframe: bool, is_open: bool) -> None:
    picture = inspect(Codec.HEVC, START_CODE + bytes([type_code << 1, 1, 0xC0, 0x80]))
    assert (picture.is_keyframe, picture.is_open) == (is_keyframe, is_open)


def test_a_delimiter_stays_first() -> None:
    data = with_parameter_sets(Codec.H264, START_CODE + b"\x09\xf0" + START_CODE + b"\x65\x88", START_CODE + b"\x67\x01")
    assert [nal_type(Codec.H264, unit) for unit in split_annex_b(data)] == [9, 7, 5]


@given(st.sampled_from(list(Codec)), st.binary(min_size=1, max_size=60))
def test_damaged_parameter_sets_are_value_errors(codec: Codec, noise: bytes) -> None:
    try:
        facts = parse_sps(codec, noise)
    except ValueError:
        return
    assert facts.width_px > 0


def test_sizes_agree_with_ffmpeg_on_every_real_stream(shared_data: Path) -> None:
    compared = 0
    for path in sorted((shared_data / "streams" / "openh264_res").glob("*.264")):
        units = [unit for unit in split_annex_b(path.read_bytes()) if nal_type(Codec.H264, unit) == 7]
        try:
            with av.open(str(path), format="h264") as container:
                expected = (container.streams.video[0].width, container.streams.video[0].height)
        except av.FFmpegError:
            continue
        if expected == (0, 0):
            # FFmpeg itself finds no picture in it.
            continue
        facts = parse_sps(Codec.H264, units[0])
        assert (facts.width_px, facts.height_px) == expected, path.name
        compared += 1
    assert compared > 20
