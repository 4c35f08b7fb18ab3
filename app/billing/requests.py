"""What a customer asks for, resolved against what is: absolute totals, a price version, and the guards that
protect both.

Quantities speak of committed seats; a metric that is not named stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from app.billing.periods import BillingInterval
from app.billing.plans import BASE_FEE, ChangeTiming, Item, PlanPrice, ProrationMode, SeatMetric, SeatPrice
from app.billing.refusals import (
    AboveMaximum,
    BelowMinimum,
    InvalidInput,
    PlanNotAvailable,
    Problem,
    SeatsInUse,
)
from app.billing.state import Occupied, State

SEATS_MAX: Final = 100_000


@dataclass(frozen=True, slots=True)
class SeatQuantity:
    """Seats of one metric: exactly one of a total, a number to add, and a number to remove."""

    metric: str
    total: int | None = None
    add: int | None = None
    remove: int | None = None

    def resolved(self, committed: int) -> int:
        """The total asked for."""
        if self.total is not None:
            return self.total
        return committed + (self.add or 0) - (self.remove or 0)


@dataclass(frozen=True, slots=True)
class ChangeRequest:
    """A change as asked: None stays as it is, or is left to the plan's policy (mode, timing)."""

    plan: str | None = None
    interval: BillingInterval | None = None
    seats: tuple[SeatQuantity, ...] = ()
    mode: ProrationMode | None = None
    timing: ChangeTiming | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """A request made absolute: the price version, and the total of every metric that was named."""

    price: PlanPrice
    seats: Mapping[Item, int]
    switches: bool


GuardRefusal = BelowMinimum | AboveMaximum | SeatsInUse


def resolve(state: State, request: ChangeRequest) -> Wanted | InvalidInput | PlanNotAvailable:
    """The wanted price version and totals, or why the request means nothing here. All problems of quantities
    are listed at once.
    """
    price = _wanted_price(state, request)
    if isinstance(price, PlanNotAvailable):
        return price
    problems = tuple(_problems(state, price, request.seats))
    if problems:
        return InvalidInput(problems)
    seats = {
        Item(asked.metric): asked.resolved(state.level(Item(asked.metric)).committed)
        for asked in request.seats
    }
    return Wanted(price, seats, switches=price.id != state.price.id)


def guard(state: State, wanted: Wanted) -> GuardRefusal | None:
    """The first limit that the wanted seats break: the plan's minimum and maximum, and never below the seats
    in use.
    """
    for metric, total in wanted.seats.items():
        seat = wanted.price.seat(metric)
        if seat and total < seat.minimum:
            return BelowMinimum(seat.metric, seat.minimum, total)
    touched = {*wanted.seats, *(state.levels if wanted.switches else ())}
    for metric in sorted(touched):
        refusal = _guard_metric(state, wanted, metric)
        if refusal:
            return refusal
    return None


def _guard_metric(state: State, wanted: Wanted, metric: Item) -> AboveMaximum | SeatsInUse | None:
    level, seat = state.level(metric), wanted.price.seat(metric)
    total = wanted.seats.get(metric, level.committed)
    if seat and seat.maximum is not None and total > seat.maximum:
        return AboveMaximum(seat.metric, seat.maximum, total)
    limit = seat.limit(total, level.granted) if seat else 0
    if limit is None or (seat and not wanted.price.guards(seat)):
        return None
    limit_before = _limit(state.price.seat(metric), level.committed, level.granted)
    if limit < level.in_use and (limit_before is None or limit < limit_before):
        occupied = state.occupied.get(metric, Occupied())
        named = seat or state.price.seat(metric) or _unpriced(metric)
        shown = named.metric if isinstance(named, SeatPrice) else named
        return SeatsInUse(shown, level.in_use, total if seat else 0, limit, occupied.holders, occupied.count)
    return None


def _unpriced(metric: Item) -> SeatMetric:
    return SeatMetric(metric, metric)


def _limit(seat: SeatPrice | None, committed: int, granted: int) -> int | None:
    return seat.limit(committed, granted) if seat else committed + granted


def _wanted_price(state: State, request: ChangeRequest) -> PlanPrice | PlanNotAvailable:
    code = request.plan or state.price.plan
    interval = request.interval or state.price.interval
    if code == state.price.plan and interval is state.price.interval:
        return state.price
    plan = state.plan(code)
    if plan is None:
        offered = ", ".join(offer.code for offer in state.plans)
        return PlanNotAvailable(code, f"There is no plan {code!r} on offer. Choose one of: {offered}.")
    price = plan.price(interval, state.currency)
    if price is None:
        sold = ", ".join(p.interval.value for p in plan.prices if p.currency == state.currency) or "nothing"
        reason = f"{plan.name} is not sold by the {interval.value} in {state.currency}"
        return PlanNotAvailable(code, f"{reason}. In {state.currency} there is: {sold}.")
    return price


def _problems(state: State, price: PlanPrice, seats: tuple[SeatQuantity, ...]) -> Iterator[Problem]:
    known = ", ".join(seat.metric.code for seat in price.seats)
    seen: set[str] = set()
    for i, asked in enumerate(seats):
        path = f"input.seats[{i}]"
        seat = price.seat(asked.metric)
        if seat is None or asked.metric == BASE_FEE:
            yield Problem(
                f"{path}.metric", f"{price.plan_name} has no seats called {asked.metric!r}. It has: {known}."
            )
            continue
        if not seat.basis.in_advance:
            yield Problem(
                f"{path}.metric", f"{seat.metric.label} seats are billed as they are used; none are ordered."
            )
            continue
        if asked.metric in seen:
            yield Problem(f"{path}.metric", f"{asked.metric!r} is named twice. Name each kind of seat once.")
        seen.add(asked.metric)
        yield from _quantity_problems(path, asked, state.level(Item(asked.metric)).committed)


def _quantity_problems(path: str, asked: SeatQuantity, committed: int) -> Iterator[Problem]:
    for name, number, least in (
        ("total", asked.total, 0),
        ("add", asked.add, 1),
        ("remove", asked.remove, 1),
    ):
        if number is not None and not least <= number <= SEATS_MAX:
            yield Problem(
                f"{path}.quantity.{name}", f"{name} must be from {least} to {SEATS_MAX}, not {number}."
            )
            return
    total = asked.resolved(committed)
    if total < 0:
        yield Problem(
            f"{path}.quantity.remove", f"{asked.remove} cannot be removed: {committed} are committed."
        )
    elif total > SEATS_MAX:
        yield Problem(f"{path}.quantity.add", f"{total} would be more than {SEATS_MAX} seats.")
