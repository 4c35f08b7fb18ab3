"""Lines in arrears against the oracle, which looks at every day (or second) and at every person by itself."""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from fractions import Fraction
from itertools import pairwise
from random import Random
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.billing.arrears import Late, Segment, adjustment, usage_line
from app.billing.ledger import BalanceKind, Delta, EventSource, Holder
from app.billing.lines import Left, LineKind
from app.billing.money import Currency, Money
from app.billing.periods import Granularity, Period
from app.billing.plans import ChargingBasis, PlanPrice, SeatPrice
from app.billing.usage import Held, Usage
from tests.billing.oracle import a_price, billed_quantity, full_price, half_away, tie
from tests.builders import EDITOR, instant, plan_price, started

SEED = 20260423
SEGMENTS = 9_000
IN_ARREARS = tuple(basis for basis in ChargingBasis if basis.in_arrears)
MARCH = instant("2026-03-01")
TREATMENT = started().lines[0].line.tax
EVENTS = (UUID(int=5), UUID(int=6))
BILLED, BILLED_FIRST = UUID(int=4), UUID(int=3)
Event = tuple[int, str | None, int]
"""A second after 1 March, who (None: nobody knows), and how many seats more or fewer."""


@dataclass(frozen=True)
class Setting:
    """Three months from March of seats in use under one price, and the stretch of them that is billed."""

    currency: Currency
    seat: SeatPrice
    version: PlanPrice
    start: int
    end: int
    full: int
    opened: int
    limit: int | None
    people: dict[str, int]
    unnamed: int
    events: list[Event]

    @property
    def unit(self) -> int:
        """The seconds of what is counted."""
        return 86_400 if self.version.granularity is Granularity.DAY else 1

    @property
    def share(self) -> Fraction:
        return Fraction(self.end // self.unit - self.start // self.unit, self.full // self.unit)

    def level(self, before: int) -> int:
        """The seats in use when a second comes."""
        nets = sum(net for at, _, net in self.events if at < before)
        return sum(self.people.values()) + self.unnamed + nets

    def levels(self, since: int, until: int) -> list[tuple[int, int]]:
        """Each level of a stretch with its seconds; a day counts as a whole, with the level at its end."""
        if self.unit > 1:
            days = range(since // self.unit, until // self.unit)
            return [(self.level((day + 1) * self.unit), self.unit) for day in days]
        cuts = sorted({since, until, *(at for at, _, _ in self.events if since < at < until)})
        return [(self.level(one + 1), two - one) for one, two in pairwise(cuts)]

    def price_of(self, level: int) -> Fraction:
        return full_price(self.seat, billed_quantity(self.seat, level))

    def exact(self) -> Fraction:
        """What the stretch comes to, in major units."""
        weighed = self.levels(self.start, self.end)
        match self.seat.basis:
            case ChargingBasis.PEAK:
                highest = max(level for level, _ in weighed)
                return self.price_of(highest) * self.share
            case ChargingBasis.ACTIVE:
                return self.price_of(active(self)) * self.share
            case ChargingBasis.OVERAGE:
                assert self.seat.overage_amount is not None
                assert self.limit is not None
                over = max(0, self.level(self.end) - self.limit)
                return over * Fraction(self.seat.overage_amount) * self.share
        highest, total = 0, Fraction(0)
        if self.seat.basis is ChargingBasis.INCREASES:
            highest = max((level for level, _ in self.levels(self.opened, self.start)), default=0)
        for level, seconds in weighed:
            highest = max(highest, level)
            counted = highest if self.seat.basis is ChargingBasis.INCREASES else level
            total += self.price_of(counted) * Fraction(seconds, self.full)
        return total


def active(setting: Setting) -> int:
    """Everybody who holds a seat at some instant of the stretch; a seat without a name counts each time that
    it is taken.
    """
    held, nameless = dict(setting.people), setting.unnamed
    before = [event for event in setting.events if event[0] < setting.start]
    for _, who, net in before:
        if who is None:
            nameless += net
        else:
            held[who] = held.get(who, 0) + net
    seen = {who for who, seats in held.items() if seats > 0}
    for at, who, net in setting.events:
        if setting.start <= at < setting.end:
            if who is None:
                nameless += max(0, net)
            else:
                held[who] = held.get(who, 0) + net
                seen |= {who} if held[who] > 0 else set()
    return len(seen) + nameless


def some_events(random: Random, people: dict[str, int], unnamed: int, seconds: int) -> list[Event]:
    """Each at a second of its own; nobody gives back what they do not hold."""
    held: dict[str | None, int] = {None: unnamed}
    held.update(people)
    found: list[Event] = []
    seconds_drawn = random.sample(range(seconds), random.randrange(9))
    for at in sorted(each - each % 86_400 * (random.random() < 0.2) for each in seconds_drawn):
        who = random.choice((None, "ann", "ben", "cem", "dua", "eli"))
        if found and found[-1][0] >= at:
            continue
        net = random.choice([each for each in (-2, -1, 1, 2, 5) if held.get(who, 0) + each >= 0])
        held[who] = held.get(who, 0) + net
        found.append((at, who, net))
    return found


def a_setting(random: Random, basis: ChargingBasis) -> Setting:
    """A stretch at the start, at the end or inside of a full period of 28 to 31 days."""
    overage = basis is ChargingBasis.OVERAGE
    limits: dict[str, Any] = {"included": random.choice((0, 0, 2)), "minimum": random.choice((0, 0, 3))}
    currency, seat = a_price(random, **limits)
    amount = seat.tiers[0].unit_amount
    seat = replace(seat, basis=basis, overage_amount=amount if overage else None)
    granularity = random.choice(tuple(Granularity))
    unit = 86_400 if granularity is Granularity.DAY else 1
    full_start, full = random.randrange(0, 40) * 86_400, random.choice((28, 30, 31)) * 86_400
    one, two = sorted(random.sample(range(full // unit + 1), 2))
    if random.random() < 0.5:
        one, two = random.choice(((0, full // unit), (0, two), (one, full // unit)))
        one, two = (one, two) if one < two else (0, full // unit)
    people = {who: random.randrange(3) for who in ("ann", "ben", "cem")}
    unnamed = random.randrange(3)
    return Setting(
        currency=currency,
        seat=seat,
        version=plan_price(seat, currency=currency.code, granularity=granularity),
        start=full_start + one * unit,
        end=full_start + two * unit,
        full=full,
        opened=full_start + random.choice((0, one)) * unit,
        limit=random.randrange(8) if overage else None,
        people=people,
        unnamed=unnamed,
        events=some_events(random, people, unnamed, 75 * 86_400),
    )


def at(second: int) -> datetime:
    return MARCH + timedelta(seconds=second)


def usage_of(setting: Setting) -> Usage:
    """The same ledger as the rules read it."""
    known = {who: seats for who, seats in setting.people.items() if seats}
    held = Held(len(known), sum(known.values()), known)
    deltas = tuple(
        Delta(
            EDITOR,
            BalanceKind.IN_USE,
            max(0, net),
            max(0, -net),
            at(second),
            EventSource.REPORT,
            Holder(who) if who else None,
        )
        for second, who, net in setting.events
    )
    return Usage(held.seats + setting.unnamed, held, deltas)


def compare(random: Random, basis: ChargingBasis, tally: Counter[object], seed: object) -> None:
    """The line of one segment, and its adjustment if something else had been billed."""
    setting = a_setting(random, basis)
    start = at(setting.start)
    full = Period(start, start + timedelta(seconds=setting.full), "UTC")
    period = Period(start, at(setting.end), "UTC")
    segment = Segment(EDITOR, setting.version.id, period, full, at(setting.opened), setting.limit)
    line = usage_line(segment, setting.version, usage_of(setting), TREATMENT, 7)
    exact = setting.exact()
    expected = half_away(exact, setting.currency)
    assert (line.amount.minor if line else 0) == expected, (seed, setting, line)
    if line:
        assert (line.item, line.period, line.price) == (EDITOR, period, setting.version.id)
        assert (line.tax, line.cycle, line.reverses) == (TREATMENT, 7, None)
        kind = LineKind.OVERAGE if basis is ChargingBasis.OVERAGE else LineKind.USAGE
        assert line.kind is kind
    tally[basis] += 1
    tally["ties"] += tie(exact, setting.currency)

    billed = max(0, random.choice((expected, expected + random.randrange(-50, 50))))
    first = random.randrange(billed + 1)
    charges = {BILLED: billed - first, BILLED_FIRST: first}
    left = (
        Left(line, None, start, Money(minor, setting.currency), TREATMENT) for line, minor in charges.items()
    )
    late = Late(segment, setting.version, EVENTS, tuple(left))
    adjusted = adjustment(late, usage_of(setting), TREATMENT, 0)
    assert sum(each.amount.minor for each in adjusted) == expected - billed, (seed, setting, adjusted)
    for each in adjusted:
        assert (each.kind, each.period, each.late) == (LineKind.ADJUSTMENT, period, EVENTS)
        assert (each.reverses is None) == (expected > billed)
        assert each.reverses is None or charges[each.reverses] >= -each.amount.minor > 0
    assert len({each.reverses for each in adjusted}) == len(adjusted)
    tally["adjustments"] += bool(adjusted)


@pytest.mark.long
def test_thousands_of_segments_agree_with_the_oracle(capsys: pytest.CaptureFixture[str]) -> None:
    """Every basis with every model, by days and by seconds, whole periods and parts, and adjustments."""
    random, tally = Random(SEED), Counter[object]()
    for i in range(SEGMENTS):
        compare(random, IN_ARREARS[i % len(IN_ARREARS)], tally, (SEED, i))
    with capsys.disabled():
        sys.stdout.write(f"\n{SEGMENTS} segments in arrears agree, seed {SEED}: {dict(tally)}\n")

    assert tally["ties"] > 50
    assert tally["adjustments"] > SEGMENTS / 3


@given(st.integers(0, 2**64), st.sampled_from(IN_ARREARS))
def test_segments_agree_with_the_oracle(seed: int, basis: ChargingBasis) -> None:
    """The same from seeds that differ from run to run."""
    random, tally = Random(seed), Counter[object]()
    for _ in range(10):
        compare(random, basis, tally, seed)
