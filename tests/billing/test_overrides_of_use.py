"""Use is billed by what was agreed at the time; seats that were granted are no overage."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.billing.overrides import Override, stretches
from app.billing.periods import Granularity, Period
from app.billing.plans import ChargingBasis
from app.billing.renewals import bring_up
from tests.billing.agreements import agreed, some_overrides, unit, with_overrides
from tests.billing.playing import in_use
from tests.billing.strategies import ZONES
from tests.billing.test_histories import a_catalog
from tests.builders import (
    EDITOR,
    VIEWER,
    ids,
    instant,
    plan_price,
    seat_price,
    started,
)

seeds = st.integers(0, 2**64)
APRIL = Period(instant("2026-04-01"), instant("2026-05-01"), "UTC")


def used(basis: ChargingBasis, *overrides: Override, seats: int = 12, **rest: Any) -> list[str]:
    """The lines of April for so many seats in use all the time, as they are billed on 1 May."""
    price = plan_price(replace(seat_price(**rest), basis=basis))
    state = in_use(started(price), EDITOR, seats)
    *_, last = bring_up(with_overrides(state, *overrides), instant("2026-05-01"), ids(state))
    lines = (line for line in last.posting.lines if line.kind.in_arrears)
    return [f"{line.formula} = {line.amount.amount}" for line in lines]


@pytest.mark.parametrize("basis", [ChargingBasis.PEAK, ChargingBasis.PRORATED, ChargingBasis.INCREASES])
def test_use_is_billed_by_what_was_agreed_at_the_time(basis: ChargingBasis) -> None:
    """12 seats in use all April; 6.00 are agreed at noon of the 16th: that day is the first at 6.00. 12 ×
    10.00 × 15/30 = 60.00 and 12 × 6.00 × 15/30 = 36.00. An own maximum, or the same price for others, or one
    from May on makes no difference.
    """
    noon = "2026-04-16 12:00"

    assert used(basis, agreed(price=unit("6.00"), since=noon)) == [
        "12 seats × 10.00 USD × 15/30 days = 60.00",
        "12 seats × 6.00 USD × 15/30 days = 36.00",
    ]
    assert used(basis, agreed(price=unit("6.00"), since="2026-04-02")) == [
        "12 seats × 10.00 USD × 1/30 days = 4.00",
        "12 seats × 6.00 USD × 29/30 days = 69.60",
    ]
    for idle in (
        agreed(maximum=90, since=noon),
        agreed(1, VIEWER, price=unit("6.00"), since=noon),
        agreed(price=unit("6.00"), since="2026-05-01"),
        agreed(price=unit("6.00"), until=instant("2026-04-01")),
    ):
        assert used(basis, idle) == ["12 seats × 10.00 USD = 120.00"]


def test_an_agreement_for_a_part_of_a_day_prices_nothing() -> None:
    """6.00 from ten to eleven in the morning of the 16th: the level of a day is that of its end, and so is
    its price.
    """
    hour = agreed(price=unit("6.00"), since="2026-04-16 10:00", until=instant("2026-04-16 11:00"))

    assert used(ChargingBasis.PEAK, hour) == ["12 seats × 10.00 USD = 120.00"]


@given(seeds)
def test_stretches_tile_their_period(seed: int) -> None:
    """One after the other they are the period, and neighbours cost differently."""
    random = Random(seed)
    prices = a_catalog(random)
    overrides, price = some_overrides(random, prices), random.choice(prices)
    start = instant("2026-01-01") + timedelta(hours=random.randrange(24 * 60))
    period = Period(start, start + timedelta(hours=random.randrange(1, 24 * 60)), random.choice(ZONES))

    parts = list(stretches(price, EDITOR, overrides, period))

    edges = [part.start for part, _ in parts] + [period.end]
    assert [(part.start, part.end) for part, _ in parts] == list(pairwise(edges))
    assert edges[0] == period.start
    for (_, one), (_, other) in pairwise(parts):
        assert one.seat(EDITOR) != other.seat(EDITOR)


def test_overage_counts_the_seats_that_were_granted_at_the_end_of_the_month() -> None:
    """12 in use on 10 committed seats, at 3.00 for each above the limit. Two are granted until May: no
    overage in April. Until the midnight before its last day: two.
    """
    price: dict[str, Any] = {"overage_amount": Decimal("3.00")}

    until_may = agreed(granted=2, until=instant("2026-05-01"))
    until_the_last = agreed(granted=2, until=instant("2026-04-30"))

    assert used(ChargingBasis.OVERAGE, until_may, **price) == []
    assert used(ChargingBasis.OVERAGE, until_the_last, **price) == ["2 seats × 3.00 USD = 6.00"]


@pytest.mark.parametrize(
    ("granularity", "turns"), [(Granularity.DAY, "2026-04-16"), (Granularity.SECOND, "2026-04-16 12:00")]
)
def test_another_price_counts_from_its_day_or_its_second(granularity: Granularity, turns: str) -> None:
    """6.00 from noon of the 16th: counted in days from midnight, counted in seconds from noon."""
    version = plan_price(granularity=granularity)
    parts = list(stretches(version, EDITOR, (agreed(price=unit("6.00"), since="2026-04-16 12:00"),), APRIL))

    assert [part.end for part, _ in parts] == [instant(turns), APRIL.end]
    assert [seat.own for _, each in parts for seat in each.seats] == [False, True]


@pytest.mark.parametrize("since", ["2026-04-01", "2026-05-01"])
def test_another_price_from_an_edge_of_the_period_does_not_divide_it(since: str) -> None:
    """One stretch, at the price that it begins with."""
    agreement = agreed(price=unit("6.00"), since=since)
    version = plan_price()

    assert [part for part, _ in stretches(version, EDITOR, (agreement,), APRIL)] == [APRIL]


def test_what_is_agreed_on_a_metric_that_the_price_does_not_have_divides_nothing() -> None:
    """Viewers are agreed on, and the plan has editors only."""
    agreement = agreed(1, VIEWER, price=unit("6.00"), since="2026-04-16")

    assert list(stretches(plan_price(), VIEWER, (agreement,), APRIL)) == [(APRIL, plan_price())]
