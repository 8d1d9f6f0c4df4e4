"""A real browser on a real node: Debian's Chromium, `lamppost serve`, simulated cameras."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright

from console.console_node import ConsoleNode

CHROMIUM = "/usr/bin/chromium"
DESK = {"width": 1400, "height": 900}
PHONE = {"width": 390, "height": 844}
PATIENCE_MS = 30_000
FAILED = pytest.StashKey[list[str]]()
# A machine that is busy with other tests is slow, and not wrong.
expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Ends with each module: while it runs, an event loop does, and no other test could run one of its own."""
    with sync_playwright() as playwright:
        # No sandbox: tests run as root, where Chromium has none.
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-background-networking"])
        yield browser
        browser.close()


@dataclass
class Visitor:
    """Somebody at a browser of their own; keeps what went wrong in it, and what it asked of others than the node."""

    context: BrowserContext
    page: Page
    node: ConsoleNode
    #: A word of what may go wrong in this test: a server that is stopped answers nothing.
    forgiven: tuple[str, ...] = ()
    faults: list[str] = field(default_factory=list)

    def watch(self) -> None:
        self.page.on("pageerror", lambda error: self.faults.append(f"error on the page: {error}"))
        self.page.on("console", self._say)
        self.context.on("request", lambda asked: self._ask(asked.url))

    def another_page(self, path: str) -> Page:
        """A second tab of the same browser."""
        page = self.context.new_page()
        page.goto(self.node.url + path)
        return page

    def _say(self, said: ConsoleMessage) -> None:
        # Who comes for the first time has no session: a browser counts the answer that says so as an error.
        is_new = "401" in said.text and said.location["url"].endswith("/api/v1/session")
        if said.type in ("error", "warning") and not is_new:
            self.faults.append(f"{said.type}: {said.text} ({said.location['url']})")

    def _ask(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("blob", "data") and parts.netloc != self.node.address:
            self.faults.append(f"asked of somebody else: {url}")

    def go(self, path: str) -> None:
        self.page.goto(self.node.url + path)

    def sign_in(self, name: str = "olga", *roles: str, scope: str = "*") -> None:
        """By a one-time link, as `lamppost user link` prints it."""
        self.page.goto(self.node.link(name, roles or ("administrator", "operator", "analyst", "privacy_officer"), scope))
        self.page.locator("nav").first.wait_for(state="attached")

    def check(self) -> None:
        """Nothing went wrong that was not meant to."""
        left = [fault for fault in self.faults if not any(word in fault for word in self.forgiven)]
        assert left == []


Visit = Callable[..., Visitor]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    item.stash.setdefault(FAILED, []).extend([report.when] if report.failed else [])
    return report


@pytest.fixture
def visit(chromium: Browser, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Visit]:
    """`visit(node, viewport=…, **context)`: a browser without a history; what went wrong in it fails the test at its end."""
    visitors: list[Visitor] = []

    def begin(node: ConsoleNode, viewport: dict[str, int] | None = None, **how: object) -> Visitor:
        context = chromium.new_context(viewport=viewport or DESK, **{"locale": "en-GB", **how})  # type: ignore[arg-type]
        context.set_default_timeout(PATIENCE_MS)
        visitor = Visitor(context, context.new_page(), node)
        visitor.watch()
        visitors.append(visitor)
        return visitor

    yield begin
    if request.node.stash.get(FAILED, []):
        for number, visitor in enumerate(visitors):
            visitor.page.screenshot(path=tmp_path / f"visitor-{number}.png")
            print(f"visitor {number} at {visitor.page.url}: {visitor.page.inner_text('body')[:2000]}")  # noqa: T201
    for visitor in visitors:
        visitor.context.close()
    for visitor in visitors:
        visitor.check()


@pytest.fixture(scope="session")
def street(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ConsoleNode]:
    """Two simulated streets that are recorded and counted, for tests that leave them as they found them."""
    node = ConsoleNode(
        tmp_path_factory.mktemp("street"), {"plaza": ConsoleNode.STREET.format(seed=8), "bridge": ConsoleNode.STREET.format(seed=3)}
    )
    node.draw_rules()
    node.start()
    yield node
    node.kill_everything()


@pytest.fixture
def new_node(tmp_path: Path) -> Iterator[Callable[..., ConsoleNode]]:
    """`new_node(cameras)`: a node that only this test has."""
    nodes: list[ConsoleNode] = []

    def make(cameras: dict[str, str] | None = None, **how: object) -> ConsoleNode:
        node = ConsoleNode(tmp_path, cameras or {"plaza": ConsoleNode.STREET.format(seed=8)}, **how)  # type: ignore[arg-type]
        nodes.append(node)
        return node

    yield make
    for node in nodes:
        node.kill_everything()
