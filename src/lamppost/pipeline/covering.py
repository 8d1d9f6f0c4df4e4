"""Has a camera's picture covered, and says so only when it is: the server's side of turning cameras."""

from __future__ import annotations

import itertools
import secrets
import threading
from collections.abc import Callable
from typing import Any, Final

from lamppost.base.errors import CameraError

ANSWER_S: Final = 2.0


class NotCovered(CameraError):
    """Nobody has said that the picture is covered: the camera must not be turned."""


class Covering:
    """Asks for covers, through the supervisor; safe from any thread. Until it is connected, nothing can be covered."""

    def __init__(self, *, patience_s: float = ANSWER_S) -> None:
        self._patience_s = patience_s
        self._send: Callable[[dict[str, Any]], object] | None = None
        # Not from 1: an answer to a server that died must not pass for one to the next.
        self._numbers = itertools.count(secrets.randbits(40))
        self._waiting: dict[int, threading.Event] = {}
        self._mutex = threading.Lock()

    def connect(self, send: Callable[[dict[str, Any]], object]) -> None:
        """From now on, questions go this way."""
        self._send = send

    def cover(self, camera: str, for_s: float) -> None:
        """Return once everything that the camera takes is covered for `for_s` from now; a shorter time stands for a longer one.

        Raises `NotCovered` where nobody says so in time.
        """
        send = self._send
        answered = threading.Event()
        with self._mutex:
            number = next(self._numbers)
            self._waiting[number] = answered
        try:
            is_sent = send is not None and send({"word": "cover", "camera": camera, "for_s": for_s, "number": number}) is not False
            if not is_sent or not answered.wait(self._patience_s):
                raise NotCovered("the picture cannot be covered just now, so the camera is not turned", remedy="try again in some seconds")
        finally:
            with self._mutex:
                del self._waiting[number]

    def take_answer(self, number: int) -> None:
        """From the control thread: that cover holds."""
        with self._mutex:
            answered = self._waiting.get(number)
        if answered is not None:
            answered.set()
