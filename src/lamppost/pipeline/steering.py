"""Turns cameras for operators: by hand, to saved positions, and by tours that they have fixed; never for a detection.

Each order to a camera is given only while its picture is covered (`helm.py`). What is
here keeps people and tours from overrunning each other: at most one tour of a
camera runs, and none that was stopped takes another step.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Sequence

from lamppost.base.errors import CameraError, ConfigError, LamppostError
from lamppost.base.logging import get_logger
from lamppost.pipeline.head_line import SteeringTools
from lamppost.pipeline.helm import LOOK_S, Helm
from lamppost.pipeline.tours import Stay, Tour


class Steering:
    """The helms of a node, each with a thread while somebody steers, and at most one tour each. Close it.

    What stops a tour and what begins afterwards happens while nobody else has the helm (`Helm.alone`); the tour itself is
    told before that, so that no step of it begins meanwhile.
    """

    def __init__(self, tools: SteeringTools, *, start: Callable[[Callable[[], None], str], None] | None = None) -> None:
        self._tools = tools
        self._start = start or _start_thread
        self._helms: dict[str, Helm] = {}
        self._looked_after: set[str] = set()
        self._tours: dict[str, Tour] = {}
        self._mutex = threading.Lock()  # taken while a helm is held, never the other way round
        self._stop = threading.Event()
        self._log = get_logger("steering")

    def helm(self, camera: str) -> Helm:
        """The one of a camera."""
        with self._mutex:
            return self._helms.setdefault(camera, Helm(camera, self._tools))

    def steer(self, camera: str, order: Callable[[Helm], object]) -> None:
        """Give an order by hand, which ends a tour that runs; what follows from it is looked after until it is over."""
        helm = self.helm(camera)
        self._put_tour(camera, None)
        try:
            with helm.alone():
                self._put_tour(camera, None)  # one may have begun while somebody else had the helm
                try:
                    order(helm)
                finally:
                    helm.end_tour()  # after it: no stop waits for a journal
        finally:
            self._look_after(camera, helm)

    def settle(self, camera: str) -> None:
        """Something was asked of a camera's head: let go of it when that is over."""
        self._look_after(camera, self.helm(camera))

    def running_tour(self, camera: str) -> str | None:
        """Its name."""
        with self._mutex:
            tour = self._tours.get(camera)
        return tour.name if tour is not None else None

    def start_tour(self, camera: str, who: str, name: str, steps: Sequence[Stay]) -> None:
        """Go from position to position until somebody stops it, starts another, steers by hand, or this process ends."""
        if not steps:
            raise ConfigError(f"the tour {name} has no step", remedy="give it one")
        helm = self.helm(camera)
        tour = Tour(helm, who, name, steps, self._tools.clock)
        try:
            with helm.alone():
                # Known before its first step: from here on it can be stopped.
                self._put_tour(camera, tour)
                self._begin(camera, tour, helm)
        finally:
            self._look_after(camera, helm)
        self._start(lambda: self._run(camera, tour, helm), f"tour-{camera}")

    def stop_tour(self, camera: str) -> bool:
        """Whether one ran; the camera comes to its position, and stays."""
        has_run = self._put_tour(camera, None)
        if has_run:
            helm = self.helm(camera)
            with helm.alone():
                if self.running_tour(camera) is None:  # nobody has started another one meanwhile
                    helm.end_tour()
        return has_run

    def close(self) -> None:
        """End tours and turns; covers end by themselves."""
        self._stop.set()
        with self._mutex:
            helms = dict(self._helms)
        for camera, helm in helms.items():
            with contextlib.suppress(LamppostError):  # what cannot be put on the record now is not held up
                self._put_tour(camera, None)
                helm.end()

    def _put_tour(self, camera: str, tour: Tour | None) -> bool:
        """In place of the one that runs, which takes no further step; whether there was one."""
        with self._mutex:
            before = self._tours.pop(camera, None)
            if before is not None:
                before.stop.set()
            if tour is not None and self._stop.is_set():
                raise CameraError("the server is ending, and starts no tour any more")
            if tour is not None:
                self._tours[camera] = tour
        return before is not None

    def _begin(self, camera: str, tour: Tour, helm: Helm) -> None:
        """Its first step; it is not running where that fails, whyever."""
        has_begun = False
        try:
            helm.end_tour()
            tour.begin()
            has_begun = True
        finally:
            if not has_begun:
                tour.stop.set()
                with self._mutex:
                    if self._tours.get(camera) is tour:
                        del self._tours[camera]

    def _run(self, camera: str, tour: Tour, helm: Helm) -> None:
        tour.run()
        with helm.alone():
            with self._mutex:
                has_ended_itself = self._tours.get(camera) is tour
                if has_ended_itself:
                    del self._tours[camera]
            if has_ended_itself:
                helm.end_tour()

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
