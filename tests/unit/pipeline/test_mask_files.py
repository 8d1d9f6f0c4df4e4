from __future__ import annotations

import os
from pathlib import Path

import pytest

from lamppost.pipeline.clip_masking import MaskSettings
from lamppost.pipeline.clip_output import staged


def test_a_name_as_long_as_a_name_can_be_isstaged(tmp_path: Path) -> None:
    target = tmp_path / f"{'n' * 251}.mp4"
    with staged(target) as staging:
        staging.write_bytes(b"whole")
    assert [path.name for path in tmp_path.iterdir()] == [target.name]


@pytest.mark.parametrize(("cores", "threads"), [(1, 1), (2, 2), (64, 8)])
def test_threads_are_as_many_as_the_process_may_use_cores(monkeypatch: pytest.MonkeyPatch, cores: int, threads: int) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: set(range(cores)))
    assert MaskSettings().threads == threads
