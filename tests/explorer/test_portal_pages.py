"""The pages by which people come in, in a real browser: what it sends by itself, keeps, and refuses."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Final

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request, expect

from app.clock import wall_clock
from app.services.api_keys import IssuedKey, issue_key
from app.store.engine import open_store
from tests.explorer.conftest import LISTEN_TO_POLICY
from tests.explorer.site import free_port, served
from tests.postgres import in_own_loop

ASK: Final = """
async url => {
  const asked = { query: '{ viewer { name role } }' };
  const options = { method: 'POST', credentials: 'include', headers: { 'Content-Type': 'application/json' } };
  try {
    const answer = await fetch(url + '/graphql', { ...options, body: JSON.stringify(asked) });
    return [answer.status, await answer.json()];
  } catch (error) {
    return [0, String(error)];
  }
}
"""


@dataclass(frozen=True)
class Deployment:
    """A server, the vendor's page to which people go on and which uses sessions, and a page that may not."""

    url: str
    key: str
    vendor: str
    stranger: str

    def link(self, person: str = "u-17") -> str:
        """The address that the vendor mails."""
        member = {"reference": person, "role": "BILLING_ADMIN", "name": "Ada Lovelace"}
        answer = httpx.post(
            f"{self.url}/v1/portal-links",
            json={"customer": "acme", "member": member},
            headers={"Authorization": f"Bearer {self.key}"},
        )
        return str(answer.json()["url"])


class Blank(BaseHTTPRequestHandler):
    """A page of somebody's."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>Billing</title><link rel=icon href=data:,><h1>Billing</h1>")

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Nothing is told."""


@contextmanager
def blank_page() -> Iterator[str]:
    """A server of somebody's pages; its origin."""
    server = ThreadingHTTPServer(("127.0.0.1", free_port()), Blank)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


async def _key(url: str) -> str:
    store = open_store(url, clock=wall_clock)
    try:
        issued = await store.deployment(issue_key, "tests", ["portal:write"])
        assert isinstance(issued, IssuedKey)
        return issued.token
    finally:
        await store.close()


@pytest.fixture(scope="module")
def deployment(demo_database: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """The demo on a copy of its database, with a vendor's page beside it."""
    file = tmp_path_factory.mktemp("portal") / "seatport.db"
    shutil.copyfile(demo_database, file)
    key = in_own_loop(_key(f"sqlite+aiosqlite:///{file}"))
    with (
        blank_page() as vendor,
        blank_page() as stranger,
        served(
            file,
            SEATPORT_MODE="demo",
            SEATPORT_ORIGINS=vendor,
            SEATPORT_RETURN_URL=f"{vendor}/billing",
        ) as site,
    ):
        yield Deployment(site.url, key, vendor, stranger)


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A fresh profile of the browser."""
    opened = browser.new_context()
    opened.set_default_timeout(15_000)
    opened.add_init_script(LISTEN_TO_POLICY)
    yield opened
    opened.close()


def watched(context: BrowserContext) -> tuple[Page, list[Request], list[str]]:
    """A page, what it sends, and what its console complains of."""
    page, sent, complaints = context.new_page(), list[Request](), list[str]()
    page.on("request", lambda request: sent.append(request))  # noqa: PLW0108  Playwright marks listeners.
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    return page, sent, complaints


def test_a_person_comes_in(deployment: Deployment, context: BrowserContext) -> None:
    """The token leaves the address as the page opens, is in no address that the browser sends, nor in a
    referrer; the button leads on to the vendor's page, which then uses the session.
    """
    page, sent, complaints = watched(context)
    link = deployment.link()
    token = link.partition("#")[2]

    page.goto(link)
    assert page.url == f"{deployment.url}/portal/enter"
    expect(page.get_by_label("The code of your link")).to_be_hidden()
    assert context.cookies() == []
    assert page.evaluate("window.breaches") == []
    page.get_by_role("button", name="Continue").click()
    page.wait_for_url(f"{deployment.vendor}/billing")

    (cookie,) = context.cookies()
    assert {name: cookie.get(name) for name in ("name", "path", "httpOnly", "sameSite", "expires")} == {
        "name": "spp", "path": "/", "httpOnly": True, "sameSite": "Lax", "expires": -1,
    }  # fmt: skip
    assert page.evaluate("document.cookie") == ""
    viewer = {"name": "Ada Lovelace", "role": "BILLING_ADMIN"}
    assert page.evaluate(ASK, deployment.url) == [200, {"data": {"viewer": viewer}}]
    assert [each.url for each in sent if token in each.url or token in each.headers.get("referer", "")] == []
    assert {each.headers.get("referer", "") for each in sent if "/portal" in each.url} == {""}
    assert complaints == []


def test_another_page_does_not_use_the_session(deployment: Deployment, context: BrowserContext) -> None:
    """Of the same site, so that the browser sends the cookie: it is refused, and reads nothing."""
    page, _, complaints = watched(context)
    page.goto(deployment.link())
    page.get_by_role("button", name="Continue").click()
    page.wait_for_url(f"{deployment.vendor}/billing")
    page.goto(deployment.stranger)

    assert page.evaluate(ASK, deployment.url) == [0, "TypeError: Failed to fetch"]
    assert ["CORS" in each or "net::ERR_FAILED" in each for each in complaints] == [True] * len(complaints)
    page.set_content(f'<form method="post" action="{deployment.url}/portal/leave"><button>x</button></form>')
    page.get_by_role("button").click()
    expect(page.get_by_role("heading")).to_have_text("Nothing was done")
    page.goto(f"{deployment.vendor}/billing")
    assert page.evaluate(ASK, deployment.url)[0] == 200


def test_a_used_link_leads_to_a_new_one(
    deployment: Deployment, context: BrowserContext, browser: Browser
) -> None:
    """In another browser: the page says so, and one press has a new link sent."""
    link = deployment.link("u-18")
    first, _, _ = watched(context)
    first.goto(link)
    first.get_by_role("button", name="Continue").click()
    first.wait_for_url(f"{deployment.vendor}/billing")
    elsewhere = browser.new_context()
    page, _, _ = watched(elsewhere)

    page.goto(link)
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("heading")).to_have_text("This link is not good any more")
    page.get_by_role("button", name="Send me a new link").click()
    expect(page.get_by_role("heading")).to_have_text("Look into your mail")
    assert elsewhere.cookies() == []
    elsewhere.close()


def test_a_person_signs_out(deployment: Deployment, context: BrowserContext) -> None:
    """By the button of the page that says who is signed in; then there is no cookie, and nobody."""
    page, _, complaints = watched(context)
    page.goto(deployment.link())
    page.get_by_role("button", name="Continue").click()
    page.wait_for_url(f"{deployment.vendor}/billing")
    page.goto(f"{deployment.url}/portal")
    expect(page.get_by_text("You are signed in as Ada Lovelace, billing admin.")).to_be_visible()

    page.get_by_role("button", name="Sign out").click()

    expect(page.get_by_text("You are not signed in here.")).to_be_visible()
    assert context.cookies() == []
    assert complaints == []


def test_without_scripts_the_code_is_typed(deployment: Deployment, browser: Browser) -> None:
    """The page then asks for what stands after the #, and works by its form alone."""
    context = browser.new_context(java_script_enabled=False)
    page, _, _ = watched(context)
    link = deployment.link()

    page.goto(link)
    page.get_by_label("The code of your link").fill(link.partition("#")[2])
    page.get_by_role("button", name="Continue").press("Enter")

    page.wait_for_url(f"{deployment.vendor}/billing")
    assert len(context.cookies()) == 1
    context.close()


@pytest.mark.parametrize("path", ["/portal", "/portal/enter", "/portal/new-link"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everybody_can_read_and_use_the_pages(
    deployment: Deployment, browser: Browser, path: str, scheme: str
) -> None:
    """A language, a title, one heading, a label for each field, contrast of 4.5 or more, buttons of 24 pixels
    or more, and nothing cut off on a narrow screen; by day and by night.
    """
    context = browser.new_context(
        viewport={"width": 320, "height": 640}, color_scheme="dark" if scheme == "dark" else "light"
    )
    page, _, complaints = watched(context)
    page.goto(f"{deployment.url}{path}")

    assert page.evaluate("document.documentElement.lang") == "en"
    assert page.title() == page.get_by_role("heading", level=1).inner_text()
    assert page.evaluate("[...document.querySelectorAll('input')].every(each => each.labels.length === 1)")
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    heights = page.evaluate("[...document.querySelectorAll('button, input')].map(each => each.offsetHeight)")
    assert all(height >= 44 for height in heights)
    ratios = page.evaluate(CONTRASTS)
    assert ratios
    assert min(ratios) >= 4.5, ratios
    assert complaints == []
    context.close()


CONTRASTS: Final = """
() => {
  const light = colour => {
    const [r, g, b] = colour.match(/[\\d.]+/g).slice(0, 3).map(each => {
      const part = each / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = element => {
    const colour = getComputedStyle(element).backgroundColor;
    return colour === 'rgba(0, 0, 0, 0)' ? behind(element.parentElement) : colour;
  };
  return [...document.querySelectorAll('h1, p, a, label, input, button, strong')].map(element => {
    const both = [light(getComputedStyle(element).color), light(behind(element))];
    return (Math.max(...both) + 0.05) / (Math.min(...both) + 0.05);
  });
}
"""
