"""What comes goes to the analyst at once, to the store in fragments, and nowhere when it is not wanted."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest

from lamppost.base.clock import US_PER_S
from lamppost.base.errors import CameraRefused, CameraUnreachable
from lamppost.model.books import FragmentWritten
from lamppost.model.media import Gap, GapCause, Packet, RunStarted
from lamppost.model.networks import CameraNetworks
from lamppost.pipeline import reception as receiving
from lamppost.pipeline.feed import FeedItem, read_feed
from reception_scene import Scene


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    scene = Scene(tmp_path, monkeypatch)
    yield scene
    scene.loop.close()


def fed(scene: Scene) -> socket.socket:
    near, far = socket.socketpair()
    near.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
    scene.reception.feed.offer(near)
    return far


def items_of(far: socket.socket) -> list[FeedItem]:
    with far:
        return list(read_feed(far))


def test_the_analyst_gets_what_is_recorded(scene: Scene) -> None:
    far = fed(scene)
    scene.reception.start()
    scene.record()
    scene.reception.stop(GapCause.STOPPED)
    items = items_of(far)
    assert isinstance(items[0], RunStarted)
    assert len(items) == 61
    assert scene.frames() == 60


def test_a_camera_outside_the_networks_of_now_is_let_go_and_its_gap_says_so(scene: Scene) -> None:
    scene.reception.start()
    scene.record(50)
    scene.reception.judge_again(CameraNetworks(["192.0.2.0/24"]))
    assert len(scene.streams) == 1, "what lies within goes on untouched"
    scene.reception.judge_again(CameraNetworks(["10.0.0.0/8"]))
    assert [stream.is_open for stream in scene.streams] == [False, True]
    assert scene.frames() == 50
    scene.stream.fail(CameraRefused("it is not connected to"))
    scene.reception.stop(GapCause.STOPPED)
    assert scene.causes() == ["starting", "camera_refused", "stopped"]


def test_a_sub_stream_is_analysed_and_never_recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene(tmp_path, monkeypatch, sub_url="rtsp://192.0.2.10/sub")
    far = fed(scene)
    scene.reception.start()
    main, sub = scene.streams
    assert [stream.url.rpartition("/")[2] for stream in scene.streams] == ["stream", "sub"]
    main.open()
    sub.open()
    run, *packets = scene.video(50)
    main.send(run, *packets)
    sub.send(run, *packets[:10])
    sub.fail(CameraUnreachable("gone"))
    scene.reception.stop(GapCause.STOPPED)
    assert len(items_of(far)) == 11
    assert scene.frames() == 50
    assert scene.causes() == ["starting", "stopped"], "the sub stream's trouble is none of the recording"
    scene.loop.close()


def test_the_store_is_woken_once_a_fragment(scene: Scene) -> None:
    scene.reception.start()
    batches: list[int] = []
    take = scene.recording.take
    scene.recording.take = lambda items: (batches.append(len(items)), take(items))[1]  # type: ignore[method-assign]
    scene.record(100)
    assert len(batches) <= 100 / 25 + 1
    scene.reception.stop(GapCause.STOPPED)
    assert scene.frames() == 100


def test_what_the_disk_cannot_take_is_dropped_up_to_a_keyframe_and_declared(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    scene.reception.start()
    scene.record(50)
    run, *packets = [item for item in scene.video(400)]
    size = sum(len(packet.data) for packet in packets if isinstance(packet, Packet))
    monkeypatch.setattr(receiving, "LINE_LIMIT_BYTES", size // 4)
    scene.threads.is_stuck = True
    for index, packet in enumerate([run, *packets]):
        if index == 300:
            assert scene.threads.waiting_bytes < size // 2, "memory is bounded"
            scene.reception.look()
            assert scene.reception.status.is_dropping
            scene.threads.flow()
        scene.stream.send(packet)
        scene.advance(0.04)
    scene.reception.stop(GapCause.STOPPED)
    status = scene.reception.status
    assert status.dropped > 100
    assert scene.frames() == 450 - status.dropped
    slow = [(start, end) for cause, start, end in scene.gaps() if cause == "store_slow"]
    assert len(slow) == 1
    fragments = [(part.start_us, part.end_us) for part in scene.records if isinstance(part, FragmentWritten)]
    spans = sorted([*fragments, *((start, end or 2**62) for _, start, end in scene.gaps())])
    assert all(later[0] <= earlier[1] + 1000 for earlier, later in pairwise(spans)), "every moment is accounted for"
    start, end = slow[0]
    assert end is not None
    assert not any(start + 41_000 < part_end and part_start < end - 41_000 for part_start, part_end in fragments)


def at(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * US_PER_S


def test_a_schedule_is_kept_and_its_pauses_are_declared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene(tmp_path, monkeypatch, schedule=["wed 10:00-11:00"])
    scene.clock.step_wall((at("2026-11-25T08:59:50") - scene.clock.wall_us()) / US_PER_S)  # 09:59:50 in Berlin
    scene.reception.start()
    assert scene.streams == []
    scene.advance(10)
    scene.reception.look()
    assert len(scene.streams) == 1
    scene.record(50)
    scene.clock.step_wall(3600)
    scene.reception.look()
    assert not scene.stream.is_open
    assert scene.reception.status.state == "not_scheduled"
    assert scene.causes()[-1] == "not_scheduled"
    assert scene.frames() == 50
    scene.loop.close()


def test_held_footage_stops_recording_until_there_is_room(scene: Scene) -> None:
    scene.reception.start()
    scene.record(50)
    scene.reception.pause(GapCause.HELD)
    assert not scene.stream.is_open
    assert scene.causes()[-1] == "held"
    scene.advance(100)
    scene.reception.look()
    assert len(scene.streams) == 1, "nobody connects meanwhile"
    scene.reception.resume()
    scene.record(50)
    scene.reception.stop(GapCause.STOPPED)
    assert scene.frames() == 100


def test_what_is_still_to_be_written_does_not_call_a_paused_camera_recorded(scene: Scene) -> None:
    scene.reception.start()
    scene.record(50)
    scene.threads.is_stuck = True
    scene.play(scene.video(50))
    scene.reception.pause(GapCause.HELD)
    scene.threads.flow()
    assert scene.frames() == 100
    assert scene.reception.status.state == "held"


def test_holes_in_what_is_dropped_take_no_memory(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    scene.reception.start()
    scene.record(50)
    monkeypatch.setattr(receiving, "LINE_LIMIT_BYTES", 1)
    scene.threads.is_stuck = True
    run, *packets = scene.video(300)
    scene.stream.send(run, *packets[:100])
    now_us = scene.clock.wall_us()
    for _ in range(1000):
        scene.stream.send(Gap(now_us, now_us + 1, GapCause.PACKETS_LOST, ""))
    assert scene.reception.status.dropped > 0
    assert len(scene.reception._batch.items) < 10
    monkeypatch.undo()
    scene.threads.flow()
    scene.play(packets[100:])
    scene.reception.stop(GapCause.STOPPED)
    assert scene.causes().count("store_slow") == 1
    assert "packets_lost" not in scene.causes(), "it lies in the gap of what was dropped"


def test_a_bug_in_giving_up_is_told_and_not_repeated_for_ever(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    scene.reception.start()
    tries: list[str] = []

    def break_down(name: str) -> None:
        tries.append(name)
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr(scene.recording, "take", lambda _items: break_down("take"))
        patch.setattr(scene.recording, "give_up", lambda: break_down("give up"))
        scene.record(60)
    assert tries.count("give up") <= tries.count("take")
    scene.advance(1)
    scene.play(scene.video(50))
    scene.reception.stop(GapCause.STOPPED)
    assert scene.frames() == 50
