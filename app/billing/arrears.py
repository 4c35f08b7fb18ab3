"""What is billed after it was used: one line for each metric and segment, computed from the ledger.

A segment is a stretch of time under one price: it ends where its price, plan or period ends, and for overage
at every monthly boundary. What a late report or a correction changes in a segment that was billed is an
adjustment: what it should be less what was billed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from fractions import Fraction
from uuid import UUID

from app.billing.lines import MINUS, Left, Line, LineKind, formula, taken_back
from app.billing.money import Currency, Money, decimal_text, rounded, total
from app.billing.periods import MICROSECOND, Granularity, Period, Share, local_day, share_of
from app.billing.plans import ChargingBasis, Item, PlanPrice, SeatPrice
from app.billing.pricing import Part, exact_amount, price
from app.billing.subscriptions import Subscription, SubscriptionStatus
from app.billing.taxes import TaxTreatment
from app.billing.usage import Run, Usage, active, peak, rising, runs


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of use of one metric under one price version. `opened` is when the billing period around it
    began, `full` the period that its price is for, `limit` the seats paid in advance (only for overage).
    """

    metric: Item
    price: UUID
    period: Period
    full: Period
    opened: datetime
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class Late:
    """A segment that was billed, and the events recorded since that reach into it.

    `charges` is what is left of the lines that charged for it, newest first; `told_at` is when the last of
    the events was recorded. If the claim was waived, nothing of it is given back, since nothing was paid.
    """

    segment: Segment
    version: PlanPrice
    events: tuple[UUID, ...]
    charges: tuple[Left, ...] = ()
    told_at: datetime | None = None

    @property
    def billed(self) -> Money:
        return total((charge.amount for charge in self.charges), self.version.currency)

    @property
    def waived(self) -> bool:
        return any(charge.waived for charge in self.charges)


@dataclass(frozen=True, slots=True)
class Reckoned:
    """What a segment comes to: the billed quantity (the highest one), its priced parts and share if it has
    one level, the exact amount in major units, and the formula.
    """

    quantity: int
    parts: tuple[Part, ...]
    share: Share | None
    exact: Fraction
    formula: str


def open_segments(
    subscription: Subscription, version: PlanPrice, limits: dict[Item, int | None], until: datetime
) -> Iterator[Segment]:
    """The segments that are under way, as they are if they end at an instant; none that has not begun, and
    none in a trial or a pause.
    """
    if subscription.status is not SubscriptionStatus.ACTIVE:
        return
    for seat in version.seats:
        if not seat.basis.in_arrears:
            continue
        start = subscription.stretch_start
        full, limit = subscription.full_period, None
        if seat.basis is ChargingBasis.OVERAGE:
            start = max(start, subscription.overage_until)
            months = subscription.monthly
            full, limit = months.period(months.index_at(start)), limits[seat.metric.code]
        if start < until:
            period = Period(start, until, subscription.zone)
            opened = subscription.period.start
            yield Segment(seat.metric.code, version.id, period, full, opened, limit)


def next_overage(subscription: Subscription, version: PlanPrice) -> datetime | None:
    """When a month of overage ends; None if the price has no overage."""
    if not any(seat.basis is ChargingBasis.OVERAGE for seat in version.seats):
        return None
    months = subscription.monthly
    return months.boundary(months.index_at(subscription.overage_until) + 1)


def usage_line(
    segment: Segment, version: PlanPrice, usage: Usage, tax: TaxTreatment, cycle: int
) -> Line | None:
    """The line of a segment; None if nothing was used and nothing is due."""
    seat = _seat(version, segment)
    reckoned = reckon(seat, segment, usage, version.granularity, version.currency)
    if not reckoned.quantity and not reckoned.exact:
        return None
    overage = seat.basis is ChargingBasis.OVERAGE
    return Line(
        item=segment.metric,
        kind=LineKind.OVERAGE if overage else LineKind.USAGE,
        quantity=reckoned.quantity,
        parts=reckoned.parts,
        share=reckoned.share,
        period=segment.period,
        amount=rounded(reckoned.exact, version.currency),
        formula=reckoned.formula,
        tax=tax,
        price=version.id,
        cycle=cycle,
    )


def adjustment(late: Late, usage: Usage, tax: TaxTreatment, cycle: int) -> tuple[Line, ...]:
    """What a billed segment should be less what was billed: a line, or none if that is nothing. Below 0 it is
    one for each line that it takes back from.
    """
    version, segment = late.version, late.segment
    seat = _seat(version, segment)
    reckoned = reckon(seat, segment, usage, version.granularity, version.currency)
    should = rounded(reckoned.exact, version.currency)
    if should == late.billed or (late.waived and should < late.billed):
        return ()
    billed = f"{decimal_text(late.billed.amount, version.currency)} {version.currency}"
    line = Line(
        item=segment.metric,
        kind=LineKind.ADJUSTMENT,
        quantity=reckoned.quantity,
        parts=(),
        share=None,
        period=segment.period,
        amount=should - late.billed,
        formula=f"{reckoned.formula} {MINUS} {billed}",
        tax=tax,
        price=version.id,
        cycle=cycle,
        late=late.events,
    )
    return taken_back(line, late.charges)


def reckon(
    seat: SeatPrice, segment: Segment, usage: Usage, granularity: Granularity, currency: Currency
) -> Reckoned:
    """What a segment comes to, not rounded. A full-period price counts by the segment's share of the full
    period; PRORATED and INCREASES price each level by the time it lasted.
    """
    share = share_of(segment.period, segment.full, granularity)
    match seat.basis:
        case ChargingBasis.OVERAGE:
            assert seat.overage_amount is not None, "the catalog refuses OVERAGE without a price"
            assert segment.limit is not None, "seats paid in advance have a limit"
            over = max(0, usage.level_before(segment.period.end) - segment.limit)
            return _one_level(over, (Part(over, seat.overage_amount),), share, seat, currency)
        case ChargingBasis.ACTIVE:
            people = seat.billed(active(usage, segment.period))
            return _one_level(people, price(seat, people), share, seat, currency)
        case ChargingBasis.PEAK:
            highest = seat.billed(peak(counted(seat, segment, usage, granularity)))
            return _one_level(highest, price(seat, highest), share, seat, currency)
    return _by_level(seat, counted(seat, segment, usage, granularity), share, currency)


def counted(seat: SeatPrice, segment: Segment, usage: Usage, granularity: Granularity) -> tuple[Run, ...]:
    """The levels of a segment in their order; for INCREASES the highest so far in the billing period."""
    levels = runs(usage, segment.period, granularity)
    if seat.basis is not ChargingBasis.INCREASES:
        return levels
    earlier = Period(segment.opened, segment.period.start, segment.period.zone)
    return rising(levels, since=peak(runs(usage, earlier, granularity)))


def _one_level(
    quantity: int, parts: tuple[Part, ...], share: Share, seat: SeatPrice, currency: Currency
) -> Reckoned:
    text = formula(parts, seat.metric.unit, share, currency)
    return Reckoned(quantity, parts, share, exact_amount(parts) * share.exact, text)


def _by_level(seat: SeatPrice, levels: tuple[Run, ...], share: Share, currency: Currency) -> Reckoned:
    """Each billed quantity with all the time that it counted, in the order in which they came; time in which
    nothing was due is left out.
    """
    units: dict[int, int] = {}
    for run in levels:
        quantity = seat.billed(run.level)
        if quantity or exact_amount(price(seat, 0)):
            units[quantity] = units.get(quantity, 0) + run.units
    each = [
        _one_level(quantity, price(seat, quantity), replace(share, numerator=count), seat, currency)
        for quantity, count in units.items()
    ]
    if len(each) <= 1:
        return each[0] if each else _one_level(0, price(seat, 0), share, seat, currency)
    exact = sum((level.exact for level in each), Fraction(0))
    return Reckoned(max(units), (), None, exact, " + ".join(level.formula for level in each))


def _seat(version: PlanPrice, segment: Segment) -> SeatPrice:
    seat = version.seat(segment.metric)
    assert seat is not None, "a segment belongs to a price that has its metric"
    return seat


def taxed_on(segment: Segment) -> date:
    """The last local day of a segment: its tax is that of the day on which the use ended."""
    return local_day(segment.period.end - MICROSECOND, segment.period.zone)
