"""Sequence parameter sets: a stream's size, reordering and frame rate, without a decoder.

A recorder runs no decoder, so that a hostile stream meets as little native
code as possible; the few fields needed are read here (H.264 7.3.2.1.1 and
E.1.1, H.265 7.3.2.2 and 7.3.3).
"""

from __future__ import annotations

from dataclasses import dataclass

from lamppost.base.clock import TICKS_PER_S
from lamppost.ingest.bits import BitReader, OutOfBits, without_emulation
from lamppost.model.media import Codec

# Profiles whose SPS tells the chroma format (H.264 7.3.2.1.1).
_CHROMA_PROFILES = frozenset({100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135})
_INTRA_PROFILES = frozenset({44, 86, 100, 110, 122, 244})
_BASELINE = 66
_EXTENDED_ASPECT = 255
_LARGEST_PX = 16_384
_LONGEST_REFERENCE_CYCLE = 255


@dataclass(frozen=True, slots=True)
class SequenceFacts:
    """What an SPS says.

    `reorder_depth` is how many pictures may precede one in decoding order and
    follow it in presentation: None when the stream does not tell.
    `frame_interval_90k` is 0 when unknown.
    """

    set_id: int
    width_px: int
    height_px: int
    reorder_depth: int | None
    frame_interval_90k: int


def parse_sps(codec: Codec, unit: bytes) -> SequenceFacts:
    """Read the SPS `unit` (one NAL unit without start code).

    Raises `ValueError` when it is damaged or says something impossible.
    """
    content = without_emulation(unit)
    try:
        facts = _parse_h264(BitReader(content[1:])) if codec is Codec.H264 else _parse_hevc(BitReader(content[2:]))
    except OutOfBits as error:
        raise ValueError("the sequence parameter set is cut short") from error
    if not (0 < facts.width_px <= _LARGEST_PX and 0 < facts.height_px <= _LARGEST_PX):
        raise ValueError(f"the sequence parameter set says {facts.width_px}x{facts.height_px} pixels")
    return facts


def _parse_h264(bits: BitReader) -> SequenceFacts:
    profile, constraints = bits.u(8), bits.u(8)
    bits.u(8)  # level
    set_id = bits.ue()
    chroma_format = _h264_chroma(bits) if profile in _CHROMA_PROFILES else 1
    bits.ue()  # log2_max_frame_num_minus4
    order_type = _h264_picture_order(bits)
    bits.ue()  # max_num_ref_frames
    bits.flag()
    width_mbs, height_units = bits.ue() + 1, bits.ue() + 1
    is_frames_only = bits.flag()
    if not is_frames_only:
        bits.flag()
    bits.flag()
    field_factor = 1 if is_frames_only else 2
    crop = [bits.ue() for _ in range(4)] if bits.flag() else [0] * 4
    sub_width = 2 if chroma_format in (1, 2) else 1
    sub_height = 2 if chroma_format == 1 else 1
    width = width_mbs * 16 - sub_width * (crop[0] + crop[1])
    height = height_units * 16 * field_factor - sub_height * field_factor * (crop[2] + crop[3])

    depth: int | None = None
    if profile == _BASELINE or order_type == 2 or (profile in _INTRA_PROFILES and constraints & 0x10):
        depth = 0
    interval = 0
    if bits.flag():
        interval, told_depth = _h264_vui(bits)
        depth = told_depth if told_depth is not None else depth
    return SequenceFacts(set_id, width, height, depth, interval)


def _h264_chroma(bits: BitReader) -> int:
    chroma_format = bits.ue()
    if chroma_format == 3:
        bits.flag()
    bits.ue()  # bit depths
    bits.ue()
    bits.flag()
    if bits.flag():
        for index in range(12 if chroma_format == 3 else 8):
            if bits.flag():
                _skip_scaling_list(bits, 16 if index < 6 else 64)
    return chroma_format


def _skip_scaling_list(bits: BitReader, size: int) -> None:
    last, following = 8, 8
    for _ in range(size):
        if following:
            following = (last + bits.se()) % 256
        last = following or last


def _h264_picture_order(bits: BitReader) -> int:
    order_type = bits.ue()
    if order_type == 0:
        bits.ue()
    elif order_type == 1:
        bits.flag()
        bits.se()
        bits.se()
        cycle = bits.ue()
        if cycle > _LONGEST_REFERENCE_CYCLE:
            raise OutOfBits
        for _ in range(cycle):
            bits.se()
    return order_type


def _h264_vui(bits: BitReader) -> tuple[int, int | None]:
    """Frame interval and reorder depth of a VUI, 0 and None where it does not tell."""
    _skip_appearance(bits)
    interval = 0
    if bits.flag():
        units_in_tick, time_scale = bits.u(32), bits.u(32)
        bits.flag()
        if units_in_tick and time_scale:
            interval = round(2 * TICKS_PER_S * units_in_tick / time_scale)
    has_nal_hrd = bits.flag()
    if has_nal_hrd:
        _skip_hrd(bits)
    has_vcl_hrd = bits.flag()
    if has_vcl_hrd:
        _skip_hrd(bits)
    if has_nal_hrd or has_vcl_hrd:
        bits.flag()
    bits.flag()
    if not bits.flag():
        return _plausible_interval(interval), None
    bits.flag()
    for _ in range(4):
        bits.ue()
    return _plausible_interval(interval), min(bits.ue(), 16)


def _skip_appearance(bits: BitReader) -> None:
    """Pass over aspect ratio, overscan, colours and chroma location."""
    if bits.flag() and bits.u(8) == _EXTENDED_ASPECT:
        bits.u(32)
    if bits.flag():
        bits.flag()
    if bits.flag():
        bits.u(4)
        if bits.flag():
            bits.u(24)
    if bits.flag():
        bits.ue()
        bits.ue()


def _skip_hrd(bits: BitReader) -> None:
    count = bits.ue() + 1
    if count > 32:
        raise OutOfBits
    bits.u(8)
    for _ in range(count):
        bits.ue()
        bits.ue()
        bits.flag()
    bits.u(20)


def _plausible_interval(interval_90k: int) -> int:
    # Below 1 and above 240 frames a second a VUI is a default that nobody set.
    return interval_90k if TICKS_PER_S // 240 <= interval_90k <= TICKS_PER_S else 0


def _parse_hevc(bits: BitReader) -> SequenceFacts:
    bits.u(4)
    most_sub_layers = bits.u(3)
    bits.flag()
    _skip_profile_tier_level(bits, most_sub_layers)
    set_id = bits.ue()
    chroma_format = bits.ue()
    if chroma_format == 3:
        bits.flag()
    width, height = bits.ue(), bits.ue()
    window = [bits.ue() for _ in range(4)] if bits.flag() else [0] * 4
    sub_width = 2 if chroma_format in (1, 2) else 1
    sub_height = 2 if chroma_format == 1 else 1
    bits.ue()  # bit depths
    bits.ue()
    bits.ue()  # log2_max_pic_order_cnt_lsb_minus4
    depth = 0
    for _ in range(most_sub_layers + 1 if bits.flag() else 1):
        bits.ue()
        depth = bits.ue()
        bits.ue()
    return SequenceFacts(
        set_id,
        width - sub_width * (window[0] + window[1]),
        height - sub_height * (window[2] + window[3]),
        min(depth, 16),
        0,
    )


def _skip_profile_tier_level(bits: BitReader, most_sub_layers: int) -> None:
    bits.u(96)
    present = [(bits.flag(), bits.flag()) for _ in range(most_sub_layers)]
    if most_sub_layers:
        bits.u(2 * (8 - most_sub_layers))
    for has_profile, has_level in present:
        bits.u(88 * has_profile + 8 * has_level)
