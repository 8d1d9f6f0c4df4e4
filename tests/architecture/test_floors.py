"""The floors hold, and each gate that holds them can fail: a wrong import is planted behind every one."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "lamppost"
LINT_IMPORTS = Path(sys.executable).with_name("lint-imports")
FLOORS = (
    {"cli"},
    {"api"},
    {"bench"},
    {"pipeline", "casework", "playback"},
    {"cameras", "ingest", "record", "decode", "detect", "track", "events", "mask", "seal", "notify"},
    {"access"},
    {"store"},
    {"model"},
    {"base"},
)
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
FLOORS_KEPT, STORE_UNKNOWN, PYAV, ONNX, METRICS, DEVICES, NO_PICTURES, WEB, PASSWORDS, SQL, SEALS = (
    contract["name"] for contract in CONTRACTS
)


def lint(root: Path) -> tuple[int, str]:
    """Exit code and output of import-linter on the package in `root`/src."""
    run = subprocess.run(
        [LINT_IMPORTS, "--no-logo", "--no-cache", "--config", str(ROOT / "pyproject.toml")],
        cwd=root,
        env=os.environ | {"PYTHONPATH": str(root / "src"), "PYTHONDONTWRITEBYTECODE": "1", "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return run.returncode, run.stdout + run.stderr


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    shutil.copytree(PACKAGE, tmp_path / "src" / "lamppost", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def plant(copy: Path, room: str, line: str) -> None:
    (copy / "src" / "lamppost" / room / "planted.py").write_text(f'"""A wrong import."""\n\n{line}\n')


def test_the_house_keeps_its_floors(copy: Path) -> None:
    code, output = lint(copy)
    assert code == 0, output
    assert f"{len(CONTRACTS)} kept, 0 broken" in output


@pytest.mark.parametrize(
    ("room", "line", "gate"),
    [
        ("base", "import lamppost.model.media", FLOORS_KEPT),
        ("model", "import lamppost.store.journal", FLOORS_KEPT),
        ("seal", "import lamppost.pipeline.control", FLOORS_KEPT),
        ("pipeline", "import lamppost.cli.errors", FLOORS_KEPT),
        ("decode", "import lamppost.mask.paint", FLOORS_KEPT),
        ("casework", "import lamppost.pipeline.feed", FLOORS_KEPT),
        ("pipeline", "import lamppost.api.problems", FLOORS_KEPT),
        ("playback", "import lamppost.pipeline.control", FLOORS_KEPT),
        ("store", "import lamppost.access", FLOORS_KEPT),
        ("notify", "import httpcore", DEVICES),
        ("cameras", "import lamppost.ingest.locator", FLOORS_KEPT),
        ("cameras", "import lamppost.store.index", STORE_UNKNOWN),
        ("cameras", "import numpy", NO_PICTURES),
        ("pipeline", "import fastapi", WEB),
        ("cli", "import starlette.requests", WEB),
        ("pipeline", "import uvicorn", WEB),
        ("api", "import argon2", PASSWORDS),
        ("store", "import pyotp.totp", PASSWORDS),
        ("api", "import segno", PASSWORDS),
        ("ingest", "import lamppost.store.journal", STORE_UNKNOWN),
        ("mask", "import lamppost.store.journal", STORE_UNKNOWN),
        ("store", "import av", PYAV),
        ("cli", "import av.error", PYAV),
        ("mask", "import onnxruntime", ONNX),
        ("track", "import trackeval.metrics", METRICS),
        ("cli", "import trackers", METRICS),
        ("casework", "import sqlalchemy", SQL),
        ("store", "import pyrage", SEALS),
        ("casework", "import shamir_mnemonic", SEALS),
    ],
)
def test_a_wrong_import_is_found(copy: Path, room: str, line: str, gate: str) -> None:
    plant(copy, room, line)
    code, output = lint(copy)
    assert code != 0
    assert f"{gate} BROKEN" in output
    assert f"lamppost.{room}.planted" in output


def test_a_room_without_a_floor_is_found(copy: Path) -> None:
    (copy / "src" / "lamppost" / "attic").mkdir()
    (copy / "src" / "lamppost" / "attic" / "__init__.py").write_text('"""A room on no floor."""\n')
    code, output = lint(copy)
    assert code != 0
    assert "attic" in output


def test_the_floors_are_those_of_the_design() -> None:
    layers = CONTRACTS[0]["layers"]
    assert [set(layer.split(" | ")) for layer in layers] == [set(floor) for floor in FLOORS]
    assert CONTRACTS[0]["exhaustive"] is True
    rooms = {path.name for path in PACKAGE.iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert rooms == set().union(*FLOORS)
