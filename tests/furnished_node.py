"""A served node in which everything is there twice, for each of two cameras on two sites, and nothing of one is like the other.

Whoever looks for a leak needs something that could leak: an event with its picture, masked video, a hold, acts, counts,
rules, live pictures. All of a camera bears its word, so that an answer can be searched for it.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, cast

from argon2 import PasswordHasher
from fastapi.testclient import TestClient

from configured_node import ConfiguredNode
from lamppost.access.desk import Desk, LinkKind
from lamppost.access.passwords import Passwords
from lamppost.api.app import create_app
from lamppost.api.audits import audits_of
from lamppost.api.device_care import PasswordDesk
from lamppost.api.fragment_stream import FragmentStream
from lamppost.api.live_hub import CameraFeed, LiveHub
from lamppost.api.past import views_of
from lamppost.api.permit import API
from lamppost.base.clock import ManualClock, format_utc
from lamppost.base.durable import make_directory
from lamppost.base.ids import timed_id
from lamppost.cameras.dialects.dialect import Plan
from lamppost.cameras.disarm import Order
from lamppost.cameras.onvif.ptz import PtzStatus
from lamppost.model.access import Grant, Role, Scope
from lamppost.model.books import Act, EventOpened, GapClosed, GapOpened, MinuteCounted, Severity, SnapshotTaken
from lamppost.model.device_settings import DeviceSettings
from lamppost.model.devices import Ability, Armament, Audit, DeviceIdentity, Evidence, Finding, Level, Outcome
from lamppost.model.disarming import Disarm, DisarmState, DisarmStep
from lamppost.model.happening import Measure, Tally
from lamppost.model.rules import CountedKind, RuleBook
from lamppost.model.settings import CameraSettings
from lamppost.model.sites import sites_of
from lamppost.model.tallies import tally_to_json
from lamppost.pipeline.audit_jobs import AuditJobs, Job, JobState
from lamppost.pipeline.device_audits import AuditDesk, Target
from lamppost.pipeline.device_password_tools import NodePasswords
from lamppost.pipeline.device_searches import DeviceSearches, RunningSearch, SearchState
from lamppost.pipeline.head_line import SteeringTools
from lamppost.pipeline.helm import Position
from lamppost.pipeline.rule_trial import TrialOrder
from lamppost.pipeline.steering import Steering
from lamppost.pipeline.trial_desk import Trial, TrialDesk, TrialState
from lamppost.record.live import LiveMuxer
from lamppost.seal.notes import create_signer
from lamppost.store.bookkeeping import Bookkeeper
from lamppost.store.device_book import TourStep
from lamppost.store.device_locks import DeviceLocks
from lamppost.store.holds import place_hold
from lamppost.store.journal import journal_files, scan_journal
from masked_street import START_US, MaskedStreet, masked_packets

S: Final = 1_000_000
ORIGIN: Final = "http://testserver"
PASSWORD: Final = "seven quiet lanterns"
FAST: Final = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
HASH: Final = FAST.hash(PASSWORD)
MINUTE_US: Final = START_US + 40 * S  # a full minute


def t(seconds: float) -> str:
    """So long after the first picture."""
    return format_utc(START_US + round(seconds * S))


@dataclass(frozen=True)
class Kept:
    """A camera: the word that all of it bears, and the size of its pictures, so that no byte of them is like the other's."""

    word: str
    site: str
    site_id: str
    address: str
    size_px: tuple[int, int]


CAMERAS: Final = MappingProxyType(
    {
        "plaza": Kept("amber", "Old Town", "old-town", "192.0.2.11", (96, 64)),
        "bridge": Kept("cobalt", "Harbour", "harbour", "192.0.2.22", (64, 48)),
    }
)
_NODE: Final = """\
[server]
backup_folder = "backups"

[[notify]]
name = "hook"
type = "webhook"
url = "http://127.0.0.1:9/hook"
secret_file = "secret"
"""


def _tables() -> str:
    return _NODE + "\n".join(
        f'[[camera]]\nname = "{name}"\nurl = "rtsp://{kept.address}/main"\nsite = "{kept.site}"\nrules_file = "{name}.toml"\n'
        for name, kept in CAMERAS.items()
    )


def _rules(word: str) -> str:
    return (
        f'[[line]]\nname = "{word}-line"\npoints = [[0.1, 0.5], [0.9, 0.5]]\n'
        f'[[rule]]\nname = "{word}-rule"\ntype = "line_crossed"\nline = "{word}-line"\n[heat_map]\n'
    )


class FilledFeed(CameraFeed):
    """A live feed that has its pictures already, and asks no analyst for more."""

    def fill(self, size_px: tuple[int, int]) -> None:
        parameters, packets = masked_packets(40, *size_px)
        muxer = LiveMuxer(parameters, packets[0])
        for unit in FragmentStream().take(muxer.init + b"".join(muxer.take(packet).data for packet in packets)):
            self._take(unit)

    def want(self) -> None:
        return


class DonePasswords(PasswordDesk):
    """Has every device take every password."""

    def change(self, camera: CameraSettings, new: str, tools: NodePasswords, *, in_clear: bool = False) -> None:
        tools.act(camera.name, {})


class DoneAudits(AuditDesk):
    """Has every device do at once as it is told, and asks none."""

    def audit(self, target: Target, *, first: Callable[[], object]) -> tuple[Audit, tuple[str, ...]]:
        first()
        levels = (Level.UNKNOWN, Level.UNKNOWN, Level.UNKNOWN)
        at_us = self._clock.wall_us()
        made = Audit(timed_id(at_us), target.name, at_us, DeviceIdentity(), *levels, Armament(), (), (), ())
        self.book.add_audit(made)
        return made, ()

    def plan(self, target: Target) -> Plan:
        return Plan((), ())

    def disarm(self, target: Target, order: Order, *, first: Callable[[], object]) -> Disarm:
        disarm_id = timed_id(self._clock.wall_us())
        done = Disarm(disarm_id, target.name, self._clock.wall_us(), order.by, order.authorisation, order.reference, DisarmState.DONE, ())
        self.book.add_disarm(done, first=first)
        return done

    def roll_back(self, target: Target, disarm_id: str, by: str, authorisation: str, *, first: Callable[[], object]) -> Disarm:
        first()
        row = self.book.disarm(disarm_id)
        assert row is not None
        return row


class DoneTrials(TrialDesk):
    """Has every trial done at once, without a process."""

    def start(self, camera: str, order: TrialOrder) -> Trial | None:
        trial = Trial(f"trial-{len(self._trials)}", camera, order.book, TrialState.DONE, 1.0, self._clock.monotonic_s())
        self._trials[trial.id] = trial
        return trial


class DoneJobs(AuditJobs):
    """Has every job done at once, and asks no device."""

    def start(self, cameras: Sequence[str], audit: Callable[[str], str]) -> Job | None:
        job = Job(f"job-{len(self._jobs)}", JobState.DONE, len(cameras), len(cameras))
        self._jobs[job.id] = job
        return job


class StillHead:
    """Takes every order, and moves nothing."""

    def presets(self) -> tuple[Position, ...]:
        return (Position("1", "gate"),)

    def save_preset(self, name: str) -> str:
        return "2"

    def status(self) -> PtzStatus:
        return PtzStatus(False)

    def go_to(self, token: str) -> None: ...
    def remove(self, token: str) -> None: ...
    def move(self, pan: float, tilt: float, zoom: float, for_s: float) -> None: ...
    def stop(self) -> None: ...


class DoneSearches(DeviceSearches):
    """Searches that were over before anybody was asked: the clock of this node stands still."""

    def begin(
        self,
        settings: DeviceSettings,
        *,
        ranges: Sequence[str] = (),
        interfaces: Sequence[str] = (),
        first: Callable[[], object] = lambda: None,
    ) -> RunningSearch | None:
        del settings, ranges, interfaces
        first()
        running = RunningSearch(f"search-{len(self._all)}", START_US, SearchState.DONE, 1.0)
        self._all[running.id] = running
        return running


@dataclass(frozen=True)
class Person:
    """Somebody who has signed in."""

    user_id: str
    name: str
    grants: str
    cookie: str
    csrf: str

    @property
    def headers(self) -> dict[str, str]:
        """As our own pages send them."""
        return {"Cookie": f"lamppost={self.cookie}", "X-CSRF-Token": self.csrf, "Origin": ORIGIN}


class FurnishedNode(ConfiguredNode):
    """The application, and what its two cameras have left behind in the first minutes."""

    desk: Desk
    books: Bookkeeper
    client_of_all: TestClient
    document: dict[str, Any]
    marks: dict[str, list[bytes]]
    segments: dict[str, str]
    events: dict[str, str]
    holds: dict[str, str]
    _numbers: Iterator[int]
    _people: dict[str, Person]
    _text: str

    @classmethod
    @contextlib.contextmanager
    def furnished(cls, folder: Path) -> Iterator[FurnishedNode]:
        for name, kept in CAMERAS.items():
            (folder / f"{name}.toml").write_text(_rules(kept.word))
        (folder / "secret").write_text("not told\n")
        make_directory(folder / "backups")
        create_signer(folder / "data" / "keys" / "recorder.key")
        made = cls.configured(folder, _tables())
        assert isinstance(made, cls)
        made._numbers, made._people, made._text = count(1), {}, made.config.read_text()
        made.segments, made.events, made.holds = {}, {}, {}
        made.marks = {
            name: [word.encode() for word in (name, kept.word, kept.site.lower(), kept.site_id, kept.address)]
            for name, kept in CAMERAS.items()
        }
        made._open_desk()
        streets = [made._record(name) for name in CAMERAS]
        with Bookkeeper(streets[0].folder, made.clock) as made.books:
            for name in CAMERAS:
                made._furnish(name)
            made.document = made.app.openapi()
            with TestClient(made.app) as made.client_of_all:
                made._fill_feeds()
                yield made
        made.desk.close()
        made.close()

    @property
    def clock(self) -> ManualClock:
        return cast(ManualClock, self.context.clock)

    def _open_desk(self) -> None:
        sites = sites_of(self.context.settings)
        self.desk = Desk(self.context.folder, self.context.clock, sites=lambda: sites, passwords=Passwords(FAST))
        self.context.desk = self.desk
        self.context.keep(PasswordDesk, DonePasswords)
        self.context.keep(TrialDesk, lambda: DoneTrials(self.context.clock))
        self.context.keep(AuditJobs, DoneJobs)
        book, locks = self.context.devices, DeviceLocks(self.context.folder, self.clock, "the server")
        self.context.keep(AuditDesk, lambda: DoneAudits(book, self.clock, locks))
        tools = SteeringTools(lambda _: contextlib.nullcontext(StillHead()), lambda *_: None, lambda *_: None, self.clock)
        self.context.keep(Steering, lambda: Steering(tools, start=lambda *_: None))
        self.app = create_app(self.context)
        self.person("administrator@*")  # so that no other is the last

    def _record(self, camera: str) -> MaskedStreet:
        street = MaskedStreet(self.context.folder.root, camera=camera, clock=ManualClock())
        (opened,) = street.record(20, START_US, size_px=CAMERAS[camera].size_px)
        self.segments[camera] = opened.segment_id
        content = street.file(opened).read_bytes()
        self.marks[camera] += [opened.segment_id.encode(), content[len(content) // 2 :][:48]]
        return street

    def _furnish(self, camera: str) -> None:
        word = CAMERAS[camera].word
        self.clock.step_wall(max(0.0, 600 - (self.clock.wall_us() - START_US) / S))
        tally = tally_to_json(Tally(Measure.FORWARD, CountedKind.PERSON, 7))
        self.books.add(
            [
                MinuteCounted(f"{word}-minute", camera, "line", f"{word}-line", MINUTE_US, 60_000, (tally,)),
                GapOpened(f"{word}-gap", camera, "lost", START_US + 3 * S, f"{word} gap"),
                GapClosed(f"{word}-gap", START_US + 4 * S),
                EventOpened(
                    f"{word}-lost", "camera_lost", Severity.WARNING, camera, START_US + 3 * S, json.dumps({"note": f"{word} lost"})
                ),
                Act(f"{word}-act", "live_viewed", START_US + 5 * S, f"{word}-watcher", camera, json.dumps({"word": word})),
            ],
            "street/1",
        )
        self.events[camera] = self.event(camera)
        self.holds[camera] = self.hold(camera)
        self.marks[camera] += [self.holds[camera].encode()]
        self.book()

    def _fill_feeds(self) -> None:
        hub: LiveHub = self.app.state.live
        for name, kept in CAMERAS.items():
            feed = FilledFeed(name, self.context.folder, self.context.clock)
            feed.fill(kept.size_px)
            width_px, height_px = kept.size_px
            # The head of a JPEG with its size, which no picture of the other camera has.
            self.marks[name] += [feed.ring[0].data[-48:], b"\xff\xc0\x00\x11\x08" + struct.pack(">HH", height_px, width_px)]
            hub._feeds[name] = feed

    # What a request needs to be one that can be answered

    def book(self) -> None:
        """Bring the index up to the journals."""
        self.books.apply_new()

    def number(self) -> int:
        return next(self._numbers)

    def event(self, camera: str) -> str:
        """A new event with a picture, and its id."""
        word, now_us = CAMERAS.get(camera, CAMERAS["plaza"]).word, self.clock.wall_us()
        event_id = f"{word}-event-{self.number()}"
        path = self.context.folder.snapshot(camera, event_id, now_us)
        content = b"\xff\xd8\xff" + f"a picture of {event_id}".encode()
        make_directory(path.parent)
        path.write_bytes(content)
        detail = json.dumps({"rule": f"{word}-rule", "place": f"{word}-line", "note": f"{word} note"})
        digest = hashlib.sha256(content).hexdigest()
        relative = self.context.folder.relative(path)
        self.books.add(
            [
                EventOpened(event_id, "line_crossed", Severity.WARNING, camera, now_us, detail),
                SnapshotTaken(event_id, camera, relative, now_us, len(content), digest),
            ],
            "street/2",
        )
        return event_id

    def hold(self, camera: str) -> str:
        """A new hold, and its id."""
        reason = f"{CAMERAS[camera].word} reason"
        return place_hold(self.context.folder, camera, START_US, START_US + S, reason, actor="eve", clock=self.clock).hold_id

    def trial(self, camera: str) -> str:
        """A trial of rules that is done, and its id."""
        order = TrialOrder(RuleBook(), (), START_US, START_US + 60 * S, reads_masks=False, interval_s=1.0)
        trial = self.context.keep(TrialDesk, lambda: DoneTrials(self.clock)).start(camera, order)
        assert trial is not None
        return trial.id

    def audit(self, camera: str) -> str:
        """A new audit of a device that names the camera's word, and its id."""
        word, made_us = CAMERAS[camera].word, self.clock.wall_us() + self.number()
        evidence = Evidence(f"GET /{word}", made_us, Outcome.ANSWERED, 200, "00" * 32, 5, f"a {word} answer".encode(), "text/plain")
        finding = Finding(Ability.DETECT, Level.YES, f"{word} says so", 0)
        levels = (Level.YES, Level.UNKNOWN, Level.UNKNOWN)
        identity = DeviceIdentity(f"{word}-maker", serial=f"{word}-serial")
        made = Audit(f"{word}-audit-{made_us}", camera, made_us, identity, *levels, Armament(), (finding,), (evidence,), ("onvif",))
        audits_of(self.context).book.add_audit(made)
        return made.audit_id

    def disarm(self, camera: str) -> str:
        """A disarm that was done, and its id."""
        disarm_id = f"{CAMERAS[camera].word}-disarm-{self.number()}"
        word = f"the order of {CAMERAS[camera].word}"
        step = DisarmStep(f"{CAMERAS[camera].word}-rule", "on", "off", is_done=True, is_begun=True)
        audits_of(self.context).book.add_disarm(Disarm(disarm_id, camera, self.clock.wall_us(), "eve", word, "", DisarmState.DONE, (step,)))
        return disarm_id

    def tour(self, camera: str) -> str:
        """A tour of the camera, and its name."""
        self.context.devices.change_tours(camera, lambda tours: tours.update(night=(TourStep("1", 30.0),)))
        return "night"

    def job(self) -> str:
        """A job of audits that had nothing to do, and its id."""
        job = self.context.keep(AuditJobs, DoneJobs).start((), lambda _camera: "")
        assert job is not None
        return job.id

    def search(self) -> str:
        """A search that found nothing, and its id."""
        searches = self.context.keep(DeviceSearches, lambda: DoneSearches(self.clock))
        running = searches.begin(self.context.settings.devices)
        assert running is not None
        return running.id

    def view(self, who: Person, camera: str) -> str:
        """A view of theirs, whether they may have one or not: a route has to ask again. Nothing is on the record of it."""
        return views_of(self.context).open(who.user_id, (camera,), START_US, START_US + 60 * S, "a bag was lost").view_id

    def restore(self) -> None:
        """The configuration as it was, and no backup: two of one second would have the same name."""
        for made in (self.config.parent / "backups").iterdir():
            made.unlink()
        if self.config.read_text() != self._text:
            self.config.write_text(self._text)
        for name, kept in CAMERAS.items():
            path = self.config.parent / f"{name}.toml"
            if path.read_text() != _rules(kept.word):
                path.write_text(_rules(kept.word))

    # Who asks

    def person(self, grants: str) -> Person:
        """The same one for the same grants, which are written `operator@camera:plaza+viewer@*`."""
        if grants not in self._people:
            self._people[grants] = self.somebody_new(grants)
        return self._people[grants]

    def somebody_new(self, grants: str) -> Person:
        """Somebody who has just signed in for the first time; their password is `PASSWORD`."""
        found = [Grant(Role(role), Scope.parse(scope)) for role, _, scope in (part.partition("@") for part in grants.split("+") if part)]
        user = self.desk.new_user(f"person-{self.number()}", "", found, password_hash=HASH)
        self.desk.book.add_user(user)
        return self.sign_in_again(Person(user.user_id, user.name, grants, "", ""))

    def sign_in_again(self, who: Person) -> Person:
        """Another session of theirs."""
        user = self.desk.book.user(who.user_id)
        assert user is not None
        new = self.desk.use_link(self.desk.make_link(user, LinkKind.SIGN_IN))
        return Person(user.user_id, user.name, who.grants, new.cookie, new.signed_in.csrf)

    def ask(self, who: Person | None, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """The answer to a request of one of our pages, but for `headers`; an empty one is left out."""
        self.clock.advance(0.5)  # who asks too fast is answered 429
        given = (who.headers if who is not None else {}) | {name.replace("_", "-"): value for name, value in headers.items()}
        self.client_of_all.cookies.clear()
        return self.client_of_all.request(method, API + path, json=body, headers={name: value for name, value in given.items() if value})

    # What was found

    def leaks(self, camera: str, content: bytes) -> list[bytes]:
        """What `content` has of a camera; its address, ids, words, or bytes of its pictures."""
        plain = content.lower()
        return [mark for mark in self.marks[camera] if mark in content or mark in plain]

    def acts_of(self, actor: str) -> list[Act]:
        """What somebody did, as far as it is durable now."""
        files = [path for writer in ("server", "hold") for path in journal_files(self.context.folder.journal / writer)]
        records = [record for path in files for record in scan_journal(path, 0).records]
        return [record for record in records if isinstance(record, Act) and record.actor == actor]
