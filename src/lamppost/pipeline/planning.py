"""Whether a machine carries so many cameras for so many days: the arithmetic, shown with what went into it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from lamppost.pipeline.measuring import Figures
from lamppost.pipeline.preflight import needed_descriptors

CAMERAS_PER_RECORDER: Final = 100
NETWORK_FACTOR: Final = 2.0  # assumed: reading RTSP takes as much processor time as recording what was read
SYNCS_PER_SEGMENT: Final = 9  # its file, folder and journal at the start; file, record, two folders and journal at the end
OTHER_PROCESSES: Final = 3  # supervisor, bookkeeper and an epoch maker, each taken for a recorder without cameras
_GB: Final = 1e9
_MB: Final = 1e6
_DAY_S: Final = 86_400


@dataclass(frozen=True, slots=True)
class Demand:
    """What is asked of the machine."""

    cameras: int
    mbps: float
    days: float
    masked_days: float
    fps: float
    masked_fps: float
    segment_s: float = 60.0
    sync_interval_s: float = 5.0


@dataclass(frozen=True, slots=True)
class Available:
    """What the machine has."""

    disk_bytes: int
    cores: int
    memory_bytes: int
    descriptors: int  # below 0: no limit


@dataclass(frozen=True, slots=True)
class Need:
    """One resource: what is needed, what there is, and how that was reckoned."""

    what: str
    needed: float
    available: float
    unit: str
    arithmetic: str

    @property
    def fits(self) -> bool:
        return self.needed <= self.available


@dataclass(frozen=True, slots=True)
class Plan:
    """Every need, and the verdict."""

    needs: tuple[Need, ...]
    maskable_fps: float  # frames a second of each camera for which the cores suffice
    assumed: tuple[str, ...]

    @property
    def fits(self) -> bool:
        return all(need.fits for need in self.needs)

    @property
    def verdict(self) -> str:
        lacking = [need for need in self.needs if not need.fits]
        if not lacking:
            return "fits this machine"
        text = ", ".join(f"{need.what} {_round(need.needed)} of {_round(need.available)} {need.unit}" for need in lacking)
        return f"does not fit this machine: {text}"


def plan(demand: Demand, figures: Figures, available: Available) -> Plan:
    """What `demand` needs by `figures`, beside what is `available`."""
    recording = demand.cameras * figures.recording_s_per_s * NETWORK_FACTOR
    per_camera = _masking_cores(demand.masked_fps, figures)
    needs = (
        *_disk(demand, figures, available),
        Need(
            "processor",
            recording + demand.cameras * per_camera,
            available.cores,
            "cores",
            f"recording {demand.cameras} × {figures.recording_s_per_s * 1000:.2f} ms/s × {NETWORK_FACTOR:g} = {recording:.2f}; masking "
            f"{demand.cameras} × ({demand.masked_fps:g} × {figures.frame_s * 1000:.1f} ms + "
            f"{figures.looking_s_per_s * 1000:.1f} ms of looking) = {demand.cameras * per_camera:.2f}",
        ),
        _memory(demand, figures, available),
        Need(
            "open files of one process",
            needed_descriptors(demand.cameras),
            math.inf if available.descriptors < 0 else available.descriptors,
            "files",
            "64 + 8 for each camera",
        ),
    )
    assumed = (
        f"reading RTSP takes as much processor time as recording what was read (× {NETWORK_FACTOR:g})",
        "masked video is 1280x720 and changes as much as the simulated street does, and so does what faces are looked for in",
        f"{SYNCS_PER_SEGMENT} syncs for each segment; 64 open files and 8 for each camera; {OTHER_PROCESSES} small processes beside",
    )
    return Plan(needs, _maskable_fps(demand, figures, max(0.0, available.cores - recording)), assumed)


def _disk(demand: Demand, figures: Figures, available: Available) -> tuple[Need, ...]:
    sealed_per_s = demand.cameras * demand.mbps * 1e6 / 8 * figures.sealed_ratio
    masked_per_s = demand.cameras * demand.masked_fps * figures.masked_bytes_per_frame
    sealed, masked = sealed_per_s * demand.days * _DAY_S, masked_per_s * demand.masked_days * _DAY_S
    syncs = 2 * demand.cameras * (1 / demand.sync_interval_s + SYNCS_PER_SEGMENT / demand.segment_s)
    return (
        Need(
            "disk",
            (sealed + masked) / _GB,
            available.disk_bytes / _GB,
            "GB",
            f"sealed {demand.cameras} × {demand.mbps:g} Mbit/s × {figures.sealed_ratio:.3f} × {demand.days:g} days = {sealed / _GB:.0f}; "
            f"masked {demand.cameras} × {demand.masked_fps:g} × {figures.masked_bytes_per_frame / 1000:.1f} kB × {demand.masked_days:g} "
            f"days = {masked / _GB:.0f}",
        ),
        Need(
            "writing",
            (sealed_per_s + masked_per_s) / _MB,
            figures.write_bytes_per_s / _MB,
            "MB/s",
            f"sealed {sealed_per_s / _MB:.1f} + masked {masked_per_s / _MB:.1f}",
        ),
        Need(
            "syncs",
            syncs,
            figures.syncs_per_s,
            "a second",
            f"2 × {demand.cameras} × (1 / {demand.sync_interval_s:g} s + {SYNCS_PER_SEGMENT} / {demand.segment_s:g} s)",
        ),
    )


def _memory(demand: Demand, figures: Figures, available: Available) -> Need:
    recorders = min(max(1, available.cores), math.ceil(demand.cameras / CAMERAS_PER_RECORDER))
    analysts = min(max(1, available.cores), demand.cameras)
    needed = (
        (recorders + OTHER_PROCESSES) * figures.recorder_base_bytes
        + analysts * figures.analyst_base_bytes
        + demand.cameras * (figures.recorder_camera_bytes + figures.analyst_camera_bytes)
    )
    return Need(
        "memory",
        needed / _GB,
        available.memory_bytes / _GB,
        "GB",
        f"({recorders} + {OTHER_PROCESSES}) × {figures.recorder_base_bytes / _MB:.0f} MB + {analysts} × "
        f"{figures.analyst_base_bytes / _MB:.0f} MB + {demand.cameras} × ({figures.recorder_camera_bytes / _MB:.1f} + "
        f"{figures.analyst_camera_bytes / _MB:.1f} MB)",
    )


def _masking_cores(masked_fps: float, figures: Figures) -> float:
    return masked_fps * figures.frame_s + figures.looking_s_per_s


def _maskable_fps(demand: Demand, figures: Figures, cores: float) -> float:
    """The frames a second, at most those asked for, for which `cores` suffice for every camera."""
    low, high = 0.0, demand.masked_fps
    if demand.cameras * _masking_cores(high, figures) <= cores:
        return high
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if demand.cameras * _masking_cores(middle, figures) <= cores else (low, middle)
    return low


def _round(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}"
