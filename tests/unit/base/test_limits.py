"""A process may open as many files as its hard limit says, without any privilege."""

from __future__ import annotations

import resource
import subprocess
import sys

from lamppost.base import limits

SCRIPT = """
import resource
from lamppost.base.limits import raise_descriptor_limit
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 256))
print(raise_descriptor_limit(), *resource.getrlimit(resource.RLIMIT_NOFILE), raise_descriptor_limit())
held = [open('/dev/null') for _ in range(200)]
print(len(held))
"""


def test_the_soft_limit_becomes_the_hard_one_and_files_can_be_opened() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.split() == ["256", "256", "256", "256", "200"]


def test_without_a_hard_limit_there_is_still_a_bound(monkeypatch) -> None:
    asked: list[tuple[int, int]] = []
    monkeypatch.setattr(limits.resource, "getrlimit", lambda _which: (1024, resource.RLIM_INFINITY))
    monkeypatch.setattr(limits.resource, "setrlimit", lambda _which, pair: asked.append(pair))
    assert limits.raise_descriptor_limit() == limits.MOST_DESCRIPTORS
    assert asked == [(limits.MOST_DESCRIPTORS, resource.RLIM_INFINITY)]


def test_a_system_that_refuses_keeps_what_it_had(monkeypatch) -> None:
    def refuse(_which: int, _pair: tuple[int, int]) -> None:
        raise PermissionError

    monkeypatch.setattr(limits.resource, "getrlimit", lambda _which: (64, 256))
    monkeypatch.setattr(limits.resource, "setrlimit", refuse)
    assert limits.raise_descriptor_limit() == 64
