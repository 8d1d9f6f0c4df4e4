"""Publishes a camera's masked pictures the moment they are encoded, on a Unix socket in the data folder.

The server connects there, and whoever else may read the data folder's sockets;
what comes is a plain stream of fragmented MP4. This is the only way by which
pictures leave an analyst alive, and nothing but masked packets fits through it.
"""

from __future__ import annotations

import contextlib
import threading
from collections import deque
from typing import Final

from lamppost.base.clock import Clock
from lamppost.base.errors import StoreError
from lamppost.base.local_sockets import LocalListener
from lamppost.base.logging import get_logger
from lamppost.base.loop import Loop
from lamppost.model.layout import DataFolder
from lamppost.model.media import MaskedPacket, StreamParameters
from lamppost.pipeline.subscriber import Subscriber
from lamppost.record.live import LiveFragment, LiveMuxer

MOST_SUBSCRIBERS: Final = 16
GOP_BYTES: Final = 4 << 20  # the present GOP is held, so that who comes begins at once; a larger one is not
WAITING_FRAGMENTS: Final = 120  # for the loop, which comes in milliseconds


class LivePublisher:
    """The live stream of one camera, for at most `MOST_SUBSCRIBERS` at a time.

    Each gets the init segment of the present run and then every fragment from
    the newest keyframe on. When the run ends, so does the connection, and who connects again gets the next run: a
    stream never changes its init, which few readers would take. Before the first picture of a run, a subscriber waits.

    `publish` and `end` are the masking thread's and never wait for a subscriber; `open` and `close` are for one other
    thread. Sockets are written in the loop's thread alone. After `close` what is published reaches nobody.
    """

    def __init__(self, camera: str, folder: DataFolder, loop: Loop, clock: Clock) -> None:
        self.subscribers = 0
        self.dropped_fragments = 0
        self._path = folder.live_socket(camera)
        self._loop = loop
        self._clock = clock
        self._log = get_logger("live").bind(camera=camera)
        self._problem = ""
        self._listener: LocalListener | None = None
        self._muxer: LiveMuxer | None = None  # the masking thread's
        # What follows is shared, under the mutex.
        self._mutex = threading.Lock()
        self._init = b""
        self._gop: deque[LiveFragment] = deque()
        self._gop_bytes = 0
        self._fresh: list[LiveFragment] = []
        self._is_cut = False  # fragments are left out until the next keyframe
        self._is_over = False
        self._is_posted = False
        self._is_watched = False
        # The loop's.
        self._waiting: list[Subscriber] = []
        self._following: list[Subscriber] = []
        self._ending: list[Subscriber] = []

    def open(self) -> None:
        """Listen, unless that is so already; to be called again now and then. A failure is told once, and tried again."""
        if self._listener is not None and self._listener.is_in_place():
            return
        self._stop_listening()  # where somebody has removed the name
        try:
            listener = self._listener = LocalListener(self._path)
        except StoreError as error:
            if str(error) != self._problem:
                self._log.error("not published live", problem=str(error))
            self._problem = str(error)
            return
        self._problem = ""
        self._loop.post(lambda: self._watch(listener))

    def close(self) -> None:
        """Listen no more, and end every stream."""
        self._stop_listening()
        self._loop.post(self._part)

    def publish(self, packet: MaskedPacket, parameters: StreamParameters) -> None:
        """Send one encoded picture; the first of a run is a keyframe. `parameters` are the encoder's."""
        # The type is the promise; a caller without a type checker is held to it as well.
        if type(packet) is not MaskedPacket:
            raise TypeError(f"only a MaskedPacket may be published, not {type(packet).__name__}")
        if self._muxer is None:
            self._muxer = LiveMuxer(parameters, packet)
        fragment = self._muxer.take(packet)
        with self._mutex:
            self._init = self._muxer.init
            self._hold(fragment)
            self._queue(fragment)
        self._wake()

    def end(self) -> None:
        """The run is over: its subscribers get what is left of it, and are disconnected."""
        self._muxer = None
        with self._mutex:
            self._init = b""
            self._gop.clear()
            self._gop_bytes = 0
            self._is_over = self._is_watched
        self._wake()

    def _hold(self, fragment: LiveFragment) -> None:
        if fragment.is_keyframe:
            self._gop.clear()
            self._gop_bytes = 0
        elif not self._gop:
            return  # the keyframe of this one was too large to be held
        self._gop.append(fragment)
        self._gop_bytes += len(fragment.data)
        if self._gop_bytes > GOP_BYTES:
            self._gop.clear()

    def _queue(self, fragment: LiveFragment) -> None:
        # After the end of a run nobody follows until the loop has been round.
        if not self._is_watched or self._is_over:
            return
        if len(self._fresh) >= WAITING_FRAGMENTS or (self._is_cut and not fragment.is_keyframe):
            self._is_cut = True
            self.dropped_fragments += 1
            return
        self._is_cut = False
        self._fresh.append(fragment)

    def _wake(self) -> None:
        with self._mutex:
            must_post = self._is_watched and not self._is_posted
            self._is_posted = self._is_posted or must_post
        if must_post:
            self._loop.post(self._hand_out)

    # In the loop's thread.

    def _watch(self, listener: LocalListener) -> None:
        if listener.socket.fileno() >= 0:
            self._loop.watch(listener.socket.fileno(), lambda: self._accept(listener))

    def _stop_listening(self) -> None:
        listener, self._listener = self._listener, None
        if listener is not None:
            self._loop.post(lambda: self._unwatch(listener))

    def _unwatch(self, listener: LocalListener) -> None:
        if listener.socket.fileno() >= 0:
            self._loop.unwatch(listener.socket.fileno())
        listener.close()

    def _accept(self, listener: LocalListener) -> None:
        try:
            end, _ = listener.socket.accept()
        except OSError:  # it has gone already, or no descriptor is free
            return
        if self.subscribers >= MOST_SUBSCRIBERS:
            end.close()
            return
        self._waiting.append(Subscriber(end, self._loop, self._clock, on_dropped=self._count_dropped, on_gone=self._forget))
        self._count()
        self._hand_out()

    def _hand_out(self) -> None:
        with self._mutex:
            fresh, self._fresh = self._fresh, []
            is_over, self._is_over = self._is_over, False
            self._is_posted = False
            init, gop = self._init, tuple(self._gop)
        for subscriber in tuple(self._following):
            for fragment in fresh:
                subscriber.offer(fragment)
        if is_over:
            following, self._following = self._following, []
            self._ending += following
            for subscriber in following:
                subscriber.finish()
        if gop:
            # What was fresh is in the GOP that they begin with.
            waiting, self._waiting = self._waiting, []
            self._following += waiting
            for subscriber in waiting:
                subscriber.begin(init, gop)

    def _part(self) -> None:
        self._hand_out()
        for subscriber in (*self._waiting, *self._following, *self._ending):
            subscriber.close()

    def _count_dropped(self, fragments: int) -> None:
        with self._mutex:
            self.dropped_fragments += fragments

    def _forget(self, subscriber: Subscriber) -> None:
        for group in (self._waiting, self._following, self._ending):
            with contextlib.suppress(ValueError):
                group.remove(subscriber)
        self._count()

    def _count(self) -> None:
        with self._mutex:
            self.subscribers = len(self._waiting) + len(self._following) + len(self._ending)
            self._is_watched = bool(self.subscribers)
