"""One network for all cameras of a process: what their threads want seen at the same moment runs as one batch.

Weights and work memory are there once. On a processor a batch takes as long as its
pictures one after the other, on an accelerator little longer than one of them.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Sequence
from typing import Unpack

import numpy as np
from numpy.typing import NDArray

from lamppost.base.errors import ModelError
from lamppost.base.logging import get_logger
from lamppost.detect.catalogue import CENTERFACE
from lamppost.detect.detectors import Detector, open_detector, usual_score
from lamppost.detect.entry import ModelEntry
from lamppost.detect.looking import Options, Runs
from lamppost.detect.network import Network, Outputs
from lamppost.detect.providers import AUTO, NAMES, is_on_cpu
from lamppost.model.vision import Detection, Frame, Kind, Region


class _Wish:
    """What one thread wants to have run, and what came of it. `settled` is set when there is an outcome, or when it shall lead."""

    __slots__ = ("error", "outputs", "pictures", "settled")

    def __init__(self, pictures: NDArray[np.uint8]) -> None:
        self.pictures = pictures
        self.settled = threading.Event()
        self.outputs: Outputs | None = None
        self.error: ModelError | None = None


class SharedNetwork:
    """Stands before a network, and runs as one batch what waits for it at the same time.

    It has no thread of its own. Who finds a lane free leads: runs at once, alone. Who comes meanwhile waits; when a run
    ends, whoever has waited longest leads the next, and takes along all that waits with pictures of the same size, as many as one
    run holds. So nobody waits while nothing runs, and none is overtaken more than once by each that came later. A thread
    has one wish at a time, so there are no more of them than threads. A `ModelError` reaches exactly those whose
    pictures were in that run.
    """

    def __init__(self, network: Runs, *, lanes: int = 1) -> None:
        self._network = network
        self._free = lanes  # runs that may go on at the same time
        self._waiting: deque[_Wish] = deque()  # empty as long as a lane is free
        self._mutex = threading.Lock()

    @property
    def entry(self) -> ModelEntry:
        return self._network.entry

    def most_pictures(self, width_px: int, height_px: int) -> int:
        """As `Network.most_pictures`."""
        return self._network.most_pictures(width_px, height_px)

    def run(self, pictures: NDArray[np.uint8]) -> Outputs:
        """As `Network.run`, from any thread."""
        wish = _Wish(pictures)
        with self._mutex:
            must_wait = self._free == 0
            if must_wait:
                self._waiting.append(wish)
            else:
                self._free -= 1
        if must_wait:
            wish.settled.wait()
        if wish.outputs is None and wish.error is None:
            try:
                self._serve([wish, *self._companions(wish)])
            finally:
                self._hand_over()
        if wish.outputs is None:
            # Each thread raises an error of its own: one that is raised in several has the tracebacks of all.
            error = wish.error or self._fault()
            raise ModelError(error.problem, remedy=error.remedy) from error
        return wish.outputs

    def _companions(self, first: _Wish) -> list[_Wish]:
        """Those that wait and can run with `first`, in the order in which they came."""
        height, width = first.pictures.shape[2:]
        room = self.most_pictures(width, height) - len(first.pictures)
        chosen: list[_Wish] = []
        with self._mutex:
            for wish in tuple(self._waiting):
                if wish.pictures.shape[1:] == first.pictures.shape[1:] and len(wish.pictures) <= room:
                    room -= len(wish.pictures)
                    self._waiting.remove(wish)
                    chosen.append(wish)
        return chosen

    def _serve(self, together: Sequence[_Wish]) -> None:
        error = self._fault()
        try:
            pictures = together[0].pictures if len(together) == 1 else np.concatenate([wish.pictures for wish in together])
            outputs = self._network.run(pictures)
            start = 0
            for wish in together:
                end = start + len(wish.pictures)
                wish.outputs = {role: array[start:end] for role, array in outputs.items()}
                start = end
        except ModelError as found:
            error = found
        finally:
            # Whatever happened, nobody waits on.
            for wish in together:
                if wish.outputs is None:
                    wish.error = error
                wish.settled.set()

    def _fault(self) -> ModelError:
        return ModelError(f"model {self.entry.name}: a fault ended the run of these pictures", remedy="the log of this process tells more")

    def _hand_over(self) -> None:
        """The lane goes to whoever has waited longest, or is free."""
        with self._mutex:
            if self._waiting:
                self._waiting.popleft().settled.set()
            else:
                self._free += 1


class SharedDetector:
    """One detector for all cameras of a process, made when the first frame comes, with one network (see `SharedNetwork`).

    Threads cut their crops and read their boxes at the same time; only the network is shared. On a processor as many
    run at once as the cores have room for. The log names the model and what it runs on when it is loaded. `options` as
    `open_detector` takes them. Raises `ModelError` when the weights are missing or altered, to whoever looks, each time.
    """

    def __init__(self, entry: ModelEntry = CENTERFACE, **options: Unpack[Options]) -> None:
        self._entry = entry
        self._options = options
        self._detector: Detector | None = None
        self._making = threading.Lock()

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """What it can report."""
        return self._entry.reported_kinds

    @property
    def start_score(self) -> float:
        """The least score with which something may begin to be followed."""
        asked = self._options.get("score_threshold")
        return usual_score(self._entry) if asked is None else asked

    def detect_regions(self, frame: Frame, regions: Sequence[Region]) -> tuple[Detection, ...]:
        """As `Detector.detect_regions`, from any thread."""
        return self._open().detect_regions(frame, regions)

    def _open(self) -> Detector:
        with self._making:
            if self._detector is None:
                self._detector = open_detector(self._entry, **(self._options | {"network": self._share()}))
            return self._detector

    def _share(self) -> Runs:
        threads = self._options.get("threads", 1)
        lanes = max(1, len(os.sched_getaffinity(0)) // threads)
        given = self._options.get("network")
        if given is not None:
            return SharedNetwork(given, lanes=lanes)
        network = Network(self._entry, models=self._options.get("models"), threads=threads, providers=self._options.get("providers", AUTO))
        get_logger("detect").info("model loaded", model=self._entry.name, provider=NAMES[network.provider], threads=threads)
        return SharedNetwork(network, lanes=lanes if is_on_cpu(network.provider) else 1)
