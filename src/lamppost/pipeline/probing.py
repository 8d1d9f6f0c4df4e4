"""Tries a camera's stream for some seconds, and says what it is: for `lamppost camera test`, before anything is saved."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Final

from lamppost.base.clock import TICKS_PER_S, Clock
from lamppost.base.digest import InTheClear
from lamppost.base.errors import CameraError, CameraUnreachable
from lamppost.base.loop import Loop
from lamppost.ingest.intake import Intake
from lamppost.ingest.opening_streams import open_stream
from lamppost.ingest.stream import StreamFacts
from lamppost.ingest.units import AccessUnit
from lamppost.model.media import Packet, RunStarted, StreamParameters
from lamppost.model.networks import CameraNetworks
from lamppost.model.settings import CameraSettings

CONNECT_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class StreamReport:
    """What a stream showed; bit rate in kbit/s, times in seconds, None where too little was seen."""

    codec: str
    width_px: int
    height_px: int
    fps: float | None
    keyframe_interval_s: float | None
    kbit_per_s: float
    frames: int
    first_picture_s: float
    holes: int
    warnings: tuple[str, ...]


def probe_stream(
    camera: CameraSettings, url: str, *, networks: CameraNetworks, seconds: float, clock: Clock, stop: threading.Event
) -> StreamReport:
    """Connect as a recorder would, look for `seconds`; raises `CameraError` and `ConfigError`."""
    loop = Loop(clock)
    probe = _Probe(loop, clock, seconds, stop)
    stream = open_stream(
        url,
        loop=loop,
        clock=clock,
        sink=probe,
        stop=stop,
        networks=networks,
        username=camera.username,
        password=camera.resolved_password(),
        timeout_s=CONNECT_S,
        transport=camera.transport,
        certificate_sha256=camera.certificate_sha256,
        clear=InTheClear(camera.allow_basic),
    )
    loop.call_later(CONNECT_S + seconds, stop.set)
    try:
        loop.run(stop)
    finally:
        stream.close()
        loop.close()
    return probe.report()


@dataclass(slots=True)
class _Probe:
    """The sink: counts until it has seen enough."""

    loop: Loop
    clock: Clock
    seconds: float
    stop: threading.Event
    began_s: float = 0.0
    first_s: float | None = None
    last_s: float = 0.0
    error: CameraError | None = None
    intake: Intake | None = None
    parameters: StreamParameters | None = None
    packets: list[tuple[int, int, bool]] = field(default_factory=list[tuple[int, int, bool]])  # pts, bytes, is_keyframe
    holes: int = 0

    def __post_init__(self) -> None:
        self.began_s = self.clock.monotonic_s()

    def opened(self, facts: StreamFacts) -> None:
        self.intake = Intake(facts)

    def units(self, units: Sequence[AccessUnit]) -> None:
        if self.intake is None:
            return
        for item in self.intake.push(units):
            if isinstance(item, Packet):
                self._note(item)
            elif isinstance(item, RunStarted):
                self.parameters = item.parameters
            else:
                self.holes += 1

    def ended(self, error: CameraError) -> None:
        self.error = error
        self.stop.set()

    def _note(self, packet: Packet) -> None:
        self.last_s = self.clock.monotonic_s()
        if self.first_s is None:
            self.first_s = self.last_s
        self.packets.append((packet.pts_90k, len(packet.data), packet.is_keyframe))
        if self.last_s - self.first_s >= self.seconds:
            self.stop.set()

    def report(self) -> StreamReport:
        """What was seen; raises the camera's error when it was nothing."""
        if self.parameters is None or self.first_s is None:
            raise self.error or CameraUnreachable("no picture came", remedy="is it the right stream, and does it send keyframes?")
        times = sorted(pts for pts, _, _ in self.packets)
        steps = [later - earlier for earlier, later in itertools.pairwise(times) if later > earlier]
        keys = [pts for pts, _, is_key in self.packets if is_key]
        key_steps = [later - earlier for earlier, later in itertools.pairwise(keys)]
        span_s = max(self.last_s - self.first_s, 0.04)
        keyframe_s = median(key_steps) / TICKS_PER_S if key_steps else None
        return StreamReport(
            codec=self.parameters.codec.value,
            width_px=self.parameters.width_px,
            height_px=self.parameters.height_px,
            fps=round(TICKS_PER_S / median(steps), 2) if steps else None,
            keyframe_interval_s=None if keyframe_s is None else round(keyframe_s, 2),
            kbit_per_s=round(sum(size for _, size, _ in self.packets) * 8 / 1000 / span_s),
            frames=len(self.packets),
            first_picture_s=round(self.first_s - self.began_s, 2),
            holes=self.holes,
            warnings=tuple(self._warnings(keyframe_s, span_s)),
        )

    def _warnings(self, keyframe_s: float | None, span_s: float) -> list[str]:
        warnings: list[str] = []
        if (keyframe_s or span_s) > 4.5:
            warnings.append("keyframes are far apart: set the camera's keyframe interval to 1 to 4 s")
        if self.holes:
            warnings.append(f"{self.holes} time(s) pictures were missing or damaged: look at network and camera load")
        if self.error is not None:
            warnings.append(f"it ended before its time: {self.error}")
        return warnings
