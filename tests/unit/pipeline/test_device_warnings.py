"""What somebody should put right is told from what is known, and where all is well nothing is."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from lamppost.cameras.factory_passwords import is_factory_password
from lamppost.model.devices import StreamProfile
from lamppost.model.settings import CameraSettings
from lamppost.pipeline.device_warnings import StreamFigures, profile_of, stream_figures, warnings_of

CAMERA = CameraSettings(name="gate", url="rtsp://192.0.2.7/main?x=1", username="admin", device_url="https://192.0.2.7")
MAIN = StreamProfile("t1", "main", "rtsp://192.0.2.7:554/main?x=1", "h264", 1280, 720, 25.0, 4096.0, 2.0, has_ptz=False, has_metadata=False)
SUB = replace(MAIN, token="t2", name="sub", stream_url="rtsp://192.0.2.7/sub", fps=10.0)
WELL = StreamFigures(24.8, 25.0, 3900.0, 4096.0, 100_000, 10, 2.0)


def kinds(**changes: Any) -> list[str]:
    given: dict[str, Any] = {
        "camera": CAMERA,
        "vendor": "HIKVISION",
        "password": "kept-7-lanterns",
        "profiles": (MAIN, SUB),
        "health": {"clock_offset_s": 0.4},
        "stream": WELL,
    }
    given |= changes
    camera = given.pop("camera")
    return [each.kind for each in warnings_of(camera, **given)]


def test_where_all_is_well_nothing_is_told() -> None:
    assert kinds() == []


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"password": "12345"}, "factory_password"),
        ({"camera": CAMERA.model_copy(update={"device_url": None})}, "no_tls"),
        ({"health": {"clock_offset_s": -6.0}}, "clock_off"),
        ({"profiles": (replace(MAIN, has_metadata=True),)}, "metadata_stream"),
        ({"stream": replace(WELL, fps=15.0)}, "low_frame_rate"),
        ({"stream": replace(WELL, kbit_per_s=300.0)}, "low_bit_rate"),
        ({"stream": replace(WELL, keyframe_interval_s=8.0)}, "keyframes_far_apart"),
        ({"stream": replace(WELL, lost_packets=2000)}, "packets_lost"),
    ],
)
def test_what_is_wrong_is_told(changes: dict[str, Any], kind: str) -> None:
    assert kinds(**changes) == [kind]


def test_what_is_not_known_is_not_wrong() -> None:
    unknown = StreamFigures(None, None, None, None, 0, 0, None)
    assert kinds(password=None, health={}, stream=unknown, profiles=()) == []
    assert kinds(health={"clock_offset_s": None}, stream=None) == []
    assert kinds(camera=CameraSettings(name="gate", url="sim://plaza")) == []


@pytest.mark.parametrize(
    ("vendor", "username", "password", "is_one"),
    [
        ("HIKVISION", "admin", "12345", True),
        ("Axis Communications AB", "root", "pass", True),
        ("", "admin", "admin", True),
        ("", "operator", "OPERATOR", True),
        ("", "admin", "", True),
        ("", "admin", "123456789", True),
        ("", "admin", "1234", True),
        ("", "admin", "12", False),
        ("", "", "", False),
        ("Hanwha", "admin", "kept-7-lanterns", False),
    ],
)
def test_factory_passwords_are_known(vendor: str, username: str, password: str, is_one: bool) -> None:
    assert is_factory_password(vendor, username, password) is is_one


def test_the_profile_is_the_one_that_is_recorded() -> None:
    assert profile_of(CAMERA, (SUB, MAIN)) == MAIN
    assert profile_of(CAMERA.model_copy(update={"url": "rtsp://192.0.2.7/other"}), (SUB, MAIN)) == SUB
    assert profile_of(CAMERA, ()) is None


def test_a_camera_that_is_not_recorded_has_no_figures() -> None:
    assert stream_figures({"state": "retrying", "measured_fps": 3.0}, MAIN) is None
    found = stream_figures({"state": "recording", "fps": 12.0}, None)
    assert found == StreamFigures(None, 12.0, None, None, 0, 0, None)
