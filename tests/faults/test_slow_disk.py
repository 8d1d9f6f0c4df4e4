"""Every write takes half a second: memory stays within bounds, what is lost is declared, and it goes on afterwards."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from assets.rtsp_peer import RtspPeer
from crash.node import Node, let_pass
from numbered import check_numbers

pytestmark = [pytest.mark.long, pytest.mark.debian]
SLOW_S = 25.0
MOST_GROWTH_MB = 60.0


@pytest.mark.parametrize("milliseconds", [500, 2000])
def test_slow_writes(
    make_node: Callable[..., Node],
    serve_clip: Callable[..., RtspPeer],
    build_shim: Callable[[str], Path],
    truth: list[bytes],
    tmp_path: Path,
    milliseconds: int,
) -> None:
    switch = tmp_path / "slow"
    library = build_shim("slow_disk")
    node = make_node(
        serve_clip().url(),
        data=tmp_path / "site" / "data",
        environment={"LD_PRELOAD": str(library), "SLOW_DISK_BELOW": str(tmp_path / "site"), "SLOW_DISK_SWITCH": str(switch)},
    )
    node.start()
    node.await_fragments(4)
    before_mb = node.uss_mb("recorder")
    switch.write_text(str(milliseconds))
    let_pass(SLOW_S, lambda: node.is_running, "the node lives on a slow disk")
    slow_mb = node.uss_mb("recorder")
    switch.unlink()
    node.await_fragments(4)
    node.stop()
    node.accounts()
    check_numbers(node, fps=10, truth=truth)
    assert slow_mb - before_mb < MOST_GROWTH_MB
