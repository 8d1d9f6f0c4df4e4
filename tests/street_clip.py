"""A short clip of the simulated street, for servers that play it as a camera's."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av

from lamppost.ingest.locator import parse_locator
from lamppost.ingest.simulation import StreetEncoder, street_settings
from lamppost.model.media import Codec

_STREET = "sim://plaza?width=640&height=360&people=3&vehicles=1"


def make_street_clip(path: Path, codec: Codec = Codec.H264) -> None:
    """Write an MP4 of two seconds, 15 pictures a second, a keyframe each second."""
    encoder = StreetEncoder(street_settings(parse_locator(_STREET)), codec)
    with av.open(str(path), "w") as out:
        stream = out.add_mux_stream(str(codec), width=640, height=360, time_base=Fraction(1, 90_000))
        for index in range(30):
            packet = av.Packet(encoder.encode(index))
            packet.stream, packet.time_base = stream, Fraction(1, 90_000)
            packet.pts = packet.dts = index * 6000
            packet.duration, packet.is_keyframe = 6000, index % 15 == 0
            out.mux(packet)
