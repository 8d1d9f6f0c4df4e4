"""A lost camera is followed to who asks for its password, wherever that is kept: anybody can tell a serial number."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lamppost.base.clock import SystemClock
from lamppost.base.errors import CameraRefused
from lamppost.cameras.simulated import answering
from lamppost.cameras.simulated.camera import SimulatedCamera
from lamppost.model.devices import DeviceIdentity
from lamppost.model.layout import DataFolder
from lamppost.model.settings import CameraSettings, SealingSettings, Settings
from lamppost.pipeline.caretaker_tools import open_tools
from lamppost.pipeline.child import ChildContext
from lamppost.pipeline.control import ControlChannel
from lamppost.pipeline.device_events import EventJournal
from lamppost.store.journal import JournalWriter
from loopback import DEVICES_ON_LOOPBACK

PASSWORD = "kanarienvogel-geheim-1"
PLACES = (
    {"url": "rtsp://127.0.0.1:1/main", "username": "admin", "password": PASSWORD},
    {"url": f"rtsp://admin:{PASSWORD}@127.0.0.1:1/main"},
)

Identify = Callable[[CameraSettings, str], DeviceIdentity]


@pytest.fixture
def identify(tmp_path: Path) -> Iterator[Identify]:
    folder, clock = DataFolder(tmp_path / "data"), SystemClock()
    sealing = SealingSettings(custodians=("age1" + "q" * 58, "age1" + "p" * 58), threshold=2)
    settings = Settings(data=folder.root, sealing=sealing, devices=DEVICES_ON_LOOPBACK)
    near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    journal = JournalWriter(folder.journal / "caretaker", clock=clock)
    context = ChildContext("caretaker", settings, folder, clock, threading.Event(), ControlChannel(near))
    tools = open_tools(context, journal, EventJournal(journal.append))
    yield tools.finder().tools.identify
    tools.close()
    for part in (journal, near, far):
        part.close()


@pytest.mark.parametrize("place", PLACES, ids=["apart", "in the address"])
@pytest.mark.parametrize("is_open", [True, False], ids=["tells everybody", "signed in"])
def test_who_only_tells_the_number_is_not_followed(
    identify: Identify, monkeypatch: pytest.MonkeyPatch, place: dict[str, str], is_open: bool
) -> None:
    if is_open:
        monkeypatch.setattr(answering, "_OPEN", answering._OPEN | {"GetDeviceInformation", "GetNetworkInterfaces"})
    with SimulatedCamera("onvif", password=PASSWORD) as device:
        camera = CameraSettings.model_validate({"name": "gate", "device_url": device.base, **place})
        if is_open:
            with pytest.raises(CameraRefused, match="asks for no password"):
                identify(camera, "127.0.0.1")
        else:
            assert identify(camera, "127.0.0.1") == device.identity
