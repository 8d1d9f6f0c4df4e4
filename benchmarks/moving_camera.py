"""A camera that reboots and moves: GStreamer's RTSP server and a simulated device at one address, away or elsewhere together."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from lamppost.cameras.simulated.camera import SimulatedCamera
from lamppost.model.devices import DeviceIdentity

SERVER = Path(__file__).parents[1] / "tests" / "assets" / "rtsp_server.py"
USER, PASSWORD = "admin", "correct-horse-7"


class MovingCamera:
    """One camera of `vendor` that shows a clip. Its ports stay the same wherever it goes."""

    def __init__(
        self, clip: Path, address: str, *, vendor: str = "onvif", identity: DeviceIdentity | None = None, ports: Sequence[int] = ()
    ) -> None:
        self.address = address
        self.rtsp_port, self.http_port = ports or (free_port(address), free_port(address))
        self._clip = clip
        self.device = SimulatedCamera(
            vendor, address=address, port=self.http_port, username=USER, password=PASSWORD, identity=identity, rtsp_port=self.rtsp_port
        )
        self._video: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        return f"rtsp://{self.address}:{self.rtsp_port}/cam0"

    @property
    def device_url(self) -> str:
        return f"http://{self.address}:{self.http_port}"

    def __enter__(self) -> Self:
        self.device.start()
        self._show()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.hide()
        self.device.close()

    def go_down(self) -> None:
        """Everything breaks off, as without power."""
        self.hide()
        self.device.go_down()

    def come_up(self, address: str = "") -> None:
        """Be there again, at `address` where one is given."""
        self.address = address or self.address
        self.device.move_to(self.address, self.http_port)
        self._show()

    def _show(self) -> None:
        self._video = subprocess.Popen(
            [
                *("/usr/bin/python3", str(SERVER), "--live", "--shared", "--user", USER, "--password", PASSWORD),
                *("--address", self.address, "--port", str(self.rtsp_port), str(self._clip)),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self._video.stdout is not None
        assert self._video.stdout.readline().startswith("READY"), "the RTSP server did not start"

    def hide(self) -> None:
        """No video any more."""
        video, self._video = self._video, None
        if video is None:
            return
        video.kill()
        video.wait()
        for pipe in (video.stdin, video.stdout):
            if pipe is not None:
                pipe.close()


def free_port(address: str) -> int:
    """A port that is free there now."""
    with socket.socket() as end:
        end.bind((address, 0))
        return int(end.getsockname()[1])
