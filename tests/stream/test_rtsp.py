"""RTSP through a real server: every NAL unit arrives, every failure has its name."""

from __future__ import annotations

import contextlib
import hashlib
import io
import itertools
import threading
import time
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest

from lamppost.base.clock import SystemClock
from lamppost.base.errors import CameraError, CameraRefused, CameraUnreachable, StreamEnded
from lamppost.decode.packets import PacketDecoder
from lamppost.ingest.nal import is_delimiter, is_parameter_set, nal_type, split_annex_b
from lamppost.ingest.session import Session, open_session
from lamppost.ingest.stream import Transport
from lamppost.model.media import Codec, Gap, Packet, RunStarted, SessionItem
from lamppost.record.fragments import FragmentMuxer
from loopback import ON_LOOPBACK

pytestmark = pytest.mark.debian
SECRET = "CANARY-pa:ss@w/rd"


def take(session: Session, packets: int) -> list[SessionItem]:
    items: list[SessionItem] = []
    for item in session.items():
        items.append(item)
        if sum(isinstance(one, Packet) for one in items) == packets:
            break
    return items


def media_units(codec: Codec, data: bytes) -> list[bytes]:
    """The NAL units without delimiters and parameter sets, which servers repeat as they like."""
    return [
        unit
        for unit in split_annex_b(data)
        if not is_parameter_set(codec, nal_type(codec, unit)) and not is_delimiter(codec, nal_type(codec, unit))
    ]


def gathered(path: Path) -> list[Packet]:
    """All packets of a file."""
    packets: list[Packet] = []
    with (
        open_session(f"file:{path}?pace=0", clock=SystemClock(), stop=threading.Event(), networks=ON_LOOPBACK) as session,
        contextlib.suppress(StreamEnded),
    ):
        packets.extend(item for item in session.items() if isinstance(item, Packet))
    return packets


@pytest.mark.parametrize("transport", ["tcp", "udp"])
@pytest.mark.parametrize("codec", list(Codec))
def test_every_nal_unit_arrives(
    codec: Codec, transport: Transport, serve: Callable, street_clip: Callable[[Codec], Path], stop: threading.Event
) -> None:
    clip = street_clip(codec)
    sent = [media_units(codec, packet.data) for packet in gathered(clip)]
    server = serve(clip)
    with open_session(
        f"rtsp://127.0.0.1:{server.port}/cam0", clock=SystemClock(), stop=stop, networks=ON_LOOPBACK, transport=transport
    ) as session:
        items = take(session, 50)
    assert session.codec is codec
    started = [item for item in items if isinstance(item, RunStarted)]
    packets = [item for item in items if isinstance(item, Packet)]
    # The clip goes round: one run, no gap at its seam.
    assert items[0] == started[0]
    assert len(started) == 1
    assert not [item for item in items if isinstance(item, Gap)]
    assert (started[0].parameters.width_px, started[0].parameters.height_px) == (640, 360)
    assert packets[0].is_keyframe
    received = [media_units(codec, packet.data) for packet in packets]
    first = sent.index(received[0])
    assert received == list(itertools.islice(itertools.cycle(sent), first, first + len(received)))
    # GStreamer counts in nanoseconds and rounds down.
    assert all(abs(packet.pts_90k - index * 6000) <= 1 for index, packet in enumerate(packets))


def test_a_keyframe_carries_its_parameter_sets(serve: Callable, street_clip: Callable[[Codec], Path], stop: threading.Event) -> None:
    server = serve(street_clip(Codec.H264))
    with open_session(f"rtsp://127.0.0.1:{server.port}/cam0", clock=SystemClock(), stop=stop, networks=ON_LOOPBACK) as session:
        packets = [item for item in take(session, 20) if isinstance(item, Packet)]
    for packet in packets:
        types = [nal_type(Codec.H264, unit) for unit in split_annex_b(packet.data)]
        assert ({7, 8} <= set(types)) == packet.is_keyframe


@pytest.mark.parametrize("transport", ["tcp", "udp"])
def test_parameter_sets_before_each_slice_make_no_pictures_more(
    serve: Callable, sliced_clip: Path, stop: threading.Event, transport: Transport
) -> None:
    """FFmpeg's reader takes each such slice for a picture; what arrives here decodes to what was sent."""
    server = serve(sliced_clip, options=("--config-interval", "-1"))
    with open_session(
        f"rtsp://127.0.0.1:{server.port}/cam0", clock=SystemClock(), stop=stop, networks=ON_LOOPBACK, transport=transport
    ) as session:
        items = take(session, 25)
    packets = [item for item in items if isinstance(item, Packet)]
    assert len(items) == 26, "one run, no gap"
    keyframes = [[nal_type(Codec.H264, unit) for unit in split_annex_b(packet.data)] for packet in packets if packet.is_keyframe]
    assert all(types.count(5) == 4 and types.count(7) >= 4 for types in keyframes)
    assert decoded(items[0], packets) == decoded(items[0], gathered(sliced_clip)[:25])
    assert played(items[0], packets) == played(items[0], gathered(sliced_clip)[:25])


def played(started: SessionItem, packets: list[Packet]) -> list[bytes]:
    """Every picture of the fragments that are recorded, by a player."""
    assert isinstance(started, RunStarted)
    muxer = FragmentMuxer(started.parameters)
    fragments = [fragment.data for packet in packets for fragment in muxer.write(packet)] + [fragment.data for fragment in muxer.close()]
    with av.open(io.BytesIO(muxer.init + b"".join(fragments))) as container:
        return [picture.to_ndarray(format="gray").tobytes() for picture in container.decode(video=0)]


def decoded(started: SessionItem, packets: list[Packet]) -> list[bytes]:
    """Every picture, by the decoder that masking has."""
    assert isinstance(started, RunStarted)
    with contextlib.closing(PacketDecoder(started.parameters)) as decoder:
        frames = [frame for packet in packets for frame in decoder.decode(packet)] + list(decoder.flush())
    assert all(frame.is_intact for frame in frames)
    return [hashlib.sha256(np.ascontiguousarray(frame.i420)).digest() for frame in frames]


def test_digest_authentication(serve: Callable, street_clip: Callable[[Codec], Path], stop: threading.Event) -> None:
    server = serve(street_clip(Codec.H264), user="lamp", password=SECRET)
    url = f"rtsp://127.0.0.1:{server.port}/cam0"
    with open_session(url, clock=SystemClock(), stop=stop, networks=ON_LOOPBACK, username="lamp", password=SECRET) as session:
        assert len(take(session, 3)) == 4
    for wrong in ("", "CANARY-wrong"):
        with pytest.raises(CameraRefused, match="password"):
            open_session(url, clock=SystemClock(), stop=stop, networks=ON_LOOPBACK, username="lamp", password=wrong)
    with pytest.raises(CameraRefused):
        open_session(url, clock=SystemClock(), stop=stop, networks=ON_LOOPBACK)


def test_an_unknown_path_is_named(serve: Callable, street_clip: Callable[[Codec], Path], stop: threading.Event) -> None:
    server = serve(street_clip(Codec.H264))
    with pytest.raises(CameraUnreachable, match="404"):
        open_session(f"rtsp://127.0.0.1:{server.port}/none", clock=SystemClock(), stop=stop, networks=ON_LOOPBACK)


def test_a_camera_that_stops_sending_is_noticed_in_time(
    serve: Callable, street_clip: Callable[[Codec], Path], stop: threading.Event
) -> None:
    server = serve(street_clip(Codec.H264))
    with open_session(
        f"rtsp://127.0.0.1:{server.port}/cam0", clock=SystemClock(), stop=stop, networks=ON_LOOPBACK, timeout_s=2.0
    ) as session:
        items = session.items()
        for _ in range(4):
            next(items)
        server.command("pause")
        started_s = time.monotonic()
        with pytest.raises(CameraUnreachable, match="silent"):
            list(items)
        assert 1.0 < time.monotonic() - started_s < 3.0


def test_stop_ends_a_silent_session_at_once(serve: Callable, street_clip: Callable[[Codec], Path], stop: threading.Event) -> None:
    server = serve(street_clip(Codec.H264))
    with open_session(f"rtsp://127.0.0.1:{server.port}/cam0", clock=SystemClock(), stop=stop, networks=ON_LOOPBACK) as session:
        items = session.items()
        next(items)
        server.command("pause")
        threading.Timer(0.3, stop.set).start()
        started_s = time.monotonic()
        list(items)
        assert time.monotonic() - started_s < 1.5


def test_each_stage_of_a_restart_has_its_error(serve: Callable, street_clip: Callable[[Codec], Path], stop: threading.Event) -> None:
    server = serve(street_clip(Codec.H264))
    url = f"rtsp://127.0.0.1:{server.port}/cam0"
    with open_session(url, clock=SystemClock(), stop=stop, networks=ON_LOOPBACK) as session:
        items = session.items()
        next(items)
        server.kill()
        with pytest.raises((StreamEnded, CameraUnreachable)):
            list(items)
    with pytest.raises(CameraUnreachable, match="refuses connections"):
        open_session(url, clock=SystemClock(), stop=stop, networks=ON_LOOPBACK)
    serve(street_clip(Codec.H264), port=server.port)
    with open_session(url, clock=SystemClock(), stop=stop, networks=ON_LOOPBACK) as session:
        assert len(take(session, 2)) == 3


def test_real_clips_with_b_frames_arrive_whole(serve: Callable, shared_data: Path, stop: threading.Event) -> None:
    clip = shared_data / "clips" / "intel_one-by-one-person-detection.mp4"
    server = serve(clip)
    with open_session(f"rtsp://127.0.0.1:{server.port}/cam0", clock=SystemClock(), stop=stop, networks=ON_LOOPBACK) as session:
        items = take(session, 30)
    assert all(isinstance(item, Packet) for item in items[1:])
    packets = [item for item in items if isinstance(item, Packet)]
    sent = [media_units(Codec.H264, packet.data) for packet in gathered(clip)[:30]]
    assert [media_units(Codec.H264, packet.data) for packet in packets] == sent
    times = sorted(packet.pts_90k for packet in packets)
    assert all(after - before > 0 for before, after in itertools.pairwise(times))
    assert all(before.dts_90k < after.dts_90k <= after.pts_90k for before, after in itertools.pairwise(packets))


def test_camera_errors_share_a_base() -> None:
    assert issubclass(CameraRefused, CameraError)
