"""Hundreds of simulated cameras in one process, each at an address of this machine's loopback; told by lines what to be.

    python -m benchmarks.camera_crowd CAMERAS

Prints one JSON line: the `device_url` of each. `down`: nobody listens there; `up`: they are back, as after a reboot; `silent`: they take a
connection and say nothing. Each order is answered with a JSON line: how often they were asked so far, how often with a user, how often one
was refused, and the processor time that they have used.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable

from lamppost.cameras.simulated.camera import SimulatedCamera
from lamppost.cameras.simulated.http_server import Answer, HttpServer, Request

USER, PASSWORD = "admin", "plum-42-tin"
VENDORS = ("hikvision", "dahua", "axis", "onvif")
AT_ONE_PORT = 25  # a server of a simulated camera takes 64 connections


class Crowd:
    """The cameras: one server for 25 of them, which tells them apart by the address that it was asked at."""

    def __init__(self, cameras: int) -> None:
        self._cameras: dict[str, SimulatedCamera] = {}
        self._servers: list[HttpServer] = []
        self._ports = [0] * -(-cameras // AT_ONE_PORT)
        self._lock = threading.Lock()
        self._may_answer = threading.Event()
        self._may_answer.set()
        self.asked = self.signed_in = self.refused = 0
        self._places = [f"127.1.{number // 200}.{number % 200 + 1}" for number in range(cameras)]
        for number, place in enumerate(self._places):
            self._cameras[place] = SimulatedCamera(VENDORS[number % len(VENDORS)], username=USER, password=PASSWORD, number=number + 1)
        self.listen()
        self.urls = [f"http://{place}:{self._ports[number // AT_ONE_PORT]}" for number, place in enumerate(self._places)]

    def listen(self) -> None:
        for number, port in enumerate(self._ports):
            server = HttpServer("0.0.0.0", port, "camera", self._answer)  # noqa: S104  # their addresses are 127.1.*
            self._ports[number] = server.port
            self._servers.append(server)

    def go_down(self) -> None:
        self._may_answer.set()
        for camera in self._cameras.values():
            camera.go_down()
        for server in self._servers:
            server.close()
        self._servers.clear()

    def come_up(self) -> None:
        for camera in self._cameras.values():
            camera._machine.pull_points.come_up(is_rebooted=True)
        self.listen()

    def fall_silent(self) -> None:
        self._may_answer.clear()

    def figures(self) -> dict[str, float]:
        return {"asked": self.asked, "signed_in": self.signed_in, "refused": self.refused, "cpu_s": time.process_time()}

    def _answer(self, request: Request) -> Answer:
        self._may_answer.wait()
        host = request.headers.get("host", "").partition(":")[0]
        answer = self._cameras[host]._answer(request)
        with self._lock:
            self.asked += 1
            if "authorization" in request.headers:
                self.signed_in += 1
                self.refused += answer.status == 401
        return answer


def main() -> None:
    """Until the other side hangs up."""
    crowd = Crowd(int(sys.argv[1]))
    print(json.dumps(crowd.urls), flush=True)
    orders: dict[str, Callable[[], None]] = {
        "down": crowd.go_down,
        "up": crowd.come_up,
        "silent": crowd.fall_silent,
        "figures": lambda: None,
    }
    for line in sys.stdin:
        orders[line.strip()]()
        print(json.dumps(crowd.figures()), flush=True)


if __name__ == "__main__":
    main()
