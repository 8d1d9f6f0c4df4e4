"""Camera moved, bumped, refocused, night switch, cut: covered until stable, nobody shown who walks, and not covered for ever."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from lamppost.model.i420 import planes_of
from lamppost.model.vision import CoverCause, Frame, MaskedFrame
from moved_camera import EVENT_S, FPS, LOOK_BACK_S, Light, View, Warp, film, pipeline, straight

LENGTH_S = 20.0
SETTLED_S = 3.0  # after the last of it: learning takes 1.2 s, and a look-back before it
_SHARE = 0.45  # of a picture that is masked at the end, at most: what the event changed was learnt


def from_then_on(view: View, until_s: float = 1e9) -> Callable[[float], View]:
    return lambda at_s: view if EVENT_S <= at_s < until_s else View(straight())


def seen(warp: Warp | None = None, *, blur_px: float = 0.0, light: Light | None = None, seed: int = 2) -> View:
    return View(straight() if warp is None else warp, blur_px, light, seed)


def gain(ratio: float, offset: float = 0.0) -> Light:
    """Exposure: luma scaled from black, plus `offset`; colours fade where it darkens."""
    return lambda luma, chroma: ((luma - 16) * ratio + 16 + offset, (chroma - 128) * min(1.0, ratio) + 128)


def infrared(luma: np.ndarray, chroma: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A night switch: no colour, and what was dark may be light."""
    return 235 - (luma - 16) * 0.6, np.full_like(chroma, 128)


def lamp(ratio: float, radius_px: float) -> Light:
    """A lamp on the street, brightest in its middle."""

    def shine(luma: np.ndarray, chroma: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        y, x = np.mgrid[: luma.shape[0], : luma.shape[1]]
        return (luma - 16) * (1 + ratio * np.exp(-((x - 300) ** 2 + (y - 130) ** 2) / radius_px**2)) + 16, chroma

    return shine


def pan(at_s: float) -> View:
    """Three seconds to the side."""
    return View(straight(dx=20 * min(3.0, max(0.0, at_s - EVENT_S))))


# What a camera cannot be trusted after: covered at once, back to what waited, and until the place is learnt anew.
LARGE: dict[str, tuple[Callable[[float], View], float]] = {
    "bumped a little": (from_then_on(seen(straight(8, 3))), EVENT_S),
    "bumped": (from_then_on(seen(straight(30, 10))), EVENT_S),
    "bumped far": (from_then_on(seen(straight(60, 0))), EVENT_S),
    "turned": (from_then_on(seen(straight(turn_deg=2))), EVENT_S),
    "zoomed": (from_then_on(seen(straight(zoom=1.3))), EVENT_S),
    "panned": (pan, EVENT_S + 3),
    "night switch": (from_then_on(seen(light=infrared)), EVENT_S),
    "exposure halved": (from_then_on(seen(light=gain(0.5))), EVENT_S),
    "cut": (from_then_on(seen(straight(-40, 0, turn_deg=-4, zoom=1.6), seed=9)), EVENT_S),
    "covered by a hand": (from_then_on(seen(light=gain(0.0)), EVENT_S + 3), EVENT_S + 3),
}
# What the detector may see through; if it does not, it must not be for long.
UNCLEAR: dict[str, tuple[Callable[[float], View], float]] = {
    "bumped by three pixels": (from_then_on(seen(straight(3, 1))), EVENT_S),
    "out of focus": (from_then_on(seen(blur_px=2)), EVENT_S),
    "far out of focus": (from_then_on(seen(blur_px=5)), EVENT_S),
    "focus hunts": (lambda at_s: seen(blur_px=max(0.0, 3 - abs(at_s - EVENT_S - 2) * 1.5)), EVENT_S + 4),
    "flash of light": (from_then_on(seen(light=gain(1.9)), EVENT_S + 0.3), EVENT_S + 0.3),
    "exposure up": (from_then_on(seen(light=gain(1.5))), EVENT_S),
    "lighter at once": (from_then_on(seen(light=gain(1.0, 40))), EVENT_S),
}
# What happens every day.
SMALL: dict[str, Callable[[float], View]] = {
    "nothing": lambda _at_s: seen(),
    "exposure drifts": lambda at_s: seen(light=gain(1 + 0.12 * float(np.sin(at_s * 2 * np.pi / 8)))),
    "exposure flickers": lambda at_s: seen(light=gain(1.2 if int(at_s * 10) % 2 else 1.0)),
    "dusk": lambda at_s: seen(light=gain(1 - 0.5 * min(1.0, max(0.0, at_s - EVENT_S) / 30))),
    "a lamp": from_then_on(seen(light=lamp(0.6, 50))),
    "a bright lamp": from_then_on(seen(light=lamp(1.2, 50))),
    "a mast in the wind": lambda at_s: seen(straight(dx=float(np.sin(at_s * 5)), dy=0.5 * float(np.cos(at_s * 7)))),
}


@pytest.mark.parametrize("name", LARGE)
def test_covered_until_stable(name: str) -> None:
    view_at, over_s = LARGE[name]
    outcome = film(view_at, LENGTH_S)
    assert outcome.judged > 50
    assert outcome.seen == [], "nobody who walks is shown"
    assert outcome.covered_s(EVENT_S - LOOK_BACK_S, over_s + SETTLED_S) >= 1.0, "it was noticed"
    assert CoverCause.SCENE_CHANGED in outcome.covers[round(EVENT_S * FPS) : round((EVENT_S + 1.5) * FPS)]
    assert outcome.clear_from_s <= over_s + SETTLED_S, "and then there is masked video again"
    assert outcome.masked_share(LENGTH_S - 3) < _SHARE


@pytest.mark.parametrize("name", UNCLEAR)
def test_nobody_is_shown_and_no_cover_stays(name: str) -> None:
    view_at, over_s = UNCLEAR[name]
    outcome = film(view_at, LENGTH_S)
    assert outcome.judged > 50
    assert outcome.seen == []
    assert outcome.clear_from_s <= over_s + SETTLED_S
    assert outcome.masked_share(LENGTH_S - 3) < _SHARE


@pytest.mark.parametrize("name", SMALL)
def test_everyday_changes_cover_nothing(name: str) -> None:
    outcome = film(SMALL[name], 2 * LENGTH_S if name == "dusk" else LENGTH_S)
    assert outcome.seen == []
    assert outcome.covered_s(2.0) == 0.0
    assert outcome.masked_share(LENGTH_S - 3) < _SHARE + 0.15


def test_one_who_walks_into_an_empty_street_covers_nothing() -> None:
    outcome = film(lambda _at_s: seen(), LENGTH_S, people=1, first=60)
    assert outcome.judged > 20
    assert outcome.seen == []
    assert outcome.covered_s(2.0) == 0.0
    assert outcome.masked_share(2.0) < 0.3


def test_a_camera_that_never_stands_still_stays_covered() -> None:
    outcome = film(lambda at_s: seen(straight(dx=25 * float(np.sin(at_s)), dy=10 * float(np.cos(at_s / 2)))), LENGTH_S)
    assert outcome.covered_s(0) == LENGTH_S


@pytest.mark.long
@pytest.mark.parametrize("seed", range(3, 13))
@pytest.mark.parametrize("name", [*LARGE, *UNCLEAR])
def test_other_streets(name: str, seed: int) -> None:
    view_at, over_s = (LARGE | UNCLEAR)[name]
    outcome = film(view_at, LENGTH_S, seed_shift=seed)
    assert len(outcome.seen) <= 0.01 * outcome.judged
    assert not [number for number, _share in outcome.seen if number < (over_s + SETTLED_S) * FPS], "not because of the event"
    assert outcome.clear_from_s <= over_s + 2 * SETTLED_S + 1, "once more, where the first background was not the right one"


def test_the_judge_sees_who_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pipeline that never hears of a changed scene shows who walked while all was being learnt anew."""
    observe = film.__globals__["MotionDetector"].observe

    def deaf(*arguments: object) -> object:
        observation = observe(*arguments)
        return replace(observation, is_settled=True, is_scene_change=False)

    monkeypatch.setattr(film.__globals__["MotionDetector"], "observe", deaf)
    assert len(film(LARGE["bumped"][0], LENGTH_S).seen) > 5


# Real clips, altered.


def decoded(path: Path, last: int) -> Iterator[Frame]:
    with av.open(str(path)) as container:
        for index, shown in enumerate(container.decode(video=0)):
            if index >= last:
                return
            planes = np.ascontiguousarray(shown.reformat(width=480, height=272, format="yuv420p").to_ndarray())
            yield Frame(planes, round(shown.time * 90_000), round(shown.time * 1_000_000))


def altered(frame: Frame, view: View) -> Frame:
    """`frame` in another light or moved, its edge drawn out."""
    planes = []
    for plane, half in zip(planes_of(frame.i420), (1, 2, 2), strict=True):
        warp = view.warp - straight() + np.array([[1.0, 0, 0], [0, 1, 0]])
        warp[:, 2] /= half
        moved = cv2.warpAffine(plane, warp, (plane.shape[1], plane.shape[0]), borderMode=cv2.BORDER_REPLICATE).astype(np.float32)
        planes.append(cv2.GaussianBlur(moved, (0, 0), view.blur_px / half) if view.blur_px else moved)
    luma, chroma = planes[0], np.stack(planes[1:])
    if view.light is not None:
        luma, chroma = view.light(luma, chroma)
    i420 = np.concatenate([np.clip(part, 0, 255).astype(np.uint8).reshape(-1) for part in (luma, chroma)])
    return replace(frame, i420=i420.reshape(frame.i420.shape).copy())


def masks_of(frames: Iterator[Frame]) -> list[MaskedFrame]:
    masking = pipeline()
    return [left for frame in frames for left in masking.push(frame)] + list(masking.flush())


@pytest.mark.parametrize("view", [seen(straight(30, 12)), seen(light=infrared)])
def test_a_real_place_that_changes_is_covered_and_comes_back(shared_data: Path, view: View) -> None:
    frames, event = list(decoded(shared_data / "clips" / "intel_car-detection.mp4", 300)), 130
    out = masks_of(altered(frame, view) if index >= event else frame for index, frame in enumerate(frames))
    covered = [index for index, frame in enumerate(out) if frame.covered is CoverCause.SCENE_CHANGED]
    assert covered, "it was noticed"
    assert out[event - 1].covered is not None, "what waited goes with it"
    assert frames[covered[0]].pts_90k <= frames[event].pts_90k
    assert frames[covered[-1]].pts_90k <= frames[event].pts_90k + 5 * 90_000


def test_two_clips_spliced_are_covered_at_the_cut(shared_data: Path) -> None:
    clips = [shared_data / "clips" / name for name in ("intel_car-detection.mp4", "linzaer_shop_overhead_test1.mp4")]
    first = list(decoded(clips[0], 120))
    step_90k = first[1].pts_90k - first[0].pts_90k
    start_90k = first[-1].pts_90k + step_90k
    second = [replace(frame, pts_90k=start_90k + frame.pts_90k) for frame in decoded(clips[1], 400)]
    out = masks_of(iter([*first, *second]))
    after = out[len(first) :]
    assert out[60].covered is None
    assert after[0].covered is CoverCause.SCENE_CHANGED
    waited = [frame for frame in out[: len(first)] if frame.pts_90k > first[-1].pts_90k - 90_000 * LOOK_BACK_S]
    assert all(frame.covered is not None for frame in waited), "what waited goes with it"
    covered_s = [frame.pts_90k / 90_000 for frame in after if frame.covered is not None]
    assert covered_s[-1] < start_90k / 90_000 + 10
