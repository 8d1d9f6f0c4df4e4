"""Who connects gets the present run from its newest keyframe on; who is slow harms nobody; nothing but masked packets gets out."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from camera_packets import INTERVAL_90K, encode
from lamppost.base.clock import ManualClock
from lamppost.base.local_sockets import connect
from lamppost.base.loop import Loop
from lamppost.model.layout import DataFolder
from lamppost.model.media import MaskedPacket
from lamppost.pipeline.live import GOP_BYTES, MOST_SUBSCRIBERS, WAITING_FRAGMENTS, LivePublisher
from lamppost.pipeline.subscriber import LINGER_S, SILENT_S, UNSENT_BYTES
from live_stream import LiveReader, masked

GOP = 10
CLOSED = -1


class Viewer:
    """A subscriber that reads when it is told to."""

    def __init__(self, path: Path) -> None:
        self.end = connect(path)
        self.end.settimeout(0)
        self.stream = LiveReader()
        self.is_over = False

    def read(self) -> list[int]:
        """The numbers of the fragments that are there; `CLOSED` at the end of the stream."""
        numbers: list[int] = []
        try:
            while piece := self.end.recv(1 << 16):
                numbers += [seen.number for seen in self.stream.take(piece)]
            self.is_over = True
            return [*numbers, CLOSED]
        except BlockingIOError:
            return numbers


class Scene:
    """A publisher, its loop stepped by hand, and a camera at 25 fps."""

    def __init__(self, folder: Path) -> None:
        self.clock = ManualClock()
        self.loop = Loop(self.clock, tick_s=0.0)
        self.folder = DataFolder(folder)
        self.live = LivePublisher("gate", self.folder, self.loop, self.clock)
        self.parameters, packets = encode(frames=60, gop=GOP)
        self.packets = [masked(packet) for packet in packets]
        self.viewers: list[Viewer] = []
        self.published = 0
        self.live.open()
        self.turn()

    def turn(self) -> None:
        for _ in range(6):
            self.loop.post(lambda: None)
            self.loop.step()

    def connect(self) -> Viewer:
        viewer = Viewer(self.folder.live_socket("gate"))
        self.viewers.append(viewer)
        self.turn()
        return viewer

    def film(self, frames: int = 1, *, padding: int = 0) -> None:
        """Publish the next pictures, each with so many bytes more."""
        for _ in range(frames):
            packet = self.packets[self.published % len(self.packets)]
            pts_90k = self.published * INTERVAL_90K
            data = packet.data + (b"\0\0\0\1\x0c" + b"\xff" * padding if padding else b"")
            self.live.publish(replace(packet, data=data, pts_90k=pts_90k, dts_90k=pts_90k), self.parameters)
            self.published += 1
            self.turn()

    def end_run(self) -> None:
        self.live.end()
        self.published = 0
        self.turn()

    def close(self) -> None:
        self.live.close()
        self.turn()
        for viewer in self.viewers:
            viewer.end.close()
        self.loop.close()


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    scene = Scene(tmp_path)
    yield scene
    scene.close()


def test_who_comes_late_begins_at_the_newest_keyframe_at_once(scene: Scene) -> None:
    scene.film(GOP + 4)
    viewer = scene.connect()
    assert viewer.read() == [11, 12, 13, 14]
    assert viewer.stream.init[4:8] == b"ftyp"
    assert viewer.stream.fragments[0].is_keyframe
    scene.film(2)
    assert viewer.read() == [15, 16]


def test_who_comes_early_waits_for_the_first_picture_and_misses_none(scene: Scene) -> None:
    viewer = scene.connect()
    assert viewer.read() == []
    scene.film(3)
    assert viewer.read() == [1, 2, 3]


def test_pictures_that_are_published_while_one_connects_come_once(scene: Scene) -> None:
    first = scene.connect()
    scene.film(2)
    second = Viewer(scene.folder.live_socket("gate"))
    scene.viewers.append(second)
    scene.live.publish(replace(scene.packets[2], pts_90k=7200, dts_90k=7200), scene.parameters)  # before the loop has looked
    scene.turn()
    assert first.read() == second.read() == [1, 2, 3]


def test_a_run_that_ends_ends_the_stream_and_the_next_one_has_its_own_init(scene: Scene) -> None:
    viewer = scene.connect()
    scene.film(3)
    scene.end_run()
    assert viewer.read() == [1, 2, 3, CLOSED]
    assert viewer.stream.is_whole
    again = scene.connect()
    assert again.read() == []
    scene.film(2)
    assert again.read() == [1, 2]
    assert (again.stream.init, again.stream.fragments[0].media_90k) == (viewer.stream.init, 0)


def test_a_run_that_ends_and_one_that_begins_before_the_loop_looks_are_not_mixed(scene: Scene) -> None:
    viewer = scene.connect()
    scene.film(2)
    scene.live.publish(replace(scene.packets[2], pts_90k=7200, dts_90k=7200), scene.parameters)
    scene.live.end()
    scene.live.publish(scene.packets[0], scene.parameters)
    scene.turn()
    assert viewer.read() == [1, 2, 3, CLOSED]
    assert scene.connect().read() == [1]


def test_a_slow_one_goes_on_at_a_keyframe_and_the_other_misses_nothing(scene: Scene) -> None:
    slow, quick = scene.connect(), scene.connect()
    numbers: list[int] = []
    for _ in range(120):
        scene.film(padding=100_000)
        numbers += quick.read()
    assert numbers == list(range(1, 121))
    late = slow.read()
    dropped = scene.live.dropped_fragments
    assert dropped > 0
    for _ in range(3 * GOP):  # it reads again, and gets what there is
        scene.film()
        numbers += quick.read()
        late += slow.read()
    assert numbers == list(range(1, 121 + 3 * GOP))
    assert late[-1] == numbers[-1]
    assert len(late) + scene.live.dropped_fragments == len(numbers)
    jumps = [
        seen for before, seen in zip(slow.stream.fragments, slow.stream.fragments[1:], strict=False) if seen.number != before.number + 1
    ]
    assert jumps
    assert all(seen.is_keyframe for seen in jumps)
    assert slow.stream.is_whole
    assert scene.live.dropped_fragments - dropped < GOP  # once it reads, nothing more is dropped than up to the next keyframe


def test_what_waits_for_a_slow_one_is_bounded(scene: Scene) -> None:
    slow = scene.connect()
    sent = 0
    for _ in range(300):
        scene.film(padding=60_000)
    slow.read()
    sent = sum(seen.size_bytes for seen in slow.stream.fragments)
    assert sent < UNSENT_BYTES + (1 << 20)


def test_one_that_takes_nothing_for_long_loses_its_seat(scene: Scene) -> None:
    scene.connect()
    for _ in range(80):
        scene.film(padding=100_000)
    assert scene.live.subscribers == 1
    scene.clock.advance(SILENT_S + 1)
    for _ in range(80):
        scene.film(padding=100_000)
    assert scene.live.subscribers == 0


def test_at_the_end_of_a_run_a_slow_one_gets_a_moment_and_no_more(scene: Scene) -> None:
    slow, stopped = scene.connect(), scene.connect()
    scene.film(20, padding=100_000)
    scene.end_run()
    numbers = slow.read()
    scene.turn()
    while CLOSED not in numbers:
        numbers += slow.read()
        scene.turn()
    assert numbers == [*range(1, 21), CLOSED]
    assert scene.live.subscribers == 1
    scene.clock.advance(LINGER_S + 0.1)
    scene.turn()
    assert scene.live.subscribers == 0
    assert stopped.read()[-1] == CLOSED


def test_a_dead_one_is_dropped_and_one_that_talks_too(scene: Scene) -> None:
    dead, talking, listening = scene.connect(), scene.connect(), scene.connect()
    half = scene.connect()
    scene.film(2)
    dead.end.close()
    talking.end.send(b"GET / HTTP/1.1\r\n")
    half.end.shutdown(socket.SHUT_WR)
    scene.turn()
    assert scene.live.subscribers == 2
    scene.film(2)
    assert listening.read() == half.read() == [1, 2, 3, 4]
    assert not talking.stream.fragments or talking.read()[-1] == CLOSED


def test_one_more_than_there_are_seats_is_turned_away(scene: Scene) -> None:
    viewers = [scene.connect() for _ in range(MOST_SUBSCRIBERS + 1)]
    scene.film(1)
    assert [viewer.read() for viewer in viewers] == [[1]] * MOST_SUBSCRIBERS + [[CLOSED]]
    viewers[3].end.close()
    scene.turn()
    assert scene.connect().read() == [1]


def test_a_gop_that_is_too_large_to_be_held_makes_newcomers_wait_for_the_next(scene: Scene) -> None:
    scene.film(5, padding=GOP_BYTES // 4)
    viewer = scene.connect()
    assert viewer.read() == []
    scene.film(GOP - 5 + 1)
    assert viewer.read() == [GOP + 1]


def test_a_loop_that_does_not_come_round_drops_to_a_keyframe_in_place_of_piling_up(scene: Scene) -> None:
    viewer = scene.connect()
    scene.film(1)
    for index in range(1, 4 * WAITING_FRAGMENTS):
        packet = scene.packets[index % len(scene.packets)]
        pts_90k = index * INTERVAL_90K
        scene.live.publish(replace(packet, pts_90k=pts_90k, dts_90k=pts_90k), scene.parameters)
    scene.published = 4 * WAITING_FRAGMENTS
    scene.turn()
    numbers = viewer.read()
    scene.film(GOP)
    numbers += viewer.read()
    assert len(numbers) + scene.live.dropped_fragments == scene.published
    assert len(numbers) < WAITING_FRAGMENTS + 2 * GOP
    (jump,) = [at for at in range(1, len(numbers)) if numbers[at] != numbers[at - 1] + 1]
    assert viewer.stream.fragments[jump].is_keyframe


def test_a_name_that_somebody_removed_is_made_again(scene: Scene) -> None:
    scene.film(1)
    scene.folder.live_socket("gate").unlink()
    scene.live.open()
    scene.turn()
    assert scene.connect().read() == [1]


def test_a_folder_that_takes_no_socket_is_told_once_and_tried_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "run").write_text("in the way")
    clock = ManualClock()
    loop = Loop(clock, tick_s=0.0)
    live = LivePublisher("gate", DataFolder(tmp_path), loop, clock)
    live.open()
    live.open()
    assert "".join(capsys.readouterr()).count("not published live") == 1
    (tmp_path / "run").unlink()
    live.open()
    loop.step()
    with connect(DataFolder(tmp_path).live_socket("gate")):
        pass
    live.close()
    loop.step()
    loop.close()


def test_closing_ends_every_stream_and_what_is_published_after_reaches_nobody(scene: Scene) -> None:
    viewer = scene.connect()
    scene.film(1)
    scene.live.close()
    scene.turn()
    assert viewer.read() == [1, CLOSED]
    scene.film(2)
    assert not scene.folder.live_socket("gate").exists()
    assert scene.live.subscribers == 0


def test_a_packet_that_the_masked_encoder_did_not_make_is_refused(scene: Scene) -> None:
    _, packets = encode(frames=60, gop=GOP)
    assert type(packets[0]) is not MaskedPacket
    with pytest.raises(TypeError, match="MaskedPacket"):
        scene.live.publish(packets[0], scene.parameters)  # type: ignore[arg-type]


def test_masking_is_not_held_up_by_a_loop_that_stands_still(scene: Scene) -> None:
    scene.connect()
    done = threading.Event()

    def publish() -> None:
        for index, packet in enumerate(scene.packets * 10):
            scene.live.publish(replace(packet, pts_90k=index * 3600, dts_90k=index * 3600), scene.parameters)
        done.set()

    thread = threading.Thread(target=publish)
    thread.start()
    thread.join(20)  # nobody steps the loop meanwhile
    assert done.is_set()
