"""Covers a camera's picture from before it is turned until it stands still: the masker's side of it.

An order is acknowledged once it holds, and the camera is turned after that. Whatever
it takes from then on is judged later still, and so is covered. The end goes by
the time of the frames as well: what was taken on the way may still be waiting.
"""

from __future__ import annotations

import json
import math
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from lamppost.base.clock import US_PER_S, Clock
from lamppost.base.durable import write_durable
from lamppost.base.errors import StoreError
from lamppost.base.logging import get_logger

LONGEST_S: Final = 300.0  # of one order; who turns a camera for longer gives another
_MOST_UNANSWERED: Final = 64
_KEPT_LONGER_S: Final = 5.0


class TurnCover:
    """Whether one camera is being turned; safe from any thread.

    The newest order counts, also where it is the shorter one: who gives it has heard that the camera stands still.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        # By both clocks, replaced in one step: one may be stepped, and the other knows nothing of frames that wait.
        self._until = (-math.inf, 0)

    def hold(self, for_s: float) -> None:
        """Cover from now on, for so long."""
        for_s = min(max(0.0, for_s), LONGEST_S)
        self._until = (self._clock.monotonic_s() + for_s, self._clock.wall_us() + round(for_s * US_PER_S))

    def covers(self, wall_us: int) -> bool:
        """Whether a frame of that time must be covered, judged now."""
        until_s, until_us = self._until
        return self._clock.monotonic_s() < until_s or wall_us < until_us


class TurnCovers:
    """The covers of all cameras of a process, those too whose masking has not begun."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._covers: dict[str, TurnCover] = {}
        self._mutex = threading.Lock()
        self._answer: Callable[[dict[str, Any]], object] | None = None
        self._unanswered: list[int] = []

    def of(self, camera: str) -> TurnCover:
        with self._mutex:
            return self._covers.setdefault(camera, TurnCover(self._clock))

    def take_order(self, order: dict[str, Any]) -> None:
        """`{"order": "turned", "camera": ..., "for_s": ..., "number": ...}`, which is acknowledged by its number, once it holds."""
        self.of(str(order["camera"])).hold(float(order["for_s"]))
        with self._mutex:
            answer = self._answer
            if answer is None:
                self._unanswered = [*self._unanswered[1 - _MOST_UNANSWERED :], int(order["number"])]
        if answer is not None:
            answer(covered(int(order["number"])))

    def answer_with(self, answer: Callable[[dict[str, Any]], object]) -> None:
        """There is somebody to answer to: begin with the orders that came before."""
        with self._mutex:
            self._answer = answer
            unanswered, self._unanswered = self._unanswered, []
        for number in unanswered:
            answer(covered(number))


def covered(number: int) -> dict[str, Any]:
    """What an analyst says when an order holds."""
    return {"word": "covered", "number": number}


class TurnsUnderWay:
    """Which cameras are being turned, as the supervisor knows it: an analyst that starts is told before it gets a picture.

    What is noted is kept in `path` before `note` returns, so that a supervisor that follows one that was killed knows it, too.
    """

    def __init__(self, clock: Clock, path: Path) -> None:
        self._clock = clock
        self._path = path
        self._until_s: dict[str, float] = {}
        self._kept_until_s: dict[str, float] = {}
        self._mutex = threading.Lock()

    def load(self) -> None:
        """Go on where another supervisor was; raises `StoreError`."""
        try:
            kept = json.loads(self._path.read_bytes())
            left_s = {str(camera): (int(until_us) - self._clock.wall_us()) / US_PER_S for camera, until_us in kept.items()}
        except FileNotFoundError:
            return
        except (ValueError, TypeError, AttributeError, OverflowError):
            get_logger("supervisor").warning("which cameras were being turned cannot be read", path=str(self._path))
            return
        except OSError as error:
            raise StoreError(f"cannot read {self._path}: {error.strerror}") from error
        now_s = self._clock.monotonic_s()
        with self._mutex:
            # A clock that was set back meanwhile makes it no longer than any order is.
            self._until_s = {camera: now_s + min(each_s, LONGEST_S) for camera, each_s in left_s.items() if each_s > 0}

    def note(self, camera: str, for_s: float) -> None:
        """From any thread; raises `StoreError`, and then it holds in this process alone."""
        now_s = self._clock.monotonic_s()
        with self._mutex:
            self._until_s = {name: until_s for name, until_s in self._until_s.items() if until_s > now_s}
            self._until_s[camera] = now_s + min(max(0.0, for_s), LONGEST_S)
            self._keep(camera, now_s)

    def left_s(self, camera: str) -> float:
        """For how long it must still be covered."""
        with self._mutex:
            return max(0.0, self._until_s.get(camera, 0.0) - self._clock.monotonic_s())

    def _keep(self, camera: str, now_s: float) -> None:
        """Written for longer than it is so, and therefore seldom: covers are renewed more than twice a second."""
        until_s = self._until_s[camera]
        is_over = until_s <= now_s and camera in self._kept_until_s
        if not is_over and until_s <= self._kept_until_s.get(camera, now_s):
            return
        kept = {name: kept_s for name, kept_s in self._kept_until_s.items() if kept_s > now_s and name != camera}
        if not is_over:
            kept[camera] = until_s + _KEPT_LONGER_S
        now_us = self._clock.wall_us()
        content = {name: now_us + round((kept_s - now_s) * US_PER_S) for name, kept_s in kept.items()}
        write_durable(self._path, json.dumps(content).encode())
        self._kept_until_s = kept
