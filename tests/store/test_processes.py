"""Several processes on one database: what one has read and decided on, no other changes meanwhile."""

from uuid import UUID

import pytest

from app.store.transaction import Store
from tests.store import scratch
from tests.store.workers import answers, started

WORKERS = 4
TIMES = 100


async def test_four_processes_lose_no_update(counting: Store, customer: UUID, scratch_url: str) -> None:
    """Four processes that each read, add one and write 100 times leave the counter at 400."""
    with started(WORKERS, "count", scratch_url, str(customer), str(TIMES)) as workers:
        assert answers(workers) == WORKERS * TIMES

    async with counting.reads(customer) as scope:
        assert await scope.run(scratch.count) == WORKERS * TIMES


@pytest.mark.parametrize(
    ("engine_name", "way"),
    [("sqlite", "count-carefree"), ("postgres", "count-unlocked")],
    indirect=["engine_name"],
)
async def test_the_driver_alone_loses_updates(
    counting: Store, customer: UUID, scratch_url: str, way: str
) -> None:
    """The same with the driver's own transactions (SQLite) or without the row lock (PostgreSQL): all 400 are
    committed, and the counter shows fewer. So the test above can fail.
    """
    with started(WORKERS, way, scratch_url, str(customer), str(TIMES)) as workers:
        assert answers(workers) == WORKERS * TIMES

    async with counting.reads(customer) as scope:
        assert await scope.run(scratch.count) < WORKERS * TIMES
