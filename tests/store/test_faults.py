"""Three faults that a billing system can have for years: each is played in its faulty form, which shows it,
and beside it the real thing, which does not have it. The first, updates that are lost by the driver's own
transactions, is in test_processes.py.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from random import Random
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Connection, func, insert, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from app.billing.permissions import SYSTEM
from app.services.record_seats import SeatReport, SeatsRecorded, record_seats
from app.store import saving, seats
from app.store.sheet import Sheet
from app.store.tables import number
from app.store.transaction import Store, Tx
from tests.api import world
from tests.conftest import Clock

AT_ONCE = 12
REPORTS = 60
SEED = 20_260_416


def numbered(tx: Tx) -> int:
    """The next number of a series, as documents get theirs."""
    sheet, document = Sheet(), tx.new_id()
    sheet.number("TEST", document)
    return saving.save(tx.connection, sheet)[document].sequence


def taken(connection: Connection) -> list[int]:
    """The numbers of the series."""
    query = select(number.c.value).where(number.c.series == "TEST")
    return sorted(connection.execute(query).scalars())


async def test_numbers_neither_collide_nor_leave_gaps(store: Store) -> None:
    """Twelve customers take a number at once, and a thirteenth gives up after taking one: 1 to 12."""

    def gives_up(tx: Tx) -> None:
        numbered(tx)
        raise ZeroDivisionError

    await asyncio.gather(
        *(store.run(uuid4(), numbered) for _ in range(AT_ONCE)),
        store.run(uuid4(), gives_up),
        return_exceptions=True,
    )

    assert await store.deployment(lambda tx: taken(tx.connection)) == list(range(1, AT_ONCE + 1))


def largest(connection: Connection) -> int:
    """Half of the fault: the largest number so far."""
    query = select(func.coalesce(func.max(number.c.value), 0)).where(number.c.series == "TEST")
    return int(connection.execute(query).scalar_one())


def take(connection: Connection, value: int) -> None:
    """The other half: the one after it."""
    row = {"series": "TEST", "value": value + 1, "document_id": uuid4()}
    connection.execute(insert(number).values(row))


async def test_the_largest_number_plus_one_collides(store: Store, database_url: str) -> None:
    """The same with `max() + 1` under the driver's own transactions: of two who read before one of them
    wrote, one ends in the rule that a number is unique; without that, two documents would have one number.
    """
    await store.close()
    engine = create_async_engine(database_url)
    both_read = asyncio.Barrier(2)

    async def numbered_badly() -> None:
        async with engine.connect() as connection:
            seen = await connection.run_sync(largest)
            await both_read.wait()
            await connection.run_sync(take, seen)
            await connection.commit()

    told = await asyncio.gather(numbered_badly(), numbered_badly(), return_exceptions=True)

    assert [type(answer) for answer in told if answer is not None] == [IntegrityError]
    assert await numbers_of(engine) == [1]
    await engine.dispose()


async def numbers_of(engine: AsyncEngine) -> list[int]:
    """The numbers of the series, by a connection of its own."""
    async with engine.connect() as connection:
        return await connection.run_sync(taken)


class Reports:
    """Sixty reports of seats in use: most of now, some told late, some a total. What the balance was at an
    instant follows from all that is known, in the order in which it took effect.
    """

    def __init__(self, start: datetime, *, late: bool) -> None:
        random = Random(SEED)
        self.told = [start + timedelta(hours=8 + hour) for hour in range(REPORTS)]
        self.effective = [
            at - timedelta(hours=random.randrange(1, 8)) if late and random.random() < 0.3 else at
            for at in self.told
        ]
        self.added = [random.randrange(1, 4) for _ in range(REPORTS)]

    def balance(self, at: datetime, opening: int) -> int:
        """The fold."""
        known = zip(self.effective, self.added, strict=True)
        return opening + sum(added for effective, added in known if effective <= at)


def naive_append(at: datetime, added: int) -> Callable[[Tx], None]:
    """The fault: each row keeps the balance after it, which is the last row's plus its own."""

    def append(tx: Tx) -> None:
        before = tx.connection.execute(text("SELECT balance FROM naive ORDER BY n DESC LIMIT 1")).scalar()
        n = tx.connection.execute(text("SELECT count(*) FROM naive")).scalar_one()
        values = {"n": n, "at": int(at.timestamp()), "added": added, "balance": (before or 0) + added}
        tx.connection.execute(text("INSERT INTO naive VALUES (:n, :at, :added, :balance)"), values)

    return append


def naive_balance(tx: Tx, at: datetime) -> int:
    """The balance that the last row until an instant keeps."""
    query = text("SELECT balance FROM naive WHERE at <= :at ORDER BY at DESC, n DESC LIMIT 1")
    return int(tx.connection.execute(query, {"at": int(at.timestamp())}).scalar() or 0)


@pytest.mark.parametrize("told", ["in time", "late"])
async def test_a_running_balance_drifts(
    scratch_store: Store, customer: UUID, clock: Clock, told: str
) -> None:
    """A balance kept in each row is right while everything is told in time, and wrong as soon as something is
    told late.
    """
    create = "CREATE TABLE naive (n INTEGER, at BIGINT, added BIGINT, balance BIGINT)"
    await scratch_store.deployment(lambda tx: tx.connection.exec_driver_sql(create))
    reports = Reports(clock(), late=told == "late")
    for at, added in zip(reports.effective, reports.added, strict=True):
        await scratch_store.run(customer, naive_append(at, added))

    async with scratch_store.reads(customer) as scope:
        shown = [await scope.run(naive_balance, at) for at in reports.told]

    wrong = sum(a != b for a, b in zip(shown, (reports.balance(at, 0) for at in reports.told), strict=True))
    assert (wrong > 0) == (told == "late")


async def test_a_balance_from_the_ledger_does_not(store: Store, clock: Clock) -> None:
    """The same reports through the service: the balance of every instant is that of the fold, and so is the
    level that is kept beside the ledger.
    """
    lived = await world.live(store, clock)
    clock.now = world.NOON
    reports = Reports(clock.now, late=True)
    async with store.reads(lived.acme) as scope:
        opening = (await scope.run(seats.levels))[world.EDITOR.code].in_use
    for told, at, added in zip(reports.told, reports.effective, reports.added, strict=True):
        clock.now = told
        report = SeatReport("editor", added=added, effective_at=at)
        assert isinstance(await store.run(lived.acme, record_seats, SYSTEM, report), SeatsRecorded)

    async with store.reads(lived.acme) as scope:
        shown = [(await scope.run(seats.levels_at, at))[world.EDITOR.code].in_use for at in reports.told]
        level = (await scope.run(seats.levels))[world.EDITOR.code].in_use
    assert shown == [reports.balance(at, opening) for at in reports.told]
    assert level == shown[-1]
