"""What another one holds for too long ends in Busy with a time to come back, never in the database's words;
what the database gave up for the sake of another transaction is run again.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import DBAPIError

from app.store.engine import open_store
from app.store.transaction import Busy, Store, Tx
from tests.conftest import Clock
from tests.store import scratch

SHORT = timedelta(milliseconds=300)
AT_ONCE = 6


@contextmanager
def closed_off(url: str) -> Iterator[None]:
    """Another program holds the whole SQLite file, against readers too."""
    with closing(sqlite3.connect(url.removeprefix("sqlite+aiosqlite:///"), isolation_level=None)) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        other.execute("CREATE TABLE held (id INTEGER)")
        yield


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
async def test_a_read_of_a_file_that_is_held_is_busy(counting: Store, scratch_url: str, clock: Clock) -> None:
    """Readers of a file that another program holds for itself are told Busy, too, by every door."""
    await counting.close()
    impatient = open_store(scratch_url, clock=clock, offset_of=scratch.no_offset, wait_max=SHORT)
    with closed_off(scratch_url):
        with pytest.raises(Busy) as told:
            await impatient.ping()
        with pytest.raises(Busy):
            async with impatient.reads(UUID(int=1)) as scope:
                await scope.run(scratch.count)
        with pytest.raises(Busy):
            await impatient.run(UUID(int=1), scratch.count_up)
    await impatient.close()

    assert told.value.retry_after_seconds > 0


@pytest.mark.parametrize("engine_name", ["postgres"], indirect=True)
async def test_a_statement_that_takes_too_long_is_busy(counting: Store, customer: UUID) -> None:
    """A statement that PostgreSQL cancels for its length is told as Busy, of a unit and of a read, and the
    unit wrote nothing.
    """

    def dawdle(tx: Tx) -> None:
        scratch.count_up(tx)
        tx.connection.execute(text("SET LOCAL statement_timeout = '50ms'"))
        tx.connection.execute(text("SELECT pg_sleep(5)"))

    def gaze(tx: Tx) -> None:
        tx.connection.execute(text("SET LOCAL statement_timeout = '50ms'"))
        tx.connection.execute(text("SELECT pg_sleep(5)"))

    with pytest.raises(Busy) as told:
        await counting.run(customer, dawdle)
    async with counting.reads(customer) as scope:
        with pytest.raises(Busy):
            await scope.run(gaze)

    assert told.value.retry_after_seconds > 0
    async with counting.reads(customer) as scope:
        assert await scope.run(scratch.count) == 0


@pytest.mark.parametrize("engine_name", ["postgres"], indirect=True)
async def test_a_serialisation_failure_is_run_again(
    counting: Store, customer: UUID, scratch_url: str, clock: Clock
) -> None:
    """At the strictest isolation PostgreSQL refuses transactions that read what another one changed: each is
    run again until all six are counted. Without the store's retry the same units fail.
    """
    strict = open_store(scratch_url, clock=clock, offset_of=scratch.no_offset)
    strict.writer = strict.writer.execution_options(isolation_level="SERIALIZABLE")
    runs: list[int] = []
    together = asyncio.Barrier(2)

    def count_up_unlocked(tx: Tx) -> int:
        own = scratch.counter.c.customer_id == customer
        seen = tx.connection.execute(select(scratch.counter.c.value).where(own)).scalar_one()
        runs.append(seen)
        tx.connection.execute(text("SELECT pg_sleep(0.05)"))
        tx.connection.execute(update(scratch.counter).where(own).values(value=seen + 1))
        return int(seen) + 1

    counted = await asyncio.gather(*(strict.run(customer, count_up_unlocked) for _ in range(AT_ONCE)))

    assert sorted(counted) == list(range(1, AT_ONCE + 1))
    assert len(runs) > AT_ONCE, "some had to run again"

    async def once() -> None:
        async with strict.writer.connect() as connection:
            await together.wait()
            await connection.run_sync(lambda sync: count_up_unlocked(Tx(sync, clock(), customer, clock())))
            await connection.commit()

    told = await asyncio.gather(once(), once(), return_exceptions=True)
    failed = [error for error in told if isinstance(error, DBAPIError)]
    assert [getattr(error.orig, "sqlstate", None) for error in failed] == ["40001"]
    await strict.close()
