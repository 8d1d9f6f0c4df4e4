"""One child process, as the supervisor sees it: started, listened to, told, ended, and started anew.

Nothing here waits for a child longer than the patience that it is given.
"""

from __future__ import annotations

import contextlib
import subprocess
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from lamppost.base.clock import Clock
from lamppost.base.errors import ConfigError
from lamppost.base.logging import get_logger, redact
from lamppost.model.settings import Settings
from lamppost.pipeline.child import settings_message, spawn
from lamppost.pipeline.control import ControlChannel
from lamppost.pipeline.fleet import Role

MODULES: Final = MappingProxyType(
    {
        Role.BOOKKEEPER: "lamppost.pipeline.bookkeeper",
        Role.RECORDER: "lamppost.pipeline.recorder",
        Role.ANALYST: "lamppost.pipeline.analyst",
        Role.NOTIFIER: "lamppost.pipeline.notifier",
        Role.CARETAKER: "lamppost.pipeline.caretaker",
        Role.SERVER: "lamppost.api.server",
    }
)
RESTART_FIRST_S: Final = 0.2
RESTART_CAP_S: Final = 10.0
STEADY_S: Final = 30.0  # a child that lived so long starts anew at once
STDERR_LINE_LIMIT: Final = 4096
LAST_WORDS_S: Final = 0.5
INSIST_S: Final = 0.2


class Child:
    """A process of one role, through all its lives."""

    def __init__(
        self,
        name: str,
        role: Role,
        settings: Settings,
        *,
        clock: Clock,
        write_line: Callable[[str], None],
        config: Path | None = None,
        on_word: Callable[[Child, dict[str, Any]], None] | None = None,
    ) -> None:
        self.name = name
        self.role = role
        self.deaths = 0
        self.failure = ""
        self.reason = ""  # of the last death
        self.status: dict[str, Any] = {}
        self.started_s = 0.0
        self._heard_s = 0.0
        self._due: dict[str, dict[str, Any]] = {}  # orders that it did not take yet, the newest of each kind
        self._settings = settings
        self._config = config
        self._clock = clock
        self._write_line = write_line
        self._on_word = on_word
        self._process: subprocess.Popen[bytes] | None = None
        self._channel: ControlChannel | None = None
        self._collector: threading.Thread | None = None
        self._restart_at_s = 0.0
        self._pause_s = RESTART_FIRST_S
        self._covered_before: Counter[str] = Counter()  # covered frames of earlier lives, per camera
        self._log = get_logger("supervisor").bind(child=name)

    @property
    def settings(self) -> Settings:
        """What it was told last."""
        return self._settings

    @property
    def process_id(self) -> int | None:
        """None while it is dead."""
        return self._process.pid if self._process is not None else None

    @property
    def silent_s(self) -> float:
        """For how long it has said nothing, though it lives; 0 while it is dead."""
        return 0.0 if self._process is None else self._clock.monotonic_s() - max(self._heard_s, self.started_s)

    def start(self) -> None:
        """Spawn it; raises `ConfigError` when a password cannot be read, and `OSError`."""
        process, channel = spawn(MODULES[self.role], self.name, self._settings, config=self._config)
        self._process, self._channel = process, channel
        self.started_s = self._clock.monotonic_s()
        self.failure = ""
        self._due.clear()
        self._collector = threading.Thread(target=self._collect, args=(channel,), name=f"{self.name}-status", daemon=True)
        self._collector.start()
        threading.Thread(target=self._pass_on, args=(process,), name=f"{self.name}-stderr", daemon=True).start()
        self._log.debug("started", pid=process.pid)

    def has_died(self) -> bool:
        """True once for each death: it will be started anew after a pause that grows with each."""
        process = self._process
        if process is None or process.poll() is None:
            return False
        now_s = self._clock.monotonic_s()
        self.deaths += 1
        self._pause_s = RESTART_FIRST_S if now_s - self.started_s > STEADY_S else min(self._pause_s * 2, RESTART_CAP_S)
        self._restart_at_s = now_s + self._pause_s
        code = process.returncode
        self.reason = f"killed by signal {-code}" if code < 0 else f"exit code {code}"
        self._process = None
        self._hang_up()
        self._log.error("child died", reason=self.reason, restart_in_s=round(self._pause_s, 1))
        self._carry_over()
        return True

    def is_due(self) -> bool:
        """Whether it is dead and its pause is over."""
        return self._process is None and self._clock.monotonic_s() >= self._restart_at_s

    def start_again(self) -> bool:
        """Start it anew; false where that cannot be done now, which the others must survive."""
        try:
            self.start()
        except (ConfigError, OSError) as error:  # a password file that is gone, no memory, no processes
            self._log.error("cannot start a child", problem=str(error))
            self._restart_at_s = self._clock.monotonic_s() + RESTART_CAP_S
            return False
        return True

    def use(self, settings: Settings) -> None:
        """From now on, and in its next lives, these settings; raises `ConfigError` when a password cannot be read."""
        message = {"order": "settings", "settings": settings_message(settings)}
        self._settings = settings
        self.insist(message)

    def tell(self, order: dict[str, Any], descriptors: tuple[int, ...] = (), timeout_s: float = 5.0) -> bool:
        """Send an order; false when it is dead or does not take it."""
        return self._channel is not None and self._channel.send_whole(order, descriptors, timeout_s)

    def insist(self, order: dict[str, Any]) -> None:
        """Send an order now, or when it takes orders again; a later one of the same kind stands for it."""
        self._due[str(order["order"])] = order
        self.remind()

    def remind(self) -> None:
        """Send what it did not take; call it now and then."""
        for kind, order in tuple(self._due.items()):
            if self.tell(order, timeout_s=INSIST_S):
                del self._due[kind]

    def begin_end(self) -> None:
        """Tell it to end."""
        if self._process is None:
            return
        # The order waits for a child that is still starting; a signal would end it before its work is done.
        if self._channel is None or not self._channel.send_whole({"order": "stop"}, timeout_s=0.2):
            with contextlib.suppress(ProcessLookupError):
                self._process.terminate()

    def end(self, patience_s: float) -> None:
        """Wait until it has ended; kill it when it does not."""
        process = self._process
        if process is None:
            return
        try:
            process.wait(max(0.0, patience_s))
        except subprocess.TimeoutExpired:
            self._log.error("child did not end in time and is killed")
            process.kill()
            process.wait()
        self._process = None
        self._hang_up()

    def of_camera(self, camera: str) -> dict[str, Any]:
        """What it reported last of a camera; empty when nothing."""
        found: dict[str, Any] = self.status.get("cameras", {}).get(camera, {})
        return found

    def covered_frames(self, camera: str) -> int:
        """Of all its lives since the supervisor started."""
        return self._covered_before[camera] + int(self.of_camera(camera).get("covered_frames", 0))

    def _carry_over(self) -> None:
        """Add what a dead child had reported to the totals."""
        for camera in self.status.get("cameras", {}):
            self._covered_before[camera] = self.covered_frames(camera)
        self.status = {}

    def _hang_up(self) -> None:
        """Close the line to a child that has ended, once its last words are read."""
        if self._collector is not None:
            self._collector.join(LAST_WORDS_S)
            self._collector = None
        if self._channel is not None:
            self._channel.close()
            self._channel = None

    def _collect(self, channel: ControlChannel) -> None:
        while True:
            try:
                message = channel.receive()
            except OSError:
                return  # we closed the channel
            if message is None:
                return
            if "failure" in message.body:
                self.failure = redact(str(message.body["failure"]))
            elif "word" in message.body:  # something to be passed on at once, and no status
                if self._on_word is not None:
                    self._on_word(self, message.body)
            else:
                self.status = message.body
                self._heard_s = self._clock.monotonic_s()

    def _pass_on(self, process: subprocess.Popen[bytes]) -> None:
        """Copy a child's standard error to ours, secrets cut out, line by line."""
        stream = process.stderr
        if stream is None:
            return
        with stream, contextlib.suppress(ValueError, OSError):
            while line := stream.readline(STDERR_LINE_LIMIT):
                self._write_line(redact(line.decode("utf-8", "replace")))
