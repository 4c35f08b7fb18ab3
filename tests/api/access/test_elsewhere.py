"""Pages of other origins: what a browser sends along does not count where the page may not, and nobody reads
an answer who is not on the list.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any, Final
from urllib.parse import quote

import pytest

from tests.api.access.door import OWN, OWN_PAGE, Door, at_the_door, cookie, whole
from tests.api.world import World
from tests.conftest import Clock
from tests.portal import SETTINGS

APP: Final = "https://app.example"
OTHER_APP: Final = "https://other.example:8443"
LISTED: Final = {"Origin": APP, "Sec-Fetch-Site": "same-site"}
RELEASE: Final = """
mutation { releaseSeat(input: {metric: "editor", reference: "user-0", idempotencyKey: "k"}) { __typename } }
"""
ASKED: Final = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}
ALLOWED: Final = {
    "access-control-allow-origin": APP,
    "access-control-allow-credentials": "true",
    "access-control-allow-methods": "POST",
    "access-control-allow-headers": "accept, authorization, content-type, idempotency-key",
    "access-control-max-age": "600",
}
pytestmark = pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)


@pytest.fixture
async def shared(world: World, clock: Clock) -> AsyncIterator[Door]:
    """A server whose list holds two origins."""
    settings = replace(SETTINGS, origins=frozenset({APP, OTHER_APP}))
    async with at_the_door(world, clock, settings) as opened:
        yield opened


def cors(headers: Any) -> dict[str, str]:
    """What an answer says about other origins."""
    return {name: value for name, value in headers.items() if name.startswith("access-control-")}


FROM_ELSEWHERE: Final = [
    {},
    {"Origin": "null"},
    {"Origin": "https://evil.example"},
    {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"},
    {"Origin": OWN, "Sec-Fetch-Site": "cross-site"},
    {"Origin": OWN, "Sec-Fetch-Site": "same-site"},
    {"Origin": OWN, "Sec-Fetch-Site": "none"},
    {"Origin": "null", "Sec-Fetch-Site": "same-origin"},
    {"Sec-Fetch-Site": "same-origin"},
    {"Origin": f"{OWN}.evil.example"},
    {"Origin": f"{OWN}:444"},
    {"Origin": "http://billing.example"},
    {"Origin": f"{OWN}/"},
    {"Origin": OWN.upper()},
    {"Origin": APP},
]


@pytest.mark.parametrize("headers", FROM_ELSEWHERE)
async def test_a_page_elsewhere_does_nothing(door: Door, headers: dict[str, str]) -> None:
    """Whatever says that the request is of another page, or leaves it open: 403, the same with a session that
    is good as with one that is not, and nothing happened.
    """
    session = await door.come_in()

    good = await door.ask(session, headers, RELEASE)
    bad = await door.ask(session[:-1] + ("A" if session[-1] != "A" else "B"), headers, RELEASE)

    assert (good.status_code, good.json()["errors"][0]["extensions"]) == (403, {"code": "FORBIDDEN"})
    assert whole(good) == whole(bad)
    assert cors(good.headers) == {}
    assert await released(door, session)


async def released(door: Door, session: str) -> bool:
    """Whether the seat was there to be given back until now."""
    answer = await door.ask(session, OWN_PAGE, RELEASE)
    return bool(answer.json()["data"]["releaseSeat"]["__typename"] == "SeatReleased")


@pytest.mark.parametrize(
    "kind",
    [
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "text/plain",
        "text/plain; application/json",
        "application/json; charset=latin-1",
        "",
    ],
)
async def test_what_a_form_can_send_does_nothing(door: Door, kind: str) -> None:
    """A form of any page can send these without being asked; even one of our own pages is refused."""
    session = await door.come_in()
    headers = {**OWN_PAGE, **cookie(session), **({"Content-Type": kind} if kind else {})}
    answer = await door.http.post(
        "/graphql", content=b'{"query": "mutation { releaseSeat }"}', headers=headers
    )

    assert answer.status_code == 415
    assert await released(door, session)


async def test_nothing_is_done_by_get(door: Door) -> None:
    """Neither an operation nor a session's end nor a link."""
    session, link = await door.come_in(), await door.link("ben")
    for path in (
        f"/graphql?query={quote(RELEASE)}",
        f"/portal/enter?token={link}",
        "/portal/leave",
        "/portal/new-link",
    ):
        answer = await door.http.get(path, headers={**OWN_PAGE, **cookie(session)})
        assert answer.status_code in {200, 405}
        assert "set-cookie" not in answer.headers

    assert await released(door, session)
    assert (await door.press(link)).status_code == 303


async def test_programs_need_no_origin(door: Door) -> None:
    """A token in a header is sent by nobody unasked: no origin, or any. Then the cookie does not count."""
    token = (await door.invite())["token"]
    session = await door.come_in("ben", "VIEWER")
    for headers in ({}, {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}):
        both = {**headers, "Authorization": f"Bearer {token}"}
        assert (await door.ask(session, both)).json()["data"]["viewer"]["role"] == "OWNER"
        wrong = {**headers, "Authorization": "Bearer spp_wrong"}
        assert (await door.ask(session, wrong)).status_code == 401


async def test_the_vendors_programs_have_no_cookie(door: Door) -> None:
    """The server-to-server API knows keys alone."""
    session = await door.come_in()
    answer = await door.http.get("/v1/customers/acme", headers={**OWN_PAGE, **cookie(session)})

    assert answer.status_code == 401


async def test_a_listed_page_uses_sessions(shared: Door) -> None:
    """It is asked for by the browser, reads the answer, whatever that is, and signs out."""
    session = await shared.come_in()

    may = await shared.http.options("/graphql", headers={**LISTED, **ASKED})
    assert (may.status_code, may.content, cors(may.headers)) == (204, b"", ALLOWED)
    assert "Origin" in may.headers["vary"]
    seen = await shared.ask(session, LISTED)
    assert seen.json()["data"]["viewer"]["role"] == "OWNER"
    refused = await shared.ask(None, LISTED)
    assert refused.status_code == 401
    for answer in (seen, refused):
        assert cors(answer.headers) == {
            "access-control-allow-origin": APP,
            "access-control-allow-credentials": "true",
            "access-control-expose-headers": "idempotent-replayed, retry-after",
        }
        assert {"Accept", "Origin"} >= set(answer.headers["vary"].split(",")) >= {"Origin"}
    left = await shared.http.post("/portal/leave", headers={**LISTED, **cookie(session)})
    assert (left.status_code, left.headers["access-control-allow-origin"]) == (204, APP)
    assert not await shared.is_in(session)


async def test_a_listed_origin_of_another_site_has_no_session(shared: Door) -> None:
    """Browsers would not send the cookie; should one, it does not count."""
    session = await shared.come_in()
    for site in ("cross-site", "none", "same-origin"):
        answer = await shared.ask(session, {"Origin": APP, "Sec-Fetch-Site": site})
        assert answer.status_code == (200 if site == "same-origin" else 403)


ORIGINS: Final = [
    "null",
    "https://evil.example",
    "https://app.example.evil.example",
    "https://evilapp.example",
    "https://app.example:443",
    "https://app.example:8443",
    "https://other.example",
    "https://app.example/",
    "https://app.example.",
    "https://APP.example",
    "http://app.example",
    "https://user@app.example",
    "https://sub.app.example",
    "https://app.example https://evil.example",
    "https://evil.example, https://app.example",
    "https://app.exampl",
    "app.example",
    "*",
    "https://*",
    "file://",
    "https://app.example%60.evil.example",
    "",
]


@pytest.mark.parametrize("origin", ORIGINS)
async def test_only_exact_origins_are_on_the_list(shared: Door, origin: str) -> None:
    """Prefixes, suffixes, other ports and schemes, `null` and wildcards are none of them."""
    session = await shared.come_in()
    headers = {"Origin": origin}

    may = await shared.http.options("/graphql", headers={**headers, **ASKED})
    answer = await shared.ask(session, headers)

    assert (may.status_code, cors(may.headers)) == (204, {})
    assert (answer.status_code, cors(answer.headers)) == (403, {})


async def test_a_list_opens_nothing_else(shared: Door) -> None:
    """Neither the API of the vendor's programs nor documents nor pages, and no other method."""
    for path in ("/v1/portal-links", "/documents/x.pdf", "/portal", "/portal/enter", "/healthz", "/schema"):
        answer = await shared.http.options(path, headers={**LISTED, **ASKED})
        assert cors(answer.headers) == {}, path
        assert cors((await shared.http.get(path, headers=LISTED)).headers) == {}, path
    asked = {**LISTED, "Access-Control-Request-Method": "DELETE"}
    may = await shared.http.options("/graphql", headers=asked)
    assert "access-control-allow-methods" not in may.headers


async def test_two_origins_are_none(shared: Door) -> None:
    """A request says one, or it is nobody's."""
    session = await shared.come_in()
    answer = await shared.http.post(
        "/graphql",
        json={"query": "{ __typename }"},
        headers=[("Origin", APP), ("Origin", OTHER_APP), *cookie(session).items()],
    )

    assert (answer.status_code, cors(answer.headers)) == (403, {})
