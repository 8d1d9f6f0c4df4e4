"""Gives each camera's live pictures to all who watch it: one connection to the analyst, one encode, shared bytes.

Everything happens in the server's event loop.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Final

from lamppost.api.fragment_stream import FragmentStream, LiveInit, LivePiece, StreamMalformed
from lamppost.api.viewer import Viewer
from lamppost.base.clock import TICKS_PER_S, Clock
from lamppost.base.logging import get_logger
from lamppost.model.layout import DataFolder

MOST_VIEWERS: Final = 1000
MOST_OF_A_CAMERA: Final = 200
LINGER_S: Final = 10.0  # after the last has gone
FIRST_PAUSE_S: Final = 0.1
LONGEST_PAUSE_S: Final = 2.0
READ_BYTES: Final = 256 * 1024
RING_S: Final = 8.0  # for players of HLS
RING_BYTES: Final = 24 << 20


class HubFull(Exception):
    """There are as many viewers as there may be."""


@dataclass(slots=True)
class Gop:
    """A keyframe and the pictures that build on it: a part of an HLS playlist."""

    number: int
    run: int
    pieces: list[LivePiece] = field(default_factory=list[LivePiece])
    size_bytes: int = 0

    def add(self, piece: LivePiece) -> None:
        self.pieces.append(piece)
        self.size_bytes += len(piece.data)

    @property
    def duration_s(self) -> float:
        first, last = self.pieces[0], self.pieces[-1]
        return (last.decode_90k + last.duration_90k - first.decode_90k) / TICKS_PER_S

    @property
    def data(self) -> bytes:
        return b"".join(piece.media for piece in self.pieces)


class CameraFeed:
    """One camera's stream: read while somebody watches, and held from its newest keyframe on for who comes."""

    def __init__(self, camera: str, folder: DataFolder, clock: Clock) -> None:
        self.viewers: set[Viewer] = set()
        self.dropped = 0  # by viewers that have gone
        self.run = 0
        self.init: LiveInit | None = None
        self.inits: dict[int, LiveInit] = {}  # of the runs that the ring still has
        self.ring: deque[Gop] = deque()
        self.wanted_until_s = 0.0
        self.grown = asyncio.Event()  # set, and made anew, whenever a part is complete
        self._path = folder.live_socket(camera)
        self._clock = clock
        self._numbers = 0
        self._task: asyncio.Task[None] | None = None
        self._state = "waiting"
        self._log = get_logger("live").bind(camera=camera)

    def want(self) -> None:
        """Somebody watches, or has just asked."""
        self.wanted_until_s = self._clock.monotonic_s() + LINGER_S
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._read())

    async def close(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    def join(self, viewer: Viewer) -> None:
        """From the newest keyframe on, at once where there is one."""
        self.viewers.add(viewer)
        if self.init is None:
            viewer.tell({"type": "state", "state": self._state})
            return
        viewer.begin(self.init, self.run)
        if self.ring and self.ring[-1].run == self.run:
            for piece in self.ring[-1].pieces:
                viewer.offer(piece)

    def leave(self, viewer: Viewer) -> None:
        self.viewers.discard(viewer)
        self.dropped += viewer.dropped
        self.wanted_until_s = self._clock.monotonic_s() + LINGER_S

    @property
    def newest(self) -> tuple[LiveInit, LivePiece] | None:
        """The init and the newest keyframe; None while there is no picture."""
        if self.init is None or not self.ring or self.ring[-1].run != self.run:
            return None
        return self.init, self.ring[-1].pieces[0]

    def whole_parts(self) -> list[Gop]:
        """The parts that are complete: all but the last of a run that goes on."""
        return [gop for gop in self.ring if gop is not self.ring[-1] or self.init is None]

    @property
    def _is_wanted(self) -> bool:
        return bool(self.viewers) or self._clock.monotonic_s() < self.wanted_until_s

    async def _read(self) -> None:
        pause_s = FIRST_PAUSE_S
        while self._is_wanted:
            try:
                reader, writer = await asyncio.open_unix_connection(str(self._path), limit=READ_BYTES)
            except OSError:
                self._tell_state("lost" if self.run else "waiting")
            else:
                try:
                    if await self._follow(reader):
                        pause_s = FIRST_PAUSE_S
                finally:
                    writer.close()
                    self._end_run()
            await asyncio.sleep(pause_s)
            pause_s = min(LONGEST_PAUSE_S, pause_s * 1.6)

    async def _follow(self, reader: asyncio.StreamReader) -> bool:
        """Hand on what comes until it ends, or nobody wants it; true where a picture came."""
        stream, had_picture = FragmentStream(), False
        while self._is_wanted:
            try:
                async with asyncio.timeout(LINGER_S):
                    piece = await reader.read(READ_BYTES)
            except TimeoutError:
                continue
            except OSError:
                break
            if not piece:
                break
            try:
                for unit in stream.take(piece):
                    self._take(unit)
                    had_picture = had_picture or isinstance(unit, LivePiece)
            except StreamMalformed as error:
                self._log.error("what an analyst publishes cannot be read", problem=str(error))
                break
        return had_picture

    def _take(self, unit: LiveInit | LivePiece) -> None:
        if isinstance(unit, LiveInit):
            self.run += 1
            self.init = self.inits[self.run] = unit
            for viewer in self.viewers:
                viewer.begin(unit, self.run)
            return
        self._hold(unit)
        for viewer in self.viewers:
            viewer.offer(unit)

    def _hold(self, piece: LivePiece) -> None:
        if piece.is_keyframe:
            self._numbers += 1
            self.ring.append(Gop(self._numbers, self.run))
            self._tell_grown()
        if self.ring:
            self.ring[-1].add(piece)
        while len(self.ring) > 1 and self._is_overfull():
            self.ring.popleft()
        if self.inits.keys() - {gop.run for gop in self.ring} - {self.run}:
            self.inits = {run: init for run, init in self.inits.items() if run == self.run or any(gop.run == run for gop in self.ring)}

    def _is_overfull(self) -> bool:
        length_s = sum(gop.duration_s for gop in self.ring) - self.ring[0].duration_s
        return length_s > RING_S or sum(gop.size_bytes for gop in self.ring) > RING_BYTES

    def _end_run(self) -> None:
        if self.init is None:
            return
        self.init = None
        self._state = "lost"
        self._tell_grown()
        for viewer in self.viewers:
            viewer.tell({"type": "end"})

    def _tell_state(self, state: str) -> None:
        if state != self._state:
            self._state = state
            for viewer in self.viewers:
                viewer.tell({"type": "state", "state": state})

    def _tell_grown(self) -> None:
        grown, self.grown = self.grown, asyncio.Event()
        grown.set()


class LiveHub:
    """All cameras' feeds; one in a server."""

    def __init__(self, folder: DataFolder, clock: Clock) -> None:
        self._folder = folder
        self._clock = clock
        self._feeds: dict[str, CameraFeed] = {}

    async def close(self) -> None:
        for feed in self._feeds.values():
            await feed.close()

    def feed(self, camera: str) -> CameraFeed:
        """The feed of a configured camera, being read from now on."""
        feed = self._feeds.get(camera)
        if feed is None:
            feed = self._feeds[camera] = CameraFeed(camera, self._folder, self._clock)
        feed.want()
        return feed

    @contextlib.contextmanager
    def watch(self, camera: str) -> Generator[Viewer]:
        """One more who watches; raises `HubFull`."""
        feed = self.feed(camera)
        if len(feed.viewers) >= MOST_OF_A_CAMERA or self.viewers >= MOST_VIEWERS:
            raise HubFull
        viewer = Viewer()
        feed.join(viewer)
        try:
            yield viewer
        finally:
            feed.leave(viewer)

    @property
    def viewers(self) -> int:
        return sum(len(feed.viewers) for feed in self._feeds.values())

    def figures(self) -> dict[str, int]:
        """For the metrics."""
        dropped = sum(feed.dropped + sum(viewer.dropped for viewer in feed.viewers) for feed in self._feeds.values())
        return {"live_viewers": self.viewers, "dropped_fragments": dropped}
