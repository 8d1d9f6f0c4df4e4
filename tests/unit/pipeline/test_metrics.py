"""One place tells of all processes, without an address or a password of anybody."""

from __future__ import annotations

import os
import urllib.request
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from lamppost.model.books import Severity
from lamppost.model.settings import CameraSettings, SealingSettings, Settings
from lamppost.pipeline.alarms import Condition
from lamppost.pipeline.fleet import Role
from lamppost.pipeline.metrics import MetricsServer

CANARY = "kanarienvogel-42"


class Child:
    def __init__(self, name: str, role: Role, status: dict[str, Any], process_id: int | None) -> None:
        self.name, self.role, self.status, self.process_id, self.deaths = name, role, status, process_id, 2


class Node:
    def __init__(self) -> None:
        cameras = tuple(CameraSettings(name=name, url=f"rtsp://op:{CANARY}@192.0.2.1/s") for name in ("gate", "park"))
        sealing = SealingSettings(custodians=("age1" + "q" * 58, "age1" + "p" * 58), threshold=2)
        self.settings = Settings(sealing=sealing, camera=cameras)
        retention = {"free_bytes": 5, "held_bytes": 6, "forgotten_segments": 7, "forgotten_bytes": 8}
        self.children = (
            Child("recorder-1", Role.RECORDER, {}, os.getpid()),
            Child("analyst-1", Role.ANALYST, {}, None),
            Child("bookkeeper", Role.BOOKKEEPER, {"retention": retention}, 2**22 + 1),
        )
        carriers = {"hook": {"delivered": 21, "failed": 22, "buried": 1, "waiting": 23, "dead": 24, "problem": CANARY}}
        self.children += (Child("notifier", Role.NOTIFIER, {"carriers": carriers}, None),)
        times = {"bounds_s": [0.1, 1.0], "counts": [3, 2, 1], "sum_s": 7.5}
        figures = {"requests": {"2xx": 31, "5xx": 1}, "live_viewers": 32, "event_listeners": 33, "answer_times": times}
        self.children += (Child("server", Role.SERVER, {"figures": figures}, None),)
        self.alarms = (Condition("camera_lost", Severity.WARNING, "park", f"rtsp://op:{CANARY}@192.0.2.1/s"),)
        self.alarms += tuple(Condition("notify_failing", Severity.ALARM, None, CANARY, carrier=name) for name in ("hook", "mail"))

    def recording(self, camera: str) -> dict[str, Any]:
        if camera == "park":
            return {"state": "retrying", "cause": "camera_refused"}
        return {"state": "recording", "cause": "", "frames": 12, "sealed_bytes": 99, "problem": CANARY}

    def device(self, camera: str) -> dict[str, Any]:
        return {"is_reachable": False} if camera == "gate" else {}

    def masking(self, camera: str) -> dict[str, Any]:
        return {"frames": 11, "covered_frames": 3, "behind_s": 0.5, "step": "fewer_frames"} if camera == "gate" else {}


def scrape(port: int | None) -> tuple[str, dict[tuple[str, tuple[str, ...]], float]]:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
        text = answer.read().decode()
    families = text_string_to_metric_families(text)
    return text, {
        (sample.name, tuple(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
    }


def test_a_scrape_tells_of_cameras_processes_retention_and_alarms() -> None:
    server = MetricsServer(Node())
    server.use("127.0.0.1:0")
    try:
        text, samples = scrape(server.port)
    finally:
        server.close()
    assert samples["lamppost_recorded_frames_total", ("gate",)] == 12
    assert samples["lamppost_camera_recording", ("gate",)] == 1
    assert samples["lamppost_camera_recording", ("park",)] == 0
    assert samples["lamppost_covered_frames_total", ("gate",)] == 3
    assert samples["lamppost_masking_behind_seconds", ("gate",)] == 0.5
    assert samples["lamppost_forgotten_bytes_total", ()] == 8
    assert samples["lamppost_process_up", ("analyst-1",)] == 0
    assert samples["lamppost_process_deaths_total", ("recorder-1",)] == 2
    assert samples["lamppost_process_resident_bytes", ("recorder-1",)] > 1_000_000
    assert samples["lamppost_process_open_files", ("supervisor",)] > 3
    assert samples["lamppost_alarm", ("park", "camera_lost", "warning")] == 1
    assert samples["lamppost_alarm", ("", "notify_failing", "alarm")] == 1
    assert text.count('kind="notify_failing"') == 1, "two of the same labels would spoil the scrape"
    for metric, value in (("delivered_total", 21), ("failed_total", 22), ("waiting", 23), ("dead", 24)):
        assert samples[f"lamppost_notices_{metric}", ("hook",)] == value
    assert samples["lamppost_camera_state", ("gate", "recording")] == 1
    assert samples["lamppost_camera_state", ("park", "camera_refused")] == 1
    assert [labels for name, labels in samples if name == "lamppost_masking_step"] == [("gate", "fewer_frames")]
    assert samples["lamppost_server_requests_total", ("5xx",)] == 1
    assert samples["lamppost_live_viewers", ()] == 32
    assert samples["lamppost_event_followers", ()] == 33
    for bound, count in (("0.1", 3), ("1.0", 5), ("+Inf", 6)):
        assert samples["lamppost_server_answer_seconds_bucket", (bound,)] == count
    assert samples["lamppost_server_answer_seconds_count", ()] == 6
    assert samples["lamppost_server_answer_seconds_sum", ()] == 7.5
    assert CANARY not in text
    assert "192.0.2.1" not in text


def test_the_address_can_change_and_one_that_is_taken_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    first, second = MetricsServer(Node()), MetricsServer(Node())
    first.use("127.0.0.1:0")
    second.use(f"127.0.0.1:{first.port}")
    assert second.port is None
    assert "no metrics are served" in "".join(capsys.readouterr())
    second.use("127.0.0.1:0")
    assert second.port is not None
    second.use("")
    assert second.port is None
    first.close()


def test_a_name_that_no_host_has_is_told_and_ends_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    server = MetricsServer(Node())
    server.use("a..b:9464")
    assert server.port is None
    assert "no metrics are served" in "".join(capsys.readouterr())
