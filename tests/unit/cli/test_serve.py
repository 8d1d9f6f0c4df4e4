"""`lamppost serve` hands no secret on, and ends what it has started when it cannot start."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from lamppost.base.errors import StoreError
from lamppost.cli import serve as serving

Lamppost = Callable[..., Result]
CANARY = "kanarienvogel-42"


class FailingSupervisor:
    """Has started a child or two when its disk fails."""

    def __init__(self, *_: object, **__: object) -> None:
        pass

    environment = ""
    stops = 0

    def start(self) -> None:
        FailingSupervisor.environment = repr(dict(os.environ))
        raise StoreError("the disk is full")

    def stop(self) -> None:
        FailingSupervisor.stops += 1


def test_what_was_started_is_ended_and_no_child_is_given_the_address(
    lamppost: Lamppost, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lamppost("init")
    monkeypatch.setattr(serving, "Supervisor", FailingSupervisor)
    monkeypatch.setenv("LAMPPOST_CAMERA", f"rtsp://op:{CANARY}@192.0.2.1/s")
    result = lamppost("serve", "--for", "1s")
    assert (result.exit_code, FailingSupervisor.stops) == (1, 1)
    assert "the disk is full" in result.output
    assert "LAMPPOST_CAMERA" not in FailingSupervisor.environment
    assert CANARY not in FailingSupervisor.environment + result.output


def test_no_command_leaves_a_core_dump() -> None:
    program = (
        "import resource; from lamppost.cli import main; main.app = lambda: print(resource.getrlimit(resource.RLIMIT_CORE)); main.run()"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "(0, 0)"


def test_a_key_that_is_none_is_told_before_anything_starts(lamppost: Lamppost, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lamppost("init")
    (here / "lamppost-data" / "keys" / "recorder.key").write_text("no key")
    monkeypatch.setattr(serving, "Supervisor", FailingSupervisor)
    result = lamppost("serve", "--for", "1s")
    assert result.exit_code == 1
    assert "recorder.key is not a recorder's key" in result.output
