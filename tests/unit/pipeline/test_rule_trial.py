"""Rules are tried on masked video: what went by is counted, what was covered or is gone is not observed."""

from __future__ import annotations

import io
import json
import threading
from pathlib import Path

import pytest

from lamppost.base.clock import US_PER_S, ManualClock, SystemClock
from lamppost.model.rules import CountedKind, RuleBook
from lamppost.pipeline.rule_trial import RuleTrial, TrialFound, TrialOrder, segments_of, trial_to_json, widen_kinds
from lamppost.pipeline.trial_child import order_from_json, order_to_json, serve
from lamppost.pipeline.trial_desk import KEPT_S, TrialDesk, TrialState
from masked_video import CROSSING_S, record_masked

START_US = 1_700_000_000 * US_PER_S
BOOK = RuleBook.model_validate({
    "line": [{"name": "middle", "points": [[0.5, 0.95], [0.5, 0.05]]}],
    "zone": [{"name": "right", "points": [[0.6, 0.1], [0.9, 0.1], [0.9, 0.95], [0.6, 0.95]], "kinds": ["person"]}],
    "rule": [{"name": "there", "type": "zone_entered", "zone": "right", "after_s": 0.5}],
})  # fmt: skip


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three that go by, one of them while all is covered."""
    root = tmp_path_factory.mktemp("video")
    record_masked(root, 3 * CROSSING_S, start_us=START_US, covered_s=(CROSSING_S, 2 * CROSSING_S))
    return root


def order(video: Path, *, seconds: float = 3 * CROSSING_S, reads_masks: bool = True, more: tuple[tuple[Path, int], ...] = ()) -> TrialOrder:
    files = sorted(video.rglob("*.mp4"))
    rows = [(path, START_US + index * 10 * US_PER_S) for index, path in enumerate(files)]
    return TrialOrder(BOOK, segments_of([*rows, *more]), START_US, START_US + round(seconds * US_PER_S), reads_masks)


def run(wanted: TrialOrder) -> TrialFound:
    return RuleTrial(wanted, SystemClock(), threading.Event()).run(lambda _: None)


def test_who_went_by_is_counted_and_what_was_covered_is_not_observed(video: Path) -> None:
    found = run(order(video))
    told = trial_to_json(BOOK, found, START_US)
    (line,), (zone,) = told["lines"], told["zones"]
    assert (line["forward"], line["backward"]) == (2, 0)
    assert (zone["entries"], zone["exits"], zone["most"]) == (2, 2, 1)
    assert line["observed_s"] == pytest.approx(2 * CROSSING_S, abs=1)
    assert [(event["type"], event["rule"]) for event in told["events"]] == [("zone_entered", "there")] * 2
    assert told["to_us"] == START_US + round(3 * CROSSING_S * US_PER_S)
    assert told["widened"] == ["right"], "masks do not say that it is a person"
    json.dumps(told)


def test_a_file_that_is_gone_or_damaged_is_passed_over(video: Path, tmp_path: Path) -> None:
    (tmp_path / "damaged.mp4").write_bytes(b"\0" * 1000)
    more = ((tmp_path / "gone.mp4", START_US), (tmp_path / "damaged.mp4", START_US))
    told = trial_to_json(BOOK, run(order(video, more=more)), START_US)
    assert told["lines"][0]["forward"] == 2


def test_a_trial_ends_when_its_time_is_over(video: Path) -> None:
    clock = ManualClock()
    steps: list[float] = []

    def advanced(progress: float) -> None:
        steps.append(progress)
        clock.advance(100)

    found = RuleTrial(order(video), clock, threading.Event()).run(advanced)
    assert len(steps) <= 5
    assert found.until_us < START_US + 3 * US_PER_S


def test_without_masks_on_everything_what_moves_in_the_pictures_is_counted(video: Path) -> None:
    # The background has to be learnt, and is again after all was covered: who goes by first may be missed.
    told = trial_to_json(BOOK, run(order(video, reads_masks=False)), START_US)
    assert 1 <= told["lines"][0]["forward"] <= 2


def test_kinds_are_widened_only_where_nothing_tells_them_apart() -> None:
    book, names = widen_kinds(BOOK)
    assert names == ("right",)
    assert set(book.zone[0].kinds) == set(CountedKind)
    corners = [{"image": [x, y], "map_m": [x * 10, y * 10]} for x, y in ((0.1, 0.1), (0.9, 0.1), (0.9, 0.9), (0.1, 0.9))]
    calibrated = RuleBook.model_validate(BOOK.model_dump() | {"calibration": {"points": corners}})
    assert widen_kinds(calibrated) == (calibrated, ())


def test_an_order_goes_to_the_process_and_its_answer_comes_back(video: Path) -> None:
    wanted = order(video)
    assert order_from_json(order_to_json(wanted)) == wanted
    answers = io.StringIO()
    serve(io.StringIO(order_to_json(wanted) + "\n"), answers)
    told = [json.loads(line) for line in answers.getvalue().splitlines()]
    assert told[-1]["result"]["lines"][0]["forward"] == 2
    assert [message["progress"] for message in told[:-1]] == sorted(message["progress"] for message in told[:-1])


def test_the_desk_runs_one_at_a_time_and_forgets(video: Path) -> None:
    clock = ManualClock()
    desk = TrialDesk(clock)
    begun = desk.start("plaza", order(video))
    assert begun is not None
    assert desk.start("plaza", order(video)) is None, "one at a time"
    assert desk.wait(60)
    done = desk.find("plaza", begun.id)
    assert done is not None
    assert (done.state, done.progress) == (TrialState.DONE, 1.0)
    assert done.result is not None
    assert done.result["lines"][0]["forward"] == 2
    assert desk.find("bridge", begun.id) is None, "another camera's is nobody's business"
    clock.advance(KEPT_S + 1)
    assert desk.find("plaza", begun.id) is None


def test_a_trial_that_is_cancelled_makes_room(video: Path) -> None:
    desk = TrialDesk(ManualClock())
    begun = desk.start("plaza", order(video))
    assert begun is not None
    desk.cancel(begun.id)
    ended = desk.find("plaza", begun.id)
    assert ended is not None
    assert ended.state is TrialState.FAILED
    again = desk.start("plaza", order(video))
    assert again is not None
    desk.close()
    assert desk.wait(0)
