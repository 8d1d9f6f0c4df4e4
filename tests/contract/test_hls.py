"""Other people's players follow our playlists and open our clips, and see every picture of the segments."""

from __future__ import annotations

import socket
import subprocess
import threading
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import uvicorn

from lamppost.base.clock import format_utc
from masked_street import START_US, MaskedStreet
from served_node import ServedNode

S = 1_000_000
TOKEN = "operator@*"
pytestmark = pytest.mark.debian


def t(seconds: float) -> str:
    return format_utc(START_US + round(seconds * S))


@dataclass
class Site:
    """A node on loopback with masked video from 0 to 9.5 s and from 20 to 23 s, and a view of it."""

    address: str
    street: MaskedStreet
    view: str

    def url(self, resource: str, from_s: float, to_s: float) -> str:
        return f"{self.address}/api/v1/cameras/plaza/{resource}?from={t(from_s)}&to={t(to_s)}&view={self.view}"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    root = tmp_path_factory.mktemp("hls") / "data"
    served, street = ServedNode.make(root), MaskedStreet(root)
    street.record(95, START_US)
    street.record(30, START_US + 20 * S)
    asked = {"cameras": ["plaza"], "from": t(-5), "to": t(60)}
    view = served.client(TOKEN).post("/api/v1/views", json=asked).json()["id"]
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(served.app, log_level="error", lifespan="off", ws="none"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    yield Site(f"http://127.0.0.1:{listener.getsockname()[1]}", street, view)
    server.should_exit = True
    thread.join()
    listener.close()
    served.close()


def hashes(*source: str) -> list[str]:
    """What FFmpeg decodes, a hash for each picture."""
    command = ["ffmpeg", "-v", "error", *source, "-fps_mode", "passthrough", "-f", "framehash", "-hash", "md5", "-"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return [line.rsplit(",", 1)[1].strip() for line in done.stdout.splitlines() if not line.startswith("#")]


def web(url: str) -> tuple[str, ...]:
    return "-headers", f"Authorization: Bearer {TOKEN}\r\n", "-i", url


def of_files(site: Site) -> list[str]:
    files = sorted((site.street.root / "masked").rglob("*.mp4"))
    return [each for path in files for each in hashes("-i", str(path))]


def test_a_player_of_hls_sees_the_pictures_of_the_segments(site: Site) -> None:
    expected = of_files(site)
    assert len(expected) == 125
    assert hashes(*web(site.url("playlist.m3u8", 0, 60))) == expected


def test_a_player_begins_in_the_middle(site: Site) -> None:
    assert hashes(*web(site.url("playlist.m3u8", 3, 6))) == of_files(site)[30:60]


def test_a_clip_opens_with_stock_tools(site: Site, tmp_path: Path) -> None:
    clip = tmp_path / "clip.mp4"
    request = urllib.request.Request(site.url("clip.mp4", 3.2, 22), headers={"Authorization": f"Bearer {TOKEN}"})  # noqa: S310
    with urllib.request.urlopen(request) as answer:  # noqa: S310 - loopback
        clip.write_bytes(answer.read())
    asked = ["-show_entries", "format=format_name,duration:format_tags=title:stream=codec_name,nb_frames", "-of", "default=nw=1"]
    done = subprocess.run(["ffprobe", "-v", "error", *asked, str(clip)], capture_output=True, text=True, check=True)
    facts = dict(line.split("=", 1) for line in done.stdout.splitlines())
    assert facts["codec_name"] == "h264"
    assert "mp4" in facts["format_name"]
    assert float(facts["duration"]) == pytest.approx(6.3 + 2.0, abs=0.01)
    assert facts["TAG:title"] == f"plaza, {t(3.2)} to {t(22)}"
    expected = of_files(site)
    assert hashes("-i", str(clip)) == expected[32:95] + expected[95:115]
