"""One carrier's deliveries on a clock that stands still: order, giving up, kills, a disk that refuses, and no talk about itself."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import pytest

from lamppost.base.clock import US_PER_S, ManualClock
from lamppost.base.errors import CarrierDown, NoticeRefused, StoreError
from lamppost.model.books import EventClosed, EventOpened, JournalRecord, NoticeDelivered, NoticesRevived, Severity
from lamppost.model.carriers import NotifySettings
from lamppost.model.layout import DataFolder
from lamppost.notify.notice import Notice
from lamppost.pipeline.delivering import BATCH, IDLE_S, MOST_UNAPPLIED, STUCK_S, CarrierLine, DeliveryTools
from lamppost.store.bookkeeping import Bookkeeper
from lamppost.store.journal import JournalWriter
from lamppost.store.outbox import NOTIFY_FAILING, Router, Wish
from lamppost.store.outbox_view import OutboxTally, OutboxView, unapplied

NAME = "hook"


class ScriptedCarrier:
    """Takes what `answer` does not raise for."""

    def __init__(self) -> None:
        self.taken: list[str] = []
        self.offered: list[str] = []
        self.answer: Callable[[Notice], None] = lambda _: None
        self.reachable = True
        self.is_closed = False

    def open(self) -> None:
        if not self.reachable:
            raise CarrierDown("nobody there")

    def send(self, notice: Notice) -> None:
        self.open()
        self.offered.append(notice.id)
        self.answer(notice)
        self.taken.append(notice.id)

    def close(self) -> None:
        self.is_closed = True


class Post:
    """A bookkeeper, a carrier and the line between them; nothing happens by itself."""

    def __init__(self, root: Path) -> None:
        self.folder, self.clock = DataFolder(root), ManualClock()
        self.books = Bookkeeper(self.folder, self.clock, router=Router([Wish(NAME)]))
        self.view = OutboxView(self.folder)
        self.events = JournalWriter(self.folder.journal / "analyst-1", clock=self.clock)
        self.journal = JournalWriter(self.folder.journal / "notifier", clock=self.clock)
        self.carrier = ScriptedCarrier()
        self.stop = threading.Event()
        self.disk_is_full = False
        self.line = self.make_line()

    def make_line(self) -> CarrierLine:
        """As after a start of the process."""
        settings = NotifySettings(name=NAME, type="webhook", url="https://hook.example/", secret_file=Path("x"))
        tools = DeliveryTools(
            lambda: self.view,
            lambda carrier: unapplied(self.folder, "notifier").get(carrier, {}),
            self._append,
            self.clock,
            self.folder.root,
            "Old Town",
        )
        return CarrierLine(settings, self.carrier, tools, random=Random(1), stop=self.stop)

    def _append(self, record: JournalRecord) -> None:
        if self.disk_is_full:
            raise StoreError("cannot write to the journal: No space left on device")
        self.journal.append(record)

    def close(self) -> None:
        for part in (self.events, self.journal, self.view, self.books):
            part.close()

    def happen(self, *event_ids: str, kind: str = "dwell", detail: str = "{}", is_over: bool = False) -> None:
        for event_id in event_ids:
            self.events.append(EventOpened(event_id, kind, Severity.WARNING, None, self.clock.wall_us(), detail))
            if is_over:
                self.events.append(EventClosed(event_id, self.clock.wall_us()))
        self.books.apply_new()

    def turns(self, seconds: float, *, applies: bool = True) -> None:
        """Let time pass as in the process; the bookkeeper applies after each turn."""
        end_s = self.clock.monotonic_s() + seconds
        while self.clock.monotonic_s() < end_s:
            pause_s = self.line.turn()
            if applies:
                self.books.apply_new()
            self.clock.advance(max(pause_s, 0.01))

    def tally(self) -> OutboxTally:
        return self.view.tallies().get(NAME, OutboxTally())


@pytest.fixture
def post(tmp_path: Path) -> Iterator[Post]:
    made = Post(tmp_path / "data")
    yield made
    made.close()


def test_what_is_due_is_delivered_once_and_booked(post: Post) -> None:
    post.happen("a", "b", is_over=True)
    post.turns(3)
    assert post.carrier.taken == ["a-0", "b-0", "a-1", "b-1"]
    assert post.tally() == OutboxTally()
    assert post.line.status() == {"delivered": 4, "failed": 0, "buried": 0, "failing_s": 0.0, "problem": ""}
    assert post.line.turn() == IDLE_S


def test_while_the_index_is_not_written_nothing_is_sent_twice(post: Post) -> None:
    post.happen("a", is_over=True)
    post.turns(10, applies=False)
    assert post.carrier.offered == ["a-0"], "and the end waits for the start to be in the index"
    post.turns(2)
    assert post.carrier.offered == ["a-0", "a-1"]


def test_after_a_kill_what_was_journalled_is_not_sent_again_and_what_was_not_is(post: Post) -> None:
    post.happen("a", "b")
    post.carrier.answer = lambda notice: post.stop.set() if notice.id == "a-0" else None
    post.line.turn()
    post.stop.clear()
    assert post.carrier.taken == ["a-0"]
    post.line = post.make_line()
    post.turns(2)
    assert post.carrier.taken == ["a-0", "b-0"]

    post.happen("c")
    post.disk_is_full = True
    post.carrier.answer = lambda _: post.stop.set()
    post.line.turn()
    assert post.carrier.taken[-1] == "c-0"
    post.disk_is_full, post.line = False, post.make_line()
    post.stop.clear()
    post.carrier.answer = lambda _: None
    post.turns(2)
    assert post.carrier.taken[-2:] == ["c-0", "c-0"], "at least once, under the same id"


def test_a_carrier_that_is_down_is_asked_less_and_less_and_then_gets_everything(post: Post) -> None:
    post.carrier.reachable = False
    post.happen(*(f"e{number}" for number in range(5)))
    post.turns(600)
    status = post.line.status()
    assert 10 <= status["failed"] <= 40
    assert status["failing_s"] > 500
    assert "nobody there" in status["problem"]
    assert post.tally().waiting == 5
    post.carrier.reachable = True
    post.turns(70)
    assert sorted(post.carrier.taken) == [f"e{number}-0" for number in range(5)]
    assert post.line.status()["failing_s"] == 0.0


def test_the_other_side_may_say_when_to_come_back(post: Post) -> None:
    def busy(_notice: Notice) -> None:
        raise CarrierDown("status 429", retry_after_s=300)

    post.carrier.answer = busy
    post.happen("a")
    post.turns(299)
    assert len(post.carrier.offered) == 1
    post.turns(30)
    assert len(post.carrier.offered) == 2


def test_one_that_nobody_takes_holds_up_no_other(post: Post) -> None:
    def judge(notice: Notice) -> None:
        if notice.id.startswith("bad"):
            raise CarrierDown("status 500", is_about_all=False)

    post.carrier.answer = judge
    post.happen("bad")
    for number in range(30):
        post.happen(f"good{number}")
        began_s = post.clock.monotonic_s()
        post.turns(1)
        assert f"good{number}-0" in post.carrier.taken, f"within a second: {post.clock.monotonic_s() - began_s}"
    assert post.tally().waiting == 1


def test_after_its_time_a_notice_is_a_dead_letter_and_its_event_goes_on(post: Post) -> None:
    post.carrier.reachable = False
    post.happen("a", is_over=True)
    post.turns(1800)
    post.clock.advance(22 * 3600)
    post.turns(1800)
    assert post.tally().dead == 0
    post.clock.advance(3600)
    post.turns(180)
    assert post.tally() == OutboxTally(dead=2)
    (first, _) = post.view.dead(NAME)
    assert first.attempts > 20
    assert "given up: nobody there" in first.problem
    post.happen("b")
    post.carrier.reachable = True
    post.turns(70)
    assert post.carrier.taken == ["b-0"], "what is dead stays so until somebody says otherwise"
    post.events.append(NoticesRevived(NAME, post.clock.wall_us(), "somebody"))
    post.books.apply_new()
    post.turns(3)
    assert post.carrier.taken == ["b-0", "a-0", "a-1"]


def test_nothing_is_given_up_before_it_was_tried_again(post: Post) -> None:
    post.happen("a")
    post.clock.advance(30 * 3600)  # the notifier did not run
    post.turns(1)
    assert post.carrier.taken == ["a-0"]


def test_what_is_refused_for_good_is_a_dead_letter_at_once(post: Post) -> None:
    def refuse(_notice: Notice) -> None:
        raise NoticeRefused("status 404")

    post.carrier.answer = refuse
    post.happen("a", is_over=True)
    post.turns(2)
    assert post.carrier.offered == ["a-0", "a-1"]
    assert post.tally() == OutboxTally(dead=2)
    assert (post.line.status()["buried"], post.line.status()["problem"]) == (2, "status 404")


def test_while_the_disk_refuses_nothing_more_is_sent(post: Post) -> None:
    post.happen("a", "b")
    post.disk_is_full = True
    waits = []
    real = post.clock.wait

    def wait(stop: threading.Event, timeout_s: float) -> bool:
        waits.append(timeout_s)
        post.disk_is_full = len(waits) < 5
        return real(stop, timeout_s)

    post.clock.wait = wait  # type: ignore[method-assign]
    post.line.turn()
    assert len(waits) == 5
    assert post.carrier.offered == ["a-0", "b-0"], "the second when the first was journalled"
    post.books.apply_new()
    assert post.tally() == OutboxTally()


def test_how_much_waits_for_the_bookkeeper_is_bounded(post: Post) -> None:
    post.happen(*(f"e{number}" for number in range(MOST_UNAPPLIED + 2 * BATCH)))
    for _ in range(MOST_UNAPPLIED // BATCH + 5):
        post.line.turn()
    assert len(post.carrier.taken) == MOST_UNAPPLIED
    post.turns(5)
    assert len(post.carrier.taken) == len(set(post.carrier.taken)) == MOST_UNAPPLIED + 2 * BATCH


def test_a_clock_that_is_set_back_stops_nothing(post: Post) -> None:
    post.happen("a", is_over=True)
    post.clock.step_wall(-3600)
    post.carrier.answer = lambda _: None
    post.turns(2)
    assert post.carrier.taken == ["a-0", "a-1"]
    assert post.tally() == OutboxTally()


def test_an_outbox_that_cannot_be_read_is_told_and_tried_again(post: Post, capsys: pytest.CaptureFixture[str]) -> None:
    post.happen("a")
    post.view.close()
    index = post.folder.index
    index.rename(index.with_suffix(".away"))
    assert post.line.turn() == 1.0
    assert "the outbox cannot be read" in "".join(capsys.readouterr())
    index.with_suffix(".away").rename(index)
    post.turns(2)
    assert post.carrier.taken == ["a-0"]


# What the supervisor is told


def test_failing_to_tell_of_a_failure_is_no_failure_to_be_told_of(post: Post) -> None:
    detail = json.dumps({"problem": "down", "carrier": "other"})
    post.happen("x", kind=NOTIFY_FAILING, detail=detail)

    def judge(notice: Notice) -> None:
        raise CarrierDown("status 500", is_about_all=notice.type != NOTIFY_FAILING)

    post.carrier.answer = judge
    post.turns(300)
    assert post.line.status()["failing_s"] == 0.0
    assert post.line.status()["failed"] > 3
    post.happen("real")
    post.turns(5)
    assert post.line.status()["failing_s"] > 0


def test_a_carrier_that_cannot_be_reached_is_known_before_it_is_needed(post: Post) -> None:
    post.carrier.reachable = False
    post.turns(120)
    assert post.line.status()["failing_s"] > 60
    post.carrier.reachable = True
    post.turns(120)
    assert post.line.status() == {"delivered": 0, "failed": 0, "buried": 0, "failing_s": 0.0, "problem": ""}


def test_one_that_never_returns_counts_as_failing(post: Post) -> None:
    post.happen("a")
    seen: list[dict[str, object]] = []

    def hang(_notice: Notice) -> None:
        seen.append(post.line.status())
        post.clock.advance(STUCK_S + 1)
        seen.append(post.line.status())

    post.carrier.answer = hang
    post.line.turn()
    assert [bool(status["failing_s"]) for status in seen] == [False, True]
    assert "neither takes nor refuses" in str(seen[1]["problem"])


def test_a_password_in_a_problem_reaches_neither_journal_nor_status(post: Post, capsys: pytest.CaptureFixture[str]) -> None:
    def fail(_notice: Notice) -> None:
        raise CarrierDown("mqtt://op:kanarienvogel@192.0.2.1\nsays password=kanarienvogel")

    post.carrier.answer = fail
    post.happen("a")
    post.turns(5)
    journals = b"".join(path.read_bytes() for path in (post.folder.journal / "notifier").glob("*.jsonl"))
    assert b"says" in journals
    assert "kanarienvogel" not in journals.decode() + str(post.line.status()) + "".join(capsys.readouterr())


def test_it_ends_when_it_is_told_and_lets_go_of_the_carrier(post: Post) -> None:
    post.happen(*(f"e{number}" for number in range(200)))
    post.carrier.answer = lambda _: post.stop.set()
    post.line.run()
    assert post.carrier.taken == ["e0-0"]
    assert post.carrier.is_closed


def test_an_outcome_of_another_carrier_is_none_of_ours(post: Post) -> None:
    post.journal.append(NoticeDelivered("a", 0, "other", 1, post.clock.wall_us() + 5 * US_PER_S))
    post.happen("a")
    post.turns(1)
    assert post.carrier.taken == ["a-0"]
