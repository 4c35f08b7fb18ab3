"""The worker: it bills and renders beside the requests, whatever fails on the way, and stops when told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from app import worker
from app.billing.parties import BillingDetails
from app.billing.permissions import SYSTEM
from app.documents.errors import RenderFailed
from app.services.demo import past
from app.services.demo.crowd import crowd
from app.services.demo.stage import MovedClock
from app.services.register_customer import change_billing_details
from app.store import files, system
from app.store.engine import open_store
from app.store.reference import Reference
from app.store.tables import subscription
from app.store.transaction import Busy, Store, Tx
from app.worker import Worker, every

NOW = datetime(2026, 8, 23, 13, 45, tzinfo=UTC)
COUNT = 4


@pytest.fixture
async def due(database_url: str) -> AsyncIterator[tuple[Store, MovedClock]]:
    """Four customers with a renewal that is due and an invoice that waits to be rendered."""
    clock = MovedClock(NOW)
    store = open_store(database_url, clock=clock)
    await past.offer_catalog(store)
    async for _ in crowd(store, clock, NOW, COUNT):
        pass
    yield store, clock
    await store.close()


async def drawn(view: str) -> bytes:
    """A stand-in for the renderer, which has tests of its own: the page is the length of its view."""
    return f"%PDF {len(view)}".encode()


async def waiting(store: Store) -> list[Reference]:
    return [reference async for reference in every(store, system.due_renderings)]


async def overdue(store: Store) -> list[Reference]:
    return [reference async for reference in every(store, system.due_subscriptions)]


async def until(happened: Callable[[], Awaitable[bool]]) -> None:
    """Wait until a condition holds, at most ten seconds."""
    async with asyncio.timeout(10):
        while not await happened():  # noqa: ASYNC110  The database tells nobody.
            await asyncio.sleep(0.02)


async def has_file(store: Store, document: Reference) -> bool:
    async with store.reads(document.customer) as scope:
        return await scope.run(files.file, document.id) is not None


async def test_it_bills_and_renders_until_it_is_stopped(due: tuple[Store, MovedClock]) -> None:
    """Four renewals are billed, and the eight invoices that there are then have their files."""
    store, _ = due
    views: list[str] = []

    async def draw(view: str) -> bytes:
        views.append(view)
        return await drawn(view)

    async def is_done() -> bool:
        return not await overdue(store) and not await waiting(store)

    async with Worker(store, draw, pause_seconds=0.05).running():
        await until(is_done)

    assert len(views) == 2 * COUNT
    assert len(set(views)) == 2 * COUNT


async def test_a_page_that_fails_is_put_off_and_the_others_are_drawn(due: tuple[Store, MovedClock]) -> None:
    """One of four documents cannot be drawn: three are. Half a minute later it is tried again, and drawn."""
    store, clock = due
    queue = await waiting(store)
    pages = 0

    async def fails_at_the_second(view: str) -> bytes:
        nonlocal pages
        pages += 1
        if pages == 2:
            raise RenderFailed("the page took too long", retryable=True)
        return await drawn(view)

    await Worker(store, fails_at_the_second).draw(asyncio.Event())

    assert [await has_file(store, document) for document in queue] == [True, False, True, True]
    assert await waiting(store) == []
    clock.now += timedelta(seconds=31)
    assert await waiting(store) == [queue[1]]
    await Worker(store, drawn).draw(asyncio.Event())
    assert await has_file(store, queue[1])


async def test_one_that_cannot_be_billed_is_parked_and_the_others_are_billed(
    due: tuple[Store, MovedClock],
) -> None:
    """Without billing details no document can be made: that subscription is parked, three are billed."""
    store, _ = due
    queue = await overdue(store)
    poor = BillingDetails(legal_name="Hooli")
    await store.run(queue[1].customer, change_billing_details, SYSTEM, poor)

    await Worker(store, drawn).bill(asyncio.Event())

    assert await overdue(store) == []
    assert [len(await drawings_of(store, each)) for each in queue] == [2, 1, 2, 2]


async def drawings_of(store: Store, customer: Reference) -> list[Reference]:
    return [document for document in await waiting(store) if document.customer == customer.customer]


async def test_one_that_fails_keeps_nobody_from_being_billed(due: tuple[Store, MovedClock]) -> None:
    """A subscription whose price is gone, which cannot happen, is parked with the fault; three are billed."""
    store, _ = due
    queue = await overdue(store)
    await store.run(queue[1].customer, lose_price)

    await Worker(store, drawn).bill(asyncio.Event())

    assert await overdue(store) == []
    assert await store.system(system.parked_subscriptions, after=None, limit=9) == [queue[1]]
    assert [len(await drawings_of(store, each)) for each in queue] == [2, 1, 2, 2]


def lose_price(tx: Tx) -> None:
    """Point the customer's subscription to a price that does not exist."""
    mine = subscription.c.customer_id == tx.customer
    tx.connection.execute(update(subscription).where(mine).values(price_id=tx.new_id()))


async def test_a_page_that_breaks_keeps_no_other_from_being_drawn(due: tuple[Store, MovedClock]) -> None:
    """A renderer that breaks as nobody foresaw: the other three are drawn, this one in the next round."""
    store, _ = due
    queue = await waiting(store)
    pages = 0

    async def breaks_at_the_second(view: str) -> bytes:
        nonlocal pages
        pages += 1
        if pages == 2:
            raise RuntimeError("nobody foresaw this")
        return await drawn(view)

    once = Worker(store, breaks_at_the_second)
    await once.draw(asyncio.Event())
    assert await waiting(store) == [queue[1]]
    await once.draw(asyncio.Event())
    assert await waiting(store) == []


@pytest.mark.parametrize("fault", [Busy(), RuntimeError("the look-up failed")])
async def test_a_round_that_fails_is_followed_by_another(
    due: tuple[Store, MovedClock], fault: Exception
) -> None:
    """When the database has no turn, or a look-up fails, the worker waits a little and goes on."""
    store, _ = due
    rounds: list[int] = []
    worked = Worker(store, drawn, pause_seconds=0.01)

    async def fails_at_first(_: asyncio.Event) -> None:
        rounds.append(1)
        if len(rounds) == 1:
            raise fault
        stop.set()

    stop = asyncio.Event()
    async with asyncio.timeout(10):
        await worked._repeat(fails_at_first, stop)

    assert len(rounds) == 2


async def test_stopping_does_not_wait_for_a_page_for_ever(
    due: tuple[Store, MovedClock], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page that never comes is left after the time for stopping; its document still waits."""
    store, _ = due
    monkeypatch.setattr(worker, "STOP_SECONDS_MAX", 0.05)
    begun, ended = asyncio.Event(), asyncio.Event()

    async def never(_: str) -> bytes:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        return b""

    async with asyncio.timeout(10):
        async with Worker(store, never).running():
            await begun.wait()

    assert ended.is_set()
    assert len(await waiting(store)) >= COUNT


async def test_two_workers_bill_nothing_twice(due: tuple[Store, MovedClock]) -> None:
    """Two at once over the same four renewals: each has one new invoice."""
    store, _ = due
    queue = await overdue(store)

    await asyncio.gather(*(Worker(store, drawn).bill(asyncio.Event()) for _ in range(2)))

    assert [len(await drawings_of(store, each)) for each in queue] == [2, 2, 2, 2]
