"""Customers with ten types of seats and a thousand seat events in this month, some of them for years."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from app.billing.ledger import BalanceKind, Delta, EventSource, Holder
from app.billing.parties import BillingDetails
from app.billing.periods import BillingInterval, Grid, Period, Step
from app.billing.permissions import SYSTEM
from app.billing.plans import Item
from app.services.apply_catalog import apply_catalog
from app.services.bill import bill
from app.services.catalog_file import Declared, parse_catalog
from app.services.register_customer import NewCustomer, register_customer
from app.services.start_subscription import StartSubscription, SubscriptionStarted, start_subscription
from app.store import seats
from app.store.ids import new_id
from app.store.transaction import Store, Tx
from tests.conftest import Clock
from tests.services.catalogs import SMALL

NOW: Final = datetime(2026, 4, 16, 9, 30, tzinfo=UTC)
FIRST: Final = datetime.fromisoformat("2017-12-01")
MONTHS: Final = Grid(FIRST, Step(months=1), "UTC")
BASES: Final = ("PURCHASED",) * 5 + ("OVERAGE", "PEAK", "PRORATED", "INCREASES", "ACTIVE")
METRICS: Final = tuple(Item(f"kind{number}") for number in range(len(BASES)))
EVENTS_NOW: Final = 1_000
EVENTS_A_MONTH: Final = 250
NAMED_EVERY: Final = 20


def catalog() -> str:
    """The small catalog with ten metrics in its plan, on every charging basis."""
    metrics = "".join(f'[metrics.{metric}]\nlabel = "{metric}"\n' for metric in METRICS)
    prices = "\n".join(
        f'seats.{metric} = {{ basis = "{basis}", unit_amount = "15.00"{_overage(basis)} }}'
        for metric, basis in zip(METRICS, BASES, strict=True)
    )
    own = 'seats.editor = { included = 5, unit_amount = "15.00" }'
    assert own in SMALL
    return SMALL.replace(own, f"{own}\n{prices}").replace("[metrics.editor]", f"{metrics}\n[metrics.editor]")


def _overage(basis: str) -> str:
    return ', overage_amount = "3.00"' if basis == "OVERAGE" else ""


async def lived(store: Store, clock: Clock, months: int) -> tuple[UUID, UUID]:
    """A customer who has been one for so many whole months and half of this one; and the subscription."""
    last = MONTHS.index_at(NOW)
    clock.now = MONTHS.boundary(last - months)
    customer = new_id(clock.now)
    subscription = await store.run(customer, _start, f"months-{months}")
    for k in range(last - months, last + 1):
        clock.now = MONTHS.boundary(k)
        assert await store.run(customer, bill, subscription) is None
        used = Period(clock.now, min(MONTHS.boundary(k + 1), NOW), "UTC")
        clock.now = used.end - timedelta(seconds=1)
        await store.run(customer, _use, used, EVENTS_NOW if k == last else EVENTS_A_MONTH)
    clock.now = NOW
    return customer, subscription


async def offer(store: Store) -> None:
    """Put the plan on offer."""
    declared = parse_catalog(catalog())
    assert isinstance(declared, Declared), declared
    await store.deployment(apply_catalog, declared)


def _start(tx: Tx, reference: str) -> UUID:
    details = BillingDetails(
        legal_name="Long GmbH", lines=("Allee 3",), postal_code="10115", city="Berlin", country="DE",
        email="long@example.com",
    )  # fmt: skip
    register_customer(tx, SYSTEM, NewCustomer(reference, reference, "USD", "UTC", details=details))
    committed = tuple((metric, 200) for metric in METRICS[:6])
    started = start_subscription(tx, SYSTEM, StartSubscription("team", BillingInterval.MONTH, committed))
    assert isinstance(started, SubscriptionStarted), started
    return started.subscription


def _use(tx: Tx, period: Period, count: int) -> None:
    seats.append(tx, tuple(_events(period, count)), actor="benchmark")


def _events(period: Period, count: int) -> Iterator[Delta]:
    """Seats taken and given back in turn, spread over a stretch of time and all metrics, some by name."""
    apart = (period.end - period.start) / (count + 1)
    for i in range(count):
        turn, place = divmod(i, len(METRICS))
        takes = turn % 2 == 0
        holder = Holder(f"person{place}") if turn % NAMED_EVERY < 2 else None
        at = (period.start + apart * i).replace(microsecond=0)
        yield Delta(
            METRICS[place], BalanceKind.IN_USE, int(takes), int(not takes), at, EventSource.REPORT, holder
        )
