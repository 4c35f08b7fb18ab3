"""Idempotency keys are kept thirty days, and forgotten in small steps."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import event, select

from app.services.forget_keys import KEPT_FOR, STEP, forget_keys
from app.services.register_customer import NewCustomer, register_customer
from app.store.commits import Outcome, record_outcome
from app.store.tables import idempotency
from app.store.transaction import Store, Tx
from app.worker import Worker
from tests.conftest import Clock
from tests.portal import VENDOR

A_MOMENT = timedelta(microseconds=1)


def use(tx: Tx, *keys: str) -> None:
    """Remember that each key did something."""
    for key in keys:
        record_outcome(tx, "changePlan", key, Outcome("0" * 64, {"invoice": None}))


def keys(tx: Tx) -> list[str]:
    """The keys of the customer that are remembered."""
    mine = select(idempotency.c.key).where(idempotency.c.customer_id == tx.customer)
    return list(tx.connection.execute(mine.order_by(idempotency.c.key)).scalars())


async def registered(store: Store, reference: str) -> UUID:
    """A customer without anything."""
    customer = uuid4()
    await store.run(customer, register_customer, VENDOR, NewCustomer(reference, reference, "USD", "UTC"))
    return customer


async def remembered(store: Store, customer: UUID) -> list[str]:
    """The keys of a customer."""
    async with store.reads(customer) as scope:
        return await scope.run(keys)


async def unused(_view: str) -> bytes:
    """Nothing is rendered here."""
    raise AssertionError


async def test_only_keys_older_than_thirty_days_are_forgotten(store: Store, clock: Clock) -> None:
    """A key of thirty days and a moment goes; one of exactly thirty days, and a younger one, stay."""
    acme, globex = [await registered(store, name) for name in ("acme", "globex")]
    await store.run(acme, use, "old")
    await store.run(globex, use, "old too")
    clock.advance(A_MOMENT)
    await store.run(acme, use, "just not")
    clock.advance(KEPT_FOR)
    await store.run(globex, use, "new")

    await Worker(store, unused).forget(asyncio.Event())

    assert await remembered(store, acme) == ["just not"]
    assert await remembered(store, globex) == ["new"]
    assert await store.run(acme, forget_keys) == 0


async def test_many_are_forgotten_in_small_steps(store: Store, clock: Clock) -> None:
    """Twelve hundred keys: no transaction takes more than five hundred, and all go."""
    acme = await registered(store, "acme")
    await store.run(acme, use, *(f"key {n:04}" for n in range(1200)))
    clock.advance(KEPT_FOR + A_MOMENT)
    deleted: list[int] = []

    @event.listens_for(store.writer.sync_engine, "after_cursor_execute")
    def count(_c: object, cursor: Any, statement: str, *_: object) -> None:
        if statement.startswith("DELETE FROM idempotency"):
            deleted.append(cursor.rowcount)

    await Worker(store, unused).forget(asyncio.Event())

    assert deleted == [STEP, STEP, 1200 - 2 * STEP]
    assert await remembered(store, acme) == []


async def test_the_worker_stops_between_two_steps(store: Store, clock: Clock) -> None:
    """Told to stop it begins no further step; the next round takes up what is left."""
    acme = await registered(store, "acme")
    await store.run(acme, use, "old")
    clock.advance(KEPT_FOR + A_MOMENT)
    stop = asyncio.Event()
    stop.set()

    await Worker(store, unused).forget(stop)
    assert await remembered(store, acme) == ["old"]

    await Worker(store, unused).forget(asyncio.Event())
    assert await remembered(store, acme) == []


async def test_the_oldest_go_first(store: Store, clock: Clock) -> None:
    """What a step does not come to is the younger part."""
    acme = await registered(store, "acme")
    for name in ("c", "a", "b"):
        await store.run(acme, use, name)
        clock.advance(timedelta(minutes=1))
    clock.advance(KEPT_FOR)

    assert await store.run(acme, forget_keys, step=2) == 2
    assert await remembered(store, acme) == ["b"]
