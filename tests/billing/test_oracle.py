"""The amounts of lines against a second calculation that shares no code, written from the rules in words.

The oracle prices seat by seat and rounds by adding a half; the rules price by tier and round by remainder.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import timedelta
from fractions import Fraction
from random import Random
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from app.billing.charges import Charging
from app.billing.credits import TakingBack
from app.billing.lines import BilledLine, LineKind
from app.billing.money import Money
from app.billing.periods import Period, Share
from app.billing.plans import PlanPrice, PricingModel, SeatPrice
from tests.billing.strategies import EXTENDING, SOME_CURRENCIES
from tests.builders import EDITOR, instant, plan_price, seat_price, started

LINES_PER_EXAMPLE = 150
STARTED = started()
TREATMENT = STARTED.lines[0].line.tax


@dataclass(frozen=True)
class Case:
    """One line: a price, a quantity that changes, and the days that are left of a period."""

    price: PlanPrice
    before: int
    after: int
    days: int
    of_days: int

    @property
    def seat(self) -> SeatPrice:
        return self.price.seats[0]

    @property
    def share(self) -> Fraction:
        return Fraction(self.days, self.of_days)


def a_case(random: Random, models: tuple[PricingModel, ...] = tuple(PricingModel)) -> Case:
    """Prices with up to two digits more than the currency; half of the periods are cut in half, for ties."""
    currency = random.choice(SOME_CURRENCIES)
    digits = currency.digits + random.choice((0, 0, 1, 2))

    def amount() -> str:
        return f"{random.randrange(0, 30 * 10**digits)}e-{digits}"

    bounds: list[int | None] = sorted(random.sample(range(1, 30), random.randrange(4)))  # type: ignore[assignment]
    steps = [(bound, amount(), random.choice(("0", amount()))) for bound in (*bounds, None)]
    seat = seat_price("0", EDITOR, *steps, model=random.choice(models), package_size=random.randrange(1, 9))
    of_days = random.choice((28, 30, 31, 365))
    days = random.choice((of_days // 2, random.randrange(1, of_days + 1)))
    before, after = sorted((random.randrange(40), random.randrange(40)))
    return Case(plan_price(seat, currency=currency.code), before, after, days, of_days)


def full_price(seat: SeatPrice, quantity: int) -> Fraction:
    """What so many seats cost in a full period, seat by seat."""
    if seat.model is PricingModel.PER_UNIT:
        return quantity * Fraction(seat.tiers[0].unit_amount)
    if seat.model is PricingModel.PACKAGE:
        return math.ceil(Fraction(quantity, seat.package_size)) * Fraction(seat.tiers[0].flat_amount)

    def tier_number(of_seat: int) -> int:
        return sum(tier.up_to is not None and tier.up_to < of_seat for tier in seat.tiers)

    tier = seat.tiers[tier_number(quantity)]
    if seat.model is PricingModel.STAIRSTEP:
        return Fraction(tier.flat_amount)
    if seat.model is PricingModel.VOLUME:
        return quantity * Fraction(tier.unit_amount) + Fraction(tier.flat_amount)
    entered = {0, *(tier_number(each) for each in range(1, quantity + 1))}
    units = [Fraction(seat.tiers[tier_number(each)].unit_amount) for each in range(1, quantity + 1)]
    return sum([*units, *(Fraction(seat.tiers[number].flat_amount) for number in entered)], Fraction(0))


def half_away(amount: Fraction, digits: int) -> int:
    """Whole minor units, halves away from zero."""
    away: int = math.floor(abs(amount) * int(10**digits) + Fraction(1, 2))
    return away if amount >= 0 else -away


def charging(case: Case) -> Charging:
    period = Period(instant("2026-04-01"), instant("2026-05-01"), "UTC")
    return Charging(case.price, period, Share(case.days, case.of_days), TREATMENT, 0)


def credit_of(case: Case, units: int, left: Money) -> Money:
    """What the rules give back for the last `units` of a line for `after` seats of which `left` is left."""
    full = Period(instant("2026-01-01"), instant("2026-01-01") + timedelta(days=case.of_days), "UTC")
    line = charging(case).quantity(LineKind.PERIOD, case.seat, case.after)
    assert line is not None
    billed = BilledLine(UUID(int=1), replace(line, period=full), None, left, case.after)
    subscription = replace(STARTED.subscription, period=full, full_period=full)
    at = full.end - timedelta(days=case.days)
    return TakingBack(subscription, at, case.price, full=False).units(billed, units).amount


@given(st.integers(0, 2**64))
def test_charges_agree_with_the_oracle(seed: int) -> None:
    """A whole quantity costs P(q) × share, added seats (P(after) − P(before)) × share, each rounded once."""
    random = Random(seed)
    for _ in range(LINES_PER_EXAMPLE):
        case = a_case(random)
        digits = case.price.currency.digits
        line = charging(case).quantity(LineKind.PERIOD, case.seat, case.after)
        exact = full_price(case.seat, case.after) * case.share
        assert (line.amount.minor if line else 0) == half_away(exact, digits), (seed, case)
        if case.seat.model.extends:
            added = charging(case).added(case.seat, before=case.before, after=case.after)
            exact = (full_price(case.seat, case.after) - full_price(case.seat, case.before)) * case.share
            assert added.amount.minor == half_away(exact, digits), (seed, case)


@given(st.integers(0, 2**64))
def test_credits_agree_with_the_oracle(seed: int) -> None:
    """Units given back are −(P(q) − P(q − units)) × share rounded once, and never more than is left."""
    random = Random(seed)
    for _ in range(LINES_PER_EXAMPLE):
        case = a_case(random, EXTENDING)
        units = case.after - case.before
        if not case.before or not units:
            continue
        digits = case.price.currency.digits
        left = Money(random.randrange(0, 10 ** (digits + 3)), case.price.currency)
        exact = (full_price(case.seat, case.after) - full_price(case.seat, case.before)) * case.share
        expected = max(-left.minor, half_away(-exact, digits))
        assert credit_of(case, units, left).minor == expected, (seed, case)


def test_the_oracle_meets_ties_of_both_signs_in_every_currency() -> None:
    """Among 3,000 lines many lie exactly between two units, in currencies of 0, 2 and 3 digits."""
    random = Random(2026)
    ties = dict.fromkeys(SOME_CURRENCIES, 0)
    for case in (a_case(random) for _ in range(3_000)):
        currency = case.price.currency
        scaled = full_price(case.seat, case.after) * case.share * 10**currency.digits
        ties[currency] += scaled.denominator == 2

    assert min(ties.values()) > 40, ties
