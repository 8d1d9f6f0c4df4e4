"""Nothing is switched off on a device that somebody has put in the place of the known one; an audit says who it is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from changing_device import ChangingDevice
from device_server import served
from lamppost.base.clock import SystemClock
from lamppost.cameras.dialects.replies import Variant
from lamppost.cameras.disarm import Order
from lamppost.cameras.simulated.camera import SimulatedCamera
from lamppost.cameras.web import Reply
from lamppost.model.devices import DeviceIdentity
from lamppost.model.layout import DataFolder
from lamppost.model.settings import CameraSettings, SealingSettings, Settings
from lamppost.pipeline.device_access import DeviceExchanged, DeviceNotTold
from lamppost.pipeline.device_audits import AuditDesk, Target
from lamppost.store.device_book import DeviceBook
from lamppost.store.device_locks import DeviceLocks
from loopback import DEVICES_ON_LOOPBACK
from onvif_devices import fault

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
        assert desk.disarm(target(camera), ORDER).state == "unconfirmed", "nobody but ONVIF was asked"


@pytest.fixture
def played() -> Iterator[tuple[ChangingDevice, Target]]:
    """A device that speaks its maker's dialect and no ONVIF."""
    device = ChangingDevice(Variant.read("dahua", "armed"))
    with served(device) as url:
        yield device, Target(CameraSettings(name="gate", url="rtsp://127.0.0.1:9/x", device_url=url), SETTINGS, None)


def test_a_stranger_without_onvif_is_told_by_its_makers_dialect(
    book: DeviceBook, locks: DeviceLocks, played: tuple[ChangingDevice, Target]
) -> None:
    device, gate = played
    desk, acts = AuditDesk(book, SystemClock(), locks), list[str]()
    book.remember("gate", DeviceIdentity("Dahua", serial="8A0C3E7PAG00001"), "http://127.0.0.1", 1)
    done = desk.disarm(gate, ORDER)
    assert all(step.is_done for step in done.steps)
    book.remember("gate", DeviceIdentity("Dahua", serial="ANOTHER"), "http://127.0.0.1", 2)
    changes = list(device.changes)
    for order in (
        lambda: desk.plan(gate),
        lambda: desk.disarm(gate, ORDER, first=lambda: acts.append("disarmed")),
        lambda: desk.roll_back(gate, done.disarm_id, "anna", ORDER.authorisation, first=lambda: acts.append("rolled back")),
    ):
        with pytest.raises(DeviceExchanged):
            order()
    assert (device.changes, acts) == (changes, [])


def test_who_says_nothing_of_himself_is_changed_nothing_on(
    book: DeviceBook, locks: DeviceLocks, played: tuple[ChangingDevice, Target]
) -> None:
    device, gate = played
    desk = AuditDesk(book, SystemClock(), locks)
    system = "GET /cgi-bin/magicBox.cgi?action=getSystemInfo"
    for told in ("deviceType=IPC\r\n", "Error\r\n"):  # no serial number, and nothing at all
        device.replace(system, told)
        book.remember("gate", DeviceIdentity("Dahua", serial="8A0C3E7PAG00001"), "http://127.0.0.1", 1)
        with pytest.raises(DeviceNotTold):
            desk.disarm(gate, ORDER)
    assert device.changes == []
    assert book.disarms("gate") == ()


def test_a_password_that_is_refused_is_offered_once_in_a_whole_audit(book: DeviceBook, locks: DeviceLocks) -> None:
    offered: list[bytes] = []

    class Refusing:
        def ask(self, method: str, path: str, content: bytes) -> Reply:
            del method, path
            offered.extend([content] if b"UsernameToken" in content else [])
            return fault("NotAuthorized")

    refusing: Any = Refusing()
    with served(refusing) as url:
        camera = CameraSettings(name="gate", url="rtsp://127.0.0.1:9/x", username="admin", device_url=url)
        desk = AuditDesk(book, SystemClock(), locks)
        desk.audit(Target(camera, SETTINGS, "wrong"))
        assert len(offered) == 1
        with pytest.raises(DeviceNotTold):
            desk.disarm(Target(camera, SETTINGS, "wrong"), ORDER)
        assert len(offered) == 2
