"""What lines and segments should come to, computed a second time: day by day, seat by seat, with the calendar
of the standard library.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction
from itertools import accumulate, pairwise
from zoneinfo import ZoneInfo

from app.billing.arrears import Segment
from app.billing.ledger import SeatEvent
from app.billing.lines import Line
from app.billing.overrides import Aspect, Override, OwnPrice
from app.billing.periods import Granularity, Period
from app.billing.plans import ChargingBasis, Item, PlanPrice, SeatPrice
from app.billing.subscriptions import Subscription
from tests.billing.oracle import billed_quantity, full_price, half_away

DAY = timedelta(days=1)
TICK = timedelta(microseconds=1)


def day_of(at: datetime, zone: str) -> date:
    return at.astimezone(ZoneInfo(zone)).date()


def midnight(day: date, zone: str) -> datetime:
    """When a local day begins."""
    return datetime.combine(day, time.min, ZoneInfo(zone)).astimezone(UTC)


def months_after(day: date, months: int) -> date:
    """The same day so many months later, or the last one of that month."""
    years, month = divmod(day.month - 1 + months, 12)
    year = day.year + years
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def length(period: Period, granularity: Granularity) -> int:
    """Local days, or whole seconds."""
    if granularity is Granularity.DAY:
        return (day_of(period.end, period.zone) - day_of(period.start, period.zone)).days
    return (period.end - period.start) // timedelta(seconds=1)


def check_anchor(subscription: Subscription) -> None:
    """The full period begins and ends on days that are counted from the anchor."""
    full, anchor = subscription.full_period, subscription.anchor.date()
    for at, months in (
        (full.start, subscription.month),
        (full.end, subscription.month + subscription.interval.months),
    ):
        assert day_of(at, full.zone) == months_after(anchor, months), "periods are counted from the anchor"
        assert day_of(at - TICK, full.zone) < day_of(at, full.zone), "a period begins with its day"


def unit_prices(line: Line) -> list[Fraction]:
    """The full price of each unit of a line, the first one first; the first of a part brings its flat
    amount.
    """
    prices = []
    for part in line.parts:
        flats = [Fraction(part.flat_amount)] + [Fraction(0)] * (part.units - 1)
        prices += [Fraction(part.unit_amount) + flat for flat in flats[: part.units]]
    return prices


def value_of(line: Line) -> Fraction:
    """What the parts of a line cost in a full period."""
    return sum(
        (part.units * Fraction(part.unit_amount) + Fraction(part.flat_amount) for part in line.parts),
        Fraction(0),
    )


def last_units(line: Line, left: int, units: int) -> Fraction:
    """What the last of the units that are left of a line cost in a full period."""
    size = line.parts[0].pack
    if units == line.quantity:
        return value_of(line)
    if size is not None:
        emptied = -(-left // size) - -(-(left - units) // size)
        return emptied * Fraction(line.parts[0].unit_amount)
    return sum(unit_prices(line)[left - units : left], Fraction(0))


def credit_amount(credit: Line, charge: Line, *, left: int, units_left: int) -> int:
    """What a credit should come to: the share of its units' price, never above what is left; from the
    charge's first day the last units take all that is left.
    """
    if credit.quantity == units_left and credit.period.start <= charge.period.start:
        return -left
    share = Fraction(credit.share.numerator, credit.share.denominator) if credit.share else Fraction(1)
    exact = last_units(charge, units_left, credit.quantity) * share
    return -max(0, min(left, half_away(exact, credit.amount.currency)))


def seat_at(version: PlanPrice, metric: Item, agreed: Sequence[Override], at: datetime) -> SeatPrice:
    """The price of a metric at an instant: for each aspect what was agreed last of all that is in force."""
    seat = next(price for price in version.seats if price.metric.code == metric)
    seat = base = seat.listed or seat
    for override in agreed:
        over = override.ends_at is not None and override.ends_at <= at
        for_it = override.plan in {None, version.plan} and override.interval in {None, version.interval}
        if override.metric != metric or override.starts_at > at or over or not for_it:
            continue
        price = base if Aspect.PRICE in override.withdrawn else override.price
        if isinstance(price, OwnPrice | SeatPrice):
            seat = replace(seat, model=price.model, tiers=price.tiers, package_size=price.package_size)
        minimum = base.minimum if Aspect.MINIMUM in override.withdrawn else override.minimum
        seat = seat if minimum is None else replace(seat, minimum=minimum)
    return seat


def limit_of(segment: Segment, version: PlanPrice, committed: int, agreed: Sequence[Override]) -> int:
    """How many seats may be in use when a segment ends: those committed, with what is granted until then."""
    included = next(seat.included for seat in version.seats if seat.metric.code == segment.metric)
    granted, last = 0, segment.period.end - TICK
    for override in agreed:
        over = override.ends_at is not None and override.ends_at <= last
        if override.metric == segment.metric and override.starts_at <= last and not over:
            said = 0 if Aspect.GRANTED in override.withdrawn else override.granted
            granted = granted if said is None else said
    return max(committed, included) + granted


def levels(
    events: Sequence[SeatEvent], period: Period, granularity: Granularity
) -> Iterator[tuple[datetime, int, int]]:
    """Each level of a period: an instant that it is priced by, its units of time, and the seats."""
    if granularity is Granularity.SECOND:
        inside = {e.delta.effective_at for e in events if period.start < e.delta.effective_at < period.end}
        for since, until in pairwise(sorted({period.start, period.end} | inside)):
            seats = sum(e.delta.net for e in events if e.delta.effective_at <= since)
            yield since, (until - since) // timedelta(seconds=1), seats
        return
    nets: dict[date, int] = {}
    for event in events:
        day = day_of(event.delta.effective_at, period.zone)
        nets[day] = nets.get(day, 0) + event.delta.net
    first, end = day_of(period.start, period.zone), day_of(period.end, period.zone)
    days = [first + DAY * i for i in range((end - first).days)]
    before = sum(net for day, net in nets.items() if day < first)
    totals = list(accumulate((nets.get(day, 0) for day in days), initial=before))[1:]
    for day, seats in zip(days, totals, strict=True):
        yield midnight(day + DAY, period.zone) - TICK, 1, seats


def people(events: Sequence[SeatEvent], period: Period) -> int:
    """Everybody who holds a seat at some instant; a seat without a name counts each time it is taken."""
    held: dict[str | None, int] = {}
    nets: dict[datetime, dict[str | None, int]] = {}
    for event in events:
        who = event.delta.holder.reference if event.delta.holder else None
        at = max(event.delta.effective_at, period.start - TICK)
        of_instant = nets.setdefault(at, {})
        of_instant[who] = of_instant.get(who, 0) + event.delta.net
    held = nets.pop(period.start - TICK, {})
    seen = {who for who, seats in held.items() if who and seats > 0}
    nameless = held.get(None, 0)
    for at in sorted(at for at in nets if at < period.end):
        for who, net in nets[at].items():
            held[who] = held.get(who, 0) + net
            seen |= {who} if who and held[who] > 0 else set()
            nameless += 0 if who else max(0, net)
    return len(seen) + nameless


def should_be(
    segment: Segment, version: PlanPrice, events: Sequence[SeatEvent], agreed: Sequence[Override]
) -> int:
    """What a segment comes to by all that was told of its metric, in minor units."""
    granularity = version.granularity
    weighed = list(levels(events, segment.period, granularity))
    whole = length(segment.full, granularity)
    share = Fraction(length(segment.period, granularity), whole)
    if not weighed:
        return 0
    seat = seat_at(version, segment.metric, agreed, weighed[0][0])

    def exact() -> Fraction:
        match seat.basis:
            case ChargingBasis.PEAK:
                highest = max(seats for _, _, seats in weighed)
                return full_price(seat, billed_quantity(seat, highest)) * share
            case ChargingBasis.ACTIVE:
                return full_price(seat, billed_quantity(seat, people(events, segment.period))) * share
            case ChargingBasis.OVERAGE:
                assert seat.overage_amount is not None
                assert segment.limit is not None
                last = sum(e.delta.net for e in events if e.delta.effective_at < segment.period.end)
                return max(0, last - segment.limit) * Fraction(seat.overage_amount) * share
        counted = [seats for _, _, seats in weighed]
        if seat.basis is ChargingBasis.INCREASES:
            earlier = Period(segment.opened, segment.period.start, segment.period.zone)
            highest = max((seats for _, _, seats in levels(events, earlier, granularity)), default=0)
            counted = list(accumulate(counted, max, initial=highest))[1:]
        total = Fraction(0)
        for (at, units, _), seats in zip(weighed, counted, strict=True):
            price = seat_at(version, segment.metric, agreed, at)
            total += full_price(price, billed_quantity(price, seats)) * Fraction(units, whole)
        return total

    return half_away(exact(), version.currency)
