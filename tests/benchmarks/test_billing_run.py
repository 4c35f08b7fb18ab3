"""The billing run against the driver alone writing the same rows to the same tables, with their keys, indexes
and triggers, in transactions as long as the run's own.

The run bills one database, in a process of its own; what it wrote is read out, and the driver writes that to
a copy from before. Both are timed there and then. `SUBSCRIPTIONS=20000` makes it shorter.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest

from app.services.billing_run import BATCH
from app.services.demo.stage import MovedClock
from app.store.engine import open_store
from app.store.transaction import Store
from tests.benchmarks.measuring import engine_of, write
from tests.benchmarks.one_run import in_process
from tests.benchmarks.test_ingesting import Difference, Driver, Row, driver
from tests.crowds import due_crowd

FIRST: Final = 10_000
LAST: Final = max(FIRST, int(os.environ.get("SUBSCRIPTIONS", "100000")))
SHARE_MIN: Final = 0.12
"""A guard against falling back, for a busy machine too. The aim is 0.25; most of the time goes into deciding
and composing."""

GROWTH_MAX: Final = 1.5
MEGABYTES_MAX: Final = 300

NOW: Final = datetime(2026, 8, 23, 13, 45, tzinfo=UTC)
Rows = dict[str, list[Row]]

OF_DOCUMENTS: Final = "document_id IN (SELECT id FROM document WHERE recorded_at >= {now})"
WRITTEN: Final = {
    "document": "recorded_at >= {now}",
    "document_view": OF_DOCUMENTS,
    "render_job": OF_DOCUMENTS,
    "number": OF_DOCUMENTS,
    "receivable": OF_DOCUMENTS.replace("document_id", "invoice_id"),
    "billing_line": "recorded_at >= {now}",
    "segment": "recorded_at >= {now}",
    "outbox": "created_at >= {now}",
    "audit": "recorded_at >= {now}",
}
"""The tables that a run of renewals inserts into, parents first, and which rows are its own."""


class Copies:
    """Two databases with the same crowd in them."""

    def __init__(self, folder: Path, request: pytest.FixtureRequest, engine_name: str) -> None:
        self.folder, self.request, self.engine = folder, request, engine_name

    def of(self, template: str) -> str:
        """The address of a new copy of a database, that nobody is connected to."""
        if self.engine == "sqlite":
            file = self.folder / f"{time.monotonic_ns()}.db"
            shutil.copyfile(template.partition(":///")[2], file)
            return f"sqlite+aiosqlite:///{file}"
        server = self.request.getfixturevalue("postgres_server")
        return str(server.url(server.create(template.partition("@/")[2].partition("?")[0])))


@pytest.fixture
def copies(tmp_path: Path, request: pytest.FixtureRequest, engine_name: str) -> Copies:
    """Makes copies of databases of the test."""
    return Copies(tmp_path, request, engine_name)


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[tuple[Store, MovedClock]]:
    """A store at the instant of the run."""
    clock = MovedClock(NOW)
    store = open_store(url, clock=clock)
    try:
        yield store, clock
    finally:
        await store.close()


async def written(url: str) -> tuple[list[Rows], int]:
    """What the run wrote, in pieces of as many customers as it has in a batch; and how many rows."""
    alone = await driver(url)
    try:
        found = {
            table: await alone.fetch(f'SELECT * FROM "{table}" WHERE {which.format(now=alone.instant(NOW))}')
            for table, which in WRITTEN.items()
        }
    finally:
        await alone.close()
    owners = {row[1]: row[0] for row in found["document"]}  # customer_id, id, …
    by_owner: dict[Any, Rows] = {}
    for table, rows in found.items():
        for row in rows:
            owner = owners[row[2]] if table == "number" else row[0]
            by_owner.setdefault(owner, {name: [] for name in WRITTEN})[table].append(row)
    return list(pieces(list(by_owner.values()))), sum(map(len, found.values()))


def pieces(customers: list[Rows]) -> Iterator[Rows]:
    """The rows of so many customers together."""
    for first in range(0, len(customers), BATCH):
        some = customers[first : first + BATCH]
        yield {table: [row for rows in some for row in rows[table]] for table in WRITTEN}


async def driver_seconds(url: str, parts: list[Rows]) -> float:
    """How long the driver alone takes to write the same."""
    alone: Driver = await driver(url)
    try:
        start = time.perf_counter()
        for part in parts:
            await alone.apply(Difference(new=part, gone={}))
        return time.perf_counter() - start
    finally:
        await alone.close()


async def measured(url: str, copies: Copies, count: int) -> tuple[float, float]:
    """Seconds for one subscription: of the run, and of the driver alone."""
    async with opened(url) as (store, clock):
        await due_crowd(store, clock, NOW, count)
    other = copies.of(url)
    run = await in_process(url, NOW)
    assert (run.claimed, run.billed) == (count, count)
    parts, rows = await written(url)
    alone = await driver_seconds(other, parts)
    write(
        f"  {count:>7,} subscriptions, {rows:>9,} rows: {count / run.seconds:8,.0f} a second, "
        f"the driver {count / alone:8,.0f}: {alone / run.seconds:.2f} of it; {run.megabytes} MB"
    )
    assert run.megabytes < MEGABYTES_MAX
    return run.seconds / count, alone / count


async def test_billing_against_the_driver_alone(database_url: str, copies: Copies) -> None:
    """What share of the driver's own speed the run has; as fast for a hundred thousand as for ten thousand,
    and in less than 300 MB.
    """
    write(f"\nbilling run, {engine_of(database_url)}, batches of {BATCH}")
    fresh = copies.of(database_url)
    few, few_alone = await measured(database_url, copies, FIRST)
    shares = [few_alone / few]
    if LAST > FIRST:
        many, many_alone = await measured(fresh, copies, LAST)
        shares.append(many_alone / many)
        assert many / few < GROWTH_MAX * max(1, many_alone / few_alone), "no more for one among many"
    assert min(shares) > SHARE_MIN, shares
