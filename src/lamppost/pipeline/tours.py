"""A tour of one camera, as an operator has fixed it: from saved position to saved position, until somebody stops it."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from lamppost.base.clock import Clock
from lamppost.base.errors import ConfigError, LamppostError
from lamppost.base.logging import redact
from lamppost.pipeline.helm import LOOK_S, Helm

RETRY_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class Stay:
    """A step of a tour."""

    preset: str
    stay_s: float


class Tour:
    """One tour of one camera, step after step, until `stop` is set; what fails is tried again. No step begins once it is set.

    It sets it itself where the camera is removed or turns no more: what is configured does not mend by itself.
    """

    def __init__(self, helm: Helm, who: str, name: str, steps: Sequence[Stay], clock: Clock) -> None:
        self.name = name
        self.stop = threading.Event()
        self._helm = helm
        self._who = who
        self._steps = tuple(steps)
        self._clock = clock

    def begin(self) -> None:
        """Take the first step; raises what `Helm.go_to` raises."""
        self._step(0)

    def run(self) -> None:
        """The thread's body; the first step was taken by who started the tour."""
        number = 0
        while not self.stop.is_set():
            while self._helm.is_moving and not self._clock.wait(self.stop, LOOK_S):
                pass
            self._clock.wait(self.stop, self._steps[number].stay_s)
            number = (number + 1) % len(self._steps)
            while not self.stop.is_set() and not self._go(number):
                self._clock.wait(self.stop, RETRY_S)

    def _go(self, number: int) -> bool:
        try:
            self._step(number)
        except LamppostError as error:
            self._helm.problem = redact(error.problem)
            if isinstance(error, ConfigError):
                self.stop.set()
            return False
        return True

    def _step(self, number: int) -> None:
        self._helm.go_to(self._who, self._steps[number].preset, tour=self.name, unless=self.stop)
