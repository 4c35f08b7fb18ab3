"""Requests cut off by the client, and a server killed in the middle of its work: nothing that was answered is
lost, nothing is done twice, and the database goes on.
"""

import asyncio
import random
import sqlite3
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import uuid4

import httpx
import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from tests.proofs.ledger_check import problems
from tests.proofs.serving import (
    CHANGE,
    OVERVIEW,
    PREVIEW,
    READY_SECONDS_MAX,
    SEATS,
    Server,
    Tenant,
    amounts,
    ask,
    changed,
    is_alive,
    settled,
)

CUT: Final = 150
AT_ONCE: Final = 5
WRITE_SECONDS_MAX: Final = 1.0
KILLS: Final = 2
STREAMS: Final = 4
PAUSE_SECONDS: Final = 0.05


@dataclass(frozen=True, slots=True)
class Asked:
    """One request that will be cut off; `key` if it changes something."""

    body: bytes
    key: str | None = None


def requests_of(tenant: Tenant, chance: random.Random) -> list[Asked]:
    """As many queries as previews as changes, in any order."""
    preview = tenant.change("", add=2)
    del preview["idempotencyKey"]
    asked = []
    for n in range(CUT):
        key = f"cut-{n}" if n % 3 == 0 else None
        query, variables = [
            (CHANGE, {"input": tenant.change(key or "")}), (PREVIEW, {"input": preview}), (OVERVIEW, {}),
        ][n % 3]  # fmt: skip
        asked.append(Asked(orjson.dumps({"query": query, "variables": variables}), key))
    chance.shuffle(asked)
    return asked


async def cut_off(server: Server, tenant: Tenant, body: bytes, after_seconds: float) -> bool:
    """Send a request and close the connection after a while; whether that was before any answer came."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    head = (
        f"POST /graphql HTTP/1.1\r\nHost: seatport\r\nAuthorization: Bearer {tenant.token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    writer.write(head.encode() + body)
    try:
        async with asyncio.timeout(after_seconds):
            await reader.read(1)
        return False
    except TimeoutError:
        return True
    finally:
        writer.transport.abort()


async def seconds_of(work: Callable[[], Awaitable[Any]]) -> float:
    """How long some work takes."""
    start = time.monotonic()
    await work()
    return time.monotonic() - start


async def open_transactions(url: str) -> int:
    """How many transactions nobody works in: on PostgreSQL those that it lists. SQLite lists none, but one
    that is left over keeps this process from writing.
    """
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.partition(":///")[2], timeout=0, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            other.execute("UPDATE render_job SET attempts = attempts")
            other.execute("COMMIT")
        return 0
    engine = create_async_engine(url)
    idle = "state LIKE 'idle in transaction%' AND datname = current_database()"
    async with engine.connect() as connection:
        count = (
            await connection.execute(text(f"SELECT count(*) FROM pg_stat_activity WHERE {idle}"))
        ).scalar()
    await engine.dispose()
    return int(count or 0)


async def settled_down(url: str) -> bool:
    """Whether within a second no transaction is open."""
    for _ in range(20):
        try:
            if not await open_transactions(url):
                return True
        except sqlite3.OperationalError:
            pass  # Somebody was writing just then.
        await asyncio.sleep(WRITE_SECONDS_MAX / 20)
    return False


async def test_150_requests_cut_off_by_the_client(shared_url: str, pair: list[Server]) -> None:
    """Closed at random moments, five at a time: then a change is made within a second, no transaction is left
    open, and each key that was cut off gives a definite outcome, once.
    """
    (tenant,), server = await settled(shared_url, "cut-off"), pair[0]
    seed = random.randrange(10**9)
    chance = random.Random(seed)
    asked = requests_of(tenant, chance)
    async with httpx.AsyncClient(timeout=60) as client:
        await ask(client, server, tenant, OVERVIEW)
        usual = AT_ONCE * await seconds_of(lambda: ask(client, server, tenant, OVERVIEW))
        calm_seconds = await seconds_of(lambda: changed(client, server, tenant, "before"))
        cut = 0
        for first in range(0, CUT, AT_ONCE):
            some = asked[first : first + AT_ONCE]
            cut += sum(
                await asyncio.gather(
                    *(cut_off(server, tenant, a.body, chance.uniform(0, usual)) for a in some)
                )
            )
        write_seconds = await seconds_of(lambda: changed(client, server, tenant, "afterwards"))
        assert write_seconds < max(WRITE_SECONDS_MAX, 10 * calm_seconds), "nor slower than before"
        assert await settled_down(shared_url)
        keys = [a.key for a in asked if a.key]
        once = [await changed(client, server, tenant, key) for key in keys]
        twice = [await changed(client, pair[1], tenant, key) for key in keys]

    done = sum(fact["replayed"] for fact in once)
    sys.stdout.write(
        f"seed {seed}: {cut} of {CUT} cut off, {done} of {len(keys)} changes made all the same; "
        f"then a write took {write_seconds:.3f} s\n"
    )
    assert cut > CUT // 4, "many were cut off before their answer"
    assert [(f["replayed"], amounts(f)) for f in twice] == [(True, amounts(f)) for f in once]
    made = len(keys) + len(("before", "afterwards"))
    now = twice[-1]["subscription"]
    assert (now["version"], now["seats"]) == (1 + made, [{"committed": SEATS + made}])
    assert await problems(shared_url) == []


@dataclass(slots=True)
class Stream:
    """A client that adds a seat again and again, and asks again with the same key until it is answered."""

    server: Server
    tenant: Tenant
    answered: dict[str, dict[str, Any]] = field(default_factory=dict)
    replayed: int = 0
    broken: int = 0

    async def run(self, over: asyncio.Event) -> None:
        """Go on until it is over and the last key has its answer."""
        async with httpx.AsyncClient(timeout=60) as client:
            while not over.is_set():
                key = str(uuid4())
                fact = await self._answer(client, key)
                self.answered[key] = fact
                self.replayed += fact["replayed"]
                await asyncio.sleep(PAUSE_SECONDS)

    async def repeated(self) -> int:
        """Ask for all again; how many answers were not the first ones, replayed."""
        async with httpx.AsyncClient(timeout=60) as client:
            pairs = [
                (fact, await changed(client, self.server, self.tenant, key))
                for key, fact in self.answered.items()
            ]
        return sum((True, amounts(fact)) != (again["replayed"], amounts(again)) for fact, again in pairs)

    async def _answer(self, client: httpx.AsyncClient, key: str) -> dict[str, Any]:
        for tries in range(READY_SECONDS_MAX * 10):
            try:
                return await changed(client, self.server, self.tenant, key)
            except httpx.TransportError:
                self.broken += tries == 0
                await asyncio.sleep(0.1)
        raise AssertionError("the server did not come back")


async def test_a_server_killed_in_a_stream_of_changes(shared_url: str, pair: list[Server]) -> None:
    """Killed at random moments and started again, while four clients of two customers add seats through two
    servers: every change that was answered is there, each key was done once, the numbers have no gap.
    """
    tenants = await settled(shared_url, "killed-one", "killed-two")
    seed = random.randrange(10**9)
    chance = random.Random(seed)
    streams = [Stream(pair[n % 3 == 2], tenants[n % 2]) for n in range(STREAMS)]
    over, victim = asyncio.Event(), pair[0]
    running = [asyncio.create_task(stream.run(over)) for stream in streams]
    for _ in range(KILLS):
        await asyncio.sleep(chance.uniform(0.5, 1.5))
        renderer = victim.render_process()
        victim.kill()
        victim.launch()
        await asyncio.to_thread(victim.wait)
        assert not is_alive(renderer), "what served the killed server is gone, too"
    await asyncio.sleep(0.5)
    over.set()
    await asyncio.gather(*running)

    assert sum(await asyncio.gather(*(stream.repeated() for stream in streams))) == 0, "answers that differ"
    made = [sum(len(stream.answered) for stream in streams if stream.tenant is tenant) for tenant in tenants]
    sys.stdout.write(
        f"seed {seed}: {KILLS} kills, {sum(made)} changes, {sum(s.broken for s in streams)} of them cut off, "
        f"{sum(s.replayed for s in streams)} of these done all the same\n"
    )
    for tenant, count in zip(tenants, made, strict=True):
        assert await committed(pair[1], tenant) == SEATS + count
    assert sum(stream.broken for stream in streams) > 0, "the kills hit requests"
    assert await problems(shared_url) == []


async def committed(server: Server, tenant: Tenant) -> int:
    """How many seats a customer has asked for, as a server says."""
    query = "{ customer { seatBalances { committed } } }"
    async with httpx.AsyncClient() as client:
        answer = await ask(client, server, tenant, query)
    (balance,) = answer["customer"]["seatBalances"]
    return int(balance["committed"])
