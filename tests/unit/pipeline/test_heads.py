"""A camera's own head is turned and no other, and every picture that it turns is covered until the last who turns it has done."""

from __future__ import annotations

import pytest

from lamppost.base.clock import ManualClock
from lamppost.base.errors import ConfigError
from lamppost.model.devices import StreamProfile
from lamppost.model.settings import CameraSettings
from lamppost.pipeline.covering import NotCovered
from lamppost.pipeline.heads import HeadCover, head_of, turned_with


def profile(token: str, path: str, source: str, *, has_ptz: bool = False) -> StreamProfile:
    return StreamProfile(
        token, token, f"rtsp://192.0.2.7{path}", "h264", 1280, 720, 25.0, None, None, has_ptz=has_ptz, has_metadata=False, source=source
    )


def camera(name: str, path: str, **others: str) -> CameraSettings:
    return CameraSettings(name=name, url=f"rtsp://192.0.2.7:554{path}", **others)  # type: ignore[arg-type]


# A recorder with two cameras that turn, and one that does not.
CHANNELS = (
    profile("1m", "/cam?channel=1&subtype=0&proto=Onvif", "v1", has_ptz=True),
    profile("1s", "/cam?channel=1&subtype=1&proto=Onvif", "v1"),
    profile("2m", "/cam?channel=2&subtype=0&proto=Onvif", "v2", has_ptz=True),
    profile("3m", "/cam?channel=3&subtype=0&proto=Onvif", "v3"),
)
FIRST, SECOND, THIRD = (camera(name, f"/cam?channel={number}&subtype=0") for number, name in enumerate(("first", "second", "third"), 1))


@pytest.mark.parametrize(
    ("one", "token"),
    [(FIRST, "1m"), (SECOND, "2m"), (camera("sub", "/cam?subtype=1&channel=1"), "1m"), (camera("any", "/cam?channel=2"), "2m")],
)
def test_each_is_turned_by_its_own_head(one: CameraSettings, token: str) -> None:
    assert head_of(one, CHANNELS).token == token


@pytest.mark.parametrize(("one", "problem"), [(THIRD, "another picture"), (camera("other", "/live/ch4"), "several heads")])
def test_another_head_is_never_turned(one: CameraSettings, problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        head_of(one, CHANNELS)


def test_a_device_with_one_head_needs_no_known_stream() -> None:
    one = (profile("main", "/a", "", has_ptz=True), profile("sub", "/b", ""))
    assert head_of(camera("plaza", "/elsewhere"), one).token == "main"
    assert head_of(camera("plaza", "/b"), one).token == "main"
    with pytest.raises(ConfigError, match="none of its profiles has PTZ"):
        head_of(camera("plaza", "/b"), one[1:])


def test_all_that_may_be_turned_along_is_covered() -> None:
    twin = camera("twin", "/cam?channel=1&subtype=1")
    unknown = camera("unknown", "/live/ch4")
    elsewhere = CameraSettings(name="elsewhere", url="rtsp://192.0.2.8/cam?channel=1")
    street = CameraSettings(name="street", url="sim://plaza?seed=2")
    cameras = (FIRST, SECOND, THIRD, twin, unknown, elsewhere, street)
    assert turned_with(FIRST, cameras, lambda _name: CHANNELS) == ("first", "twin", "unknown")
    assert turned_with(FIRST, cameras, lambda _name: ()) == ("first", "second", "third", "twin", "unknown"), "nothing is known of them"
    assert turned_with(elsewhere, cameras, lambda _name: ()) == ("elsewhere",)
    assert turned_with(street, cameras, lambda _name: ()) == ("street",)


def test_a_picture_that_two_turn_is_covered_until_both_have_done() -> None:
    clock = ManualClock()
    covers: list[tuple[str, float]] = []
    both = HeadCover(lambda picture, for_s: covers.append((picture, round(for_s, 3))), lambda _camera: ("first", "twin"), clock)
    both.cover("first", 60.0)
    clock.advance(1.0)
    both.cover("twin", 8.0)
    both.cover("twin", 0.0)
    assert covers[-2:] == [("first", 59.0), ("twin", 59.0)]
    both.cover("first", 0.0)
    assert covers[-2:] == [("first", 0.0), ("twin", 0.0)]


def test_one_picture_that_cannot_be_covered_is_enough_for_nothing_to_move() -> None:
    def cover(picture: str, _for_s: float) -> None:
        if picture == "twin":
            raise NotCovered("its analyst is dead")

    with pytest.raises(NotCovered):
        HeadCover(cover, lambda _camera: ("first", "twin"), ManualClock()).cover("first", 5.0)
