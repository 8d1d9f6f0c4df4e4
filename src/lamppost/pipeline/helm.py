"""Steers one camera: no order to its head before its picture is covered, and no end of the cover before it stands still.

Where this process dies on the way, the cover outlives what the camera may still do.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Final

from lamppost.base.errors import CameraError, CameraRefused, LamppostError
from lamppost.base.logging import redact
from lamppost.cameras.onvif.faults import SoapFault
from lamppost.pipeline.head_line import Head, HeadLine, SteeringTools
from lamppost.pipeline.standing import BEGINS_S, Standing

SETTLE_S: Final = 1.5  # from the first look at which it stands: pictures are on their way, and a head swings back
CALL_S: Final = 6.0  # a call to a device has ended, or never will be heard of
LONGEST_TRIP_S: Final = 60.0  # to a saved position
UNTOLD_TRIP_S: Final = 20.0  # the same, of a head whose word is not believed
MOST_TURN_S: Final = 120.0  # since the last order: one that still says that it moves is not believed
REST_S: Final = 10.0  # without an order, and somebody has stopped steering
LOOK_S: Final = 0.4
_RENEWAL_S: Final = 5.0
_PRESETS_OLD_S: Final = 30.0
_MOST_NOTED: Final = 32
_LONGEST_STAY_S: Final = 4000.0  # of a tour


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


@dataclass(frozen=True, slots=True)
class _Until:
    """Until when it moves by what it was told: where it says nothing that can be believed, and where it does not answer."""

    likely_s: float = 0.0
    worst_s: float = 0.0


_NEVER: Final = _Until()


class Helm:
    """The steering of one camera; every method may be called from any thread, and one order is given at a time.

    `look` is called now and then while it is true: it ends moves, covers and turns.
    """

    def __init__(self, camera: str, tools: SteeringTools) -> None:
        self._camera = camera
        self._tools = tools
        self._clock = tools.clock
        self._lock = threading.RLock()
        self._line = HeadLine(camera, tools)
        self._turn: _Turn | None = None
        self._presets: tuple[Position, ...] = ()
        self._presets_s: float | None = None
        self._ordered_s = 0.0
        self._looks_from_s = 0.0  # that it stands before says nothing
        self._trip = _NEVER  # the last one, which no move and no stop may end in every head
        self._until = _NEVER  # so long the cover lasts, whatever becomes of this process
        self._stop_due_s: float | None = None  # of a move: not every head ends it by itself
        self._standing = Standing()
        self._still_since_s: float | None = None
        self._is_covered = False
        self.problem = ""

    @property
    def is_moving(self) -> bool:
        """Whether its picture is covered because it turns."""
        return self._is_covered

    @property
    def is_idle(self) -> bool:
        """Whether there is nothing to look after."""
        return not self._is_covered and self._turn is None

    def alone(self) -> AbstractContextManager[object]:
        """Nobody else gives an order until it is left."""
        return self._lock

    def presets(self) -> tuple[Position, ...]:
        """Those saved in the device; asked every half minute, and less often where the password is refused."""
        with self._lock:
            now_s = self._clock.monotonic_s()
            if self._presets_s is None or now_s - self._presets_s > _PRESETS_OLD_S:
                found = self._line.ask(lambda head: head.presets())
                self._presets = tuple(Position(each.token, each.name) for each in found)
                self._presets_s = now_s
            return self._presets

    def move(self, who: str, pan: float, tilt: float, zoom: float, for_s: float) -> None:
        """Turn for `for_s`; raises `NotCovered`, and then nothing moves, and `CameraError`."""
        with self._lock:
            was_moving = self._is_covered
            self._begin(who, for_s).moves += 1
            if not was_moving:
                self._standing.begin(self._ordered_s, was_moving=False)
            self._stop_due_s = max(self._stop_due_s or 0.0, self._ordered_s + for_s)
            self._order(lambda head: head.move(pan, tilt, zoom, for_s), otherwise=self._trip)
            now_s = self._clock.monotonic_s()
            self._stop_due_s = now_s + for_s
            self._under_way(self._soon(for_s))

    def go_to(self, who: str, token: str, *, tour: str = "", unless: threading.Event | None = None) -> None:
        """Turn to a saved position, as a step of `tour` where that is given; as `move`. Nothing is done where `unless` is set."""
        with self._lock:
            if unless is not None and unless.is_set():
                return  # it was stopped while another order was given
            name = next((preset.name for preset in self._presets if preset.token == token), token)
            was_moving, before = self._is_covered, self._trip
            self._begin(who, LONGEST_TRIP_S, tour).note(name)
            self._trip = self._until
            self._standing.begin(self._ordered_s, was_moving=was_moving)
            self._order(lambda head: head.go_to(token), otherwise=before, is_by_hand=not tour)
            now_s = self._clock.monotonic_s()
            self._stop_due_s = None  # it would end the trip
            self._trip = _Until(now_s + UNTOLD_TRIP_S, now_s + LONGEST_TRIP_S)
            self._under_way(self._trip, least_s=BEGINS_S)

    def stop(self, who: str) -> None:
        """Have it stand still, whether it is covered or not: a stop is never held up."""
        with self._lock:
            self._line.ask(lambda head: head.stop(), is_by_hand=True)
            self._stop_due_s = None
            if self._is_covered:
                self._under_way(self._soon())

    def save_preset(self, who: str, name: str) -> Position:
        """Save where it stands; nothing moves."""
        with self._lock:
            self._tools.act(who, self._camera, {"saved": name})
            token = self._line.ask(lambda head: head.save_preset(name), is_by_hand=True)
            self._presets_s = None
            return Position(token, name)

    def remove(self, who: str, token: str) -> None:
        """Forget a saved position; nothing moves."""
        with self._lock:
            self._tools.act(who, self._camera, {"removed": token})
            self._line.ask(lambda head: head.remove(token), is_by_hand=True)
            self._presets_s = None

    def look(self) -> bool:
        """End what is over; false once there is nothing more to look after."""
        with self._lock:
            now_s = self._clock.monotonic_s()
            if self._is_covered:
                self._look_at_head(now_s)
            elif self._turn is None:
                self._line.close()
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
            self._line.close()

    def _begin(self, who: str, for_s: float, tour: str = "") -> _Turn:
        """Cover, and put on the record who steers; nothing has moved before either."""
        turn = self._turn
        if turn is None or (turn.who, turn.tour) != (who, tour):
            self._end_turn()
            self._tools.act(who, self._camera, {"state": "begun"} | ({"tour": tour} if tour else {}))
            turn = self._turn = _Turn(who, tour, self._clock.monotonic_s())
        now_s = self._clock.monotonic_s()
        # Until the device has answered, the worst holds: it may do as told, late and unheard, and what was told before as well.
        worst_s = max(self._until.worst_s, now_s + CALL_S + for_s)
        self._tools.cover(self._camera, worst_s - now_s + SETTLE_S)
        self._is_covered, self._still_since_s, self.problem = True, None, ""
        self._ordered_s, self._looks_from_s = now_s, now_s + CALL_S
        self._until = _Until(worst_s, worst_s)
        return turn

    def _order(self, order: Callable[[Head], None], *, otherwise: _Until, is_by_hand: bool = True) -> None:
        """Give it; where the device says no, nothing comes of it, and the trip before lasts `otherwise`."""
        try:
            self._line.ask(order, is_by_hand=is_by_hand)
        except (SoapFault, CameraRefused):
            self._trip = otherwise
            self._under_way(otherwise)
            raise

    def _soon(self, for_s: float = 0.0) -> _Until:
        """A move of that length is over, or the trip before, which it may not have ended."""
        soon_s = self._clock.monotonic_s() + for_s + BEGINS_S
        return _Until(max(soon_s, self._trip.likely_s), max(soon_s, self._trip.worst_s))

    def _under_way(self, until: _Until, *, least_s: float = 0.0) -> None:
        """The device has taken the order, which stands for those before."""
        now_s = self._clock.monotonic_s()
        self._ordered_s, self._looks_from_s, self._still_since_s = now_s, now_s + least_s, None
        self._until = until

    def _look_at_head(self, now_s: float) -> None:
        is_told = self._is_told_to_move(now_s)  # and asked all the same: who has said that it moves is believed afterwards
        is_moving = self._seems_to_move(now_s) or is_told
        if is_moving and now_s - self._ordered_s < MOST_TURN_S:
            self._still_since_s = None
            self._cover(max(_RENEWAL_S, self._until.worst_s - now_s + SETTLE_S))
            return
        if is_moving:
            self.problem = "the device says that it still turns, which cannot be"
        if self._still_since_s is None:
            self._still_since_s = now_s
        if now_s - self._still_since_s < SETTLE_S:
            self._cover(_RENEWAL_S)  # and it is looked at meanwhile
        elif self._cover(0.0):
            self._is_covered, self._trip, self._until = False, _NEVER, _NEVER

    def _is_told_to_move(self, now_s: float) -> bool:
        """Whether a move has not been ended yet; one whose time is over is stopped here."""
        if self._stop_due_s is None or now_s < self._stop_due_s:
            return self._stop_due_s is not None
        try:
            self._line.ask(lambda head: head.stop())
        except LamppostError as error:
            self.problem = redact(error.problem)
            # One that says no has no stop, or lets nobody in: its own timeout ends the move.
            if not isinstance(error, SoapFault | CameraRefused) and now_s - self._ordered_s < LONGEST_TRIP_S:
                return True
        self._stop_due_s = None
        self._until = self._soon()
        return False

    def _seems_to_move(self, now_s: float) -> bool:
        """What the device says; where it says nothing that can be believed, whether it may still move by what it was told."""
        try:
            seems_moving = self._standing.take(self._line.ask(lambda head: head.status()), now_s)
        except LamppostError as error:
            self.problem = redact(error.problem)
            return now_s < self._until.worst_s
        if seems_moving is None:
            return now_s < self._until.likely_s
        return seems_moving or now_s < self._looks_from_s

    def _cover(self, for_s: float) -> bool:
        try:
            self._tools.cover(self._camera, for_s)
        except CameraError:
            return False  # what was ordered before holds, and it is tried again
        return True

    def _end_turn(self) -> None:
        turn = self._turn
        if turn is not None:
            lasted_s = round(self._clock.monotonic_s() - turn.began_s, 1)
            did = {"state": "ended", "moves": turn.moves, "presets": turn.noted, "lasted_s": lasted_s}
            self._tools.act(turn.who, self._camera, did | ({"tour": turn.tour} if turn.tour else {}))
            self._turn = None  # where it cannot be put on the record now, it is later
