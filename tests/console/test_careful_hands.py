"""Nothing happens to somebody by one click, Enter presses what has the focus, and what was begun is still there after a look elsewhere."""

from __future__ import annotations

import re
from contextlib import closing

import pytest
from playwright.sync_api import expect

from console.conftest import Visit
from console.console_node import ConsoleNode
from lamppost.access.desk import Desk
from lamppost.base.clock import SystemClock
from lamppost.model.layout import DataFolder

pytestmark = pytest.mark.debian


def is_disabled(node: ConsoleNode, name: str) -> bool:
    with closing(Desk(DataFolder(node.data), SystemClock())) as desk:
        user = desk.book.user_named(name)
        assert user is not None
        return user.is_disabled


def test_nobody_is_disabled_or_signed_out_by_one_click(street: ConsoleNode, visit: Visit) -> None:
    street.link("paula", ["viewer"])
    olga = visit(street)
    olga.sign_in()
    page = olga.page
    olga.go("/settings/users")
    row = page.get_by_role("row").filter(has_text="paula")
    for action, said in (("Sign out everywhere", "signed out in every browser"), ("Disable", "cannot sign in")):
        row.get_by_role("button").click()
        page.get_by_role("menuitem", name=action).click()
        asked = page.get_by_role("dialog", name=action)
        expect(asked).to_contain_text(said)
        asked.get_by_role("button", name="Cancel").click()
        expect(asked).to_be_hidden()
    assert not is_disabled(street, "paula")
    row.get_by_role("button").click()
    page.get_by_role("menuitem", name="Disable").click()
    page.get_by_role("dialog", name="Disable").get_by_role("button", name="Disable").click()
    expect(row).to_contain_text("Disabled")
    assert is_disabled(street, "paula")


def test_no_backup_is_offered_where_there_is_no_folder_for_it(street: ConsoleNode, visit: Visit) -> None:
    olga = visit(street)
    olga.sign_in()
    olga.go("/settings/backups")
    expect(olga.page.get_by_text("No folder for backups is set")).to_be_visible()
    expect(olga.page.get_by_role("button", name="Make a backup")).to_be_disabled()


def test_enter_presses_what_has_the_focus_where_rules_are_drawn(street: ConsoleNode, visit: Visit) -> None:
    olga = visit(street)
    olga.sign_in()
    page = olga.page
    olga.go("/rules/plaza")
    tools = page.get_by_role("toolbar", name="Tools")
    tools.get_by_role("button", name="Ground", exact=True).focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Ground", exact=True)).to_be_visible()

    east = page.get_by_role("spinbutton", name="East")
    east.first.fill("12.5")
    east.first.blur()
    page.keyboard.press("v")
    expect(east).to_have_count(0)
    page.keyboard.press("b")
    expect(east.first).to_have_value("12.5")
    page.get_by_role("button", name="Discard changes").click()
    expect(east.first).to_have_value("")
    page.get_by_role("link", name=re.compile("All cameras")).focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/rules")


def test_a_comment_that_was_begun_is_still_there_after_a_look_at_another_event(street: ConsoleNode, visit: Visit) -> None:
    street.await_event()
    olga = visit(street)
    olga.sign_in()
    page = olga.page
    olga.go("/events")
    page.locator("main li [data-event], main li").first.wait_for()
    page.keyboard.press("j")
    field = page.get_by_role("textbox", name="Comment")
    field.fill("a red bag")
    page.get_by_role("button", name="Close the event").click()
    expect(field).to_have_count(0)
    page.keyboard.press("j")
    expect(field).to_have_value("a red bag")


def test_the_time_of_the_timeline_is_typed_in_24_hours(street: ConsoleNode, visit: Visit) -> None:
    olga = visit(street, locale="en-US")
    olga.sign_in()
    page = olga.page
    olga.go("/timeline?camera=plaza")
    time = page.get_by_role("textbox", name="Go to a time, time")
    expect(time).to_have_value(re.compile(r"\d\d:\d\d(:\d\d)?"))
    time.fill("03:04:05")
    time.press("Enter")
    expect(page.locator(".transport time")).to_contain_text("03:04:05")
