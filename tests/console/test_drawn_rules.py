"""A line that is drawn in the browser counts, and calls."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect

from console.conftest import Visit
from console.console_node import ConsoleNode
from crash.node import wait_until

pytestmark = pytest.mark.debian


def test_a_line_that_is_drawn_counts_within_seconds(new_node, visit: Visit) -> None:  # type: ignore[no-untyped-def]
    node: ConsoleNode = new_node()
    node.start()
    olga = visit(node)
    olga.sign_in()
    page = olga.page
    olga.go("/rules/plaza")
    page.get_by_role("toolbar", name="Tools").get_by_role("button", name="Line", exact=True).click()
    drawing = page.get_by_role("group", name="Masked picture of plaza with lines and zones")
    box = drawing.bounding_box()
    assert box is not None
    for share in (0.2, 0.97):
        page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] * share)
    page.keyboard.press("Enter")
    page.get_by_role("textbox", name="Name").first.fill("crossing")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("The rules of plaza are saved.")).to_be_visible()

    began = datetime.now(UTC)

    def counted() -> int:
        span = {"from": (began - timedelta(hours=1)).isoformat(), "to": (began + timedelta(hours=1)).isoformat()}
        answer = page.request.get(f"{node.url}/api/v1/counts", params={**span, "camera": "plaza", "place": "crossing"})
        assert answer.ok, answer.text()
        return sum(bucket["count"] or 0 for series in answer.json()["series"] for bucket in series["buckets"])

    wait_until(lambda: counted() > 0, "somebody who crosses the line", 120)
    olga.go("/counts")
    rows = page.get_by_role("row").filter(has_text="crossing")
    expect(rows).to_have_count(2)  # forward and backward
    assert sum(int(row.get_by_role("cell").nth(2).inner_text()) for row in rows.all()) > 0
