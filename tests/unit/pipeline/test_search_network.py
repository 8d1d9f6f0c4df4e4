"""Cameras that are lost are looked for in the one search that everybody uses: the likeliest place first, and never at another camera."""

from __future__ import annotations

import socket
import threading
from functools import partial
from pathlib import Path

import pytest
from pydantic import ValidationError

from discovered import HERE, free_port
from lamppost.base.clock import SystemClock
from lamppost.cameras import discovery
from lamppost.cameras.simulated.camera import SimulatedCamera
from lamppost.model.device_settings import DeviceSettings
from lamppost.model.devices import DeviceIdentity
from lamppost.model.settings import CameraSettings, SealingSettings, Settings
from lamppost.pipeline import caretaker_tools
from lamppost.pipeline.caretaker_tools import search_network
from self_signed import Certificate


@pytest.fixture(autouse=True)
def _quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(discovery, "LISTEN_S", 0.1)
    monkeypatch.setattr(caretaker_tools, "search", partial(discovery.search, port=free_port()))


def settings(folder: Path, *hosts: str, port: int) -> Settings:
    cameras = tuple(
        CameraSettings(name=f"gate-{number}", url=f"rtsp://{host}/main", device_url=f"http://{host}:{port}")
        for number, host in enumerate(hosts)
    )
    sealing = SealingSettings(custodians=("age1" + "q" * 58, "age1" + "p" * 58), threshold=2)
    devices = DeviceSettings(networks=("127.0.0.0/8",), search=(f"{HERE}.120/29",), interfaces=("127.0.0.1",))
    return Settings(data=folder, sealing=sealing, camera=cameras, devices=devices)


def test_a_lost_camera_may_be_where_its_port_is_open_or_a_device_says_nothing_else(tmp_path: Path) -> None:
    with (
        SimulatedCamera("axis", address=f"{HERE}.122") as camera,
        SimulatedCamera("axis", address=f"{HERE}.123", port=80, number=7),
        socket.create_server((f"{HERE}.124", camera.port)),
        socket.create_server((f"{HERE}.125", camera.port)),
    ):
        there = settings(tmp_path, f"{HERE}.121", f"{HERE}.125", port=camera.port)
        found = search_network({"gate-0": camera.identity}, there, SystemClock(), threading.Event())
    places = list(found["gate-0"])
    assert places[0] == f"{HERE}.122", "it says its MAC address unasked"
    assert f"{HERE}.124" in places, "where its port is open, though nothing is said"
    assert f"{HERE}.123" not in places, "another device by its MAC address"
    assert f"{HERE}.125" not in places, "where another camera is"


def test_where_the_pinned_certificate_is_shown_the_camera_is_first(tmp_path: Path) -> None:
    certificate = Certificate(tmp_path)
    (tmp_path / "other").mkdir()
    another = Certificate(tmp_path / "other")
    with (
        SimulatedCamera("onvif", address=f"{HERE}.122", port=8443, tls=another.context, number=1),
        SimulatedCamera("onvif", address=f"{HERE}.123", port=8443, tls=another.context, number=2),
        SimulatedCamera("onvif", address=f"{HERE}.126", port=8443, tls=certificate.context, number=3) as camera,
    ):
        there = settings(tmp_path, f"{HERE}.121", port=8443)
        (known,) = there.camera
        update = {"device_url": f"https://{HERE}.121:8443", "device_certificate_sha256": certificate.sha256}
        there = there.model_copy(update={"camera": (known.model_copy(update=update),)})
        found = search_network({"gate-0": camera.identity}, there, SystemClock(), threading.Event())
    assert next(iter(found["gate-0"])) == f"{HERE}.126"


def test_a_camera_that_cannot_be_asked_stops_the_search_for_no_other(tmp_path: Path) -> None:
    with SimulatedCamera("axis", address=f"{HERE}.122") as camera:
        there = settings(tmp_path, f"{HERE}.121", port=camera.port)
        odd = there.camera[0].model_copy(update={"name": "odd", "url": "rtsp://a..b/main", "device_url": "http://0x7f.1"})
        named = odd.model_copy(update={"name": "named", "device_url": None})
        there = there.model_copy(update={"camera": (odd, named, *there.camera)})
        found = search_network({"gate-0": camera.identity, "odd": DeviceIdentity(serial="7")}, there, SystemClock(), threading.Event())
    assert list(found["gate-0"]) == [f"{HERE}.122"]


@pytest.mark.parametrize(
    ("search", "words"),
    [(("10.20.0.0/16",), "4096"), (("10.0.0.0/20", "10.1.0.0/32"), "4096"), (("192.0.2.0/24",), "networks"), (("gate",), "no network")],
)
def test_networks_that_could_not_be_searched_are_refused_at_once(search: tuple[str, ...], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        DeviceSettings(search=search)
    assert DeviceSettings(search=("10.20.0.0/24", "10.20.1.1/32", "10.20.1.2/31")).search
