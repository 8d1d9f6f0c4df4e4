"""The line to one camera's head: opened when something is asked, and not used again and again with a password that was refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Final, Protocol

from lamppost.base.clock import Clock
from lamppost.base.errors import CameraError, CameraRefused
from lamppost.pipeline.standing import HeadStatus

REFUSED_S: Final = 600.0  # devices lock users out after a few wrong passwords


class Head(Protocol):
    """What turns one camera, in one thread; raises `CameraError`. As `cameras.onvif.ptz.Ptz`."""

    def presets(self) -> Sequence[Any]: ...
    def go_to(self, token: str) -> None: ...
    def save_preset(self, name: str) -> str: ...
    def remove(self, token: str) -> None: ...
    def move(self, pan: float, tilt: float, zoom: float, for_s: float) -> None: ...
    def stop(self) -> None: ...
    def status(self) -> HeadStatus: ...


def _always_the_same(_camera: str) -> object:
    return None


@dataclass(frozen=True, slots=True)
class SteeringTools:
    """What steering needs: `open_head` reaches a camera's device, `cover` returns once it is covered, `act` puts on the record.

    `access` says with what a device is asked: where that has changed, what was refused is tried anew.
    """

    open_head: Callable[[str], AbstractContextManager[Head]]
    cover: Callable[[str, float], None]
    act: Callable[[str, str, Mapping[str, Any]], None]  # actor, camera, detail
    clock: Clock
    access: Callable[[str], object] = _always_the_same


@dataclass(frozen=True, slots=True)
class _Refusal:
    problem: str
    remedy: str
    access: object
    until_s: float


class HeadLine:
    """Asks the head of one camera, one question at a time; close it when nothing more is asked for now."""

    def __init__(self, camera: str, tools: SteeringTools) -> None:
        self._camera = camera
        self._tools = tools
        self._opened: AbstractContextManager[Head] | None = None
        self._head: Head | None = None
        self._refusal: _Refusal | None = None

    def ask(self, question: Callable[[Head], Any], *, is_by_hand: bool = False) -> Any:
        """The answer; raises what `Head` raises. A refused password is offered again at once where a person asks, `is_by_hand`."""
        if not is_by_hand:
            self._check_refusal()
        try:
            if self._head is None:
                opened = self._tools.open_head(self._camera)
                self._head = opened.__enter__()
                self._opened = opened
            answer = question(self._head)
        except CameraError as error:
            self.close()  # the next question begins anew, with the password and the address of then
            if isinstance(error, CameraRefused):
                until_s = self._tools.clock.monotonic_s() + REFUSED_S
                self._refusal = _Refusal(error.problem, error.remedy, self._tools.access(self._camera), until_s)
            raise
        self._refusal = None
        return answer

    def close(self) -> None:
        opened, self._opened, self._head = self._opened, None, None
        if opened is not None:
            opened.__exit__(None, None, None)

    def _check_refusal(self) -> None:
        refusal = self._refusal
        if refusal is None:
            return
        if self._tools.clock.monotonic_s() < refusal.until_s and self._tools.access(self._camera) == refusal.access:
            raise CameraRefused(refusal.problem, remedy=refusal.remedy)
        self._refusal = None
