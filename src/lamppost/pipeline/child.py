"""What every child process does the same: orders in, status out, end in good order.

A child is started as `python -m MODULE FD` with one end of a control channel.
Its first message is its name and the settings. It stops when told to, at SIGTERM, or when
the supervisor is gone; it never outlives it by more than the stop takes.
"""

from __future__ import annotations

import os
import resource
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from lamppost.base.clock import Clock, SystemClock
from lamppost.base.errors import DataFolderBusy, LamppostError, StoreError
from lamppost.base.logging import configure_logging, get_logger
from lamppost.base.signals import on_signals
from lamppost.model.layout import DataFolder
from lamppost.model.settings import Settings
from lamppost.pipeline.control import ControlChannel, Message
from lamppost.store.journal import JournalWriter

BUSY_PATIENCE_S = 10.0
BUSY_POLL_S = 0.1
STATUS_INTERVAL_S = 0.5
SETTINGS_PATIENCE_S = 30.0


Held = TypeVar("Held")


def settings_message(settings: Settings) -> dict[str, Any]:
    """The settings for a child, passwords resolved: for the control channel only."""
    message = settings.model_dump(mode="json")
    message["data"] = str(settings.data.resolve())
    for camera, table in zip(settings.camera, message["camera"], strict=True):
        secret = camera.resolved_password()
        table["password"], table["password_file"] = secret, None
    return message


def parse_settings(message: dict[str, Any]) -> Settings:
    """The settings that `settings_message` made a message of."""
    return Settings.model_validate(message)


def spawn(module: str, name: str, settings: Settings, *, config: Path | None = None) -> tuple[subprocess.Popen[bytes], ControlChannel]:
    """Start `module` as the child `name` with `settings`; its standard error is a pipe. `config` is the file that they are of.

    Raises `ConfigError` when a password cannot be read, and `OSError`; then nothing was started.
    """
    message = {"name": name, "settings": settings_message(settings), "config": str(config.resolve()) if config is not None else ""}
    channel, their_end = ControlChannel.pair()
    with their_end:
        try:
            process = subprocess.Popen(
                [sys.executable, "-m", module, str(their_end.fileno())],
                pass_fds=(their_end.fileno(),),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
            )
        except OSError:
            channel.close()
            raise
    channel.send_whole(message)
    return process, channel


@dataclass(frozen=True, slots=True)
class ChildContext:
    """What a child's work is given; `name` is also that of its journal."""

    name: str
    settings: Settings
    folder: DataFolder
    clock: Clock
    stop: threading.Event
    channel: ControlChannel
    config: Path | None = None  # the file that the settings are of, where one is


class OrderBox:
    """Keeps the supervisor's orders until somebody is there to take them; then hands on each as it comes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[Message] = []
        self._taker: Callable[[Message], None] | None = None

    def take(self, message: Message) -> None:
        """From the control thread: an order came."""
        with self._lock:
            if self._taker is None:
                self._waiting.append(message)  # bounded by what a supervisor sends to a child that is starting
                return
            self._taker(message)

    def hand_to(self, taker: Callable[[Message], None]) -> None:
        """Give `taker` what waits, and from now on what comes."""
        with self._lock:
            self._taker = taker
            waiting, self._waiting = self._waiting, []
            for message in waiting:
                taker(message)


def run_child(work: Callable[[ChildContext], None], on_message: Callable[[Message], None] | None = None) -> None:
    """The whole life of a child process; `work` returns when `context.stop` is set.

    Exits 0 after a stop, 3 when the work failed with a `LamppostError`.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core dump would hold frames and packets
    channel = ControlChannel(socket.socket(fileno=int(sys.argv[1])))
    first = channel.receive(SETTINGS_PATIENCE_S)
    if first is None:
        sys.exit(0)
    name, settings = str(first.body["name"]), parse_settings(first.body["settings"])
    configure_logging(process=name, level=settings.log.level, as_json=settings.log.as_json)
    stop = threading.Event()
    on_signals(stop.set, signal.SIGTERM)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the supervisor, which tells us
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # likewise
    config = Path(first.body["config"]) if first.body.get("config") else None
    context = ChildContext(name, settings, DataFolder(settings.data), SystemClock(), stop, channel, config)
    threading.Thread(target=_listen, args=(context, on_message), name="control", daemon=True).start()
    try:
        work(context)
    except LamppostError as error:
        get_logger(name).error("stopped by an error", problem=str(error))
        channel.send({"failure": str(error)})
        sys.exit(3)


def when_free(context: ChildContext, take: Callable[[], Held]) -> Held:
    """What `take` returns; tried again while the child before us is still ending.

    Raises `DataFolderBusy` when it does not end in `BUSY_PATIENCE_S`.
    """
    deadline_s = context.clock.monotonic_s() + BUSY_PATIENCE_S
    while True:
        try:
            return take()
        except DataFolderBusy:
            if context.clock.monotonic_s() > deadline_s or context.clock.wait(context.stop, BUSY_POLL_S):
                raise


def open_journal(context: ChildContext, writer: str) -> JournalWriter:
    """The journal of `writer`, which this process now owns; raises `DataFolderBusy`."""
    folder, interval_s = context.folder.journal / writer, context.settings.recording.sync_interval_s
    return when_free(context, lambda: JournalWriter(folder, clock=context.clock, sync_interval_s=interval_s))


def tend(context: ChildContext, journal: JournalWriter, look: Callable[[], None]) -> None:
    """Until told to stop, sync `journal` when that is due, and `look` twice a second.

    A disk that fails is told once and ends nobody: those who write declare what is lost, and try again.
    """
    told = ""
    while not context.clock.wait(context.stop, STATUS_INTERVAL_S):
        try:
            journal.sync_if_due()
            told = ""
        except StoreError as error:
            if str(error) != told:
                get_logger("store").error("the journal cannot be synced", problem=str(error))
            told = str(error)
        look()


def _listen(context: ChildContext, on_message: Callable[[Message], None] | None) -> None:
    while True:
        message = context.channel.receive()
        if message is None or message.body.get("order") == "stop":
            context.stop.set()
            if message is None:
                return
        elif on_message is not None:
            on_message(message)
        else:
            for descriptor in message.descriptors:
                os.close(descriptor)
