"""A quantity becomes priced parts: the five models, and taking parts back."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.billing.plans import PricingModel, SeatPrice
from app.billing.pricing import (
    Part,
    exact_amount,
    last_units,
    price,
    price_added,
    without_last_units,
)
from tests.billing.strategies import EXTENDING, SOME_CURRENCIES, seat_prices
from tests.builders import EDITOR, seat_price

USD = SOME_CURRENCIES[0]
quantities = st.integers(0, 40)
STEPS = ((5, "10.00", "2.00"), (10, "8.00", "3.00"), (None, "6.00", "0"))


@pytest.mark.parametrize(
    ("model", "costs"),
    [
        (PricingModel.GRADUATED, {0: 2, 1: 12, 5: 52, 6: 63, 10: 95, 12: 107}),
        (PricingModel.VOLUME, {0: 2, 1: 12, 5: 52, 6: 51, 10: 83, 12: 72}),
        (PricingModel.STAIRSTEP, {0: 2, 1: 2, 5: 2, 6: 3, 10: 3, 12: 0}),
    ],
)
def test_tiers_cost_what_their_model_says(model: PricingModel, costs: dict[int, int]) -> None:
    """Up to 5 at 10.00 + 2.00, up to 10 at 8.00 + 3.00, then 6.00: the first tier is entered at quantity 0.

    12 graduated: 52 + (5 × 8 + 3 = 43) + 2 × 6 = 107; by volume 12 × 6 = 72; by stairs the last flat amount.
    """
    seat = seat_price("0", EDITOR, *STEPS, model=model)

    assert {quantity: exact_amount(price(seat, quantity)) for quantity in costs} == costs


def test_packages_are_started_packs() -> None:
    """Packs of 10 at 50.00: nothing for 0, one pack for 1 to 10, two for 11."""
    seat = seat_price("0", EDITOR, (None, "0", "50.00"), model=PricingModel.PACKAGE, package_size=10)

    assert [exact_amount(price(seat, quantity)) for quantity in (0, 1, 10, 11)] == [0, 50, 50, 100]
    assert price(seat, 11) == (Part(2, Decimal("50.00"), pack=10),)


def test_seats_that_cross_a_tier_pay_each_tier_its_own() -> None:
    """From 4 to 12: 1 × 10.00, then 5 × 8.00 + 3.00 for entering, then 2 × 6.00; tier one was entered."""
    seat = seat_price("0", EDITOR, *STEPS)

    assert price_added(seat, before=4, after=12) == (
        Part(1, Decimal("10.00")),
        Part(5, Decimal("8.00"), Decimal("3.00")),
        Part(2, Decimal("6.00")),
    )


def test_the_flat_amount_of_a_tier_is_paid_when_it_is_entered() -> None:
    """5 to 6 enters the second tier and pays 8.00 + 3.00; 6 to 7 is in it already and pays 8.00."""
    seat = seat_price("0", EDITOR, *STEPS)

    assert exact_amount(price_added(seat, before=5, after=6)) == 11
    assert exact_amount(price_added(seat, before=6, after=7)) == 8


@given(seat_prices(USD, models=EXTENDING), quantities, quantities, quantities)
def test_added_seats_cost_the_difference(seat: SeatPrice, a: int, b: int, c: int) -> None:
    """For models that extend, P(after) − P(before) is what the seats between cost, in one step or in two."""
    low, middle, high = sorted((a, b, c))
    one_step = exact_amount(price_added(seat, before=low, after=high))

    assert one_step == exact_amount(price(seat, high)) - exact_amount(price(seat, low))
    assert one_step == exact_amount(price_added(seat, before=low, after=middle)) + exact_amount(
        price_added(seat, before=middle, after=high)
    )


@given(seat_prices(USD, models=tuple(PricingModel)), quantities)
def test_parts_hold_the_quantity(seat: SeatPrice, quantity: int) -> None:
    """The units of the parts are the quantity, or for packages the packs that hold it."""
    parts = price(seat, quantity)
    units = sum(part.units for part in parts)

    if seat.model is PricingModel.PACKAGE:
        assert (units - 1) * seat.package_size < quantity <= units * seat.package_size
    else:
        assert units == quantity
    assert exact_amount(parts) == sum((part.exact for part in parts), Fraction(0))


@given(seat_prices(USD, models=EXTENDING), quantities, st.data())
def test_taking_units_in_two_steps_is_taking_them_in_one(
    seat: SeatPrice, quantity: int, data: st.DataObject
) -> None:
    """The last units and what stays of the parts make up the whole, however often they are taken."""
    parts = price(seat, quantity)
    first = data.draw(st.integers(0, quantity))
    second = data.draw(st.integers(0, quantity - first))
    stays = without_last_units(parts, first)

    assert sum(part.units for part in last_units(parts, first)) == first
    assert sum(part.units for part in stays) == quantity - first
    both = exact_amount(last_units(parts, first)) + exact_amount(last_units(stays, second))
    assert both == exact_amount(last_units(parts, first + second))


def test_a_flat_amount_goes_with_the_last_unit_of_its_tier() -> None:
    """Of 7 seats (5 in the first tier, 2 in the second) the last takes 8.00, the last two 16.00 + 3.00."""
    parts = price(seat_price("0", EDITOR, *STEPS), 7)

    assert exact_amount(last_units(parts, 1)) == 8
    assert exact_amount(last_units(parts, 2)) == 19
    assert exact_amount(last_units(parts, 3)) == 29
    assert last_units(parts, 0) == ()
    assert without_last_units(parts, 0) == parts


@pytest.mark.parametrize("model", [model for model in PricingModel if not model.extends])
def test_whole_prices_have_no_price_for_added_seats(model: PricingModel) -> None:
    """Volume, package and stairstep price a quantity as a whole: asking for a part of it is a bug."""
    seat = seat_price("0", EDITOR, *STEPS, model=model)

    with pytest.raises(ValueError, match=f"{model.value} prices a quantity as a whole"):
        price_added(seat, before=1, after=2)
