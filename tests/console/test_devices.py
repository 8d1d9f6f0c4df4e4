"""Whoever installs cameras, in a real browser: found, added by their password, imported from a table, and cared for."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from console.conftest import PHONE, Visit
from console.console_node import ConsoleNode
from console.filmed_camera import PASSWORD, filmed_camera, table_of
from console.live_pictures import await_live
from console.test_accessibility import in_light_and_dark, is_too_wide
from crash.node import wait_until
from discovered import HERE
from lamppost.cameras.simulated.camera import SimulatedCamera
from self_signed import Certificate

pytestmark = pytest.mark.debian

MISTAKEN = """\
name,url,username,password,site
Market Hall,sim://plaza?seed=3,,,old-town
north,http://127.0.0.9/video,,,old-town
far,rtsp://8.8.8.8/1,admin,,harbour
north,sim://plaza?seed=4,,,harbour
"""
RIGHT = """\
name,url,site
north,sim://plaza?seed=3&people=1&vehicles=0&width=320&height=180&fps=5,old-town
south,sim://plaza?seed=4&people=1&vehicles=0&width=320&height=180&fps=5,harbour
"""


@pytest.fixture(scope="module")
def gate() -> Iterator[SimulatedCamera]:
    with filmed_camera("dahua", address=f"{HERE}.2") as camera:
        yield camera


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory, gate: SimulatedCamera) -> Iterator[ConsoleNode]:
    """A simulated street, and a device that is known as `gate`."""
    node = ConsoleNode(tmp_path_factory.mktemp("devices"), {"plaza": "sim://plaza?people=1&vehicles=0&width=320&height=180&fps=5"})
    # Cameras of other tests answer the call too, as all on port 3702 of this machine do: they lie in no network of this node.
    node.configure({"devices": {"networks": [f"{HERE}.0/27"], "interfaces": ["127.0.0.1"]}})
    node.replace_config(node.config.read_text() + table_of("gate", gate, 'site = "old-town"'))
    try:
        node.start()
        yield node
    finally:
        node.kill_everything()


def card(page: Page, title: str):  # type: ignore[no-untyped-def]
    """The card under a heading."""
    return page.locator("section", has=page.get_by_role("heading", name=title, exact=True)).last


def test_a_range_is_searched_and_a_device_is_added_by_its_password(node: ConsoleNode, visit: Visit) -> None:
    ada = visit(node, reduced_motion="reduce")
    ada.sign_in("ada", "administrator")
    page = ada.page
    with ExitStack() as open_:
        yard = open_.enter_context(filmed_camera("hikvision", address=f"{HERE}.3", number=7, discovery=True))
        open_.enter_context(filmed_camera("axis", address=f"{HERE}.4", discovery=True))
        ada.go("/devices")
        ada.forgiven = ("422",)
        page.get_by_label("Ranges").fill("10.20.0.0/28")
        page.get_by_role("button", name="Search").click()
        expect(page.get_by_text("name its network in `networks` of [devices]")).to_be_visible()

        page.get_by_label("Ranges").fill(f"{HERE}.0/27")
        page.get_by_role("button", name="Search").click()
        for address in (f"{HERE}.3", f"{HERE}.4"):
            expect(page.get_by_role("row", name=re.compile(rf"\bAdd\b.*{re.escape(address)}"))).to_be_visible()
        page.wait_for_selector("progress", state="detached")
        assert in_light_and_dark(page) == []
        page.get_by_role("row", name=re.compile(re.escape(f"{HERE}.3"))).get_by_role("button").click()

        asked = page.get_by_role("dialog", name=re.compile(r"^Add HIKVISION"))
        asked.get_by_role("textbox", name="Password").fill("not-its-password")
        asked.get_by_role("button", name="Ask the camera").click()
        expect(asked.get_by_role("status")).to_have_text(re.compile(r"the device refuses user and password – .+"))
        expect(asked.get_by_role("button", name="Go on")).to_be_hidden()
        asked.get_by_role("textbox", name="Password").fill(PASSWORD)
        asked.get_by_role("button", name="Ask the camera").click()
        expect(asked.get_by_text("H.264 640 × 360")).to_be_visible()
        expect(asked.get_by_text("H.264 480 × 270")).to_be_visible()
        assert in_light_and_dark(page) == []
        asked.get_by_role("button", name="Go on").click()

        form = page.get_by_role("dialog", name="Add a camera")
        expect(form.get_by_label("Address", exact=True).first).to_have_value(yard.stream_url(0))
        expect(form.get_by_label("Second stream")).to_have_value(yard.stream_url(1))
        form.get_by_label("Name").fill("yard")
        assert in_light_and_dark(page) == []
        form.get_by_role("button", name="Test", exact=True).click()
        expect(form.get_by_text("It works.")).to_be_visible()
        form.get_by_role("button", name="Add camera").click()
        expect(page.get_by_role("heading", level=1, name="yard")).to_be_visible()
        page.get_by_role("link", name="Wall").first.click()
        await_live(page, "yard")
        assert PASSWORD not in node.config.read_text().partition('name = "yard"')[2], "its password is kept apart"

        ada.go("/devices/find")
        page.get_by_label("Ranges").fill(f"{HERE}.3/32")
        page.get_by_role("button", name="Search").click()
        expect(page.get_by_role("cell", name="yard")).to_be_visible()
        ada.go("/cameras/yard")
        ada.forgiven += ("/cameras/yard/",)  # what is asked of it while it goes
        page.get_by_role("button", name="Remove", exact=True).click()  # the camera, not one of its positions
        page.get_by_role("dialog").get_by_role("button", name="Remove").click()
        expect(page.get_by_text("yard is removed.")).to_be_visible()


def test_a_device_that_speaks_https_alone_is_shown_as_one_to_pin(node: ConsoleNode, visit: Visit, tmp_path: Path) -> None:
    ada = visit(node, reduced_motion="reduce")
    ada.sign_in("ada", "administrator")
    page = ada.page
    certificate = Certificate(tmp_path)
    with filmed_camera("axis", address=f"{HERE}.5", port=8443, number=9, tls=certificate.context) as door:
        ada.go("/devices")
        page.get_by_label("Ranges").fill(f"{HERE}.5/32")
        page.get_by_role("button", name="Search").click()
        row = page.get_by_role("row", name=re.compile(re.escape(door.address)))
        expect(row).to_contain_text("https · certificate not trusted yet: pin it")
        page.wait_for_selector("progress", state="detached")
        assert in_light_and_dark(page) == []
        row.get_by_role("button").click()

        asked = page.get_by_role("dialog", name=re.compile(r"^Add AXIS"))
        expect(asked.get_by_text(certificate.sha256)).to_be_visible()
        asked.get_by_role("textbox", name="Password").fill(PASSWORD)
        asked.get_by_role("button", name="Ask the camera").click()
        expect(asked.get_by_role("status")).to_contain_text("is not vouched for")
        assert not any(each.user for each in door.requests), "no password before the certificate is known"
        asked.get_by_role("button", name="Pin this certificate").click()
        expect(asked.get_by_text("H.264 640 × 360")).to_be_visible()
        asked.get_by_role("button", name="Go on").click()
        form = page.get_by_role("dialog", name="Add a camera")
        expect(form.get_by_label("Address", exact=True).first).to_have_value(door.stream_url(0))
        form.get_by_label("Name").fill("door")
        form.get_by_role("button", name="Test", exact=True).click()
        expect(form.get_by_text("It works.")).to_be_visible()
        form.get_by_role("button", name="Add camera").click()
        expect(page.get_by_role("heading", level=1, name="door")).to_be_visible()
        ada.forgiven = ("404", "/cameras/door/")
        added = node.config.read_text().partition('name = "door"')[2]
        assert f'device_url = "{door.base}"' in added
        assert certificate.sha256 in added


def test_a_table_with_mistakes_writes_nothing_and_a_right_one_adds_its_cameras(node: ConsoleNode, visit: Visit) -> None:
    ada = visit(node, reduced_motion="reduce")
    ada.sign_in("ada", "administrator")
    page = ada.page
    before = node.config.read_text()
    ada.go("/devices/import")
    page.locator("input[type=file]").set_input_files({"name": "cameras.csv", "mimeType": "text/csv", "buffer": MISTAKEN.encode()})
    expect(page.get_by_text("4 mistakes. Nothing was written.")).to_be_visible()
    mistakes = page.get_by_role("region", name="Problem").locator("tbody tr")
    for number, (line, column) in enumerate([("2", "name"), ("3", "url"), ("4", "url"), ("5", "name")]):
        expect(mistakes.nth(number).locator("td").nth(0)).to_have_text(line)
        expect(mistakes.nth(number).locator("td").nth(1)).to_have_text(column)
        expect(mistakes.nth(number).locator("td").nth(3)).not_to_be_empty()
    assert in_light_and_dark(page) == []
    assert node.config.read_text() == before

    page.get_by_role("textbox", name="Table").fill(RIGHT)
    expect(page.get_by_role("button", name=re.compile("^Import"))).to_be_hidden()
    page.get_by_role("button", name="Check").click()
    expect(page.get_by_text("2 cameras would be added.")).to_be_visible()
    assert in_light_and_dark(page) == []
    assert node.config.read_text() == before
    page.get_by_role("button", name="Import 2 cameras").click()
    expect(page.get_by_role("status").get_by_text("2 cameras were imported.").first).to_be_visible()
    page.get_by_role("link", name="north", exact=True).click()
    expect(page.get_by_role("heading", level=1, name="north")).to_be_visible()
    ada.forgiven = ("404",)  # the books learn of a new camera some seconds after the page does
    expect(page.get_by_text("Everything is recorded.")).to_be_visible()
    ada.go("/cameras")
    for name in ("north", "south", "plaza", "gate"):
        expect(page.get_by_role("link", name=re.compile(rf"^{name}\b")).first).to_be_visible()


def test_a_device_is_asked_its_origin_put_down_and_its_password_changed(node: ConsoleNode, gate: SimulatedCamera, visit: Visit) -> None:
    ada = visit(node, reduced_motion="reduce")
    ada.sign_in("ada", "administrator")
    page = ada.page
    ada.go("/cameras/gate")
    device = card(page, "Device")
    device.get_by_role("button", name="Ask now").click()
    for said in (gate.identity.serial, gate.identity.mac, gate.identity.firmware, gate.base):
        expect(device.get_by_text(said, exact=True)).to_be_visible()
    expect(device.get_by_text("It is asked without encryption.")).to_be_visible()
    expect(page.locator("[aria-busy=true]")).to_have_count(0)
    assert in_light_and_dark(page) == []

    origin = card(page, "Where it is from")
    expect(origin.get_by_text("Nothing is written down yet.")).to_be_visible()
    origin.get_by_role("button", name="Edit").click()
    form = page.get_by_role("dialog", name="Where it is from")
    form.get_by_label("Integrator").fill("Example Lights Ltd")
    form.get_by_label("Contract or tender").fill("2026/114")
    form.get_by_label("Cost").fill("1249.5")
    form.get_by_label("Currency").fill("EUR")
    form.get_by_label("Installed on").fill("2026-05-12")
    form.get_by_label("Purpose").fill("Counting who crosses at the gate")
    assert in_light_and_dark(page) == []
    form.get_by_role("button", name="Save changes").click()
    expect(form).to_be_hidden()
    page.reload()
    for kept in ("Example Lights Ltd", "2026/114", "1,249.5 EUR", "May 12, 2026", "Counting who crosses at the gate"):
        expect(origin.get_by_text(kept, exact=True)).to_be_visible()

    device.get_by_role("button", name="Change the password on the camera").click()
    sure = page.get_by_role("dialog", name="Change the password on the camera")
    assert in_light_and_dark(page) == []
    change = sure.get_by_role("button", name="Change the password on the camera")
    expect(change).to_be_disabled()
    sure.get_by_role("checkbox", name="may read the new password").check()
    assert in_light_and_dark(page) == []
    change.click()
    expect(page.get_by_text("The password was changed.")).to_be_visible()
    changed = datetime.now(UTC)
    new = gate.state.users[gate.username]
    assert new != PASSWORD
    assert new not in page.content()
    assert not re.search(rf"{re.escape(PASSWORD)}|{re.escape(new)}", node.config.read_text())
    wait_until(_recorded_since(node, "gate", changed + timedelta(seconds=1)), "gate is recorded after its password was changed", 60)
    device.get_by_role("button", name="Ask now").click()
    expect(page.locator("[aria-busy=true]")).to_have_count(0)
    expect(device.get_by_text("It does not answer")).to_be_hidden()
    ada.go("/acts")
    for act in ("Changed the password on a camera", "Changed where a camera is from"):
        expect(page.get_by_role("cell", name=act).first).to_be_visible()


def test_every_part_of_devices_fits_a_phone_in_german(node: ConsoleNode, visit: Visit) -> None:
    ada = visit(node, PHONE, locale="de-DE", reduced_motion="reduce", is_mobile=True, has_touch=True)
    ada.sign_in("ada", "administrator")
    page = ada.page
    wrong: dict[str, list[str]] = {}
    for path in ("find", "import", "firmware", "uptime", "uptime?by=camera&days=1"):
        ada.go(f"/devices/{path}")
        page.wait_for_selector("main table, main textarea")
        expect(page.get_by_role("heading", level=1, name="Geräte")).to_be_visible()
        wrong[path] = in_light_and_dark(page) + (["it is wider than the screen"] if is_too_wide(page) else [])
    assert {path: found for path, found in wrong.items() if found} == {}


def test_firmware_tells_what_is_known_of_it_and_uptime_what_was_recorded(node: ConsoleNode, visit: Visit) -> None:
    ada = visit(node, reduced_motion="reduce")
    ada.sign_in("ada", "administrator")
    page = ada.page
    with closing(node.client()) as client:
        wait_until(lambda: any(each["firmware"] for each in client.get("/firmware").json()["items"]), "a device that was asked")
        wait_until(lambda: all(each["uptime"] for each in _uptime(client.get)), "an uptime of each site", 90)
    ada.go("/devices/firmware")
    row = page.get_by_role("row", name=re.compile("^gate"))
    expect(row).to_contain_text("2.840.0000000.28.R")
    expect(row.get_by_role("link", name="CVE-2021-33044")).to_have_attribute("href", re.compile("^https://"))
    expect(row).to_contain_text("NDAA")
    assert in_light_and_dark(page) == []
    ada.go("/devices/uptime")
    expect(page.get_by_role("row", name=re.compile(r"^old-town \d\d\.\d\d %|^old-town 100 %"))).to_be_visible()
    assert in_light_and_dark(page) == []
    with page.expect_download() as fetched:
        page.get_by_role("link", name="As CSV").click()
    assert "old-town" in fetched.value.path().read_text()


def _uptime(get: Callable) -> list[dict]:  # type: ignore[type-arg]
    now = datetime.now(UTC)
    return get("/uptime", params={"from": (now - timedelta(days=1)).isoformat(), "to": now.isoformat(), "by": "site"}).json()["items"]


def _recorded_since(node: ConsoleNode, camera: str, start: datetime) -> Callable[[], bool]:
    def is_so() -> bool:
        with closing(node.client()) as client:
            found = client.get(
                f"/cameras/{camera}/timeline",
                params={"from": start.isoformat(), "to": (datetime.now(UTC) + timedelta(minutes=1)).isoformat()},
            )
        return any(datetime.fromisoformat(span["to"]) > start + timedelta(seconds=2) for span in found.json()["spans"])

    return is_so
