"""Films the simulated street: encodes it as a camera would, in real time."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from fractions import Fraction
from typing import Any, Literal

import av
import numpy as np

from lamppost.base.clock import TICKS_PER_S, US_PER_S, Clock
from lamppost.base.errors import ConfigError, StreamEnded
from lamppost.ingest.locator import Locator
from lamppost.ingest.stream import StreamFacts
from lamppost.ingest.street import Street, StreetSettings
from lamppost.ingest.strip import STRIP_WIDTH_PX
from lamppost.ingest.units import AccessUnit
from lamppost.model.media import Codec

_OPTIONS = frozenset({"seed", "people", "vehicles", "width", "height", "fps", "seconds", "codec", "pace", "noise"})
_PLACES = ("plaza",)
_LONGEST_S = 86_400


def street_settings(locator: Locator) -> StreetSettings:
    """The street that `locator` (`sim://plaza?...`) describes; raises `ConfigError`."""
    if locator.path not in _PLACES:
        raise ConfigError(f"{locator.shown}: no such simulated place", remedy=f"write sim://{_PLACES[0]}?seed=1&people=8&vehicles=4")
    locator.check_options(_OPTIONS)
    width, height = locator.number("width", 1280, 320, 3840), locator.number("height", 720, 180, 2160)
    if width % 2 or height % 2 or width < STRIP_WIDTH_PX:
        raise ConfigError(f"{locator.shown}: {width}x{height} pixels cannot be filmed", remedy="width and height are even numbers")
    return StreetSettings(
        seed=locator.number("seed", 1, 0, 999_999_999),
        people=locator.number("people", 8, 0, 100),
        vehicles=locator.number("vehicles", 4, 0, 50),
        width_px=width,
        height_px=height,
        fps=locator.number("fps", 15, 1, 60),
        has_noise=locator.number("noise", 0, 0, 1) == 1,
    )


class StreetEncoder:
    """Encodes a street's pictures one by one, without delay, a keyframe each second."""

    def __init__(self, settings: StreetSettings, codec: Codec) -> None:
        self.street = Street(settings)
        self._buffer = np.empty((settings.height_px * 3 // 2, settings.width_px), np.uint8)
        library: Literal["libx264", "libx265"] = "libx264" if codec is Codec.H264 else "libx265"
        context = av.CodecContext.create(library, "w")
        context.width, context.height, context.pix_fmt = settings.width_px, settings.height_px, "yuv420p"
        context.time_base, context.framerate = Fraction(1, settings.fps), Fraction(settings.fps)
        context.gop_size, context.max_b_frames, context.thread_count = settings.fps, 0, 1
        # Exactly one keyframe a second, and no thread but the caller's.
        fixed = f"keyint={settings.fps}:min-keyint={settings.fps}:scenecut=0"
        if codec is Codec.H264:
            context.options = {"preset": "ultrafast", "tune": "zerolatency", "crf": "26", "x264-params": fixed}
        else:
            quiet = "repeat-headers=1:pools=none:frame-threads=1:log-level=none"
            context.options = {"preset": "ultrafast", "tune": "zerolatency", "crf": "28", "x265-params": f"{fixed}:{quiet}"}
        self._context = context

    def encode(self, index: int) -> bytes:
        """Picture `index` as one Annex B access unit; to be called with 0, 1, 2, ..."""
        frame = av.VideoFrame.from_ndarray(self.street.frame(index, self._buffer), format="yuv420p")
        frame.pts = index
        encoder: Any = self._context
        return b"".join(bytes(packet) for packet in encoder.encode(frame))


class SimulatedSource:
    """The access units of a simulated street, paced by `clock`.

    `seconds` ends the stream; `pace=0` films as fast as the reader takes it.
    """

    def __init__(self, locator: Locator, clock: Clock) -> None:
        self._settings = street_settings(locator)
        name = locator.option("codec", str(Codec.H264))
        if name not in set(Codec):
            raise ConfigError(f"{locator.shown}: codec={name} cannot be filmed", remedy="codec is h264 or hevc")
        self.codec = Codec(name)
        self.is_paced = locator.number("pace", 1, 0, 1) == 1
        seconds = locator.number("seconds", 0, 0, _LONGEST_S)
        self._frames = seconds * self._settings.fps
        self._locator = locator
        self._clock = clock
        self._stop = threading.Event()
        self._encoder: StreetEncoder | None = None
        self._interval = TICKS_PER_S // self._settings.fps

    def started(self, stop: threading.Event) -> SimulatedSource:
        """Set up the encoder, which takes a moment; from now on `stop` ends the stream. Returns itself."""
        self._stop = stop
        self._encoder = StreetEncoder(self._settings, self.codec)
        return self

    def facts(self) -> StreamFacts:
        return StreamFacts(self.codec, nominal_interval_90k=self._interval, follows_arrival=self.is_paced)

    def units(self) -> Iterator[AccessUnit]:
        encoder = self._encoder
        if encoder is None:
            raise ValueError("units() before started()")
        started_us, started_s = self._clock.wall_us(), self._clock.monotonic_s()
        index = 0
        while not self._frames or index < self._frames:
            due_s = index / self._settings.fps
            left_s = started_s + due_s - self._clock.monotonic_s()
            if self.is_paced and left_s > 0:
                self._clock.wait(self._stop, left_s)
            if self._stop.is_set():
                return
            data = encoder.encode(index)
            time_90k = index * TICKS_PER_S // self._settings.fps
            yield AccessUnit(
                data,
                time_90k,
                time_90k,
                self._interval,
                False,
                self._clock.wall_us() if self.is_paced else started_us + round(due_s * US_PER_S),
                self._clock.monotonic_s() if self.is_paced else started_s + due_s,
            )
            index += 1
        raise StreamEnded(f"{self._locator.shown} is at its end", remedy="leave out seconds= to film without an end")

    def close(self) -> None:
        """Nothing is held open."""
