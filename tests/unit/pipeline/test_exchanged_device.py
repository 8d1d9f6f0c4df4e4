"""Nothing is switched off on a device that somebody has put in the place of the known one; an audit says who it is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from lamppost.base.clock import SystemClock
from lamppost.cameras.disarm import Order
from lamppost.cameras.simulated.camera import SimulatedCamera
from lamppost.model.layout import DataFolder
from lamppost.model.settings import CameraSettings, SealingSettings, Settings
from lamppost.pipeline.device_access import DeviceExchanged
from lamppost.pipeline.device_audits import AuditDesk, Target
from lamppost.store.device_book import DeviceBook
from lamppost.store.device_locks import DeviceLocks
from loopback import DEVICES_ON_LOOPBACK

SETTINGS = Settings(
    sealing=SealingSettings(custodians=tuple(f"age1{letter * 58}" for letter in "qp"), threshold=2), devices=DEVICES_ON_LOOPBACK
)
ORDER = Order("gate", "anna", "the council has decided so", "")


@pytest.fixture
def locks(tmp_path: Path) -> DeviceLocks:
    return DeviceLocks(DataFolder(tmp_path), SystemClock(), "a test")


@pytest.fixture
def book(tmp_path: Path) -> Iterator[DeviceBook]:
    with closing(DeviceBook(DataFolder(tmp_path))) as made:
        yield made


def target(camera: SimulatedCamera) -> Target:
    known = CameraSettings(name="gate", url="rtsp://127.0.0.1:9/x", username=camera.username, device_url=camera.base)
    return Target(known, SETTINGS, camera.password)


def test_another_device_is_audited_as_itself_and_not_disarmed(book: DeviceBook, locks: DeviceLocks) -> None:
    desk = AuditDesk(book, SystemClock(), locks)
    acts: list[str] = []
    with SimulatedCamera("onvif", number=2) as camera:
        book.remember("gate", SimulatedCamera("onvif", number=1).identity, camera.base, 1)
        audit, _ = desk.audit(target(camera))
        assert audit.identity.serial == camera.identity.serial
        with pytest.raises(DeviceExchanged):
            desk.plan(target(camera))
        with pytest.raises(DeviceExchanged):
            desk.disarm(target(camera), ORDER, first=lambda: acts.append("disarmed"))
        assert book.disarms("gate") == ()
    assert acts == []


def test_the_known_device_is_disarmed(book: DeviceBook, locks: DeviceLocks) -> None:
    desk = AuditDesk(book, SystemClock(), locks)
    with SimulatedCamera("onvif") as camera:
        book.remember("gate", camera.identity, camera.base, 1)
        assert desk.plan(target(camera)).changes
        assert desk.disarm(target(camera), ORDER).state == "done"
