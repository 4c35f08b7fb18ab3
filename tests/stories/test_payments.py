"""A customer whose card is charged: changes are paid before they are made, and nothing is paid twice."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from app.gateways.choosing import Provider
from app.gateways.stand_in import StandIn
from app.services.register_customer import change_payment_method
from app.store.transaction import Store
from app.worker import Worker
from tests.conftest import Clock
from tests.portal import SETTINGS, VENDOR, Portal, serving
from tests.stories.conftest import CATALOG
from tests.stories.diary import Diary

CHANGE: Final = """
mutation change($input: ChangePlanInput!) {
  changePlan(input: $input) {
    __typename
    ... on PlanChanged { replayed invoice { status totals { amountDue { amount } } amountPaid { amount } } }
    ... on PlanChangePending { subscription { version } amount { amount } retryAfterSeconds }
    ... on Refusal { message }
    ... on PaymentDeclined { amount { amount } reason }
  }
}
"""


@pytest.fixture
async def till(store: Store, clock: Clock, tmp_path: Path) -> AsyncIterator[tuple[Portal, StandIn]]:
    """The application of a deployment with the test gateway, and that gateway's books."""
    url = f"sqlite+aiosqlite:///{tmp_path}/seatport.db"
    settings = replace(SETTINGS, payments=Provider.TEST, database_url=url)
    async with serving(store, clock, settings) as served:
        await served.offer(CATALOG.read_text("utf-8"))
        yield served, StandIn(settings.payment_books)


async def pays_by(diary: Diary, method: str | None) -> None:
    """The vendor says how the customer pays."""
    await diary.portal.store.run(diary.customer, change_payment_method, VENDOR, method)


async def presses(diary: Diary, key: str, editors: str, **rest: Any) -> dict[str, Any]:
    """The button under a key, with so many editors more."""
    seats = [{"metric": "editor", "quantity": {"add": int(editors)}}]
    sent = {"subscriptionId": diary.subscription, "seats": seats, "idempotencyKey": key, **rest}
    return dict((await diary.portal.ask(diary.token, CHANGE, input=sent))["changePlan"])


async def draws_nothing(_: str) -> bytes:
    """No page of these stories is looked at."""
    return b""


async def test_a_card_is_charged_what_was_shown(till: tuple[Portal, StandIn]) -> None:
    """10 editors by invoice, then by card. Five more on the 16th: 5 × 10.00 × 15/30 = 25.00 were shown, are
    charged, and stand on an invoice that is paid when the answer comes.
    """
    portal, gateway = till
    diary = await (await Diary.opened(portal, "2026-04-01")).starts("simple", editor=10)
    await pays_by(diary, "test_approve")
    quote = await diary.on("2026-04-16").previews(editor="+5")

    done = await presses(diary, "five", "5", quoteToken=quote["token"])

    assert quote["dueNow"]["amountDue"]["amount"] == "25.00"
    assert (done["__typename"], done["replayed"], done["invoice"]["status"]) == ("PlanChanged", False, "PAID")
    assert done["invoice"]["amountPaid"]["amount"] == "25.00"
    assert [(charge.amount, charge.taken) for charge in gateway.charges_made()] == [(2500, True)]
    assert (await presses(diary, "five", "5", quoteToken=quote["token"]))["replayed"] is True
    assert len(gateway.charges_made()) == 1


async def test_a_declined_card_changes_nothing_unless_it_was_asked_to(till: tuple[Portal, StandIn]) -> None:
    """Declined: told how much and why, and the page is as before. Pressed again with APPLY_CHANGE: the seats
    are there, and the invoice waits for money.
    """
    portal, gateway = till
    diary = await (await Diary.opened(portal, "2026-04-01")).starts("simple", editor=10)
    await pays_by(diary, "test_decline")
    before = await diary.on("2026-04-16").page()

    declined = await presses(diary, "five", "5")

    assert (declined["__typename"], declined["amount"]["amount"]) == ("PaymentDeclined", "25.00")
    assert declined["reason"] == "The card has insufficient funds."
    assert await diary.page() == before
    done = await presses(diary, "all the same", "5", onPaymentFailure="APPLY_CHANGE")
    assert (done["__typename"], done["invoice"]["status"]) == ("PlanChanged", "OPEN")
    assert not any(charge.taken for charge in gateway.charges_made())


async def test_an_answer_that_gets_lost_is_found_by_the_worker(till: tuple[Portal, StandIn]) -> None:
    """The card was charged, and the answer never came. The page says that it is pending, to a colleague, too;
    the worker asks again, and the page that asks with its key learns that it is done. Charged once.
    """
    portal, gateway = till
    diary = await (await Diary.opened(portal, "2026-04-01")).starts("simple", editor=10)
    await pays_by(diary, "test_timeout")
    diary.on("2026-04-16")

    waits = await presses(diary, "five", "5")
    colleague = await presses(await diary.colleague(), "another", "1")

    assert (waits["__typename"], waits["amount"]["amount"]) == ("PlanChangePending", "25.00")
    assert waits["subscription"]["version"] == colleague["subscription"]["version"] == 1
    assert colleague["__typename"] == "PlanChangePending"
    portal.clock.advance(timedelta(seconds=waits["retryAfterSeconds"]))
    async with Worker(portal.store, draws_nothing, pause_seconds=0.01, gateway=gateway).running():
        while (done := await presses(diary, "five", "5"))["__typename"] == "PlanChangePending":
            pass
    assert (done["__typename"], done["invoice"]["status"]) == ("PlanChanged", "PAID")
    assert [(charge.amount, charge.refunded) for charge in gateway.charges_made()] == [(2500, False)]
