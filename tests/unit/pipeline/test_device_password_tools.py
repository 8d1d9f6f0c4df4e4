"""What a device may have taken already is noted, forgotten by nobody, and found again by the caretaker."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lamppost.api.camera_passwords import sweep_passwords
from lamppost.base.clock import ManualClock, SystemClock
from lamppost.base.errors import CameraError, CameraRefused
from lamppost.cameras.simulated import answering
from lamppost.cameras.simulated.camera import SimulatedCamera
from lamppost.cameras.simulated.markup import Markup
from lamppost.cameras.simulated.soap import invalid
from lamppost.model.layout import DataFolder
from lamppost.model.settings import CameraSettings
from lamppost.pipeline.config_file import ConfigFile
from lamppost.pipeline.credentials import CredentialKeeper
from lamppost.pipeline.device_password_tools import MOST_PENDING, NodePasswords, pending_credentials, pending_of
from lamppost.pipeline.device_passwords import rotate, settle

OLD, NEW = "kanarienvogel-1", "zaunkoenig-2"


class PowerCut(BaseException):
    """Ends everything where it is raised."""


class Site:
    """A configuration with one camera, and its device."""

    def __init__(self, root: Path, device: SimulatedCamera) -> None:
        self.device = device
        self.folder = DataFolder(root / "data")
        self.config = root / "lamppost.toml"
        self.config.write_text(
            f'data = "data"\n[sealing]\ncustodians = ["age1{"q" * 58}", "age1{"p" * 58}"]\nthreshold = 2\n'
            f'[devices]\nnetworks = ["127.0.0.0/8"]\n[[camera]]\nname = "gate"\nurl = "rtsp://127.0.0.1:1/main"\n'
            f'username = "admin"\npassword = "{OLD}"\ndevice_url = "{device.base}"\n'
        )
        self.acts: list[str] = []
        self.keeper = CredentialKeeper(self.folder, ManualClock())

    def camera(self) -> CameraSettings:
        found = ConfigFile(self.config).camera("gate")
        assert found is not None
        return found

    def tools(self) -> NodePasswords:
        settings = ConfigFile(self.config).before
        acts = self.acts
        return NodePasswords(
            self.folder, self.config, settings, SystemClock(), self.keeper, lambda name, _detail: acts.append(name), by="a test"
        )


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with SimulatedCamera("onvif", password=OLD) as device:
        made = Site(tmp_path, device)
        yield made
        made.keeper.close()


def test_cut_off_after_the_device_took_it_it_is_found_after_a_sweep(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def cut(*_: object) -> None:
        raise PowerCut

    monkeypatch.setattr(NodePasswords, "check_stream", cut)
    with pytest.raises(PowerCut):
        rotate(site.camera(), NEW, site.tools(), in_clear=True)
    monkeypatch.undo()
    assert site.device.state.users["admin"] == NEW
    assert site.camera().resolved_password() == OLD
    (number,) = pending_credentials(site.folder)
    assert sweep_passwords(site.folder, site.config, SystemClock().wall_us()) == 0, "a server that starts forgets it not"
    assert settle(site.camera(), site.tools())
    assert site.camera().credential == number
    assert site.keeper.password_of(site.camera()) == NEW
    assert pending_credentials(site.folder) == frozenset()
    assert not settle(site.camera(), site.tools()), "there is nothing left to do"


def test_what_was_never_set_goes_with_the_next_change(site: Site) -> None:
    tools = site.tools()
    stale = tools.keep("gate", "never-set-3")
    assert tools.pending(site.camera()) == (stale,)
    rotate(site.camera(), NEW, tools, in_clear=True)
    assert [each.credential_id for each in site.keeper.kept()] == [site.camera().credential]
    assert pending_of(site.folder, "gate") == ()
    assert sweep_passwords(site.folder, site.config, SystemClock().wall_us()) == 0


def test_notes_are_bounded_and_one_that_cannot_be_read_is_none(site: Site) -> None:
    tools = site.tools()
    for number in range(MOST_PENDING + 3):
        tools.keep("gate", f"one-of-many-{number}")
    assert len(pending_of(site.folder, "gate")) == MOST_PENDING
    (site.folder.devices.parent / "pending" / "gate").write_bytes(b"\xff../../etc/passwd")
    assert pending_of(site.folder, "gate") == ()


@pytest.fixture
def tells_everybody(monkeypatch: pytest.MonkeyPatch) -> None:
    """The device says who it is without a password, as many do."""
    monkeypatch.setattr(answering, "_OPEN", answering._OPEN | {"GetDeviceInformation", "GetNetworkInterfaces"})


@pytest.mark.usefixtures("tells_everybody")
def test_one_that_tells_everybody_who_it_is_and_does_not_take_the_new_one_keeps_the_old_one(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_call: object) -> Markup:
        raise invalid("ter:PasswordTooWeak", "against its policy")

    monkeypatch.setitem(answering._OPERATIONS["tds"], "SetUser", refuse)
    with pytest.raises(CameraError, match="policy"):
        rotate(site.camera(), NEW, site.tools(), in_clear=True)
    assert site.device.state.users["admin"] == OLD
    assert site.camera().resolved_password() == OLD, "the configuration names the one that works"
    assert site.keeper.kept() == ()
    assert pending_credentials(site.folder) == frozenset()


@pytest.mark.usefixtures("tells_everybody")
def test_one_that_tells_everybody_who_it_is_proves_the_new_one_by_what_it_tells_few(site: Site) -> None:
    rotate(site.camera(), NEW, site.tools(), in_clear=True)
    assert site.keeper.password_of(site.camera()) == site.device.state.users["admin"] == NEW


@pytest.mark.usefixtures("tells_everybody")
def test_one_that_tells_everybody_who_it_is_settles_nothing_by_that(site: Site) -> None:
    tools = site.tools()
    tools.keep("gate", "never-set-3")
    assert not settle(site.camera(), tools)
    assert site.camera().resolved_password() == OLD


def test_one_that_asks_nobody_for_a_password_is_given_none(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answering, "_OPEN", answering._OPEN | {"GetDeviceInformation", "GetNetworkInterfaces", "GetUsers", "SetUser"})
    with pytest.raises(CameraRefused, match="asks for no password"):
        rotate(site.camera(), NEW, site.tools(), in_clear=True)
    assert site.device.state.users["admin"] == OLD
    assert (site.acts, site.keeper.kept()) == ([], ())
