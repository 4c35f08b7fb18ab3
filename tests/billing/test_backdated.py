"""Committed seats told late, against a calculation of the tests' own that goes day by day."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from random import Random
from uuid import UUID

from app.billing.arrears import Segment
from app.billing.backdated import Stretch, Told, backdated_lines
from app.billing.ledger import BalanceKind, Delta, EventSource
from app.billing.lines import Left, Line, LineKind
from app.billing.money import Currency, Money
from app.billing.periods import Period
from app.billing.plans import SeatPrice
from app.billing.usage import Usage
from tests.billing.oracle import NOTHING, a_price, billed_quantity, full_price, half_away
from tests.builders import EDITOR, instant, plan_price, started

SEED = 20261121
CASES = 5_000
APRIL = instant("2026-04-01")
DAYS = 30
TREATMENT = started().lines[0].line.tax
BILLED = UUID(int=9)


def at_noon(day: int, net: int) -> Delta:
    """Seats committed or given up at noon of a day of April; a day below 1 lies before it."""
    at = APRIL + timedelta(days=day - 1, hours=12)
    return Delta(EDITOR, BalanceKind.COMMITTED, max(0, net), max(0, -net), at, EventSource.REPORT)


def midnight(day: int) -> datetime:
    return APRIL + timedelta(days=day - 1)


@dataclass(frozen=True)
class Case:
    """Days of April under one price, the seats that were known of them, and what is told of them late."""

    currency: Currency
    price: SeatPrice
    opening: int
    known: tuple[Delta, ...]
    told: tuple[Delta, ...]
    first: int
    end: int

    @classmethod
    def drawn(cls, chance: Random) -> Case:
        included, minimum = chance.choice([0, 0, 3]), chance.choice([0, 0, 5])
        currency, price = a_price(chance, included=included, minimum=minimum)
        known = [at_noon(chance.randrange(1, 31), chance.randrange(5)) for _ in range(3)]
        since, net = chance.randrange(-5, 31), chance.choice([-4, -1, 2, 7])
        told = [at_noon(since, net)]
        if chance.random() < 0.3:
            told.append(at_noon(chance.randrange(max(since, 1), 35), -net))
        first, end = sorted(chance.sample(range(1, 32), 2))
        known.sort(key=lambda delta: delta.effective_at)
        return cls(currency, price, chance.randrange(5, 30), tuple(known), tuple(told), first, end)

    def difference(self) -> int:
        """What the days cost more for what is told, in minor units, rounded once."""
        return half_away(self._exact(self.known + self.told) - self._exact(self.known), self.currency)

    def _exact(self, events: tuple[Delta, ...]) -> Fraction:
        levels = [
            self.opening + sum(event.net for event in events if event.effective_at < midnight(day + 1))
            for day in range(self.first, self.end)
        ]
        return sum((full_price(self.price, billed_quantity(self.price, n)) for n in levels), NOTHING) / DAYS

    def line(self) -> Line | None:
        """What the rules make of it, if what was billed is what was due."""
        version = plan_price(self.price, currency=self.currency.code)
        full = Period(APRIL, midnight(DAYS + 1), "UTC")
        days = Period(midnight(self.first), midnight(self.end), "UTC")
        segment = Segment(EDITOR, version.id, days, full, full.start)
        billed = Money(half_away(self._exact(self.known), self.currency), self.currency)
        stretch = Stretch(segment, version, (Left(BILLED, None, days.start, billed, TREATMENT),))
        told = Told(self.told, Usage(self.opening, events=self.known))
        found = backdated_lines(told, stretch, TREATMENT, 3)
        return found[0] if found else None


def test_the_difference_is_that_of_each_day() -> None:
    """Random prices of every model, ledgers, and seats told late that stay or end where a total was stated:
    a stretch comes to the sum over its days, rounded once. A credit takes back the line that billed it.
    """
    chance, seen = Random(SEED), Counter[str]()
    for number in range(CASES):
        case = Case.drawn(chance)
        line, expected = case.line(), case.difference()

        assert (line.amount.minor if line else 0) == expected, f"case {number}: {line}"
        if line:
            assert (line.kind, line.reverses) == (LineKind.BACKDATED, BILLED if expected < 0 else None)
            assert midnight(case.first) <= line.period.start < line.period.end <= midnight(case.end)
        seen["more" if expected > 0 else "less" if expected else "nothing"] += 1
    assert min(seen["more"], seen["less"], seen["nothing"]) > CASES // 20, seen
