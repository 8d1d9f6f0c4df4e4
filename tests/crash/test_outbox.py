"""Broker, bookkeeper, notifier and index go away at random under load: every event arrives, and twice only under the same id."""

from __future__ import annotations

import json
import logging
import random
import signal
import sqlite3
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from faulty_http import Answer, FaultyServer, Request
from lamppost.base.clock import SystemClock
from lamppost.base.ids import timed_id
from lamppost.model.books import EventClosed, EventEnded, EventOpened, EventUpdated, Severity, SnapshotTaken
from lamppost.model.carriers import NotifySettings
from lamppost.model.layout import DataFolder
from lamppost.model.settings import SealingSettings, Settings
from lamppost.pipeline.child import spawn
from lamppost.pipeline.children import MODULES
from lamppost.pipeline.control import ControlChannel
from lamppost.pipeline.fleet import Role
from lamppost.store.journal import JournalWriter
from lamppost.store.outbox_view import OutboxTally, OutboxView
from mqtt_broker import Broker, Subscriber

pytestmark = pytest.mark.debian
SEED = 20261128
PATIENCE_S = 90.0
_LOG = logging.getLogger(__name__)  # shown with --log-cli-level=info
VICTIMS = ("broker", "bookkeeper", "notifier", "index")


class Process:
    """A child as the supervisor starts it, killed without a word and started anew."""

    def __init__(self, role: Role, settings: Settings) -> None:
        self._role, self._settings = role, settings
        self._process: subprocess.Popen[bytes] | None = None
        self._channel: ControlChannel | None = None
        self._threads: tuple[threading.Thread, ...] = ()
        self.said: list[str] = []

    def start(self) -> None:
        self._process, self._channel = spawn(MODULES[self._role], self._role.value, self._settings)
        self._threads = (
            threading.Thread(target=self._listen, args=(self._channel,), daemon=True),
            threading.Thread(target=self._hear, args=(self._process,), daemon=True),
        )
        for thread in self._threads:
            thread.start()

    def kill(self) -> None:
        assert self._process is not None
        assert self._channel is not None
        assert self._process.poll() is None, "".join(self.said[-40:])
        self._process.kill()
        self._process.wait()
        for thread in self._threads:
            thread.join()
        self._channel.close()

    def close(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self.kill()

    def _hear(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stderr is not None
        with process.stderr as stream:
            self.said += (line.decode() for line in stream)

    def _listen(self, channel: ControlChannel) -> None:
        """Read its reports, so that there is always room for the next."""
        while channel.receive() is not None:
            pass


class Street:
    """Journals events without a pause: of cameras and of the node, with and without changes and pictures."""

    def __init__(self, folder: DataFolder, dice: random.Random) -> None:
        self.expected: dict[str, int] = {}  # event: its notices
        self._folder, self._dice, self._clock = folder, dice, SystemClock()
        self._journal = JournalWriter(folder.journal / "analyst-1", clock=self._clock, max_bytes=100_000)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()
        self._journal.close()

    def _run(self) -> None:
        lasting: list[str] = []
        while not self._clock.wait(self._stop, 0.03):
            lasting.append(self._begin())
            if len(lasting) > 20:
                self._end(lasting.pop(self._dice.randrange(len(lasting))))
        for event_id in lasting:
            self._end(event_id)

    def _begin(self) -> str:
        now_us = self._clock.wall_us()
        event_id = timed_id(now_us)
        camera = self._dice.choice((None, "plaza", "gate"))
        detail = json.dumps({"rule": "r", "place": "zone", "kind": "person", "count": 1})
        self._journal.append(EventOpened(event_id, "zone_entered", Severity.WARNING, camera, now_us, detail))
        self.expected[event_id] = 1
        if camera is not None and self._dice.random() < 0.7:
            path = f"snapshots/{camera}/{event_id}.jpg"
            self._journal.append(SnapshotTaken(event_id, camera, path, now_us, 1, "0" * 64))
        return event_id

    def _end(self, event_id: str) -> None:
        for number in range(self._dice.randrange(3)):
            detail = json.dumps({"count": number + 2})
            self._journal.append(EventUpdated(event_id, self._clock.wall_us() + number, Severity.ALARM, detail))
            self.expected[event_id] += 1
        now_us = self._clock.wall_us()
        ended = EventClosed(event_id, now_us) if self._dice.random() < 0.5 else EventEnded(event_id, now_us, json.dumps({"count": 9}))
        self._journal.append(ended)
        self.expected[event_id] += 1


class Site:
    """All of it together."""

    def __init__(self, root: Path, dice: random.Random, server: FaultyServer, broker: Broker) -> None:
        self.folder = DataFolder(root / "data")
        (root / "secret").write_text("a-secret-of-the-hook\n")
        carriers = (
            NotifySettings(name="broker", type="mqtt", url=broker.url, topic_prefix="site"),
            NotifySettings(name="hook", type="webhook", url=server.url(), secret_file=root / "secret"),
        )
        sealing = SealingSettings(custodians=("age1" + "q" * 58, "age1" + "p" * 58), threshold=2)
        settings = Settings(data=self.folder.root, sealing=sealing, notify=carriers)
        self.broker, self.server = broker, server
        self.bookkeeper, self.notifier = Process(Role.BOOKKEEPER, settings), Process(Role.NOTIFIER, settings)
        self.street = Street(self.folder, dice)


def _faults(dice: random.Random) -> FaultyServer:
    lock = threading.Lock()

    def decide(_request: Request) -> Answer:
        with lock:
            chance = dice.random()
        if chance < 0.02:
            return Answer(500)
        if chance < 0.03:
            return Answer(reset=True)
        return Answer(429, {"Retry-After": "1"}) if chance < 0.033 else Answer()

    return FaultyServer(decide)


@pytest.fixture
def dice() -> random.Random:
    return random.Random(SEED)


@pytest.fixture
def site(tmp_path: Path, dice: random.Random) -> Iterator[Site]:
    broker = Broker(tmp_path / "broker")
    with _faults(random.Random(SEED)) as server:
        broker.start()
        site = Site(tmp_path, dice, server, broker)
        yield site
        site.notifier.close()
        site.bookkeeper.close()
        broker.stop()


def _restart(site: Site, victim: str, subscriber: Subscriber, dice: random.Random) -> None:
    never, clock = threading.Event(), SystemClock()
    match victim:
        case "broker":
            # What it has acknowledged and not passed on yet is the broker's to keep, and a kill takes it.
            number = dice.choice((signal.SIGTERM, signal.SIGKILL)) if subscriber.catch_up() else signal.SIGTERM
            site.broker.stop(number)
            clock.wait(never, dice.uniform(0.0, 0.5))
            site.broker.start()
        case "index":
            connection = sqlite3.connect(site.folder.index, isolation_level=None, timeout=30)
            connection.execute("BEGIN IMMEDIATE")
            clock.wait(never, dice.uniform(0.1, 1.0))
            connection.execute("ROLLBACK")
            connection.close()
        case _:
            process = site.bookkeeper if victim == "bookkeeper" else site.notifier
            process.kill()
            clock.wait(never, dice.uniform(0.0, 0.3))
            process.start()


def _await_index(site: Site) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not site.folder.index.is_file():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.parametrize("restarts", [10, pytest.param(100, marks=[pytest.mark.long, pytest.mark.timeout(900)])])
def test_no_event_is_lost(site: Site, dice: random.Random, restarts: int) -> None:
    with Subscriber(site.broker.port, "site/events/#") as subscriber:
        site.broker.stop()  # so that the session is on its disk
        site.broker.start()
        site.bookkeeper.start()
        site.notifier.start()
        _await_index(site)
        site.street.start()
        counted = dict.fromkeys(VICTIMS, 0)
        for number in range(restarts):
            victim = VICTIMS[number % 4] if number < 4 else dice.choice(VICTIMS)
            counted[victim] += 1
            SystemClock().wait(threading.Event(), dice.uniform(0.2, 1.2))
            _restart(site, victim, subscriber, dice)
        site.street.stop()
        by_broker, by_hook = Arrivals(site.street.expected), Arrivals(site.street.expected)
        deadline = time.monotonic() + PATIENCE_S
        while by_broker.missing or by_hook.missing:
            by_broker.take(message.payload for message in subscriber.drain())
            by_hook.take(request.body for request in site.server.drain() if request.is_taken)
            lost = f"{len(by_broker.missing)} and {len(by_hook.missing)} of {len(by_hook.wanted)} notices did not arrive"
            assert time.monotonic() < deadline, f"{lost}; {_tallies(site)}" + "".join(site.notifier.said[-20:])
            time.sleep(0.1)
    assert by_broker.repeated_otherwise == by_hook.repeated_otherwise == []
    assert by_broker.out_of_order == by_hook.out_of_order == []
    assert by_broker.unknown == by_hook.unknown == set()
    _assert_settled(site, deadline)
    assert "Traceback" not in "".join(site.notifier.said + site.bookkeeper.said)
    _LOG.info("%s: %d notices; %d and %d came again", counted, len(by_hook.wanted), by_broker.repeats, by_hook.repeats)


class Arrivals:
    """What came at one carrier, and what is wrong with it."""

    def __init__(self, expected: dict[str, int]) -> None:
        self.wanted = {(event_id, sequence) for event_id, count in expected.items() for sequence in range(count)}
        self.missing = set(self.wanted)
        self.unknown: set[tuple[str, int]] = set()
        self.repeats = 0
        self.repeated_otherwise: list[dict[str, object]] = []
        self.out_of_order: list[tuple[str, int]] = []
        self._seen: dict[tuple[str, int], dict[str, object]] = {}

    def take(self, bodies: Iterator[bytes]) -> None:
        for body in bodies:
            document = json.loads(body)
            key = (document["id"], document["sequence"])
            del document["snapshot"]  # the one thing that may come later
            if key in self._seen:
                self.repeats += 1
                if self._seen[key] != document:
                    self.repeated_otherwise.append(document)
                continue
            self._seen[key] = document
            if key not in self.wanted:
                self.unknown.add(key)
            if key[1] > 0 and (key[0], key[1] - 1) not in self._seen:
                self.out_of_order.append(key)
            self.missing.discard(key)


def _tallies(site: Site) -> dict[str, OutboxTally]:
    with OutboxView(site.folder) as view:
        return view.tallies()


def _assert_settled(site: Site, deadline: float) -> None:
    """The index says so as well, a moment later."""
    with OutboxView(site.folder) as view:
        while view.tallies():
            assert time.monotonic() < deadline, view.tallies()
            time.sleep(0.1)
        assert view.tallies().get("hook", OutboxTally()) == OutboxTally()
