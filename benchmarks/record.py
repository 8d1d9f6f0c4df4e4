"""CPU and memory to record, seal and feed one 1080p camera, beside one `ffmpeg -c copy`.

Both read the same GStreamer RTSP server at the same time. CPU is user and
system time of the process over the measured span, start-up left out.
"""

from __future__ import annotations

import socket
import subprocess
import tempfile
import threading
import time
from pathlib import Path

import psutil

from benchmarks.clips import make_camera_clip
from benchmarks.figures import Figure
from benchmarks.fleet_site import LOOPBACK, set_keys
from lamppost.pipeline.child import spawn
from lamppost.pipeline.configuration import load_settings
from lamppost.pipeline.feed import read_feed

SERVER = Path(__file__).parents[1] / "tests" / "assets" / "rtsp_server.py"
WARM_S = 8.0
SPAN_S = 40.0


def measure(lamppost: Path) -> list[Figure]:
    """Start server, ffmpeg and recorder; measure both over the same span."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        clip = folder / "camera.mp4"
        make_camera_clip(clip)
        server = subprocess.Popen(
            ["/usr/bin/python3", str(SERVER), "--port", "0", str(clip)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip
        try:
            assert server.stdout is not None
            port = server.stdout.readline().split()[1]
            return _beside_ffmpeg(lamppost, folder, f"rtsp://127.0.0.1:{port}/cam0")
        finally:
            server.kill()
            server.wait()


def _beside_ffmpeg(lamppost: Path, folder: Path, url: str) -> list[Figure]:
    config = folder / "lamppost.toml"
    subprocess.run([lamppost, "init", "--data", folder / "data", "-c", config, "--camera", f"cam={url}"], check=True, capture_output=True)
    set_keys(config, {"networks": [LOOPBACK]})
    copy = subprocess.Popen(
        [
            *("ffmpeg", "-loglevel", "error", "-y", "-rtsp_transport", "tcp", "-i", url, "-c", "copy", "-an"),
            *("-f", "mp4", "-movflags", "frag_keyframe+empty_moov", str(folder / "copy.mp4")),
        ]
    )
    recorder, channel = spawn("lamppost.pipeline.recorder", "recorder-1", load_settings(config))
    near, far = socket.socketpair()
    channel.send_whole({"order": "feed", "camera": "cam"}, (near.fileno(),))
    near.close()
    fed = threading.Thread(target=lambda: [None for _ in read_feed(far)], daemon=True)
    fed.start()
    try:
        time.sleep(WARM_S)
        ours, peer = psutil.Process(recorder.pid), psutil.Process(copy.pid)
        before = _cpu_s(ours), _cpu_s(peer)
        time.sleep(SPAN_S)
        ours_s, peer_s = _cpu_s(ours) - before[0], _cpu_s(peer) - before[1]
        memory = ours.memory_full_info().uss / 1e6, peer.memory_full_info().uss / 1e6
    finally:
        channel.send_whole({"order": "stop"})
        recorder.wait(10)
        copy.terminate()
        copy.wait(10)
        far.close()
    return [
        Figure(
            "CPU to record, seal and feed one 1080p camera, 25 fps, 2 Mbit/s",
            f"{100 * ours_s / SPAN_S:.2f}% of a core", f"{100 * peer_s / SPAN_S:.2f}% (`ffmpeg -c copy`)", f"{ours_s / peer_s:.2f}×",
            f"over {SPAN_S:.0f} s, both at once; one camera alone carries the process's whole base",
        ),
        Figure(
            "memory of the recorder process with one camera (USS)",
            f"{memory[0]:.0f} MB", f"{memory[1]:.0f} MB", f"{memory[0] / memory[1]:.2f}×", "Python and its libraries are most of it",
        ),
    ]  # fmt: skip


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user) + float(times.system)
