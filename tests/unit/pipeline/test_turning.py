"""A camera that is turned is covered from before it moves until it stands still, whoever is slow, lies or dies on the way."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from enum import Enum
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lamppost.base.clock import US_PER_S, ManualClock
from lamppost.base.errors import CameraUnreachable
from lamppost.model.vision import CoverCause, Detection, Frame, Preset, Region
from lamppost.pipeline.head_line import SteeringTools
from lamppost.pipeline.helm import LOOK_S, MOST_TURN_S, SETTLE_S, UNTOLD_TRIP_S, Helm
from lamppost.pipeline.masking import MaskingPipeline
from lamppost.pipeline.standing import BEGINS_S, STAYS_S
from lamppost.pipeline.turning import LONGEST_S, TurnCover, TurnCovers, TurnsUnderWay, covered

TICK_S = 0.2
SMALL = np.full((48 * 3 // 2, 64), 200, np.uint8)
LATEST_PICTURE_S = 1.4  # from the lens to us


@dataclass
class Nobody:
    """A detector of faces that finds none, and counts its looks."""

    looks: int = 0
    start_score: float = 0.0

    def detect_regions(self, frame: Frame, regions: Sequence[Region]) -> tuple[Detection, ...]:
        self.looks += 1
        return ()


def masker(cover: TurnCover, clock: ManualClock, faces: Nobody | None = None) -> MaskingPipeline:
    return MaskingPipeline(
        preset=Preset.FACES,
        faces=faces or Nobody(),
        motion=None,
        look_back_s=0.5,
        detect_interval_s=0.2,
        clock=clock,
        is_turned=cover.covers,
    )


@dataclass
class Status:
    is_moving: bool | None
    position: tuple[float | None, float | None, float | None] = (None, None, None)


class Says(Enum):
    """What heads are known to say of themselves."""

    RIGHT = "what is so"
    RIGHT_WITH_PLACE = "what is so, and where it is"
    NOTHING = "nothing"
    IDLE = "that it stands, whatever it does"
    IDLE_AT_GOAL = "that it stands, and where it was sent to as where it is"
    IDLE_WITH_PLACE = "that it stands, and where it is"
    LATE = "that it stands for the first moments, and then what is so"
    MOVES_ONLY = "what is so of moves, and that it stands on trips"


@dataclass
class Device:
    """A head that begins late, may not be believed, may not end a move by itself, and may be out of reach."""

    clock: ManualClock
    starts_after_s: float = 0.0
    trip_s: float = 3.0
    says: Says = Says.RIGHT
    is_endless: bool = False
    is_away: bool = False
    begins_s: float = 0.0
    ends_s: float = 0.0
    is_trip: bool = False
    orders: list[str] = field(default_factory=list[str])

    def _go(self, what: str, for_s: float) -> None:
        self.orders.append(what)
        self.is_trip = what != "move"
        self.begins_s = self.clock.monotonic_s() + self.starts_after_s
        self.ends_s = self.begins_s + for_s
        if self.is_away:
            raise CameraUnreachable("it does as told, and nobody hears of it")

    def move(self, pan: float, tilt: float, zoom: float, for_s: float) -> None:
        self._go("move", 1e6 if self.is_endless else for_s)

    def go_to(self, token: str) -> None:
        self._go(token, self.trip_s)

    def stop(self) -> None:
        if self.is_away:
            raise CameraUnreachable("it does not arrive")
        self.orders.append("stop")
        if not self.is_trip:  # no word of ONVIF says that a trip is stopped
            self.ends_s = min(self.ends_s, self.clock.monotonic_s() + self.starts_after_s)

    def is_turning(self, now_s: float) -> bool:
        return self.begins_s <= now_s < self.ends_s

    def status(self) -> Status:
        if self.is_away:
            raise CameraUnreachable("nobody answers")
        now_s = self.clock.monotonic_s()
        place = min(max(now_s, self.begins_s), self.ends_s) / 30
        is_turning = self.is_turning(now_s)
        match self.says:
            case Says.RIGHT:
                return Status(is_turning)
            case Says.RIGHT_WITH_PLACE:
                return Status(is_turning, (place, 0.0, 0.0))
            case Says.NOTHING:
                return Status(None)
            case Says.IDLE:
                return Status(False)
            case Says.IDLE_AT_GOAL:
                return Status(False, (self.ends_s, 0.0, 0.0))
            case Says.IDLE_WITH_PLACE:
                return Status(False, (place, 0.0, 0.0))
            case Says.LATE:
                return Status(is_turning and now_s >= self.begins_s + 0.4)
            case Says.MOVES_ONLY:
                return Status(is_turning and not self.is_trip)

    def presets(self) -> list[Any]:
        return []

    def save_preset(self, name: str) -> str:
        return name

    def remove(self, token: str) -> None:
        pass


class World:
    """A camera on its way to a masker, and an operator at its helm; pictures are marked with whether it turned when they were taken."""

    def __init__(self, device: Device, *, latency_s: float = 0.2, lag_s: float = 0.0) -> None:
        self.clock = device.clock
        self.device = device
        self.latency_s, self.lag_s = latency_s, lag_s
        self.cover = TurnCover(self.clock)
        self.faces = Nobody()
        self.masker = masker(self.cover, self.clock, self.faces)
        self.acts: list[dict[str, Any]] = []
        tools = SteeringTools(
            lambda _camera: nullcontext(self.device),
            lambda _camera, for_s: self.cover.hold(for_s),
            lambda _who, _camera, detail: self.acts.append(dict(detail)),
            self.clock,
        )
        self.helm = Helm("plaza", tools)
        self.turned: dict[int, bool] = {}
        self.shown: dict[int, CoverCause | None] = {}
        self._on_way: list[tuple[float, int, Frame]] = []
        self._numbers = count()
        self._looked_s = 0.0

    def run(self, for_s: float) -> None:
        for _ in range(round(for_s / TICK_S)):
            now_s = self.clock.monotonic_s()
            pts_90k = round(now_s * 90_000)
            self.turned[pts_90k] = self.device.is_turning(now_s)
            arrival_us = self.clock.wall_us() + round(self.latency_s * US_PER_S)
            frame = Frame(SMALL.copy(), pts_90k, arrival_us, is_intact=True)
            heapq.heappush(self._on_way, (now_s + self.latency_s + self.lag_s, next(self._numbers), frame))
            while self._on_way and self._on_way[0][0] <= now_s + 1e-9:
                self.shown |= {masked.pts_90k: masked.covered for masked in self.masker.push(heapq.heappop(self._on_way)[2])}
            if now_s - self._looked_s >= LOOK_S:
                self._looked_s = now_s
                self.helm.look()
            self.clock.advance(TICK_S)

    def seen_while_turning(self) -> list[int]:
        return [pts for pts, cause in self.shown.items() if self.turned[pts] and cause is None]

    @property
    def is_seen(self) -> bool:
        """Whether the newest picture is not covered."""
        return bool(self.shown) and self.shown[max(self.shown)] is None

    def turned_count(self) -> int:
        return sum(self.turned[pts] for pts in self.shown)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(["move", "trip", "stop", "nothing"]), st.floats(0.1, 4.0)), min_size=1, max_size=5),
    st.floats(0.0, LATEST_PICTURE_S),
    st.sampled_from([0.0, 0.3, 5.0]),
    st.floats(0.0, 0.9),
    st.floats(0.2, 15.0),
    st.sampled_from(Says),
    st.booleans(),
    st.booleans(),
)
def test_no_picture_of_a_turning_camera_is_seen(
    orders: list[tuple[str, float]],
    latency_s: float,
    lag_s: float,
    starts_after_s: float,
    trip_s: float,
    says: Says,
    is_endless: bool,
    is_away: bool,
) -> None:
    device = Device(ManualClock(), starts_after_s, trip_s, says, is_endless)
    world = World(device, latency_s=latency_s, lag_s=lag_s)
    world.run(3.0)
    for order, pause_s in orders:
        device.is_away = is_away
        try:
            if order == "move":
                world.helm.move("olga", 0.5, 0.0, 0.0, 1.0)
            elif order == "trip":
                world.helm.go_to("olga", "1")
            elif order == "stop":
                world.helm.stop("olga")
        except CameraUnreachable:
            assert is_away
        device.is_away = False
        world.run(pause_s)
    world.run(2.0)
    for _ in range(60):
        if not world.helm.is_moving and world.is_seen:
            break
        world.run(2.0)
    assert world.seen_while_turning() == []
    assert world.is_seen, "it is seen again at last"
    assert not device.is_turning(world.clock.monotonic_s())
    if orders[-1][0] in ("move", "trip"):
        assert world.turned_count() > 0, "something was turned at all"


def covered_for_s(says: Says, trip_s: float, *, is_move: bool = False, **device: Any) -> float:
    """How much longer than it turned a camera's picture was covered."""
    made = Device(ManualClock(), 0.0, trip_s, says, **device)
    world = World(made, latency_s=0.0)
    world.run(3.0)
    began_s = world.clock.monotonic_s()
    if is_move:
        world.helm.move("olga", 0.5, 0.0, 0.0, trip_s)
    else:
        world.helm.go_to("olga", "1")
    while world.helm.is_moving and world.clock.monotonic_s() < began_s + MOST_TURN_S:
        world.run(TICK_S)
    assert made.ends_s < began_s + MOST_TURN_S
    return world.clock.monotonic_s() - made.ends_s


@pytest.mark.parametrize("trip_s", [0.9, 3.0, 30.0])
@pytest.mark.parametrize("says", [Says.RIGHT, Says.RIGHT_WITH_PLACE, Says.LATE])
def test_a_head_that_says_what_is_so_is_not_covered_for_longer_than_it_takes(says: Says, trip_s: float) -> None:
    assert SETTLE_S - LOOK_S <= covered_for_s(says, trip_s) <= SETTLE_S + 3 * LOOK_S


@pytest.mark.parametrize("says", Says)
@pytest.mark.parametrize("is_endless", [False, True])
def test_a_move_is_covered_for_a_moment_longer_whatever_the_head_says_and_stopped_where_it_has_no_end(says: Says, is_endless: bool) -> None:
    assert SETTLE_S - LOOK_S <= covered_for_s(says, 0.8, is_move=True, is_endless=is_endless) <= SETTLE_S + BEGINS_S + 4 * LOOK_S


@pytest.mark.parametrize("says", [Says.IDLE, Says.IDLE_AT_GOAL, Says.NOTHING, Says.MOVES_ONLY])
def test_a_head_whose_word_is_not_believed_is_covered_for_the_time_of_a_long_trip(says: Says) -> None:
    assert covered_for_s(says, 3.0) >= UNTOLD_TRIP_S - 3.0 + SETTLE_S - LOOK_S


@pytest.mark.parametrize("trip_s", [4.0, 40.0])
def test_a_head_that_is_seen_on_its_way_is_covered_until_it_has_arrived(trip_s: float) -> None:
    assert SETTLE_S <= covered_for_s(Says.IDLE_WITH_PLACE, trip_s) <= STAYS_S + SETTLE_S + 3 * LOOK_S


def test_the_test_sees_a_cover_that_comes_late() -> None:
    """The same world, with a move before the cover: the property above is no empty one."""
    world = World(Device(ManualClock()))
    world.run(3.0)
    world.device.move(1.0, 0.0, 0.0, 2.0)
    world.run(1.0)
    world.cover.hold(3.0)
    world.run(10.0)
    assert world.seen_while_turning() != []


def test_what_waits_for_its_look_back_is_covered_too_and_the_cover_ends_once_all_was_looked_at() -> None:
    world = World(Device(ManualClock()), latency_s=0.0)
    world.run(3.0)
    began_90k = round(world.clock.monotonic_s() * 90_000)
    world.helm.move("olga", 0.5, 0.0, 0.0, 1.0)
    looks = world.faces.looks
    world.run(1.0)
    assert world.faces.looks == looks, "nobody's time is spent on what nobody sees"
    world.run(10.0)
    turned = [pts for pts, cause in world.shown.items() if cause is CoverCause.TURNED]
    assert began_90k - 0.5 * 90_000 - 2 * TICK_S * 90_000 <= min(turned) <= began_90k
    assert world.faces.looks > looks
    assert world.is_seen


def test_the_end_goes_by_the_time_of_the_frames_too() -> None:
    clock = ManualClock()
    cover = TurnCover(clock)
    cover.hold(2.0)
    end_us = clock.wall_us() + 2 * US_PER_S
    clock.advance(10.0)
    assert cover.covers(end_us - 1), "it was taken before the end, and waited"
    assert not cover.covers(end_us)


@pytest.mark.parametrize("step_s", [3600.0, -3600.0])
def test_a_clock_that_is_stepped_ends_no_cover_early(step_s: float) -> None:
    clock = ManualClock()
    cover = TurnCover(clock)
    cover.hold(5.0)
    clock.step_wall(step_s)
    clock.advance(4.0)
    assert cover.covers(clock.wall_us())


def test_the_newest_order_counts_and_none_is_for_ever() -> None:
    clock = ManualClock()
    cover = TurnCover(clock)
    assert not cover.covers(clock.wall_us())
    cover.hold(1e9)
    clock.advance(10.0)
    cover.hold(1.0)
    clock.advance(1.5)
    assert not cover.covers(clock.wall_us())
    cover.hold(1e9)
    clock.advance(LONGEST_S + 1)
    assert not cover.covers(clock.wall_us())


def test_an_order_is_acknowledged_once_it_holds_also_before_anybody_listens() -> None:
    clock = ManualClock()
    covers = TurnCovers(clock)
    said: deque[dict[str, Any]] = deque()
    covers.take_order({"order": "turned", "camera": "plaza", "for_s": 3.0, "number": 7})
    covers.answer_with(said.append)
    assert covers.of("plaza").covers(clock.wall_us())
    assert not covers.of("bridge").covers(clock.wall_us())

    def answer(word: dict[str, Any]) -> None:
        assert covers.of("bridge").covers(clock.wall_us())
        said.append(word)

    covers.answer_with(answer)
    covers.take_order({"order": "turned", "camera": "bridge", "for_s": 3.0, "number": 8})
    assert list(said) == [covered(7), covered(8)]


def test_the_supervisor_knows_for_how_long(tmp_path: Path) -> None:
    clock = ManualClock()
    turns = TurnsUnderWay(clock, tmp_path / "turns.json")
    turns.load()
    assert turns.left_s("plaza") == 0.0
    turns.note("plaza", 4.0)
    clock.advance(1.0)
    turns.note("bridge", 1.0)
    assert (turns.left_s("plaza"), turns.left_s("bridge")) == (3.0, 1.0)
    clock.advance(5.0)
    assert (turns.left_s("plaza"), turns.left_s("bridge")) == (0.0, 0.0)


class _LaterClock(ManualClock):
    """Another process: its monotonic clock began elsewhere."""

    def monotonic_s(self) -> float:
        return super().monotonic_s() + 5000.0


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from(["plaza", "bridge"]), st.floats(0.0, 70.0), st.floats(0.0, 20.0)), max_size=8))
def test_a_supervisor_that_follows_a_killed_one_knows_it_too(tmp_path: Path, notes: list[tuple[str, float, float]]) -> None:
    path = tmp_path / "turns.json"
    path.unlink(missing_ok=True)
    clock = ManualClock()
    turns = TurnsUnderWay(clock, path)
    for camera, for_s, pause_s in notes:
        turns.note(camera, for_s)
        clock.advance(pause_s)
    next_ = TurnsUnderWay(_LaterClock(clock.wall_us()), path)
    next_.load()
    for camera in ("plaza", "bridge"):
        assert next_.left_s(camera) >= turns.left_s(camera) - 1e-3
        last = [for_s for name, for_s, _ in notes if name == camera][-1:]
        if last in ([], [0.0]):
            assert next_.left_s(camera) == 0.0, "one that stands is not covered"


def test_covers_that_are_renewed_are_seldom_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[bytes] = []
    monkeypatch.setattr("lamppost.pipeline.turning.write_durable", lambda _path, content: written.append(content))
    clock = ManualClock()
    turns = TurnsUnderWay(clock, tmp_path / "turns.json")
    for _ in range(150):  # a minute
        turns.note("plaza", 5.0)
        clock.advance(0.4)
    turns.note("plaza", 0.0)
    assert len(written) <= 60 / 5 + 2
    assert written[-1] == b"{}"


@pytest.mark.parametrize("content", [b"", b"[]", b'{"plaza": "soon"}', b'{"plaza": 1e999}', b"\xff"])
def test_a_damaged_note_of_turns_ends_nothing(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "turns.json"
    path.write_bytes(content)
    turns = TurnsUnderWay(ManualClock(), path)
    turns.load()
    assert turns.left_s("plaza") == 0.0


def test_a_note_of_the_far_future_is_bounded(tmp_path: Path) -> None:
    path = tmp_path / "turns.json"
    path.write_bytes(b'{"plaza": 99999999999999999}')
    turns = TurnsUnderWay(ManualClock(), path)
    turns.load()
    assert turns.left_s("plaza") == LONGEST_S
