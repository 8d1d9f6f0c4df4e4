"""A whole node turns a simulated camera: it is covered before it moves, and stays so when the process that masks is killed."""

from __future__ import annotations

import time
from contextlib import closing
from pathlib import Path

import pytest

from console.console_node import ConsoleNode
from crash.node import let_pass, wait_until
from lamppost.cameras.simulated.camera import SimulatedCamera
from lamppost.model.layout import DataFolder
from lamppost.store.index import Index

PASSWORD = "kanarienvogel-1"


def covers(node: ConsoleNode) -> list[tuple[str, int, int | None]]:
    with Index(DataFolder(node.data)) as index:
        return [(cover.cause, cover.start_us, cover.end_us) for cover in index.covered(node.camera)]


def turned(node: ConsoleNode) -> list[tuple[int, int | None]]:
    return [(start, end) for cause, start, end in covers(node) if cause == "turned"]


@pytest.mark.timeout(180)
def test_a_camera_that_is_turned_is_covered_whoever_dies(tmp_path: Path) -> None:
    with SimulatedCamera("onvif", password=PASSWORD) as device:
        node = ConsoleNode(tmp_path, {"plaza": ConsoleNode.STREET.format(seed=3)})
        lines = f'device_url = "{device.base}"\nusername = "admin"\npassword = "{PASSWORD}"\n'
        node.replace_config(node.config.read_text().replace("[[camera]]\n", f"[[camera]]\n{lines}"))
        node.start()
        try:
            node.await_masked("plaza", seconds=3)
            with closing(node.client()) as client:
                client.headers["X-CSRF-Token"] = client.get("/session").json()["csrf"]
                assert {preset["name"] for preset in client.get("/cameras/plaza/ptz").json()["presets"]} == {"Square", "Bridge"}
                answer = client.post("/cameras/plaza/ptz/preset", json={"token": "1"})
                assert answer.status_code == 200, answer.text
                moved_us = time.time_ns() // 1000
                device.state.still_s = time.monotonic() + 60.0  # a long way
                wait_until(lambda: bool(turned(node)), "a cover", 20)
                assert turned(node)[0][0] <= moved_us, "it began before the device was told"
                node.kill("analyst")
                killed_us = time.time_ns() // 1000
                wait_until(
                    lambda: any(start > killed_us for start, _ in turned(node)), "the next analyst covers from its first picture", 40
                )
                let_pass(3.0)
                after = [(cause, start, end) for cause, start, end in covers(node) if start > killed_us]
                assert {cause for cause, _, _ in after} == {"turned"}, after
                assert after[-1][2] is None, "and goes on covering"
                device.state.still_s = 0.0
                wait_until(lambda: not client.get("/cameras/plaza/ptz").json()["is_moving"], "it stands still", 20)
                wait_until(lambda: turned(node)[-1][1] is not None, "it is seen again", 40)
                answer = client.post("/cameras/plaza/ptz/preset", json={"token": "2"})
                assert answer.status_code == 200, answer.text
                device.state.still_s = time.monotonic() + 120.0
                acts = [act for act in client.get("/acts").json()["items"] if act["kind"] == "camera_steered"]
                assert acts
            node.kill_everything()
            killed_us = time.time_ns() // 1000
            node.start()
            wait_until(lambda: any(start > killed_us for start, _ in turned(node)), "the next node covers from its first picture", 40)
            assert {cause for cause, start, _ in covers(node) if start > killed_us} == {"turned"}
            node.stop()
        finally:
            node.kill_everything()
        text = b"".join(path.read_bytes() for path in (node.data / "journal").rglob("*.jsonl")).decode() + node.log()
        assert PASSWORD not in text
