"""Invoices that are collected after they are issued, on both databases: once, and again after a decline."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import DBAPIError

from app.billing.money import CURRENCIES, Money
from app.billing.payments import CollectionStatus
from app.billing.permissions import SYSTEM
from app.gateways.payments import Collected
from app.services.bill import bill
from app.services.change_plan import PlanChanged
from app.services.collect_invoice import WAITS, conclude, withdraw
from app.services.move_clock import move_clock
from app.services.pending_changes import GIVE_UP, TURN
from app.services.record_payment import PaymentRecorded, ReceivedPayment, record_payment
from app.services.register_customer import change_payment_method
from app.store.tables import collection, outbox
from app.store.transaction import Store, Tx
from tests.conftest import Clock
from tests.services.paying import APPLY, START, Payer, payer

SOON = timedelta(seconds=10)


@pytest.fixture
async def ada(store: Store, clock: Clock, tmp_path: Path) -> Payer:
    """A payer whose first invoice was just issued."""
    return await payer(store, clock, tmp_path / "gateway.db")


async def pays_by(ada: Payer, method: str | None) -> None:
    await ada.store.run(ada.customer, change_payment_method, SYSTEM, method)


async def is_paid_once(ada: Payer) -> None:
    """The invoice of the start: one charge, one payment with its intent."""
    assert await ada.start() == (START, "PAID", 0)
    (charge,) = ada.kept()
    assert await ada.payments() == [(START, "test gateway", str(charge.intent))]


async def test_an_issued_invoice_is_collected_once(ada: Payer) -> None:
    """By the worker, after its commit; then there is nothing left to do."""
    assert await ada.start() == (0, "OPEN", START)

    assert await ada.collects() == 1

    await is_paid_once(ada)
    assert await ada.collections() == [("COLLECTED", 0)]
    ada.clock.advance(timedelta(days=10))
    assert await ada.collects() == 0


async def test_a_renewal_is_collected(ada: Payer) -> None:
    """A month later the renewal is billed, and its invoice is the next to be collected."""
    await ada.collects()
    ada.clock.advance(timedelta(days=31))
    assert await ada.store.run(ada.customer, bill, ada.subscription) is None

    assert await ada.collects() == 1

    assert await ada.collections() == [("COLLECTED", 0)] * 2
    assert [amount for amount, *_ in await ada.payments()] == [START, START]
    assert len(ada.kept()) == 2


async def test_a_change_that_was_paid_first_is_not_collected_again(ada: Payer) -> None:
    """Its invoice is paid when it is issued."""
    await ada.collects()

    assert isinstance(await ada.presses("a"), PlanChanged)

    assert await ada.collections() == [("COLLECTED", 0)] * 2
    assert await ada.collects() == 0
    assert len(ada.kept()) == 2


async def test_a_decline_is_tried_again_for_a_week_and_then_left(ada: Payer) -> None:
    """On days 1, 3, 5 and 7 after the first try, each with an intent of its own; then the invoice waits for
    its payer. The vendor is told of every try.
    """
    await pays_by(ada, "test_decline")
    start, tried = ada.clock(), []
    for _ in range(20 * 24):
        if await ada.collects():
            tried.append((ada.clock() - start) / timedelta(days=1))
        ada.clock.advance(timedelta(hours=1))

    assert tried == [0, 1, 3, 5, 7]
    assert await ada.collections() == [("LEFT_OPEN", len(WAITS) + 1)]
    assert (await ada.start(), ada.kept()) == ((0, "OPEN", START), [])
    assert len(ada.gateway.charges_made()) == 5
    news = await ada.store.run(ada.customer, told, "invoice.payment_failed")
    assert [(each["tries"], each["last"]) for each in news] == [
        (1, False), (2, False), (3, False), (4, False), (5, True),
    ]  # fmt: skip


def told(tx: Tx, type_: str) -> list[dict[str, Any]]:
    """What the vendor is told of one type, in order."""
    query = select(outbox.c.payload).where(outbox.c.customer_id == tx.customer, outbox.c.type == type_)
    return list(tx.connection.execute(query.order_by(outbox.c.sequence)).scalars())


async def test_a_new_card_is_charged_at_the_next_try(ada: Payer) -> None:
    """Declined today, another method tomorrow."""
    await pays_by(ada, "test_decline")
    await ada.collects()
    await pays_by(ada, "test_approve")
    assert await ada.collects() == 0

    ada.clock.advance(timedelta(days=1))
    assert await ada.collects() == 1

    await is_paid_once(ada)


async def test_an_invoice_of_a_change_in_spite_of_a_decline_is_tried_a_day_later(ada: Payer) -> None:
    """The decline was its first try."""
    await ada.collects()
    await pays_by(ada, "test_decline")
    assert isinstance(await ada.presses("a", on_payment_failure=APPLY), PlanChanged)
    assert sorted(await ada.collections()) == [("COLLECTED", 0), ("WAITING", 1)]
    await pays_by(ada, "test_approve")
    assert await ada.collects() == 0

    ada.clock.advance(timedelta(days=1))
    await ada.collects()

    assert await ada.invoices() == [(7500, "PAID", 0)]


async def test_a_lost_answer_is_asked_for_again(ada: Payer) -> None:
    """With the same intent: one charge."""
    await pays_by(ada, "test_timeout")
    await ada.collects()
    assert (await ada.start(), len(ada.kept())) == ((0, "OPEN", START), 1)

    ada.clock.advance(SOON)
    await ada.collects()

    await is_paid_once(ada)
    assert len(ada.gateway.charges_made()) == 1


@pytest.mark.parametrize("came_in", [START, 100])
async def test_what_came_in_otherwise_meanwhile_is_not_charged(ada: Payer, came_in: int) -> None:
    """The card was charged, the answer lost, and money came in by bank: the charge goes back whole. What is
    still open, if anything, is collected a day later.
    """
    await pays_by(ada, "test_timeout")
    await ada.collects()
    (row,) = await ada.rows(collection)
    received = ReceivedPayment(row.invoice_id, Money(came_in, CURRENCIES["USD"]))
    assert isinstance(await ada.store.run(ada.customer, record_payment, SYSTEM, received), PaymentRecorded)

    ada.clock.advance(SOON)
    await ada.collects()

    assert (ada.kept(), await ada.payments()) == ([], [(came_in, "bank transfer", None)])
    await pays_by(ada, "test_approve")
    ada.clock.advance(timedelta(days=1))
    await ada.collects()
    assert [charge.amount for charge in ada.kept()] == ([START - came_in] if came_in < START else [])
    assert await ada.start() == (START, "PAID", 0)
    assert (await ada.collections())[0][0] == ("COLLECTED" if came_in < START else "OVER")


async def test_no_answer_for_a_day_gives_the_try_up(ada: Payer) -> None:
    """The intent is given back, so that the next try cannot be a second charge."""
    await pays_by(ada, "test_unreachable")
    await ada.collects()
    ada.clock.advance(GIVE_UP)
    await ada.collects()
    assert await ada.collections() == [("WAITING", 1)]
    await pays_by(ada, "test_approve")

    ada.clock.advance(timedelta(days=1))
    await ada.collects()

    await is_paid_once(ada)


async def test_who_pays_by_invoice_again_is_not_charged(ada: Payer) -> None:
    """The invoice is left to its payer."""
    await pays_by(ada, None)

    await ada.collects()

    assert (await ada.collections(), ada.gateway.charges_made()) == ([("LEFT_OPEN", 0)], [])


async def test_time_that_is_moved_brings_the_next_try(ada: Payer) -> None:
    """A test customer's clock goes a day forward, and the wall clock does not."""
    await pays_by(ada, "test_decline")
    await ada.collects()
    await pays_by(ada, "test_approve")

    await ada.store.run(ada.customer, move_clock, SYSTEM, timedelta(days=1))
    assert await ada.collects() == 1

    await is_paid_once(ada)


async def test_five_workers_collect_once(ada: Payer) -> None:
    """One of them has the turn."""
    await asyncio.gather(*(ada.collects() for _ in range(5)))

    await is_paid_once(ada)
    assert len(ada.gateway.charges_made()) == 1


async def test_an_answer_that_comes_too_late_does_nothing(ada: Payer) -> None:
    """Of a turn that lasted too long, when the next one is done."""
    await ada.collects()
    (charge,) = ada.kept()
    (row,) = await ada.rows(collection)
    ada.clock.advance(TURN)

    await ada.store.run(ada.customer, conclude, row.invoice_id, charge.intent, Collected(), "late")
    await ada.store.run(ada.customer, withdraw, row.invoice_id, charge.intent)

    await is_paid_once(ada)


async def test_the_database_keeps_what_was_collected(ada: Payer) -> None:
    """A collection that is over does not begin again."""
    await ada.collects()

    def meddle(tx: Tx) -> None:
        tx.connection.execute(
            update(collection)
            .where(collection.c.customer_id == tx.customer)
            .values(status=CollectionStatus.WAITING)
        )

    with pytest.raises(DBAPIError, match="collection"):
        await ada.store.run(ada.customer, meddle)
