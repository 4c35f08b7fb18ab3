"""The lines that charge: a period in advance, seats added inside one, a new quantity or price for the rest of
it.
"""

from __future__ import annotations

from dataclasses import dataclass

from app.billing.lines import Line, LineKind, formula
from app.billing.money import rounded
from app.billing.periods import Period, Share
from app.billing.plans import BASE_FEE, Item, PlanPrice, SeatPrice
from app.billing.pricing import NOTHING, Part, exact_amount, price, price_added
from app.billing.taxes import TaxTreatment


@dataclass(frozen=True, slots=True)
class Charging:
    """Under which price version, for what time and share of it, and how taxed. `free` charges the quantity at
    nothing.
    """

    version: PlanPrice
    period: Period
    share: Share | None
    tax: TaxTreatment
    cycle: int
    free: bool = False

    def base_fee(self, kind: LineKind) -> Line | None:
        """The base fee; None if the plan has none."""
        fee = self.version.base_fee
        if not fee.minor:
            return None
        parts = (Part(0, NOTHING, NOTHING if self.free else fee.amount),)
        return self._line(BASE_FEE, kind, 1, parts, "seat")

    def quantity(self, kind: LineKind, seat: SeatPrice, quantity: int) -> Line | None:
        """A whole billed quantity; None if there is nothing to bill for it."""
        parts = price(seat, quantity)
        if not quantity and not exact_amount(parts):
            return None
        parts = (Part(quantity, NOTHING),) if self.free else parts
        return self._line(seat.metric.code, kind, quantity, parts, seat.metric.unit)

    def added(self, seat: SeatPrice, *, before: int, after: int) -> Line:
        """The seats above a billed quantity, in the tiers they enter."""
        parts = (
            (Part(after - before, NOTHING),) if self.free else price_added(seat, before=before, after=after)
        )
        return self._line(seat.metric.code, LineKind.ADDED, after - before, parts, seat.metric.unit)

    def whole(self, kind: LineKind, committed: dict[Item, int]) -> tuple[Line, ...]:
        """Every advance item of the price version: the base fee, and each metric by its committed seats."""
        seats = (
            self.quantity(kind, seat, seat.purchased(committed.get(seat.metric.code, 0)))
            for seat in self.version.seats
        )
        return tuple(line for line in (self.base_fee(kind), *seats) if line is not None)

    def _line(self, item: Item, kind: LineKind, quantity: int, parts: tuple[Part, ...], unit: str) -> Line:
        currency = self.version.currency
        exact = exact_amount(parts)
        if self.share:
            exact *= self.share.exact
        return Line(
            item=item,
            kind=kind,
            quantity=quantity,
            parts=parts,
            share=self.share,
            period=self.period,
            amount=rounded(exact, currency),
            formula=formula(parts, unit, self.share, currency),
            tax=self.tax,
            price=self.version.id,
            cycle=self.cycle,
        )
