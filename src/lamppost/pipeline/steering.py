"""Turns cameras for operators: by hand, to saved positions, and by tours that they have fixed; never for a detection.

Each order to a camera is given only while its picture is covered, and the cover
stays until the camera stands still. Where this process dies on the way, the cover
outlives what the camera may still do.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from lamppost.base.clock import Clock
from lamppost.base.errors import CameraError, ConfigError, LamppostError
from lamppost.base.logging import get_logger, redact

SETTLE_S: Final = 1.5  # from the last sign of movement on: pictures are on their way, and a head swings back
CALL_S: Final = 6.0  # a call to a device has ended, or never will be heard of
LONGEST_TRIP_S: Final = 60.0  # to a saved position
UNTOLD_TRIP_S: Final = 20.0  # the same, of a device that does not say whether it moves
LEAST_TRIP_S: Final = 1.0  # some begin so late, and say until then that they stand
MOST_TURN_S: Final = 120.0  # since the last order: one that still says that it moves is not believed
REST_S: Final = 10.0  # without an order, and somebody has stopped steering
LOOK_S: Final = 0.4
RETRY_S: Final = 5.0
_RENEWAL_S: Final = 5.0
_PRESETS_OLD_S: Final = 30.0
_MOST_NOTED: Final = 32
_LONGEST_STAY_S: Final = 4000.0  # of a tour


class Head(Protocol):
    """What turns one camera, in one thread; raises `CameraError`. As `cameras.onvif.ptz.Ptz`."""

    def presets(self) -> Sequence[Any]: ...
    def go_to(self, token: str) -> None: ...
    def save_preset(self, name: str) -> str: ...
    def remove(self, token: str) -> None: ...
    def move(self, pan: float, tilt: float, zoom: float, for_s: float) -> None: ...
    def stop(self) -> None: ...
    def status(self) -> Any: ...


@dataclass(frozen=True, slots=True)
class SteeringTools:
    """What steering needs: `open_head` reaches a camera's device, `cover` returns once it is covered, `act` puts on the record."""

    open_head: Callable[[str], AbstractContextManager[Head]]
    cover: Callable[[str, float], None]
    act: Callable[[str, str, Mapping[str, Any]], None]  # actor, camera, detail
    clock: Clock


@dataclass(slots=True)
class _Turn:
    """Somebody's steering of a camera, from the first order until nobody gives another."""

    who: str
    tour: str
    began_s: float
    moves: int = 0
    noted: list[str] = field(default_factory=list[str])

    def note(self, what: str) -> None:
        if len(self.noted) < _MOST_NOTED:
            self.noted.append(what)


@dataclass(frozen=True, slots=True)
class Position:
    """A position that is saved in the device."""

    token: str
    name: str


class Helm:
    """The steering of one camera; every method may be called from any thread, and one order is given at a time.

    `look` is called now and then while it is true: it ends covers and turns.
    """

    def __init__(self, camera: str, tools: SteeringTools) -> None:
        self._camera = camera
        self._tools = tools
        self._clock = tools.clock
        self._lock = threading.RLock()
        self._opened: AbstractContextManager[Head] | None = None
        self._head: Head | None = None
        self._turn: _Turn | None = None
        self._presets: tuple[Position, ...] = ()
        self._presets_s: float | None = None
        self._ordered_s = 0.0
        self._looks_from_s = 0.0  # what it says before says nothing
        self._likely_until_s = 0.0  # it moves, where it does not say
        self._worst_until_s = 0.0  # it may move: so long the cover lasts, whatever becomes of this process
        self._still_since_s: float | None = None
        self._is_covered = False
        self.problem = ""

    @property
    def is_moving(self) -> bool:
        """Whether its picture is covered because it turns."""
        return self._is_covered

    def presets(self) -> tuple[Position, ...]:
        """Those saved in the device; asked every half minute."""
        with self._lock:
            now_s = self._clock.monotonic_s()
            if self._presets_s is None or now_s - self._presets_s > _PRESETS_OLD_S:
                self._presets = tuple(Position(each.token, each.name) for each in self._call(lambda head: head.presets()))
                self._presets_s = now_s
            return self._presets

    def move(self, who: str, pan: float, tilt: float, zoom: float, for_s: float) -> None:
        """Turn for `for_s`; raises `NotCovered`, and then nothing moves, and `CameraError`."""
        with self._lock:
            self._begin(who, for_s).moves += 1
            self._call(lambda head: head.move(pan, tilt, zoom, for_s))
            self._under_way(for_s, for_s + LEAST_TRIP_S, least_s=for_s)

    def go_to(self, who: str, token: str, *, tour: str = "", unless: threading.Event | None = None) -> None:
        """Turn to a saved position, as a step of `tour` where that is given; as `move`. Nothing is done where `unless` is set."""
        with self._lock:
            if unless is not None and unless.is_set():
                return  # it was stopped while another order was given
            name = next((preset.name for preset in self._presets if preset.token == token), token)
            self._begin(who, LONGEST_TRIP_S, tour).note(name)
            self._call(lambda head: head.go_to(token))
            self._under_way(UNTOLD_TRIP_S, LONGEST_TRIP_S, least_s=LEAST_TRIP_S)

    def stop(self, who: str) -> None:
        """Have it stand still, whether it is covered or not: a stop is never held up."""
        with self._lock:
            self._call(lambda head: head.stop())
            if self._turn is not None:
                self._under_way(0.0, 0.0)

    @property
    def is_idle(self) -> bool:
        """Whether there is nothing to look after."""
        return not self._is_covered and self._turn is None

    def save_preset(self, who: str, name: str) -> Position:
        """Save where it stands; nothing moves."""
        with self._lock:
            self._tools.act(who, self._camera, {"saved": name})
            token = self._call(lambda head: head.save_preset(name))
            self._presets_s = None
            return Position(token, name)

    def remove(self, who: str, token: str) -> None:
        with self._lock:
            self._tools.act(who, self._camera, {"removed": token})
            self._call(lambda head: head.remove(token))
            self._presets_s = None

    def look(self) -> bool:
        """End what is over; false once there is nothing more to look after."""
        with self._lock:
            now_s = self._clock.monotonic_s()
            if self._is_covered:
                self._look_at_head(now_s)
            elif self._turn is None:
                self._let_go()
                return False
            elif now_s - self._ordered_s > (_LONGEST_STAY_S if self._turn.tour else REST_S):
                self._end_turn()
            return True

    def end_tour(self) -> None:
        """No further step follows: what is begun now is by hand."""
        with self._lock:
            if self._turn is not None and self._turn.tour:
                self._end_turn()

    def end(self) -> None:
        """Nobody steers any more; the cover ends by itself, after what may still move."""
        with self._lock:
            self._end_turn()
            self._let_go()

    def _begin(self, who: str, for_s: float, tour: str = "") -> _Turn:
        """Cover, and put on the record who steers; nothing has moved before either."""
        turn = self._turn
        if turn is None or (turn.who, turn.tour) != (who, tour):
            self._end_turn()
            self._tools.act(who, self._camera, {"state": "begun"} | ({"tour": tour} if tour else {}))
            turn = self._turn = _Turn(who, tour, self._clock.monotonic_s())
        now_s = self._clock.monotonic_s()
        # Until the device has answered, the worst holds: it may do as told, late and unheard, and what was told before as well.
        worst_s = max(self._worst_until_s, now_s + CALL_S + for_s)
        self._tools.cover(self._camera, worst_s - now_s + SETTLE_S)
        self._is_covered, self._still_since_s, self.problem = True, None, ""
        self._ordered_s, self._looks_from_s = now_s, now_s + CALL_S
        self._likely_until_s = self._worst_until_s = worst_s
        return turn

    def _under_way(self, likely_s: float, worst_s: float, *, least_s: float = 0.0) -> None:
        """The device has taken the order, which stands for those before."""
        now_s = self._clock.monotonic_s()
        self._ordered_s, self._looks_from_s, self._still_since_s = now_s, now_s + least_s, None
        self._likely_until_s, self._worst_until_s = now_s + likely_s, now_s + worst_s

    def _look_at_head(self, now_s: float) -> None:
        is_moving = self._asked_whether_moving(now_s)
        if is_moving and now_s - self._ordered_s < MOST_TURN_S:
            self._still_since_s = None
            self._cover(max(_RENEWAL_S, self._worst_until_s - now_s + SETTLE_S))
            return
        if is_moving:
            self.problem = "the device says that it still turns, which cannot be"
        if self._still_since_s is None:
            self._still_since_s = now_s  # and once more, a moment later
        elif now_s - self._still_since_s >= LOOK_S / 2:
            self._is_covered = not self._cover(SETTLE_S)

    def _asked_whether_moving(self, now_s: float) -> bool:
        """What the device says; where it says nothing, whether it may still move by what it was told."""
        if now_s < self._looks_from_s:
            return True
        try:
            said = self._call(lambda head: head.status().is_moving)
        except LamppostError as error:
            self.problem = redact(error.problem)
            return now_s < self._worst_until_s
        return now_s < self._likely_until_s if said is None else bool(said)

    def _cover(self, for_s: float) -> bool:
        try:
            self._tools.cover(self._camera, for_s)
        except CameraError:
            return False  # what was ordered before holds, and it is tried again
        return True

    def _end_turn(self) -> None:
        turn, self._turn = self._turn, None
        if turn is not None:
            lasted_s = round(self._clock.monotonic_s() - turn.began_s, 1)
            did = {"state": "ended", "moves": turn.moves, "presets": turn.noted, "lasted_s": lasted_s}
            self._tools.act(turn.who, self._camera, did | ({"tour": turn.tour} if turn.tour else {}))

    def _call(self, question: Callable[[Head], Any]) -> Any:
        if self._head is None:
            opened = self._tools.open_head(self._camera)
            self._head = opened.__enter__()
            self._opened = opened
        try:
            return question(self._head)
        except CameraError:
            self._let_go()  # the next order begins anew, with the password and the address of then
            raise

    def _let_go(self) -> None:
        opened, self._opened, self._head = self._opened, None, None
        if opened is not None:
            opened.__exit__(None, None, None)


@dataclass(frozen=True, slots=True)
class Stay:
    """A step of a tour."""

    preset: str
    stay_s: float


class Tour:
    """One tour of one camera, step after step, until it is stopped; what fails is tried again."""

    def __init__(self, helm: Helm, who: str, name: str, steps: Sequence[Stay], clock: Clock) -> None:
        self.name = name
        self.stop = threading.Event()
        self._helm = helm
        self._who = who
        self._steps = tuple(steps)
        self._clock = clock

    def run(self) -> None:
        """The thread's body; the first step was taken by who started the tour."""
        number = 0
        while not self.stop.is_set():
            while self._helm.is_moving and not self._clock.wait(self.stop, LOOK_S):
                pass
            self._clock.wait(self.stop, self._steps[number % len(self._steps)].stay_s)
            number += 1
            while not self.stop.is_set() and not self._go(number):
                self._clock.wait(self.stop, RETRY_S)

    def begin(self) -> None:
        """Take the first step; raises what `Helm.go_to` raises."""
        self._helm.go_to(self._who, self._steps[0].preset, tour=self.name)

    def _go(self, number: int) -> bool:
        try:
            self._helm.go_to(self._who, self._steps[number % len(self._steps)].preset, tour=self.name, unless=self.stop)
        except LamppostError as error:
            self._helm.problem = redact(error.problem)
            return False
        return True


class Steering:
    """The helms of a node, each with a thread while somebody steers, and at most one tour each. Close it."""

    def __init__(self, tools: SteeringTools, *, start: Callable[[Callable[[], None], str], None] | None = None) -> None:
        self._tools = tools
        self._start = start or _start_thread
        self._helms: dict[str, Helm] = {}
        self._looked_after: set[str] = set()
        self._tours: dict[str, Tour] = {}
        self._mutex = threading.Lock()
        self._stop = threading.Event()
        self._log = get_logger("steering")

    def helm(self, camera: str) -> Helm:
        with self._mutex:
            return self._helms.setdefault(camera, Helm(camera, self._tools))

    def steer(self, camera: str, order: Callable[[Helm], None], *, ends_tour: bool = True) -> None:
        """Give an order by hand, which ends a tour that runs; what follows from it is looked after until it is over."""
        if ends_tour:
            self.stop_tour(camera)
        helm = self.helm(camera)
        try:
            order(helm)
        finally:
            self._look_after(camera, helm)

    def settle(self, camera: str) -> None:
        """Something was asked of a camera's head: let go of it when that is over."""
        self._look_after(camera, self.helm(camera))

    def running_tour(self, camera: str) -> str | None:
        with self._mutex:
            tour = self._tours.get(camera)
        return tour.name if tour is not None else None

    def start_tour(self, camera: str, who: str, name: str, steps: Sequence[Stay]) -> None:
        """Go from position to position until somebody stops it, steers by hand, or this process ends."""
        if not steps:
            raise ConfigError(f"the tour {name} has no step", remedy="give it one")
        self.stop_tour(camera)
        helm = self.helm(camera)
        tour = Tour(helm, who, name, steps, self._tools.clock)
        try:
            tour.begin()
        finally:
            self._look_after(camera, helm)
        with self._mutex:
            self._tours[camera] = tour
        self._start(tour.run, f"tour-{camera}")

    def stop_tour(self, camera: str) -> bool:
        """Whether one ran; the camera comes to its position, and stays."""
        with self._mutex:
            tour = self._tours.pop(camera, None)
        if tour is not None:
            tour.stop.set()
            self.helm(camera).end_tour()
        return tour is not None

    def close(self) -> None:
        """End tours and turns; covers end by themselves."""
        self._stop.set()
        for camera in tuple(self._tours):
            self.stop_tour(camera)
        for helm in tuple(self._helms.values()):
            with contextlib.suppress(LamppostError):  # what cannot be put on the record now is not held up
                helm.end()

    def _look_after(self, camera: str, helm: Helm) -> None:
        with self._mutex:
            if camera in self._looked_after:
                return
            self._looked_after.add(camera)
        self._start(lambda: self._watch(camera, helm), f"helm-{camera}")

    def _watch(self, camera: str, helm: Helm) -> None:
        while not self._tools.clock.wait(self._stop, LOOK_S):
            try:
                goes_on = helm.look()
            except LamppostError as error:  # a journal that is full: the turn is told of later
                self._log.error("steering cannot be put on the record", camera=camera, problem=error.problem)
                continue
            with self._mutex:
                # Again: an order may have come between, of whom nobody else looks after what follows.
                if not goes_on and helm.is_idle and camera not in self._tours:
                    self._looked_after.discard(camera)
                    return


def _start_thread(body: Callable[[], None], name: str) -> None:
    threading.Thread(target=body, name=name, daemon=True).start()
