"""A real RTSP server (Debian's GStreamer) so that ingest meets a real peer, not a mock of our making.

Run it with the system's Python, which has `gi`; it needs no part of Lamppost:

    /usr/bin/python3 tests/assets/rtsp_server.py --port 8554 CLIP.mp4 CLIP.h265 ...

mounts the clips as /cam0, /cam1, ... Each is stream-copied (H.264 or H.265, in
MP4 or as a raw byte stream), paced in real time and looped with continuous
timestamps. `--user` and `--password` ask for digest authentication.

It prints `READY PORT MOUNT MOUNT ...` once it listens, and then reads commands
from standard input, one a line, each answered with `OK` on standard output:
`pause` (connections stay, no packet is sent), `resume`, `quit`. It ends as well
when standard input ends, unless `--forever` is given.
"""

from __future__ import annotations

import argparse
import sys
import threading
from pathlib import Path
from typing import Any

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402

TICKS_PER_S = 1_000_000_000


class Clip:
    """A clip's access units, read once: (bytes, pts, duration, is_key) in nanoseconds."""

    def __init__(self, path: Path) -> None:
        self.codec, self.units = _read_units(path)
        if not self.units:
            raise SystemExit(f"{path}: no H.264 or H.265 video in it")
        self.span_ns = max(pts + duration for _, pts, duration, _ in self.units)


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
    return codec, [(data, pts - first, interval, key) for data, pts, interval, key in units]


class Feeder:
    """Pushes one clip into one media's appsrc, in real time, for as long as it lives."""

    def __init__(self, clip: Clip, source: Any, is_paused: threading.Event) -> None:
        self._clip, self._source, self._is_paused = clip, source, is_paused
        self._sent = 0
        self._epoch_us = 0
        self._timer = GLib.timeout_add(5, self._tick)

    def stop(self) -> None:
        if self._timer:
            GLib.source_remove(self._timer)
            self._timer = 0

    def _tick(self) -> bool:
        now = GLib.get_monotonic_time()
        if not self._epoch_us:
            self._epoch_us = now
        if self._is_paused.is_set():
            return True
        # Send what is due by decoding order; presentation times follow the clip.
        while True:
            loop, index = divmod(self._sent, len(self._clip.units))
            data, pts, duration, is_key = self._clip.units[index]
            due_ns = loop * self._clip.span_ns + index * self._clip.span_ns // len(self._clip.units)
            if due_ns > (now - self._epoch_us) * 1000:
                return True
            buffer = Gst.Buffer.new_wrapped(data)
            buffer.pts = loop * self._clip.span_ns + pts
            buffer.duration = duration
            if not is_key:
                buffer.set_flags(Gst.BufferFlags.DELTA_UNIT)
            self._sent += 1
            if self._source.emit("push-buffer", buffer) != Gst.FlowReturn.OK:
                self._timer = 0
                return False


class ClipFactory(GstRtspServer.RTSPMediaFactory):
    """Makes one media of one clip; all clients of a mount share it."""

    def __init__(self, clip: Clip, is_paused: threading.Event) -> None:
        super().__init__()
        self._clip, self._is_paused = clip, is_paused
        self._feeders: list[Feeder] = []
        caps = f"video/x-{clip.codec},stream-format=byte-stream,alignment=au"
        self.set_launch(
            f"( appsrc name=clip is-live=true format=time caps={caps} ! {clip.codec}parse ! "
            f"rtp{clip.codec}pay name=pay0 pt=96 config-interval=-1 aggregate-mode=none )"
        )
        self.set_shared(False)
        self.connect("media-configure", self._configure)

    def _configure(self, _factory: Any, media: Any) -> None:
        source = media.get_element().get_by_name_recurse_up("clip")
        feeder = Feeder(self._clip, source, self._is_paused)
        media.connect("unprepared", lambda _media: feeder.stop())


def _digest(user: str, password: str) -> Any:
    auth = GstRtspServer.RTSPAuth.new()
    auth.set_supported_methods(2)  # GST_RTSP_AUTH_DIGEST
    token = GstRtspServer.RTSPToken()
    token.set_string("media.factory.role", "viewer")
    auth.add_digest(user, password, token)
    return auth


def _listen_to_commands(loop: Any, is_paused: threading.Event, is_forever: bool) -> None:
    for line in sys.stdin:
        command = line.strip()
        if command == "pause":
            is_paused.set()
        elif command == "resume":
            is_paused.clear()
        elif command == "quit":
            break
        print("OK", command, flush=True)  # noqa: T201
    else:
        if is_forever:
            return
    loop.quit()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clips", nargs="+", type=Path)
    parser.add_argument("--port", default="0", help="0 picks a free one")
    parser.add_argument("--user", default="")
    parser.add_argument("--password", default="")
    parser.add_argument("--forever", action="store_true", help="go on when standard input ends")
    arguments = parser.parse_args()

    Gst.init(None)
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service(arguments.port)
    if arguments.user:
        server.set_auth(_digest(arguments.user, arguments.password))
    is_paused = threading.Event()
    mounts = server.get_mount_points()
    names = []
    for number, path in enumerate(arguments.clips):
        factory = ClipFactory(Clip(path), is_paused)
        if arguments.user:
            permissions = GstRtspServer.RTSPPermissions()
            permissions.add_permission_for_role("viewer", "media.factory.access", True)
            permissions.add_permission_for_role("viewer", "media.factory.construct", True)
            factory.set_permissions(permissions)
        mounts.add_factory(f"/cam{number}", factory)
        names.append(f"/cam{number}")
    loop = GLib.MainLoop()
    if not server.attach(None):
        raise SystemExit(f"cannot listen on port {arguments.port}")
    print("READY", server.get_bound_port(), *names, flush=True)  # noqa: T201
    threading.Thread(target=_listen_to_commands, args=(loop, is_paused, arguments.forever), daemon=True).start()
    loop.run()


if __name__ == "__main__":
    main()
