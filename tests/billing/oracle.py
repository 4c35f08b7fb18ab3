"""A second calculation of what the rules bill, written from the rules in words; it shares no code with them.

It prices seat by seat and rounds by adding a half, where the rules price by tier and round by remainder. What
it takes from the rules are their values (a price with its tiers), never a function of theirs.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from random import Random
from typing import Any

from app.billing.money import Currency
from app.billing.plans import PricingModel, ProrationMode, SeatPrice, Tier
from tests.billing.strategies import SOME_CURRENCIES
from tests.builders import EDITOR, seat_price

NOTHING = Fraction(0)
BY_SEAT = (PricingModel.PER_UNIT, PricingModel.GRADUATED)
"""The models in which one seat more has a price of its own."""

SHARE, ALL, NONE = "share", "all", "none"
CHARGED = {
    ProrationMode.PRORATED_IMMEDIATELY: SHARE,
    ProrationMode.DIFFERENCE_IMMEDIATELY: ALL,
    ProrationMode.FULL_IMMEDIATELY: ALL,
    ProrationMode.PRORATED_ON_NEXT_INVOICE: SHARE,
    ProrationMode.DO_NOT_BILL: NONE,
}
CREDITED = {**CHARGED, ProrationMode.FULL_IMMEDIATELY: NONE}
"""How much of a price a mode charges, and how much of what was billed it gives back."""


def half_away(amount: Fraction, currency: Currency) -> int:
    """Whole minor units, halves away from zero."""
    away: int = math.floor(abs(amount) * int(10**currency.digits) + Fraction(1, 2))
    return away if amount >= 0 else -away


def tie(amount: Fraction, currency: Currency) -> bool:
    """Whether an amount lies exactly between two minor units."""
    return (amount * int(10**currency.digits)).denominator == 2


def tier_of(tiers: Sequence[Tier], seat: int) -> int:
    """The number of the tier in which a seat lies, the first at 0; seat 0 lies in the first."""
    return sum(tier.up_to is not None and tier.up_to < seat for tier in tiers)


def seat_values(price: SeatPrice, *, after: int, upto: int, opening: bool) -> list[Fraction]:
    """What each seat above `after` costs in a full period; the first seat of a tier brings the tier's flat
    amount. That of the first tier is due from the beginning: it comes only with an opening quantity.
    """
    values = []
    for seat in range(after + 1, upto + 1):
        tier = 0 if price.model is PricingModel.PER_UNIT else tier_of(price.tiers, seat)
        value = Fraction(price.tiers[tier].unit_amount)
        enters = seat == 1 or tier != tier_of(price.tiers, seat - 1)
        if price.model is PricingModel.GRADUATED and enters and (opening or seat > 1):
            value += Fraction(price.tiers[tier].flat_amount)
        values.append(value)
    return values


def full_price(price: SeatPrice, quantity: int) -> Fraction:
    """What so many seats cost in a full period."""
    first, tier = price.tiers[0], price.tiers[tier_of(price.tiers, quantity)]
    match price.model:
        case PricingModel.PACKAGE:
            return math.ceil(Fraction(quantity, price.package_size)) * Fraction(first.flat_amount)
        case PricingModel.STAIRSTEP:
            return Fraction(tier.flat_amount)
        case PricingModel.VOLUME:
            return quantity * Fraction(tier.unit_amount) + Fraction(tier.flat_amount)
    if not quantity:
        return Fraction(first.flat_amount) if price.model is PricingModel.GRADUATED else NOTHING
    return sum(seat_values(price, after=0, upto=quantity, opening=True), NOTHING)


def billed_quantity(price: SeatPrice, seats: int) -> int:
    """At least the minimum, less the included ones."""
    return max(0, max(price.minimum, seats) - price.included)


@dataclass
class Charge:
    """A charge as the oracle books it. `values` are the full prices of its seats where they have any by
    themselves; `whole` is the full price of all of it.
    """

    item: str
    kind: str
    quantity: int
    values: list[Fraction] | None
    whole: Fraction
    amount: int
    left: int
    seats_left: int
    day: int
    version: str
    free: bool

    def price_of_last(self, seats: int) -> Fraction:
        """What its last seats cost in a full period."""
        if self.values is None:
            assert seats == self.quantity, "only whole"
            return self.whole
        return sum(self.values[self.seats_left - seats : self.seats_left], NOTHING)


def give_back(charge: Charge, seats: int, share: Fraction, day: int, currency: Currency) -> int:
    """The credit for the last seats of a charge; `share` is 1 where the full price is given back.

    Rounded once, never above what is left; the last seats from the charge's first day take all that is left.
    """
    exact = charge.price_of_last(seats) * share
    amount = charge.left
    if seats != charge.seats_left or day > charge.day:
        amount = max(0, min(charge.left, half_away(exact, currency)))
    charge.left -= amount
    charge.seats_left -= seats
    return -amount


def a_price(random: Random, model: PricingModel | None = None, **limits: Any) -> tuple[Currency, SeatPrice]:
    """Prices above 0 with up to two digits more than their currency, in up to four tiers."""
    currency = random.choice(SOME_CURRENCIES)
    digits = currency.digits + random.choice((0, 0, 1, 2))
    model = model or random.choice(tuple(PricingModel))

    def amount() -> str:
        return f"{random.randrange(1, 30 * 10**digits)}e-{digits}"

    count = 0 if model in {PricingModel.PER_UNIT, PricingModel.PACKAGE} else random.randrange(4)
    bounds: list[int | None] = [*sorted(random.sample(range(1, 30), count)), None]
    always = model in {PricingModel.STAIRSTEP, PricingModel.PACKAGE}
    steps = [(bound, amount(), amount() if always or random.random() < 0.5 else "0") for bound in bounds]
    size = random.randrange(1, 9)
    return currency, seat_price("0", EDITOR, *steps, model=model, package_size=size, **limits)
