"""A picture shows what was so at its own moment, however much later it comes out of masking."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hand_made_scene import book, staying, us
from lamppost.events.scene import Crossing, SceneNow, ZoneNow
from lamppost.model.books import Severity
from lamppost.model.happening import EventChange, EventType, Findings, Phase
from lamppost.model.rules import CountedKind, Way
from lamppost.pipeline.scoreboard import Scoreboard

BOOK = book({"type": "dwell", "after_s": 1})


def scene(at_s: float, *ways: Way, inside: int = 0) -> SceneNow:
    crossings = tuple(Crossing("gate", way, CountedKind.PERSON) for way in ways)
    return SceneNow(at_s, us(at_s), (), crossings, (ZoneNow("plaza", tuple(staying() for _ in range(inside))),))


def change(phase: Phase, event_id: str = "a") -> EventChange:
    return EventChange(event_id, phase, EventType.DWELL, Severity.WARNING, 0, "dwell", "plaza", Findings())


def numbers(board: Scoreboard, at_s: float) -> tuple[int, int, str]:
    drawing = board.drawing_at(at_s)
    return drawing.lines[0].forward, drawing.lines[0].backward, drawing.zones[0].words


def test_before_anything_was_seen_there_are_the_places_and_zeros() -> None:
    drawing = Scoreboard(BOOK, "gate").drawing_at(-1.0, "0:00:00")
    assert (drawing.title, drawing.time, drawing.notes) == ("gate", "0:00:00", ())
    assert [(line.name, line.points, line.forward) for line in drawing.lines] == [("gate", BOOK.line[0].points, 0)]
    assert [(zone.name, zone.words, zone.is_raised) for zone in drawing.zones] == [("plaza", "0", False)]


def test_what_is_found_later_does_not_show_sooner() -> None:
    board = Scoreboard(BOOK, "")
    board.note_scene(scene(1.0, Way.FORWARD, inside=2))
    board.note_scene(scene(2.0, Way.FORWARD, Way.BACKWARD, inside=1))
    assert numbers(board, 0.9) == (0, 0, "0")
    assert numbers(board, 1.0) == (1, 0, "2")
    assert numbers(board, 1.9) == (1, 0, "2")
    assert numbers(board, 5.0) == (2, 1, "1")
    assert numbers(board, 6.0) == (2, 1, "1")


def test_a_place_is_raised_while_an_event_goes_on_there() -> None:
    board = Scoreboard(BOOK, "")
    board.note_changes([change(Phase.START), change(Phase.START, "b")], 90_000)
    board.note_changes([change(Phase.END)], 2 * 90_000)
    board.note_changes([change(Phase.UPDATE, "b")], 3 * 90_000)
    board.note_changes([change(Phase.END, "b"), change(Phase.END, "unknown")], 4 * 90_000)
    shown = [board.drawing_at(at_s) for at_s in (0.5, 1.5, 2.5, 3.5, 4.5)]
    assert [drawing.zones[0].is_raised for drawing in shown] == [False, True, True, True, False]
    assert [len(drawing.notes) for drawing in shown] == [0, 2, 1, 1, 0]
    assert shown[1].notes[0] == "dwell: dwell (plaza)"
    assert not any(drawing.lines[0].is_raised for drawing in shown)


@given(st.lists(st.sampled_from([*Way, None]), max_size=60), st.integers(0, 30))
def test_at_every_moment_as_many_are_shown_as_had_crossed(ways: list[Way | None], behind: int) -> None:
    board = Scoreboard(BOOK, "")
    for number, way in enumerate(ways):
        board.note_scene(scene(float(number), *([way] if way else [])))
        if number >= behind:
            seen = ways[: number - behind + 1]
            assert numbers(board, float(number - behind))[:2] == (seen.count(Way.FORWARD), seen.count(Way.BACKWARD))


def test_who_never_asks_fills_no_memory() -> None:
    board = Scoreboard(BOOK, "")
    for number in range(3000):
        board.note_scene(scene(float(number), Way.FORWARD))
    assert len(board._moments) <= 1024
    assert numbers(board, 3000.0)[0] == 3000
