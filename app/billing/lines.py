"""Billing lines: the append-only record of what was charged and given back. "Billed" always means these
lines.

A line is complete in itself: the priced parts of a full period, the share of it that counts, the amount, and
a formula that a person can check with a pocket calculator. A credit names the line it reverses and is
computed from that line's own parts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from uuid import UUID

from app.billing.money import Currency, Money, decimal_text
from app.billing.periods import Period, Share
from app.billing.plans import BASE_FEE, Item
from app.billing.pricing import KEPT, NOTHING, Part
from app.billing.taxes import TaxTreatment

MINUS = "\u2212"


class LineKind(Enum):
    """Why a line exists.

    PERIOD a whole quantity in advance · ADDED seats added · CHANGED another price for the rest of the time ·
    CREDIT seats given back · UNUSED the time that a price no longer counts, because another one took its
    place · USAGE seats that were in use · OVERAGE seats that were in use above the limit · ADJUSTMENT what a
    late report or a correction makes of a USAGE or OVERAGE line · BACKDATED seats committed in time that is
    over, told late.
    """

    PERIOD = "PERIOD"
    ADDED = "ADDED"
    CHANGED = "CHANGED"
    CREDIT = "CREDIT"
    UNUSED = "UNUSED"
    USAGE = "USAGE"
    OVERAGE = "OVERAGE"
    ADJUSTMENT = "ADJUSTMENT"
    BACKDATED = "BACKDATED"

    @property
    def in_advance(self) -> bool:
        """Whether it charges for time to come, so that something of it can be given back."""
        return self is LineKind.PERIOD or self is LineKind.ADDED or self is LineKind.CHANGED

    @property
    def gives_back(self) -> bool:
        """Whether it gives back something that was charged in advance."""
        return self is LineKind.CREDIT or self is LineKind.UNUSED

    @property
    def in_arrears(self) -> bool:
        """Whether it bills use that is over; such a line is never given back, but adjusted."""
        return self is LineKind.USAGE or self is LineKind.OVERAGE or self is LineKind.ADJUSTMENT


@dataclass(frozen=True, slots=True)
class Line:
    """A line as decided. `quantity` is never negative; the amount of a credit is.

    `parts` price the quantity for a full period, `share` says how much of that period counts (None: the
    amount is no share of time), `period` is the time that is paid for, `cycle` the ordinal of the
    subscription's period in which the line arose. Where several levels make up an amount there are no parts,
    and the quantity is the highest. `late` are the recorded events that an adjustment is for; `raised_from`
    is how many seats were asked for with the renewal, where more were in use; `note` stands on the document
    in place of the usual sentence. A credit by hand has a quantity of 0 and no parts.
    """

    item: Item
    kind: LineKind
    quantity: int
    parts: tuple[Part, ...]
    share: Share | None
    period: Period
    amount: Money
    formula: str
    tax: TaxTreatment
    price: UUID
    cycle: int
    reverses: UUID | None = None
    late: tuple[UUID, ...] = ()
    raised_from: int | None = None
    note: str | None = None

    @property
    def unit_amount(self) -> Decimal | None:
        """The price of one unit, if the line has a single one; a base fee is one unit of itself."""
        if self.item == BASE_FEE and self.parts:
            return self.parts[0].flat_amount
        if len(self.parts) == 1 and not self.parts[0].flat_amount and self.parts[0].pack is None:
            return self.parts[0].unit_amount
        return None

    @property
    def own_price(self) -> bool:
        """Whether it was billed by a price of the customer's own, and not by the plan's list."""
        return any(part.own for part in self.parts)


@dataclass(frozen=True, slots=True)
class BilledLine:
    """A line as recorded: with its id, the document it stands on (None: it waits), what later credits left of
    it, and the instant that it was decided at.
    """

    id: UUID
    line: Line
    document: UUID | None
    left: Money
    units_left: int
    at: datetime

    @property
    def charges(self) -> bool:
        """Whether it charges in advance, so that something of it can be taken back."""
        return self.line.kind.in_advance

    @property
    def creditable(self) -> bool:
        """Whether something of it can be taken back: units, or the amount of a quantity of 0 as a whole."""
        if self.line.quantity:
            return self.units_left > 0
        return self.left.minor != 0 and self.left == self.line.amount


@dataclass(frozen=True, slots=True)
class Left:
    """What is left of a line that charged: since when it charges, where it stands (None: it waits), how it
    was taxed, and whether the claim was given up.
    """

    line: UUID
    document: UUID | None
    since: datetime
    amount: Money
    tax: TaxTreatment
    waived: bool = False


def taken_back(
    line: Line, charges: Sequence[Left], spared: Mapping[UUID, Money] | None = None
) -> tuple[Line, ...]:
    """A line below 0 as credits of the charge lines that it takes back from: one for each, first those that
    can give most, taxed as these were and never above what is left of them. What is spared of a charge is
    taken only when nothing else is left. A line that charges is left as it is.
    """
    if line.amount.minor >= 0:
        return (line,)
    taxes = {charge.line: charge.tax for charge in charges}
    pieces = [
        replace(line, amount=-amount, reverses=charge, tax=taxes[charge])
        for charge, amount in _spread(-line.amount, charges, spared or {}).items()
    ]
    if len(pieces) == 1:
        return tuple(pieces)
    currency = line.amount.currency
    *first, last = (replace(piece, parts=(), share=None) for piece in pieces)
    texts = [f"{decimal_text(-piece.amount.amount, currency)} {currency}" for piece in first]
    wholly = (replace(piece, formula=f"{MINUS}{text}") for piece, text in zip(first, texts, strict=True))
    return (*wholly, replace(last, formula=" + ".join((line.formula, *texts))))


def _spread(amount: Money, charges: Sequence[Left], spared: Mapping[UUID, Money]) -> dict[UUID, Money]:
    """How much of an amount each charge gives."""
    zero = Money.zero(amount.currency)
    left = {charge.line: charge.amount for charge in charges}
    free = {line: max(money - spared.get(line, zero), zero) for line, money in left.items()}
    taken = dict[UUID, Money]()
    for most in (free, left):
        for line in sorted(most, key=lambda line: -most[line].minor):
            before = taken.get(line, zero)
            part = min(amount, most[line] - before)
            if part.minor > 0:
                taken[line], amount = before + part, amount - part
    assert not amount.minor, "no more is taken back than is left"
    return taken


@lru_cache(KEPT)
def formula(
    parts: tuple[Part, ...], unit: str, share: Share | None, currency: Currency, *, credit: bool = False
) -> str:
    """`5 seats × 10.00 USD × 15/30 days`: the sum of the parts, then the share if it is not a whole; credits
    begin with a minus.
    """
    return _formula(parts, unit, share, currency, credit=credit)


def _formula(
    parts: tuple[Part, ...], unit: str, share: Share | None, currency: Currency, *, credit: bool
) -> str:
    terms = [term for part in parts for term in _terms(part, unit, currency)]
    terms = terms or [f"{decimal_text(NOTHING, currency)} {currency}"]
    text = " + ".join(terms)
    shared = share is not None and not share.whole
    if len(terms) > 1 and (shared or credit):
        text = f"({text})"
    if shared:
        text = f"{text} × {share}"
    return f"{MINUS}{text}" if credit else text


def _terms(part: Part, unit: str, currency: Currency) -> list[str]:
    terms = []
    unit_amount = f"{decimal_text(part.unit_amount, currency)} {currency}"
    if part.pack is not None:
        packs = "pack" if part.units == 1 else "packs"
        terms.append(f"{part.units} {packs} of {part.pack} {unit}s × {unit_amount}")
    elif part.units and (part.unit_amount or not part.flat_amount):
        units = unit if part.units == 1 else f"{unit}s"
        terms.append(f"{part.units} {units} × {unit_amount}")
    if part.flat_amount != NOTHING:
        terms.append(f"{decimal_text(part.flat_amount, currency)} {currency}")
    return terms
