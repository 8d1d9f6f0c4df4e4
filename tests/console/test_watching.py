"""Live pictures in a real browser: they move, and they come back after whatever happened to camera, process or server."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from assets.rtsp_peer import RtspPeer
from console.conftest import Visit
from console.console_node import ConsoleNode
from console.live_pictures import await_live, await_pictures, changed_share, grey, shown
from crash.node import let_pass
from street_clip import make_street_clip

pytestmark = pytest.mark.debian


def test_live_pictures_move_and_stand_still_when_they_are_held(street: ConsoleNode, visit: Visit) -> None:
    olga = visit(street)
    olga.sign_in()
    page = olga.page
    for camera in ("plaza", "bridge"):
        await_live(page, camera)
        # What moves is masked, and its mask moves.
        before = grey(page, camera)
        assert max(before) - min(before) > 40, "a picture, and not a black one"
        await_pictures(page, camera, 20)
        assert changed_share(before, grey(page, camera)) > 0.002
    # By the server's clock: old by the look-back, and not by more than a few seconds on whatever machine.
    age_ms = float(page.locator("[data-camera=plaza] video").get_attribute("data-age-ms") or "nan")
    assert 200 < age_ms < 5000

    page.get_by_role("button", name="Hold all pictures").click()
    page.wait_for_selector("[data-camera=plaza] video[data-live=paused]")
    still, count = grey(page, "plaza"), shown(page, "plaza")
    let_pass(1.5, lambda: shown(page, "plaza") <= count + 1, "a picture that is held is the last")
    assert changed_share(still, grey(page, "plaza")) < 0.002
    # A tile that begins while all are held is held as well.
    page.locator("[data-camera=plaza]").dblclick()
    page.wait_for_selector("[data-camera=bridge]", state="detached")
    page.get_by_role("button", name="Back to the wall").first.click()
    page.wait_for_selector("[data-camera=bridge] video[data-live=paused]")
    page.get_by_role("button", name="Go on live").click()
    await_live(page, "plaza")
    await_pictures(page, "plaza", 20)
    assert changed_share(still, grey(page, "plaza")) > 0.002


def test_the_wall_recovers_from_a_killed_server_and_from_a_restart_of_the_node(new_node, visit: Visit) -> None:  # type: ignore[no-untyped-def]
    node: ConsoleNode = new_node()
    node.draw_rules()
    node.start()
    olga = visit(node)
    olga.forgiven = ("ERR_CONNECTION_REFUSED", "ERR_EMPTY_RESPONSE", "ERR_CONNECTION_RESET", "WebSocket", "503")
    olga.sign_in()
    page = olga.page
    await_live(page, "plaza")
    events = olga.another_page("/events")
    expect(events.get_by_text("across middle").first).to_be_visible(timeout=60_000)

    node.kill("server")
    await_pictures(page, "plaza", 20)
    await_live(page, "plaza")

    node.stop()
    expect(page.get_by_text("The server does not answer. Reconnecting…")).to_be_visible()
    expect(page.locator("[data-camera=plaza]")).to_have_attribute("data-standing", "reconnecting")
    node.start()
    expect(page.get_by_text("The server does not answer. Reconnecting…")).to_be_hidden(timeout=60_000)
    await_live(page, "plaza")
    await_pictures(page, "plaza", 10)
    # The feed of events as well: what happens now is told.
    expect(events.get_by_text("Live", exact=True)).to_be_visible(timeout=30_000)
    expect(events.get_by_role("button", name="new")).to_be_visible(timeout=60_000)


def test_the_wall_recovers_from_a_killed_analyst(new_node, visit: Visit) -> None:  # type: ignore[no-untyped-def]
    node: ConsoleNode = new_node()
    node.start()
    olga = visit(node)
    olga.sign_in()
    await_live(olga.page, "plaza")
    node.kill("analyst")
    await_pictures(olga.page, "plaza", 20)
    await_live(olga.page, "plaza")


def test_a_camera_that_breaks_is_told_and_comes_back_by_itself(new_node, visit: Visit, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    clip = tmp_path / "gate.mp4"
    make_street_clip(clip)
    with RtspPeer(clip, options=("--live", "--shared")) as camera:
        node: ConsoleNode = new_node({"gate": camera.url()})
        node.start()
        olga = visit(node)
        olga.sign_in()
        page = olga.page
        tile = page.locator("[data-camera=gate]")
        await_live(page, "gate")
        camera.close()
        expect(tile).to_have_attribute("data-standing", "lost", timeout=60_000)
        expect(tile).to_contain_text("Lost since")
        camera.restart()
        await_live(page, "gate")
        await_pictures(page, "gate", 10)
        # What was missed stands in the account of the day.
        olga.go("/cameras/gate")
        causes = re.compile("camera not reached|stream ended|stream stalled")
        expect(page.get_by_role("main").get_by_text(causes).first).to_be_visible()
