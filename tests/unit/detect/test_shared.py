"""One network for many threads: nobody waits without need, for ever, or for the fault of others."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

import numpy as np
import pytest

from face_truth import frame_of, read_rgb, truth_boxes
from lamppost.base.errors import ModelError
from lamppost.detect.catalogue import CENTERFACE, YOLOX_NANO
from lamppost.detect.entry import OutputRole
from lamppost.detect.faces import FaceDetector
from lamppost.detect.network import Network
from lamppost.detect.shared import SharedDetector, SharedNetwork
from lamppost.model.vision import Region

PATIENCE_S = 20  # only a test that fails waits for it
ROLE = (OutputRole.SCORE, 4)


class Gate:
    """A network that holds each run until it is let go, and gives every picture its own number back."""

    def __init__(self, most: int = 4) -> None:
        self.entry = CENTERFACE
        self.most = most
        self.runs: list[list[int]] = []
        self.began, self.go = threading.Semaphore(0), threading.Semaphore(0)
        self.fails: Callable[[list[int]], BaseException | None] = lambda numbers: None

    def most_pictures(self, width_px: int, height_px: int) -> int:
        return self.most

    def run(self, pictures):
        numbers = [int(number) for number in pictures[:, 0, 0, 0]]
        self.runs.append(numbers)
        self.began.release()
        assert self.go.acquire(timeout=PATIENCE_S)
        error = self.fails(numbers)
        if error is not None:
            raise error
        return {ROLE: pictures[:, :1, :1, :1].copy()}


class Announced(deque):
    """A list of those who wait that says when somebody has come."""

    def __init__(self) -> None:
        super().__init__()
        self.came = threading.Semaphore(0)

    def append(self, wish):
        super().append(wish)
        self.came.release()


class Site:
    """Threads that each want one picture seen, or several, and what they were told."""

    def __init__(self, network: Gate, lanes: int = 1) -> None:
        self.network = network
        self.shared = SharedNetwork(network, lanes=lanes)
        self.shared._waiting = self.waiting = Announced()
        self.told: dict[int, object] = {}
        self.threads: list[threading.Thread] = []

    def want(self, *numbers: int, side: int = 32) -> None:
        thread = threading.Thread(target=self._ask, args=(numbers, side), daemon=True)
        self.threads.append(thread)
        thread.start()

    def want_at_once(self, *numbers: int, side: int = 32) -> None:
        """And its run has begun."""
        self.want(*numbers, side=side)
        assert self.network.began.acquire(timeout=PATIENCE_S)

    def want_and_wait(self, *numbers: int, side: int = 32) -> None:
        """And it is in the list."""
        self.want(*numbers, side=side)
        assert self.waiting.came.acquire(timeout=PATIENCE_S)

    def let_go(self, runs: int) -> None:
        for _ in range(runs):
            self.network.go.release()

    def end(self) -> None:
        for thread in self.threads:
            thread.join(PATIENCE_S)
            assert not thread.is_alive()

    def _ask(self, numbers: tuple[int, ...], side: int) -> None:
        pictures = np.empty((len(numbers), 3, side, side), np.float32)
        pictures[:] = np.array(numbers)[:, None, None, None]
        try:
            outputs = self.shared.run(pictures)
            self.told[numbers[0]] = outputs[ROLE][:, 0, 0, 0].astype(int).tolist()
        except (ModelError, ZeroDivisionError) as error:
            self.told[numbers[0]] = error


def test_alone_one_runs_at_once():
    site = Site(Gate())
    for number in (1, 2):
        site.want_at_once(number)
        site.let_go(1)
        site.end()
    assert site.network.runs == [[1], [2]]
    assert site.told == {1: [1], 2: [2]}


def test_what_waits_runs_together_and_each_gets_its_own():
    site = Site(Gate())
    site.want_at_once(1)
    site.want_and_wait(2)
    site.want_and_wait(3, 4)
    site.want_and_wait(5)
    site.let_go(2)
    site.end()
    assert site.network.runs == [[1], [2, 3, 4, 5]]
    assert site.told == {1: [1], 2: [2], 3: [3, 4], 5: [5]}


def test_a_run_holds_no_more_than_the_network_wants():
    site = Site(Gate(most=3))
    site.want_at_once(1)
    for numbers in ((2, 3), (4, 5), (6,), (7,)):
        site.want_and_wait(*numbers)
    site.let_go(3)
    site.end()
    assert site.network.runs == [[1], [2, 3, 6], [4, 5, 7]]


def test_other_sizes_run_apart_and_who_waits_longest_comes_next():
    site = Site(Gate(most=16))
    site.want_at_once(1)
    for number in range(2, 10):
        site.want_and_wait(number, side=32 if number % 3 else 64)
    site.let_go(3)
    site.end()
    assert site.network.runs == [[1], [2, 4, 5, 7, 8], [3, 6, 9]]
    assert site.told == {number: [number] for number in range(1, 10)}


def test_who_comes_again_at_once_does_not_overtake():
    site = Site(Gate(most=1))
    site.want_at_once(1)
    site.want_and_wait(2)
    site.want_and_wait(3)
    site.let_go(1)
    assert site.network.began.acquire(timeout=PATIENCE_S)
    site.want_and_wait(4)
    site.let_go(3)
    site.end()
    assert site.network.runs == [[1], [2], [3], [4]]


def test_as_many_run_at_once_as_there_are_lanes():
    site = Site(Gate(), lanes=2)
    site.want_at_once(1)
    site.want_at_once(2)
    site.want_and_wait(3)
    site.want_and_wait(4)
    site.let_go(1)
    assert site.network.began.acquire(timeout=PATIENCE_S)  # one lane is still held
    site.let_go(2)
    site.end()
    assert sorted(site.network.runs) == [[1], [2], [3, 4]]
    site.want_at_once(5)
    site.want_at_once(6)  # both lanes are free again
    site.let_go(2)
    site.end()


def test_an_error_reaches_those_whose_pictures_were_in_that_run_and_nobody_else():
    site = Site(Gate())
    site.network.fails = lambda numbers: ModelError("no memory", remedy="buy some") if 2 in numbers else None
    site.want_at_once(1)
    site.want_and_wait(2)
    site.want_and_wait(3)
    site.want_and_wait(4, side=64)
    site.let_go(3)
    site.end()
    assert site.told[1] == [1]
    assert site.told[4] == [4]
    errors = [site.told[2], site.told[3]]
    assert [(error.problem, error.remedy) for error in errors] == [("no memory", "buy some")] * 2
    assert errors[0] is not errors[1]


def test_a_fault_ends_one_thread_and_the_others_are_told_and_go_on():
    site = Site(Gate())
    site.network.fails = lambda numbers: ZeroDivisionError() if 2 in numbers else None
    site.want_at_once(1)
    site.want_and_wait(2)
    site.want_and_wait(3)
    site.want_and_wait(4, side=64)
    site.let_go(3)
    site.end()
    assert isinstance(site.told[2], ZeroDivisionError)
    assert isinstance(site.told[3], ModelError)
    assert "fault" in site.told[3].problem
    assert (site.told[1], site.told[4]) == ([1], [4])
    site.want_at_once(5)
    site.let_go(1)
    site.end()
    assert site.told[5] == [5]


def test_many_threads_that_ask_again_and_again_all_get_their_own():
    class Free(Gate):
        def run(self, pictures):
            return {ROLE: pictures[:, :1, :1, :1].copy()}

    shared = SharedNetwork(Free(most=8), lanes=2)
    wrong: list[int] = []

    def ask(number: int) -> None:
        for turn in range(50):
            pictures = np.full((1 + turn % 3, 3, 32 + 32 * (turn % 2), 32), number * 100 + turn, np.float32)
            outputs = shared.run(pictures)[ROLE]
            if outputs.shape[0] != len(pictures) or (outputs != number * 100 + turn).any():
                wrong.append(number)

    threads = [threading.Thread(target=ask, args=(number,), daemon=True) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S)
    assert not any(thread.is_alive() for thread in threads)
    assert wrong == []


def test_cameras_share_centerface_and_each_sees_its_own_faces(shared_data):
    frames = []
    for name, _ in truth_boxes(shared_data / "faces"):
        rgb = read_rgb(shared_data / "faces" / name)
        frames.append(frame_of(np.ascontiguousarray(rgb[:320, :320])))
    alone = FaceDetector()
    regions = [Region(0, 0, 320, 320), Region(0, 0, 128, 128), Region(150, 40, 300, 260)]
    wanted = [alone.detect_regions(frame, regions) for frame in frames]
    network = Network(CENTERFACE)
    shared = FaceDetector(network=SharedNetwork(network))
    start, told = threading.Barrier(len(frames)), {}

    def look(number: int) -> None:
        start.wait(PATIENCE_S)
        told[number] = shared.detect_regions(frames[number], regions)

    threads = [threading.Thread(target=look, args=(number,), daemon=True) for number in range(len(frames))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S)
    for number, expected in enumerate(wanted):
        assert [each.kind for each in told[number]] == [each.kind for each in expected]
        for one, other in zip(told[number], expected, strict=True):
            assert one.score == pytest.approx(other.score, abs=1e-3)
            assert one.box.iou(other.box) > 0.99


def test_a_detector_is_made_when_the_first_frame_comes_and_only_once(shared_data):
    rgb = read_rgb(shared_data / "faces" / "2008_001009.jpg")
    shared = SharedDetector(score_threshold=0.4, weak_score=0.1)
    assert shared._detector is None
    assert (shared.kinds, shared.start_score) == (CENTERFACE.reported_kinds, 0.4)
    found = shared.detect_regions(frame_of(rgb), [Region(0, 0, rgb.shape[1], rgb.shape[0])])
    assert found == FaceDetector(weak_score=0.1).detect(frame_of(rgb))
    made = shared._detector
    shared.detect_regions(frame_of(rgb), [Region(0, 0, 64, 64)])
    assert shared._detector is made is not None
    assert SharedDetector().start_score == 0.2


def test_a_model_that_is_not_there_is_told_whenever_somebody_looks(tmp_path):
    shared = SharedDetector(YOLOX_NANO, models=tmp_path)
    frame = frame_of(np.zeros((64, 64, 3), np.uint8))
    for _ in range(2):
        with pytest.raises(ModelError, match="there is no"):
            shared.detect_regions(frame, [Region(0, 0, 64, 64)])
