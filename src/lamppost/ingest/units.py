"""What a source hands on: access units as they arrived, before they are judged and placed."""

from __future__ import annotations

from dataclasses import dataclass

from lamppost.base.annexb import Borders


@dataclass(frozen=True, slots=True)
class AccessUnit:
    """One encoded picture in Annex B, with the source's own timestamps.

    `pts_90k` and `dts_90k` are what the container said, None where it was
    silent; `duration_90k` is 0 when unknown. `arrival_us` (UTC) and `arrival_s`
    (monotonic) tell when it reached this machine. `is_first` marks the first
    unit of a new pass over a file: a new run starts there. `borders` tell where
    NAL units begin, each behind a start code of four bytes; empty where that is
    not known. `lost_packets` were lost by the network, in this unit or right before it.
    """

    data: bytes
    pts_90k: int | None
    dts_90k: int | None
    duration_90k: int
    is_corrupt: bool
    arrival_us: int
    arrival_s: float
    is_first: bool = False
    borders: Borders = ()
    lost_packets: int = 0
