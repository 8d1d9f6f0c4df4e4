"""An operator turns a camera in a real browser: they see it live, see nothing while it moves, and see again once it stands."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from console.conftest import Visit
from console.console_node import ConsoleNode
from console.filmed_camera import filmed_camera, table_of
from console.live_pictures import await_live, grey
from console.test_accessibility import in_light_and_dark
from crash.node import wait_until
from lamppost.cameras.simulated.camera import SimulatedCamera

pytestmark = pytest.mark.debian


@pytest.fixture(scope="module")
def dome() -> Iterator[SimulatedCamera]:
    with filmed_camera("hikvision", address="127.0.0.6") as camera:
        yield camera


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory, dome: SimulatedCamera) -> Iterator[ConsoleNode]:
    node = ConsoleNode(tmp_path_factory.mktemp("turning"), {"plaza": "sim://plaza?people=1&vehicles=0&width=320&height=180&fps=5"})
    node.configure({"devices": {"networks": ["127.0.0.0/27"]}})
    node.replace_config(node.config.read_text() + table_of("dome", dome))
    try:
        node.start()
        yield node
    finally:
        node.kill_everything()


def is_covered(page: Page) -> bool:
    """Whether the picture shows nothing but one colour."""
    shown = grey(page, "dome")
    return max(shown) - min(shown) <= 16


def test_a_camera_is_turned_in_sight_and_is_covered_until_it_stands(node: ConsoleNode, visit: Visit) -> None:
    olga = visit(node, reduced_motion="reduce")
    olga.sign_in("olga", "ptz_operator")
    page = olga.page
    olga.forgiven = ("404",)  # the books learn of a new camera some seconds after the page does
    olga.go("/cameras/dome")
    pad = page.get_by_role("application", name="Turn the camera")
    pad.focus()
    pad.press("ArrowRight", delay=1500)  # to turn it is to want to see it
    expect(page.get_by_text("Turning, covered")).to_be_visible()
    await_live(page, "dome")
    wait_until(lambda: is_covered(page), "the picture is covered while the camera turns", 30)
    expect(page.get_by_text("Turning, covered")).to_be_hidden()
    wait_until(lambda: not is_covered(page), "the picture is seen again", 60)
    assert in_light_and_dark(page) == []
    page.get_by_role("button", name="Live", exact=True).click()
    expect(page.locator("video")).to_have_count(0)


def test_a_tour_goes_through_chosen_positions_in_their_order(node: ConsoleNode, visit: Visit) -> None:
    olga = visit(node, reduced_motion="reduce")
    olga.sign_in("olga-of-tours", "ptz_operator")
    page = olga.page
    olga.forgiven = ("404",)
    olga.go("/cameras/dome")
    for name in ("North corner", "South corner", "Fountain"):
        page.get_by_label("Name", exact=True).fill(name)
        page.get_by_role("button", name="Save this position").click()
        expect(page.get_by_role("button", name=f"Remove {name}")).to_be_visible()
    stops = page.get_by_role("group", name="Positions, in their order")
    save = page.get_by_role("button", name="Save the tour")
    page.get_by_label("Name of the tour").fill("Night round")
    for name in ("Fountain", "South corner", "North corner"):
        stops.get_by_role("button", name=name).click()
    stops.get_by_role("button", name="2. South corner").click()  # taken back
    expect(stops.get_by_role("button", name="2. North corner")).to_be_visible()
    assert in_light_and_dark(page) == []
    save.click()
    expect(page.get_by_text("Fountain → North corner")).to_be_visible()
    page.get_by_role("button", name="Start", exact=True).click()
    page.get_by_role("button", name="Stop the tour").click()
    expect(page.get_by_role("button", name="Start", exact=True)).to_be_visible()
    page.get_by_role("button", name="Remove Night round").click()
    expect(page.get_by_text("Fountain → North corner")).to_be_hidden()
