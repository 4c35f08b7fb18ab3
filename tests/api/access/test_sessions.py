"""Sessions: how long they last, and what ends them at once."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import event, func, select

from app.sessions import WRITTEN_EVERY
from app.store.engine import open_store
from app.store.tables import audit, portal_session
from app.store.transaction import BatchTx
from tests.api.access.door import COOKIE, OWN, OWN_FORM, OWN_PAGE, Door, at_the_door, cookie
from tests.api.world import Lived, enter
from tests.conftest import Clock

IDLE = timedelta(hours=1)
LIFETIME = timedelta(hours=12)
MINUTE = timedelta(minutes=1)
GONE = f"{COOKIE}=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax; Secure"
ADA = "/v1/customers/acme/members/ada"


async def test_a_session_ends_when_it_is_not_used(door: Door, clock: Clock) -> None:
    """After an hour without a request; each request begins the hour anew."""
    session = await door.come_in()
    for _ in range(3):
        clock.advance(IDLE - MINUTE)
        assert await door.is_in(session)

    clock.advance(IDLE)
    assert not await door.is_in(session)
    clock.advance(-MINUTE)
    assert await door.is_in(session), "it ended at that instant, not before"


async def test_a_session_ends_however_much_it_is_used(door: Door, clock: Clock) -> None:
    """After twelve hours."""
    session = await door.come_in()
    ends = clock() + LIFETIME
    while clock() + IDLE / 2 < ends:
        clock.advance(IDLE / 2)
        assert await door.is_in(session)

    clock.now = ends
    assert not await door.is_in(session)


async def test_what_is_used_often_is_written_rarely(door: Door, clock: Clock) -> None:
    """Of a hundred requests within two minutes two write; the others only read."""
    session = await door.come_in()
    statements: list[str] = []
    writer = door.store.writer.sync_engine
    event.listen(writer, "before_cursor_execute", lambda *args: statements.append(args[2]))
    for _ in range(100):
        clock.advance(2 * WRITTEN_EVERY / 100)
        assert await door.is_in(session)

    assert [text.split()[:2] for text in statements if "portal_session" in text] == [
        ["UPDATE", "portal_session"]
    ] * 2


async def test_who_signs_out_is_out(door: Door) -> None:
    """By the form of the page, and as a page of the vendor's does it: the cookie goes, the token is worth
    nothing, other sessions stay. Once more is as good as once.
    """
    by_form, by_page, other = [await door.come_in(person) for person in ("ada", "ada", "ben")]

    form = await door.form("/portal/leave", {"x": ""}, OWN_FORM, by_form)
    assert (form.status_code, form.headers["location"]) == (303, f"{OWN}/portal")
    assert form.headers.get_list("set-cookie") == [GONE]
    assert (await door.form("/portal/leave", {"x": ""}, OWN_FORM, by_form)).status_code == 303
    page = await door.http.post("/portal/leave", headers={**OWN_PAGE, **cookie(by_page)})
    assert (page.status_code, page.content, page.headers.get_list("set-cookie")) == (204, b"", [GONE])

    assert [await door.is_in(session) for session in (by_form, by_page, other)] == [False, False, True]
    assert "You are not signed in here" in (await door.http.get("/portal", headers=cookie(by_form))).text


async def test_a_program_gives_its_token_back(door: Door) -> None:
    """The same address takes a bearer token, and no stranger."""
    token = (await door.invite())["token"]
    bearer = {"Authorization": f"Bearer {token}"}

    assert (await door.http.post("/portal/leave", headers=bearer)).status_code == 204
    assert (await door.http.post("/portal/leave", headers=bearer)).status_code == 401
    assert (await door.http.post("/portal/leave")).status_code == 401


@pytest.mark.parametrize("deed", ["demoted", "promoted", "removed", "signed out"])
async def test_who_may_something_else_signs_in_anew(door: Door, deed: str) -> None:
    """With another role, removed, or signed out by the vendor: the next request of every session and token is
    refused, links that wait are not good; another member notices nothing.
    """
    invited = await door.invite(role="BILLING_ADMIN")
    sessions = [invited["token"], await door.come_in(role="BILLING_ADMIN")]
    waiting = await door.link(role="BILLING_ADMIN")
    ben = await door.come_in("ben")
    assert all([await door.is_in(session) for session in sessions])

    if deed in {"demoted", "promoted"}:
        await door.link(role="VIEWER" if deed == "demoted" else "OWNER")
    elif deed == "removed":
        assert (await door.caller.call("DELETE", ADA)).status_code == 200
    else:
        assert (await door.caller.call("POST", f"{ADA}/sign-out")).status_code == 200

    assert not any([await door.is_in(session) for session in sessions])
    assert (await door.press(waiting)).status_code == 410
    assert await door.is_in(ben)


async def test_who_was_removed_comes_back_as_the_same(door: Door) -> None:
    """A new link makes them a member again; until then nobody finds them."""
    await door.come_in()
    assert (await door.caller.call("DELETE", ADA)).json() == {"reference": "ada", "role": "OWNER"}
    assert (await door.caller.call("DELETE", ADA)).status_code == 404
    assert (await door.caller.call("POST", f"{ADA}/sign-out")).status_code == 404

    session = await door.come_in(role="VIEWER")

    assert (await door.ask(session)).json()["data"]["viewer"] == {"name": "Ada", "role": "VIEWER"}
    assert (await door.caller.call("DELETE", ADA)).status_code == 200


async def test_what_one_server_ends_is_over_in_the_others(lived_in: tuple[str, Lived], clock: Clock) -> None:
    """Sessions are rows: two servers on one database agree at once."""
    url, lived = lived_in
    stores = [open_store(url, clock=clock) for _ in range(2)]
    try:
        worlds = [enter(store, clock, lived) for store in stores]
        async with at_the_door(worlds[0], clock) as one, at_the_door(worlds[1], clock) as two:
            session = await one.come_in()
            assert await two.is_in(session)
            await two.form("/portal/leave", {"x": ""}, OWN_FORM, session)
            assert not await one.is_in(session)
    finally:
        for store in stores:
            await store.close()


async def test_coming_and_going_is_on_record(door: Door) -> None:
    """Who came in, left, was signed out and was removed, and by whom; no token and no hash of one."""
    session = await door.come_in()
    await door.form("/portal/leave", {"x": ""}, OWN_FORM, session)
    await door.come_in(role="VIEWER")
    await door.caller.call("POST", f"{ADA}/sign-out")
    await door.caller.call("DELETE", ADA)

    def noted(tx: BatchTx) -> list[tuple[str, str, int | None]]:
        query = select(audit).where(audit.c.action.like("portal.%") | audit.c.action.like("member.%"))
        rows = tx.connection.execute(query.order_by(audit.c.id)).all()
        return [(row.action, row.actor, row.detail.get("sessions_ended")) for row in rows]

    assert await door.store.look(noted) == [
        ("portal.opened", "tests", None),
        ("portal.entered", "Ada", None),
        ("portal.left", "Ada", None),
        ("portal.opened", "tests", 1),
        ("portal.entered", "Ada", None),
        ("member.signed_out", "tests", 2),
        ("member.removed", "tests", 0),
    ]


async def test_a_token_of_a_program_does_not_idle(door: Door, clock: Clock) -> None:
    """It has an hour, used or not; its session is written once, when it is opened."""
    token = (await door.invite())["token"]
    clock.advance(IDLE - MINUTE)
    assert await door.is_in(token)

    def idle(tx: BatchTx) -> list[datetime | None]:
        return list(tx.connection.execute(select(portal_session.c.idle_until)).scalars())

    assert await door.store.look(idle) == [None]
    clock.advance(MINUTE)
    assert not await door.is_in(token)
    assert (
        await door.store.look(
            lambda tx: tx.connection.execute(select(func.count()).select_from(portal_session)).scalar_one()
        )
        == 1
    )
