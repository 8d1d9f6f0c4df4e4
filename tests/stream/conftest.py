"""Real peers for ingest: Debian's RTSP server as a subprocess, and a scripted one on loopback."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from lamppost.model.media import Codec
from street_clip import make_street_clip

SERVER = Path(__file__).parents[1] / "assets" / "rtsp_server.py"
SYSTEM_PYTHON = "/usr/bin/python3"


@dataclass
class RtspServer:
    """A running server; `command` sends one line and waits until it is done."""

    process: subprocess.Popen[str]
    port: int

    def command(self, line: str) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline().split() == ["OK", line]

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe is not None
            pipe.close()


@pytest.fixture
def serve() -> Iterator[Callable[..., RtspServer]]:
    """Start servers: `serve(clip, ..., options=, user=, password=, port=)`; they end with the test."""
    if subprocess.run([SYSTEM_PYTHON, "-c", "import gi"], check=False, capture_output=True).returncode:
        pytest.skip("python3-gi and gir1.2-gst-rtsp-server-1.0 are not installed")
    servers: list[RtspServer] = []

    def start(*clips: Path, options: Sequence[str] = (), user: str = "", password: str = "", port: int = 0) -> RtspServer:
        login = ["--user", user, "--password", password] if user else []
        process = subprocess.Popen(
            [SYSTEM_PYTHON, str(SERVER), "--port", str(port), *options, *login, *map(str, clips)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert process.stdout is not None
        words = process.stdout.readline().split()
        assert words[:1] == ["READY"], "the RTSP server did not start"
        server = RtspServer(process, int(words[1]))
        servers.append(server)
        return server

    yield start
    for server in servers:
        if server.process.poll() is None:
            server.kill()


@pytest.fixture(scope="session")
def street_clip(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Codec], Path]:
    """Two seconds of the simulated street in an MP4, made once for each codec."""
    folder = tmp_path_factory.mktemp("clips")

    def make(codec: Codec) -> Path:
        path = folder / f"street-{codec}.mp4"
        if not path.exists():
            make_street_clip(path, codec)
        return path

    return make


@pytest.fixture(scope="session")
def sliced_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seconds of H.264 in four slices a picture."""
    path = tmp_path_factory.mktemp("sliced") / "sliced.mp4"
    source = ["-f", "lavfi", "-i", "testsrc2=size=640x368:rate=15", "-t", "2"]
    encode = ["-c:v", "libx264", "-bf", "0", "-x264-params", "slices=4:keyint=10:scenecut=0", "-pix_fmt", "yuv420p"]
    subprocess.run(["ffmpeg", "-v", "error", *source, *encode, str(path)], check=True, timeout=60)
    return path


@pytest.fixture
def stop() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()
