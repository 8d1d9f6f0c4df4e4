"""Starts the processes, keeps them alive, and ends them in good order.

The supervisor holds the data folder. It touches no packet and no index: it
spawns a bookkeeper, a recorder and an analyst, joins recorder and analyst by
one socket a camera, starts anew what dies, and collects what they report.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from lamppost.base.clock import Clock
from lamppost.base.durable import make_directory
from lamppost.base.errors import ConfigError, StoreError
from lamppost.base.ids import timed_id
from lamppost.base.logging import get_logger, redact
from lamppost.model.books import Act
from lamppost.model.layout import DataFolder
from lamppost.model.settings import Settings
from lamppost.pipeline.child import spawn
from lamppost.pipeline.control import ControlChannel
from lamppost.pipeline.summary import RunSummary, summarise
from lamppost.store.journal import JournalWriter, hold_lock

RECORDER: Final = "recorder"
ANALYST: Final = "analyst"
BOOKKEEPER: Final = "bookkeeper"
MODULES: Final = {
    BOOKKEEPER: "lamppost.pipeline.bookkeeper",
    RECORDER: "lamppost.pipeline.recorder",
    ANALYST: "lamppost.pipeline.analyst",
}
STOP_PATIENCE_S: Final = {RECORDER: 1.5, ANALYST: 2.0, BOOKKEEPER: 0.8}  # less than 5 s together, with a summary of half a second
RESTART_FIRST_S: Final = 0.2
RESTART_CAP_S: Final = 10.0
STEADY_S: Final = 30.0  # a child that lived so long starts anew at once
STDERR_LINE_LIMIT: Final = 4096
LAST_WORDS_S: Final = 0.5


@dataclass(slots=True)
class ChildState:
    """One child process, as the supervisor sees it."""

    name: str
    process: subprocess.Popen[bytes] | None = None
    channel: ControlChannel | None = None
    collector: threading.Thread | None = None
    started_s: float = 0.0
    restart_at_s: float = 0.0
    pause_s: float = RESTART_FIRST_S
    deaths: int = 0
    failure: str = ""
    status: dict[str, Any] = field(default_factory=dict[str, Any])
    covered_before: Counter[str] = field(default_factory=Counter[str])  # covered frames of earlier lives, per camera

    def covered_frames(self, camera: str) -> int:
        """Of all lives of this child since the supervisor started."""
        return self.covered_before[camera] + int(self.status.get("cameras", {}).get(camera, {}).get("covered_frames", 0))

    def carry_over(self) -> None:
        """Add what a dead child had reported to the totals."""
        for camera in self.status.get("cameras", {}):
            self.covered_before[camera] = self.covered_frames(camera)
        self.status = {}


class Supervisor:
    """The parent of one node's processes.

    `start` raises `DataFolderBusy` when another supervisor holds the folder.
    `stop` ends the children in the order in which the data flows, so that the
    index is complete when it returns; a child that does not end is killed.
    """

    def __init__(self, settings: Settings, *, clock: Clock, write_line: Callable[[str], None]) -> None:
        self._settings = settings
        self._clock = clock
        self._write_line = write_line
        self._folder = DataFolder(settings.data)
        self._children = {name: ChildState(name) for name in MODULES}
        self._log = get_logger("supervisor")
        self._lock_descriptor = -1
        self._journal: JournalWriter | None = None
        self._mutex = threading.Lock()
        self._stopped_us = 0

    def start(self) -> None:
        """Take the data folder and start the children."""
        make_directory(self._folder.run)
        self._lock_descriptor = hold_lock(self._folder.run / "supervisor.lock")
        self._journal = JournalWriter(self._folder.journal / "supervisor", clock=self._clock)
        self._act("started", {"cameras": [camera.name for camera in self._settings.camera]})
        for child in self._children.values():
            self._spawn(child)
        self._join_feeds()

    def watch(self, stop: threading.Event, for_s: float | None, on_tick: Callable[[dict[str, ChildState]], None]) -> None:
        """Keep the children alive until `stop` is set or `for_s` have passed; call `on_tick` twice a second."""
        end_s = None if for_s is None else self._clock.monotonic_s() + for_s
        next_tick_s = 0.0
        while not self._clock.wait(stop, 0.1):
            now_s = self._clock.monotonic_s()
            self._restart_the_dead(now_s)
            if now_s >= next_tick_s:
                next_tick_s = now_s + 0.5
                on_tick(self._children)
            if end_s is not None and now_s >= end_s:
                return

    def stop(self) -> None:
        """End everything: recorder, then analyst, then bookkeeper; each has its patience.

        What the others leave unused of theirs is the bookkeeper's, so that the index is complete.
        """
        started_s = self._clock.monotonic_s()
        self._stopped_us = self._clock.wall_us()
        self._revive_bookkeeper(started_s)
        self._act("stopped", {"deaths": {child.name: child.deaths for child in self._children.values()}})
        if self._journal is not None:
            with contextlib.suppress(StoreError):  # told already, when an act was refused
                self._journal.close()
        for name in (RECORDER, ANALYST):
            self._end(self._children[name], STOP_PATIENCE_S[name])
        left_s = sum(STOP_PATIENCE_S.values()) - (self._clock.monotonic_s() - started_s)
        self._end(self._children[BOOKKEEPER], max(STOP_PATIENCE_S[BOOKKEEPER], left_s))
        if self._lock_descriptor >= 0:
            os.close(self._lock_descriptor)
            self._lock_descriptor = -1

    def report(self, since_us: int) -> RunSummary:
        """What was made since `since_us`, from the index; call it after `stop`."""
        covered = {camera.name: self._children[ANALYST].covered_frames(camera.name) for camera in self._settings.camera}
        problems = {camera.name: self._problem(camera.name) for camera in self._settings.camera}
        return summarise(
            self._folder,
            [camera.name for camera in self._settings.camera],
            since_us=since_us,
            until_us=self._stopped_us,
            covered_frames=covered,
            problems=problems,
            deaths={child.name: child.deaths for child in self._children.values() if child.deaths},
        )

    def _problem(self, camera: str) -> str:
        for name in (RECORDER, ANALYST):
            problem = self._children[name].status.get("cameras", {}).get(camera, {}).get("problem", "")
            if problem:
                return redact(str(problem))
        return ""

    def _spawn(self, child: ChildState) -> None:
        process, channel = spawn(MODULES[child.name], self._settings)
        child.process, child.channel = process, channel
        child.started_s = self._clock.monotonic_s()
        child.restart_at_s = 0.0
        child.failure = ""
        child.collector = threading.Thread(target=self._collect, args=(child, channel), name=f"{child.name}-status", daemon=True)
        child.collector.start()
        threading.Thread(target=self._pass_on, args=(process,), name=f"{child.name}-stderr", daemon=True).start()
        self._log.debug("started", child=child.name, pid=process.pid)

    def _join_feeds(self) -> None:
        """Give recorder and analyst the two ends of a new socket for each camera."""
        recorder, analyst = self._children[RECORDER].channel, self._children[ANALYST].channel
        if recorder is None or analyst is None:
            return
        for camera in self._settings.camera:
            near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
            with near, far:
                recorder.send_whole({"order": "feed", "camera": camera.name}, (near.fileno(),))
                analyst.send_whole({"order": "feed", "camera": camera.name}, (far.fileno(),))

    def _restart_the_dead(self, now_s: float) -> None:
        must_join = False
        for child in self._children.values():
            if child.process is not None and child.process.poll() is not None:
                self._note_death(child, now_s)
            if child.process is None and now_s >= child.restart_at_s and self._spawn_again(child, now_s):
                must_join = must_join or child.name in (RECORDER, ANALYST)
        if must_join:
            self._join_feeds()

    def _spawn_again(self, child: ChildState, now_s: float) -> bool:
        """Start `child` anew; false where that cannot be done now, which the others must survive."""
        try:
            self._spawn(child)
        except (ConfigError, OSError) as error:  # a password file that is gone, no memory, no processes
            self._log.error("cannot start a child", child=child.name, problem=str(error))
            child.restart_at_s = now_s + RESTART_CAP_S
            return False
        return True

    def _note_death(self, child: ChildState, now_s: float) -> None:
        process = child.process
        if process is None:
            return
        child.deaths += 1
        child.pause_s = RESTART_FIRST_S if now_s - child.started_s > STEADY_S else min(child.pause_s * 2, RESTART_CAP_S)
        child.restart_at_s = now_s + child.pause_s
        code = process.returncode
        reason = f"killed by signal {-code}" if code < 0 else f"exit code {code}"
        child.process = None
        self._hang_up(child)
        self._log.error("child died", child=child.name, reason=reason, restart_in_s=round(child.pause_s, 1))
        self._act("process_died", {"process": child.name, "reason": reason, "failure": redact(child.failure)})
        child.carry_over()

    def _revive_bookkeeper(self, now_s: float) -> None:
        """Have one to apply the last records, also where it died just now and would start later."""
        child = self._children[BOOKKEEPER]
        if child.process is not None and child.process.poll() is not None:
            self._note_death(child, now_s)
        if child.process is None and child.deaths and self._lock_descriptor >= 0:
            self._spawn_again(child, now_s)

    def _end(self, child: ChildState, patience_s: float) -> None:
        process, channel = child.process, child.channel
        if process is None:
            return
        # The order waits for a child that is still starting; a signal would end it before its work is done.
        if channel is None or not channel.send_whole({"order": "stop"}, timeout_s=0.2):
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
        try:
            process.wait(patience_s)
        except subprocess.TimeoutExpired:
            self._log.error("child did not end in time and is killed", child=child.name)
            process.kill()
            process.wait()
        child.process = None
        self._hang_up(child)

    def _hang_up(self, child: ChildState) -> None:
        """Close the line to a child that has ended, once its last words are read."""
        if child.collector is not None:
            child.collector.join(LAST_WORDS_S)
            child.collector = None
        if child.channel is not None:
            child.channel.close()
            child.channel = None

    def _collect(self, child: ChildState, channel: ControlChannel) -> None:
        while True:
            try:
                message = channel.receive()
            except OSError:
                return  # we closed the channel
            if message is None:
                return
            with self._mutex:
                if "failure" in message.body:
                    child.failure = message.body["failure"]
                else:
                    child.status = message.body

    def _pass_on(self, process: subprocess.Popen[bytes]) -> None:
        """Copy a child's standard error to ours, secrets cut out, line by line."""
        stream = process.stderr
        if stream is None:
            return
        with stream, contextlib.suppress(ValueError, OSError):
            while line := stream.readline(STDERR_LINE_LIMIT):
                self._write_line(redact(line.decode("utf-8", "replace")))

    def _act(self, kind: str, detail: dict[str, Any]) -> None:
        if self._journal is None:
            return
        now_us = self._clock.wall_us()
        act = Act(act_id=timed_id(now_us), kind=kind, wall_us=now_us, actor="lamppost serve", subject="node", detail=json.dumps(detail))
        try:
            self._journal.append(act)
        except StoreError as error:
            # A full disk must keep neither the dead from being started anew nor the living from being ended.
            self._log.error("the journal cannot take an act", kind=kind, problem=str(error))
