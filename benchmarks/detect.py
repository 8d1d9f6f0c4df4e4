"""How much of ONNX Runtime's own speed is left once crops are cut, converted and read; and what crops save beside whole frames."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import cv2
import numpy as np
import onnxruntime as ort  # pyright: ignore[reportMissingTypeStubs]

from benchmarks.figures import Figure, median_and_spread
from lamppost.detect.catalogue import CENTERFACE
from lamppost.detect.crops import Fit
from lamppost.detect.faces import FaceDetector
from lamppost.detect.network import CPU, prepare_graph
from lamppost.detect.weights_file import read_weights
from lamppost.model.vision import Frame, Region

SIZE = (1280, 720)
CROP_PX = 256
RUNS = 15


def measure() -> list[Figure]:
    """CenterFace on one thread: batches of crops, and a whole frame, each in turn with arrays of the same sizes given to the runtime."""
    cv2.setNumThreads(1)
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    session = ort.InferenceSession(prepare_graph(CENTERFACE, read_weights(CENTERFACE)), options, providers=[CPU])
    detector = FaceDetector(threads=1)
    frame = Frame(np.random.default_rng(0).integers(0, 256, (SIZE[1] * 3 // 2, SIZE[0]), np.uint8), 0, 0)
    whole = (Region(0, 0, *SIZE),)

    def raw(regions: Sequence[Region]) -> Callable[[], object]:
        crops = Fit(CENTERFACE.input.long_side_px).crops(regions, SIZE)
        width, height = crops[0].canvas
        pictures = np.zeros((len(crops), 3, height, width), np.float32)
        return lambda: session.run(list(CENTERFACE.output_names), {CENTERFACE.input.name: pictures})

    def look(regions: Sequence[Region]) -> Callable[[], object]:
        return lambda: detector.detect_regions(frame, regions)

    batches = [(_crops(count), f"{count} crops of {CROP_PX}x{CROP_PX}") for count in (1, 2, 4, 8)]
    figures = [_compare(what, look(regions), raw(regions), "ONNX Runtime alone", len(regions)) for regions, what in batches]
    figures.append(_compare("a whole frame of 1280x720", look(whole), raw(whole), "ONNX Runtime alone"))
    figures.append(_compare(f"one crop of {CROP_PX}x{CROP_PX}", look(_crops(1)), look(whole), "the whole frame"))
    return figures


def _crops(count: int) -> tuple[Region, ...]:
    corners = [(x, y) for y in (0, 360) for x in range(0, 4 * CROP_PX, CROP_PX + 64)]
    return tuple(Region(x, y, x + CROP_PX, y + CROP_PX) for x, y in corners[:count])


def _compare(what: str, ours: Callable[[], object], peer: Callable[[], object], peer_name: str, pictures: int = 1) -> Figure:
    """Both in turn, after one run of each that allocates."""
    ours()
    peer()
    rates = [(_rate(ours, pictures), _rate(peer, pictures)) for _ in range(RUNS)]
    return Figure(
        f"looking for faces: {what}",
        f"{median_and_spread([own for own, _ in rates], 1)} pictures a second",
        f"{median_and_spread([other for _, other in rates], 1)} pictures a second ({peer_name})",
        f"{median_and_spread([own / other for own, other in rates])}×",
    )


def _rate(work: Callable[[], object], pictures: int) -> float:
    # Of this thread's own processor time: all of the work is done in it.
    began = time.thread_time()
    work()
    return pictures / (time.thread_time() - began)
