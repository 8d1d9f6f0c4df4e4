"""`lamppost camera audit`, `disarm` and `rollback` against a device that answers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from audit_book import MemoryBook
from changing_device import ChangingDevice
from device_server import served
from lamppost.base.clock import ManualClock
from lamppost.cameras.dialects.replies import Variant
from lamppost.cli import audit, device_disarm
from lamppost.cli.main import app
from lamppost.model.layout import DataFolder
from lamppost.pipeline.device_audits import AuditDesk
from lamppost.store.device_locks import DeviceLocks, DeviceWork
from lamppost.store.journal import journal_files, scan_journal
from served_node import CUSTODIANS

WORD = "Order of the council of 12 November 2026"


@dataclass
class Desk:
    """A configuration with one camera, which is an armed Axis."""

    config: Path
    device: ChangingDevice
    book: MemoryBook

    def run(self, *words: str) -> Result:
        return CliRunner().invoke(app, ["camera", *words, "--config", str(self.config)])

    def acts(self) -> list[tuple[str, str]]:
        folder = DataFolder(self.config.parent / "data").journal / "commands"
        records = [record for file in journal_files(folder) for record in scan_journal(file).records]
        return [(record.kind, record.subject) for record in records if record.TYPE == "act"]


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    device, book = ChangingDevice(Variant.read("axis", "armed")), MemoryBook()
    for module in (audit, device_disarm):
        monkeypatch.setattr(module, "open_audits", lambda folder, clock, by: AuditDesk(book, clock, DeviceLocks(folder, clock, by)))
    with served(device) as url:
        config = tmp_path / "lamppost.toml"
        config.write_text(
            f'data = "data"\n[sealing]\nthreshold = 2\ncustodians = {json.dumps(CUSTODIANS)}\n[devices]\nnetworks = ["127.0.0.0/8"]\n'
            f'[[camera]]\nname = "plaza"\nurl = "rtsp://127.0.0.1/main"\ndevice_url = "{url}"\n'
            '[[camera]]\nname = "street"\nurl = "sim://plaza?seed=1"\n'
        )
        yield Desk(config, device, book)


def test_an_audit_prints_levels_and_keeps_evidence(desk: Desk, tmp_path: Path) -> None:
    result = desk.run("audit", "plaza", "--out", str(tmp_path / "out"))
    assert result.exit_code == 0, result.output
    assert "yes" in result.stdout
    assert "application facerecognition" in result.stdout
    (file,) = (tmp_path / "out").iterdir()
    told = json.loads(file.read_text())
    assert told["recognise"] == "yes"
    assert any(evidence["content_base64"] for evidence in told["evidence"])
    assert desk.acts() == [("camera_audited", "plaza")]
    assert len(desk.book.kept) == 1


def test_all_are_those_that_have_a_device_and_json_is_for_scripts(desk: Desk) -> None:
    told = json.loads(desk.run("audit", "--all", "--json").stdout)
    assert [(one["camera"], one["recognise"], one["is_armed"]) for one in told["audits"]] == [("plaza", "yes", "yes")]
    assert told["problems"] == []


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ((), "say which cameras"),
        (("plaza", "--all"), "say which cameras"),
        (("nowhere",), "there is no camera 'nowhere'"),
    ],
)
def test_a_wrong_wish_is_one_line(desk: Desk, words: tuple[str, ...], line: str) -> None:
    result = desk.run("audit", *words)
    assert result.exit_code == 2
    assert line in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    assert desk.acts() == []


def test_a_camera_that_answers_nothing_ends_in_a_failure(desk: Desk) -> None:
    desk.device.lasts = -1
    desk.device.replies = {}
    result = desk.run("audit", "plaza")
    assert result.exit_code == 1
    assert "unknown" in result.stdout


def test_a_camera_without_a_device_is_a_failure_and_no_traceback(desk: Desk) -> None:
    result = desk.run("audit", "street")
    assert result.exit_code == 1
    assert "street: camera street has no device" in result.stdout


def test_a_disarm_needs_an_order_and_can_be_tried_dry(desk: Desk) -> None:
    dry = desk.run("disarm", "plaza", "--dry-run")
    assert dry.exit_code == 0
    assert "Running would become Stopped" in dry.stdout
    assert desk.device.changes == []
    refused = desk.run("disarm", "plaza")
    assert refused.exit_code == 2
    assert "authorisation" in refused.stderr
    assert desk.acts() == []
    done = desk.run("disarm", "plaza", "--authorisation", WORD, "--reference", "2026/17", "--json")
    assert done.exit_code == 1, "it does not answer in ONVIF, so that it is not known whether all of it is off"
    told = json.loads(done.stdout)
    assert told["state"] == "unconfirmed"
    assert any("does not say" in problem for problem in told["problems"])
    assert desk.acts() == [("camera_disarmed", "plaza")]
    rolled = desk.run("rollback", told["id"], "--authorisation", WORD)
    assert rolled.exit_code == 0, rolled.output
    assert "Nothing was put back." in rolled.stdout
    assert "rolled_back" not in rolled.stdout
    assert desk.acts()[-1] == ("camera_rolled_back", "plaza")
    assert 'Name="facerecognition"' in desk.device.text("GET /axis-cgi/applications/list.cgi")
    assert "start facerecognition" not in desk.device.changes


def test_a_disarm_that_is_not_taken_is_a_failure(desk: Desk) -> None:
    desk.device.ignores = "facerecognition"
    result = desk.run("disarm", "plaza", "--authorisation", WORD)
    assert result.exit_code == 1
    assert "NOT DONE" in result.stdout
    assert "partial" in result.stdout


def test_a_camera_that_does_not_answer_is_neither_disarmed_nor_rolled_back(desk: Desk) -> None:
    told = json.loads(desk.run("disarm", "plaza", "--authorisation", WORD, "--json").stdout)
    desk.device.replies = {}
    acts = desk.acts()
    orders = (
        ("disarm", "plaza", "--authorisation", WORD),
        ("disarm", "plaza", "--dry-run"),
        ("rollback", told["id"], "--authorisation", WORD),
    )
    for words in orders:
        result = desk.run(*words)
        assert result.exit_code != 0
        assert "does not say who it is" in result.stderr
        assert len(result.stderr.strip().splitlines()) == 1
    assert desk.acts() == acts


def test_a_rollback_of_nothing_is_one_line(desk: Desk) -> None:
    result = desk.run("rollback", "20261128T000000Z-00000000", "--authorisation", WORD)
    assert result.exit_code == 2
    assert "there is no disarm" in result.stderr


def test_a_device_that_somebody_works_on_is_told_of_in_one_line(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, clock = DataFolder(desk.config.parent / "data"), ManualClock()
    monkeypatch.setattr(audit, "SystemClock", lambda: clock)
    with DeviceLocks(folder, clock, "the caretaker").hold("plaza", DeviceWork.AUDIT):
        result = desk.run("audit", "plaza")
    assert result.exit_code == 1
    told = "plaza: the device of plaza is being audited by the caretaker since 2023-11-14T22:13:20.000Z — try again when that is over"
    assert told in " ".join(result.output.split())
