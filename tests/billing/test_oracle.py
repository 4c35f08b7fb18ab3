"""The amounts of single lines against the oracle: every model, kind of line and proration mode."""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import dataclass, replace
from datetime import timedelta
from fractions import Fraction
from random import Random
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.billing.charges import Charging
from app.billing.credits import TakingBack
from app.billing.lines import BilledLine, Line, LineKind
from app.billing.money import Currency, Money
from app.billing.moves import AXES, Measure
from app.billing.periods import Period, Share
from app.billing.plans import PlanPrice, PricingModel, ProrationMode, SeatPrice
from tests.billing.oracle import (
    ALL,
    BY_SEAT,
    CHARGED,
    CREDITED,
    NONE,
    Charge,
    a_price,
    full_price,
    give_back,
    half_away,
    seat_values,
    tie,
)
from tests.billing.strategies import SOME_CURRENCIES
from tests.builders import EDITOR, instant, plan_price, started

SEED = 20260421
ROUNDS = 1_500
"""For each of 5 models and 5 modes; a round makes two charges or more, and as many credits."""

STARTED = started()
TREATMENT = STARTED.lines[0].line.tax
NEW_YEAR = instant("2026-01-01")
PLACE = (LineKind.PERIOD, LineKind.CHANGED)


@dataclass(frozen=True)
class Setting:
    """A price, and the days that are left of a period at a charge and at a credit."""

    currency: Currency
    seat: SeatPrice
    version: PlanPrice
    mode: ProrationMode
    days: int
    days_then: int
    of_days: int

    @property
    def period(self) -> Period:
        """The full period, from New Year."""
        return Period(NEW_YEAR, NEW_YEAR + timedelta(days=self.of_days), "UTC")

    def factor(self, measure: str, days: int) -> Fraction:
        """What a full price is multiplied with."""
        if measure == NONE:
            return Fraction(0)
        return Fraction(1) if measure == ALL else Fraction(days, self.of_days)

    def charging(self, *, at_once: bool = False) -> Charging:
        """The rules' charging for what is left, by the axes of the mode."""
        measure = AXES[self.mode].charge
        period = Period(self.period.end - timedelta(days=self.days), self.period.end, "UTC")
        shared = Share(self.days, self.of_days) if at_once or measure is not Measure.ALL else None
        free = not at_once and measure is Measure.NOTHING
        return Charging(self.version, period, shared, TREATMENT, 0, free=free)

    def taking_back(self) -> TakingBack:
        """The rules' way of giving back later, by the axes of the mode."""
        subscription = replace(STARTED.subscription, period=self.period, full_period=self.period)
        at = self.period.end - timedelta(days=self.days_then)
        return TakingBack(subscription, at, self.version, full=AXES[self.mode].credit is Measure.ALL)


def a_setting(random: Random, model: PricingModel, mode: ProrationMode) -> Setting:
    """Half of the periods are cut in half, for ties."""
    currency, seat = a_price(random, model)
    of_days = random.choice((28, 30, 31, 365))
    days = random.choice((of_days // 2, of_days, random.randrange(1, of_days + 1)))
    days_then = random.choice((days, (days + 1) // 2, random.randrange(days + 1)))
    return Setting(currency, seat, plan_price(seat, currency=currency.code), mode, days, days_then, of_days)


class Tally:
    """How many lines were compared, of which kinds, and how many of them were ties."""

    def __init__(self) -> None:
        self.kinds: Counter[LineKind] = Counter()
        self.ties: Counter[tuple[str, bool]] = Counter()

    def compare(self, line: Line, exact: Fraction, expected: int, setting: Setting, seed: object) -> None:
        """Compare one line; `exact` is its amount before it was rounded or capped."""
        assert line.amount.minor == expected, (seed, line.kind, setting, line.formula)
        self.kinds[line.kind] += 1
        if tie(exact, setting.currency):
            self.ties[setting.currency.code, expected < 0] += 1

    @property
    def lines(self) -> int:
        return self.kinds.total()


def compare_charges(
    random: Random, setting: Setting, tally: Tally, seed: object
) -> list[tuple[Line, Charge]]:
    """A whole quantity, and what is added to another; with what the oracle books of both."""
    before, after = sorted((random.randrange(40), random.randrange(40)))
    seat, kind, day = setting.seat, random.choice(PLACE), setting.of_days - setting.days
    by_seat, measure = seat.model in BY_SEAT, CHARGED[setting.mode]
    # A period is billed by its share whatever the mode; the same mode then says what of it comes back.
    at_once = kind is LineKind.PERIOD
    free = not at_once and measure == NONE
    factor = setting.factor("share" if at_once else measure, setting.days)
    price = full_price(seat, after)
    made = []
    line = setting.charging(at_once=at_once).quantity(kind, seat, after)
    assert (line is None) == (not after and not price), (seed, setting)
    if line:
        amount = half_away(price * factor, setting.currency)
        tally.compare(line, price * factor, amount, setting, seed)
        values = seat_values(seat, after=0, upto=after, opening=True) if by_seat else None
        values = [Fraction(0)] * after if free else values
        whole = Fraction(0) if free else price
        made.append(
            (line, Charge(EDITOR, kind.value, after, values, whole, amount, amount, after, day, "", free))
        )
    if (by_seat or measure == NONE) and after > before:
        values = seat_values(seat, after=before, upto=after, opening=False) if by_seat else []
        values = values if measure != NONE else [Fraction(0)] * (after - before)
        exact = sum(values, Fraction(0)) * setting.factor(measure, setting.days)
        amount, count = half_away(exact, setting.currency), after - before
        added = setting.charging().added(seat, before=before, after=after)
        tally.compare(added, exact, amount, setting, seed)
        booked = Charge(
            EDITOR,
            "ADDED",
            count,
            values,
            sum(values, Fraction(0)),
            amount,
            amount,
            count,
            day,
            "",
            measure == NONE,
        )
        made.append((added, booked))
    return made


def compare_credits(
    random: Random, setting: Setting, line: Line, charge: Charge, tally: Tally, seed: object
) -> None:
    """Some seats of a charge given back, then all the rest of it; of a part of them something is gone."""
    taking, measure = setting.taking_back(), CREDITED[setting.mode]
    factor = setting.factor(measure, setting.days_then)
    if measure == NONE:
        return
    if random.random() < 0.3:
        charge.left = random.randrange(charge.left + 1)
    left = Money(charge.left, setting.currency)
    billed = BilledLine(UUID(int=1), line, None, left, charge.seats_left, line.period.start)
    day = setting.of_days - setting.days_then
    if charge.values is not None and charge.seats_left > 1:
        seats = random.randrange(1, charge.seats_left)
        exact = -charge.price_of_last(seats) * factor
        credit = taking.units(billed, seats)
        tally.compare(credit, exact, give_back(charge, seats, factor, day, setting.currency), setting, seed)
        billed = replace(billed, left=billed.left + credit.amount, units_left=billed.units_left - seats)
    if charge.seats_left:
        exact = -charge.price_of_last(charge.seats_left) * factor
        (unused,) = taking.everything([billed])
        expected = give_back(charge, charge.seats_left, factor, day, setting.currency)
        tally.compare(unused, exact, expected, setting, seed)


def compare(random: Random, model: PricingModel, mode: ProrationMode, tally: Tally, seed: object) -> None:
    """One round: charges, and credits for them."""
    setting = a_setting(random, model, mode)
    for line, charge in compare_charges(random, setting, tally, seed):
        compare_credits(random, setting, line, charge, tally, seed)


@pytest.mark.long
def test_a_hundred_thousand_lines_agree_with_the_oracle(capsys: pytest.CaptureFixture[str]) -> None:
    """Every model in every mode: charges of a whole quantity and of seats added, credits for some seats and
    for all. Ties of both signs occur in currencies of no, two and three digits.
    """
    random, tally = Random(SEED), Tally()
    for model in PricingModel:
        for mode in ProrationMode:
            for _ in range(ROUNDS):
                compare(random, model, mode, tally, SEED)
    with capsys.disabled():
        sys.stdout.write(f"\n{tally.lines} lines agree, seed {SEED}: {tally.ties}\n")

    assert tally.lines >= 100_000
    assert (
        min(tally.kinds[kind] for kind in (*PLACE, LineKind.ADDED, LineKind.CREDIT, LineKind.UNUSED)) > 5_000
    )
    for currency in SOME_CURRENCIES:
        assert min(tally.ties[currency.code, negative] for negative in (True, False)) > 500


@given(st.integers(0, 2**64), st.sampled_from(PricingModel), st.sampled_from(ProrationMode))
def test_lines_agree_with_the_oracle(seed: int, model: PricingModel, mode: ProrationMode) -> None:
    """The same from seeds that differ from run to run."""
    random, tally = Random(seed), Tally()
    for _ in range(20):
        compare(random, model, mode, tally, seed)
