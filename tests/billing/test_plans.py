"""What a plan bills, limits and offers."""

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.billing.money import CURRENCIES
from app.billing.periods import BillingInterval
from app.billing.plans import ChargingBasis, SeatMetric
from tests.builders import EDITOR, VIEWER, offered, plan_price, seat_price


@pytest.mark.parametrize(
    ("committed", "included", "minimum", "purchased"),
    [(15, 5, 0, 10), (5, 5, 0, 0), (3, 5, 0, 0), (2, 0, 10, 10), (2, 4, 10, 6), (12, 4, 10, 8)],
)
def test_billed_is_what_was_committed_less_what_is_included(
    committed: int, included: int, minimum: int, purchased: int
) -> None:
    """max(committed, minimum) − included, not below 0: 15 with 5 included are 10, 2 of at least 10 are 10."""
    assert seat_price(included=included, minimum=minimum).purchased(committed) == purchased


@given(st.integers(0, 50), st.integers(0, 50), st.integers(0, 50), st.integers(0, 10))
def test_the_limit_is_never_below_what_was_committed_or_included(
    committed: int, included: int, minimum: int, granted: int
) -> None:
    """The limit is max(committed, included) + granted; the minimum is billed, but gives no seats."""
    limit = seat_price(included=included, minimum=minimum).limit(committed, granted)

    assert limit == max(committed, included) + granted


def test_seats_that_are_billed_by_their_use_have_no_limit() -> None:
    """Any number may be in use, whatever was committed."""
    assert replace(seat_price(), basis=ChargingBasis.PEAK).limit(5, 1) is None


def test_a_plan_is_sold_by_interval_and_currency() -> None:
    """A price is found by both, and there may be none."""
    month, year = plan_price(), plan_price(interval=BillingInterval.YEAR)
    euros = plan_price(currency="EUR")
    (plan,) = offered(month, year, euros)

    assert plan.price(BillingInterval.YEAR, month.currency) is year
    assert plan.price(BillingInterval.MONTH, CURRENCIES["EUR"]) is euros
    assert plan.price(BillingInterval.QUARTER, month.currency) is None
    assert plan.price(BillingInterval.YEAR, euros.currency) is None


def test_yearly_amounts_compare_intervals() -> None:
    """10 a month are 120 a year, 30 a quarter are 120 too."""
    assert plan_price().yearly(Fraction(10)) == 120
    assert plan_price(interval=BillingInterval.QUARTER).yearly(Fraction(30)) == 120


def test_a_price_is_found_by_its_metric() -> None:
    """A plan has one price for each metric, and none for a metric that it does not have."""
    price = plan_price(seat_price(), seat_price("5.00", VIEWER))

    assert price.seat(VIEWER) is price.seats[1]
    assert price.seat("guest") is None
    assert price.currency is CURRENCIES["USD"]


def test_one_seat_is_a_seat() -> None:
    """The word for a unit takes an s for every count but one."""
    metric = SeatMetric(EDITOR, "Editor", "licence")

    assert [metric.units(count) for count in (0, 1, 2)] == ["licences", "licence", "licences"]


@pytest.mark.parametrize(
    ("label", "unit", "counted"),
    [
        ("Editor", "seat", "2 Editor seats"),
        ("Editor seats", "seat", "2 Editor seats"),
        ("Senior editor seats", "seat", "2 Senior editor seats"),
        ("Floating Licence", "licence", "2 Floating licences"),
        ("Seats", "seat", "2 Seats seats"),
    ],
)
def test_a_label_that_ends_with_the_unit_does_not_say_it_twice(label: str, unit: str, counted: str) -> None:
    """Documents say `2 Editor seats` for both labels, and so do messages."""
    assert SeatMetric(EDITOR, label, unit).counted(2) == counted
