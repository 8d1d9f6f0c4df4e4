"""The firmware of a camera is what its device said last, whoever asked: the caretaker, or an audit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from lamppost.model.devices import DeviceIdentity
from lamppost.model.layout import DataFolder
from lamppost.model.settings import CameraSettings, SealingSettings, Settings
from lamppost.pipeline.firmware import CameraFirmware, inventory, list_in_force
from lamppost.store.device_book import DeviceBook
from scripted_device import IDENTITY, an_audit

DAHUA = replace(IDENTITY, vendor="Dahua", model="IPC-HFW", firmware="2.800.0000000.16.R, build 2019-12-05")


@pytest.fixture
def book(tmp_path: Path) -> DeviceBook:
    return DeviceBook(DataFolder(tmp_path))


def listed(book: DeviceBook) -> CameraFirmware:
    sealing = SealingSettings(custodians=("age1" + "q" * 58, "age1" + "p" * 58), threshold=2)
    settings = Settings(sealing=sealing, camera=(CameraSettings(name="gate", url="rtsp://192.0.2.7/main"),))
    (camera,) = inventory(settings, book, list_in_force(book).known, ["gate"])
    return camera


def test_what_an_audit_was_told_counts_before_anybody_else_has_asked(book: DeviceBook) -> None:
    book.add_audit(an_audit("gate", DAHUA, 5))
    camera = listed(book)
    assert (camera.vendor, camera.model, camera.firmware, camera.seen_us) == ("Dahua", "IPC-HFW", DAHUA.firmware, 5)
    assert {each.advisory.id for each in camera.advisories} == {"CVE-2021-33044", "CVE-2021-33045"}


def test_an_audit_that_was_told_nothing_hides_nothing(book: DeviceBook) -> None:
    book.add_audit(an_audit("gate", DAHUA, 5))
    book.add_audit(an_audit("gate", DeviceIdentity(), 6))
    assert (listed(book).firmware, listed(book).seen_us) == (DAHUA.firmware, 5)


def test_the_newer_word_counts(book: DeviceBook) -> None:
    book.add_audit(an_audit("gate", replace(DAHUA, firmware="1"), 5))
    book.remember("gate", replace(DAHUA, firmware="2"), "http://192.0.2.7", 6)
    assert (listed(book).firmware, listed(book).seen_us) == ("2", 6)
    book.add_audit(an_audit("gate", replace(DAHUA, firmware="3"), 7))
    assert (listed(book).firmware, listed(book).seen_us) == ("3", 7)


def test_another_device_in_its_place_says_nothing_of_it(book: DeviceBook) -> None:
    book.remember("gate", DAHUA, "http://192.0.2.7", 5)
    book.add_audit(an_audit("gate", replace(DAHUA, serial="SN-9", firmware="9"), 6))
    assert (listed(book).firmware, listed(book).seen_us) == (DAHUA.firmware, 5)
