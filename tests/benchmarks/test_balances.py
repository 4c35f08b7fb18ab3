"""Whether a balance as of an instant costs more in a long history. It must not: checkpoints stand by the
number of events. `EVENTS=10000000` makes the long history longer; it is made by the database itself.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text

from app.billing.ledger import SeatEvent
from app.billing.plans import Item
from app.store import checkpoints, seats
from app.store.ids import new_id
from app.store.transaction import Store, Tx
from tests.benchmarks.measuring import Way, engine_of, side_by_side, tell
from tests.benchmarks.test_ingesting import registered
from tests.conftest import Clock

SHORT: Final = 10_000
LONG: Final = int(os.environ.get("EVENTS", "1000000"))
YEARS: Final = timedelta(days=3 * 365)
RATIO_MAX: Final = 1.5
TIMES: Final = 40
EDITOR: Final = Item("editor")

INTO: Final = """
    INSERT INTO seat_event
        (customer_id, id, metric, kind, added, removed, effective_at, recorded_at, source, actor)"""
MAKE: Final = {
    "sqlite": f"""
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :count),
            made(i, at) AS (SELECT i, :first + i * :apart FROM n)
        {INTO}
        SELECT :customer, printf('00000000-0000-7000-8000-%012x', i), 'editor', 'IN_USE',
            i % 7 > 0, i % 7 = 0, at, at, 'REPORT', 'benchmark' FROM made""",
    "postgresql": f"""
        {INTO}
        SELECT CAST(:customer AS uuid), CAST('00000000-0000-7000-8000-' || lpad(to_hex(i), 12, '0') AS uuid),
            'editor', 'IN_USE', CAST(i % 7 > 0 AS int), CAST(i % 7 = 0 AS int), at, at, 'REPORT', 'benchmark'
        FROM (SELECT i, to_timestamp((CAST(:first AS bigint) + i * CAST(:apart AS bigint)) / 1000000.0) AS at
              FROM generate_series(1, :count) AS i) AS made""",
}  # fmt: skip
LEVEL: Final = """
    INSERT INTO seat_level (customer_id, metric, kind, balance)
    SELECT customer_id, metric, kind, sum(added - removed) FROM seat_event
    GROUP BY customer_id, metric, kind"""


class History:
    """A customer's seat events, evenly spread over three years; six come for one who goes."""

    def __init__(self, store: Store, customer: UUID, now: datetime, count: int) -> None:
        self.store, self.customer, self.count = store, customer, count
        self.apart = YEARS / count
        self.first = now - YEARS - timedelta(days=1)
        self.chance = random.Random(count)
        self.page: list[SeatEvent] = []

    def make(self, tx: Tx) -> None:
        """Write the events in one statement, then their checkpoints."""
        dialect = tx.connection.dialect.name
        microsecond = timedelta(microseconds=1)
        if dialect == "postgresql":
            tx.connection.execute(text("SET LOCAL statement_timeout = 0"))
        values: dict[str, Any] = {
            "customer": str(self.customer),
            "count": self.count,
            "first": (self.first - datetime.fromisoformat("1970-01-01T00:00:00Z")) // microsecond,
            "apart": self.apart // microsecond,
        }
        tx.connection.execute(text(MAKE[dialect]), values)
        checkpoints.rebuild(tx)

    def instant(self) -> datetime:
        """Some instant of it."""
        return self.first + self.apart * self.chance.randint(self.count // 10, self.count)

    async def as_of(self) -> None:
        """The balance of some instant."""
        await self.levels(self.instant(), None)

    async def known_at(self) -> None:
        """The same, as it was known then."""
        at = self.instant()
        await self.levels(at, at)

    async def after(self) -> None:
        """The balances after each event of a page."""
        async with self.store.reads(self.customer) as scope:
            assert len(await scope.run(seats.balances_after, self.page)) == len(self.page)

    async def levels(self, as_of: datetime, known_at: datetime | None) -> None:
        async with self.store.reads(self.customer) as scope:
            levels = await scope.run(seats.levels_at, as_of, known_at)
        number = (as_of - self.first) // self.apart
        assert abs(levels[EDITOR].in_use - number * 5 / 7) < 5

    async def read_page(self) -> None:
        """A page of twenty events in the middle."""
        async with self.store.reads(self.customer) as scope:
            middle = seats.EventFilter(until=self.instant())
            self.page = await scope.run(seats.events_page, middle, limit=20)


async def test_balances_do_not_grow_with_history(database_url: str, clock: Clock) -> None:
    """As of an instant, as known at it, and after each event of a page: in a history of a million events the
    best rounds take at most half as long again as in one of ten thousand.
    """
    histories = {}
    store, _ = await registered(database_url, clock)
    for count in (SHORT, LONG):
        other, customer = await registered(
            database_url, clock, new_id(clock.now), reference=f"history-{count}"
        )
        await other.close()
        histories[count] = history = History(store, customer, clock.now, count)
        await store.run(customer, history.make)
        await history.read_page()
    await store.deployment(lambda tx: tx.connection.execute(text(LEVEL)))
    if database_url.startswith("postgres"):
        await store.deployment(lambda tx: tx.connection.execute(text("ANALYZE")))
    await measured(database_url, "a balance as of an instant", histories, lambda each: each.as_of)
    await measured(database_url, "a balance as known at it", histories, lambda each: each.known_at)
    await measured(database_url, "the balances after 20 events", histories, lambda each: each.after)
    await store.close()


async def measured(url: str, what: str, histories: dict[int, History], way: Callable[[History], Way]) -> None:
    """Print one thing for both histories as ratios to the short one, which must stay near 1."""
    ways = {f"{count:,} events": way(history) for count, history in histories.items()}
    taken = await side_by_side(ways, times=TIMES, rounds=5, of_rounds=min)
    tell(f"{what}, {engine_of(url)}", taken)
    short, long = taken.values()
    assert long / short < RATIO_MAX, taken
