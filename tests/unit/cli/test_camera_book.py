"""`lamppost camera origin` and `firmware`: what is known of cameras is told, put down, and compared with a list from a file."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from lamppost.model.devices import DeviceIdentity
from lamppost.model.layout import DataFolder
from lamppost.store.device_book import DeviceBook

Lamppost = Callable[..., Result]


@pytest.fixture
def folder(lamppost: Lamppost, here: Path) -> DataFolder:
    lamppost("init", "--camera", "gate=sim://plaza?seed=1")
    return DataFolder(here / "lamppost-data")


def test_an_origin_is_put_down_bit_by_bit(lamppost: Lamppost, folder: DataFolder) -> None:
    assert "vendor: -" in lamppost("camera", "origin", "gate").output
    put = lamppost("camera", "origin", "gate", "--set", "vendor=Dahua", "--set", "cost=99.5", "--set", "currency=eur")
    assert put.exit_code == 0, put.output
    with DeviceBook(folder) as book:
        book.remember("gate", DeviceIdentity("Dahua Technology", "IPC", "2.8"), "http://10.0.0.1", 1)
    lamppost("camera", "origin", "gate", "--set", "cost=", "--set", "purpose=traffic = flow")
    told = json.loads(lamppost("camera", "origin", "gate", "--json").output)
    assert (told["vendor"], told["cost"], told["currency"], told["purpose"]) == ("Dahua", None, "EUR", "traffic = flow")
    assert told["device"] == {"vendor": "Dahua Technology", "model": "IPC", "firmware": "2.8"}
    assert "vendor: Dahua; the device says Dahua Technology" in lamppost("camera", "origin", "gate").output
    acts = b"".join(path.read_bytes() for path in folder.journal.rglob("*.jsonl"))
    assert acts.count(b"camera_origin_changed") == 2


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("origin", "park"), "has no camera 'park'"),
        (("origin", "gate", "--set", "vendor"), "it is no KEY=VALUE"),
        (("origin", "gate", "--set", "colour=red"), "no part of an origin"),
        (("origin", "gate", "--set", "installed=soon"), "installed is no date"),
        (("origin", "gate", "--set", "cost=-1"), "less than nothing"),
        (("origin", "gate", "--set", "cost=12"), "currency is missing"),
        (("origin", "gate", "--set", "cost=abc", "--set", "installed=soon"), "cost is no number"),
        (("origin", "gate", "--set", "cost=abc", "--set", "installed=soon"), "installed is no date"),
        (("origin", "gate", "--set", "cost=abc", "--set", "note=a\x01b"), "note holds characters"),
        (("firmware", "--json", "--csv"), "both given"),
        (("firmware", "--update", "gone.json"), "gone.json cannot be read"),
        (("firmware", "--update", "lamppost.toml"), "no JSON"),
        (("firmware", "--update", "."), "cannot be read"),
    ],
)
def test_what_is_wrong_is_told_in_one_line(lamppost: Lamppost, folder: DataFolder, arguments: tuple[str, ...], words: str) -> None:
    result = lamppost("camera", *arguments)
    assert result.exit_code == 2, result.output
    assert words in result.output
    assert "Traceback" not in result.output
    with DeviceBook(folder) as book:
        assert book.origins() == {}


def test_firmware_is_listed_and_compared_with_another_list(lamppost: Lamppost, folder: DataFolder, here: Path) -> None:
    with DeviceBook(folder) as book:
        book.remember("gate", DeviceIdentity("Axis", '=cmd|"/c calc"', "9.80.1"), "http://10.0.0.1", 1_700_000_000_000_000)
    told = json.loads(lamppost("camera", "firmware", "--json").output)
    assert {each["state"] for each in told["items"][0]["advisories"]} == {"unknown"}
    advisory = {"id": "CITY-1", "vendor": "axis*", "affected": [{"before": "9.80.2"}], "title": "old"}
    (here / "list.json").write_text(json.dumps({"name": "ours", "published": "2026-11-01", "advisories": [advisory]}))
    updated = lamppost("camera", "firmware", "--update", "list.json")
    assert updated.exit_code == 0, updated.output
    assert "CITY-1" in updated.output
    assert "ours" in updated.output
    (row,) = csv.DictReader(io.StringIO(lamppost("camera", "firmware", "--csv").output))
    assert (row["camera"], row["affected"], row["unknown"], row["seen"]) == ("gate", "CITY-1", "", "2023-11-14T22:13:20.000Z")
    assert row["model"].startswith("'="), "a spreadsheet must not take it for a formula"
    acts = b"".join(path.read_bytes() for path in folder.journal.rglob("*.jsonl"))
    assert acts.count(b"firmware_list_changed") == 1
