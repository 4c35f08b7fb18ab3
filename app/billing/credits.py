"""The lines that take back. A credit comes from what was billed: newest charge line first, one credit for
each line touched.

Each is computed from the charged line's own parts, rounded once, and never above what is left of that line.
Taking back the last seats of a line from its first day takes exactly what is left, so adding and removing on
one day nets to nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from fractions import Fraction

from app.billing.lines import MINUS, BilledLine, Line, LineKind, formula
from app.billing.money import Money, decimal_text, rounded
from app.billing.periods import Granularity, Period, Share
from app.billing.plans import PlanPrice
from app.billing.pricing import Part, exact_amount, last_units, packs, without_last_units
from app.billing.subscriptions import Subscription


@dataclass(frozen=True, slots=True)
class TakingBack:
    """From when credits count, and how much of a line they cover: the unused share of its period, or (`full`)
    its full price.
    """

    subscription: Subscription
    at: datetime
    version: PlanPrice
    full: bool

    @property
    def granularity(self) -> Granularity:
        return self.version.granularity

    def units(self, billed: BilledLine, units: int) -> Line:
        """The credit for so many of the units that are left of a charge line."""
        assert 0 < units <= billed.units_left, "only what is left can be given back"
        return self._credit(billed, units, LineKind.CREDIT)

    def everything(self, charged: Iterable[BilledLine]) -> tuple[Line, ...]:
        """Credits for the unused time of all that is left of charge lines."""
        return tuple(
            self._credit(billed, billed.units_left, LineKind.UNUSED)
            for billed in charged
            if billed.creditable
        )

    def _credit(self, billed: BilledLine, units: int, kind: LineKind) -> Line:
        line = billed.line
        parts = _parts(billed, units)
        rest, share = self._rest(line)
        amount = self._amount(billed, units, parts, share)
        return Line(
            item=line.item,
            kind=kind,
            quantity=units,
            parts=parts,
            share=None if self.full else share,
            period=rest,
            amount=-amount,
            formula=self._formula(billed, parts, share, amount),
            tax=line.tax,
            price=line.price,
            cycle=self.subscription.cycle,
            reverses=billed.id,
        )

    def _rest(self, line: Line) -> tuple[Period, Share]:
        rest = line.period.rest_from(self.at, self.granularity)
        whole = self.subscription.full_period.length(self.granularity)
        return rest, Share(rest.length(self.granularity), whole, self.granularity)

    def _computed(self, parts: tuple[Part, ...], share: Share, left: Money) -> Money:
        return rounded(exact_amount(parts) * (Fraction(1) if self.full else share.exact), left.currency)

    def _amount(self, billed: BilledLine, units: int, parts: tuple[Part, ...], share: Share) -> Money:
        last = units == billed.units_left
        from_first_day = share.numerator >= billed.line.period.length(self.granularity)
        if last and from_first_day:
            return billed.left
        return capped(self._computed(parts, share, billed.left), left=billed.left)

    def _formula(self, billed: BilledLine, parts: tuple[Part, ...], share: Share, amount: Money) -> str:
        unit = self._unit(billed.line)
        shown = None if self.full else share
        computed = self._computed(parts, share, amount)
        if computed == amount:
            return formula(parts, unit, shown, amount.currency, credit=True)
        if amount < computed:
            return f"{MINUS}min({formula(parts, unit, shown, amount.currency)}, {_left(billed)})"
        return f"{MINUS}{_left(billed)}"

    def _unit(self, line: Line) -> str:
        seat = self.version.seat(line.item)
        return seat.metric.unit if seat else "seat"


def capped(unused: Money, *, left: Money) -> Money:
    """What may be credited of an unused amount: never above what is left of the line, and never below 0."""
    return max(min(unused, left), Money.zero(left.currency))


def _left(billed: BilledLine) -> str:
    """What is left of a line as a sum that can be checked: `(75.00 − 12.50) USD`, billed minus credited;
    `75.00 USD` if nothing was credited yet.
    """
    charged, currency = billed.line.amount, billed.left.currency
    text = decimal_text(charged.amount, currency)
    if charged != billed.left:
        credited = decimal_text((charged - billed.left).amount, currency)
        text = f"({text} {MINUS} {credited})"
    return f"{text} {currency}"


def _parts(billed: BilledLine, units: int) -> tuple[Part, ...]:
    """The priced parts of the units that are taken: the last ones of what earlier credits left."""
    line = billed.line
    if units == line.quantity:
        return line.parts
    if line.parts[0].pack is not None:
        return (_packs_emptied(line.parts[0], line.parts[0].pack, billed.units_left, units),)
    return last_units(without_last_units(line.parts, line.quantity - billed.units_left), units)


def _packs_emptied(part: Part, size: int, left: int, units: int) -> Part:
    """The packs that nobody needs any more when so many of the seats that are left go."""
    return replace(part, units=packs(left, size) - packs(left - units, size))
