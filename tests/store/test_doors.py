"""The writing door: a unit is committed whole or not at all, in its turn, and waits no longer than it may."""

import asyncio
import logging
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from sqlalchemy import Connection, select, text, update
from sqlalchemy.exc import DBAPIError

from app.store import system
from app.store.engine import POSTGRES_WRITERS, DatabaseUrlWrong, open_store
from app.store.reference import Reference
from app.store.shield import StoreClosed
from app.store.transaction import Busy, DeploymentTx, Store, Tx
from tests.conftest import Clock
from tests.store import scratch

SHORT = timedelta(milliseconds=300)
BOUNDED_SECONDS = 5  # Far from both: the short wait of these stores, and the ten seconds of others.


async def shown(store: Store, customer: UUID) -> int:
    """What the customer's counter shows."""
    async with store.reads(customer) as scope:
        return await scope.run(scratch.count)


async def test_a_unit_that_returns_is_committed(counting: Store, customer: UUID) -> None:
    """What the unit returned reaches the caller, and what it wrote stays."""
    assert await counting.run(customer, scratch.count_up) == 1
    assert await shown(counting, customer) == 1


async def test_a_unit_that_raises_writes_nothing(counting: Store, customer: UUID) -> None:
    """The caller gets the unit's own exception, and the rows are as before."""

    def count_then_fail(tx: Tx) -> None:
        scratch.count_up(tx)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await counting.run(customer, count_then_fail)

    assert await shown(counting, customer) == 0


async def test_a_unit_may_answer_and_write_nothing(counting: Store, customer: UUID) -> None:
    """A refusal found after writing reaches the caller, and everything the unit wrote is gone."""

    def count_then_refuse(tx: Tx) -> str:
        scratch.count_up(tx)
        return tx.forget("refused")

    assert await counting.run(customer, count_then_refuse) == "refused"
    assert await shown(counting, customer) == 0
    assert await counting.run(customer, scratch.count_up) == 1


async def test_arguments_reach_the_unit(scratch_store: Store, customer: UUID) -> None:
    """A unit takes what it needs, by place and by name."""

    def told(tx: Tx, first: int, *, second: str) -> tuple[UUID, int, str]:
        return tx.customer, first, second

    assert await scratch_store.run(customer, told, 1, second="two") == (customer, 1, "two")


async def test_a_customer_has_a_clock(scratch_url: str, clock: Clock) -> None:
    """`wall` is the store's clock, `at` is ahead by the customer's offset; both stand still in a unit."""
    ahead = uuid4()

    def offset_of(_connection: Connection, customer: UUID, /, *, lock: bool) -> timedelta:
        assert lock
        return timedelta(days=30) if customer == ahead else timedelta(0)

    def instants(tx: Tx) -> tuple[datetime, datetime]:
        clock.advance(timedelta(seconds=1))
        return tx.wall, tx.at

    opened = open_store(scratch_url, clock=clock, offset_of=offset_of)
    start = clock.now
    assert await opened.run(ahead, instants) == (start, start + timedelta(days=30))
    assert await opened.run(uuid4(), instants) == (start + timedelta(seconds=1),) * 2
    await opened.close()


async def test_ids_of_a_unit_grow(scratch_store: Store, customer: UUID) -> None:
    """The ids a unit makes are in the order in which it made them."""
    made = await scratch_store.run(customer, lambda tx: [tx.new_id() for _ in range(100)])

    assert made == sorted(set(made))


async def test_the_deployment_has_a_door(scratch_store: Store) -> None:
    """Tables that no customer owns are written in one transaction too, and not when the unit raises."""

    def fail(tx: DeploymentTx) -> None:
        tx.connection.execute(scratch.file.insert().values(id=tx.new_id(), content="lost"))
        raise ZeroDivisionError

    def keep(tx: DeploymentTx) -> None:
        tx.connection.execute(scratch.file.insert().values(id=tx.new_id(), content="kept"))

    with pytest.raises(ZeroDivisionError):
        await scratch_store.deployment(fail)
    await scratch_store.deployment(keep)

    found = await scratch_store.deployment(
        lambda tx: tx.connection.execute(select(scratch.file.c.content)).all()
    )
    assert found == [("kept",)]


async def test_only_listed_look_ups_cross_customers(
    counting: Store, customer: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A function that is not on the list is refused; one that is may return references, and nothing else."""

    def owners(tx: DeploymentTx) -> list[Reference]:
        found = tx.connection.execute(select(scratch.counter.c.customer_id)).scalars()
        return [Reference(owner, owner) for owner in found]

    with pytest.raises(LookupError):
        await counting.system(owners)

    def rows(tx: DeploymentTx) -> list[Any]:
        return list(tx.connection.execute(select(scratch.counter)).all())

    monkeypatch.setattr(system, "LOOKUPS", set())
    listed, leaky = system.lookup(owners), system.lookup(rows)
    monkeypatch.setattr(counting, "_lookups", system.LOOKUPS)
    assert await counting.system(listed) == [Reference(customer, customer)]
    with pytest.raises(AssertionError, match="references only"):
        await counting.system(leaky)


async def test_a_store_answers_while_it_is_open(counting: Store, customer: UUID) -> None:
    """`ping` returns on an open store. A closed one lets nothing in, and says so."""
    await counting.ping()
    await counting.close()

    with pytest.raises(StoreClosed):
        await counting.ping()
    with pytest.raises(StoreClosed):
        await counting.run(customer, scratch.count_up)


@contextmanager
def file_locked(url: str) -> Iterator[None]:
    """Another connection holds the write lock of an SQLite file."""
    with sqlite3.connect(url.removeprefix("sqlite+aiosqlite:///"), isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")
    other.close()


@asynccontextmanager
async def row_locked(url: str) -> AsyncIterator[None]:
    """Another connection holds the lock of every counter on PostgreSQL."""
    host, database = url.partition("?host=")[2], url.partition("@/")[2].partition("?")[0]
    other = await asyncpg.connect(host=host, user="seatport", database=database)
    async with other.transaction():
        await other.execute("SELECT * FROM counter FOR UPDATE")
        yield
    await other.close()


@asynccontextmanager
async def locked(url: str) -> AsyncIterator[None]:
    """Another process holds what a unit needs to write."""
    if url.startswith("sqlite"):
        with file_locked(url):
            yield
    else:
        async with row_locked(url):
            yield


async def test_waiting_too_long_is_busy(
    counting: Store, customer: UUID, scratch_url: str, clock: Clock
) -> None:
    """While another process holds the lock, a unit and those behind it wait their time and are told Busy, and
    when to try again. None of them writes. When the lock is free, units run again.
    """
    impatient = open_store(scratch_url, clock=clock, offset_of=scratch.no_offset, wait_max=SHORT)
    loop = asyncio.get_running_loop()
    async with locked(scratch_url):
        start = loop.time()
        told = await asyncio.gather(
            *(impatient.run(customer, scratch.count_up) for _ in range(3)), return_exceptions=True
        )
        waited = loop.time() - start

    assert [type(answer) for answer in told] == [Busy] * 3
    assert all(isinstance(answer, Busy) and answer.retry_after_seconds > 0 for answer in told)
    assert "locked" not in str(told[0])
    assert SHORT.total_seconds() <= waited < BOUNDED_SECONDS
    assert await impatient.run(customer, scratch.count_up) == 1
    await impatient.close()


@pytest.mark.parametrize("engine_name", ["postgres"], indirect=True)
async def test_all_waits_together_have_one_bound(
    counting: Store, customer: UUID, scratch_url: str, clock: Clock
) -> None:
    """A unit that waited most of its time for a connection waits for a locked row only what is left of it."""

    def rest(tx: Tx) -> None:
        tx.connection.execute(text("SELECT pg_sleep(1.6)"))

    patience = timedelta(seconds=2)
    impatient = open_store(scratch_url, clock=clock, offset_of=scratch.no_offset, wait_max=patience)
    resting = [asyncio.create_task(impatient.run(uuid4(), rest)) for _ in range(POSTGRES_WRITERS)]
    await asyncio.sleep(0.1)
    loop = asyncio.get_running_loop()
    async with locked(scratch_url):
        start = loop.time()
        with pytest.raises(Busy):
            await impatient.run(customer, scratch.count_up)
        waited = loop.time() - start

    assert waited < patience.total_seconds() + 1.2
    await asyncio.gather(*resting)
    await impatient.close()


async def test_a_short_wait_is_not_noticed(counting: Store, customer: UUID, scratch_url: str) -> None:
    """A lock that another process holds for a moment delays a unit and does not fail it."""
    async with locked(scratch_url):
        waiting = asyncio.create_task(counting.run(customer, scratch.count_up))
        await asyncio.sleep(0.2)
        assert not waiting.done()

    assert await waiting == 1


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
async def test_units_have_their_turn(scratch_store: Store, customer: UUID) -> None:
    """Units of one process are let in first come, first served."""

    def note(tx: Tx, number: int) -> None:
        row = {"customer_id": tx.customer, "id": tx.new_id(), "key": str(number), "added": number}
        tx.connection.execute(scratch.ledger.insert().values(row))

    def notes(tx: Tx) -> list[int]:
        return list(tx.connection.execute(select(scratch.ledger.c.added).order_by(text("rowid"))).scalars())

    await asyncio.gather(*(scratch_store.run(customer, note, number) for number in range(50)))

    async with scratch_store.reads(customer) as scope:
        assert await scope.run(notes) == list(range(50))


@pytest.mark.parametrize("engine_name", ["postgres"], indirect=True)
async def test_a_deadlock_is_run_again(scratch_store: Store) -> None:
    """Two units that lock two rows in opposite order: PostgreSQL ends one of them, and it runs again from
    scratch. Both callers get their answer, and both rows show both effects.
    """
    first, second = sorted(uuid4() for _ in range(2))
    for customer in (first, second):
        await scratch_store.run(customer, scratch.start_counting)
    runs = []

    def both(tx: Tx, order: tuple[UUID, UUID]) -> None:
        tx.connection.execute(text("SET LOCAL deadlock_timeout = '50ms'"))
        for customer in order:
            own = scratch.counter.c.customer_id == customer
            more = scratch.counter.c.value + 1
            tx.connection.execute(update(scratch.counter).where(own).values(value=more))
            runs.extend([tx.customer] if customer == order[0] else [])
            while len(runs) < 2:  # Until the other one holds its first row too.
                tx.connection.execute(text("SELECT pg_sleep(0.01)"))

    await asyncio.gather(
        scratch_store.run(first, both, (first, second)), scratch_store.run(second, both, (second, first))
    )

    assert len(runs) == 3
    assert [await shown(scratch_store, customer) for customer in (first, second)] == [2, 2]


@pytest.mark.parametrize("engine_name", ["postgres"], indirect=True)
async def test_a_lost_connection_is_replaced(counting: Store, customer: UUID) -> None:
    """A restarted server has ended every idle connection; the next unit and the next read get new ones."""
    await counting.run(customer, scratch.count_up)
    assert await shown(counting, customer) == 1
    others = "pid <> pg_backend_pid() AND datname = current_database()"
    ended = text(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}")

    async with counting.reads(customer) as scope:
        await scope.run(lambda tx: tx.connection.execute(ended).all())
    assert await counting.run(customer, scratch.count_up) == 2

    await counting.deployment(lambda tx: tx.connection.execute(ended).all())
    assert await shown(counting, customer) == 2
    await counting.ping()


@pytest.mark.parametrize("engine_name", ["postgres"], indirect=True)
async def test_an_error_of_the_unit_is_not_run_again(counting: Store, customer: UUID) -> None:
    """A statement that is wrong fails once, in the database's words."""
    runs = []

    def wrong(tx: Tx) -> None:
        runs.append(1)
        tx.connection.execute(text("SELECT 1/0"))

    with pytest.raises(DBAPIError, match="division by zero"):
        await counting.run(customer, wrong)

    assert runs == [1]


async def test_closing_waits_for_units(
    counting: Store, customer: UUID, scratch_url: str, clock: Clock
) -> None:
    """A unit whose caller has gone is committed before the store is closed."""
    caller = asyncio.create_task(counting.run(customer, scratch.count_up))
    await asyncio.sleep(0)
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    await counting.close()

    again = open_store(scratch_url, clock=clock, offset_of=scratch.no_offset)
    assert await shown(again, customer) == 1
    await again.close()


async def test_a_failure_nobody_hears_is_logged(
    counting: Store, customer: UUID, caplog: pytest.LogCaptureFixture
) -> None:
    """When the caller has gone and the unit fails, the log has the reason."""

    def fail(tx: Tx) -> None:
        scratch.count(tx)
        raise ZeroDivisionError("nobody hears")

    caller = asyncio.create_task(counting.run(customer, fail))
    await asyncio.sleep(0)
    caller.cancel()
    with caplog.at_level(logging.WARNING), pytest.raises(asyncio.CancelledError):
        await caller
    await counting.close()

    assert "nobody hears" in caplog.text


@pytest.mark.parametrize(
    "url",
    [
        "mysql://root:hunter2@host/db",
        "sqlite+aiosqlite://",
        "sqlite+aiosqlite:///:memory:",
        "hunter2",
        "",
        "postgresql://",
    ],
)
def test_an_address_of_another_kind_is_refused(url: str, clock: Clock) -> None:
    """A URL that Seatport cannot use is refused with the forms it may have, and without its password."""
    with pytest.raises(DatabaseUrlWrong, match="PATH/TO/FILE") as wrong:
        open_store(url, clock=clock)

    assert "hunter2" not in str(wrong.value)


def test_an_address_without_a_driver_gets_ours(tmp_path: Path, clock: Clock) -> None:
    """`postgresql://` as hosts hand it out, and `sqlite:///`, are taken with the drivers Seatport uses."""
    assert open_store("postgres://me@host/db", clock=clock).writer.dialect.driver == "asyncpg"
    assert open_store(f"sqlite:///{tmp_path}/x.db", clock=clock).writer.dialect.driver == "aiosqlite"
