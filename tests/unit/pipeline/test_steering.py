"""One camera has one tour at most, and none that was stopped takes another step, whoever comes in between."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from lamppost.base.clock import ManualClock
from lamppost.base.errors import CameraRefused, CameraUnreachable, ConfigError, StoreError
from lamppost.cameras.onvif.ptz import PtzStatus
from lamppost.pipeline.covering import NotCovered
from lamppost.pipeline.head_line import REFUSED_S, SteeringTools
from lamppost.pipeline.helm import LOOK_S, Helm
from lamppost.pipeline.steering import Steering
from lamppost.pipeline.tours import Stay

CAMERA = "plaza"
MOST_WAITS = 1000  # a tour that goes on after them is one that nobody can stop
STEPS = (Stay("1", 30.0), Stay("2", 30.0))


class PatientClock(ManualClock):
    """Fails whoever waits for ever."""

    waits = 0

    def wait(self, stop: threading.Event, timeout_s: float) -> bool:
        self.waits += 1
        assert self.waits < MOST_WAITS, "nobody can stop it"
        return super().wait(stop, timeout_s)


class WatchedLock:
    """A lock that says when somebody has to wait for it."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self.is_waited_for = threading.Event()

    def __enter__(self) -> WatchedLock:
        if not self._lock.acquire(blocking=False):
            self.is_waited_for.set()
            self._lock.acquire()
        return self

    def __exit__(self, *_: object) -> None:
        self._lock.release()


class Head:
    """Notes its orders; `meanwhile` is done while it takes the first of them."""

    def __init__(self) -> None:
        self.orders: list[str] = []
        self.meanwhile: Callable[[], None] | None = None
        self.problem: Exception | None = None

    def _take(self, order: str) -> None:
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            meanwhile()
        if self.problem is not None:
            raise self.problem
        self.orders.append(order)

    def go_to(self, token: str) -> None:
        self._take(token)

    def move(self, pan: float, tilt: float, zoom: float, for_s: float) -> None:
        self._take("move")

    def stop(self) -> None:
        self._take("stop")

    def status(self) -> PtzStatus:
        if self.problem is not None:
            raise self.problem
        return PtzStatus(None)

    def presets(self) -> tuple[()]:
        if self.problem is not None:
            raise self.problem
        return ()

    def save_preset(self, name: str) -> str:
        return name

    def remove(self, token: str) -> None: ...


class Scene:
    """A steering whose threads are run by the test, one after the other."""

    def __init__(self) -> None:
        self.clock = PatientClock()
        self.head = Head()
        self.opened = 0
        self.password = "first"
        self.is_covered = True
        self.acts: list[dict[str, Any]] = []
        self.is_journal_full = False
        self.bodies: list[Callable[[], None]] = []
        tools = SteeringTools(self._open, self._cover, self._act, self.clock, lambda _camera: self.password)
        self.steering = Steering(tools, start=lambda body, name: self.bodies.append(body) if name.startswith("tour") else None)
        self.helm = self.steering.helm(CAMERA)
        self.lock = WatchedLock()
        self.helm._lock = self.lock  # type: ignore[assignment]

    @contextmanager
    def _open(self, _camera: str) -> Iterator[Head]:
        self.opened += 1
        yield self.head

    def _cover(self, _camera: str, _for_s: float) -> None:
        if not self.is_covered:
            raise NotCovered("nobody covers it")

    def _act(self, _who: str, _camera: str, detail: Any) -> None:
        if self.is_journal_full:
            raise StoreError("the journal is full")
        self.acts.append(dict(detail))

    def start(self, name: str = "night") -> None:
        self.steering.start_tour(CAMERA, "olga", name, STEPS)

    def by_hand(self) -> None:
        self.steering.steer(CAMERA, lambda helm: helm.move("otto", 1.0, 0.0, 0.0, 1.0))

    def stop_head(self) -> None:
        self.steering.steer(CAMERA, lambda helm: helm.stop("otto"))

    def run_tours(self) -> None:
        """Their threads, each to its end; an endless one meets `MOST_WAITS`."""
        for body in self.bodies:
            body()

    def while_ordering(self, first: Callable[[], object], second: Callable[[], object]) -> None:
        """`second` begins, in another thread, while `first` gives its order to the head: it is over, or waits for the helm, then."""
        is_over = threading.Event()

        def in_thread() -> None:
            try:
                second()
            finally:
                is_over.set()
                self.lock.is_waited_for.set()

        thread = threading.Thread(target=in_thread)

        def meanwhile() -> None:
            self.lock.is_waited_for.clear()
            thread.start()
            assert self.lock.is_waited_for.wait(10)

        self.head.meanwhile = meanwhile
        first()
        thread.join(10)
        assert is_over.is_set()


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_two_starts_leave_one_tour_and_it_can_be_stopped(scene: Scene) -> None:
    scene.while_ordering(lambda: scene.start("night"), lambda: scene.start("day"))
    assert scene.steering.running_tour(CAMERA) == "day"
    assert scene.steering.stop_tour(CAMERA)
    assert scene.steering.running_tour(CAMERA) is None
    taken = list(scene.head.orders)
    scene.run_tours()
    assert scene.head.orders == taken, "no step after the stop"


@pytest.mark.parametrize("order", ["by_hand", "stop_head"])
def test_an_order_by_hand_while_a_tour_begins_ends_it(scene: Scene, order: str) -> None:
    scene.while_ordering(scene.start, getattr(scene, order))
    assert scene.steering.running_tour(CAMERA) is None
    scene.run_tours()
    assert scene.head.orders == ["1", "move" if order == "by_hand" else "stop"], "the hand has the last word"


def test_a_stop_while_a_tour_begins_ends_it(scene: Scene) -> None:
    scene.while_ordering(scene.start, lambda: scene.steering.stop_tour(CAMERA))
    assert scene.steering.running_tour(CAMERA) is None
    scene.run_tours()
    assert scene.head.orders == ["1"]
    assert [act.get("state") for act in scene.acts] == ["begun", "ended"]


def test_a_tour_that_is_started_while_another_order_is_given_runs_and_can_be_stopped(scene: Scene) -> None:
    scene.while_ordering(scene.by_hand, scene.start)
    assert scene.head.orders == ["move", "1"]
    assert scene.steering.running_tour(CAMERA) == "night"
    scene.stop_head()
    scene.run_tours()
    assert scene.head.orders == ["move", "1", "stop"]


def test_a_tour_that_waits_for_the_helm_when_it_is_stopped_takes_no_step(scene: Scene) -> None:
    scene.start()
    (tour,) = scene.bodies
    scene.helm._is_covered = False  # it has arrived
    # Its next step comes while a hand gives an order, which has told it to stop.
    scene.while_ordering(scene.by_hand, tour)
    assert scene.head.orders == ["1", "move"]


def test_whatever_many_do_at_once_a_stop_ends_it_all(scene: Scene) -> None:
    barrier = threading.Barrier(6)
    steps: list[Callable[[], object]] = [scene.start, scene.by_hand, lambda: scene.steering.stop_tour(CAMERA)]

    def work(number: int) -> None:
        barrier.wait(10)
        for turn in range(3):
            steps[(number + turn) % 3]()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    scene.stop_head()
    taken = list(scene.head.orders)
    scene.run_tours()
    assert scene.head.orders == taken
    assert scene.steering.running_tour(CAMERA) is None


@pytest.mark.parametrize("fails", ["cover", "device", "journal"])
def test_a_tour_whose_first_step_fails_is_none(scene: Scene, fails: str) -> None:
    scene.is_covered = fails != "cover"
    scene.is_journal_full = fails == "journal"
    scene.head.problem = CameraUnreachable("it is away") if fails == "device" else None
    with pytest.raises((NotCovered, CameraUnreachable, StoreError)):
        scene.start()
    assert scene.steering.running_tour(CAMERA) is None
    assert scene.bodies == []


def test_a_stop_waits_for_no_journal(scene: Scene) -> None:
    scene.start()
    scene.is_journal_full = True
    with pytest.raises(StoreError):
        scene.stop_head()
    assert scene.head.orders[-1] == "stop"
    assert scene.steering.running_tour(CAMERA) is None
    scene.is_journal_full = False
    scene.helm.end()
    assert scene.acts[-1]["state"] == "ended", "it is put on the record later"


def test_a_tour_of_a_camera_that_is_removed_ends_by_itself(scene: Scene) -> None:
    scene.start()
    for _ in range(2):
        scene.clock.advance(120.0)
        scene.helm.look()
    scene.head.problem = ConfigError(f"there is no camera {CAMERA} any more")
    scene.run_tours()
    assert scene.steering.running_tour(CAMERA) is None
    assert not scene.steering.stop_tour(CAMERA)
    scene.head.problem = None
    scene.start()
    assert scene.steering.running_tour(CAMERA) == "night", "and another one can begin"


def test_no_tour_begins_once_the_server_ends(scene: Scene) -> None:
    scene.start()
    scene.steering.close()
    scene.run_tours()
    with pytest.raises(Exception, match="ending"):
        scene.start()
    assert scene.head.orders == ["1"]


def asked(helm: Helm) -> None:
    with pytest.raises(CameraRefused):
        helm.presets()


def test_a_refused_password_is_not_offered_again_and_again(scene: Scene) -> None:
    scene.head.problem = CameraRefused("the device refuses user and password")
    for _ in range(30):  # a page that is open for five minutes
        asked(scene.helm)
        scene.clock.advance(10)
    assert scene.opened == 1
    scene.password = "second"
    asked(scene.helm)
    assert scene.opened == 2, "another one is tried at once"
    with pytest.raises(CameraRefused):
        scene.stop_head()
    assert scene.opened == 3, "a stop is never held up"
    scene.clock.advance(REFUSED_S)
    scene.head.problem = None
    assert scene.helm.presets() == ()


def test_a_tour_whose_password_is_refused_meanwhile_does_not_lock_the_user_out(scene: Scene) -> None:
    scene.start()
    scene.head.problem = CameraRefused("the device refuses user and password")
    for _ in range(round(REFUSED_S / LOOK_S / 2)):
        scene.helm.look()
        scene.clock.advance(LOOK_S)
    for _ in range(20):
        with pytest.raises(CameraRefused):
            scene.helm.go_to("olga", "2", tour="night")
    assert scene.opened == 1
