"""The reading scope: all of a request is of one state, and nothing can be written through it."""

import asyncio
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy.exc import DBAPIError

from app.store.engine import SQLITE_READERS, open_store
from app.store.shield import StoreClosed
from app.store.transaction import Busy, Store
from tests.conftest import Clock
from tests.store import scratch
from tests.store.workers import answers, started

ANSWERS = 500


async def torn(store: Store, customer: UUID, *, scopes: int) -> bool:
    """Whether the eight reads of any of 500 answers disagree, while another process commits."""
    for _ in range(ANSWERS):
        reads = []
        for _ in range(scopes):
            async with store.reads(customer) as scope:
                reads += await asyncio.gather(*(scope.run(scratch.seen) for _ in range(8 // scopes)))
        assert [balance for _, balance in reads] == [0] * 8
        if len(set(reads)) > 1:
            return True
    return False


async def test_an_answer_is_of_one_state(scratch_store: Store, customer: UUID, scratch_url: str) -> None:
    """Eight reads of one scope agree in all of 500 answers while another process commits all the time."""
    with started(1, "append", scratch_url, str(customer)) as workers:
        assert not await torn(scratch_store, customer, scopes=1)
        assert answers(workers) > ANSWERS // 10


async def test_a_scope_for_each_read_mixes_states(
    scratch_store: Store, customer: UUID, scratch_url: str
) -> None:
    """The same with eight scopes sees two states in some answers. So the test above can fail."""
    with started(1, "append", scratch_url, str(customer)):
        assert await torn(scratch_store, customer, scopes=8)


async def test_a_scope_sees_its_own_write_after_renewal(counting: Store, customer: UUID) -> None:
    """What the request wrote meanwhile is not seen, and is seen as soon as the scope is renewed."""
    async with counting.reads(customer) as scope:
        before = await scope.run(scratch.count)
        await counting.run(customer, scratch.count_up)
        within = await scope.run(scratch.count)
        await scope.renew()
        after = await scope.run(scratch.count)

    assert (before, within, after) == (0, 0, 1)


async def test_time_stands_still_in_a_scope(counting: Store, customer: UUID, clock: Clock) -> None:
    """All reads of a scope have the instant of the first one; renewal takes the present instant."""
    async with counting.reads(customer) as scope:
        first = await scope.run(lambda tx: tx.at)
        clock.advance(timedelta(hours=1))
        second = await scope.run(lambda tx: tx.at)
        await scope.renew()
        third = await scope.run(lambda tx: tx.at)

    assert (second, third) == (first, first + timedelta(hours=1))


async def test_a_read_cannot_write(counting: Store, customer: UUID) -> None:
    """A statement that writes is refused by the database itself."""
    async with counting.reads(customer) as scope:
        with pytest.raises(DBAPIError, match=r"read-?only"):
            await scope.run(scratch.append_pair, "x")

    async with counting.reads(customer) as scope:
        assert await scope.run(scratch.seen) == (0, 0)


async def test_a_scope_is_over_with_its_request(counting: Store, customer: UUID) -> None:
    """A resolver that outlives its request gets no rows."""
    async with counting.reads(customer) as scope:
        await scope.run(scratch.count)

    with pytest.raises(StoreClosed):
        await scope.run(scratch.count)


async def test_a_scope_that_reads_nothing_takes_no_connection(counting: Store, customer: UUID) -> None:
    """A request that only writes, or is refused, does not use up a reader."""
    async with counting.reads(customer):
        assert "checked out connections: 0" in counting.reader.pool.status().lower()


async def test_a_failed_read_gives_its_connection_back(counting: Store, customer: UUID) -> None:
    """Many requests that fail in the middle leave as many readers as before."""
    for _ in range(20):
        with pytest.raises(ZeroDivisionError):
            async with counting.reads(customer) as scope:
                await scope.run(lambda _tx: 1 // 0)

    async with counting.reads(customer) as scope:
        assert await scope.run(scratch.count) == 0


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
async def test_more_requests_than_readers_wait_or_are_told(scratch_url: str, clock: Clock) -> None:
    """With every reader taken, the next request waits its time and is told that the store is busy."""
    opened = open_store(
        scratch_url, clock=clock, offset_of=scratch.no_offset, wait_max=timedelta(milliseconds=200)
    )
    scopes = [opened.reads(uuid4()) for _ in range(SQLITE_READERS)]
    for scope in scopes:
        await (await scope.__aenter__()).run(scratch.seen)

    with pytest.raises(Busy) as busy:
        async with opened.reads(uuid4()) as late:
            await late.run(scratch.seen)
    assert busy.value.retry_after_seconds > 0

    await scopes[0].__aexit__(None, None, None)
    async with opened.reads(uuid4()) as later:
        assert await later.run(scratch.seen) == (0, 0)
    for scope in scopes[1:]:
        await scope.__aexit__(None, None, None)
    await opened.close()
