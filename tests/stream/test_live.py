"""The live streams of a real node: one that does not read harms nobody, a kill ends the stream, stock tools read it."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tomllib
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "crash"))
from node import Node, wait_until

from lamppost.base.errors import StoreError
from lamppost.base.local_sockets import connect
from live_stream import LiveReader

# Fast and covered whole, so that a subscriber that stands still falls behind in seconds and masking costs next to nothing.
URL = "sim://plaza?seed=3&people=3&vehicles=1&width=640&height=360&fps=40"
PATIENCE_S = 60.0
READER = """
import socket, sys
end = socket.socket(socket.AF_UNIX)
end.connect(sys.argv[1])
print(len(end.recv(100)), flush=True)
while end.recv(65536):
    pass
"""


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        listen = f"127.0.0.1:{free.getsockname()[1]}"
    node = Node(tmp_path, URL, camera_settings={"preset": "all"}, settings={"metrics": {"listen": listen}})
    node.start()
    yield node
    node.kill_everything()


def live_socket(node: Node) -> Path:
    return node.data / "run" / "live" / f"{node.camera}.sock"


def subscribe(node: Node) -> socket.socket:
    """Connect as soon as somebody listens."""
    ends: list[socket.socket] = []

    def is_connected() -> bool:
        with contextlib.suppress(StoreError):
            ends.append(connect(live_socket(node)))
        return bool(ends)

    wait_until(is_connected, "somebody who publishes", PATIENCE_S)
    ends[0].settimeout(PATIENCE_S)
    return ends[0]


def read(end: socket.socket, stream: LiveReader, fragments: int) -> bool:
    """Read so many more fragments; false at the end of the stream."""
    mark = len(stream.fragments)
    while len(stream.fragments) < mark + fragments:
        piece = end.recv(1 << 16)
        if not piece:
            return False
        stream.take(piece)
    return True


def dropped(node: Node) -> int:
    """What the metrics say that subscribers missed."""
    listen = tomllib.loads(node.config.read_text())["metrics"]["listen"]
    with urllib.request.urlopen(f"http://{listen}/metrics", timeout=10) as answer:
        found = re.search(r"^lamppost_live_dropped_fragments_total{.*} (.*)$", answer.read().decode(), re.MULTILINE)
    assert found is not None
    return int(float(found[1]))


def test_one_that_is_stopped_misses_fragments_and_the_other_none(node: Node) -> None:
    command = [sys.executable, "-c", READER, str(live_socket(node))]
    with subscribe(node) as quick, subprocess.Popen(command, stdout=subprocess.PIPE) as stopped:
        assert stopped.stdout is not None
        assert stopped.stdout.readline().strip() == b"100"
        os.kill(stopped.pid, signal.SIGSTOP)
        stream = LiveReader()
        assert read(quick, stream, 600)
        wait_until(lambda: dropped(node) > 0, "fragments that the stopped one was not sent are counted")
        stopped.kill()
    numbers = [seen.number for seen in stream.fragments]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert stream.fragments[0].is_keyframe
    assert stream.init
    gaps_us = [after.wall_us - before.wall_us for before, after in zip(stream.fragments, stream.fragments[1:], strict=False)]
    assert all(20_000 <= gap_us <= 30_000 for gap_us in gaps_us), "one picture each, stamped with the camera's time"


def test_a_killed_analyst_ends_the_stream_and_the_next_one_can_be_connected_to(node: Node) -> None:
    with subscribe(node) as end:
        stream = LiveReader()
        assert read(end, stream, 10)
        node.kill("analyst")
        with contextlib.suppress(ConnectionResetError):  # a kill may look like this as well
            while read(end, stream, 1):
                pass
    again = LiveReader()
    while len(again.fragments) < 10:
        # Whoever comes while the dead one's socket still hangs in the kernel is reset, and comes again.
        with contextlib.suppress(ConnectionResetError), subscribe(node) as end:
            again = LiveReader()
            read(end, again, 10)
    assert again.fragments[0].number == 1
    assert again.fragments[0].wall_us > stream.fragments[-1].wall_us
    assert live_socket(node).is_socket()


def test_stock_tools_read_the_socket(node: Node, tmp_path: Path) -> None:
    with subscribe(node) as end:
        stream, content = LiveReader(), bytearray()
        while len(stream.fragments) < 60:
            piece = end.recv(1 << 16)
            stream.take(piece)
            content += piece
    path = tmp_path / "live.mp4"
    path.write_bytes(content[: stream.whole_bytes])
    probed = subprocess.run(
        ["ffprobe", "-v", "error", "-count_frames", "-show_entries", "stream=codec_name,width,height,nb_read_frames", "-of", "json", path],
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    assert probed.stderr == ""
    (found,) = json.loads(probed.stdout)["streams"]
    assert found == {"codec_name": "h264", "width": 640, "height": 360, "nb_read_frames": str(len(stream.fragments))}
    # Paths of a socket are short: where the data folder's is long, go there. Without `ignidx` FFmpeg takes a Unix
    # socket for a file, whose end it looks for before it shows anything.
    read_live = ["ffmpeg", "-v", "error", "-nostdin", "-fflags", "+ignidx", "-i", f"unix:{node.camera}.sock"]
    played = subprocess.run(
        [*read_live, "-frames:v", "30", "-f", "framemd5", "-"],
        capture_output=True, text=True, check=True, timeout=60, cwd=live_socket(node).parent,
    )  # fmt: skip
    assert len([line for line in played.stdout.splitlines() if not line.startswith("#")]) == 30


def test_a_node_that_is_stopped_ends_the_stream_and_leaves_no_socket(node: Node) -> None:
    with subscribe(node) as end:
        stream = LiveReader()
        assert read(end, stream, 5)
        assert node.process is not None
        node.process.terminate()
        while read(end, stream, 1):
            pass
        assert node.process.wait(30) == 0
    assert not live_socket(node).exists()
    wait_until(lambda: not node.pids("analyst"), "the end of the analyst")
