"""Starts `rtsp_server.py` for a test and tells it what to do; on this machine or in a network of its own."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

SERVER = Path(__file__).with_name("rtsp_server.py")
SYSTEM_PYTHON = "/usr/bin/python3"


def why_not() -> str:
    """Why there is no server here; empty where there is one."""
    if not Path(SYSTEM_PYTHON).exists() or subprocess.run([SYSTEM_PYTHON, "-c", "import gi"], check=False, capture_output=True).returncode:
        return "python3-gi and gir1.2-gst-rtsp-server-1.0 are not installed"
    return ""


class RtspPeer:
    """A camera, or many. `options` are those of `rtsp_server.py`, `prefix` is put before the command."""

    def __init__(self, *clips: Path, options: Sequence[str] = (), prefix: Sequence[str] = (), address: str = "127.0.0.1") -> None:
        self.address = address
        self._command = [*prefix, SYSTEM_PYTHON, str(SERVER), "--address", address, *options, *map(str, clips)]
        self.process = self._start()

    def _start(self, port: int = 0) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [*self._command, "--port", str(port)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        assert process.stdout is not None
        words = process.stdout.readline().split()
        assert words[:1] == ["READY"], "the RTSP server did not start"
        self.port = int(words[1])
        self.mounts = words[2:]
        return process

    def url(self, number: int = 0, *, address: str = "", port: int = 0) -> str:
        """Of a mount; by another way, such as a proxy, where an address or port is given."""
        return f"rtsp://{address or self.address}:{port or self.port}{self.mounts[number]}"

    def command(self, line: str) -> None:
        """Send one line and wait until it is done."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        assert answer.split() == ["OK", *line.split()], answer

    def restart(self) -> None:
        """After `close`: the same camera, at the same address."""
        self.process = self._start(self.port)

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe is not None
            pipe.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()
