"""The bytes of fragmented MP4: units in, `moof` and `mdat` boxes out.

FFmpeg makes the `ftyp` and `moov` boxes, since it knows how to describe each
codec; chunks are laid out here, so that their timestamps are exactly the
packets' own, and nothing but the packets' NAL units is in them.
Sources: ISO/IEC 14496-12 (boxes), 14496-15 (NAL units), 23000-19 (CMAF).
"""

# pyright: reportUnknownMemberType=false
from __future__ import annotations

import io
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

import av
from av.error import FFmpegError

from lamppost.base.annexb import Borders, nal_units
from lamppost.base.clock import TICKS_PER_S, US_PER_S
from lamppost.base.errors import UnsupportedStream
from lamppost.model.media import Codec, Packet, StreamParameters

_SYNC_SAMPLE = 0x0200_0000  # depends on no other sample
_OTHER_SAMPLE = 0x0101_0000  # depends on others, is no sync sample
_TFHD_BASE_IS_MOOF = 0x02_0000
_TRUN_ALL = 0x000F01  # data offset; duration, size, flags, composition offset of each sample
_PRFT_CAPTURED = 24
_PRFT_NTP_AT = 16  # size, kind, version and flags, track
_NTP_EPOCH_S = 2_208_988_800  # from 1900, where NTP begins to count (RFC 5905), to 1970
_INIT_OPTIONS = {
    "movflags": "delay_moov+default_base_moof+frag_keyframe+skip_trailer+negative_cts_offsets+cmaf",
    "use_editlist": "0",
    "video_track_timescale": str(TICKS_PER_S),
    "fflags": "+bitexact",
}


@dataclass(frozen=True, slots=True)
class Sample:
    """One picture as it lies in an `mdat`: length-prefixed units and its times in 90 kHz ticks.

    `offset_90k` is presentation minus decode time; it may be negative.
    """

    payload: bytes
    duration_90k: int
    offset_90k: int
    is_keyframe: bool


def length_prefixed(data: bytes, borders: Borders = ()) -> bytes:
    """The same units, each after its length in four bytes; raises `UnsupportedStream` if there are none.

    With `borders` the bytes need not be searched for start codes.
    """
    if borders:
        return _prefixed_between(data, borders)
    parts: list[bytes] = []
    for unit in nal_units(data):
        parts.append(len(unit).to_bytes(4, "big"))
        parts.append(unit)
    if not parts:
        raise UnsupportedStream(
            f"a packet of {len(data)} bytes holds no NAL unit", remedy="check that the camera sends H.264 or H.265, unencrypted"
        )
    return b"".join(parts)


def _prefixed_between(data: bytes, borders: Borders) -> bytes:
    view = memoryview(data)
    parts: list[bytes | memoryview] = []
    end = len(data)
    for begin in reversed(borders):
        while end > begin and not data[end - 1]:
            end -= 1  # zero bytes belong to no NAL unit
        if end > begin:
            parts += (view[begin:end], (end - begin).to_bytes(4, "big"))
        end = begin - 4
    parts.reverse()
    return b"".join(parts)


def make_init(parameters: StreamParameters, keyframe: Packet) -> bytes:
    """`ftyp` and `moov` for a stream that opens with `keyframe`, which carries its parameter sets.

    Raises `UnsupportedStream` when FFmpeg cannot describe the stream.
    """
    _require_parameter_sets(parameters.codec, keyframe.data)
    sink = io.BytesIO()
    time_base = Fraction(1, TICKS_PER_S)
    try:
        with av.open(sink, "w", format="mp4", options=_INIT_OPTIONS) as container:
            stream = container.add_mux_stream(
                parameters.codec.value, width=parameters.width_px, height=parameters.height_px, time_base=time_base
            )
            packet = av.Packet(keyframe.data)
            packet.stream = stream
            packet.time_base = time_base
            packet.pts = packet.dts = 0
            packet.duration = keyframe.duration_90k
            packet.is_keyframe = True
            container.mux(packet)
    except FFmpegError as error:
        raise UnsupportedStream(
            f"cannot describe a {parameters.codec.value} stream of {parameters.width_px}x{parameters.height_px}: {error.strerror}",
            remedy="check that its keyframes carry parameter sets",
        ) from error
    written = sink.getvalue()
    return b"".join(written[start:end] for kind, start, end in boxes(written) if kind in (b"ftyp", b"moov"))


def make_chunk(number: int, decode_90k: int, samples: Sequence[Sample]) -> bytes:
    """One CMAF chunk: `moof` with sequence number `number` and first decode time `decode_90k`, and `mdat`."""
    entries = b"".join(
        struct.pack(">IIIi", s.duration_90k, len(s.payload), _SYNC_SAMPLE if s.is_keyframe else _OTHER_SAMPLE, s.offset_90k)
        for s in samples
    )
    mfhd = _full_box(b"mfhd", 0, 0, struct.pack(">I", number & 0xFFFF_FFFF))
    tfhd = _full_box(b"tfhd", 0, _TFHD_BASE_IS_MOOF, struct.pack(">I", 1))
    tfdt = _full_box(b"tfdt", 1, 0, struct.pack(">Q", decode_90k))
    trun_length = 12 + 8 + len(entries)
    traf_length = 8 + len(tfhd) + len(tfdt) + trun_length
    moof_length = 8 + len(mfhd) + traf_length
    trun = _full_box(b"trun", 1, _TRUN_ALL, struct.pack(">Ii", len(samples), moof_length + 8) + entries)
    moof = _box(b"moof", mfhd + _box(b"traf", tfhd + tfdt + trun))
    size = 8 + sum(len(s.payload) for s in samples)
    return b"".join([moof, struct.pack(">I4s", size, b"mdat"), *(s.payload for s in samples)])


def make_prft(wall_us: int, media_90k: int) -> bytes:
    """A `ProducerReferenceTimeBox` (ISO/IEC 14496-12, 8.16.5), version 1: at `media_90k` of track 1 it was `wall_us` UTC.

    The flags say which moment that was. 0, 1, 2 and 4 stand for the input to the encoder, its output, the `moof`
    finished and the `moof` written; a masked picture has waited for its look-back by then, so none of them would tell a
    viewer how old it is. The value is 24: all times have the same offset to UTC (8), and that is nought, the moment of the
    capture (16). FFmpeg gives the same to times it had from a camera's RTCP, and DASH calls it `captured`.
    """
    seconds, rest_us = divmod(wall_us, US_PER_S)
    ntp = (seconds + _NTP_EPOCH_S & 0xFFFF_FFFF) << 32 | (rest_us << 32) // US_PER_S
    return _full_box(b"prft", 1, _PRFT_CAPTURED, struct.pack(">IQQ", 1, ntp, media_90k))


def prft_wall_us(data: bytes, start: int = 0) -> int:
    """The UTC of the `ProducerReferenceTimeBox` that begins at `start`, in microseconds: what `make_prft` was given, or one less."""
    at = start + _PRFT_NTP_AT
    seconds, fraction = int.from_bytes(data[at : at + 4]), int.from_bytes(data[at + 4 : at + 8])
    return (seconds - _NTP_EPOCH_S) * US_PER_S + (fraction * US_PER_S >> 32)


def boxes(data: bytes, start: int = 0, end: int | None = None) -> Iterator[tuple[bytes, int, int]]:
    """Kind, first byte and end of each whole box between `start` and `end`; stops at a cut one."""
    end = len(data) if end is None else end
    while start + 8 <= end:
        length = int.from_bytes(data[start : start + 4], "big")
        if length < 8 or start + length > end:
            return
        yield data[start + 4 : start + 8], start, start + length
        start += length


def opens_with_keyframe(chunk: bytes) -> bool:
    """Whether the first sample of a chunk made by `make_chunk` is a sync sample."""
    trun = _find(chunk, b"moof", b"traf", b"trun")
    # Box header 8, version and flags 4, count 4, data offset 4, then duration and size of the first sample.
    return trun is not None and int.from_bytes(chunk[trun + 28 : trun + 32], "big") == _SYNC_SAMPLE


def _find(data: bytes, *path: bytes) -> int | None:
    start, end = 0, len(data)
    for kind in path:
        span = next(((first, last) for found, first, last in boxes(data, start, end) if found == kind), None)
        if span is None:
            return None
        found_at, end = span
        start = found_at + 8
    return start - 8


def _require_parameter_sets(codec: Codec, data: bytes) -> None:
    # FFmpeg writes an empty description when they are missing, and nothing plays the file.
    if codec is Codec.H264:
        present, needed = {unit[0] & 0x1F for unit in nal_units(data)}, {7, 8}
    else:
        present, needed = {unit[0] >> 1 & 0x3F for unit in nal_units(data)}, {32, 33, 34}
    if not needed <= present:
        raise UnsupportedStream(
            f"a {codec.value} run starts without its parameter sets (NAL unit types {sorted(needed - present)})",
            remedy="check the camera's encoder settings",
        )


def _box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(content), kind) + content


def _full_box(kind: bytes, version: int, flags: int, content: bytes) -> bytes:
    return struct.pack(">I4sI", 12 + len(content), kind, version << 24 | flags) + content
