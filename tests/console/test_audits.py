"""A privacy officer reads what cameras can do with faces, takes the evidence and prints it; an administrator switches it off on order."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from contextlib import closing

import pytest
from playwright.sync_api import Page, expect

from console.conftest import PHONE, Visit, Visitor
from console.console_node import ConsoleNode
from console.filmed_camera import PASSWORD, table_of
from console.test_accessibility import in_light_and_dark, is_too_wide
from crash.node import wait_until
from lamppost.cameras.simulated.camera import SimulatedCamera

pytestmark = pytest.mark.debian

ORDER = "Council decision of 12 May, item 4"


@pytest.fixture(scope="module")
def gate() -> Iterator[SimulatedCamera]:
    """One that is able to recognise, and does."""
    with SimulatedCamera("dahua", password=PASSWORD) as camera:
        yield camera


@pytest.fixture(scope="module")
def yard() -> Iterator[SimulatedCamera]:
    """One that can do nothing of the kind, and says so."""
    with SimulatedCamera("hikvision", password=PASSWORD, most=None, is_armed=False) as camera:
        yield camera


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory, gate: SimulatedCamera, yard: SimulatedCamera) -> Iterator[ConsoleNode]:
    """Devices whose video is not there: to be audited, they need none."""
    node = ConsoleNode(tmp_path_factory.mktemp("audits"), {"plaza": "sim://plaza?people=1&vehicles=0&width=320&height=180&fps=2"})
    node.replace_config(node.config.read_text() + table_of("gate", gate, 'site = "old-town"') + table_of("yard", yard))
    try:
        node.start()
        with closing(node.client()) as client:
            for camera in ("gate", "yard"):
                # The node does the same by itself some time after its start; one of the two waits for the other.
                wait_until(lambda: client.post(f"/cameras/{camera}/audits", timeout=60).status_code == 201, f"an audit of {camera}")  # noqa: B023
        yield node
    finally:
        node.kill_everything()


def open_audit(visitor: Visitor, camera: str) -> Page:
    page = visitor.page
    visitor.go("/audits")
    page.get_by_role("link", name=camera, exact=True).click()
    expect(page.get_by_role("heading", level=1, name=camera)).to_be_visible()
    expect(page.locator("[aria-busy=true]")).to_have_count(0)
    return page


def as_set(page: Page):  # type: ignore[no-untyped-def]
    """How the camera of the audit is set."""
    return page.locator(".levels section", has=page.get_by_role("heading", name="As set")).locator(".level")


def test_a_privacy_officer_sees_what_each_camera_is_able_to_do_and_takes_the_evidence(node: ConsoleNode, visit: Visit) -> None:
    paula = visit(node, reduced_motion="reduce")
    paula.sign_in("paula", "privacy_officer")
    page = paula.page
    paula.go("/audits")
    expect(page.get_by_text("1 camera can recognise faces.")).to_be_visible()
    expect(page.get_by_text("On 1 camera something is switched on.")).to_be_visible()
    told = {name: page.get_by_role("row", name=re.compile(rf"^{name}\b")) for name in ("gate", "yard", "plaza")}
    expect(told["gate"]).to_contain_text(re.compile(r"yes\s*yes\s*yes\s*Switched on"))
    # Nobody has asked a street that has no device: that is no no.
    expect(told["plaza"]).to_contain_text(re.compile(r"unknown\s*unknown\s*unknown\s*Unknown"))
    expect(told["plaza"]).to_contain_text("never")
    with closing(node.client()) as client:
        said = next(each for each in client.get("/audits").json()["items"] if each["camera"] == "yard")
    expect(told["yard"]).to_contain_text(re.compile(rf"{said['detect']}\s*{said['capture']}\s*{said['recognise']}"))
    assert "yes" not in (said["detect"], said["capture"], said["recognise"])
    assert in_light_and_dark(page) == []

    open_audit(paula, "gate")
    expect(page.get_by_role("definition").filter(has_text="Libraries: 2, entries: 42")).to_be_visible()
    assert in_light_and_dark(page) == []
    evidence = page.get_by_role("region", name="Evidence").locator("tbody tr")
    kept = evidence.filter(has=page.get_by_role("link", name=re.compile("^Raw answer"))).first
    with page.expect_download() as fetched:
        kept.get_by_role("link", name=re.compile("^Raw answer")).click()
    answer = fetched.value.path().read_bytes()
    expect(kept.locator(".hash code")).to_have_text(hashlib.sha256(answer).hexdigest())
    expect(kept.locator(".hash")).to_contain_text(f"{len(answer):,} bytes")
    # What may name persons is counted: its hash is there, its content is not.
    groups = evidence.filter(has_text="findGroup")
    expect(groups).to_contain_text("counted, not kept")
    expect(groups.locator(".hash code")).to_have_text(re.compile("^[0-9a-f]{64}$"))
    expect(groups.get_by_role("link")).to_have_count(0)


def test_on_paper_there_is_the_audit_and_nothing_to_click(node: ConsoleNode, visit: Visit) -> None:
    paula = visit(node, color_scheme="dark")
    paula.sign_in("paula", "privacy_officer")
    page = paula.page
    for path in ("/audits", "gate"):
        if path == "/audits":
            paula.go(path)
            page.wait_for_selector("main table")
        else:
            open_audit(paula, path)
        page.emulate_media(media="print")
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        expect(page.locator(".toast:visible, nav:visible, button:visible, a.button:visible")).to_have_count(0)
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        assert page.pdf(print_background=True).startswith(b"%PDF-")
        page.emulate_media(media="screen")


def test_a_privacy_officer_cannot_switch_anything_off(node: ConsoleNode, gate: SimulatedCamera, visit: Visit) -> None:
    paula = visit(node)
    paula.sign_in("paula", "privacy_officer")
    page = open_audit(paula, "gate")
    expect(page.get_by_role("button", name="Audit now")).to_be_visible()
    expect(page.get_by_role("button", name="Switch off")).to_have_count(0)
    asked = len(gate.requests)
    csrf = paula.context.request.get(f"{node.url}/api/v1/session").json()["csrf"]
    refused = paula.context.request.post(
        f"{node.url}/api/v1/cameras/gate/disarm", data={"authorisation": ORDER}, headers={"Origin": node.url, "X-CSRF-Token": csrf}
    )
    assert refused.json()["type"] == "urn:lamppost:problem:forbidden"
    assert refused.status == 403
    assert not any(each.method == "POST" and "setConfig" in each.path for each in gate.requests[asked:])
    paula.go("/cameras/gate")
    expect(page.get_by_role("heading", name="Device", exact=True)).to_be_visible()
    for order in ("Ask now", "Change the password on the camera", "Edit"):
        expect(page.get_by_role("button", name=order)).to_have_count(0)


def test_an_administrator_switches_off_on_order_and_what_comes_back_is_not_of_faces(node: ConsoleNode, visit: Visit) -> None:
    ada = visit(node, reduced_motion="reduce")
    ada.sign_in("ada", "administrator")
    page = open_audit(ada, "gate")
    expect(as_set(page)).to_have_text("Switched on")
    before = page.url
    page.get_by_role("button", name="Switch off").click()
    dialog = page.get_by_role("dialog", name="Switch off face functions of gate")
    expect(dialog.get_by_text("FaceRecognitionEventHandler[0].EventEnableMask")).to_be_visible()
    planned = dialog.get_by_role("listitem").count()
    assert in_light_and_dark(page) == []
    go = dialog.get_by_role("button", name="Switch off now")
    dialog.get_by_label("Authorisation").fill("I say so")
    expect(go).to_be_disabled()
    dialog.get_by_label("Authorisation").fill(ORDER)
    dialog.get_by_label("File reference").fill("2026/114")
    go.click()

    # The new audit is opened.
    expect(as_set(page)).to_have_text("Switched off")
    assert page.url != before
    expect(page.locator(".levels section", has_text="Recognises faces").locator(".level")).to_have_text("yes")
    orders = page.locator(".orders")
    expect(orders).to_contain_text(re.compile(rf"by ada · 2026/114\s*{re.escape(ORDER)}"))
    expect(orders.locator(".steps").get_by_text("done", exact=True)).to_have_count(planned)
    expect(orders.get_by_text("not done")).to_have_count(0)
    expect(page.get_by_role("region", name="Other audits of this camera").get_by_text("Switched on").first).to_be_visible()
    assert in_light_and_dark(page) == []

    orders.get_by_role("button", name="Put back the rest").click()
    back = page.get_by_role("dialog", name="Put back what was changed on gate")
    assert in_light_and_dark(page) == []
    back.get_by_label("Authorisation").fill("Decision of 13 May: other rules stay")
    back.get_by_role("button", name="Put back the rest").click()
    # Nothing had suffered: it is told so, and is not called put back.
    expect(orders).to_contain_text(re.compile(r"To be put back .* by ada; nothing was changed:.*it was so already", re.DOTALL))
    expect(orders.get_by_text("put back", exact=True)).to_have_count(0)
    assert in_light_and_dark(page) == []
    after = page.url
    page.get_by_role("button", name="Audit now").click()
    page.wait_for_url(lambda url: url != after)
    expect(as_set(page)).to_have_text("Switched off")

    ada.go("/acts")
    expect(page.get_by_role("row", name=re.compile(f"Disarmed a camera.*ada.*gate.*{ORDER}"))).to_be_visible()
    expect(page.get_by_role("row", name=re.compile("Put back settings of a camera.*ada.*gate.*Decision of 13 May"))).to_be_visible()


def test_all_are_audited_at_once(node: ConsoleNode, visit: Visit) -> None:
    paula = visit(node)
    paula.sign_in("paula", "privacy_officer")
    paula.go("/audits")
    paula.page.get_by_role("button", name="Audit all now").click()
    expect(paula.page.get_by_text("2 cameras were audited.")).to_be_visible()


def test_audits_and_the_page_of_a_camera_fit_a_phone_in_german(node: ConsoleNode, visit: Visit) -> None:
    ada = visit(node, PHONE, locale="de-DE", reduced_motion="reduce", is_mobile=True, has_touch=True)
    ada.sign_in("ada", "administrator")
    page = open_audit(ada, "gate")
    wrong = {"audit": in_light_and_dark(page)}
    assert not is_too_wide(page)
    page.get_by_role("button", name="Abschalten").click()
    page.get_by_role("dialog").get_by_role("paragraph").nth(1).wait_for()
    wrong["dialog"] = in_light_and_dark(page)
    ada.go("/audits")
    page.wait_for_selector("main table")
    wrong["audits"] = in_light_and_dark(page)
    assert not is_too_wide(page)
    ada.go("/cameras/gate")
    expect(page.get_by_role("heading", name="Gerät", exact=True)).to_be_visible()
    expect(page.locator("[aria-busy=true]")).to_have_count(0)
    wrong["camera"] = in_light_and_dark(page)
    assert not is_too_wide(page)
    assert {where: found for where, found in wrong.items() if found} == {}
