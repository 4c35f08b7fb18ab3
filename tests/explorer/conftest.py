"""A real Chromium and a real server for the tests of the explorer page. Every test of the page ends with the
same three counts: requests to other origins, breaches of the content security policy, and faults reported by
the console; all are 0.
"""

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, Route, expect, sync_playwright

from tests.explorer.site import Site, lived_demo, served

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
LISTEN_TO_POLICY = """
window.breaches = [];
addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) =>
  window.breaches.push(`${violatedDirective} ${blockedURI}`));
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, cut off from every address but this machine's. Its driver keeps an event loop running in this
    process, in which no other module's tests could run theirs: so it ends with the module.
    """
    executable = next(filter(None, map(shutil.which, BROWSERS)), None)
    if executable is None:
        if "browser" in os.environ.get("SEATPORT_WITHOUT", "").split(","):
            pytest.skip("NOT TESTED: the explorer in a browser, as SEATPORT_WITHOUT=browser asks.")
        pytest.fail("Chromium is missing: run `make install`, or set SEATPORT_WITHOUT=browser to go without.")
    is_root = hasattr(os, "geteuid") and os.geteuid() == 0
    arguments = ["--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1"]
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=executable, args=[*arguments, "--no-sandbox"] if is_root else arguments
        )
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def demo_database(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with the demo, for all tests of this process."""
    return lived_demo(sqlite_template, tmp_path_factory.mktemp("demo"))


@pytest.fixture(scope="session")
def demo_site(demo_database: Path) -> Iterator[Site]:
    """The demo, served as `make run` serves it."""
    with served(demo_database, SEATPORT_MODE="demo") as site:
        yield site


@pytest.fixture
def explorer(browser: Browser, demo_site: Site) -> Iterator["Explorer"]:
    """The demo's page, open and ready."""
    with opened(browser, demo_site) as page:
        yield page
        page.expect_no_faults()


@contextmanager
def opened(browser: Browser, site: Site) -> Iterator["Explorer"]:
    """A fresh browser profile with the page open and ready."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    context.set_default_timeout(15_000)
    context.grant_permissions(["clipboard-read", "clipboard-write"], origin=site.url)
    explorer = Explorer(context.new_page(), site)
    try:
        yield explorer.open()
    finally:
        context.close()


def wrapped(text: str) -> re.Pattern[str]:
    """A text as an editor shows it, which breaks long lines and has spaces of its own."""
    return re.compile(r"\s*".join(map(re.escape, "".join(text.split()))))


@dataclass
class Explorer:
    """The page as a person uses it, with a record of everything it must not do."""

    page: Page
    site: Site
    foreign: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.add_init_script(LISTEN_TO_POLICY)
        self.page.on("console", self._note)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.context.route(re.compile("."), self._guard)

    def open(self) -> Self:
        """Load the page and wait until all four editors and the schema are there."""
        self.page.goto(f"{self.site.url}/graphiql")
        expect(self.page.locator(".monaco-editor[role=code]")).to_have_count(4)
        expect(self.page.get_by_label("Re-fetch GraphQL schema")).to_be_enabled()
        return self

    def run(self) -> dict[str, Any]:
        """Press the run button; gives the answer of the server, once the page shows it."""
        with self.page.expect_response(f"{self.site.url}/graphql") as waiting:
            self.page.get_by_role("button", name="Execute query").click()
        answer: dict[str, Any] = waiting.value.json()
        first_key = next(iter(answer))
        expect(self.response).to_contain_text(f'"{first_key}"')
        return answer

    def tab(self, operation: str) -> Self:
        """Bring a tab to the front, by the name of its operation."""
        self.page.locator(".graphiql-tab-button", has_text=re.compile(f"^{operation}$")).click()
        return self

    def choose(self, account: tuple[str, str]) -> Self:
        """Pick a demo customer and a role in the bar."""
        customer, role = account
        self.page.get_by_label("Customer").select_option(customer)
        self.page.get_by_label("Role").select_option(role)
        return self

    def show(self, tool: str) -> Locator:
        """Bring the editor of the variables or the headers to the front."""
        self.page.get_by_role("button", name=tool, exact=True).click()
        return self.page.get_by_role("region", name=tool).locator(".view-lines:visible")

    def write(self, tool: str, text: str) -> None:
        """Replace the text of the variables or the headers, by paste: typing would close brackets itself."""
        self.page.evaluate("text => navigator.clipboard.writeText(text)", text)
        self.show(tool).click()
        self.page.keyboard.press("ControlOrMeta+A")
        self.page.keyboard.press("ControlOrMeta+V")
        expect(self.show(tool)).to_have_text(re.compile(f"^{wrapped(text).pattern}$"))

    @property
    def response(self) -> Locator:
        return self.page.locator(".graphiql-response .view-lines")

    def kept(self) -> str:
        """Everything that the browser would still know after the page is closed, as one text."""
        stored: str = self.page.evaluate(
            "async () => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie,"
            " location.href, history.state, await indexedDB.databases(), await caches.keys()])"
        )
        return stored

    def breaches(self) -> list[str]:
        """What the content security policy stopped since the page was loaded."""
        found: list[str] = self.page.evaluate("window.breaches")
        return found

    def expect_no_faults(self) -> None:
        assert self.foreign == [], "the page asked other origins"
        assert self.breaches() == [], "the page broke its content security policy"
        assert self.complaints == [], "the console reports faults"

    def _note(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(f"{message.type}: {message.text}")

    def _guard(self, route: Route) -> None:
        if route.request.url.startswith(f"{self.site.url}/"):
            route.continue_()
        else:
            self.foreign.append(route.request.url)
            route.abort()
