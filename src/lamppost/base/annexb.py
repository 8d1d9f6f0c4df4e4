"""NAL units in Annex B byte streams: the one form in which packets travel.

H.264 (ITU-T H.264, annex B) and H.265 (ITU-T H.265, annex B) separate NAL units
by the start code 00 00 01; zero bytes before it belong to no NAL unit.
"""

from __future__ import annotations

from collections.abc import Iterator

_START_CODE = b"\x00\x00\x01"


Borders = tuple[int, ...]
"""Where the NAL units of a packet begin, each behind a start code of four bytes; empty where that is not known.

Whoever put the packet together knows, and saves the others from searching every byte of it.
"""


def nal_units(data: bytes) -> Iterator[bytes]:
    """The NAL units of `data` in order, without start codes; empty ones are left out.

    Lazy: the first units of a large packet are found without scanning the rest.
    """
    begin = data.find(_START_CODE)
    while begin >= 0:
        begin += len(_START_CODE)
        end = data.find(_START_CODE, begin)
        unit = (data[begin:] if end < 0 else data[begin:end]).rstrip(b"\x00")
        if unit:
            yield unit
        begin = end
