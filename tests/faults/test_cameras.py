"""Cameras that reboot, stall, move and lose packets: what is missing by the numbers burnt in lies in a declared gap."""

from __future__ import annotations

import importlib.util
import random
import statistics
import sys
import time
from collections.abc import Callable, Iterator

import pytest

from assets.lossy_proxy import LossyProxy
from assets.netns import CameraNetwork, why_not
from assets.rtsp_peer import RtspPeer
from crash.node import Node, let_pass, wait_until
from lamppost.model.layout import DataFolder
from lamppost.model.media import GapCause
from lamppost.model.networks import PRIVATE
from lamppost.store.index import Index
from loopback import LOOPBACK
from numbered import check_numbers

pytestmark = pytest.mark.debian
RECONNECT_S = 15.0
QUICK = {"recording": {"timeout_s": 2.0, "reconnect_cap_s": 5.0}}


def start(node: Node) -> None:
    node.start()
    node.await_fragments(2)


@pytest.fixture
def proxy(serve_clip: Callable[..., RtspPeer]) -> Iterator[LossyProxy]:
    """A camera behind a proxy."""
    with LossyProxy(serve_clip().port) as proxy:
        yield proxy


def url(proxy: LossyProxy) -> str:
    return f"rtsp://{proxy.host}:{proxy.port}/cam0"


def reboot_repeatedly(node: Node, camera: RtspPeer, times: int) -> list[float]:
    """Seconds from the camera's coming up to the first fragment that is recorded again, for each time."""
    dice, took = random.Random(times), []
    start(node)
    for _ in range(times):
        down_s = dice.uniform(0.2, 3.0)
        camera.command(f"reboot {down_s:.2f}")
        up_at = time.monotonic() + down_s
        let_pass(down_s)
        node.await_fragments(1, timeout_s=60)
        took.append(time.monotonic() - up_at)
        node.await_fragments(1)
    return took


@pytest.mark.parametrize("times", [2, pytest.param(50, marks=[pytest.mark.long, pytest.mark.timeout(1800)])])
def test_reboots(make_node: Callable[..., Node], serve_clip: Callable[..., RtspPeer], truth: list[bytes], times: int) -> None:
    camera = serve_clip()
    node = make_node(camera.url())
    took = reboot_repeatedly(node, camera, times)
    node.stop()
    node.accounts()
    account = check_numbers(node, fps=10, truth=truth)
    assert account.runs == times + 1
    assert account.missing > 0
    p95_s = statistics.quantiles(took, n=20, method="inclusive")[-1] if times > 2 else max(took)
    sys.stdout.write(f"reconnect after {times} reboots: median {statistics.median(took):.1f} s, p95 {p95_s:.1f} s\n")
    assert p95_s <= RECONNECT_S


def test_a_network_that_is_taken_out_lets_its_cameras_go(make_node: Callable[..., Node], serve_clip: Callable[..., RtspPeer]) -> None:
    """No restart: nothing connects there any more, the gap says why, and it goes on when the network is named again."""
    node = make_node(serve_clip().url(), settings=QUICK)
    start(node)
    node.configure({"devices": {"networks": list(PRIVATE)}})
    wait_until(lambda: "`networks` of [devices]" in node.log(), "word of it", 20)
    mark = node.fragments("recorder")
    let_pass(3, lambda: node.fragments("recorder") <= mark + 1, "nothing is recorded")
    node.configure({"devices": {"networks": [LOOPBACK]}})
    node.await_fragments(2, timeout_s=RECONNECT_S)
    node.stop()
    node.accounts()
    with Index(DataFolder(node.data)) as index:
        assert GapCause.CAMERA_REFUSED.value in [gap.cause for gap in index.gaps(node.camera)]


@pytest.mark.long
def test_a_short_stall_loses_nothing(make_node: Callable[..., Node], proxy: LossyProxy, truth: list[bytes]) -> None:
    """TCP holds what was sent: the picture is late, and all of it comes."""
    node = make_node(url(proxy))
    start(node)
    for seconds in (0.5, 1.5, 3.0):
        proxy.stall(seconds)
        let_pass(seconds)
        node.await_fragments(2)
    node.stop()
    node.accounts()
    account = check_numbers(node, fps=10, truth=truth, tolerance_us=3_500_000)
    assert account.missing == 0


@pytest.mark.long
def test_a_long_stall_is_a_gap(make_node: Callable[..., Node], proxy: LossyProxy, truth: list[bytes]) -> None:
    node = make_node(url(proxy), settings=QUICK)
    start(node)
    proxy.stall(8)
    let_pass(8)
    node.await_fragments(3)
    node.stop()
    node.accounts()
    # What the proxy still held was sent before the stall and is thrown away with the connection.
    assert check_numbers(node, fps=10, truth=truth, tolerance_us=1_000_000).missing > 0


@pytest.mark.long
def test_a_line_too_narrow_and_wide_again(make_node: Callable[..., Node], proxy: LossyProxy, truth: list[bytes]) -> None:
    node = make_node(url(proxy), settings=QUICK)
    start(node)
    proxy.throttle(4_000)
    let_pass(10, lambda: node.is_running, "the node lives")
    proxy.throttle(None)
    node.await_fragments(4, timeout_s=60)
    node.stop()
    node.accounts()
    check_numbers(node, fps=10, truth=truth, tolerance_us=12_000_000)


@pytest.mark.long
def test_cuts_and_refusals(make_node: Callable[..., Node], proxy: LossyProxy, truth: list[bytes]) -> None:
    node = make_node(url(proxy), settings=QUICK)
    start(node)
    for fault in (proxy.cut, lambda: proxy.refuse(3), proxy.cut):
        fault()
        node.await_fragments(2, timeout_s=60)
    node.stop()
    node.accounts()
    assert check_numbers(node, fps=10, truth=truth).runs >= 3


@pytest.mark.long
def test_a_new_address(make_node: Callable[..., Node], proxy: LossyProxy, truth: list[bytes]) -> None:
    """The camera answers elsewhere, and the configuration follows: no restart, and the gap is declared."""
    node = make_node(url(proxy), settings=QUICK)
    if "set" not in node.run("camera", "--help").stdout:
        pytest.skip("the configuration is not reloaded by `lamppost serve` yet")
    start(node)
    before = url(proxy)
    proxy.move("127.0.0.2")
    mark = node.fragments("recorder")
    let_pass(4)
    assert node.fragments("recorder") <= mark + 1
    node.replace_config(node.config.read_text().replace(before, url(proxy)))
    node.await_fragments(2, timeout_s=5 + RECONNECT_S)
    assert node.process is not None
    node.stop()
    node.accounts()
    account = check_numbers(node, fps=10, truth=truth)
    assert account.runs == 2
    assert account.missing > 0


def declared_losses(node: Node) -> int:
    causes = {GapCause.PACKETS_LOST.value, GapCause.DAMAGED.value, GapCause.TIMESTAMP_JUMP.value}
    with Index(DataFolder(node.data)) as index:
        return sum(gap.cause in causes for gap in index.gaps(node.camera))


@pytest.fixture
def network() -> Iterator[CameraNetwork]:
    reason = why_not()
    if reason:
        pytest.skip(f"packets cannot be lost here: {reason}")
    with CameraNetwork() as network:
        yield network


@pytest.mark.long
@pytest.mark.parametrize("percent", [1, 5, 20])
def test_lost_udp_packets(
    make_node: Callable[..., Node], serve_clip: Callable[..., RtspPeer], network: CameraNetwork, truth: list[bytes], percent: int
) -> None:
    """Damaged pictures and missing ones are all declared; what is not declared is bit-exact."""
    if importlib.util.find_spec("lamppost.ingest.rtsp") is None:
        pytest.skip("RTP over UDP is not read yet")
    camera = serve_clip(prefix=network.prefix, address=network.camera_address)
    node = make_node(camera.url(), camera_settings={"transport": "udp"})
    start(node)
    network.lose(percent)
    let_pass(30, lambda: node.is_running, "the node lives")
    network.lose(0)
    node.await_fragments(4)
    node.stop()
    assert declared_losses(node) > 0
    node.accounts()
    account = check_numbers(node, fps=10, truth=truth)
    sys.stdout.write(f"{percent}% lost: {account}\n")


@pytest.mark.long
@pytest.mark.parametrize("percent", [5, 20])
def test_lost_tcp_packets(
    make_node: Callable[..., Node], serve_clip: Callable[..., RtspPeer], network: CameraNetwork, truth: list[bytes], percent: int
) -> None:
    """TCP sends again: late at 5%, and perhaps cut off at 20%; nothing is damaged, what is missing is declared."""
    camera = serve_clip(prefix=network.prefix, address=network.camera_address)
    node = make_node(camera.url(), settings=QUICK)
    start(node)
    network.lose(percent)
    let_pass(20, lambda: node.is_running, "the node lives")
    network.lose(0)
    node.await_fragments(4, timeout_s=90)
    node.stop()
    node.accounts()
    check_numbers(node, fps=10, truth=truth, tolerance_us=3_000_000)


@pytest.mark.long
def test_a_cable_that_is_pulled(
    make_node: Callable[..., Node], serve_clip: Callable[..., RtspPeer], network: CameraNetwork, truth: list[bytes]
) -> None:
    """Nobody is told: only silence says it."""
    camera = serve_clip(prefix=network.prefix, address=network.camera_address)
    node = make_node(camera.url(), settings=QUICK)
    start(node)
    mark = node.fragments("recorder")
    network.cut()
    wait_until(lambda: "not recording" in node.log(), "word of it", 20)
    assert node.fragments("recorder") <= mark + 3
    network.mend()
    node.await_fragments(2, timeout_s=RECONNECT_S + 10)
    node.stop()
    node.accounts()
    assert check_numbers(node, fps=10, truth=truth, tolerance_us=1_000_000).missing > 0
