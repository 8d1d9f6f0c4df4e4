"""A device is asked once before it becomes a camera: a wrong password is offered once, a certificate is shown before it is trusted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from device_server import served
from discovered import offers_of
from lamppost.base.clock import SystemClock
from lamppost.cameras.simulated.camera import SimulatedCamera
from lamppost.cameras.web import DeviceAddress, Reply
from lamppost.model.networks import CameraNetworks
from lamppost.pipeline.device_looking import Looked, look_at
from onvif_devices import BareServer, envelope, fault, reply
from self_signed import Certificate

HERE = CameraNetworks(("127.0.0.0/8",))
PASSWORD = "kanarienvogel-geheim-1"


def look(url: str, networks: CameraNetworks = HERE, **given: Any) -> Looked:
    return look_at(DeviceAddress.of(url), networks, SystemClock(), **{"username": "admin", "password": PASSWORD, **given})


@pytest.mark.parametrize("vendor", ["onvif", "onvif-s", "dahua", "hikvision", "axis"])
def test_a_device_of_any_maker_says_who_it_is_and_what_it_sends(vendor: str) -> None:
    with SimulatedCamera(vendor, password=PASSWORD) as camera:
        looked = look(camera.base)
    assert looked.problem == ""
    assert looked.identity == camera.identity
    assert [(profile.width_px, profile.codec) for profile in looked.profiles] == [(1280, "h264"), (640, "h264")]
    assert all(PASSWORD not in profile.stream_url and "127.0.0.1" in profile.stream_url for profile in looked.profiles)
    assert looked.clock_offset_s == pytest.approx(0, abs=2)
    assert looked.certificate_sha256 is None


@pytest.mark.parametrize("vendor", ["onvif", "onvif-s", "dahua", "hikvision", "axis"])
def test_a_wrong_password_is_offered_once_and_told_once(vendor: str, monkeypatch: pytest.MonkeyPatch) -> None:
    offered = offers_of(monkeypatch)
    with SimulatedCamera(vendor, password="another-one-1") as camera:
        looked = look(camera.base)
    assert looked.identity is None
    assert looked.problem
    assert looked.remedy
    assert PASSWORD not in f"{looked}"
    # In one request, whichever way it is signed.
    assert [asked.status for asked in camera.requests] == [401, 401]
    assert 1 <= len(offered) <= 2


def test_without_a_password_none_is_offered_and_the_problem_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    offered = offers_of(monkeypatch)
    with SimulatedCamera("dahua", password=PASSWORD) as camera:
        looked = look(camera.base, username="", password="")
        assert camera.requests
    assert offered == []
    assert looked.problem
    assert looked.remedy


def test_a_certificate_that_nobody_vouches_for_is_shown_and_can_be_pinned(tmp_path: Path) -> None:
    certificate = Certificate(tmp_path)
    with SimulatedCamera("onvif", password=PASSWORD, tls=certificate.context) as camera:
        looked = look(camera.base)
        assert looked.certificate_sha256 == certificate.sha256
        assert "vouched" in looked.problem
        assert camera.requests == (), "no password goes to who is not known"
        pinned = look(camera.base, certificate_sha256=certificate.sha256.upper())
        assert (pinned.problem, pinned.identity) == ("", camera.identity)
        assert not any("encryption" in warning for warning in pinned.warnings)
        before = len(camera.requests)
        other = look(camera.base, certificate_sha256="0" * 64)
        assert "another certificate" in other.problem
        assert other.certificate_sha256 == certificate.sha256
        assert len(camera.requests) == before


@pytest.mark.parametrize(
    "who",
    [reply(envelope("<tds:GetDeviceInformationResponse/>")), fault("ActionNotSupported", 500), reply(b"", 400)],
    ids=["empty", "fault", "400"],
)
def test_a_server_that_does_not_say_who_it_is_tells_its_streams(who: Reply) -> None:
    with served(BareServer(who)) as url:
        looked = look(url)
    assert (looked.problem, looked.identity) == ("", None)
    assert [profile.token for profile in looked.profiles] == ["gate"]
    assert any("who it is" in warning for warning in looked.warnings)


def test_a_server_that_says_nothing_at_all_is_told_by_its_first_answer() -> None:
    class Silent(BareServer):
        def ask(self, method: str, path: str, content: bytes) -> Reply:
            return reply(b"no such page", 404, "text/plain")

    with served(Silent(reply(b""))) as url:
        looked = look(url)
    assert "GetDeviceInformation" in looked.problem
    assert looked.profiles == ()


def test_what_should_be_put_right_is_said() -> None:
    with SimulatedCamera("onvif", password=PASSWORD) as camera:
        camera.state.clock_offset_s = -90.0
        warnings = look(camera.base).warnings
    assert any("encryption" in warning for warning in warnings)
    assert any("90 s behind" in warning or "89 s behind" in warning or "91 s behind" in warning for warning in warnings)


def test_nothing_outside_the_networks_is_asked_and_nobody_there_is_said() -> None:
    with SimulatedCamera("onvif", password=PASSWORD) as camera:
        looked = look(camera.base, CameraNetworks())
        assert "this machine itself" in looked.problem
        assert looked.remedy
        assert camera.requests == ()
        gone = camera.base
    assert look(gone).problem
