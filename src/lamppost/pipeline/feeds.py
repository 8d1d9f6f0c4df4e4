"""Feeds that reach a child before the camera they are for is ready."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from lamppost.pipeline.control import Message

Offer = Callable[[socket.socket], None]


@dataclass(slots=True)
class FeedDesk:
    """Hands each feed to its camera, now or when the camera is there.

    Feeds arrive on the control thread, cameras register on the main thread.
    """

    _offers: dict[str, Offer] = field(default_factory=dict[str, Offer])
    _waiting: dict[str, socket.socket] = field(default_factory=dict[str, socket.socket])
    _mutex: threading.Lock = field(default_factory=threading.Lock)

    def take_message(self, message: Message) -> None:
        """A supervisor's order: `{"order": "feed", "camera": NAME}` with one socket."""
        ends = [socket.socket(fileno=descriptor) for descriptor in message.descriptors]
        if message.body.get("order") != "feed" or len(ends) != 1:
            for end in ends:
                end.close()
            return
        self._hand_over(message.body["camera"], ends[0])

    def register(self, camera: str, offer: Offer) -> None:
        """From now on give this camera's feeds to `offer`, the waiting one first."""
        with self._mutex:
            self._offers[camera] = offer
            end = self._waiting.pop(camera, None)
        if end is not None:
            offer(end)

    def withdraw(self, camera: str) -> None:
        """Its feeds have nobody to go to any more; one that comes waits."""
        with self._mutex:
            self._offers.pop(camera, None)

    def _hand_over(self, camera: str, end: socket.socket) -> None:
        with self._mutex:
            offer = self._offers.get(camera)
            stale = None if offer else self._waiting.pop(camera, None)
            if offer is None:
                self._waiting[camera] = end
        if stale is not None:
            stale.close()
        if offer is not None:
            offer(end)
