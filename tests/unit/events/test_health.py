"""A picture that is of no use is noticed, and one that is only dim, busy or noisy is not."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import cv2
import numpy as np
import pytest

from lamppost.events.health import PictureHealth
from lamppost.ingest.street import Street, StreetSettings
from lamppost.model.happening import EventChange, EventType, Phase
from lamppost.model.i420 import luma_of

Change = Callable[[np.ndarray], np.ndarray]


@pytest.fixture(scope="module")
def pictures() -> list[np.ndarray]:
    """A busy street, noise and all, one picture a second."""
    street = Street(StreetSettings(width_px=640, height_px=360, fps=1, has_noise=True))
    return [cv2.resize(luma_of(street.frame(index)), (320, 180), interpolation=cv2.INTER_AREA) for index in range(60)]


def watch(pictures: list[np.ndarray], change: Change | None = None, *, lasting_s: int = 60) -> list[EventChange]:
    """The events of three minutes, of which the second is changed for so long."""

    def filmed() -> Iterator[np.ndarray]:
        for second in range(180):
            picture = pictures[second % len(pictures)]
            yield change(picture) if change is not None and 60 <= second < 60 + lasting_s else picture

    health = PictureHealth()
    return [event for second, picture in enumerate(filmed()) for event in health.observe(second, second * 1_000_000, picture)]


def moved(picture: np.ndarray) -> np.ndarray:
    return np.roll(picture, (25, 70), (0, 1))


def something_before_it(picture: np.ndarray) -> np.ndarray:
    noise = np.random.default_rng(int(picture.sum())).integers(0, 3, picture.shape, dtype=np.uint8)
    return np.full_like(picture, 90) + noise


def without_light(picture: np.ndarray) -> np.ndarray:
    return np.full_like(picture, 17)


def out_of_focus(picture: np.ndarray) -> np.ndarray:
    return cv2.GaussianBlur(picture, (0, 0), 4)


def dimmed(picture: np.ndarray) -> np.ndarray:
    return (picture * 0.5 + 8).astype(np.uint8)


def overexposed(picture: np.ndarray) -> np.ndarray:
    return np.clip(picture * 1.5, 16, 235).astype(np.uint8)


def half_hidden(picture: np.ndarray) -> np.ndarray:
    hidden = picture.copy()
    hidden[:, 160:] = 80
    return hidden


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        (without_light, EventType.PICTURE_BLACK),
        (out_of_focus, EventType.PICTURE_BLURRED),
        (something_before_it, EventType.CAMERA_COVERED),
        (moved, EventType.CAMERA_MOVED),
    ],
)
def test_it_is_told_once_and_ends(pictures: list[np.ndarray], change: Change, kind: EventType) -> None:
    events = [event for event in watch(pictures, change) if event.wall_us < 120_000_000]
    assert [event.phase for event in events if event.type is kind][:2] == [Phase.START, Phase.END][: len(events)]
    assert events[0].type is kind
    assert events[0].wall_us == 60_000_000, "since it is so, and not since it was told"
    assert {event.event_id for event in events if event.type is kind} == {events[0].event_id}


def test_a_picture_that_stands_still_is_frozen(pictures: list[np.ndarray]) -> None:
    begin, end = watch(pictures, lambda _picture: pictures[59])
    assert begin.type is end.type is EventType.PICTURE_FROZEN
    assert begin.event_id == end.event_id
    assert 60_000_000 <= begin.wall_us <= 61_000_000
    assert 119_000_000 <= end.wall_us <= 121_000_000


def test_a_place_that_never_changed_is_not_frozen(pictures: list[np.ndarray]) -> None:
    health = PictureHealth()
    assert [event for second in range(300) for event in health.observe(second, second * 1_000_000, pictures[0])] == []


@pytest.mark.parametrize("change", [None, dimmed, overexposed, half_hidden])
def test_light_and_people_are_nothing_wrong(pictures: list[np.ndarray], change: Change | None) -> None:
    assert watch(pictures, change) == []


@pytest.mark.parametrize("change", [without_light, something_before_it, moved])
def test_a_moment_of_it_is_not_told(pictures: list[np.ndarray], change: Change) -> None:
    assert watch(pictures, change, lasting_s=3) == []


def test_what_stands_ends_when_nobody_watches_any_more(pictures: list[np.ndarray]) -> None:
    health = PictureHealth()
    for second in range(40):
        health.observe(second, second * 1_000_000, pictures[second])
    begun = [event for second in range(40, 60) for event in health.observe(second, second * 1_000_000, without_light(pictures[0]))]
    (ended,) = health.close(61_000_000)
    assert [event.phase for event in begun] == [Phase.START]
    assert (ended.event_id, ended.phase, ended.wall_us) == (begun[0].event_id, Phase.END, 61_000_000)
    assert health.close(62_000_000) == ()


def test_looks_that_come_too_soon_do_nothing(pictures: list[np.ndarray]) -> None:
    seldom, often = PictureHealth(), PictureHealth()
    for second in range(90):
        picture = pictures[second % 60] if second < 60 else without_light(pictures[0])
        now = seldom.observe(second, second * 1_000_000, picture)
        soon = [event for tenth in range(10) for event in often.observe(second + tenth / 10, second * 1_000_000, picture)]
        assert [(event.type, event.phase) for event in now] == [(event.type, event.phase) for event in soon]
