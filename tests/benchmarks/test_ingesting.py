"""How fast reports of seats are taken in, against the driver alone writing the same rows to the same tables,
with their keys, indexes and triggers.

In turns of ten batches: the application records them in one database, what it wrote is read out, and the
driver writes that to another. `EVENTS=10000` makes it shorter.
"""

from __future__ import annotations

import os
import random
import sqlite3
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import make_url

from app.billing.ledger import Holder
from app.billing.permissions import SYSTEM
from app.services.apply_catalog import apply_catalog
from app.services.record_batch import ITEMS_MAX, ItemRecorded, SeatItem, record_batch
from app.services.record_seats import SeatReport
from app.services.register_customer import NewCustomer, register_customer
from app.store.engine import open_store
from app.store.ids import new_id
from app.store.transaction import Store
from tests.benchmarks.measuring import engine_of, write
from tests.conftest import Clock, copied
from tests.services.catalogs import declared

EVENTS: Final = int(os.environ.get("EVENTS", "100000"))
TURN: Final = 10
BETWEEN: Final = timedelta(minutes=12)
LATE: Final = timedelta(hours=1)
SHARE_MIN: Final = 0.4
PRAGMAS: Final = ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON", "recursive_triggers = ON")
DATED: Final = {
    "seat_event": "recorded_at",
    "seat_holder": "held_since",
    "idempotency": "recorded_at",
    "audit": "recorded_at",
    "outbox": "created_at",
}
"""The tables that a batch adds rows to, and the column that tells which are new."""

Rows = dict[str, list[Any]]


@pytest.fixture
def other_url(
    engine_name: str, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[str]:
    """The address of a second migrated database on the same engine."""
    template = request.getfixturevalue(f"{engine_name}_template")
    yield from copied(template, tmp_path_factory.mktemp("other"), request)


class Driver(ABC):
    """A connection of the driver alone."""

    async def new_rows(self, seen: set[Any], since: datetime) -> Rows:
        """What a database has that was not seen before, by table; rows dated before an instant are old."""
        found: Rows = {}
        for table, dated in DATED.items():
            rows = await self.fetch(f'SELECT * FROM "{table}" WHERE {dated} >= {self.instant(since)}')
            found[table] = [row for row in rows if (table, *row[:3]) not in seen]
            seen |= {(table, *row[:3]) for row in found[table]}
        return found

    @abstractmethod
    def instant(self, at: datetime) -> str: ...

    @abstractmethod
    async def fetch(self, query: str) -> list[tuple[Any, ...]]: ...

    @abstractmethod
    async def insert(self, rows: Rows) -> None: ...

    @abstractmethod
    async def close(self) -> None: ...


class Sqlite(Driver):
    """Python's own `sqlite3`."""

    def __init__(self, url: str) -> None:
        self.connection = sqlite3.connect(make_url(url).database or "", isolation_level=None)
        for pragma in PRAGMAS:
            self.connection.execute(f"PRAGMA {pragma}")

    def instant(self, at: datetime) -> str:
        return str(int(at.timestamp()) * 1_000_000)

    async def fetch(self, query: str) -> list[tuple[Any, ...]]:
        return self.connection.execute(query).fetchall()

    async def insert(self, rows: Rows) -> None:
        self.connection.execute("BEGIN IMMEDIATE")
        for table, values in rows.items():
            if values:
                places = ", ".join("?" for _ in values[0])
                self.connection.executemany(f'INSERT INTO "{table}" VALUES ({places})', values)
        self.connection.execute("COMMIT")

    async def close(self) -> None:
        self.connection.close()


class Postgres(Driver):
    """`asyncpg`, by COPY."""

    def __init__(self, connection: asyncpg.Connection[Any]) -> None:
        self.connection = connection

    def instant(self, at: datetime) -> str:
        return f"'{at.isoformat()}'"

    async def fetch(self, query: str) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in await self.connection.fetch(query)]

    async def insert(self, rows: Rows) -> None:
        async with self.connection.transaction():
            for table, values in rows.items():
                await self.connection.copy_records_to_table(table, records=values)

    async def close(self) -> None:
        await self.connection.close()


async def driver(url: str) -> Driver:
    """The driver of the engine at an address."""
    if url.startswith("sqlite"):
        return Sqlite(url)
    return Postgres(await asyncpg.connect(url.replace("+asyncpg", "")))


@pytest.mark.parametrize("late_share", [0.0, 0.01])
async def test_ingesting_against_the_driver(
    database_url: str, other_url: str, clock: Clock, late_share: float
) -> None:
    """Events in batches of 1,000, half of them of people who come and go, a tenth of them totals; in order,
    or one in a hundred told up to an hour late: at least two fifths of the speed of the driver.
    """
    store, customer = await registered(database_url, clock)
    await (await registered(other_url, clock, customer))[0].close()
    mine, others = await driver(database_url), await driver(other_url)
    seen: set[Any] = set()
    await mine.new_rows(seen, clock.now - LATE)
    recorded = driven = 0.0
    chance, count = random.Random(4), EVENTS // ITEMS_MAX
    for first in range(0, count, TURN):
        began, written = clock.now - LATE, []
        for n in range(first, min(first + TURN, count)):
            clock.now += BETWEEN
            items = reports(chance, n, clock.now, late_share)
            recorded += await timed(record(store, customer, items))
            written.append(await mine.new_rows(seen, began))
        for rows in written:
            driven += await timed(others.insert(rows))
    for each in (store, mine, others):
        await each.close()
    engine, share = engine_of(database_url), driven / recorded
    write(f"\n{EVENTS:,} seat events in batches of {ITEMS_MAX:,}, {late_share:.0%} late, {engine}")
    write(f"  the driver, the same rows     1.00 x {EVENTS / driven:10,.0f} events a second")
    write(f"  recorded by the application   {share:.2f} x {EVENTS / recorded:10,.0f} events a second")
    assert share >= SHARE_MIN


async def registered(url: str, clock: Clock, customer: UUID | None = None) -> tuple[Store, UUID]:
    """A store with a customer in it."""
    store, customer = open_store(url, clock=clock), customer or new_id(clock.now)
    await store.deployment(apply_catalog, declared())
    await store.run(customer, register_customer, SYSTEM, NewCustomer("bulk", "Bulk", "USD", "UTC"))
    return store, customer


def reports(chance: random.Random, batch: int, now: datetime, late_share: float) -> list[SeatItem]:
    """What happened since the last batch: 100 totals, 400 seats taken or given back by nobody in particular,
    and 250 people who come while 250 others go.
    """
    apart = BETWEEN / (ITEMS_MAX + 1)
    items = []
    for i in range(ITEMS_MAX):
        at = now - BETWEEN + apart * (i + 1)
        if chance.random() < late_share:
            at -= LATE * chance.random()
        turn = i % 10
        if turn == 0:
            report = SeatReport("editor", total=10_000 + chance.randint(0, 99), effective_at=at)
        elif turn < 5:
            report = SeatReport("editor", added=3, effective_at=at)
        elif turn % 2 or not batch:
            report = SeatReport("editor", added=1, holder=Holder(f"{batch}-{i}"), effective_at=at)
        else:
            report = SeatReport("editor", removed=1, holder=Holder(f"{batch - 1}-{i - 1}"), effective_at=at)
        items.append(SeatItem(f"{batch}-{i}", report))
    return items


async def record(store: Store, customer: UUID, items: list[SeatItem]) -> None:
    """All of them are recorded."""
    results = await store.run(customer, record_batch, SYSTEM, items)
    refused = [result for result in results if not isinstance(result, ItemRecorded)]
    assert not refused, refused[:3]


async def timed(work: Any) -> float:
    """Seconds that something takes."""
    start = time.perf_counter()
    await work
    return time.perf_counter() - start
