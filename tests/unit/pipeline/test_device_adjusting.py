"""A device is set by a person: the time server, the picture, an output; on the record first, and not at all where it cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest

from lamppost.base.clock import ManualClock, SystemClock
from lamppost.base.errors import CameraError, ConfigError, DeviceBusy
from lamppost.cameras.simulated.camera import SimulatedCamera
from lamppost.model.layout import DataFolder
from lamppost.model.settings import CameraSettings, SealingSettings, Settings
from lamppost.pipeline.device_adjusting import Adjustment, adjust
from lamppost.store.device_locks import DeviceLocks, DeviceWork
from loopback import DEVICES_ON_LOOPBACK

RECIPIENTS = tuple(f"age1{letter * 58}" for letter in "qp")
SETTINGS = Settings(sealing=SealingSettings(custodians=RECIPIENTS, threshold=2), devices=DEVICES_ON_LOOPBACK)


@pytest.fixture
def locks(tmp_path: Path) -> DeviceLocks:
    return DeviceLocks(DataFolder(tmp_path), ManualClock(), "a test")


def known(camera: SimulatedCamera) -> CameraSettings:
    return CameraSettings(name="gate", url="rtsp://127.0.0.1:9/x", username=camera.username, device_url=camera.base)


def test_what_is_set_is_set_and_on_the_record_before(locks: DeviceLocks) -> None:
    wanted = Adjustment.of("time.example.org", ["brightness=33", "infrared_filter=ON"], ["RelayOutput_1=on"])
    with SimulatedCamera("onvif") as camera:
        acts: list[str] = []

        def first() -> None:
            acts.append(camera.state.ntp)

        done = adjust(known(camera), SETTINGS, SystemClock(), camera.password, wanted, locks=locks, first=first)
        assert acts == ["pool.ntp.org"], "on the record before anything is set"
        assert done == (
            "it asks time.example.org for the time",
            "brightness is 33",
            "infrared_filter is ON",
            "output RelayOutput_1 is on",
        )
        assert camera.state.ntp == "time.example.org"


def test_a_device_that_refuses_is_not_set_and_nothing_is_on_the_record(locks: DeviceLocks) -> None:
    acts: list[str] = []
    wanted = Adjustment("time.example.org")
    with SimulatedCamera("onvif", fault="refuse") as camera, pytest.raises(CameraError):
        adjust(known(camera), SETTINGS, SystemClock(), "wrong", wanted, locks=locks, first=lambda: acts.append("act"))
    assert acts == []


def test_a_device_that_somebody_works_on_is_not_set(locks: DeviceLocks) -> None:
    acts: list[str] = []
    with SimulatedCamera("onvif") as camera, locks.hold("gate", DeviceWork.AUDIT):
        with pytest.raises(DeviceBusy, match="is being audited by a test since"):
            adjust(
                known(camera), SETTINGS, SystemClock(), camera.password, Adjustment("a.example"), locks=locks, first=lambda: acts.append("")
            )
        assert (acts, camera.requests) == ([], ())


@pytest.mark.parametrize(
    ("time_server", "picture", "outputs"),
    [
        (None, [], []),
        ("no host", [], []),
        ("2130706433", [], []),
        (None, ["brightness"], []),
        (None, ["=1"], []),
        (None, [], ["RelayOutput_1=yes"]),
        (None, ["a\nb=1"], []),
    ],
)
def test_what_cannot_be_set_is_said_in_one_line(time_server: str | None, picture: list[str], outputs: list[str]) -> None:
    with pytest.raises(ConfigError) as caught:
        Adjustment.of(time_server, picture, outputs)
    assert "\n" not in str(caught.value)
