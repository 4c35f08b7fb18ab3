"""Who has no good link has a new one sent; whoever asks is answered alike."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select
from structlog.testing import capture_logs

from app.api.webhook_events import body_of
from app.services.ask_for_link import HEARD_AGAIN_AFTER
from app.services.open_portal import LINK_LIFETIME
from app.services.tokens import made
from app.sessions import PortalSessions
from app.store.tables import outbox
from app.store.transaction import BatchTx
from app.store.webhooks import Message
from tests.api.access.door import Door, session_of, whole
from tests.conftest import Clock

EMAIL = "ada@acme.example"


async def told(door: Door) -> list[str]:
    """For whom the vendor was told that a link is wanted, by customer and member."""

    def news(tx: BatchTx) -> list[str]:
        asked = select(outbox).where(outbox.c.type == "portal_link.requested").order_by(outbox.c.id)
        acme = door.caller.world.acme
        return [
            f"{'acme' if row.customer_id == acme else 'globex'} {row.payload['member']}"
            for row in tx.connection.execute(asked)
        ]

    return await door.store.look(news)


async def test_a_member_has_a_new_link_sent(door: Door, clock: Clock) -> None:
    """The page of an expired link has a button; the vendor is told by a webhook that is about the member, and
    the link that it makes then is good.
    """
    link = await door.link()
    clock.advance(LINK_LIFETIME)
    page = await door.press(link)
    assert f'name="token" type="hidden" value="{link}"' in page.text

    answer = await door.form("/portal/new-link", {"token": link})

    assert (answer.status_code, "on its way to you" in answer.text) == (200, True)
    assert await told(door) == ["acme ada"]
    assert session_of(await door.press(await door.link()))


async def test_nobody_learns_who_is_known(door: Door) -> None:
    """Known and unknown addresses, links that were made here and others, nonsense and nothing: the same
    bytes, the same headers.
    """
    link = await door.link(email=EMAIL)
    asked: list[dict[str, str]] = [
        {"email": EMAIL},
        {"email": "nobody@acme.example"},
        {"email": "  ADA@acme.EXAMPLE "},
        {"token": link},
        {"token": made("spp_link_")},
        {"token": link, "email": EMAIL},
        {"email": "no address"},
        {"email": "a@b\0"},
        {"email": "a@" + "b" * 5000},
        {"token": "' OR 1=1"},
        {"x": ""},
    ]

    answers = [await door.form("/portal/new-link", fields) for fields in asked]

    assert [whole(answer) for answer in answers] == [whole(answers[0])] * len(asked)
    assert answers[0].status_code == 200
    assert await told(door) == ["acme ada"], "and who asks often is heard once"


async def test_the_time_tells_nothing_either(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whom a link is for is looked up only after the whole answer was sent."""
    order: list[str] = []
    looked = PortalSessions.ask_again

    async def watched(self: PortalSessions, **asked: Any) -> None:
        order.append("looked")
        await looked(self, **asked)

    monkeypatch.setattr(PortalSessions, "ask_again", watched)
    app: Any = door.http._transport.app  # type: ignore[attr-defined]

    async def noting(scope: Any, receive: Any, send: Any) -> None:
        async def sent(message: Any) -> None:
            await send(message)
            if message["type"] == "http.response.body" and not message.get("more_body", False):
                order.append("answered")

        await app(scope, receive, sent)

    door.http._transport.app = noting  # type: ignore[attr-defined]
    await door.form("/portal/new-link", {"email": EMAIL})

    assert order == ["answered", "looked"]


async def test_nobody_is_mailed_often(door: Door, clock: Clock) -> None:
    """Within five minutes once, however it is asked for; later again."""
    link = await door.link(email=EMAIL)
    for _ in range(3):
        await door.form("/portal/new-link", {"email": EMAIL})
        await door.form("/portal/new-link", {"token": link})
        clock.advance(HEARD_AGAIN_AFTER / 3)
    assert await told(door) == ["acme ada"]

    await door.form("/portal/new-link", {"email": EMAIL})
    assert await told(door) == ["acme ada"] * 2


async def test_whoever_reads_mail_of_two_customers_is_told_of_both(door: Door) -> None:
    """One address, two customers: a link for each. Somebody removed gets none."""
    await door.link("ada", email=EMAIL)
    await door.link("boss", customer="globex", email=EMAIL.upper())
    await door.link("gone", email=EMAIL)
    await door.caller.call("DELETE", "/v1/customers/acme/members/gone")

    await door.form("/portal/new-link", {"email": EMAIL})

    assert sorted(await told(door)) == ["acme ada", "globex boss"]


async def test_the_vendor_is_told_by_a_webhook(door: Door) -> None:
    """By the vendor's own id of the person, and nothing else of theirs."""
    link = await door.link(email=EMAIL)
    await door.form("/portal/new-link", {"token": link})

    def body(tx: BatchTx) -> bytes:
        (row,) = tx.connection.execute(select(outbox).where(outbox.c.type == "portal_link.requested"))
        return body_of(
            Message(
                row.id,
                row.customer_id,
                "acme",
                row.type,
                row.object_id,
                row.sequence,
                row.payload,
                row.created_at,
            )
        )

    sent = (await door.store.look(body)).decode()
    assert '"member":"ada"' in sent
    assert EMAIL not in sent
    assert link not in sent


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
async def test_a_fault_changes_nothing_of_the_answer(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is in the log; who asked reads the same and can ask again."""

    async def fails(self: PortalSessions, **_: Any) -> None:
        raise RuntimeError("the database went away")

    good = await door.form("/portal/new-link", {"email": EMAIL})
    monkeypatch.setattr(PortalSessions, "ask_again", fails)
    with capture_logs() as logs:
        bad = await door.form("/portal/new-link", {"email": EMAIL})

    assert (bad.status_code, bad.content) == (good.status_code, good.content)
    assert [entry["event"] for entry in logs] == ["new link not asked for"]


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("kind", "body", "status"),
    [
        ("application/json", b'{"token": "x"}', 415),
        ("text/plain", b"token=x", 415),
        ("application/x-www-form-urlencoded", b"token=" + b"x" * 20_000, 413),
        ("application/x-www-form-urlencoded", b"\xff&&=&token", 410),
        ("application/x-www-form-urlencoded; charset=utf-8", b"", 410),
    ],
)
async def test_what_is_no_form_is_refused(door: Door, kind: str, body: bytes, status: int) -> None:
    """By its kind and its size; broken text is only text that is no token."""
    headers = {"Content-Type": kind, "Sec-Fetch-Site": "same-origin", "Origin": "null"}
    answer = await door.http.post("/portal/enter", content=body, headers=headers)

    assert answer.status_code == status
