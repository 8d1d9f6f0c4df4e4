"""Cuts pictures into RTP packets as cameras do, for tests."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from itertools import count

from lamppost.model.media import Codec

PAYLOAD_TYPE, SSRC = 96, 0x1234_5678


def rtp(
    sequence: int, timestamp: int, payload: bytes, *, marker: bool = False, ssrc: int = SSRC, payload_type: int = PAYLOAD_TYPE
) -> bytes:
    """One RTP packet."""
    kind = payload_type | (0x80 if marker else 0)
    return struct.pack(">BBHII", 0x80, kind, sequence & 0xFFFF, timestamp & 0xFFFF_FFFF, ssrc) + payload


def interleaved(packet: bytes, channel: int = 0) -> bytes:
    """A packet as it goes over the RTSP connection."""
    return struct.pack(">BBH", 0x24, channel, len(packet)) + packet


def payloads(codec: Codec, units: Sequence[bytes], *, most: int = 1400, aggregates: bool = False) -> list[bytes]:
    """The RTP payloads of one picture: single units and fragments, or aggregates where they fit."""
    if aggregates and len(units) > 1 and sum(len(unit) + 2 for unit in units) + 2 <= most:
        head = b"\x18" if codec is Codec.H264 else b"\x60\x01"
        return [head + b"".join(struct.pack(">H", len(unit)) + unit for unit in units)]
    found: list[bytes] = []
    for unit in units:
        found += [unit] if len(unit) <= most else _fragments(codec, unit, most)
    return found


def _fragments(codec: Codec, unit: bytes, most: int) -> list[bytes]:
    header = 1 if codec is Codec.H264 else 2
    body = unit[header:]
    pieces = [body[start : start + most - 3] for start in range(0, len(body), most - 3)]
    fragments = []
    for index, piece in enumerate(pieces):
        flags = (0x80 if index == 0 else 0) | (0x40 if index == len(pieces) - 1 else 0)
        if codec is Codec.H264:
            head = bytes([unit[0] & 0xE0 | 28, flags | unit[0] & 0x1F])
        else:
            head = bytes([unit[0] & 0x81 | 49 << 1, unit[1], flags | unit[0] >> 1 & 0x3F])
        fragments.append(head + piece)
    return fragments


def packets(codec: Codec, pictures: Sequence[Sequence[bytes]], *, most: int = 1400, step: int = 3600, first: int = 65_530) -> list[bytes]:
    """RTP packets of `pictures`, each a list of NAL units, with markers; the sequence number wraps early."""
    sequence = count(first)
    found: list[bytes] = []
    for index, units in enumerate(pictures):
        parts = payloads(codec, units, most=most, aggregates=index % 3 == 1)
        for position, payload in enumerate(parts):
            found.append(rtp(next(sequence), 0xFFFF_F000 + index * step, payload, marker=position == len(parts) - 1))
    return found
