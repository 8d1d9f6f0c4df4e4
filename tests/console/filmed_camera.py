"""A simulated camera that films: one that answers as a device, and whose video can be recorded and watched."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Final

from lamppost.base.clock import SystemClock
from lamppost.cameras.simulated.camera import SimulatedCamera
from lamppost.cameras.simulated.machine import StreamShape
from lamppost.cameras.simulated.vendors import vendor_named
from lamppost.ingest.street import StreetSettings
from lamppost.pipeline.simulated_rtsp import Shown, SimulatedRtsp
from lamppost.pipeline.street_broadcast import StreetBroadcast

PASSWORD: Final = "kestrel-over-9-roofs"
_MAIN: Final = StreetSettings(seed=8, people=3, vehicles=1, width_px=640, height_px=360, fps=10)
_SUB: Final = replace(_MAIN, width_px=480, height_px=270, fps=5)


@contextmanager
def filmed_camera(vendor: str, *, address: str = "127.0.0.1", password: str = PASSWORD, **how: Any) -> Generator[SimulatedCamera]:
    """A camera of `vendor` at `address` with a video of its own; `how` as of `SimulatedCamera`."""
    clock = SystemClock()
    streams = (_shape(_MAIN, 1024), _shape(_SUB, 256))
    camera = SimulatedCamera(vendor, address=address, password=password, streams=streams, clock=clock, **how)
    shown = Shown(vendor_named(vendor).stream_paths, [StreetBroadcast(street, clock) for street in (_MAIN, _SUB)])
    server = SimulatedRtsp(shown, camera.gate, clock, device_us=camera.device_us, address=address, port=0)
    try:
        camera.rtsp_port = server.port
        with camera:
            yield camera
    finally:
        server.close()


def table_of(name: str, camera: SimulatedCamera, *more: str) -> str:
    """The camera as the configuration names it."""
    lines = (
        "",
        "[[camera]]",
        f'name = "{name}"',
        f'url = "{camera.stream_url(0)}"',
        f'sub_url = "{camera.stream_url(1)}"',
        f'username = "{camera.username}"',
        f'password = "{camera.password}"',
        f'device_url = "{camera.base}"',
        *more,
    )
    return "\n".join(lines) + "\n"


def _shape(street: StreetSettings, kbit_per_s: int) -> StreamShape:
    return StreamShape(street.width_px, street.height_px, street.fps, kbit_per_s)
