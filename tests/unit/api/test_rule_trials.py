"""Rules are tried on the masked video of the last minutes, one order at a time, and the answer says what it is worth."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from configured_node import ConfiguredNode
from lamppost.api.permit import API
from lamppost.base.clock import US_PER_S, ManualClock
from lamppost.model.books import MinuteCounted
from lamppost.model.happening import Measure, Tally
from lamppost.model.rules import CountedKind
from lamppost.model.tallies import tally_to_json
from lamppost.pipeline.trial_desk import TrialDesk
from lamppost.store.bookkeeping import Bookkeeper
from masked_video import record_masked

URL = f"{API}/cameras/plaza/rules/trial"
MINUTE_US = 60 * US_PER_S
BEGIN_US = 1_700_000_040 * US_PER_S  # a full minute
LINE = {"name": "middle", "points": [[0.5, 0.95], [0.5, 0.05]]}
SECONDS = 60.0


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Any]]:
    """A minute in which seven go by."""
    root = tmp_path_factory.mktemp("video")
    return root, record_masked(root, SECONDS, start_us=BEGIN_US)


@pytest.fixture
def node(tmp_path: Path, video: tuple[Path, list[Any]]) -> Iterator[ConfiguredNode]:
    """A node that has recorded that minute, counted eight in it, and asks just after."""
    root, records = video
    (tmp_path / "rules.toml").write_text(f"[[line]]\nname = 'middle'\npoints = {json.dumps(LINE['points'])}\n")
    text = '[[camera]]\nname = "plaza"\nurl = "sim://plaza"\nrules_file = "rules.toml"\n'
    node = ConfiguredNode.configured(tmp_path, text)
    (tmp_path / "data" / "masked").symlink_to(root / "masked")
    counted = tally_to_json(Tally(Measure.FORWARD, CountedKind.OBJECT, 8))
    with Bookkeeper(node.context.folder, node.context.clock) as books:
        books.add([*records, MinuteCounted("m1", "plaza", "line", "middle", BEGIN_US, 60_000, (counted,))], "x/1")
    clock = node.context.clock
    assert isinstance(clock, ManualClock)
    clock.step_wall((BEGIN_US + MINUTE_US - clock.wall_us()) / US_PER_S)
    yield node
    node.close()


def try_rules(node: ConfiguredNode, rules: dict[str, Any], minutes: int = 1) -> dict[str, Any]:
    begun = node.client("analyst@*").post(URL, json={"rules": rules, "minutes": minutes})
    assert begun.status_code == 202, begun.text
    assert node.context.keep(TrialDesk, lambda: TrialDesk(node.context.clock)).wait(60)
    return node.client("analyst@*").get(f"{URL}/{begun.json()['id']}").json()


def test_what_would_have_been_counted_is_told_with_what_it_is_worth(node: ConfiguredNode) -> None:
    zone = {"name": "right", "points": [[0.6, 0.1], [0.9, 0.1], [0.9, 0.95], [0.6, 0.95]], "kinds": ["person"]}
    told = try_rules(node, {"line": [LINE, LINE | {"name": "new"}], "zone": [zone]})
    assert (told["state"], told["progress"], told["problem"]) == ("done", 1.0, "")
    result = told["result"]
    middle, new = result["lines"]
    assert (middle["forward"], middle["backward"]) == (7, 0)
    assert middle["compared"] == {"minutes": 1, "trial": 7, "live": 8}
    assert new["compared"] is None
    assert result["zones"][0]["entries"] in (7, 8)
    assert "estimate" in result["note"]
    assert "97 of 100" in result["note"]
    assert "everything was counted at right" in result["note"]
    assert [(act["kind"], act["detail"]) for act in node.acts()] == [("rules_tried", {"minutes": 1})]


def test_a_line_that_was_moved_is_not_compared_with_what_it_was(node: ConfiguredNode) -> None:
    told = try_rules(node, {"line": [LINE | {"points": [[0.3, 0.95], [0.3, 0.05]]}]})
    assert told["result"]["lines"][0]["compared"] is None


def test_one_at_a_time_and_a_trial_can_be_cancelled(node: ConfiguredNode) -> None:
    client = node.client("analyst@*")
    begun = client.post(URL, json={"rules": {"line": [LINE]}, "minutes": 1}).json()["id"]
    busy = client.post(URL, json={"rules": {"line": [LINE]}, "minutes": 1})
    assert (busy.status_code, busy.headers["Retry-After"]) == (409, "10")
    assert client.delete(f"{URL}/{begun}").status_code == 204
    assert client.get(f"{URL}/{begun}").json()["state"] == "failed"
    assert client.get(f"{URL}/nothing").status_code == 404


def test_what_cannot_be_tried_is_told(node: ConfiguredNode) -> None:
    client = node.client("analyst@*")
    wrong = client.post(URL, json={"rules": {"line": [LINE | {"points": [[0, 0]]}]}, "minutes": 1})
    assert wrong.status_code == 422
    assert wrong.json()["errors"][0]["at"] == "rules.line.0.points"
    assert client.post(URL, json={"rules": {"line": [LINE]}, "minutes": 61}).status_code == 422
    assert node.client("viewer@*").post(URL, json={"rules": {"line": [LINE]}, "minutes": 1}).status_code == 403
    clock = node.context.clock
    assert isinstance(clock, ManualClock)
    clock.step_wall(7200)
    nothing = client.post(URL, json={"rules": {"line": [LINE]}, "minutes": 1})
    assert (nothing.status_code, nothing.json()["type"]) == (409, "urn:lamppost:problem:nothing-to-try")
