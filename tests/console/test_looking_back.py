"""The past in a real browser: scrub, play, export and play the clip; an event from the feed to its moment."""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import av
import pytest
from playwright.sync_api import Page, expect

from console.conftest import Visit
from console.console_node import ConsoleNode

pytestmark = pytest.mark.debian

#: The picture of the moment is there.
SHOWS = """(camera) => {
  const video = document.querySelector(`figure[data-camera='${camera}'] video`);
  return video && video.readyState >= 2 && video.videoWidth > 0;
}"""


def open_past(page: Page, node: ConsoleNode, *cameras: str, seconds_ago: float = 8) -> datetime:
    """The timeline of cameras at a moment that is recorded and masked."""
    node.await_masked(*cameras, seconds=seconds_ago + 6)
    at = datetime.now(UTC) - timedelta(seconds=seconds_ago)
    page.goto(f"{node.url}/timeline?{'&'.join(f'camera={name}' for name in cameras)}&at={at.isoformat().replace('+00:00', 'Z')}")
    return at


def answer(page: Page) -> None:
    """Say why, in the dialog that asks."""
    dialog = page.get_by_role("dialog", name="Why are you looking?")
    dialog.get_by_role("textbox", name="Reason").fill("case 17, bicycle taken at the bridge")
    dialog.get_by_role("button", name="Look").click()


def test_the_past_is_scrubbed_with_masked_pictures_and_played(street: ConsoleNode, visit: Visit) -> None:
    olga = visit(street)
    olga.sign_in()
    page = olga.page
    at = open_past(page, street, "plaza")
    page.wait_for_function(SHOWS, arg="plaza")

    for _ in range(6):
        page.keyboard.press("+")
    head, lane = page.locator(".tracks .head").bounding_box(), page.locator("[data-lane=plaza]").bounding_box()
    assert head is not None
    assert lane is not None
    # A little before the moment that is shown: there is footage.
    before_it = (head["x"] - 5, lane["y"] + lane["height"] / 2)
    page.mouse.move(*before_it)
    thumbnail = page.locator(".scrub img")
    expect(thumbnail).to_be_attached()
    page.wait_for_function("() => document.querySelector('.scrub img')?.naturalWidth > 0")

    clock = page.locator(".transport time")
    page.mouse.click(*before_it)
    before = clock.get_attribute("datetime")
    page.get_by_role("button", name="Play", exact=True).click()
    page.wait_for_function("(was) => document.querySelector('.transport time').getAttribute('datetime') > was", arg=before)
    page.get_by_role("button", name="Pause", exact=True).click()
    stopped = clock.get_attribute("datetime")
    page.get_by_role("button", name="One picture on").click()
    page.wait_for_function("(was) => document.querySelector('.transport time').getAttribute('datetime') > was", arg=stopped)
    assert abs(datetime.fromisoformat(stopped or "") - at) < timedelta(seconds=60)


def test_several_cameras_ask_for_a_reason_that_is_kept_in_the_acts(street: ConsoleNode, visit: Visit) -> None:
    olga = visit(street)
    olga.sign_in()
    page = olga.page
    open_past(page, street, "plaza", "bridge")
    answer(page)
    for camera in ("plaza", "bridge"):
        page.wait_for_function(SHOWS, arg=camera)
    olga.go("/acts")
    expect(page.get_by_text("case 17, bicycle taken at the bridge").first).to_be_visible()


def test_a_second_camera_of_the_same_time_asks_for_a_reason(street: ConsoleNode, visit: Visit) -> None:
    otto = visit(street)
    otto.sign_in("otto")
    page = otto.page
    open_past(page, street, "plaza")
    page.wait_for_function(SHOWS, arg="plaza")
    otto.forgiven = ("422",)
    open_past(page, street, "bridge")
    dialog = page.get_by_role("dialog", name="Why are you looking?")
    expect(dialog.get_by_text("You are looking at another camera of the same time")).to_be_visible()
    answer(page)
    page.wait_for_function(SHOWS, arg="bridge")


def test_a_clip_is_exported_and_plays(street: ConsoleNode, visit: Visit, tmp_path: Path) -> None:
    olga = visit(street)
    olga.sign_in()
    page = olga.page
    open_past(page, street, "plaza", seconds_ago=12)
    page.wait_for_function(SHOWS, arg="plaza")
    page.get_by_role("button", name="Begin of the clip here").click()
    page.keyboard.press("ArrowRight")
    page.get_by_role("button", name="End of the clip here").click()
    page.get_by_role("button", name="Export", exact=True).click()
    dialog = page.get_by_role("dialog", name="Export a masked clip")
    with page.expect_download() as saving:
        dialog.get_by_role("button", name="Make the clip").click()
    path = tmp_path / "clip.mp4"
    saving.value.save_as(path)
    expect(dialog.get_by_text("The clip is saved.")).to_be_visible()
    told = dialog.locator("code").inner_text()
    assert hashlib.sha256(path.read_bytes()).hexdigest() == told

    with av.open(str(path)) as clip:
        frames = list(clip.decode(video=0))
    assert 4 < float(frames[-1].time - frames[0].time) < 9
    pictures = [frame.to_ndarray(format="gray") for frame in frames]
    assert max(float(picture.std()) for picture in pictures) > 10, "pictures, and not black ones"
    # In a browser as well, from the first picture to the last.
    shown = page.evaluate(
        """async (bytes) => {
          const video = document.createElement('video');
          video.muted = true;
          video.src = URL.createObjectURL(new Blob([new Uint8Array(bytes)], {type: 'video/mp4'}));
          await new Promise((done, fail) => { video.onloadeddata = done; video.onerror = () => fail(video.error.message); });
          video.playbackRate = 4;
          await video.play();
          await new Promise((done) => { video.onended = done; });
          return [video.videoWidth, video.videoHeight, video.currentTime];
        }""",
        list(path.read_bytes()),
    )
    assert shown[0] * 9 == shown[1] * 16
    assert shown[2] > 4


def test_an_event_is_looked_after_and_a_colleague_sees_it_at_once(street: ConsoleNode, visit: Visit) -> None:
    olga, omar = visit(street), visit(street)
    # Of the very first event nothing is recorded five seconds earlier, where its moment is opened.
    street.await_masked("plaza", "bridge", seconds=20)
    since = (datetime.now(UTC) - timedelta(seconds=12)).isoformat().replace("+00:00", "Z")
    for visitor, name in ((olga, "olga"), (omar, "omar")):
        visitor.sign_in(name)
        visitor.go(f"/events?type=line_crossed&state=unacknowledged&from={since}")
    row = olga.page.get_by_role("listitem").filter(has_text="across middle").last
    row.get_by_role("button").click(timeout=90_000)
    detail = olga.page.get_by_role("complementary", name="Event", exact=True)
    expect(detail.get_by_text("across middle")).to_be_visible()
    olga.page.wait_for_function("() => document.querySelector('aside .picture img')?.naturalWidth > 0")
    found = re.search(r"event=[^&]+", olga.page.url)
    assert found, olga.page.url
    omar.go(f"/events?{found[0]}")
    detail.get_by_role("button", name="Acknowledge").click()
    expect(detail.get_by_text("Looked after by olga")).to_be_visible()
    theirs = omar.page.get_by_role("complementary", name="Event", exact=True)
    expect(theirs.get_by_text("Looked after by olga")).to_be_visible()
    theirs.get_by_role("textbox", name="Comment").fill("The tram stood still")
    theirs.get_by_role("button", name="Add comment").click()
    expect(detail.get_by_text("The tram stood still")).to_be_visible()
    # And at its moment.
    olga.forgiven = ("422",)
    detail.get_by_role("link", name="Open at its moment").click()
    camera = detail_camera(olga.page)
    olga.page.wait_for_function(f"(camera) => ({SHOWS})(camera) || document.querySelector('#reason')?.offsetParent", arg=camera)
    if olga.page.locator("#reason").is_visible():  # the other camera was looked at in a test before
        answer(olga.page)
    olga.page.wait_for_function(SHOWS, arg=camera)


def detail_camera(page: Page) -> str:
    page.wait_for_url("**/timeline?**")
    found = re.search(r"camera=([a-z]+)", page.url)
    assert found
    return found[1]
