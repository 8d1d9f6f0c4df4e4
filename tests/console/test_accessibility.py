"""Every page for everybody: WCAG 2.2 AA as far as a machine can tell, light and dark, desk and phone, English and German."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from console.conftest import DESK, PHONE, Visit
from console.console_node import ConsoleNode

pytestmark = pytest.mark.debian

AXE = Path(__file__).parents[2] / "console/node_modules/axe-core/axe.min.js"
#: Until five frames in a row change no colour any more: what inherits one begins to change when its parent has.
SETTLED = """async () => {
  for (let quiet = 0, frames = 0; quiet < 5 && frames < 600; frames += 1) {
    await new Promise((then) => requestAnimationFrame(then));
    quiet = document.getAnimations().some((each) => each.playState === 'running') ? 0 : quiet + 1;
  }
}"""
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
PAGES = {
    "/wall": "[data-camera=plaza] video[data-live=live]",
    "/timeline": "main",
    "/timeline?camera=plaza": "[data-lane=plaza]",
    "/events": "main li",
    "/counts": "main h1",
    "/rules": "main h1",
    "/rules/plaza": "svg[role=group]",
    "/cameras": "main h1",
    "/cameras/plaza": "main h1",
    "/devices/find": "main textarea",
    "/devices/import": "main textarea",
    "/devices/firmware": "main table",
    "/devices/uptime": "main table",
    "/audits": "main table",
    "/privacy": "main h1",
    "/acts": "main td",
    "/settings/account": "main h1",
    "/settings/users": "main td",
    "/settings/tokens": "main h1",
    "/settings/notifications": "main h1",
    "/settings/backups": "main h1",
    "/settings/custodians": "main h1",
    "/settings/configuration": "main h1",
    "/settings/system": "main h1",
    "/nowhere": "main",
}
DIALOGS = {
    "/cameras": "Kamera hinzufügen",
    "/timeline?camera=plaza": "Exportieren",
    "/settings/users": "Jemanden einladen",
}


def violations(page: Page) -> list[str]:
    """What axe objects to: the rule, and where."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text(encoding="utf-8"))  # as a debugger does: the page's own policy forbids foreign scripts
    found: list[dict[str, Any]] = page.evaluate("(tags) => axe.run(document, {runOnly: tags}).then((result) => result.violations)", RULES)
    return [f"{each['id']}: {node['html'][:160]}" for each in found for node in each["nodes"]]


def in_light_and_dark(page: Page) -> list[str]:
    """What axe objects to in either."""
    found: list[str] = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
        page.evaluate(SETTLED)
        found += [f"{scheme}: {each}" for each in violations(page)]
    return found


def is_too_wide(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth > innerWidth"))


@pytest.mark.parametrize(
    ("scheme", "screen"),
    [
        ("light", "desk"),
        ("dark", "phone"),
        pytest.param("dark", "desk", marks=pytest.mark.long),
        pytest.param("light", "phone", marks=pytest.mark.long),
    ],
)
def test_no_page_has_a_violation_and_none_is_wider_than_its_screen(street: ConsoleNode, visit: Visit, scheme: str, screen: str) -> None:
    olga = visit(street, {"desk": DESK, "phone": PHONE}[screen], color_scheme=scheme, reduced_motion="reduce")
    street.await_event()
    olga.sign_in()
    page = olga.page
    wrong: dict[str, list[str]] = {}
    for path, sign in PAGES.items():
        olga.go(path)
        page.wait_for_selector(sign)
        expect(page.locator("[aria-busy=true]")).to_have_count(0, timeout=30_000)
        found = violations(page)
        if is_too_wide(page):
            found.append("it is wider than the screen")
        if found:
            wrong[path] = found
    assert wrong == {}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_dialog_has_a_violation(street: ConsoleNode, visit: Visit, scheme: str) -> None:
    olga = visit(street, color_scheme=scheme, reduced_motion="reduce", locale="de-DE")
    olga.sign_in()
    page = olga.page
    for path, button in DIALOGS.items():
        olga.go(path)
        page.get_by_role("button", name=button, exact=True).first.click()
        page.get_by_role("dialog").wait_for()
        assert violations(page) == [], (path, button)


def test_enter_follows_a_link_on_every_page(street: ConsoleNode, visit: Visit) -> None:
    olga = visit(street)
    olga.sign_in()
    page = olga.page
    for path in (
        "/wall",
        "/timeline?camera=plaza",
        "/events",
        "/counts",
        "/rules/plaza",
        "/cameras",
        "/devices",
        "/audits",
        "/acts",
        "/settings/users",
    ):
        olga.go(path)
        page.wait_for_selector(PAGES.get(path, "main h1"))
        page.get_by_role("link", name="Privacy").first.focus()
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1, name="Privacy")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_ways_in_have_no_violation(street: ConsoleNode, visit: Visit, scheme: str) -> None:
    somebody = visit(street, color_scheme=scheme, locale="de-DE")
    somebody.forgiven = ("404",)
    for path in ("/sign-in", "/setup#token=of-yesterday"):
        somebody.go(path)
        somebody.page.wait_for_selector("main h1")
        assert violations(somebody.page) == []
    expect(somebody.page.locator("html")).to_have_attribute("lang", "de")


def test_whoever_has_keys_alone_gets_everywhere(street: ConsoleNode, visit: Visit) -> None:
    olga = visit(street)
    olga.sign_in()
    page = olga.page
    olga.go("/privacy")
    page.wait_for_selector("main h1")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the page")).to_be_focused()
    for key, title in (("e", "Events"), ("c", "Counts"), ("k", "Cameras"), ("d", "Devices"), ("u", "Audits"), ("w", "Wall")):
        page.keyboard.press("g")
        page.keyboard.press(key)
        expect(page.get_by_role("heading", level=1, name=title)).to_be_visible()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="Keyboard")).to_be_hidden()
