"""Requests cancelled in mid-flight: the database still answers and writes, and no effect is half done."""

import asyncio
import random
import sys
import time
from uuid import UUID

import pytest
from sqlalchemy import AsyncAdaptedQueuePool

from app.store.engine import open_store
from app.store.transaction import Store, Tx
from tests.conftest import Clock
from tests.store import scratch

CANCELLED = 150
WRITE_SECONDS_MAX = 1.0


async def request(store: Store, customer: UUID, begun: list[str]) -> None:
    """What a mutation does: read, write, read again what is now."""
    async with store.reads(customer) as scope:
        await asyncio.gather(scope.run(scratch.count), scope.run(scratch.seen))
        await store.run(customer, count_and_append, begun)
        await scope.renew()
        await scope.run(scratch.seen)


def count_and_append(tx: Tx, begun: list[str]) -> None:
    """Several statements in one unit: the counter shows one more, and the ledger has two more rows."""
    key = str(tx.new_id())
    begun.append(key)
    scratch.count_up(tx)
    scratch.append_pair(tx, key)


@pytest.mark.parametrize("at_once", [False, True], ids=["one-by-one", "all-at-once"])
async def test_cancelled_requests_leave_the_store_whole(
    counting: Store, customer: UUID, scratch_url: str, clock: Clock, *, at_once: bool
) -> None:
    """150 requests cancelled at random moments, one after the other or all at once: then a write is committed
    within a second, every unit that had begun is committed whole, and no connection is left out.
    """
    seed = random.randrange(10**9)
    chance = random.Random(seed)
    begun: list[str] = []
    usual = await seconds_of(counting, customer, begun)

    async def cut_off() -> bool:
        task = asyncio.create_task(request(counting, customer, begun))
        await asyncio.sleep(chance.uniform(0, usual * (CANCELLED if at_once else 1)))
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return task.cancelled()

    sys.stdout.write(f"seed {seed}\n")
    if at_once:
        cut = await asyncio.gather(*(cut_off() for _ in range(CANCELLED)))
    else:
        cut = [await cut_off() for _ in range(CANCELLED)]
    assert sum(cut) > CANCELLED // 10, "many were cut off before their end"

    start = time.monotonic()
    async with asyncio.timeout(10):
        await counting.run(customer, count_and_append, begun)
    # Of requests that came all at once, the units that had begun are done first.
    assert time.monotonic() - start < WRITE_SECONDS_MAX + usual * (CANCELLED if at_once else 0)

    pools = [counting.writer.pool, counting.reader.pool]
    await counting.close()
    assert [pool.checkedout() for pool in pools if isinstance(pool, AsyncAdaptedQueuePool)] == [0, 0]
    again = open_store(scratch_url, clock=clock, offset_of=scratch.no_offset)
    async with again.reads(customer) as scope:
        assert await scope.run(scratch.count) == len(begun) > 3
        assert await scope.run(scratch.seen) == (2 * len(begun), 0)
    await again.close()


async def seconds_of(store: Store, customer: UUID, begun: list[str]) -> float:
    """How long one request takes when nobody cuts it off."""
    await request(store, customer, begun)
    start = time.monotonic()
    await request(store, customer, begun)
    return time.monotonic() - start


async def test_a_cancelled_unit_is_done_once_begun(counting: Store, customer: UUID) -> None:
    """A caller cancelled while its unit is at work gets the cancellation at once, and the unit its commit."""
    begun = asyncio.Event()

    def count(tx: Tx) -> None:
        begun.set()
        scratch.count_up(tx)

    caller = asyncio.create_task(counting.run(customer, count))
    await begun.wait()
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller

    assert await counting.run(customer, scratch.count_up) == 2
