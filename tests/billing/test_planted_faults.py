"""Faults that billing systems have had, planted one at a time: the state machine finds each of them soon.

Every life is played from a fixed seed, so that a fault is found or missed the same on every run.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest

from app.billing import arrears, effects
from app.billing.arrears import Reckoned
from app.billing.charges import Charging
from app.billing.credits import TakingBack
from app.billing.lines import BilledLine, Line, LineKind
from app.billing.money import Currency
from app.billing.moves import Measure
from app.billing.periods import Grid, Period, Share, share_of
from app.billing.plans import PlanPrice, SeatPrice
from app.billing.pricing import price
from app.billing.state import State
from app.billing.subscriptions import Subscription, midnight_of
from app.billing.usage import Run
from tests.billing.test_machine import play

pytestmark = pytest.mark.long  # They test the tests, not the rules.

LIVES = 60
"""Within how many lives a fault has to be found. None of them finds anything in the rules as they are."""


def found(message: str) -> int | None:
    """After how many lives the machine says so; None if it never does."""
    for seed in range(LIVES):
        try:
            play(seed)
        except AssertionError as failed:
            if message in str(failed):
                return seed + 1
    return None


def test_the_lives_of_these_tests_are_sound() -> None:
    """Without a fault, none of the lives fails; and they hold what the faults need."""
    lives = [play(seed) for seed in range(LIVES)]

    assert sum(life.quotes for life in lives) > LIVES
    assert sum(life.tells for life in lives) > LIVES
    assert sum(len(life.closed) for life in lives) > LIVES
    assert sum(life.adjusted for life in lives) > LIVES / 10


def test_a_drifting_anchor_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A renewal that counts from the period before and not from the anchor: 31 January, 28 February, 28
    March.
    """
    renewed = Subscription.renewed

    def drifting(self: Subscription, version: PlanPrice) -> Subscription:
        now = renewed(self, version)
        grid = Grid(midnight_of(self.full_period.end, self.zone), version.interval.step, self.zone)
        full = Period(now.period.start, grid.boundary(1), self.zone)
        return replace(now, period=full, full_period=full)

    monkeypatch.setattr(Subscription, "renewed", drifting)

    assert found("periods are counted from the anchor")


def test_a_credit_by_the_price_of_today_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A credit that prices the seats given back by what such seats cost today, instead of by the parts of the
    line that billed them.
    """
    credit = TakingBack._credit

    def by_today(self: TakingBack, billed: BilledLine, units: int, kind: LineKind) -> Line:
        seat = self.version.seat(billed.line.item)
        parts = price(seat, billed.line.quantity) if seat else billed.line.parts
        return credit(self, replace(billed, line=replace(billed.line, parts=parts)), units, kind)

    monkeypatch.setattr(TakingBack, "_credit", by_today)

    assert found("a credit is what was billed for the time that is left")


def test_an_advance_price_of_days_that_are_over_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A new quantity that is priced anew from the first day of the period, as if it had been there all the
    time.
    """
    charging = effects._charging

    def from_the_start(state: State, version: PlanPrice, charge: Measure, at: object) -> Charging:
        asked = charging(state, version, charge, at)  # type: ignore[arg-type]
        subscription = state.subscription
        share = share_of(subscription.period, subscription.full_period, version.granularity)
        return replace(asked, period=subscription.period, share=asked.share and share)

    monkeypatch.setattr(effects, "_charging", from_the_start)

    assert found("what is over is not priced anew")


def test_use_at_the_tier_of_later_days_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Use whose every day is priced by the tier that only the highest level of the period reached."""
    by_level = arrears._by_level

    def by_highest(seat: SeatPrice, levels: tuple[Run, ...], share: Share, currency: Currency) -> Reckoned:
        reckoned = by_level(seat, levels, share, currency)
        highest = max((seat.billed(run.level) for run in levels), default=0)
        if not highest:
            return reckoned
        whole = sum((part.exact for part in price(seat, highest)), Fraction(0))
        days = sum(seat.billed(run.level) * run.units for run in levels)
        return replace(reckoned, exact=whole / highest * Fraction(days, share.denominator))

    monkeypatch.setattr(arrears, "_by_level", by_highest)

    assert found("the lines of a segment come to what the ledger says")
