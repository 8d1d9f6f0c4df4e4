"""How much of ONNX Runtime's own speed is left once pictures are cut, converted and read; and what crops save beside whole frames."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import av
import cv2
import numpy as np
import onnx
import onnxruntime as ort  # pyright: ignore[reportMissingTypeStubs]
from numpy.typing import NDArray

from benchmarks.clips import real_clips, shared_data
from benchmarks.figures import Figure, median_and_spread
from lamppost.detect.catalogue import CENTERFACE, YOLOX_NANO
from lamppost.detect.crops import Fit
from lamppost.detect.detectors import open_detector
from lamppost.detect.entry import ModelEntry
from lamppost.detect.graph import SHOWN, prepare_graph, read_names
from lamppost.detect.network import session_options
from lamppost.detect.providers import NAMES
from lamppost.detect.shared import SharedDetector
from lamppost.detect.weights_file import read_weights
from lamppost.ingest.street import Street, StreetSettings
from lamppost.model.providers import Provider
from lamppost.model.vision import Frame, Region

SIZE = (1280, 720)
CROP_PX = 256
RUNS = 15
FRAMES = 8  # of a clip, in turn: what was just decoded is in the cache of the processor still
WEAK_SCORE = 0.1  # as analysts look
CPU = (Provider.CPU,)


def measure() -> list[Figure]:
    """Each in turn with arrays of the same sizes given to the runtime; the threads of OpenCV are one each, as in an analyst."""
    cv2.setNumThreads(1)
    return [*measure_crops(), *measure_throughput()]


def measure_crops() -> list[Figure]:
    """CenterFace on one thread: batches of crops, and a whole frame."""
    raw_of = _runtime(CENTERFACE, None, 1)
    detector = open_detector(CENTERFACE, threads=1, providers=CPU)
    frame = Frame(np.random.default_rng(0).integers(0, 256, (SIZE[1] * 3 // 2, SIZE[0]), np.uint8), 0, 0)
    whole = (Region(0, 0, *SIZE),)

    def raw(regions: Sequence[Region]) -> Callable[[], object]:
        crops = Fit(CENTERFACE.input.long_side_px).crops(regions, SIZE)
        width, height = crops[0].canvas
        return raw_of(np.zeros((len(crops), 3, height, width), np.float32))

    def look(regions: Sequence[Region]) -> Callable[[], object]:
        return lambda: detector.detect_regions(frame, regions)

    batches = [(_crops(count), f"{count} crops of {CROP_PX}x{CROP_PX}") for count in (1, 2, 4, 8)]
    figures = [_compare(f"looking for faces: {what}", look(regions), raw(regions), len(regions)) for regions, what in batches]
    figures.append(_compare("looking for faces: a whole frame of 1280x720", look(whole), raw(whole)))
    figures.append(
        _compare(f"looking for faces: one crop of {CROP_PX}x{CROP_PX}", look(_crops(1)), look(whole), peer_name="the whole frame")
    )
    return figures


def measure_throughput() -> list[Figure]:
    """YOLOX-nano as analysts look with it, on whole decoded frames, beside the bare runtime on finished arrays of the same shape.

    The peer runs the file as it was published; a second one what we cut out of it, so that nothing but looking differs.
    On one thread by its own processor time; then a camera a core at once, by the clock. Nothing where its weights are not
    (`LAMPPOST_MODEL_MIRROR`, or the material for tests).
    """
    models = _models_folder()
    if models is None:
        return []
    figures: list[Figure] = []
    for what, frames in _footage():
        size = (frames[0].width_px, frames[0].height_px)
        shared = SharedDetector(YOLOX_NANO, models=models, threads=1, weak_score=WEAK_SCORE, providers=CPU)
        width, height = Fit(YOLOX_NANO.input.long_side_px, keeps_shape=True).whole(size).canvas
        # Of a picture as a network has it: numbers like these, not zeros.
        pictures = np.random.default_rng(0).uniform(0, 255, (1, 3, height, width)).astype(np.float32)
        look = _for_each(shared, frames)
        published, cut = (_often(of(YOLOX_NANO, models, 1)(pictures), len(frames)) for of in (_published, _runtime))
        name = f"looking for things: {what}, {size[0]}x{size[1]}, shown at {width}x{height}"
        figures.append(_compare(name, look, published, len(frames), goal="goal ≥ 0.9×"))
        figures.append(_compare("the same", look, cut, len(frames), peer_name="our cut of the network alone"))
        cameras = len(os.sched_getaffinity(0))
        if cameras > 1:
            together, peer = _at_once(look, cameras), _at_once(published, cameras)
            name, count = f"the same, {cameras} cameras at once", cameras * len(frames)
            figures.append(_compare(name, together, peer, count, goal="goal ≥ 0.9×", clock=time.perf_counter))
    return figures


def _models_folder() -> Path | None:
    mirror, data = os.environ.get("LAMPPOST_MODEL_MIRROR"), shared_data()
    folders = [Path(mirror) if mirror else None, data / "models" if data else None]
    return next((folder for folder in folders if folder and (folder / YOLOX_NANO.file).is_file()), None)


def _footage() -> list[tuple[str, list[Frame]]]:
    """Frames of the first real clip in which something is there, and of a street of our own, at a camera's usual size."""
    street = Street(StreetSettings(seed=1, people=8, vehicles=4, has_noise=True))
    footage = [("our street", [Frame(street.frame(50 + index).copy(), 0, 0) for index in range(FRAMES)])]
    for clip in real_clips()[:1]:
        with av.open(str(clip)) as container:
            pictures = [picture for index, picture in zip(range(190 + FRAMES), container.decode(video=0), strict=False) if index >= 190]
        footage.insert(
            0, (clip.stem, [Frame(np.ascontiguousarray(picture.to_ndarray(format="yuv420p"), np.uint8), 0, 0) for picture in pictures])
        )
    return footage


def _runtime(entry: ModelEntry, models: Path | None, threads: int) -> Callable[[NDArray[np.float32]], Callable[[], object]]:
    """What runs finished arrays of float32 through what we cut out of the network, without our conversion of bytes."""
    model = onnx.load_model_from_string(prepare_graph(entry, read_weights(entry, models)))
    (cast,) = (node for node in model.graph.node if node.op_type == "Cast" and node.input[0] == SHOWN)
    model.graph.node.remove(cast)
    model.graph.input[0].name, model.graph.input[0].type.tensor_type.elem_type = cast.output[0], onnx.TensorProto.FLOAT
    session = ort.InferenceSession(model.SerializeToString(), session_options(threads), providers=[NAMES[CPU[0]]])
    names = read_names(entry)
    return lambda pictures: lambda: session.run(names, {cast.output[0]: pictures})


def _published(entry: ModelEntry, models: Path | None, threads: int) -> Callable[[NDArray[np.float32]], Callable[[], object]]:
    """What runs finished arrays through the file as its makers published it, but for the sizes that are written in it."""
    model = onnx.load_model_from_string(read_weights(entry, models))
    for value in (*model.graph.input, *model.graph.output):
        for number, axis in enumerate(value.type.tensor_type.shape.dim):
            if number != 1 or value is not model.graph.input[0]:
                axis.dim_param = f"{value.name}_{number}"
    session = ort.InferenceSession(model.SerializeToString(), session_options(threads), providers=[NAMES[CPU[0]]])
    return lambda pictures: lambda: session.run(None, {entry.input.name: pictures})


def _for_each(shared: SharedDetector, frames: Sequence[Frame]) -> Callable[[], object]:
    return lambda: [shared.detect_regions(frame, (Region(0, 0, frame.width_px, frame.height_px),)) for frame in frames]


def _often(run: Callable[[], object], times: int) -> Callable[[], object]:
    return lambda: [run() for _ in range(times)]


def _at_once(work: Callable[[], object], threads: int) -> Callable[[], object]:
    def together() -> None:
        crowd = [threading.Thread(target=work) for _ in range(threads)]
        for each in crowd:
            each.start()
        for each in crowd:
            each.join()

    return together


def _crops(count: int) -> tuple[Region, ...]:
    corners = [(x, y) for y in (0, 360) for x in range(0, 4 * CROP_PX, CROP_PX + 64)]
    return tuple(Region(x, y, x + CROP_PX, y + CROP_PX) for x, y in corners[:count])


def _compare(
    what: str,
    ours: Callable[[], object],
    peer: Callable[[], object],
    pictures: int = 1,
    *,
    peer_name: str = "ONNX Runtime alone",
    goal: str = "",
    # Of this thread's own processor time, where all of the work is done in it.
    clock: Callable[[], float] = time.thread_time,
) -> Figure:
    """Both in turn, after one run of each that allocates."""
    ours()
    peer()
    rates = [(_rate(ours, pictures, clock), _rate(peer, pictures, clock)) for _ in range(RUNS)]
    return Figure(
        what,
        f"{median_and_spread([own for own, _ in rates], 1)} pictures a second",
        f"{median_and_spread([other for _, other in rates], 1)} pictures a second ({peer_name})",
        f"{median_and_spread([own / other for own, other in rates])}×",
        goal,
    )


def _rate(work: Callable[[], object], pictures: int, clock: Callable[[], float]) -> float:
    began = clock()
    work()
    return pictures / (clock() - began)
