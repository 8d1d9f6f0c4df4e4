"""What others are told of an event: a document for machines, a few lines for people, a picture only from the data folder."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lamppost.model.happening import Phase
from notices import DELIVERY, NOON_US, make_notice

FIELDS = (
    *("schema", "id", "sequence", "phase", "type", "severity", "site", "camera", "rule", "place", "kind", "count", "value", "unit"),
    *("limit", "level", "ways", "note", "started", "updated", "ended", "snapshot"),
)


def test_the_document_has_these_fields_and_no_others(tmp_path: Path) -> None:
    document = json.loads(make_notice(tmp_path).body)
    assert tuple(document) == FIELDS
    assert (document["id"], document["sequence"], document["phase"]) == (DELIVERY.event_id, 0, "start")
    assert (document["site"], document["camera"], document["rule"], document["place"]) == ("Old Town", "plaza", "keep-out", "track")
    assert (document["started"], document["ended"]) == ("2023-11-14T22:13:20.000Z", None)


def test_an_end_says_when(tmp_path: Path) -> None:
    document = json.loads(make_notice(tmp_path, phase=Phase.END, sequence=3, at_us=NOON_US + 5_000_000).body)
    assert (document["started"], document["ended"]) == ("2023-11-14T22:13:20.000Z", "2023-11-14T22:13:25.000Z")


def test_the_same_delivery_makes_the_same_bytes_and_the_id_is_of_event_and_number(tmp_path: Path) -> None:
    one, two = make_notice(tmp_path, sequence=7), make_notice(tmp_path, sequence=7)
    assert one == two
    assert one.id == f"{DELIVERY.event_id}-7"


def test_a_problem_of_the_node_is_its_note_without_a_password(tmp_path: Path) -> None:
    detail = json.dumps({"problem": "rtsp://op:hunter2@192.0.2.1/s does not answer"})
    notice = make_notice(tmp_path, camera=None, kind="camera_lost", detail=detail)
    assert "hunter2" not in notice.body.decode() + notice.text + notice.title
    assert "does not answer" in notice.text
    assert "at the node" in notice.title


@pytest.mark.parametrize("detail", ["", "[]", "7", "{", "null", '{"ways": null}'])
def test_a_detail_that_says_nothing_makes_a_document_all_the_same(tmp_path: Path, detail: str) -> None:
    document = json.loads(make_notice(tmp_path, detail=detail).body)
    assert document["ways"] == []
    assert document["count"] is None


def test_a_detail_that_no_document_may_hold_keeps_no_event_back(tmp_path: Path) -> None:
    document = json.loads(make_notice(tmp_path, detail=json.dumps({"unit": "0" * 17, "count": 2})).body)
    assert (document["type"], document["unit"], document["count"]) == ("zone_entered", None, None)


@given(st.dictionaries(st.sampled_from(["rule", "place", "kind", "unit", "note"]), st.text()), st.sampled_from(Phase))
def test_whatever_stands_there_the_lines_are_lines(detail: dict[str, str], phase: Phase) -> None:
    notice = make_notice(Path("/nowhere"), detail=json.dumps(detail), phase=phase)
    assert json.loads(notice.body)["schema"]
    assert "\n" not in notice.title
    assert notice.text.endswith(f"Id: {notice.id}")


def test_a_person_reads_what_it_is_and_how_much(tmp_path: Path) -> None:
    detail = json.dumps({"place": "square", "value": 4.25, "unit": "per_m2", "limit": 4, "level": 2, "ways": ["forward", "backward"]})
    notice = make_notice(tmp_path, kind="crowd_density", detail=detail)
    assert notice.title == "Warning: crowd density at plaza began (Old Town)"
    assert "Value: 4.25 people per m²" in notice.text
    assert "Limit: 4 people per m²" in notice.text
    assert "Ways: forward, backward" in notice.text
    assert not re.search(r"None|null", notice.text)


def test_a_picture_is_taken_from_the_data_folder_alone(tmp_path: Path) -> None:
    root, outside = tmp_path / "data", tmp_path / "outside.jpg"
    (root / "snapshots").mkdir(parents=True)
    picture = root / "snapshots" / "one.jpg"
    picture.write_bytes(b"x")
    outside.write_bytes(b"x")
    (root / "snapshots" / "link.jpg").symlink_to(outside)
    assert make_notice(root, snapshot="snapshots/one.jpg").snapshot == picture
    for path in ("../outside.jpg", str(outside), "snapshots/link.jpg", "snapshots/none.jpg", "snapshots", ""):
        assert make_notice(root, snapshot=path).snapshot is None
