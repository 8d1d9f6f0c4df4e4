"""What dies is started anew, what must end is ended in the order in which the data flows."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from lamppost.base.clock import ManualClock, SystemClock
from lamppost.base.errors import ConfigError, DataFolderBusy, StoreError
from lamppost.model.books import GapOpened
from lamppost.model.carriers import NotifySettings
from lamppost.model.layout import DataFolder
from lamppost.model.media import GapCause
from lamppost.model.rules import RuleBook
from lamppost.model.server_settings import ServerSettings
from lamppost.model.settings import CameraSettings, FleetSettings, SealingSettings, Settings
from lamppost.model.vision import Preset
from lamppost.model.vision_settings import AnalysisSettings
from lamppost.pipeline import children as raising
from lamppost.pipeline import supervisor as supervising
from lamppost.pipeline.alarms import SILENT_S
from lamppost.pipeline.child import parse_settings
from lamppost.pipeline.children import RESTART_CAP_S, STEADY_S
from lamppost.pipeline.control import ControlChannel, Message
from lamppost.pipeline.credentials import CredentialKeeper
from lamppost.pipeline.fleet import Role
from lamppost.pipeline.reloading import ConfigWatch
from lamppost.pipeline.supervisor import Supervisor
from lamppost.store.journal import JournalWriter

PATIENCE_S = 10.0
RECORDER, ANALYST, BOOKKEEPER, NOTIFIER, CARETAKER = "recorder-1", "analyst-1", "bookkeeper", "notifier", "caretaker"
RECIPIENTS = ("age1" + "q" * 58, "age1" + "p" * 58)


def make_settings(data: Path, *cameras: str) -> Settings:
    return Settings(
        data=data,
        sealing=SealingSettings(custodians=RECIPIENTS, threshold=2),
        camera=tuple(CameraSettings(name=name, url="sim://plaza") for name in cameras),
        server=ServerSettings(listen=""),
    )


def sign(text: bytes) -> bytes:
    return text


class ScriptedProcess:
    """A process that lives until it is told not to; `is_stubborn` means until it is killed."""

    def __init__(self, name: str, theirs: socket.socket, scene: Scene) -> None:
        self.name, self.scene = name, scene
        self.pid = 0
        self.stderr = None
        self.returncode: int | None = None
        self.is_stubborn = False
        self.settings: Settings | None = None
        self.channel = ControlChannel(theirs)

    def die(self, code: int) -> None:
        self.returncode = code
        self.channel.close()

    def poll(self) -> int | None:
        return self.returncode

    def terminate(self) -> None:
        self.scene.log.append(f"terminate {self.name}")
        if not self.is_stubborn:
            self.die(0)

    def kill(self) -> None:
        self.scene.log.append(f"kill {self.name}")
        self.die(-signal.SIGKILL)

    def wait(self, timeout: float | None = None) -> int:
        if self.returncode is None and not self.is_stubborn and any(order.body == {"order": "stop"} for order in self.orders()):
            self.scene.log.append(f"stop {self.name}")
            self.die(0)
        if self.returncode is None:
            raise subprocess.TimeoutExpired(self.name, timeout or 0)
        return self.returncode

    def orders(self) -> list[Message]:
        """What it was told so far; descriptors are closed."""
        messages: list[Message] = []
        while True:
            try:
                message = self.channel.receive(0.0)
            except TimeoutError:
                return messages
            if message is None:
                return messages
            for descriptor in message.descriptors:
                socket.socket(fileno=descriptor).close()
            messages.append(message)


class Scene:
    """A supervisor whose children are scripted, and whose clock is moved by hand."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.clock = ManualClock()
        self.log: list[str] = []
        self.lives: dict[str, list[ScriptedProcess]] = {}
        self.started_s: dict[str, list[float]] = {}
        self.spawn_failure: Exception | None = None
        self.folder = DataFolder(root / "data")
        monkeypatch.setattr(raising, "spawn", self._spawn)
        self.settings = make_settings(self.folder.root, "gate", "plaza")
        self.supervisor = self.make(self.settings)

    def make(self, settings: Settings, cores: int = 1) -> Supervisor:
        return Supervisor(settings, sign=sign, clock=self.clock, write_line=self.log.append, cores=cores)

    def _spawn(self, module: str, name: str, settings: Settings, *, config: Path | None = None) -> tuple[ScriptedProcess, ControlChannel]:
        if self.spawn_failure is not None:
            raise self.spawn_failure
        channel, theirs = ControlChannel.pair()
        assert module.endswith(name.partition("-")[0])
        process = ScriptedProcess(name, theirs, self)
        process.settings = settings
        self.lives.setdefault(name, []).append(process)
        self.started_s.setdefault(name, []).append(self.clock.monotonic_s())
        return process, channel

    def now(self, name: str) -> ScriptedProcess:
        return self.lives[name][-1]

    def watch(self, for_s: float, on_tick: Callable[[Supervisor], None] = lambda _: None) -> None:
        self.supervisor.watch(threading.Event(), for_s, on_tick)


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    scene = Scene(tmp_path, monkeypatch)
    yield scene
    scene.supervisor.stop()
    for lives in scene.lives.values():
        for process in lives:
            process.channel.close()


def test_every_child_is_started_and_both_ends_of_a_feed_are_handed_out(scene: Scene) -> None:
    scene.supervisor.start()
    assert [len(lives) for lives in scene.lives.values()] == [1, 1, 1]
    for name in (RECORDER, ANALYST):
        orders = scene.now(name).orders()
        assert [(order.body["order"], order.body["camera"], len(order.descriptors)) for order in orders] == [
            ("feed", "gate", 1),
            ("feed", "plaza", 1),
        ]
    assert scene.now(BOOKKEEPER).orders() == []


def test_a_dead_child_is_started_anew_after_a_growing_capped_pause(scene: Scene) -> None:
    scene.supervisor.start()

    def kill_it(_: Supervisor) -> None:
        if scene.now(ANALYST).returncode is None:
            scene.now(ANALYST).die(-signal.SIGKILL)

    scene.watch(60, kill_it)
    pauses_s = [later - earlier for earlier, later in pairwise(scene.started_s[ANALYST])]
    assert len(pauses_s) > 5
    assert pauses_s[0] < 1.5
    assert all(later > earlier - 0.7 for earlier, later in pairwise(pauses_s))  # as coarse as the ticks
    assert max(pauses_s) <= RESTART_CAP_S + 1
    assert max(pauses_s) > RESTART_CAP_S - 1
    assert len(scene.lives[RECORDER]) == len(scene.lives[BOOKKEEPER]) == 1


def test_after_a_steady_life_the_pause_is_short_again(scene: Scene) -> None:
    scene.supervisor.start()
    for _ in range(6):
        scene.now(ANALYST).die(1)
        scene.watch(15)
    scene.watch(STEADY_S + 1)
    died_s = scene.clock.monotonic_s()
    scene.now(ANALYST).die(1)
    scene.watch(15)
    assert scene.started_s[ANALYST][-1] - died_s < 1


@pytest.mark.parametrize("name", [RECORDER, ANALYST])
def test_a_new_recorder_or_analyst_is_joined_to_the_other_by_new_feeds(scene: Scene, name: str) -> None:
    scene.supervisor.start()
    for child in (RECORDER, ANALYST):
        scene.now(child).orders()
    scene.now(name).die(1)
    scene.watch(3)
    for child in (RECORDER, ANALYST):
        assert [order.body["camera"] for order in scene.now(child).orders()] == ["gate", "plaza"]


def test_covered_frames_of_all_lives_are_summed_with_the_last_words_of_the_dead(scene: Scene) -> None:
    scene.supervisor.start()
    for frames in (5, 7):
        scene.now(ANALYST).channel.send({"cameras": {"gate": {"covered_frames": frames - 1}}})
        scene.now(ANALYST).channel.send({"cameras": {"gate": {"covered_frames": frames}}})
        scene.now(ANALYST).die(-signal.SIGSEGV)
        scene.watch(2)
    scene.watch(0.5)
    assert covered(scene) == 12


def covered(scene: Scene) -> int:
    return sum(child.covered_frames("gate") for child in scene.supervisor.children)


def test_the_last_report_of_a_child_that_ends_is_read(scene: Scene) -> None:
    scene.supervisor.start()
    scene.watch(0.5)
    scene.now(ANALYST).channel.send({"cameras": {"gate": {"covered_frames": 99}}})
    scene.supervisor.stop()
    assert covered(scene) == 99


def test_a_death_is_an_act_with_its_reason_and_without_a_secret(scene: Scene) -> None:
    scene.supervisor.start()
    scene.now(RECORDER).channel.send({"failure": "rtsp://op:kanarienvogel@192.0.2.1/ is gone"})
    scene.now(RECORDER).die(-signal.SIGKILL)
    scene.watch(1)
    scene.supervisor.stop()
    text = b"".join(path.read_bytes() for path in scene.folder.journal.rglob("*.jsonl")).decode()
    assert "killed by signal 9" in text
    assert "192.0.2.1" in text
    assert "kanarienvogel" not in text


def test_what_must_end_ends_in_the_order_of_the_data(scene: Scene) -> None:
    scene.supervisor.start()
    scene.supervisor.stop()
    assert scene.log == ["stop recorder-1", "stop analyst-1", "stop bookkeeper"]


def carrier(name: str) -> NotifySettings:
    return NotifySettings(name=name, type="mqtt", url="mqtt://broker.example")


def test_a_notifier_runs_where_somebody_is_to_be_told_and_ends_before_the_bookkeeper(scene: Scene) -> None:
    camera = CameraSettings(name="gate", url="rtsp://192.0.2.1/", username="op", password="hunter2")
    settings = scene.settings.model_copy(update={"camera": (camera,), "notify": (carrier("broker"),)})
    scene.supervisor = scene.make(settings)
    scene.supervisor.start()
    given = scene.now(NOTIFIER).settings
    assert given is not None
    assert ([one.name for one in given.notify], given.camera) == (["broker"], ()), "it needs no camera's password"
    scene.now(NOTIFIER).die(-signal.SIGKILL)
    scene.watch(2)
    assert len(scene.lives[NOTIFIER]) == 2
    scene.supervisor.stop()
    ended = [line for line in scene.log if line.startswith("stop")]
    assert ended == [f"stop {name}" for name in (RECORDER, ANALYST, NOTIFIER, CARETAKER, BOOKKEEPER)]


def test_a_caretaker_runs_where_there_are_devices_and_is_told_which_cameras_are_lost(scene: Scene) -> None:
    scene.supervisor.start()
    assert CARETAKER not in scene.lives, "a simulated street has no device"
    cameras = (*scene.settings.camera, CameraSettings(name="door", url="rtsp://192.0.2.1/", username="op", password="hunter2"))
    scene.supervisor.apply(scene.settings.model_copy(update={"camera": cameras}))
    given = scene.now(CARETAKER).settings
    assert given is not None
    assert given.camera[2].resolved_password() == "hunter2", "it signs in on devices"
    report = {"door": {"cause": "camera_unreachable"}, "gate": {"cause": "store_failed"}, "plaza": {"cause": ""}}
    scene.now(RECORDER).channel.send({"cameras": report})
    deadline = time.monotonic() + PATIENCE_S
    lost: list[list[str]] = []
    while ["door"] not in lost:
        assert time.monotonic() < deadline
        scene.watch(1)
        lost += [order.body["cameras"] for order in scene.now(CARETAKER).orders() if order.body["order"] == "lost"]
    scene.now(CARETAKER).channel.send({"cameras": {"door": {"is_reachable": True}}})
    while not scene.supervisor.device("door"):
        assert time.monotonic() < deadline
        scene.watch(1)
    assert scene.supervisor.device("gate") == {}
    scene.now(CARETAKER).die(-signal.SIGKILL)
    scene.watch(2)
    assert len(scene.lives[CARETAKER]) == 2
    assert len(scene.lives[RECORDER]) == 1, "recording does not notice"


def test_who_is_told_may_change_while_it_runs(scene: Scene) -> None:
    scene.supervisor.start()
    assert NOTIFIER not in scene.lives
    scene.supervisor.apply(scene.settings.model_copy(update={"notify": (carrier("broker"),)}))
    assert len(scene.lives[NOTIFIER]) == 1
    scene.supervisor.apply(scene.settings.model_copy(update={"notify": (carrier("other"),), "site": "Old Town"}))
    for name in (NOTIFIER, BOOKKEEPER):
        newest = scene.now(name).orders()[-1].body
        told = parse_settings(newest["settings"])
        assert ([one.name for one in told.notify], told.site) == (["other"], "Old Town")
    assert len(scene.lives[RECORDER]) == 1


def test_a_child_that_cannot_be_told_is_signalled(scene: Scene) -> None:
    scene.supervisor.start()
    scene.now(RECORDER).channel.close()
    scene.supervisor.stop()
    assert scene.log == ["terminate recorder-1", "stop analyst-1", "stop bookkeeper"]


def test_a_bookkeeper_that_is_dead_is_started_once_more_for_the_last_records(scene: Scene) -> None:
    scene.supervisor.start()
    scene.now(BOOKKEEPER).die(-signal.SIGKILL)
    scene.supervisor.stop()
    assert len(scene.lives[BOOKKEEPER]) == 2
    assert scene.log[-3:] == ["stop recorder-1", "stop analyst-1", "stop bookkeeper"]


def test_a_child_that_does_not_end_is_killed_and_the_rest_still_ends(scene: Scene) -> None:
    scene.supervisor.start()
    scene.now(ANALYST).is_stubborn = True
    scene.supervisor.stop()
    assert scene.log == ["stop recorder-1", "kill analyst-1", "stop bookkeeper"]


def test_all_patience_together_ends_within_five_seconds() -> None:
    assert sum(supervising.STOP_PATIENCE_S.values()) + 3 * raising.LAST_WORDS_S < 6.5
    assert sum(supervising.STOP_PATIENCE_S.values()) < 5


def test_a_full_disk_stops_neither_the_restart_nor_the_end(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    scene.supervisor.start()

    def refuse(*_: object) -> None:
        raise StoreError("the disk is full")

    monkeypatch.setattr(JournalWriter, "append", refuse)
    scene.now(RECORDER).die(-signal.SIGKILL)
    scene.watch(2)
    assert len(scene.lives[RECORDER]) == 2
    scene.supervisor.stop()
    assert "stop bookkeeper" in scene.log


@pytest.mark.parametrize("failure", [ConfigError("the password_file is gone"), BlockingIOError("no more processes")])
def test_a_child_that_cannot_be_started_now_is_tried_again(scene: Scene, failure: Exception) -> None:
    scene.supervisor.start()
    scene.spawn_failure = failure
    scene.now(RECORDER).die(1)
    scene.watch(2)
    scene.spawn_failure = None
    scene.watch(RESTART_CAP_S + 1)
    assert len(scene.lives[RECORDER]) == 2


def test_the_folder_is_held_by_one_supervisor(scene: Scene) -> None:
    scene.supervisor.start()
    other = scene.make(make_settings(scene.folder.root))
    with pytest.raises(DataFolderBusy):
        other.start()
    scene.supervisor.stop()
    other.start()
    other.stop()


def test_watching_ends_when_it_is_told_to(scene: Scene) -> None:
    scene.supervisor.start()
    stop = threading.Event()
    scene.supervisor.watch(stop, None, lambda _: stop.set())


# Real processes

CHILD = """
import pathlib, signal, socket, sys
log = pathlib.Path(LOG)
def note(word):
    with log.open("a") as file:
        file.write(word + " NAME\\n")
signal.signal(signal.SIGTERM, signal.SIG_IGN)
end = socket.socket(fileno=int(sys.argv[1]))
end.recv(1 << 20)
print("rtsp://op:kanarienvogel@192.0.2.1/ NAME", file=sys.stderr, flush=True)
end.send(b'{"cameras": {}, "ready": true}')
while STUBBORN or (raw := end.recv(1 << 20)) and b'"stop"' not in raw:
    STUBBORN and signal.pause()
note("ended")
"""


def test_real_children_get_settings_report_and_end_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log, modules = tmp_path / "log", {}
    for role in Role:
        text = CHILD.replace("LOG", repr(str(log))).replace("NAME", role).replace("STUBBORN", str(role is Role.ANALYST))
        (tmp_path / f"tiny_{role}.py").write_text(text)
        modules[role] = f"tiny_{role}"
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(raising, "MODULES", modules)
    patience_s = dict.fromkeys(Role, 0.1) | {Role.RECORDER: PATIENCE_S, Role.ANALYST: 0.2, Role.BOOKKEEPER: PATIENCE_S}
    monkeypatch.setattr(supervising, "STOP_PATIENCE_S", patience_s)
    lines: list[str] = []
    supervisor = Supervisor(make_settings(tmp_path / "data", "gate"), sign=sign, clock=SystemClock(), write_line=lines.append, cores=1)
    supervisor.start()
    ready = threading.Event()

    def look(node: Supervisor) -> None:
        if all(child.status.get("ready") for child in node.children) and len(lines) == 3:
            ready.set()

    supervisor.watch(ready, PATIENCE_S, look)
    supervisor.stop()
    assert ready.is_set()
    assert log.read_text().splitlines() == ["ended recorder", "ended bookkeeper"]  # the analyst was killed
    assert all("192.0.2.1" in line and "kanarienvogel" not in line for line in lines)


def test_the_server_is_told_of_the_node_and_of_no_secret_of_a_camera(scene: Scene) -> None:
    camera = CameraSettings(name="gate", url="rtsp://op:kanarienvogel@192.0.2.1/s", password="kanarienvogel")
    settings = scene.settings.model_copy(update={"camera": (camera,), "server": ServerSettings(listen="127.0.0.1:8080")})
    scene.supervisor = scene.make(settings)
    scene.supervisor.start()
    scene.watch(2)
    server = scene.now("server")
    assert server.settings is not None
    (known,) = server.settings.camera
    assert "kanarienvogel" not in f"{known.url} {known.password} {known.username}"
    states = [order.body["state"] for order in server.orders() if order.body["order"] == "node"]
    assert states
    assert set(states[-1]["cameras"]) == {"gate"}
    assert {process["name"] for process in states[-1]["processes"]} == {BOOKKEEPER, RECORDER, ANALYST, CARETAKER, "server"}
    scene.supervisor.stop()
    assert scene.log.index("stop server") < scene.log.index(f"stop {BOOKKEEPER}")


def test_a_server_comes_and_goes_with_its_address(scene: Scene) -> None:
    scene.supervisor.start()
    assert "server" not in scene.lives
    scene.supervisor.apply(scene.settings.model_copy(update={"server": ServerSettings(listen="127.0.0.1:8080")}))
    assert len(scene.lives["server"]) == 1


# The fleet, and what changes while it runs


def feeds(process: ScriptedProcess) -> list[str]:
    return [order.body["camera"] for order in process.orders() if order.body["order"] == "feed"]


def cameras_of(settings: Settings | None) -> list[str]:
    assert settings is not None
    return [camera.name for camera in settings.camera]


def test_many_cameras_are_shared_evenly_by_few_processes(scene: Scene) -> None:
    names = [f"cam-{number:03}" for number in range(250)]
    supervisor = scene.supervisor = scene.make(make_settings(scene.folder.root, *names), cores=4)
    supervisor.start()
    assert sorted(scene.lives) == ["analyst-1", "analyst-2", "analyst-3", "analyst-4", "bookkeeper", *(f"recorder-{n}" for n in (1, 2, 3))]
    shares = [cameras_of(scene.now(f"recorder-{number}").settings) for number in (1, 2, 3)]
    assert sorted(len(share) for share in shares) == [83, 83, 84]
    assert sorted(name for share in shares for name in share) == names
    assert len(cameras_of(scene.now(BOOKKEEPER).settings)) == 250, "it retains all of them"


def test_a_camera_is_added_changed_and_removed_without_touching_the_others(scene: Scene) -> None:
    scene.supervisor.start()
    for name in (RECORDER, ANALYST):
        assert feeds(scene.now(name)) == ["gate", "plaza"]
    settings = make_settings(scene.folder.root, "gate", "park")
    changed = settings.camera[0].model_copy(update={"url": "sim://plaza?seed=9"})
    scene.supervisor.apply(settings.model_copy(update={"camera": (changed, settings.camera[1])}))
    for name in (RECORDER, ANALYST):
        first, *rest = scene.now(name).orders()
        assert first.body["order"] == "settings"
        assert cameras_of(parse_settings(first.body["settings"])) == ["gate", "park"]
        assert [order.body["camera"] for order in rest] == ["park", "gate"]
    assert [len(lives) for lives in scene.lives.values()] == [1, 1, 1], "nobody was started anew"
    assert scene.supervisor.settings.camera[1].name == "park"


def test_masking_and_retention_change_without_a_new_connection(scene: Scene) -> None:
    scene.supervisor.start()
    for name in (RECORDER, ANALYST):
        scene.now(name).orders()
    gate, plaza = scene.settings.camera
    changed = gate.model_copy(update={"preset": Preset.ALL, "sealed_days": 1.0, "masked_days": 2.0, "max_gb": 3.0})
    scene.supervisor.apply(scene.settings.model_copy(update={"camera": (changed, plaza)}))
    for name in (RECORDER, ANALYST):
        assert [order.body["order"] for order in scene.now(name).orders()] == ["settings"], "everybody knows, and no feed is new"


def test_rules_change_without_a_new_connection(scene: Scene) -> None:
    scene.supervisor.start()
    for name in (RECORDER, ANALYST):
        scene.now(name).orders()
    gate, plaza = scene.settings.camera
    rules = RuleBook.model_validate({"line": [{"name": "door", "points": [(0.1, 0.5), (0.9, 0.5)]}]})
    changed = gate.model_copy(update={"rules_file": Path("gate.rules.toml"), "rules": rules})
    scene.supervisor.apply(scene.settings.model_copy(update={"camera": (changed, plaza)}))
    (told,) = scene.now(ANALYST).orders()
    assert parse_settings(told.body["settings"]).camera[0].rules == rules
    assert [order.body["order"] for order in scene.now(RECORDER).orders()] == ["settings"], "no feed is new"
    scene.supervisor.apply(scene.settings.model_copy(update={"camera": (changed, plaza), "analysis": AnalysisSettings(interval_s=0.2)}))
    (told,) = scene.now(ANALYST).orders()
    assert parse_settings(told.body["settings"]).analysis.interval_s == 0.2


def test_who_connects_gets_the_password_that_is_kept_encrypted_and_the_server_does_not(scene: Scene) -> None:
    with CredentialKeeper(scene.folder) as keeper:
        credential = keeper.keep("gate", "kanarienvogel")
    camera = CameraSettings(name="gate", url="rtsp://192.0.2.1/s", username="op", credential=credential)
    lost = CameraSettings(name="lost", url="rtsp://192.0.2.1/s", username="op", credential="0" * 16)
    settings = scene.settings.model_copy(update={"camera": (camera, lost), "server": ServerSettings(listen="127.0.0.1:8080")})
    scene.supervisor = scene.make(settings)
    scene.supervisor.start()
    given, known = scene.now(RECORDER).settings, scene.now("server").settings
    assert given is not None
    assert known is not None
    assert [(one.resolved_password(), one.credential) for one in given.camera] == [("kanarienvogel", None), (None, None)]
    assert [(one.resolved_password(), one.credential) for one in known.camera] == [(None, None), (None, None)]


def test_a_password_that_was_changed_in_its_file_is_used(scene: Scene, tmp_path: Path) -> None:
    secret = tmp_path / "gate.password"
    secret.write_text("old\n")
    gate, plaza = scene.settings.camera
    gate = gate.model_copy(update={"url": "rtsp://192.0.2.1/s", "username": "op", "password_file": secret})
    settings = scene.settings.model_copy(update={"camera": (gate, plaza)})
    scene.supervisor = scene.make(settings)
    scene.supervisor.start()
    scene.now(RECORDER).orders()
    scene.supervisor.apply(settings)
    assert scene.now(RECORDER).orders() == []
    secret.write_text("new\n")
    scene.supervisor.apply(settings)
    told, feed = scene.now(RECORDER).orders()
    assert parse_settings(told.body["settings"]).camera[0].resolved_password() == "new"
    assert feed.body["camera"] == "gate"
    acts = b"".join(path.read_bytes() for path in scene.folder.journal.rglob("*.jsonl"))
    assert b"configuration_changed" in acts


def test_more_cameras_bring_more_processes_and_move_nobody(scene: Scene) -> None:
    scene.supervisor = scene.make(make_settings(scene.folder.root, *(f"a-{n}" for n in range(100))), cores=2)
    scene.supervisor.start()
    assert "recorder-2" not in scene.lives
    scene.supervisor.apply(make_settings(scene.folder.root, *(f"a-{n}" for n in range(100)), *(f"b-{n}" for n in range(50))))
    assert cameras_of(scene.now("recorder-2").settings) == [f"b-{n}" for n in range(50)]
    assert feeds(scene.now("recorder-2")) == [f"b-{n}" for n in sorted(range(50), key=str)]


def test_who_was_removed_comes_back_to_where_its_account_is(scene: Scene) -> None:
    names = [f"a-{number}" for number in range(4)]
    settings = make_settings(scene.folder.root, *names)
    two = settings.model_copy(update={"fleet": FleetSettings(recorders=2)})
    scene.supervisor = scene.make(two)
    scene.supervisor.start()
    assert cameras_of(scene.now("recorder-2").settings) == ["a-1", "a-3"]
    scene.supervisor.apply(two.model_copy(update={"camera": settings.camera[3:]}))
    scene.supervisor.apply(two.model_copy(update={"camera": (settings.camera[1], settings.camera[3])}))
    (home,) = (child for child in scene.supervisor.children if child.name == "recorder-2")
    assert cameras_of(home.settings) == ["a-1", "a-3"]


def test_a_removed_camera_keeps_its_home_over_a_restart(scene: Scene) -> None:
    with JournalWriter(scene.folder.journal / "recorder-2", clock=scene.clock) as journal:
        journal.append(GapOpened("gap", "old", GapCause.REMOVED.value, scene.clock.wall_us(), ""))
    two = make_settings(scene.folder.root, "a", "b").model_copy(update={"fleet": FleetSettings(recorders=2)})
    scene.supervisor = scene.make(two)
    scene.supervisor.start()
    back = make_settings(scene.folder.root, "old", "a", "b").camera
    scene.supervisor.apply(two.model_copy(update={"camera": back}))
    (home,) = (child for child in scene.supervisor.children if child.name == "recorder-2")
    assert cameras_of(home.settings) == ["old", "b"]


def test_a_camera_may_be_asked_for_while_its_process_is_made(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    # As the thread of the metrics does.
    asked: list[dict[str, object]] = []
    make = supervising.Child

    def making(*arguments: Any, **options: Any) -> raising.Child:
        asked.extend(scene.supervisor.recording(name) for name in ("a", "b"))
        return make(*arguments, **options)

    scene.supervisor = scene.make(make_settings(scene.folder.root, "a", "b"))
    monkeypatch.setattr(supervising, "Child", making)
    scene.supervisor.start()
    assert asked
    assert not any(asked)


def test_what_cannot_change_is_refused_before_anything_is_touched(scene: Scene, tmp_path: Path) -> None:
    scene.supervisor.start()
    for name in (RECORDER, ANALYST):
        scene.now(name).orders()
    moved = make_settings(tmp_path / "elsewhere", "gate", "park")
    with pytest.raises(ConfigError, match="data folder"):
        scene.supervisor.apply(moved)
    locked = make_settings(scene.folder.root, "gate")
    camera = locked.camera[0].model_copy(update={"password_file": tmp_path / "gone"})
    with pytest.raises(ConfigError, match="password_file"):
        scene.supervisor.apply(locked.model_copy(update={"camera": (camera,)}))
    assert scene.now(RECORDER).orders() == []
    assert scene.supervisor.settings == scene.settings


def test_a_changed_file_is_read_and_a_bad_one_is_told_and_changes_nothing(
    scene: Scene, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "lamppost.toml"
    path.write_text("one")
    versions: list[Settings | ConfigError] = [ConfigError("line 7 is wrong"), make_settings(scene.folder.root, "gate")]

    def load() -> Settings:
        version = versions.pop(0)
        if isinstance(version, ConfigError):
            raise version
        return version

    watch = ConfigWatch(path, load, scene.clock)
    scene.supervisor.start()
    run = lambda: scene.supervisor.watch(threading.Event(), 3.0, lambda _: None, watch)  # noqa: E731
    run()
    assert len(versions) == 2, "an unchanged file is not read"
    path.write_text("broken")
    run()
    assert "line 7 is wrong" in "".join(capsys.readouterr())
    assert scene.supervisor.settings == scene.settings
    path.write_text("mended, and longer")
    run()
    assert cameras_of(scene.supervisor.settings) == ["gate"]
    path.unlink()
    run()
    assert "is gone" in "".join(capsys.readouterr())


def tell_retention(scene: Scene, *, is_stuck: bool) -> None:
    """The bookkeeper reports; a thread of the supervisor's reads it, sooner or later."""
    report = {"retention": {"stuck_by_holds": is_stuck}}
    scene.now(BOOKKEEPER).channel.send(report)
    bookkeeper = next(child for child in scene.supervisor.children if child.role is Role.BOOKKEEPER)
    deadline_s = time.monotonic() + PATIENCE_S
    while bookkeeper.status != report and time.monotonic() < deadline_s:
        os.sched_yield()
    scene.watch(1.0)


def test_recorders_stop_while_everything_is_held_and_a_new_one_is_told_so(scene: Scene) -> None:
    scene.supervisor.start()
    tell_retention(scene, is_stuck=True)
    assert {"order": "hold", "is_held": True} in [order.body for order in scene.now(RECORDER).orders()]
    assert [condition.kind for condition in scene.supervisor.alarms] == ["recording_held"]
    scene.now(RECORDER).die(1)
    scene.watch(1.0)
    assert {"order": "hold", "is_held": True} in [order.body for order in scene.now(RECORDER).orders()]
    tell_retention(scene, is_stuck=False)
    assert {"order": "hold", "is_held": False} in [order.body for order in scene.now(RECORDER).orders()]
    assert scene.supervisor.alarms == ()


def test_a_recorder_that_is_made_while_everything_is_held_is_told_so(scene: Scene) -> None:
    scene.supervisor = scene.make(make_settings(scene.folder.root, *(f"a-{n}" for n in range(100))), cores=2)
    scene.supervisor.start()
    tell_retention(scene, is_stuck=True)
    scene.supervisor.apply(make_settings(scene.folder.root, *(f"a-{n}" for n in range(101))))
    assert {"order": "hold", "is_held": True} in [order.body for order in scene.now("recorder-2").orders()]


def test_a_process_that_stands_still_is_an_alarm_and_no_camera_of_it_is_called_recorded(scene: Scene) -> None:
    scene.supervisor.start()
    scene.now(RECORDER).channel.send({"cameras": {"gate": {"state": "recording"}}})
    (recorder,) = (child for child in scene.supervisor.children if child.name == RECORDER)
    deadline_s = time.monotonic() + PATIENCE_S
    while not recorder.status and time.monotonic() < deadline_s:
        os.sched_yield()
    assert scene.supervisor.recording("gate")["state"] == "recording"
    scene.watch(SILENT_S + 2)
    assert "process_silent" in [condition.kind for condition in scene.supervisor.alarms]
    assert scene.supervisor.recording("gate")["state"] == "silent"


def test_an_order_that_was_not_taken_is_given_again(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    scene.supervisor.start()
    scene.now(RECORDER).orders()
    with monkeypatch.context() as patch:
        patch.setattr(ControlChannel, "send_whole", lambda *_, **__: False)
        scene.supervisor.apply(make_settings(scene.folder.root, "gate"))
    assert scene.now(RECORDER).orders() == []
    scene.watch(1.0)
    (told,) = scene.now(RECORDER).orders()
    assert cameras_of(parse_settings(told.body["settings"])) == ["gate"]


def test_a_start_waits_for_the_children_of_a_supervisor_that_was_killed(scene: Scene) -> None:
    (scene.folder.journal / "recorder-1").mkdir(parents=True)
    orphan = JournalWriter(scene.folder.journal / "recorder-1", clock=scene.clock)
    real = scene.clock.wait

    def wait(stop: threading.Event, timeout_s: float) -> bool:
        if scene.clock.monotonic_s() > 3:
            orphan.close()
        return real(stop, timeout_s)

    scene.clock.wait = wait  # type: ignore[method-assign]
    scene.supervisor.start()
    assert 3 < scene.clock.monotonic_s() < 4
    assert len(scene.lives[RECORDER]) == 1


def test_a_start_does_not_wait_for_ever(scene: Scene) -> None:
    (scene.folder.journal / "recorder-1").mkdir(parents=True)
    with JournalWriter(scene.folder.journal / "recorder-1", clock=scene.clock), pytest.raises(DataFolderBusy):
        scene.supervisor.start()
    assert scene.clock.monotonic_s() > 10


def with_a_server(scene: Scene) -> ScriptedProcess:
    scene.supervisor = scene.make(scene.settings.model_copy(update={"server": ServerSettings(listen="127.0.0.1:8080")}))
    scene.supervisor.start()
    scene.now(ANALYST).orders()
    return scene.now("server")


def told(process: ScriptedProcess, order: str, patience_s: float = 2.0) -> dict[str, Any] | None:
    """The next order of that kind, from the thread that listens to another child; None where none comes."""
    deadline_s = time.monotonic() + patience_s
    while time.monotonic() < deadline_s:
        try:
            message = process.channel.receive(0.02)
        except TimeoutError:
            continue
        if message is not None and message.body.get("order") == order:
            return message.body
    return None


def test_a_cover_goes_from_the_server_to_the_analyst_and_its_answer_back(scene: Scene) -> None:
    server = with_a_server(scene)
    server.channel.send({"word": "cover", "camera": "gate", "for_s": 8.5, "number": 41})
    assert told(scene.now(ANALYST), "turned") == {"order": "turned", "camera": "gate", "for_s": 8.5, "number": 41}
    assert told(server, "covered", 0.1) is None, "nobody has said so yet"
    scene.now(ANALYST).channel.send({"word": "covered", "number": 41})
    assert told(server, "covered") == {"order": "covered", "number": 41}


def test_nobody_answers_for_a_camera_that_nobody_knows(scene: Scene) -> None:
    server = with_a_server(scene)
    server.channel.send({"word": "cover", "camera": "moon", "for_s": 8.5, "number": 41})
    assert told(server, "covered", 0.2) is None
    assert told(scene.now(ANALYST), "turned", 0.1) is None


def test_an_analyst_that_starts_while_a_camera_turns_is_told_before_it_gets_a_picture(scene: Scene) -> None:
    server = with_a_server(scene)
    server.channel.send({"word": "cover", "camera": "gate", "for_s": 60.0, "number": 41})
    assert told(scene.now(ANALYST), "turned") is not None
    scene.now(ANALYST).die(-signal.SIGKILL)
    scene.watch(3)
    orders = [order.body for order in scene.now(ANALYST).orders()]
    assert [order["order"] for order in orders] == ["turned", "feed", "feed"]
    assert orders[0]["camera"] == "gate"
    assert 55 < orders[0]["for_s"] < 60


def test_where_there_is_no_analyst_nothing_is_shown_and_that_is_covered(scene: Scene) -> None:
    server = with_a_server(scene)
    scene.now(ANALYST).die(-signal.SIGKILL)
    scene.spawn_failure = OSError("no processes")
    scene.watch(0.5)
    server.channel.send({"word": "cover", "camera": "gate", "for_s": 60.0, "number": 41})
    assert told(server, "covered") == {"order": "covered", "number": 41}
    scene.spawn_failure = None
    scene.watch(15)
    assert [order.body["order"] for order in scene.now(ANALYST).orders()] == ["turned", "feed", "feed"]


def test_words_are_no_status(scene: Scene) -> None:
    scene.supervisor.start()
    scene.now(ANALYST).channel.send({"cameras": {"gate": {"covered_frames": 3}}})
    scene.now(ANALYST).channel.send({"word": "covered", "number": 1})
    scene.now(ANALYST).die(1)  # what a child has said is read before another takes its place
    scene.watch(3)
    assert covered(scene) == 3
