"""Balances with checkpoints are the folds of all events, as of any instant and as known at any other,
whatever is told late; on both databases.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import func, select

from app.billing.ledger import BalanceKind, Delta, EventSource, SeatEvent, SeatLevels, balance
from app.billing.permissions import SYSTEM
from app.billing.plans import Item
from app.services.apply_catalog import apply_catalog
from app.services.register_customer import NewCustomer, register_customer
from app.store import checkpoints, seats
from app.store.tables import seat_checkpoint
from app.store.transaction import Store, Tx
from tests.conftest import Clock
from tests.services.catalogs import declared

METRICS = (Item("editor"), Item("viewer"))
BALANCES = [(metric, kind) for metric in METRICS for kind in BalanceKind]
DAYS = 12


@pytest.fixture(autouse=True)
def short_stretches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few events make many checkpoints."""
    monkeypatch.setattr(checkpoints, "STRETCH", 4)


class Life:
    """A customer's events, told in random pieces: most soon, some days late."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self.seed = random.randrange(10**9)
        self.chance = random.Random(self.seed)
        self.store, self.clock, self.customer = store, clock, uuid4()
        self.events: list[SeatEvent] = []

    async def begin(self) -> None:
        new = NewCustomer("life", "Life", "USD", "UTC")
        await self.store.deployment(apply_catalog, declared())
        await self.store.run(self.customer, register_customer, SYSTEM, new)

    async def go_on(self, pieces: int) -> None:
        """So many transactions, each of one to thirty events."""
        for _ in range(pieces):
            self.clock.now += timedelta(hours=self.chance.randint(0, 20), microseconds=7)
            deltas = [self.delta() for _ in range(self.chance.choice([1, 1, 2, 5, 30]))]
            self.events += await self.store.run(self.customer, seats.append, deltas, actor="test")

    def delta(self) -> Delta:
        chance = self.chance
        metric, kind = chance.choice(BALANCES)
        late = timedelta(minutes=chance.choice([0, 0, 1, 30, 2 * 24 * 60, chance.randint(0, DAYS * 24 * 60)]))
        at = self.clock.now - late
        added, removed = chance.randint(0, 9), chance.randint(0, 9)
        return Delta(metric, kind, added, removed, at, EventSource.REPORT)

    async def mistakes(self) -> list[str]:
        """Where what the store reads is not the fold of the events that were written."""
        found = []
        async with self.store.reads(self.customer) as scope:
            for as_of, known_at in self.instants():
                levels = await scope.run(seats.levels_at, as_of, known_at)
                folded = self.folded(as_of, known_at)
                if any(levels.get(metric, SeatLevels()) != folded[metric] for metric in METRICS):
                    found.append(f"seed {self.seed}, as of {as_of}, known at {known_at}: {levels}, {folded}")
            after = await scope.run(seats.balances_after, self.events)
        found += [
            f"seed {self.seed}, after {event}: {after[event.id]}"
            for event in self.events
            if after[event.id] != self.after(event)
        ]
        return found

    def instants(self) -> list[tuple[datetime, datetime | None]]:
        """Instants of events and others, alone and with what was known at some instant before or after."""
        some = [event.delta.effective_at for event in self.chance.sample(self.events, 20)]
        some += [at - timedelta(microseconds=1) for at in some[:5]]
        some += [self.clock.now, self.clock.now + timedelta(days=1), datetime(2020, 1, 1, tzinfo=UTC)]
        known = [event.recorded_at for event in self.chance.sample(self.events, 4)]
        return [(at, each) for at in some for each in (None, *known, self.clock.now)]

    def folded(self, as_of: datetime, known_at: datetime | None) -> dict[Item, SeatLevels]:
        def level(metric: Item, kind: BalanceKind) -> int:
            of = [event for event in self.events if (event.delta.metric, event.delta.kind) == (metric, kind)]
            return balance(of, as_of, known_at)

        return {
            metric: SeatLevels(level(metric, BalanceKind.COMMITTED), level(metric, BalanceKind.IN_USE))
            for metric in METRICS
        }

    def after(self, event: SeatEvent) -> int:
        of = (event.delta.metric, event.delta.kind)
        alike = [other for other in self.events if (other.delta.metric, other.delta.kind) == of]
        return sum(other.delta.net for other in alike if other.order <= event.order)


@pytest.fixture
async def life(store: Store, clock: Clock) -> Life:
    """A customer without an event yet."""
    made = Life(store, clock)
    await made.begin()
    return made


async def test_balances_are_the_fold_of_their_events(life: Life) -> None:
    """Forty transactions of random events, half of them told late, up to twelve days."""
    await life.go_on(40)

    assert await life.mistakes() == []


async def test_stretches_are_short_and_count_their_events(life: Life) -> None:
    """No stretch has more than twice the events of a new one; together they have all."""
    await life.go_on(40)

    def counted(tx: Tx) -> tuple[int, int, int]:
        events = seat_checkpoint.c.events
        query = select(func.max(events), func.sum(events), func.count()).where(
            seat_checkpoint.c.customer_id == tx.customer
        )
        longest, together, count = tx.connection.execute(query).one()
        return longest, int(together), count

    async with life.store.reads(life.customer) as scope:
        longest, together, count = await scope.run(counted)
    assert (longest <= 8, together) == (True, len(life.events)), f"seed {life.seed}"
    assert count >= len(life.events) / 8, f"seed {life.seed}"


async def test_checkpoints_made_anew_are_right(life: Life) -> None:
    """From the events alone; and further events join them."""
    await life.go_on(20)
    await life.store.run(life.customer, checkpoints.rebuild)
    assert await life.mistakes() == []
    await life.go_on(10)
    assert await life.mistakes() == []


async def test_a_late_event_that_is_not_carried_on_shows(life: Life, monkeypatch: pytest.MonkeyPatch) -> None:
    """The fault that checkpoints invite: openings stay as they were when something is told of before them."""

    def not_carried(stretches: Sequence[Any], moves: Sequence[checkpoints.Move]) -> None:
        openings = [stretch.opening for stretch in stretches]
        joined(stretches, moves)
        for stretch, opening in zip(stretches, openings, strict=True):
            stretch.opening = opening

    joined = checkpoints._join
    monkeypatch.setattr(checkpoints, "_join", not_carried)
    await life.go_on(40)

    assert await life.mistakes()


async def test_what_was_told_very_late_counts_in_what_was_known(
    life: Life, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another fault: to look for what became known later only among what took effect shortly before."""
    await life.go_on(40)
    monkeypatch.setattr(checkpoints, "told_late", lambda _by, _dialect: "1 = 0")

    assert await life.mistakes()


async def test_nothing_is_recorded_before_it_takes_effect(life: Life) -> None:
    """The database refuses an event of tomorrow: what was known at an instant had taken effect then."""
    tomorrow = life.clock.now + timedelta(days=1)
    delta = Delta(METRICS[0], BalanceKind.IN_USE, 1, 0, tomorrow, EventSource.REPORT)
    with pytest.raises(Exception, match="not_foretold"):
        await life.store.run(life.customer, seats.append, [delta], actor="test")
