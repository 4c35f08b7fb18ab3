"""How fast reports of seats are taken in, against the driver alone writing the same rows to the same tables,
with their keys, indexes and triggers.

In turns: the application records a batch in one database, what it wrote is read out, and the driver does that
to another. What counts is the ratio of their medians. `EVENTS=10000` makes it shorter.
"""

from __future__ import annotations

import os
import random
import sqlite3
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Any, Final
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import make_url

from app.billing.ledger import Holder
from app.billing.permissions import SYSTEM
from app.main import settle_garbage_collector
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
BETWEEN: Final = timedelta(minutes=12)
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
LATE: Final = timedelta(hours=1)
SHARE_MIN: Final = 0.4
PRAGMAS: Final = ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON", "recursive_triggers = ON")
LEDGERS: Final = {"seat_event": "recorded_at", "idempotency": "recorded_at", "audit": "recorded_at",
                 "outbox": "created_at"}  # fmt: skip
"""The tables that a batch adds rows to, and the column that tells which are new."""

LEVELS: Final = {
    "seat_holder": ("customer_id", "metric", "holder"),
    "seat_level": ("customer_id", "metric", "kind"),
    "seat_checkpoint": ("customer_id", "metric", "kind", "from_at", "from_id"),
}
"""The tables in which it changes rows too, by their keys."""

Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """What makes one state of the tables of another: rows to take away, by their keys, and rows to insert."""

    gone: dict[str, list[Row]]
    new: dict[str, list[Row]]


@pytest.fixture
def other_url(
    engine_name: str, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[str]:
    """The address of a second migrated database on the same engine."""
    template = request.getfixturevalue(f"{engine_name}_template")
    yield from copied(template, tmp_path_factory.mktemp("other"), request)


class Driver(ABC):
    """A connection of the driver alone. Remembers the rows that it has read."""

    def __init__(self) -> None:
        self.known: dict[str, dict[Row, Row]] = {table: {} for table in LEVELS}

    async def difference(self, since: datetime) -> Difference:
        """What was written since it was asked last: rows of ledgers are dated after an instant."""
        found = Difference({}, {})
        for table, dated in LEDGERS.items():
            found.new[table] = await self.fetch(
                f'SELECT * FROM "{table}" WHERE {dated} > {self.instant(since)}'
            )
        for table, key in LEVELS.items():
            rows = {row[: len(key)]: row for row in await self.fetch(f'SELECT * FROM "{table}"')}
            known = self.known[table]
            found.gone[table] = [of for of, row in known.items() if rows.get(of) != row]
            found.new[table] = [row for of, row in rows.items() if known.get(of) != row]
            self.known[table] = rows
        return found

    @abstractmethod
    def instant(self, at: datetime) -> str: ...

    @abstractmethod
    async def fetch(self, query: str) -> list[Row]: ...

    @abstractmethod
    async def apply(self, difference: Difference) -> None: ...

    @abstractmethod
    async def close(self) -> None: ...


class Sqlite(Driver):
    """Python's own `sqlite3`."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.connection = sqlite3.connect(make_url(url).database or "", isolation_level=None)
        for pragma in PRAGMAS:
            self.connection.execute(f"PRAGMA {pragma}")

    def instant(self, at: datetime) -> str:
        return str((at - EPOCH) // timedelta(microseconds=1))

    async def fetch(self, query: str) -> list[Row]:
        return self.connection.execute(query).fetchall()

    async def apply(self, difference: Difference) -> None:
        self.connection.execute("BEGIN IMMEDIATE")
        for table, keys in difference.gone.items():
            these = " AND ".join(f"{column} = ?" for column in LEVELS[table])
            self.connection.executemany(f'DELETE FROM "{table}" WHERE {these}', keys)
        for table, rows in difference.new.items():
            if rows:
                places = ", ".join("?" for _ in rows[0])
                self.connection.executemany(f'INSERT INTO "{table}" VALUES ({places})', rows)
        self.connection.execute("COMMIT")

    async def close(self) -> None:
        self.connection.close()


class Postgres(Driver):
    """`asyncpg`: rows by COPY."""

    def __init__(self, connection: asyncpg.Connection[Any]) -> None:
        super().__init__()
        self.connection = connection

    def instant(self, at: datetime) -> str:
        return f"'{at.isoformat()}'"

    async def fetch(self, query: str) -> list[Row]:
        return [tuple(row) for row in await self.connection.fetch(query)]

    async def apply(self, difference: Difference) -> None:
        async with self.connection.transaction():
            for table, keys in difference.gone.items():
                these = " AND ".join(f"{column} = ${n + 1}" for n, column in enumerate(LEVELS[table]))
                await self.connection.executemany(f'DELETE FROM "{table}" WHERE {these}', keys)
            for table, rows in difference.new.items():
                await self.connection.copy_records_to_table(table, records=rows)

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
    """Events in batches of 1,000, half of them of people who come and go, a tenth of them totals: at least
    two fifths of the speed of the driver. That with one in a hundred told up to an hour late is only printed.
    """
    store, customer = await registered(database_url, clock)
    await (await registered(other_url, clock, customer))[0].close()
    mine, others = await driver(database_url), await driver(other_url)
    recorded, driven = [], []
    chance = random.Random(4)
    settle_garbage_collector()
    for batch in range(EVENTS // ITEMS_MAX):
        began, clock.now = clock.now, clock.now + BETWEEN
        items = reports(chance, batch, clock.now, late_share)
        recorded.append(await timed(record(store, customer, items)))
        driven.append(await timed(others.apply(await mine.difference(began))))
    for each in (store, mine, others):
        await each.close()
    engine, share = engine_of(database_url), median(driven) / median(recorded)
    write(f"\n{EVENTS:,} seat events in batches of {ITEMS_MAX:,}, {late_share:.0%} late, {engine}")
    write(f"  the driver, the same rows     1.00 x {ITEMS_MAX / median(driven):10,.0f} events a second")
    write(
        f"  recorded by the application   {share:.2f} x {ITEMS_MAX / median(recorded):10,.0f} events a second"
    )
    assert late_share or share >= SHARE_MIN


async def registered(
    url: str, clock: Clock, customer: UUID | None = None, reference: str = "bulk"
) -> tuple[Store, UUID]:
    """A store with a customer in it."""
    store, customer = open_store(url, clock=clock), customer or new_id(clock.now)
    await store.deployment(apply_catalog, declared())
    await store.run(customer, register_customer, SYSTEM, NewCustomer(reference, "Bulk", "USD", "UTC"))
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
