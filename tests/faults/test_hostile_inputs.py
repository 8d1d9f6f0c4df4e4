"""Hundreds of addresses, names and archives that mean harm: nothing is connected to, and no file appears, where none should."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]


@pytest.mark.timeout(120)
def test_nothing_is_connected_to_and_no_file_appears(tmp_path: Path) -> None:
    script = Path(__file__).with_name("hostile_inputs.py")
    environment = {**os.environ, "PYTHONPATH": str(TESTS)}
    done = subprocess.run(
        [sys.executable, script, tmp_path], capture_output=True, text=True, check=False, timeout=110, env=environment, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout)
    assert found["connections"] == []
    assert found["files"] == []
    assert found["commands"] == []
    assert found["odd_names"] == [], "the system was asked about what is no name"
    counts = found["counts"]
    sys.stdout.write(f"{counts} given in {found['tried']} ways: 0 connections, 0 files\n")
    assert counts["urls"] >= 200
    assert counts["names"] >= 40
    assert counts["archives"] >= 60
    outcomes = found["outcomes"]
    ways = {way: {key.rpartition(": ")[2] for key in outcomes if key.startswith(f"{way}: ")} for way in ("device", "restore", "ConfigFile")}
    assert ways == {
        "device": {"ConfigError", "CameraRefused", "CameraUnreachable"},
        "restore": {"StoreError"},
        "ConfigFile": {"ConfigError"},
    }
    assert "POST /cameras/test: tried" not in outcomes
