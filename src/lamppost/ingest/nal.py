"""NAL units of H.264 and H.265 in Annex B: found, named and judged without a decoder.

A recorder holds no decoder, and containers are not trusted: what a keyframe is
and which parameter sets a stream has is read from the bytes (ITU-T H.264 and
H.265, section 7.3 and Annex B each).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from lamppost.base.annexb import Borders
from lamppost.ingest.bits import BitReader, OutOfBits, without_emulation
from lamppost.model.media import Codec

START_CODE = b"\x00\x00\x00\x01"

_H264_IDR, _H264_SLICE, _H264_SEI, _H264_AUD = 5, 1, 6, 9
_H264_SLICES = range(1, 6)
_H264_PARAMETER_SETS = frozenset({7, 8})
_HEVC_AUD, _HEVC_FIRST_NON_VCL = 35, 32
_HEVC_PARAMETER_SETS = frozenset({32, 33, 34})
# BLA_W_LP to CRA_NUT; 22 and 23 are reserved (H.265 table 7-1).
_HEVC_IRAP = range(16, 22)
_HEVC_IDR = range(19, 21)
_I_SLICES = frozenset({2, 4, 7, 9})
_SEI_RECOVERY_POINT = 6
# A slice header's first two codes fit in this many bytes.
_SLICE_HEAD_BYTES = 16


def split_annex_b(data: bytes) -> Iterator[bytes]:
    """The NAL units of `data`, without start codes and trailing zero bytes.

    Bytes before the first start code are skipped; empty units are left out.
    """
    position = data.find(b"\x00\x00\x01")
    while position >= 0:
        start = position + 3
        position = data.find(b"\x00\x00\x01", start)
        unit = data[start : position if position >= 0 else len(data)].rstrip(b"\x00")
        if unit:
            yield unit


def nal_type(codec: Codec, unit: bytes) -> int:
    """The type code in the header of `unit`."""
    return unit[0] & 0x1F if codec is Codec.H264 else unit[0] >> 1 & 0x3F


def is_parameter_set(codec: Codec, type_code: int) -> bool:
    """True of SPS and PPS (and VPS)."""
    return type_code in (_H264_PARAMETER_SETS if codec is Codec.H264 else _HEVC_PARAMETER_SETS)


def is_picture(codec: Codec, type_code: int) -> bool:
    """True of a coded slice."""
    return type_code in _H264_SLICES if codec is Codec.H264 else type_code < _HEVC_FIRST_NON_VCL


def is_delimiter(codec: Codec, type_code: int) -> bool:
    """True of an access unit delimiter, which must stay first in its access unit."""
    return type_code == (_H264_AUD if codec is Codec.H264 else _HEVC_AUD)


@dataclass(frozen=True, slots=True)
class Picture:
    """What one access unit holds, by its NAL units alone.

    `is_keyframe`: decoding can start here. `parameter_sets` are the in-band
    ones in order, without start codes. `has_slices` is false of an access unit
    that carries parameter sets or messages alone. `is_open`: a keyframe that
    pictures shown before it may follow in decoding order (open GOP).
    `picture_set_id`: the PPS that the first slice of a keyframe names, None when unreadable.
    """

    is_keyframe: bool
    has_slices: bool
    parameter_sets: tuple[bytes, ...]
    is_open: bool = False
    picture_set_id: int | None = None


_PLAIN = Picture(is_keyframe=False, has_slices=True, parameter_sets=())
# Types that say nothing of keyframes and parameter sets; of H.264, the slices that need no look at messages.
_PLAIN_TYPES = {
    Codec.H264: frozenset({1, 2, 3, 4, _H264_AUD, 10, 11, 12}),
    Codec.HEVC: frozenset({*range(_HEVC_IRAP.start), _HEVC_AUD, 36, 37, 38, 39, 40}),
}
_MOST_SLICE_TYPE = {Codec.H264: _H264_SLICES.stop - 1, Codec.HEVC: _HEVC_FIRST_NON_VCL - 1}


def inspect(codec: Codec, data: bytes, borders: Borders = ()) -> Picture:
    """Judge the access unit `data` (Annex B), of which only the heads of NAL units are read where `borders` are known.

    A keyframe is an IRAP picture in H.265. In H.264 it is an IDR picture, or an
    open-GOP one: intra slices only, with a recovery point message that says
    `recovery_frame_cnt` 0 (some cameras and most broadcast encoders send one
    IDR and never again). Gradual intra refresh has no picture to cut at and
    counts as no keyframe.
    """
    if borders and _is_plain(codec, data, borders):
        return _PLAIN
    sets: list[bytes] = []
    slices: list[tuple[int, bytes]] = []
    has_recovery_point = False
    for type_code, unit in _heads(codec, data, borders) if borders else _units(codec, data):
        if is_parameter_set(codec, type_code):
            sets.append(unit)
        elif is_picture(codec, type_code):
            slices.append((type_code, unit[:_SLICE_HEAD_BYTES]))
        elif codec is Codec.H264 and type_code == _H264_SEI:
            has_recovery_point = has_recovery_point or _is_exact_recovery_point(unit)
    if codec is Codec.HEVC:
        is_closed = bool(slices) and all(code in _HEVC_IDR for code, _ in slices)
        is_open = bool(slices) and not is_closed and all(code in _HEVC_IRAP for code, _ in slices)
    else:
        is_closed = bool(slices) and all(code == _H264_IDR for code, _ in slices)
        is_open = has_recovery_point and bool(slices) and all(code == _H264_SLICE and _is_intra_slice(head) for code, head in slices)
    is_keyframe = is_closed or is_open
    set_id = _picture_set_id(codec, *slices[0]) if is_keyframe else None
    return Picture(is_keyframe, bool(slices), tuple(sets), is_open, set_id)


def _is_plain(codec: Codec, data: bytes, borders: Borders) -> bool:
    """Whether this is one of the many pictures between two keyframes, by the types of its NAL units alone."""
    plain, most = _PLAIN_TYPES[codec], _MOST_SLICE_TYPE[codec]
    has_slices = False
    for begin in borders:
        code = data[begin] & 0x1F if codec is Codec.H264 else data[begin] >> 1 & 0x3F
        if code not in plain:
            return False
        if code <= most:
            has_slices = True
    return has_slices


def _units(codec: Codec, data: bytes) -> Iterator[tuple[int, bytes]]:
    for unit in split_annex_b(data):
        yield nal_type(codec, unit), unit


def _heads(codec: Codec, data: bytes, borders: Borders) -> Iterator[tuple[int, bytes]]:
    """The type and the bytes of each NAL unit; of a slice only the first few, since no more are looked at."""
    for index, begin in enumerate(borders):
        end = borders[index + 1] - 4 if index + 1 < len(borders) else len(data)
        type_code = nal_type(codec, data[begin : begin + 1])
        if is_picture(codec, type_code):
            end = min(end, begin + _SLICE_HEAD_BYTES)
        yield type_code, data[begin:end].rstrip(b"\x00")


def with_parameter_sets(codec: Codec, data: bytes, parameter_sets: bytes) -> bytes:
    """`data` with `parameter_sets` put in front, after a delimiter if there is one."""
    first = next(split_annex_b(data), b"")
    if first and is_delimiter(codec, nal_type(codec, first)):
        end = data.find(first) + len(first)
        return data[:end] + parameter_sets + data[end:]
    return parameter_sets + data


def _picture_set_id(codec: Codec, type_code: int, head: bytes) -> int | None:
    """The PPS that a slice header names (H.264 7.3.3, H.265 7.3.6.1)."""
    try:
        if codec is Codec.H264:
            bits = BitReader(without_emulation(head[1:]))
            bits.ue()
            bits.ue()
            return bits.ue()
        bits = BitReader(without_emulation(head[2:]))
        is_first = bits.flag()
        if type_code in range(16, 24):
            bits.flag()
        return bits.ue() if is_first else None
    except OutOfBits:
        return None


def _is_intra_slice(head: bytes) -> bool:
    reader = BitReader(without_emulation(head[1:]))
    try:
        reader.ue()  # first_mb_in_slice
        return reader.ue() in _I_SLICES
    except OutOfBits:
        return False


def _is_exact_recovery_point(unit: bytes) -> bool:
    """True when the SEI `unit` says that the very next picture is right (H.264 D.1.8)."""
    payload = without_emulation(unit[1:])
    position = 0
    while position + 2 <= len(payload):
        kind, position = _sei_number(payload, position)
        size, position = _sei_number(payload, position)
        if kind == _SEI_RECOVERY_POINT:
            try:
                return BitReader(payload[position : position + size]).ue() == 0
            except OutOfBits:
                return False
        position += size
    return False


def _sei_number(payload: bytes, position: int) -> tuple[int, int]:
    value = 0
    while position < len(payload) and payload[position] == 0xFF:
        value, position = value + 255, position + 1
    if position < len(payload):
        value, position = value + payload[position], position + 1
    return value, position
