"""Seats given back out of packs: only a pack that nobody needs any more comes back."""

import pytest

from app.billing.credits import TakingBack
from app.billing.lines import BilledLine
from app.billing.plans import PricingModel
from tests.builders import EDITOR, instant, money, plan_price, seat_price, started

PACKS = plan_price(seat_price("0", EDITOR, (None, "0", "30.00"), model=PricingModel.PACKAGE, package_size=5))


@pytest.mark.parametrize(
    ("left", "units", "credit"),
    [
        (12, 1, "0.00"),
        (12, 2, "-15.00"),
        (12, 7, "-30.00"),
        (10, 1, "0.00"),
        (10, 5, "-15.00"),
        (6, 1, "-15.00"),
    ],
)
def test_half_of_the_month_of_each_emptied_pack_comes_back(left: int, units: int, credit: str) -> None:
    """12 seats are three packs of 5 at 30.00; earlier credits left two or three of them, and each one that is
    emptied half way gives back 30.00 × 15/30.
    """
    state = started(PACKS, editor=12)
    (billed,) = state.lines
    rest = BilledLine(billed.id, billed.line, billed.document, billed.left, left, billed.at)

    taken = TakingBack(state.subscription, instant("2026-04-16"), PACKS, full=False).units(rest, units)

    assert taken.amount == money(credit)
    assert taken.quantity == units
