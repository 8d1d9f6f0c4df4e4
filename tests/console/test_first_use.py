"""The first hour of somebody who installs Lamppost: the first account, the first camera, the wall on a phone."""

from __future__ import annotations

import re
import time

import pytest
from playwright.sync_api import expect
from pyotp.totp import TOTP

from console.conftest import PHONE, Visit
from console.console_node import ConsoleNode
from console.live_pictures import await_live

pytestmark = pytest.mark.debian

PASSWORD = "three blue lamps in a row"


def test_the_first_user_is_set_up_and_signs_in_with_both_steps(new_node, visit: Visit) -> None:  # type: ignore[no-untyped-def]
    node = new_node()
    node.start()
    link = node.setup_link()
    olga = visit(node)
    page = olga.page
    page.goto(link)
    page.get_by_label("Name").fill("olga")
    page.get_by_role("textbox", name="New password").fill("short")
    page.get_by_role("button", name="Make the account").click()
    expect(page.get_by_role("textbox", name="New password")).to_be_visible()
    page.get_by_role("textbox", name="New password").fill(PASSWORD)
    page.get_by_role("button", name="Make the account").click()
    secret = re.sub(r"\s", "", page.locator("form code").inner_text())
    page.get_by_label("Code", exact=True).fill(TOTP(secret).now())
    page.get_by_role("button", name="Turn it on").click()
    await_live(page, "plaza")

    olga.forgiven = ("401", "404")
    page.get_by_role("button", name="Account of olga").click()
    page.get_by_role("menuitem", name="Sign out").click()
    page.get_by_label("Name").fill("olga")
    page.get_by_role("textbox", name="Password").fill("three blue lamps in a box")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text("Name or password is wrong.")).to_be_visible()
    page.get_by_role("textbox", name="Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    # A code is good once: the one that turned it on was used, the next is taken all the same.
    page.get_by_label("Code", exact=True).fill(TOTP(secret).at(time.time() + 30))
    page.get_by_role("button", name="Sign in").click()
    await_live(page, "plaza")

    # The link was good once.
    page.goto(link)
    somebody = visit(node)
    somebody.forgiven = ("404", "410")
    somebody.page.goto(link)
    expect(somebody.page.get_by_text("This link has been used, or its time is over")).to_be_visible()


def test_a_camera_is_tried_before_it_is_added_and_is_on_the_wall_within_seconds(new_node, visit: Visit) -> None:  # type: ignore[no-untyped-def]
    node = new_node()
    node.start()
    olga = visit(node)
    olga.sign_in()
    page = olga.page
    olga.go("/cameras")
    page.get_by_role("button", name="Add camera").click()
    dialog = page.get_by_role("dialog", name="Add a camera")
    dialog.get_by_label("Name").fill("harbour")
    dialog.get_by_label("Address", exact=True).fill("rtsp://127.0.0.1:9/nobody")
    dialog.get_by_role("button", name="Test", exact=True).click()
    expect(dialog.get_by_text("It does not work.")).to_be_visible()
    dialog.get_by_label("Address", exact=True).fill(node.STREET.format(seed=5))
    dialog.get_by_role("button", name="Test", exact=True).click()
    expect(dialog.get_by_text("It works.")).to_be_visible()
    dialog.get_by_role("button", name="Add camera").click()
    expect(page.get_by_text("harbour is added.")).to_be_visible()
    page.get_by_role("link", name="Wall").first.click()
    await_live(page, "harbour")
    await_live(page, "plaza")


def test_the_wall_on_a_phone_fits_its_screen_and_opens_with_a_tap(street: ConsoleNode, visit: Visit) -> None:
    olga = visit(street, PHONE, has_touch=True, is_mobile=True)
    olga.sign_in()
    page = olga.page
    await_live(page, "plaza")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.locator("[data-camera=plaza] .surface").tap()
    expect(page.locator("[data-camera=bridge]")).to_have_count(0)
    await_live(page, "plaza")
    page.locator("[data-camera=plaza] .surface").tap()
    await_live(page, "bridge")
    page.get_by_role("button", name="More", exact=True).tap()
    page.get_by_role("menuitem", name="Privacy").tap()
    expect(page.get_by_role("heading", name="Privacy", exact=True)).to_be_visible()
