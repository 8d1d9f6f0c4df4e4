"""The past is shown to who has a view of it, and every look stands in the record."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import av
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import insert

from lamppost.access.desk import AccessDesk, SignedIn
from lamppost.base.clock import ManualClock, format_utc
from lamppost.model.books import Act, CoverOpened, GapClosed, GapOpened, SegmentOpened
from lamppost.model.layout import DataFolder
from lamppost.store.index import Index
from lamppost.store.index_file import make_index
from lamppost.store.journal import JournalWriter
from lamppost.store.schema import EVENTS
from masked_street import START_US, MaskedStreet
from served_node import ServedNode

S = 1_000_000
API = "/api/v1"


def t(seconds: float) -> str:
    return format_utc(START_US + round(seconds * S))


@dataclass
class Node:
    """Masked video of `plaza`: 4.5 s from 0 on, a gap, 2 s from 10 on; of `bridge`: 2 s from 0 on."""

    served: ServedNode
    street: MaskedStreet
    opened: list[SegmentOpened]

    @property
    def clock(self) -> ManualClock:
        return cast(ManualClock, self.served.context.clock)

    def client(self, grants: str = "operator@*") -> TestClient:
        return self.served.client(grants)

    def view(self, grants: str = "operator@*", from_s: float = 0, to_s: float = 60, **more: Any) -> str:
        answer = self.client(grants).post(f"{API}/views", json={"cameras": ["plaza"], "from": t(from_s), "to": t(to_s)} | more)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def acts(self) -> list[Act]:
        self.street.book()
        with Index(self.street.folder) as index:
            return [act for act in index.acts() if act.kind in ("past_viewed", "clip_exported")]


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    served = ServedNode.make(tmp_path / "data")
    street = MaskedStreet(tmp_path / "data")
    opened = street.record(45, START_US) + street.record(20, START_US + 10 * S)
    with JournalWriter(street.folder.journal / "recorder", clock=street.clock) as journal:
        journal.append(GapOpened("g", "plaza", "lost", START_US + 4_500_000, "no route"))
        journal.append(GapClosed("g", START_US + 10 * S))
        journal.append(CoverOpened("c", "plaza", "stalled", START_US + 11 * S))
    MaskedStreet(tmp_path / "data", camera="bridge").record(20, START_US)
    yield Node(served, street, opened)
    served.close()


def problem(answer: Any, status: int, kind: str = "") -> None:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == (f"urn:lamppost:problem:{kind}" if kind else "about:blank")


def test_a_view_is_on_the_record_with_its_reason(node: Node) -> None:
    asked = {"cameras": ["plaza", "bridge"], "from": t(0), "to": t(60), "reason": "  a bag\nwas lost "}
    answer = node.client().post(f"{API}/views", json=asked)
    assert answer.status_code == 201
    assert answer.json() | {"id": ""} == {
        "id": "",
        "cameras": ["plaza", "bridge"],
        "from": t(0),
        "to": t(60),
        "expires": t(3600),
        "reason": "a bag was lost",
    }
    acts = node.acts()
    assert {(act.kind, act.actor, act.subject) for act in acts} == {("past_viewed", "operator@*", name) for name in ("plaza", "bridge")}
    detail = {"view": answer.json()["id"], "cameras": ["plaza", "bridge"], "from": t(0), "to": t(60), "reason": "a bag was lost"}
    assert [json.loads(act.detail) for act in acts] == [detail, detail]


@pytest.mark.parametrize(
    ("asked", "age_h", "needs_reason"),
    [
        ({"cameras": ["plaza"]}, 0, False),
        ({"cameras": ["plaza"]}, 24, False),
        ({"cameras": ["plaza"]}, 24.01, True),
        ({"cameras": ["plaza", "bridge"]}, 0, True),
        ({"cameras": ["plaza", "plaza"]}, 0, False),
        ({"cameras": ["plaza", "bridge"], "reason": " "}, 0, True),
    ],
)
def test_a_reason_is_needed_for_what_is_old_or_of_several(node: Node, asked: dict[str, Any], age_h: float, needs_reason: bool) -> None:
    node.clock.advance(age_h * 3600)
    answer = node.client().post(f"{API}/views", json=asked | {"from": t(0), "to": t(60)})
    if needs_reason:
        problem(answer, 422, "reason-required")
        assert node.acts() == []
    else:
        assert answer.status_code == 201


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({"cameras": []}, 422),
        ({"cameras": ["plaza"] * 10}, 422),
        ({"cameras": ["nowhere"]}, 404),
        ({"to": t(0)}, 422),
        ({"to": t(32 * 86400)}, 422),
        ({"from": "2023-11-14T22:13:20"}, 422),
        ({"reason": "x" * 501}, 422),
    ],
)
def test_a_view_of_what_cannot_be_is_refused(node: Node, asked: dict[str, Any], status: int) -> None:
    answer = node.client().post(f"{API}/views", json={"cameras": ["plaza"], "from": t(0), "to": t(60)} | asked)
    assert answer.status_code == status
    assert node.acts() == []


@pytest.mark.parametrize(("grants", "status"), [("viewer@*", 403), ("operator@camera:bridge", 404), ("operator@camera:plaza", 201)])
def test_a_view_is_of_cameras_whose_past_one_may_watch(node: Node, grants: str, status: int) -> None:
    answer = node.client(grants).post(f"{API}/views", json={"cameras": ["plaza"], "from": t(0), "to": t(60)})
    assert answer.status_code == status


PICTURES = [
    f"{API}/cameras/plaza/media?from={t(0)}&to={t(4)}",
    f"{API}/cameras/plaza/playlist.m3u8?from={t(0)}&to={t(4)}",
    f"{API}/cameras/plaza/thumbnail.jpg?at={t(1)}",
    f"{API}/cameras/plaza/still.jpg?at={t(1)}",
    f"{API}/cameras/plaza/clip.mp4?from={t(0)}&to={t(4)}",
    f"{API}/segments/FIRST.mp4?",
]


@pytest.mark.parametrize("path", PICTURES)
def test_no_picture_without_a_view_of_it(node: Node, path: str) -> None:
    path = path.replace("FIRST", node.opened[0].segment_id)
    client = node.client()
    assert client.get(f"{path}&view={node.view()}").status_code == 200
    problem(client.get(f"{path}&view={node.view(cameras=['bridge'], reason='a bag was lost')}"), 403, "view-required")
    problem(client.get(f"{path}&view={node.view(from_s=4, to_s=60, reason='a bag was lost')}"), 403, "view-required")
    problem(client.get(f"{path}&view={node.view(grants='operator@*+viewer@*')}"), 403, "view-required")
    problem(client.get(f"{path}&view=x"), 403, "view-required")
    view = node.view(reason="a bag was lost")
    node.clock.advance(3601)
    problem(client.get(f"{path}&view={view}"), 403, "view-required")


@pytest.mark.parametrize("path", PICTURES)
def test_no_picture_for_who_has_lost_the_grant(node: Node, path: str) -> None:
    path = path.replace("FIRST", node.opened[0].segment_id)
    view = node.view()
    found = {"viewer@*": 403, "operator@camera:bridge": 404, "administrator@*": 403, "": 401}
    for grants, status in found.items():
        assert node.client(grants).get(f"{path}&view={view}").status_code == status, grants


@dataclass
class OnePersonDesk:
    """Whatever grants a token has, it is the same person's."""

    desk: AccessDesk

    def of_session(self, cookie: str, *, is_use: bool = True) -> SignedIn | None:
        return self.of_token(cookie)

    def of_token(self, token: str) -> SignedIn | None:
        found = self.desk.of_token(token)
        return replace(found, user_id="ada") if found else None


@pytest.mark.parametrize("path", PICTURES)
def test_a_view_is_of_no_use_once_its_user_may_not_watch(node: Node, path: str) -> None:
    node.served.context.desk = OnePersonDesk(node.served.context.desk)
    path = f"{path.replace('FIRST', node.opened[0].segment_id)}&view={node.view()}"
    assert node.client("operator@camera:plaza").get(path).status_code == 200
    problem(node.client("operator@camera:bridge+viewer@camera:plaza").get(path), 403, "forbidden")
    problem(node.client("operator@camera:bridge").get(path), 404, "not-found")


def test_a_player_is_told_every_fragment(node: Node) -> None:
    view = node.view()
    answer = node.client().get(f"{API}/cameras/plaza/media", params={"from": t(2.5), "to": t(60), "view": view})
    found = answer.json()
    assert [part["id"] for part in found["parts"]] == [opened.segment_id for opened in node.opened[1:]]
    assert [(part["from"], part["to"]) for part in found["parts"]] == [(t(2), t(4)), (t(4), t(4.5)), (t(10), t(12))]
    assert found["gaps"] == [{"from": t(4.5), "to": t(10), "cause": "lost"}]
    assert found["covered"] == [{"from": t(11), "to": None}]
    first = found["parts"][0]
    assert first["mime"].startswith('video/mp4; codecs="avc1.64')
    assert [(fragment[2], fragment[3], fragment[4], fragment[5]) for fragment in first["fragments"]] == [
        ((START_US + 2 * S) // 1000, 1000, 0, 10),
        ((START_US + 3 * S) // 1000, 1000, 90_000, 10),
    ]
    content = b"".join(
        node.client().get(first["url"], headers={"Range": f"bytes={offset}-{offset + length - 1}"}).content
        for offset, length in [(first["init"]["offset"], first["init"]["length"]), *(fragment[:2] for fragment in first["fragments"])]
    )
    assert content == node.street.file(node.opened[1]).read_bytes()
    problem(node.client().get(f"{API}/cameras/plaza/media", params={"from": t(0), "to": t(7201), "view": view}), 422, "interval")


def test_ranges_as_the_standard_has_them(node: Node) -> None:
    segment = node.opened[0]
    content = node.street.file(segment).read_bytes()
    size = len(content)
    address = f"{API}/segments/{segment.segment_id}.mp4?view={node.view()}"

    def get(**headers: str) -> Any:
        return node.client().get(address, headers={name.replace("_", "-"): value for name, value in headers.items()})

    whole = get()
    assert (whole.status_code, whole.content) == (200, content)
    assert (whole.headers["content-type"], whole.headers["accept-ranges"]) == ("video/mp4", "bytes")
    assert whole.headers["cache-control"] == "private, no-store"
    tag = whole.headers["etag"]
    for asked, part in [
        ("bytes=0-99", slice(0, 100)),
        ("bytes=100-", slice(100, size)),
        ("bytes=-7", slice(size - 7, size)),
        (f"bytes={size - 1}-{size + 50}", slice(size - 1, size)),
        (f"bytes=-{size + 50}", slice(0, size)),
    ]:
        found = get(Range=asked)
        assert (found.status_code, found.content) == (206, content[part]), asked
        assert found.headers["content-range"] == f"bytes {part.start}-{part.stop - 1}/{size}"
    for asked in ("bytes=5-2", "bytes=0-1,3-4", "lines=0-1", "bytes=x"):
        assert get(Range=asked).status_code == 200, asked
    for asked in (f"bytes={size}-", "bytes=-0"):
        found = get(Range=asked)
        problem(found, 416)
        assert found.headers["content-range"] == f"bytes */{size}"
    assert get(Range="bytes=0-9", If_Range=tag).status_code == 206
    assert get(Range="bytes=0-9", If_Range='"other"').status_code == 200
    assert get(If_None_Match=tag).status_code == 304
    head = node.client().head(address, headers={"Range": "bytes=0-9"})
    assert (head.status_code, head.headers["content-length"], head.content) == (206, "10", b"")


def test_a_view_of_a_second_gives_that_second_of_a_file(node: Node) -> None:
    segment = node.opened[0]
    address = f"{API}/segments/{segment.segment_id}.mp4?view={node.view(from_s=1.2, to_s=1.9)}"
    found = (
        node.client().get(f"{API}/cameras/plaza/media", params={"from": t(1.2), "to": t(1.9), "view": address.partition("view=")[2]}).json()
    )
    ((offset, length, *_),) = found["parts"][0]["fragments"]
    assert node.client().get(address, headers={"Range": f"bytes={offset}-{offset + length - 1}"}).status_code == 206
    assert node.client().get(address, headers={"Range": f"bytes=0-{segment.header_bytes - 1}"}).status_code == 206
    problem(node.client().get(address, headers={"Range": f"bytes={offset - 1}-{offset + 5}"}), 403, "view-required")
    problem(node.client().get(address), 403, "view-required")


def test_a_playlist_leads_to_the_bytes(node: Node) -> None:
    address = f"{API}/cameras/plaza/playlist.m3u8?from={t(0)}&to={t(60)}&view={node.view()}"
    answer = node.client().get(address)
    assert answer.headers["content-type"] == "application/vnd.apple.mpegurl"
    uris = {line for line in answer.text.split("\n") if line and not line.startswith("#")}
    assert len(uris) == 4
    for uri in uris:
        assert node.client().get(f"{API}/cameras/plaza/{uri}").status_code == 200
    assert "#EXT-X-GAP" not in answer.text
    assert "#EXT-X-GAP" in node.client().get(f"{address}&gaps=true").text
    problem(node.client().get(f"{API}/cameras/plaza/playlist.m3u8?from={t(5)}&to={t(9)}&view={node.view()}"), 404, "nothing-there")


def test_who_follows_a_playlist_decodes_the_pictures_of_the_segments(node: Node) -> None:
    def pictures(content: bytes) -> list[bytes]:
        with av.open(io.BytesIO(content), "r") as container:
            return [picture.to_ndarray().tobytes() for picture in container.decode(video=0)]

    address = f"{API}/cameras/plaza/playlist.m3u8?from={t(0)}&to={t(60)}&view={node.view()}"
    runs: list[bytes] = []
    asked = ""
    for line in node.client().get(address).text.split("\n"):
        if line.startswith("#EXT-X-MAP:"):
            uri, length = line.removeprefix('#EXT-X-MAP:URI="').split('",BYTERANGE="')
            runs.append(
                node.client().get(f"{API}/cameras/plaza/{uri}", headers={"Range": f"bytes=0-{int(length.split('@')[0]) - 1}"}).content
            )
        elif line.startswith("#EXT-X-BYTERANGE:"):
            count, _, first = line.removeprefix("#EXT-X-BYTERANGE:").partition("@")
            asked = f"bytes={first}-{int(first) + int(count) - 1}"
        elif line and not line.startswith("#"):
            runs[-1] += node.client().get(f"{API}/cameras/plaza/{line}", headers={"Range": asked}).content
    assert len(runs) == 2
    seen = [picture for run in runs for picture in pictures(run)]
    assert len(seen) == 65
    assert seen == [picture for opened in node.opened for picture in pictures(node.street.file(opened).read_bytes())]


def test_thumbnails_and_stills(node: Node) -> None:
    view = node.view()
    small = node.client().get(f"{API}/cameras/plaza/thumbnail.jpg?at={t(3.4)}&width=80&view={view}")
    assert (small.status_code, small.headers["content-type"]) == (200, "image/jpeg")
    assert int(small.headers["x-taken-ms"]) == (START_US + 3 * S) // 1000
    assert small.content[:3] == b"\xff\xd8\xff"
    large = node.client().get(f"{API}/cameras/plaza/still.jpg?at={t(3.4)}&view={view}")
    assert len(large.content) > 0
    problem(node.client().get(f"{API}/cameras/plaza/thumbnail.jpg?at={t(8)}&view={view}"), 404, "nothing-there")
    assert node.client().get(f"{API}/cameras/plaza/thumbnail.jpg?at={t(3)}&width=79&view={view}").status_code == 422


def test_what_retention_deletes_meanwhile_is_gone_and_no_failure(node: Node) -> None:
    view = node.view()
    for opened in node.opened:
        node.street.file(opened).unlink()
    problem(node.client().get(f"{API}/segments/{node.opened[0].segment_id}.mp4?view={view}"), 410, "forgotten")
    problem(node.client().get(f"{API}/cameras/plaza/clip.mp4?from={t(0)}&to={t(4)}&view={view}"), 404, "nothing-there")
    problem(node.client().get(f"{API}/cameras/plaza/thumbnail.jpg?at={t(1)}&view={view}"), 404, "nothing-there")
    assert node.client().get(f"{API}/cameras/plaza/media", params={"from": t(0), "to": t(4), "view": view}).json()["parts"] == []


def test_what_is_deleted_after_it_was_known_is_gone_too(node: Node) -> None:
    view = node.view()
    addresses = [f"{API}/segments/{opened.segment_id}.mp4?view={view}" for opened in node.opened]
    assert {node.client().get(address).status_code for address in addresses} == {200}
    for opened in node.opened:
        node.street.file(opened).unlink()
    for address in addresses:
        problem(node.client().get(address), 410, "forgotten")
    problem(node.client().get(f"{API}/cameras/plaza/clip.mp4?from={t(0)}&to={t(4)}&view={view}"), 410, "forgotten")


def test_sealed_segments_are_no_segments_here(node: Node) -> None:
    view = node.view()
    problem(node.client().get(f"{API}/segments/nothing.mp4?view={view}"), 404, "not-found")


def test_a_clip_is_on_the_record_with_its_hash(node: Node) -> None:
    view = node.view(reason="a bag was lost")
    answer = node.client().get(f"{API}/cameras/plaza/clip.mp4?from={t(0.5)}&to={t(11)}&view={view}")
    assert answer.status_code == 200
    assert answer.headers["content-disposition"] == 'attachment; filename="plaza-20231114T221320Z-20231114T221331Z-masked.mp4"'
    (act,) = [act for act in node.acts() if act.kind == "clip_exported"]
    assert act.subject == "plaza"
    detail = json.loads(act.detail)
    assert detail == {
        "camera": "plaza",
        "view": view,
        "from": t(0.5),
        "to": t(11),
        "reason": "a bag was lost",
        "sha256": hashlib.sha256(answer.content).hexdigest(),
        "bytes": len(answer.content),
        "gaps": 1,
    }
    with av.open(io.BytesIO(answer.content), "r") as container:
        assert len(list(container.decode(video=0))) == 40 + 10


def test_clips_are_made_so_many_at_a_time_and_no_slot_is_lost(node: Node) -> None:
    from lamppost.api.past import past_of
    from lamppost.playback.clip_slots import CLIPS_AT_ONCE

    view = node.view()
    address = f"{API}/cameras/plaza/clip.mp4?from={t(0)}&to={t(4)}&view={view}"
    nothing = f"{API}/cameras/plaza/clip.mp4?from={t(5)}&to={t(9)}&view={view}"
    for _ in range(CLIPS_AT_ONCE + 1):
        assert node.client().get(address).status_code == 200
        problem(node.client().get(nothing), 404, "nothing-there")
    slots = past_of(node.served.context).clips
    for number in range(CLIPS_AT_ONCE):
        assert slots.take(f"somebody {number}")
    refused = node.client().get(address)
    problem(refused, 429, "busy")
    assert refused.headers["retry-after"] == "5"


def test_who_is_taking_a_clip_takes_no_other_meanwhile(node: Node) -> None:
    from lamppost.api.past import past_of

    address = f"{API}/cameras/plaza/clip.mp4?from={t(0)}&to={t(4)}&view={node.view()}"
    slots = past_of(node.served.context).clips
    assert slots.take("id-operator@*")
    problem(node.client().get(address), 429, "busy")
    slots.release("id-operator@*")
    assert node.client().get(address).status_code == 200


def test_a_clip_of_two_sizes_is_refused_with_its_parts(node: Node) -> None:
    node.street.record(20, START_US + 12 * S, size_px=(64, 48))
    answer = node.client().get(f"{API}/cameras/plaza/clip.mp4?from={t(10)}&to={t(14)}&view={node.view()}")
    problem(answer, 409, "sizes-differ")
    assert answer.json()["errors"] == [
        {"at": f"{t(10)}/{t(12)}", "problem": "96x64 pixels"},
        {"at": f"{t(12)}/{t(14)}", "problem": "64x48 pixels"},
    ]


def test_a_timeline_tells_all_that_is_known(node: Node) -> None:
    answer = node.client("custodian@*").get(f"{API}/cameras/plaza/timeline", params={"from": t(-5), "to": t(60)})
    assert answer.json() == {
        "from": t(-5),
        "to": t(60),
        "spans": [{"from": t(0), "to": t(4.5), "kind": "masked"}, {"from": t(10), "to": t(12), "kind": "masked"}],
        "gaps": [{"id": "g", "cause": "lost", "from": t(4.5), "to": t(10), "detail": "no route"}],
        "covered": [{"from": t(11), "to": None, "cause": "stalled"}],
        "forgotten": [],
        "reductions": [],
        "events": [],
        "event_density": None,
    }
    for camera, status in (("nowhere", 404), ("bridge", 200)):
        assert node.client().get(f"{API}/cameras/{camera}/timeline", params={"from": t(0), "to": t(9)}).status_code == status
    assert node.client("viewer@camera:bridge").get(f"{API}/cameras/plaza/timeline?from={t(0)}&to={t(9)}").status_code == 404
    assert node.acts() == [], "no picture is in it"


def add_events(folder: DataFolder, count: int) -> None:
    """So many events, ten seconds apart."""
    engine = make_index(folder.index)
    rows = [
        {"event_id": f"e{n:04}", "kind": "line_crossed", "severity": "warning", "camera": "plaza", "start_us": START_US + n * 10 * S}
        | {"end_us": START_US + n * 10 * S + S, "detail": "{}", "opened_in": "-"}
        for n in range(count)
    ]
    with engine.begin() as connection:
        connection.execute(insert(EVENTS), rows)
    engine.dispose()


@pytest.mark.parametrize(
    ("grants", "count", "events", "density"),
    [
        ("viewer@*", 2, 2, None),
        ("custodian@*", 2, 0, None),
        ("viewer@*", 500, 500, None),
        ("viewer@*", 501, 0, {"from": t(0), "count": 36, "worst": "warning"}),
    ],
)
def test_events_are_marks_or_how_many_there_were(node: Node, grants: str, count: int, events: int, density: dict[str, Any] | None) -> None:
    add_events(node.street.folder, count)
    found = node.client(grants).get(f"{API}/cameras/plaza/timeline", params={"from": t(0), "to": t(86_400)}).json()
    assert len(found["events"]) == events
    assert (found["event_density"] or [None])[0] == density
    if events:
        assert found["events"][1] == {"id": "e0001", "type": "line_crossed", "severity": "warning", "from": t(10), "to": t(11)}
