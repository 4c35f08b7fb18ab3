"""Overrides: what the seller agreed with one customer beside the plan's list. Seats granted on top, an own
price, an own minimum or maximum, each for one metric and from an instant until before another.

Overrides are append-only. Of those in force at an instant the one recorded last decides, for each aspect by
itself; an agreement ends early by a later row that withdraws it. Granted seats raise the limit and never move
money. A price, minimum or maximum counts for what is billed from then on: seats added, and the next renewal.
Nothing that was billed changes, since every line keeps the parts that it was made of.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum
from uuid import UUID

from app.billing.money import Currency
from app.billing.periods import (
    MICROSECOND,
    BillingInterval,
    Granularity,
    Period,
    first_instant,
    local_day,
)
from app.billing.plans import Item, Plan, PlanPrice, PricingModel, SeatPrice, Tier


class Aspect(Enum):
    """What an override can be about."""

    GRANTED = "GRANTED"
    PRICE = "PRICE"
    MINIMUM = "MINIMUM"
    MAXIMUM = "MAXIMUM"


@dataclass(frozen=True, slots=True)
class OwnPrice:
    """A price of the customer's own in place of the plan's: a model and its tiers, for a full period of the
    interval that the override names.
    """

    model: PricingModel
    tiers: tuple[Tier, ...]
    package_size: int = 1


@dataclass(frozen=True, slots=True)
class Override:
    """One recorded row. It speaks of each aspect that it gives a value or withdraws, and leaves the others as
    they are.

    `plan` and `interval` say which price versions price, minimum and maximum are for (None: any); granted
    seats are given whatever the plan. In force from `starts_at` until before `ends_at` (None: open).
    """

    id: UUID
    metric: Item
    starts_at: datetime
    ends_at: datetime | None
    recorded_at: datetime
    author: str
    note: str | None = None
    granted: int | None = None
    price: OwnPrice | None = None
    minimum: int | None = None
    maximum: int | None = None
    withdrawn: frozenset[Aspect] = frozenset()
    plan: str | None = None
    interval: BillingInterval | None = None

    @property
    def values(self) -> dict[Aspect, int | OwnPrice | None]:
        """What it says of each aspect that it speaks of; None withdraws."""
        given: dict[Aspect, int | OwnPrice | None] = {
            Aspect.GRANTED: self.granted,
            Aspect.PRICE: self.price,
            Aspect.MINIMUM: self.minimum,
            Aspect.MAXIMUM: self.maximum,
        }
        return {aspect: v for aspect, v in given.items() if v is not None or aspect in self.withdrawn}

    def in_force(self, at: datetime) -> bool:
        return self.starts_at <= at and (self.ends_at is None or at < self.ends_at)

    def is_for(self, version: PlanPrice) -> bool:
        return self.plan in {None, version.plan} and self.interval in {None, version.interval}


Overrides = Sequence[Override]
"""Overrides of one customer in the order in which they were recorded."""


def granted(overrides: Overrides, at: datetime) -> dict[Item, int]:
    """The seats granted on top at an instant, of every metric that has some."""
    seats: dict[Item, int] = {}
    for override in overrides:
        if override.in_force(at) and Aspect.GRANTED in override.values:
            seats[override.metric] = override.granted or 0
    return {metric: count for metric, count in seats.items() if count}


def own(version: PlanPrice, overrides: Overrides, at: datetime) -> PlanPrice:
    """A price version as the customer pays it at an instant: with the price, minimum and maximum of its own
    where one is in force, and those of the list everywhere else.
    """
    relevant = [o for o in overrides if o.in_force(at) and o.is_for(version)]
    seats = tuple(_own_seat(seat, relevant) for seat in version.seats)
    return version if seats == version.seats else replace(version, seats=seats)


def own_plans(
    plans: tuple[Plan, ...], currency: Currency, overrides: Overrides, at: datetime
) -> tuple[Plan, ...]:
    """Plans on offer as the customer would pay them at an instant."""
    if not overrides:
        return plans
    return tuple(
        replace(
            plan, prices=tuple(own(p, overrides, at) if p.currency == currency else p for p in plan.prices)
        )
        for plan in plans
    )


def own_from(version: PlanPrice, overrides: Overrides, start: datetime, zone: str) -> PlanPrice:
    """A price version as it prices use from an instant on. A version that counts in days prices a local day
    by what is in force at its end.
    """
    if version.granularity is Granularity.DAY:
        start = first_instant(local_day(start, zone) + timedelta(days=1), zone) - MICROSECOND
    return own(version, overrides, start)


def stretches(
    version: PlanPrice, metric: Item, overrides: Overrides, period: Period
) -> Iterator[tuple[Period, PlanPrice]]:
    """The parts of a period in which the use of a metric has one price, each with the version that prices it.
    They tile the period.
    """
    instants = {at for o in overrides for at in (o.starts_at, o.ends_at) if at and o.metric == metric}
    if version.granularity is Granularity.DAY:
        instants = {first_instant(local_day(at, period.zone), period.zone) for at in instants}
    start, mine = period.start, own_from(version, overrides, period.start, period.zone)
    for at in sorted(at for at in instants if period.start < at < period.end):
        other = own_from(version, overrides, at, period.zone)
        if _amounts(other, metric) != _amounts(mine, metric):
            yield Period(start, at, period.zone), mine
            start, mine = at, other
    yield Period(start, period.end, period.zone), mine


def listed(version: PlanPrice) -> PlanPrice:
    """The price version as the list has it, whatever was agreed."""
    return replace(version, seats=tuple(seat.listed or seat for seat in version.seats))


def without_room(
    versions: Iterable[PlanPrice], metric: Item, overrides: Overrides, new: Override
) -> tuple[PlanPrice, SeatPrice, datetime] | None:
    """The first price version under which, with a new override, a metric would have a maximum below its
    minimum or its included seats; with that price, and from when. None if never.
    """
    every = (*overrides, new)
    for version in versions:
        for at in _turns(every, new):
            seat = own(version, every, at).seat(metric)
            if seat and seat.maximum is not None and max(seat.minimum, seat.included) > seat.maximum:
                return version, seat, at
    return None


def _amounts(version: PlanPrice, metric: Item) -> tuple[object, ...]:
    """All of a metric's price that decides what a level of seats costs."""
    seat = version.seat(metric)
    return (seat.model, seat.tiers, seat.package_size, seat.minimum) if seat else ()


def _own_seat(seat: SeatPrice, overrides: Iterable[Override]) -> SeatPrice:
    """The list price with all that overrides in force say of its metric."""
    base = seat.listed or seat
    said: dict[Aspect, int | OwnPrice | None] = {}
    for override in overrides:
        if override.metric == base.metric.code:
            said |= override.values
    price, minimum, maximum = (said.get(a) for a in (Aspect.PRICE, Aspect.MINIMUM, Aspect.MAXIMUM))
    mine = base
    if isinstance(price, OwnPrice):
        mine = replace(mine, model=price.model, tiers=price.tiers, package_size=price.package_size)
    if isinstance(minimum, int):
        mine = replace(mine, minimum=minimum)
    if isinstance(maximum, int):
        mine = replace(mine, maximum=maximum)
    return base if mine == base else replace(mine, listed=base)


def _turns(overrides: Overrides, new: Override) -> Iterator[datetime]:
    """The instants at which something can become otherwise while a new override is in force."""
    instants = {new.starts_at}
    for override in overrides:
        instants |= {at for at in (override.starts_at, override.ends_at) if at and new.in_force(at)}
    return iter(sorted(instants))
