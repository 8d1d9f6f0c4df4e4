"""The simulated street, filmed by a camera that is bumped, turned, refocused, dimmed or switched to another place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np

from lamppost.base.clock import ManualClock
from lamppost.detect.motion import MotionDetector
from lamppost.ingest.street import Street, StreetSettings
from lamppost.mask.paint import planes_of
from lamppost.model.vision import Box, CoverCause, Detection, Frame, Kind, MaskedFrame, Preset, Region
from lamppost.pipeline.masking import MaskingPipeline

WIDTH_PX, HEIGHT_PX, FPS = 480, 272, 10
MARGIN_PX = 64  # of the street around what the camera shows
EVENT_S = 8.0
LOOK_BACK_S = 0.5
_STEADY_S = 1.0  # who has not moved for so long is not judged
_LEAST_CONTRAST_LEVELS = 8  # with less nobody sees anybody
_LEAST_MOVE_PX = 3.0
_LEAST_SHARE = 0.7  # of a body in the picture; who has only one foot in it is a matter of motion detection, not of the camera

Warp = np.ndarray  # (2, 3): from the street to the picture
Light = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class View:
    """How the camera sees the street at one moment. `light` takes luma and chroma, float, and gives them changed."""

    warp: Warp
    blur_px: float = 0.0
    light: Light | None = None
    seed: int = 2


def straight(dx: float = 0.0, dy: float = 0.0, turn_deg: float = 0.0, zoom: float = 1.0) -> Warp:
    """The usual view, moved, turned around its middle, and enlarged."""
    middle = (MARGIN_PX + WIDTH_PX / 2, MARGIN_PX + HEIGHT_PX / 2)
    warp = cv2.getRotationMatrix2D(middle, turn_deg, zoom)
    warp[:, 2] += (dx - MARGIN_PX, dy - MARGIN_PX)
    return warp


@cache
def _street(seed: int, people: int, vehicles: int) -> Street:
    width, height = WIDTH_PX + 2 * MARGIN_PX, HEIGHT_PX + 2 * MARGIN_PX
    return Street(StreetSettings(seed=seed, people=people, vehicles=vehicles, width_px=width, height_px=height, fps=FPS, has_noise=True))


def show(street: Street, index: int, view: View) -> np.ndarray:
    """Picture `index` in that view, I420 in memory of its own."""
    i420 = np.empty((HEIGHT_PX * 3 // 2, WIDTH_PX), np.uint8)
    whole = planes_of(street.frame(index))
    changed: list[np.ndarray] = []
    for plane, half in zip(whole, (1, 2, 2), strict=True):
        warp, size = view.warp.copy(), (WIDTH_PX // half, HEIGHT_PX // half)
        warp[:, 2] /= half
        seen = cv2.warpAffine(plane, warp, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        changed.append(cv2.GaussianBlur(seen, (0, 0), view.blur_px / half) if view.blur_px else seen)
    luma, chroma = changed[0].astype(np.float32), np.stack(changed[1:]).astype(np.float32)
    if view.light is not None:
        luma, chroma = view.light(luma, chroma)
    for plane, pixels in zip(planes_of(i420), (luma, *chroma), strict=True):
        plane[:] = np.clip(pixels, 16, 240).astype(np.uint8)
    return i420


def moving_bodies(street: Street, index: int, view: View) -> list[Box]:
    """Where persons and vehicles are in the picture who have moved all along lately, as boxes around what the warp makes of theirs."""
    steps = round(_STEADY_S * FPS)
    now = {true.object_id: true.box for true in street.truth(index) if true.kind is not Kind.FACE}
    before = {true.object_id: true.box for true in street.truth(max(0, index - steps)) if true.kind is not Kind.FACE}
    found = []
    for object_id, box in now.items():
        then = before.get(object_id)
        if then is None or abs(then.x0 - box.x0) < _LEAST_MOVE_PX:
            continue
        corners = np.array([[box.x0, box.y0, 1], [box.x1, box.y0, 1], [box.x0, box.y1, 1], [box.x1, box.y1, 1]]) @ view.warp.T
        whole = Box(*corners.min(axis=0), *corners.max(axis=0))
        seen = whole.clipped(WIDTH_PX, HEIGHT_PX)
        if seen.width > 0 and seen.height > 0 and seen.area >= _LEAST_SHARE * whole.area:
            found.append(seen)
    return found


class Nobody:
    """A face detector that finds nothing: what is masked, motion has found."""

    start_score = 0.5

    def detect_regions(self, frame: Frame, regions: Sequence[Region]) -> tuple[Detection, ...]:
        return ()


@dataclass(frozen=True)
class Outcome:
    """What left: covers by time, bodies that could be seen, and how much was masked of the frames that were shown."""

    covers: list[CoverCause | None]
    seen: list[tuple[int, float]]  # frame, and the share of a moving body that was under no mask
    judged: int
    masked_shares: list[float]  # of each frame; 1 where it was covered

    def covered_s(self, since_s: float, until_s: float = 1e9) -> float:
        """Seconds of frames within that time that were covered."""
        return sum(cause is not None for cause in self.covers[round(since_s * FPS) : round(min(until_s, 1e6) * FPS)]) / FPS

    def masked_share(self, since_s: float) -> float:
        """Mean share of the picture that was masked or covered from then on."""
        return float(np.mean(self.masked_shares[round(since_s * FPS) :]))

    @property
    def clear_from_s(self) -> float:
        """From when on no frame was covered."""
        covered = [index for index, cause in enumerate(self.covers) if cause is not None]
        return (covered[-1] + 1) / FPS if covered else 0.0


def pipeline(motion: MotionDetector | None = None) -> MaskingPipeline:
    return MaskingPipeline(
        preset=Preset.MOTION,
        faces=Nobody(),
        motion=motion or MotionDetector(),
        look_back_s=LOOK_BACK_S,
        detect_interval_s=0.2,
        clock=ManualClock(),
    )


def film(
    view_at: Callable[[float], View], seconds: float, *, people: int = 2, vehicles: int = 0, first: int = 0, seed_shift: int = 0
) -> Outcome:
    """Mask the street as seen in `view_at(second)`; pictures are counted from `first`."""
    masking, left, is_dark = pipeline(), list[MaskedFrame](), list[bool]()
    frames = round(seconds * FPS)
    for number in range(frames):
        view = view_at(number / FPS)
        picture = show(_street(view.seed + seed_shift, people, vehicles), first + number, view)
        is_dark.append(int(np.ptp(picture[:HEIGHT_PX])) < _LEAST_CONTRAST_LEVELS)
        left += masking.push(Frame(picture, number * 90_000 // FPS, number * 1_000_000 // FPS))
    left += masking.flush()
    assert len(left) == frames
    seen, judged, shares = list[tuple[int, float]](), 0, list[float]()
    for number, masked in enumerate(left):
        if masked.covered is not None:
            shares.append(1.0)
            continue
        hidden = np.zeros((HEIGHT_PX, WIDTH_PX), np.bool_)
        for mask in masked.masks:
            hidden[mask.y0 : mask.y1, mask.x0 : mask.x1] = True
        shares.append(float(hidden.mean()))
        if is_dark[number]:
            continue
        view = view_at(number / FPS)
        for body in moving_bodies(_street(view.seed + seed_shift, people, vehicles), first + number, view):
            judged += 1
            open_share = 1 - _covered_share(hidden, body)
            if open_share > 0.1:
                seen.append((number, round(open_share, 2)))
    return Outcome([masked.covered for masked in left], seen, judged, shares)


def _covered_share(hidden: np.ndarray, body: Box) -> float:
    """Of the ellipse that is inscribed in `body`."""
    rows, columns = np.mgrid[int(body.y0) : int(np.ceil(body.y1)), int(body.x0) : int(np.ceil(body.x1))]
    x, y = (columns + 0.5 - (body.x0 + body.x1) / 2) / (body.width / 2), (rows + 0.5 - (body.y0 + body.y1) / 2) / (body.height / 2)
    return float(hidden[rows, columns][x**2 + y**2 <= 1].mean())
