"""Portal links: a page that does nothing by itself, a button that opens a session once."""

from __future__ import annotations

import asyncio
import random
import re
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from app.api.portal_pages import LINK_PREFIX
from app.services.open_portal import LINK_LIFETIME
from app.services.tokens import hash_of, made
from app.store.engine import open_store
from app.store.tables import portal_link, portal_session
from app.store.transaction import BatchTx
from tests.api.access.door import OWN, Door, at_the_door, cookie, session_of, token_of
from tests.api.world import Lived, World, enter
from tests.conftest import Clock
from tests.portal import SETTINGS

MANY = 100
PROCESSES = 4


async def sessions(door: Door) -> int:
    """How many sessions came about through links."""

    def counted(tx: BatchTx) -> int:
        query = select(func.count()).select_from(portal_session)
        return int(tx.connection.execute(query.where(portal_session.c.idle_until.is_not(None))).scalar_one())

    return await door.store.look(counted)


async def test_a_link_leads_in_once(door: Door) -> None:
    """The button answers with a session in a cookie, and leads on; the session is that of the member."""
    invited = await door.invite(role="BILLING_ADMIN")
    link = token_of(invited)
    assert re.fullmatch(r"spp_link_[0-9A-Za-z]{49}", link)

    answer = await door.press(link)
    session = session_of(answer)

    assert answer.headers["location"] == f"{OWN}/portal"
    seen = (await door.ask(session)).json()
    assert seen == {"data": {"viewer": {"name": "Ada", "role": "BILLING_ADMIN"}}}
    again = await door.press(link)
    assert (again.status_code, again.headers.get_list("set-cookie")) == (410, [])
    assert await sessions(door) == 1


async def test_the_page_of_a_link_does_nothing_by_itself(door: Door) -> None:
    """Scanners of mail open it as often as they like: it is the same for every link, since no server is sent
    what stands after the #, and the link is as good as before.
    """
    link = await door.link()

    pages = [await door.http.get("/portal/enter") for _ in range(3)]

    assert {page.status_code for page in pages} == {200}
    assert len({page.content for page in pages}) == 1
    assert link not in pages[0].text
    assert [page.headers.get_list("set-cookie") for page in pages] == [[], [], []]
    assert session_of(await door.press(link))


async def test_no_link_that_is_not_good_is_told_from_another(door: Door, clock: Clock) -> None:
    """Used, expired, taken back by another role, of somebody removed, never made: the same bytes but for the
    token itself, the same status, and no cookie.
    """
    used, replaced, removed = [await door.link(person) for person in ("ada", "ben", "eve")]
    assert session_of(await door.press(used))
    await door.link("ben", role="VIEWER")
    await door.caller.call("DELETE", "/v1/customers/acme/members/eve")
    expired = await door.link("dan")
    clock.advance(LINK_LIFETIME)
    unknown = made(LINK_PREFIX)

    bad = (used, replaced, removed, expired, unknown)
    answers = [(link, await door.press(link)) for link in bad]
    malformed = [await door.press(text) for text in ("", used[:-1], LINK_PREFIX, "é", "\0")]

    assert {answer.text.replace(link, "") for link, answer in answers} == {malformed[0].text}
    assert len({answer.content for answer in malformed}) == 1
    every = [*(answer for _, answer in answers), *malformed]
    assert {answer.status_code for answer in every} == {410}
    assert [name for answer in every for name in answer.headers if name == "set-cookie"] == []
    assert await sessions(door) == 1


async def test_a_link_is_good_until_it_expires(door: Door, clock: Clock) -> None:
    """In its last second; not at its last instant."""
    late, too_late = await door.link("ada"), await door.link("ben")
    clock.advance(LINK_LIFETIME - timedelta(seconds=1))
    assert session_of(await door.press(late))
    clock.advance(timedelta(seconds=1))

    assert (await door.press(too_late)).status_code == 410


async def test_who_is_in_comes_again_by_a_used_link(door: Door) -> None:
    """The same browser opens the mail again: it goes on with the session that it has. Another does not."""
    link = await door.link()
    session = session_of(await door.press(link))
    other = await door.come_in("ben")

    assert session_of(await door.press(link, session=session)) == session
    assert (await door.press(link, session=other)).status_code == 410


async def test_a_new_session_takes_the_place_of_the_old_one(door: Door) -> None:
    """A cookie that was planted before is worth nothing after: the token is new, and the one before ends."""
    before = await door.come_in()
    after = session_of(await door.press(await door.link(), session=before))

    assert after != before
    assert not await door.is_in(before)
    assert await door.is_in(after)


async def test_people_go_where_the_vendor_wants(world: World, clock: Clock) -> None:
    """To the address of a setting, whatever the request says; and the page lets its form lead there."""
    settings = replace(SETTINGS, return_url="https://app.example/billing")
    async with at_the_door(world, clock, settings) as door:
        page = await door.http.get("/portal/enter")
        fields = {"token": await door.link(), "returnUrl": "https://evil.example", "next": "//evil.example"}
        answer = await door.form("/portal/enter?returnUrl=https://evil.example", fields)

    assert session_of(answer)
    assert answer.headers["location"] == "https://app.example/billing"
    assert (
        "form-action 'self' https://billing.example https://app.example;"
        in (page.headers["content-security-policy"])
    )


async def test_a_trial_without_https_has_a_cookie_that_browsers_keep(world: World, clock: Clock) -> None:
    """On this machine alone: without the prefix and without Secure, which plain http cannot have."""
    settings = replace(SETTINGS, public_url="http://127.0.0.1:8000")
    async with at_the_door(world, clock, settings) as door:
        link = (await door.invite())["url"].partition("#")[2]
        answer = await door.press(link, {"Origin": "http://127.0.0.1:8000", "Sec-Fetch-Site": "same-origin"})

    (header,) = answer.headers.get_list("set-cookie")
    assert re.fullmatch(r"spp=spp_[A-Za-z0-9_-]{43}; Path=/; HttpOnly; SameSite=Lax", header)


async def test_one_link_pressed_a_hundred_times_at_once(lived_in: tuple[str, Lived], clock: Clock) -> None:
    """In four servers on one database, each with connections of its own: one session, and 99 that are told
    that the link is not good any more.
    """
    url, lived = lived_in
    async with AsyncExitStack() as stack:
        doors = []
        for _ in range(PROCESSES):
            store = open_store(url, clock=clock)
            stack.push_async_callback(store.close)
            doors.append(await stack.enter_async_context(at_the_door(enter(store, clock, lived), clock)))
        link = await doors[0].link()

        answers = await asyncio.gather(*(doors[n % PROCESSES].press(link) for n in range(MANY)))

        assert sorted(answer.status_code for answer in answers) == [303, *[410] * (MANY - 1)]
        assert await sessions(doors[0]) == 1
        (opened,) = [session_of(answer) for answer in answers if answer.status_code == 303]
        assert all([await door.is_in(opened) for door in doors])


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
async def test_a_thousand_flipped_bits_of_a_link(door: Door) -> None:
    """One bit of one character, a thousand times, and never a session; then the link itself is good."""
    link = await door.link()
    dice = random.Random(5)
    for _ in range(1000):
        place, bit = dice.randrange(len(link)), dice.randrange(8)
        flipped = link[:place] + chr(ord(link[place]) ^ 1 << bit) + link[place + 1 :]
        assert (await door.press(flipped)).status_code == 410

    assert await sessions(door) == 0
    assert session_of(await door.press(link))


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
async def test_a_thousand_flipped_bits_of_a_session(door: Door) -> None:
    """As a cookie and as a bearer token: refused by the bytes that every wrong one gets."""
    session = await door.come_in()
    wrong = (await door.ask(None)).content
    dice = random.Random(6)
    for number in range(1000):
        place, bit = dice.randrange(len(session)), dice.randrange(8)
        flipped = bytearray(session.encode())
        flipped[place] ^= 1 << bit
        header = (b"Cookie", b"__Host-spp=") if number % 2 else (b"Authorization", b"Bearer ")
        answer = await door.http.post(
            "/graphql",
            json={"query": "{ viewer { name } }"},
            headers=[(b"Origin", OWN.encode()), (header[0], header[1] + bytes(flipped))],
        )
        assert (answer.status_code, answer.content) == (401, wrong)

    assert await door.is_in(session)


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
async def test_a_token_is_good_for_one_thing(door: Door) -> None:
    """A link signs nobody in, a session and a key are no links."""
    invited = await door.invite()
    link = token_of(invited)
    for header in ({"Authorization": f"Bearer {link}"}, {"Authorization": f"Bearer {door.caller.key}"}):
        assert (
            await door.http.post("/graphql", json={"query": "{ __typename }"}, headers=header)
        ).status_code == 401
    for token in (invited["token"], door.caller.key, hash_of(link)):
        assert (await door.press(token)).status_code == 410
        assert (await door.ask(token if token.startswith("spk") else link)).status_code == 401

    assert await door.is_in(invited["token"]), "a session is one, however its token is sent"
    home = await door.http.get("/portal", headers=cookie(invited["token"]))
    assert "signed in as <strong>Ada</strong>, owner" in home.text


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
async def test_old_links_and_sessions_are_forgotten(door: Door, clock: Clock) -> None:
    """A month after they expired, when the member comes again; others' stay."""
    await door.come_in("ada")
    await door.come_in("ben")
    clock.advance(timedelta(days=31))
    await door.link("ada")

    def left(tx: BatchTx) -> tuple[int, int]:
        links = select(func.count()).select_from(portal_link)
        opened = select(func.count()).select_from(portal_session)
        return int(tx.connection.execute(links).scalar_one()), int(tx.connection.execute(opened).scalar_one())

    assert await door.store.look(left) == (2, 3)


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "null", "Sec-Fetch-Site": "cross-site"},
        {"Origin": "null", "Sec-Fetch-Site": "same-site"},
        {"Origin": OWN, "Sec-Fetch-Site": "same-site"},
        {"Origin": OWN, "Sec-Fetch-Site": "none"},
        {"Origin": "https://evil.example", "Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "same-origin"},
    ],
)
async def test_no_other_page_signs_anybody_in(door: Door, headers: dict[str, str]) -> None:
    """A page that sends its own link in somebody else's browser would sign them in as itself: refused, as is
    signing out and asking for a link from elsewhere; the link stays good.
    """
    link = await door.link()
    session = await door.come_in("ben")

    for path, fields in (
        ("/portal/enter", {"token": link}),
        ("/portal/leave", {"x": ""}),
        ("/portal/new-link", {"token": link}),
    ):
        answer = await door.form(path, fields, headers, session)
        assert answer.status_code == 403, path
        assert "set-cookie" not in answer.headers

    assert await door.is_in(session)
    assert session_of(await door.press(link, {"Origin": OWN}))
