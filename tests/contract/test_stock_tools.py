"""Others can open what we sealed: tar, Debian's age, a SLIP-39 tool, and none of our code."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from camera_packets import START_US, encode
from lamppost.casework.release import open_interval
from lamppost.model.books import SegmentOpened
from lamppost.record.fragments import FragmentMuxer
from sealed_site import Site

SCRIPT = Path(__file__).parents[1] / "assets" / "open_with_stock_tools.sh"
SHAMIR = Path(sys.executable).with_name("shamir")


def run_script(tmp_path: Path, site: Site, keys: list[Path], out: Path, epoch_id: str) -> subprocess.CompletedProcess[str]:
    (segment,) = [site.folder.root / record.path for record in site.books if isinstance(record, SegmentOpened)]
    epoch = site.folder.epoch("plaza", epoch_id)
    arguments = [str(path) for path in (out, epoch, segment, *keys)]
    environment = {**os.environ, "SHAMIR": str(SHAMIR)}
    return subprocess.run(
        ["sh", str(SCRIPT), *arguments],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.debian
@pytest.mark.skipif(not SHAMIR.exists(), reason="the SLIP-39 tool `shamir` is not installed beside this Python")
@pytest.mark.parametrize("chosen", [(0, 1), (2, 0)])
def test_a_segment_opens_with_stock_tools_only(tmp_path: Path, chosen: tuple[int, ...]) -> None:
    site, out = Site(tmp_path), tmp_path / "out.mp4"
    site.record(0.0, 50)
    done = run_script(tmp_path, site, [site.keys[i] for i in chosen], out, "epoch-0")
    assert done.returncode == 0, done.stderr
    parameters, packets = encode(frames=50, start_us=START_US)
    muxer = FragmentMuxer(parameters)
    fragments = [f for p in packets for f in muxer.write(p)] + list(muxer.close())
    assert out.read_bytes() == muxer.init + b"".join(f.data for f in fragments)
    open_interval(site.folder, "plaza", START_US, START_US + 2_000_000, site.keys[:2], tmp_path / "ours.mp4")
    assert (tmp_path / "ours.mp4").read_bytes() == out.read_bytes()
    probed = subprocess.run(
        ["ffprobe", "-v", "error", "-count_frames", "-show_entries", "stream=nb_read_frames", "-of", "csv=p=0", str(out)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert (probed.stdout.strip(), probed.stderr) == ("50", "")


@pytest.mark.debian
@pytest.mark.skipif(not SHAMIR.exists(), reason="the SLIP-39 tool `shamir` is not installed beside this Python")
def test_one_custodian_alone_gets_nothing(tmp_path: Path) -> None:
    site, out = Site(tmp_path), tmp_path / "out.mp4"
    site.record(0.0, 50)
    done = run_script(tmp_path, site, site.keys[:1], out, "epoch-0")
    assert done.returncode != 0
    assert not out.exists()
