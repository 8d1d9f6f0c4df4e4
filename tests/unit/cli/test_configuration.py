"""A camera given on the command line takes the place of those in the file, and is told of without its secret."""

from __future__ import annotations

import pytest

from lamppost.base.errors import ConfigError
from lamppost.cli.configuration import check_camera, one_camera
from lamppost.model.settings import Settings

CANARY = "kanarienvogel-42"


def test_a_camera_of_the_command_line_takes_the_place_of_all(recipients: tuple[str, ...]) -> None:
    configured = {"sealing": {"custodians": recipients, "threshold": 2}, "camera": [{"name": "gate", "url": "rtsp://192.0.2.1/s"}]}
    settings = one_camera(Settings.model_validate(configured), "rtsp://192.0.2.9/s")
    assert [(camera.name, camera.url) for camera in settings.camera] == [("demo", "rtsp://192.0.2.9/s")]


@pytest.mark.parametrize("url", [f"http://op:{CANARY}@h/", f"rtsp://op:{CANARY}@[h", f"op:{CANARY}@h/s", f"rtsp://op:{CANARY}@h/\udcff"])
def test_a_camera_of_the_command_line_that_cannot_be_used_is_told_without_its_secret(url: str) -> None:
    with pytest.raises(ConfigError) as caught:
        check_camera("gate", url)
    assert CANARY not in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1
