"""Outgrowing one process: four servers over one PostgreSQL change one customer's plan at once, and the books
are those of one after the other.
"""

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import httpx
import pytest

from tests.conftest import own_database
from tests.postgres import Server as Postgres
from tests.proofs.ledger_check import problems
from tests.proofs.serving import SEATS, Tenant, changed, serving, settled
from tests.proofs.test_races import rows

SERVERS: Final = 4
CHANGES: Final = 6
"""Of each server to each of two customers; every one has a key of its own, sent to two servers at once."""
AT_ONCE: Final = 8


@pytest.fixture
def postgres_url(postgres_server: Postgres, postgres_template: str) -> Iterator[str]:
    """A migrated database on PostgreSQL."""
    yield from own_database(postgres_server, postgres_template)


async def test_four_servers_over_one_postgres(postgres_url: str, tmp_path: Path) -> None:
    """24 changes of each of two customers, each sent to two of four servers at the same moment: 24 seats and
    24 invoices for each, no error, no gap in the numbers; and the doctor finds nothing wrong.
    """
    tenants = [*await settled(postgres_url, "one", "other")]
    before = {tenant.customer: await rows(postgres_url, tenant) for tenant in tenants}
    under_way = asyncio.Semaphore(AT_ONCE)
    with serving(postgres_url, tmp_path, SERVERS) as servers:

        async def change(client: httpx.AsyncClient, tenant: Tenant, number: int) -> list[bool]:
            first, second = servers[number % SERVERS], servers[(number + 1) % SERVERS]
            async with under_way:
                told = await asyncio.gather(
                    *(
                        changed(client, server, tenant, f"change {number}", add=1)
                        for server in (first, second)
                    )
                )
            return sorted(fact["replayed"] for fact in told)

        async with httpx.AsyncClient(timeout=120) as client:
            told = await asyncio.gather(
                *(change(client, tenant, n) for n in range(SERVERS * CHANGES) for tenant in tenants)
            )
        assert all("Traceback" not in server.said() for server in servers)

    sys.stdout.write(f"{len(told)} changes, each asked of two servers at once\n")
    assert told == [[False, True]] * (2 * SERVERS * CHANGES)
    for tenant in tenants:
        after = await rows(postgres_url, tenant)
        added = [now - was for was, now in zip(before[tenant.customer], after, strict=True)]
        assert added == [SERVERS * CHANGES] * 6
        assert after[-1] == SEATS + SERVERS * CHANGES
    assert await problems(postgres_url) == []
