"""`lamppost camera password` and `device` with a device that answers: over http a new password is sent only on purpose."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import Result

from lamppost.cameras.simulated.camera import SimulatedCamera
from lamppost.model.layout import DataFolder
from lamppost.store.journal import journal_files, scan_journal
from served_node import CUSTODIANS

OLD, NEW = "123456789", "zaunkoenig-geheim-2"


@pytest.fixture
def device() -> Iterator[SimulatedCamera]:
    with SimulatedCamera("onvif", password=OLD) as made:
        yield made


@pytest.fixture
def config(here: Path, device: SimulatedCamera) -> Path:
    written = here / "lamppost.toml"
    written.write_text(
        f'data = "data"\n[sealing]\nthreshold = 2\ncustodians = {json.dumps(CUSTODIANS)}\n[devices]\nnetworks = ["127.0.0.0/8"]\n'
        f'[[camera]]\nname = "gate"\nurl = "rtsp://admin:{OLD}@127.0.0.1:1/main"\ndevice_url = "{device.base}"\n'
    )
    (here / "data").mkdir()
    return written


def acts(config: Path) -> list[tuple[str, dict[str, object]]]:
    folder = DataFolder(config.parent / "data").journal / "commands"
    records = [record for file in journal_files(folder) for record in scan_journal(file).records]
    return [(record.kind, json.loads(record.detail)) for record in records if record.TYPE == "act"]


def test_over_http_it_is_changed_only_where_it_may_be_read(lamppost: Callable[..., Result], config: Path, device: SimulatedCamera) -> None:
    words = ("camera", "password", "gate", "--rotate", "--password-stdin", "--config", config)
    refused = lamppost(*words, stdin=f"{NEW}\n")
    assert refused.exit_code == 2
    assert "--in-clear" in refused.stderr
    assert NEW not in refused.output
    assert (device.requests, device.state.users["admin"], acts(config)) == ((), OLD, [])
    assert lamppost("camera", "password", "gate", "--settle", "--in-clear", "--config", config).exit_code == 2, "nothing is sent then"
    changed = lamppost(*words, "--in-clear", stdin=f"{NEW}\n")
    assert changed.exit_code == 0, changed.output
    assert device.state.users["admin"] == NEW
    assert acts(config)[0] == ("camera_password_rotated", {"user": "admin", "in_clear": True})


def test_a_factory_password_in_the_address_is_warned_of(lamppost: Callable[..., Result], config: Path) -> None:
    told = json.loads(lamppost("camera", "device", "gate", "--json", "--config", config).stdout)
    assert [warning["kind"] for warning in told["warnings"]] == ["factory_password", "no_tls", "metadata_stream"]
    assert OLD not in json.dumps(told)
