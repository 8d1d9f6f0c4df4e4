"""The outbox: who is told of what, in which order, and that no record twice or out of turn loses or doubles anything."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from lamppost.base.clock import US_PER_S, ManualClock
from lamppost.base.errors import StoreError
from lamppost.base.ids import timed_id
from lamppost.model.books import (
    EventClosed,
    EventEnded,
    EventOpened,
    EventUpdated,
    JournalRecord,
    NoticeBuried,
    NoticeDelivered,
    NoticeFailed,
    NoticesRevived,
    Severity,
    SnapshotTaken,
)
from lamppost.model.happening import Phase
from lamppost.model.layout import DataFolder
from lamppost.store.bookkeeping import Bookkeeper
from lamppost.store.event_pages import EventPages
from lamppost.store.journal import JournalWriter
from lamppost.store.outbox import KEPT_DEAD_US, KEPT_DELIVERED_US, KEPT_ROUTED_US, NOTIFY_FAILING, SNAPSHOT_PATIENCE_US, Router, Wish
from lamppost.store.outbox_view import Delivery, OutboxTally, OutboxView, unapplied
from lamppost.store.reviving import NOTIFY_WRITER, await_none_dead, revive
from lamppost.store.schema import DELIVERIES, NOTICES

ALL = Wish("all")
FOREVER_US = 2**61


class Desk:
    """A bookkeeper on a clock that stands still, its outbox, and records given to it by hand."""

    def __init__(self, root: Path, *wishes: Wish) -> None:
        self.folder = DataFolder(root)
        self.clock = ManualClock()
        self.books = Bookkeeper(self.folder, self.clock, router=Router(wishes))
        self.view = OutboxView(self.folder)

    def close(self) -> None:
        self.view.close()
        self.books.close()

    def apply(self, *records: JournalRecord) -> None:
        self.books.add(list(records), "analyst-1/x")

    def opened(
        self,
        event_id: str = "e",
        *,
        severity: Severity = Severity.WARNING,
        camera: str | None = None,
        kind: str = "dwell",
        detail: str = "{}",
    ) -> EventOpened:
        return EventOpened(event_id, kind, severity, camera, self.clock.wall_us(), detail)

    def due(self, carrier: str = "all", *, in_s: float = 0.0) -> list[tuple[str, int, str]]:
        now_us = self.clock.wall_us() + round(in_s * US_PER_S)
        return [(one.event_id, one.sequence, one.phase.value) for one in self.view.due(carrier, now_us, 100)]

    def one(self, carrier: str = "all") -> Delivery:
        (delivery,) = self.view.due(carrier, FOREVER_US, 100)
        return delivery

    def delivered(self, event_id: str = "e", sequence: int = 0, carrier: str = "all") -> None:
        self.apply(NoticeDelivered(event_id, sequence, carrier, 1, self.clock.wall_us()))


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path / "data", ALL, Wish("alarms", Severity.ALARM), Wish("gate", cameras=frozenset({"gate"})))
    yield made
    made.close()


def test_a_life_of_an_event_is_told_in_its_order(desk: Desk) -> None:
    opened = desk.opened()
    desk.apply(opened)
    desk.clock.advance(1)
    desk.apply(EventUpdated("e", desk.clock.wall_us(), Severity.WARNING, '{"count": 2}'))
    desk.apply(EventEnded("e", desk.clock.wall_us(), '{"count": 3}'))
    seen = []
    for number, phase in enumerate(("start", "update", "end")):
        assert desk.due() == [("e", number, phase)], "a later one waits for the one before it"
        delivery = desk.one()
        seen.append((delivery.detail, delivery.start_us, delivery.at_us))
        desk.delivered("e", number)
    assert desk.due() == []
    assert [json.loads(detail).get("count") for detail, _, _ in seen] == [None, 2, 3], "each says what was known then"
    assert {start_us for _, start_us, _ in seen} == {opened.start_us}


def test_a_dead_one_is_not_waited_for(desk: Desk) -> None:
    desk.apply(desk.opened(), EventClosed("e", desk.clock.wall_us()))
    desk.apply(NoticeBuried("e", 0, "all", 1, desk.clock.wall_us(), "refused"))
    assert desk.due() == [("e", 1, "end")]


def test_the_start_of_a_cameras_event_waits_for_its_picture_and_no_longer_than_two_seconds(desk: Desk) -> None:
    desk.apply(desk.opened("a", camera="plaza"), desk.opened("b", camera="plaza"), desk.opened("node"))
    assert [event for event, *_ in desk.due()] == ["node"]
    desk.apply(SnapshotTaken("a", "plaza", "snapshots/a.jpg", desk.clock.wall_us(), 1, "0" * 64))
    assert {event for event, *_ in desk.due()} == {"node", "a"}
    assert {event for event, *_ in desk.due(in_s=SNAPSHOT_PATIENCE_US / US_PER_S)} == {"node", "a", "b"}
    assert {one.event_id: one.snapshot for one in desk.view.due("all", FOREVER_US, 9)} == {"node": None, "a": "snapshots/a.jpg", "b": None}


def test_a_picture_that_came_before_its_notice_was_routed_is_not_waited_for(desk: Desk) -> None:
    taken = SnapshotTaken("a", "plaza", "snapshots/a.jpg", desk.clock.wall_us(), 1, "0" * 64)
    desk.apply(desk.opened("a", camera="plaza"), taken, EventClosed("a", desk.clock.wall_us()))
    assert desk.due() == [("a", 0, "start")]
    desk.delivered("a", 0)
    assert desk.one().snapshot == "snapshots/a.jpg", "later phases carry it too"


def test_a_failure_keeps_its_own_time_when_the_picture_comes(desk: Desk) -> None:
    desk.apply(desk.opened("a", camera="plaza"))
    later_us = desk.clock.wall_us() + 9 * US_PER_S
    desk.apply(NoticeFailed("a", 0, "all", 1, desk.clock.wall_us(), later_us, "down"))
    desk.apply(SnapshotTaken("a", "plaza", "x.jpg", desk.clock.wall_us(), 1, "0" * 64))
    assert desk.due(in_s=8) == []
    assert desk.due(in_s=9) == [("a", 0, "start")]


# Who wants what


def test_filters_choose_by_severity_type_and_camera(tmp_path: Path) -> None:
    wishes = (
        ALL,
        Wish("alarms", Severity.ALARM),
        Wish("dwells", types=frozenset({"dwell"})),
        Wish("gate", cameras=frozenset({"gate"})),
    )
    desk = Desk(tmp_path, *wishes)
    desk.apply(
        desk.opened("1", severity=Severity.INFO, camera="plaza"),
        desk.opened("2", severity=Severity.ALARM, camera="gate", kind="queue"),
        desk.opened("3", kind="queue"),
    )
    told = {wish.carrier: {event for event, *_ in desk.due(wish.carrier, in_s=9)} for wish in wishes}
    desk.close()
    assert told == {"all": {"1", "2", "3"}, "alarms": {"2"}, "dwells": {"1"}, "gate": {"2"}}


def test_who_is_told_that_it_grew_urgent_is_told_of_its_end(desk: Desk) -> None:
    now_us = desk.clock.wall_us()
    desk.apply(desk.opened(), EventUpdated("e", now_us + 1, Severity.ALARM, "{}"), EventUpdated("e", now_us + 2, Severity.INFO, "{}"))
    desk.apply(EventClosed("e", now_us + 3))
    told = []
    while due := desk.due("alarms"):
        told += due
        desk.delivered(*due[0][:2], carrier="alarms")
    assert told == [("e", 1, "update"), ("e", 2, "update"), ("e", 3, "end")]


def test_nobody_is_told_of_what_nobody_wants_and_it_is_kept_for_minutes_for_who_follows_events(tmp_path: Path) -> None:
    desk = Desk(tmp_path, Wish("gate", cameras=frozenset({"gate"})))
    desk.apply(desk.opened(), EventClosed("e", desk.clock.wall_us()))
    assert desk.due("gate") == []
    desk.books.forget_notices()
    with EventPages(desk.folder) as pages:
        assert [event_id for _, event_id in pages.changed_after((0, ""), 10)] == ["e"]
    desk.clock.advance(KEPT_ROUTED_US / US_PER_S + 1)
    desk.books.forget_notices()
    assert desk.books.transactions.read(select(NOTICES)) == []
    desk.close()


def test_a_carrier_is_not_told_that_it_fails_itself(desk: Desk) -> None:
    detail = json.dumps({"problem": "down", "carrier": "all"})
    desk.apply(desk.opened("x", kind=NOTIFY_FAILING, severity=Severity.ALARM, detail=detail))
    desk.apply(EventClosed("x", desk.clock.wall_us()))
    assert desk.due("all") == []
    assert desk.due("alarms") == [("x", 0, "start")]


def test_what_was_too_old_when_it_was_learnt_of_is_a_dead_letter_and_not_lost(desk: Desk) -> None:
    old = desk.opened()
    desk.clock.advance(25 * 3600)
    desk.apply(old)
    assert desk.due() == []
    (dead,) = desk.view.dead("all")
    assert "too old" in dead.problem


# Records that come twice, late or in another order


def test_a_record_that_comes_twice_changes_nothing(desk: Desk) -> None:
    now_us = desk.clock.wall_us()
    records: list[JournalRecord] = [
        desk.opened(camera="plaza"),
        SnapshotTaken("e", "plaza", "x.jpg", now_us, 1, "0" * 64),
        EventUpdated("e", now_us + 1, Severity.ALARM, "{}"),
        EventEnded("e", now_us + 2, "{}"),
        EventClosed("e", now_us + 3),
    ]
    for record in records:
        desk.apply(record, record)
    desk.apply(*records)
    desk.delivered()
    desk.delivered()
    desk.apply(*records)
    assert desk.view.tallies()["all"] == OutboxTally(waiting=2, oldest_us=now_us)
    assert desk.due() == [("e", 1, "update")]


ATTEMPTS, MOMENTS = st.integers(1, 4), st.integers(0, 9)
OUTCOMES = st.lists(
    st.one_of(
        st.builds(lambda n, at, later: NoticeFailed("e", 0, "all", n, at, later, "p"), ATTEMPTS, MOMENTS, st.integers(0, 99)),
        st.builds(lambda n, at: NoticeBuried("e", 0, "all", n, at, "p"), ATTEMPTS, MOMENTS),
        st.builds(lambda at: NoticesRevived("all", at, "somebody"), MOMENTS),
        st.builds(lambda n, at: NoticeDelivered("e", 0, "all", n, at), ATTEMPTS, MOMENTS),
    ),
    max_size=8,
)


@pytest.fixture(scope="module")
def lasting_desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    made = Desk(tmp_path_factory.mktemp("books"), ALL)
    yield made
    made.close()


@given(OUTCOMES, st.lists(st.booleans(), min_size=8, max_size=8), st.integers(0, 3))
def test_what_was_delivered_stays_so_and_what_was_not_is_never_forgotten(
    lasting_desk: Desk, outcomes: list[JournalRecord], is_twice: list[bool], early: int
) -> None:
    desk = lasting_desk
    event_id, start_us = timed_id(desk.clock.wall_us()), desk.clock.wall_us()
    moved = [_moved(record, event_id, start_us) for record in outcomes]
    doubled = [record for record, twice in zip(moved, is_twice, strict=False) for _ in range(1 + twice)]
    desk.apply(desk.opened(event_id), *doubled[:early])  # those are read before there is a delivery
    desk.apply(*doubled[early:])
    ((state,),) = desk.books.transactions.read(select(DELIVERIES.c.state).where(DELIVERIES.c.event_id == event_id))
    assert (state == "delivered") == any(isinstance(record, NoticeDelivered) for record in moved)
    if not any(isinstance(record, NoticeDelivered | NoticeBuried) for record in moved):
        assert state == "pending"


def _moved(record: JournalRecord, event_id: str, start_us: int) -> JournalRecord:
    changes: dict[str, object] = {name: getattr(record, name) + start_us for name in ("wall_us", "next_us") if hasattr(record, name)}
    if hasattr(record, "event_id"):
        changes["event_id"] = event_id
    return replace(record, **changes)  # type: ignore[arg-type]


def test_after_the_loss_of_the_index_what_the_notifier_had_delivered_is_not_sent_again(desk: Desk) -> None:
    desk.delivered("e", 0)  # its journal is read first
    desk.apply(desk.opened(), EventClosed("e", desk.clock.wall_us()))
    assert desk.due() == [("e", 1, "end")]


def test_without_a_configuration_notices_wait_for_who_knows_it(tmp_path: Path) -> None:
    folder, clock = DataFolder(tmp_path), ManualClock()
    with Bookkeeper(folder, clock) as repairing:
        opened = EventOpened("e", "dwell", Severity.INFO, None, clock.wall_us(), "{}")
        repairing.add([opened], "restored")
    desk = Desk(tmp_path, ALL)
    desk.apply()
    assert desk.due() == [("e", 0, "start")]
    desk.close()


# Dead letters, and what is forgotten


def test_dead_letters_are_offered_again_on_order(desk: Desk) -> None:
    desk.apply(desk.opened())
    desk.apply(NoticeBuried("e", 0, "all", 3, desk.clock.wall_us(), "status 404"))
    assert desk.view.tallies()["all"].dead == 1
    desk.clock.advance(1)
    revive(desk.folder, "all", actor="somebody", clock=desk.clock)
    assert not await_none_dead(desk.folder, "all", _Impatient())
    desk.books.apply_new()
    assert await_none_dead(desk.folder, "all", desk.clock)
    delivery = desk.one()
    assert (delivery.attempts, delivery.since_us) == (0, desk.clock.wall_us())
    assert (desk.folder.journal / NOTIFY_WRITER).is_dir()


class _Impatient(ManualClock):
    def monotonic_s(self) -> float:
        self.advance(100)
        return super().monotonic_s()


def test_what_was_settled_long_ago_is_forgotten_and_an_event_that_lasts_is_not(desk: Desk) -> None:
    desk.apply(desk.opened("over"), EventClosed("over", desk.clock.wall_us()), desk.opened("lasts"), desk.opened("waits"))
    for event_id, sequence in (("over", 0), ("over", 1), ("lasts", 0)):
        desk.delivered(event_id, sequence)
    desk.clock.advance((KEPT_DELIVERED_US + 1) / US_PER_S)
    desk.books.forget_notices()
    left = {row.event_id for row in desk.books.transactions.read(select(NOTICES))}
    assert left == {"lasts", "waits"}
    desk.apply(EventClosed("lasts", desk.clock.wall_us()))
    assert ("lasts", 1, "end") in desk.due(), "its numbers go on"


def test_who_is_gone_from_the_configuration_gives_up_as_well(tmp_path: Path) -> None:
    desk = Desk(tmp_path, ALL)
    desk.apply(desk.opened())
    desk.books.router = Router([Wish("other")])
    desk.clock.advance(23 * 3600)
    desk.books.forget_notices()
    assert desk.view.tallies()["all"].waiting == 1
    desk.clock.advance(2 * 3600)
    desk.books.forget_notices()
    assert desk.view.tallies()["all"] == OutboxTally(dead=1)
    desk.apply(EventClosed("e", desk.clock.wall_us()))
    desk.clock.advance((KEPT_DEAD_US + 1) / US_PER_S)
    desk.books.forget_notices()
    assert "all" not in desk.view.tallies()
    desk.close()


# Reading


def test_there_is_no_outbox_without_an_index(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no index"):
        OutboxView(DataFolder(tmp_path))


def test_who_was_killed_knows_what_it_had_journalled(desk: Desk) -> None:
    with JournalWriter(desk.folder.journal / "notifier", clock=desk.clock) as journal:
        journal.append(NoticeDelivered("old", 0, "all", 1, 5))
        desk.books.apply_new()
        journal.append(NoticeDelivered("e", 0, "all", 1, 7))
        journal.append(NoticeFailed("f", 0, "all", 2, 7, 9, "down"))
        journal.append(NoticeDelivered("e", 0, "other", 1, 7))
        found = unapplied(desk.folder, "notifier")
    assert set(found) == {"all", "other"}
    assert set(found["all"]) == {("e", 0), ("f", 0)}


def test_the_oldest_due_comes_first(desk: Desk) -> None:
    for number in range(5):
        desk.apply(desk.opened(f"e{4 - number}"))
        desk.clock.advance(1)
    assert [event for event, *_ in desk.due()] == ["e4", "e3", "e2", "e1", "e0"]
    assert len(desk.view.due("all", FOREVER_US, 2)) == 2
    assert [one.event_id for one in desk.view.overdue("all", desk.clock.wall_us() - 4 * US_PER_S, 9)] == ["e4"]
    assert desk.view.due("all", FOREVER_US, 1)[0].phase is Phase.START
