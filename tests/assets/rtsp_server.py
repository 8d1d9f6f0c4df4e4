"""A real RTSP server (Debian's GStreamer) so that ingest meets a real peer, not a mock of our making.

Run it with the system's Python, which has `gi`; it needs no part of Lamppost:

    /usr/bin/python3 tests/assets/rtsp_server.py --port 8554 CLIP.mp4 CLIP.h265 ...
    /usr/bin/python3 tests/assets/rtsp_server.py --shared --live --copies 100 CLIP.mp4

mounts the clips as /cam0, /cam1, ... Each is stream-copied (H.264 or H.265, in
MP4 or as a raw byte stream), paced in real time and looped with continuous
timestamps. `--user` and `--password` ask for digest authentication.

`--copies N` mounts the clips in turn until there are N mounts; a clip is in memory once,
and each mount is at another keyframe of it. `--shared` pays one stream for all clients
of a mount. `--live` behaves as a camera that films on: what it sends is told by the
time since the server started, and a client that comes back has missed what came
meanwhile. With burnt-in frame numbers, picture n was "filmed" n intervals after the start.

It prints `READY PORT MOUNT MOUNT ...` once it listens, and then reads commands
from standard input, one a line, each answered with `OK` and the command on
standard output: `pause` (connections stay, no packet is sent), `resume`,
`reboot SECONDS` (every connection is cut and refused for so long, as when a camera
loses power), `quit`. It ends as well when standard input ends, unless `--forever` is given.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import os
import resource
import sys
import threading
from pathlib import Path
from typing import Any

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstApp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstApp, GstRtspServer  # noqa: E402, F401  # GstApp: for `push_buffer`

TICKS_PER_S = 1_000_000_000
TICK_MS = 20
CLEANING_S = 10  # so often sessions of clients that vanished are ended
OPEN_FILES = 65_536


class Clip:
    """A clip's access units, read once: (buffer, pts, duration, is_key) in nanoseconds."""

    def __init__(self, path: Path) -> None:
        self.codec, units = _read_units(path)
        if not units:
            raise SystemExit(f"{path}: no H.264 or H.265 video in it")
        self.units = [(_buffer(content, is_key=is_key), pts) for content, pts, _, is_key in units]
        self.duration_ns = units[0][2]
        self.span_ns = max(pts + duration for _, pts, duration, _ in units)
        self.keyframes = [index for index, (_, _, _, is_key) in enumerate(units) if is_key] or [0]

    def due_ns(self, number: int) -> int:
        """When access unit `number`, counted over all rounds, is sent: evenly, in decoding order."""
        rounds, index = divmod(number, len(self.units))
        return rounds * self.span_ns + index * self.span_ns // len(self.units)

    def pts_ns(self, number: int) -> int:
        rounds, index = divmod(number, len(self.units))
        return rounds * self.span_ns + self.units[index][1]

    def keyframe_after(self, since_ns: int) -> int:
        """The number of the first keyframe that is due at `since_ns` or later."""
        for rounds in itertools.count(since_ns // self.span_ns):
            for index in self.keyframes:
                number = rounds * len(self.units) + index
                if self.due_ns(number) >= since_ns:
                    return number
        raise AssertionError


def _buffer(content: bytes, *, is_key: bool) -> Any:
    buffer = Gst.Buffer.new_wrapped(content)
    if not is_key:
        buffer.set_flags(Gst.BufferFlags.DELTA_UNIT)
    return buffer


def _codec_of(path: Path) -> tuple[str, bool]:
    """The codec of a clip, and whether it is in MP4 (told by its sample entry)."""
    raw_codec = {".h264": "h264", ".264": "h264", ".h265": "h265", ".265": "h265", ".hevc": "h265"}.get(path.suffix.lower())
    if raw_codec is not None:
        return raw_codec, False
    content = path.read_bytes()
    return ("h265" if b"hvc1" in content or b"hev1" in content else "h264"), True


def _read_units(path: Path) -> tuple[str, list[tuple[bytes, int, int, bool]]]:
    codec, is_mp4 = _codec_of(path)
    head = "qtdemux name=demux demux.video_0 ! " if is_mp4 else ""
    caps = f"video/x-{codec},stream-format=byte-stream,alignment=au"
    parse = f"{head}{codec}parse config-interval=-1 ! {caps}"
    pipeline: Any = Gst.parse_launch(f"filesrc name=file ! {parse} ! appsink name=out sync=false")
    pipeline.get_by_name("file").set_property("location", str(path))
    out = pipeline.get_by_name("out")
    pipeline.set_state(Gst.State.PLAYING)
    units = []
    while (sample := out.emit("try-pull-sample", 10 * TICKS_PER_S)) is not None:
        buffer = sample.get_buffer()
        has_rate, numerator, denominator = sample.get_caps().get_structure(0).get_fraction("framerate")
        interval = TICKS_PER_S * denominator // numerator if has_rate and numerator else TICKS_PER_S // 25
        pts = buffer.pts if buffer.pts != Gst.CLOCK_TIME_NONE else len(units) * interval
        units.append((buffer.extract_dup(0, buffer.get_size()), pts, interval, not buffer.has_flags(Gst.BufferFlags.DELTA_UNIT)))
    pipeline.set_state(Gst.State.NULL)
    first = min((pts for _, pts, _, _ in units), default=0)
    return codec, [(content, pts - first, interval, key) for content, pts, interval, key in units]


class Feeder:
    """Pushes one clip into one media's appsrc, from `first` on, which is due at `start_ns` (monotonic)."""

    def __init__(self, clip: Clip, source: Any, first: int, start_ns: int) -> None:
        self._clip, self._source = clip, source
        self._first = self._next = first
        self._start_ns = start_ns
        self._pts_base_ns: int | None = None

    def push_due(self, now_ns: int) -> bool:
        """Send what is due by decoding order; presentation times follow the clip. False when nobody takes it."""
        clip = self._clip
        while self._start_ns + clip.due_ns(self._next) - clip.due_ns(self._first) <= now_ns:
            if self._pts_base_ns is None:
                self._pts_base_ns = self._running_ns() - clip.pts_ns(self._first)
            # The copy shares the bytes.
            buffer = clip.units[self._next % len(clip.units)][0].copy()
            buffer.pts = max(0, self._pts_base_ns + clip.pts_ns(self._next))
            buffer.duration = clip.duration_ns
            self._next += 1
            if self._source.push_buffer(buffer) != Gst.FlowReturn.OK:
                return False
        return True

    def _running_ns(self) -> int:
        running = self._source.get_current_running_time()
        return 0 if running == Gst.CLOCK_TIME_NONE else int(running)


class Pacer:
    """One timer for all feeders."""

    def __init__(self) -> None:
        self.is_paused = threading.Event()
        self.start_ns = _now_ns()
        self._feeders: dict[int, Feeder] = {}
        self._keys = itertools.count()
        self._mutex = threading.Lock()
        GLib.timeout_add(TICK_MS, self._tick)

    def add(self, feeder: Feeder) -> int:
        """The key that `remove` wants."""
        with self._mutex:
            key = next(self._keys)
            self._feeders[key] = feeder
        return key

    def remove(self, key: int) -> None:
        with self._mutex:
            self._feeders.pop(key, None)

    def _tick(self) -> bool:
        if not self.is_paused.is_set():
            with self._mutex:
                feeders = list(self._feeders.items())
            now_ns = _now_ns()
            for key, feeder in feeders:
                if not feeder.push_due(now_ns):
                    self.remove(key)
        return True


def _now_ns() -> int:
    return int(GLib.get_monotonic_time()) * 1000


class ClipFactory(GstRtspServer.RTSPMediaFactory):
    """Makes the media of one mount."""

    def __init__(self, clip: Clip, pacer: Pacer, phase: int, *, is_shared: bool, is_live: bool, config_interval: int) -> None:
        super().__init__()
        self._clip, self._pacer, self._phase, self._is_live = clip, pacer, phase, is_live
        caps = f"video/x-{clip.codec},stream-format=byte-stream,alignment=au"
        # The units were parsed when they were read, and each keyframe has its parameter sets: no parser here, and a
        # payloader that adds none unless it is asked to. (It puts them between the slices of a picture, which FFmpeg takes for two.)
        self.set_launch(
            f"( appsrc name=clip is-live=true format=time max-bytes=0 caps={caps} ! "
            f"rtp{clip.codec}pay name=pay0 pt=96 config-interval={config_interval} aggregate-mode=none )"
        )
        self.set_shared(is_shared)
        self.connect("media-configure", self._configure)

    def _configure(self, _factory: Any, media: Any) -> None:
        source = media.get_element().get_by_name_recurse_up("clip")
        now_ns, clip = _now_ns(), self._clip
        first, start_ns = self._phase, now_ns
        if self._is_live:
            # A mount's phase moves its clip back, so that keyframes of all mounts do not come at once.
            origin_ns = self._pacer.start_ns - clip.due_ns(self._phase)
            first = clip.keyframe_after(now_ns - origin_ns)
            start_ns = origin_ns + clip.due_ns(first)
        key = self._pacer.add(Feeder(clip, source, first, start_ns))
        media.connect("unprepared", lambda _media: self._pacer.remove(key))


class Server:
    """The listening server; `reboot` cuts everybody off and listens again later."""

    def __init__(self, address: str, port: str) -> None:
        self._server = GstRtspServer.RTSPServer()
        self._server.set_address(address)
        self._server.set_service(port)
        self._server.set_backlog(256)
        # A thread for each client: one that waits for its first picture holds up all others of its thread, as no two cameras do.
        pool = GstRtspServer.RTSPThreadPool.new()
        pool.set_max_threads(-1)
        self._server.set_thread_pool(pool)
        self.mounts = self._server.get_mount_points()
        self._source = 0
        GLib.timeout_add_seconds(CLEANING_S, self._forget_dead_sessions)

    def use_digest(self, user: str, password: str) -> None:
        auth = GstRtspServer.RTSPAuth.new()
        auth.set_supported_methods(2)  # GST_RTSP_AUTH_DIGEST
        token = GstRtspServer.RTSPToken()
        token.set_string("media.factory.role", "viewer")
        auth.add_digest(user, password, token)
        self._server.set_auth(auth)

    def listen(self) -> int:
        self._source = self._server.attach(None)
        if not self._source:
            raise SystemExit(f"cannot listen on port {self._server.get_service()}")
        port = self._server.get_bound_port()
        self._server.set_service(str(port))
        return int(port)

    def reboot(self, seconds: float, done: threading.Event) -> bool:
        """In the loop's thread: go down now, come up after `seconds`."""
        GLib.source_remove(self._source)
        self._server.client_filter(lambda _server, _client: GstRtspServer.RTSPFilterResult.REMOVE)
        self._server.get_session_pool().filter(lambda _pool, _session: GstRtspServer.RTSPFilterResult.REMOVE)
        GLib.timeout_add(round(1000 * seconds), self._come_up)
        done.set()
        return False

    def _come_up(self) -> bool:
        self.listen()
        return False

    def _forget_dead_sessions(self) -> bool:
        self._server.get_session_pool().cleanup()
        return True


def _listen_to_commands(loop: Any, server: Server, pacer: Pacer, is_forever: bool) -> None:
    for line in sys.stdin:
        command, *words = line.split() or [""]
        if command == "pause":
            pacer.is_paused.set()
        elif command == "resume":
            pacer.is_paused.clear()
        elif command == "reboot":
            done = threading.Event()
            GLib.idle_add(server.reboot, float(words[0]) if words else 3.0, done)
            done.wait(10)
        elif command == "quit":
            break
        print("OK", line.strip(), flush=True)  # noqa: T201
    else:
        if is_forever:
            return
    loop.quit()


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clips", nargs="+", type=Path)
    parser.add_argument("--address", default="127.0.0.1")
    parser.add_argument("--port", default="0", help="0 picks a free one")
    parser.add_argument("--user", default="")
    parser.add_argument("--password", default="")
    parser.add_argument("--copies", type=int, default=0, help="so many mounts, the clips in turn; otherwise one for each clip")
    parser.add_argument("--shared", action="store_true", help="one stream for all clients of a mount")
    parser.add_argument("--config-interval", type=int, default=0, help="-1: parameter sets before each slice of an IDR picture")
    parser.add_argument("--live", action="store_true", help="what is sent is told by the time since the start")
    parser.add_argument("--forever", action="store_true", help="go on when standard input ends")
    return parser.parse_args()


def main() -> None:
    arguments = _parse_arguments()
    with contextlib.suppress(ValueError, OSError):
        most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(OPEN_FILES, most), most))
    os.environ.setdefault("MALLOC_ARENA_MAX", "4")
    Gst.init(None)
    server = Server(arguments.address, arguments.port)
    if arguments.user:
        server.use_digest(arguments.user, arguments.password)
    clips = [Clip(path) for path in arguments.clips]
    count = arguments.copies or len(clips)
    pacer = Pacer()
    names = []
    for number in range(count):
        clip = clips[number % len(clips)]
        turn, turns = number // len(clips), -(-count // len(clips))
        phase = clip.keyframes[turn * len(clip.keyframes) // turns]
        factory = ClipFactory(
            clip, pacer, phase, is_shared=arguments.shared, is_live=arguments.live, config_interval=arguments.config_interval
        )
        if arguments.user:
            permissions = GstRtspServer.RTSPPermissions()
            permissions.add_permission_for_role("viewer", "media.factory.access", True)
            permissions.add_permission_for_role("viewer", "media.factory.construct", True)
            factory.set_permissions(permissions)
        server.mounts.add_factory(f"/cam{number}", factory)
        names.append(f"/cam{number}")
    loop = GLib.MainLoop()
    print("READY", server.listen(), *names, flush=True)  # noqa: T201
    threading.Thread(target=_listen_to_commands, args=(loop, server, pacer, arguments.forever), daemon=True).start()
    loop.run()


if __name__ == "__main__":
    main()
