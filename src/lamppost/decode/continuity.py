"""Tells when a reference picture is missing, which FFmpeg's H.264 decoder conceals in silence.

A lost P picture leaves no error flag: the decoder invents the missing reference
and later pictures are smeared. H.264 numbers its reference pictures
(`frame_num`, clause 7.4.3), so a jump tells of the loss. H.265 has no such
number; there FFmpeg itself gives no picture until the next random access point.
"""

from __future__ import annotations

from dataclasses import dataclass

from lamppost.base.annexb import nal_units
from lamppost.model.media import Codec

_SCALING_PROFILES = frozenset({100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135})
_LARGEST_ID = 255  # of a PPS; of an SPS 31


class _Bits:
    """Exp-Golomb reader over a NAL unit without emulation prevention bytes."""

    def __init__(self, unit: bytes) -> None:
        payload = unit.replace(b"\x00\x00\x03", b"\x00\x00")
        self._value = int.from_bytes(payload, "big")
        self._left = len(payload) * 8

    def take(self, bits: int) -> int:
        if bits > self._left:
            raise EOFError
        self._left -= bits
        return (self._value >> self._left) & ((1 << bits) - 1)

    def golomb(self) -> int:
        """`ue(v)`, clause 9.1."""
        zeros = 0
        while not self.take(1):
            zeros += 1
            if zeros > 32:
                raise EOFError
        return (1 << zeros) - 1 + self.take(zeros)

    def signed_golomb(self) -> int:
        """`se(v)`, clause 9.1.1."""
        code = self.golomb()
        return (code + 1) // 2 if code % 2 else -(code // 2)


@dataclass(frozen=True, slots=True)
class _Sequence:
    """What of an SPS is needed to read `frame_num`."""

    frame_num_bits: int
    allows_gaps: bool
    has_separate_planes: bool


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one packet is to the decoder: an entry point, and whether its references are there."""

    is_entry: bool  # an IDR (H.265: any random access point): nothing before it is needed
    is_broken: bool  # a reference is missing, or the packet holds no picture that can be read


class Continuity:
    """Follows the packets of one run, in decoding order."""

    def __init__(self, codec: Codec, parameter_sets: bytes) -> None:
        self._codec = codec
        self._sequences: dict[int, _Sequence] = {}
        self._sequence_of_picture: dict[int, int] = {}
        self._last_reference: int | None = None
        if codec is Codec.H264:
            for unit in nal_units(parameter_sets):
                self._learn(unit)

    def judge(self, data: bytes) -> Verdict:
        """What the packet `data` (Annex B) is; only its first slice is read."""
        try:
            return self._judge_h264(data) if self._codec is Codec.H264 else _judge_hevc(data)
        except (EOFError, KeyError):
            return Verdict(is_entry=False, is_broken=True)

    def _judge_h264(self, data: bytes) -> Verdict:
        for unit in nal_units(data):
            kind = unit[0] & 31
            if kind in (7, 8):
                self._learn(unit)
            elif kind in (1, 2, 5):
                return self._judge_slice(unit, is_idr=kind == 5)
        return Verdict(is_entry=False, is_broken=True)

    def _judge_slice(self, unit: bytes, *, is_idr: bool) -> Verdict:
        bits = _Bits(unit[1:64])
        bits.golomb()  # first_mb_in_slice
        bits.golomb()  # slice_type
        sequence = self._sequences[self._sequence_of_picture[bits.golomb()]]
        if sequence.has_separate_planes:
            bits.take(2)
        frame_num = bits.take(sequence.frame_num_bits)
        last, is_reference = self._last_reference, unit[0] & 0x60 != 0
        if is_reference:
            self._last_reference = frame_num
        if is_idr:
            return Verdict(is_entry=True, is_broken=False)
        if last is None:
            return Verdict(is_entry=False, is_broken=True)
        follows = frame_num in (last, (last + 1) % (1 << sequence.frame_num_bits))
        return Verdict(is_entry=False, is_broken=not follows and not sequence.allows_gaps)

    def _learn(self, unit: bytes) -> None:
        try:
            if unit[0] & 31 == 7:
                identity, sequence = _read_sps(unit)
                self._sequences[identity] = sequence
            elif unit[0] & 31 == 8:
                bits = _Bits(unit[1:16])
                picture, sequence_id = bits.golomb(), bits.golomb()
                if picture <= _LARGEST_ID and sequence_id <= _LARGEST_ID:
                    self._sequence_of_picture[picture] = sequence_id
        except EOFError:
            return  # a torn parameter set: the slices that need it will be judged broken


def _read_sps(unit: bytes) -> tuple[int, _Sequence]:
    """Clause 7.3.2.1.1, up to `gaps_in_frame_num_value_allowed_flag`."""
    bits = _Bits(unit[1:])
    profile = bits.take(8)
    bits.take(16)  # constraint flags and level
    identity = bits.golomb()
    if identity > _LARGEST_ID:
        raise EOFError
    has_separate_planes = False
    if profile in _SCALING_PROFILES:
        chroma_format = bits.golomb()
        has_separate_planes = chroma_format == 3 and bits.take(1) == 1
        bits.golomb()  # bit depths
        bits.golomb()
        bits.take(1)
        if bits.take(1):
            _skip_scaling_matrix(bits, lists=8 if chroma_format != 3 else 12)
    frame_num_bits = bits.golomb() + 4
    order_type = bits.golomb()
    if order_type == 0:
        bits.golomb()
    elif order_type == 1:
        bits.take(1)
        bits.signed_golomb()
        bits.signed_golomb()
        for _ in range(min(bits.golomb(), 255)):
            bits.signed_golomb()
    bits.golomb()  # max_num_ref_frames
    if frame_num_bits > 16:
        raise EOFError
    return identity, _Sequence(frame_num_bits, bits.take(1) == 1, has_separate_planes)


def _skip_scaling_matrix(bits: _Bits, lists: int) -> None:
    for index in range(lists):
        if not bits.take(1):
            continue
        last, following = 8, 8
        for _ in range(16 if index < 6 else 64):
            if following:
                following = (last + bits.signed_golomb() + 256) % 256
            last = following or last


def _judge_hevc(data: bytes) -> Verdict:
    for unit in nal_units(data):
        kind = unit[0] >> 1 & 63
        if kind < 32:
            return Verdict(is_entry=16 <= kind <= 21, is_broken=False)
    return Verdict(is_entry=False, is_broken=True)
