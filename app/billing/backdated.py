"""Committed seats that the vendor tells late, or corrects, for time that is over.

What decisions billed for seats in advance is never recomputed as a whole. What is told is: for each stretch
of time under one price, the seats cost so much with it, and so much without it. The difference is one line,
under the price and the tax of its days. It never goes beyond what the stretch should cost less what was
billed for it: seats that nobody billed are not given back, and seats that stayed paid are not charged again.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from fractions import Fraction
from itertools import accumulate
from uuid import UUID

from app.billing.arrears import Segment
from app.billing.ledger import Delta
from app.billing.lines import MINUS, Left, Line, LineKind, formula, taken_back
from app.billing.money import Currency, Money, decimal_text, rounded, total
from app.billing.periods import Granularity, Period, Share, first_instant, local_day
from app.billing.plans import PlanPrice, PricingModel, SeatPrice
from app.billing.pricing import Part, exact_amount, price, price_added
from app.billing.taxes import TaxTreatment
from app.billing.usage import Run, Usage, runs


@dataclass(frozen=True, slots=True)
class Stretch:
    """Time that was paid in advance under one price, for one metric: what is left of the lines that charged
    for it, newest first.
    """

    segment: Segment
    version: PlanPrice
    charges: tuple[Left, ...]

    @property
    def billed(self) -> Money:
        return total((charge.amount for charge in self.charges), self.version.currency)


@dataclass(frozen=True, slots=True)
class Told:
    """Committed seats of one metric as they are told: the events, the ledger as it was known before them, and
    the stretches of closed time that they reach into; the ledger begins before these.
    """

    deltas: tuple[Delta, ...]
    known: Usage
    closed: tuple[Stretch, ...] = ()

    @property
    def net(self) -> int:
        """By how many seats the balance of today moves."""
        return sum(delta.net for delta in self.deltas)

    @property
    def since(self) -> datetime:
        return min(delta.effective_at for delta in self.deltas)

    @property
    def until(self) -> datetime | None:
        """When what is told is over, because a total that was stated for later is kept; None if it stays."""
        return None if self.net else max(delta.effective_at for delta in self.deltas)

    @property
    def right(self) -> Usage:
        """The ledger with what is told."""
        return self.known.with_events(self.deltas)

    def within(self, period: Period, granularity: Granularity, until: datetime | None) -> Period | None:
        """The part of a period for which it is told and that is over at an instant (None: all of it); None if
        there is none.
        """
        start, end = period.start, period.end
        if self.since > start:
            start = period.rest_from(min(self.since, end), granularity).start
        ends = [at for at in (self.until, until) if at is not None and at < end]
        if ends:
            day_begins = first_instant(local_day(min(ends), period.zone), period.zone)
            end = min(ends) if granularity is Granularity.SECOND else day_begins
        return Period(start, end, period.zone) if start < end else None


@dataclass(frozen=True, slots=True)
class Difference:
    """What a stretch of unchanged seats costs more (or less) for what is told: priced parts if it is a price
    of seats by themselves.
    """

    quantity: int
    parts: tuple[Part, ...]
    share: Share
    exact: Fraction
    formula: str


def backdated_lines(
    told: Told,
    stretch: Stretch,
    tax: TaxTreatment,
    cycle: int,
    *,
    until: datetime | None = None,
    to_come: Mapping[UUID, Money] | None = None,
) -> tuple[Line, ...]:
    """The line of one stretch, or of what of it is over at an instant; none if nothing comes of it. Below 0
    it takes back from the lines that charged for it; what these charged for the time `to_come` stays theirs,
    so that their seats can still be given back.
    """
    version, segment = stretch.version, stretch.segment
    seat = version.seat(segment.metric)
    period = told.within(segment.period, version.granularity, until) if seat else None
    if seat is None or period is None:
        return ()
    found = list(_differences(seat, told, period, whole_of(stretch), version.currency))
    exact = sum((difference.exact for difference in found), Fraction(0))
    computed = rounded(exact, version.currency)
    open_yet = _should(seat, told, stretch) - stretch.billed
    billed = total(
        (charge.amount for charge in stretch.charges if charge.since < period.end), version.currency
    )
    amount = _limited(computed, open_yet, billed, lines=len(stretch.charges))
    if not amount.minor:
        return ()
    single = found[0] if len(found) == 1 and amount == computed else None
    text = " + ".join(difference.formula for difference in found)
    line = Line(
        item=segment.metric,
        kind=LineKind.BACKDATED,
        quantity=max(difference.quantity for difference in found),
        parts=single.parts if single else (),
        share=single.share if single and single.parts else None,
        period=period,
        amount=amount,
        formula=text if amount == computed else _limit(text, open_yet, stretch.billed),
        tax=tax,
        price=version.id,
        cycle=cycle,
    )
    return taken_back(line, [charge for charge in stretch.charges if charge.since < period.end], to_come)


def whole_of(stretch: Stretch) -> Share:
    """The full period that the price of a stretch is for."""
    granularity = stretch.version.granularity
    length = stretch.segment.full.length(granularity)
    return Share(length, length, granularity)


def levels(told: Told, period: Period, granularity: Granularity) -> Iterator[tuple[Run, Run]]:
    """The seats without and with what is told, and how long each pair of them lasted, in their order."""
    without, right = (runs(usage, period, granularity) for usage in (told.known, told.right))
    ends = [list(accumulate(run.units for run in each)) for each in (without, right)]
    reached = 0
    for end in sorted({*ends[0], *ends[1]}):
        before, after = without[bisect_left(ends[0], end)].level, right[bisect_left(ends[1], end)].level
        yield Run(before, end - reached), Run(after, end - reached)
        reached = end


def _differences(
    seat: SeatPrice, told: Told, period: Period, whole: Share, currency: Currency
) -> Iterator[Difference]:
    """One difference for each pair of billed quantities, with all the time it lasted. Where each seat has
    the same price, pairs that differ by as many seats are the same.
    """
    units: dict[tuple[int, int], int] = {}
    for before, after in levels(told, period, whole.granularity):
        pair = seat.purchased(before.level), seat.purchased(after.level)
        if seat.model is PricingModel.PER_UNIT:
            pair = pair[0] - min(pair), pair[1] - min(pair)
        units[pair] = units.get(pair, 0) + before.units
    for (before_quantity, after_quantity), count in units.items():
        if before_quantity != after_quantity:
            share = replace(whole, numerator=count)
            yield _difference(seat, before_quantity, after_quantity, share, currency)


def _difference(seat: SeatPrice, before: int, after: int, share: Share, currency: Currency) -> Difference:
    unit, removed = seat.metric.unit, after < before
    if seat.model.extends:
        low, high = sorted((before, after))
        parts = price_added(seat, before=low, after=high)
        exact = -exact_amount(parts) if removed else exact_amount(parts)
        text = formula(parts, unit, share, currency, credit=removed)
        return Difference(high - low, parts, share, exact * share.exact, text)
    old, new = price(seat, before), price(seat, after)
    text = f"({formula(new, unit, None, currency)} {MINUS} {formula(old, unit, None, currency)})"
    text = text if share.whole else f"{text} × {share}"
    exact = (exact_amount(new) - exact_amount(old)) * share.exact
    return Difference(abs(after - before), (), share, exact, text)


def _should(seat: SeatPrice, told: Told, stretch: Stretch) -> Money:
    """What a whole stretch costs with what is told, each level by the time it lasted."""
    whole, version = whole_of(stretch), stretch.version
    levels = runs(told.right, stretch.segment.period, version.granularity)
    each = (
        exact_amount(price(seat, seat.purchased(run.level))) * Fraction(run.units, whole.denominator)
        for run in levels
    )
    return rounded(sum(each, Fraction(0)), version.currency)


def _limited(computed: Money, open_yet: Money, billed: Money, *, lines: int) -> Money:
    """A difference within what is open, and no more given back than was billed; the roundings of so many
    lines are no reason to limit it.
    """
    zero = Money.zero(computed.currency)
    if abs((computed - open_yet).minor) <= lines + 1:
        return max(computed, -billed)
    if computed.minor > 0:
        return min(computed, max(open_yet, zero))
    return max(computed, min(open_yet, zero), -billed)


def _limit(text: str, open_yet: Money, billed: Money) -> str:
    """`max(−5 seats × 15.00 USD, 30.00 − 75.00 USD)`: no further than from what was billed to what should be
    billed.
    """
    should, was = (decimal_text(money.amount, billed.currency) for money in (open_yet + billed, billed))
    chosen = "min" if open_yet.minor > 0 else "max"
    return f"{chosen}({text}, {should} {MINUS} {was} {billed.currency})"
