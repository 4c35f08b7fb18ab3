"""From a quantity to the priced parts of it.

A part is what a tier contributes: so many units at so much, plus a flat amount. Lines keep their parts, so
that a credit years later takes back what was billed then, and so that the formula of a line can be read off.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import assert_never

from app.billing.plans import PricingModel, SeatPrice, Tier

NOTHING = Decimal(0)
KEPT = 8192
"""How many prices are kept: what many subscribe to at one price is priced once."""


@dataclass(frozen=True, slots=True)
class Part:
    """`units` × `unit_amount` + `flat_amount` for a full period, in major units; `pack` is the seats of a
    pack if units are packs; `own` if the amounts are the customer's own and not the plan's.
    """

    units: int
    unit_amount: Decimal
    flat_amount: Decimal = NOTHING
    pack: int | None = None
    own: bool = False

    @property
    def exact(self) -> Fraction:
        return self.units * Fraction(self.unit_amount) + Fraction(self.flat_amount)


def exact_amount(parts: Iterable[Part]) -> Fraction:
    """What parts cost in a full period, in major units, not rounded."""
    return _exact(tuple(parts))


@lru_cache(KEPT)
def _exact(parts: tuple[Part, ...]) -> Fraction:
    return sum((part.exact for part in parts), Fraction(0))


def price(seat: SeatPrice, quantity: int) -> tuple[Part, ...]:
    """The parts of a whole quantity in a full period. The first tier counts as entered at quantity 0.

    per unit: quantity × unit · graduated: each tier entered, its units × unit + flat · volume: quantity ×
    unit + flat of the tier that holds it · stairstep: the flat amount of that tier · package: started packs ×
    the flat amount of the only tier.
    """
    return _marked(seat, _whole(seat, quantity))


def _whole(seat: SeatPrice, quantity: int) -> tuple[Part, ...]:
    match seat.model:
        case PricingModel.PER_UNIT:
            return (Part(quantity, seat.tiers[0].unit_amount),)
        case PricingModel.GRADUATED:
            return _graduated(seat.tiers, before=None, after=quantity)
        case PricingModel.VOLUME:
            tier = _tier_of(seat.tiers, quantity)
            return (Part(quantity, tier.unit_amount, tier.flat_amount),)
        case PricingModel.STAIRSTEP:
            return (Part(quantity, NOTHING, _tier_of(seat.tiers, quantity).flat_amount),)
        case PricingModel.PACKAGE:
            started = packs(quantity, seat.package_size)
            return (Part(started, seat.tiers[0].flat_amount, pack=seat.package_size),)
        case _:
            assert_never(seat.model)


def packs(quantity: int, size: int) -> int:
    """How many packs a quantity starts."""
    return -(-quantity // size)


def price_added(seat: SeatPrice, *, before: int, after: int) -> tuple[Part, ...]:
    """The parts of the seats above `before` up to `after`, in the tiers they enter. Only for models that
    extend.
    """
    if not seat.model.extends:
        raise ValueError(f"{seat.model.value} prices a quantity as a whole")
    if seat.model is PricingModel.PER_UNIT:
        return _marked(seat, (Part(after - before, seat.tiers[0].unit_amount),))
    return _marked(seat, _graduated(seat.tiers, before=before, after=after))


def last_units(parts: tuple[Part, ...], units: int) -> tuple[Part, ...]:
    """The priced parts of the last `units` of a line's parts; a flat amount comes along with the last unit of
    its part.
    """
    taken: list[Part] = []
    for part in reversed(parts):
        if not units:
            break
        count = min(units, part.units)
        flat = part.flat_amount if count == part.units else NOTHING
        taken.append(replace(part, units=count, flat_amount=flat))
        units -= count
    return tuple(reversed(taken))


def without_last_units(parts: tuple[Part, ...], units: int) -> tuple[Part, ...]:
    """What stays of a line's parts after its last `units` were taken; the counterpart of `last_units`."""
    kept = list(parts)
    while units and kept:
        part = kept.pop()
        count = min(units, part.units)
        if count < part.units:
            kept.append(replace(part, units=part.units - count))
        units -= count
    return tuple(kept)


def _marked(seat: SeatPrice, parts: tuple[Part, ...]) -> tuple[Part, ...]:
    """The parts, each saying so if its amounts are the customer's own."""
    return tuple(replace(part, own=True) for part in parts) if seat.own else parts


def _graduated(tiers: tuple[Tier, ...], *, before: int | None, after: int) -> tuple[Part, ...]:
    """The parts between two quantities; `before` None means that nothing was entered yet, not even the first
    tier.
    """
    parts, start = [], 0
    for tier in tiers:
        if start and start >= after:
            break
        end = after if tier.up_to is None else min(after, tier.up_to)
        units = max(0, end - max(start, before or 0))
        entered_before = before is not None and (before > start or start == 0)
        flat = NOTHING if entered_before else tier.flat_amount
        if units or flat:
            parts.append(Part(units, tier.unit_amount, flat))
        start = after if tier.up_to is None else tier.up_to
    return tuple(parts)


def _tier_of(tiers: tuple[Tier, ...], quantity: int) -> Tier:
    return next(tier for tier in tiers if tier.up_to is None or quantity <= tier.up_to)
