"""Drift: how the vendor's list differs from the ledger, and what a month of that is worth."""

from decimal import Decimal
from typing import Any

import pytest

from app.billing.drift import Correction, Drift, Roll, drift
from app.billing.ledger import Holder, SeatLevels
from app.billing.periods import BillingInterval
from app.billing.plans import ChargingBasis, SeatPrice
from tests.builders import EDITOR, money, plan_price, seat_price

ADA, BEN, EVA = Holder("ada"), Holder("ben"), Holder("eva")


def priced(basis: ChargingBasis, **rest: Any) -> SeatPrice:
    """Editors at 10.00 on a basis."""
    seat = seat_price("10.00", **rest)
    overage = Decimal("12.00") if basis is ChargingBasis.OVERAGE else None
    return SeatPrice(
        seat.metric, basis, seat.model, seat.tiers, included=seat.included, overage_amount=overage
    )


def test_people_are_told_apart() -> None:
    """Who is missing is added, who is gone removed with all their seats, seats without a name removed."""
    levels = SeatLevels(committed=10, in_use=6)
    held = {"ada": (ADA, 1), "ben": (BEN, 2)}

    found = drift(Roll(EDITOR, 2, {"ada": ADA, "eva": EVA}), levels, held, None)

    assert (found.missing, found.gone, found.unnamed) == ((EVA,), (BEN,), 3)
    assert found.corrections == (
        Correction(removed=2, holder=BEN),
        Correction(removed=3),
        Correction(added=1, holder=EVA),
    )
    net = sum((each.added or 0) - (each.removed or 0) for each in found.corrections)
    assert levels.in_use + net == found.actual == 2
    assert found.monthly is None


def test_no_drift_needs_no_correction() -> None:
    """The same people, or the same number."""
    levels = SeatLevels(committed=1, in_use=1)

    assert drift(Roll(EDITOR, 1, {"ada": ADA}), levels, {"ada": (ADA, 1)}, plan_price()).corrections == ()
    assert drift(Roll(EDITOR, 1), levels, {}, None).corrections == ()
    assert drift(Roll(EDITOR, 4), levels, {}, None).corrections == (Correction(total=4),)


@pytest.mark.parametrize(
    ("basis", "actual", "monthly"),
    [
        (ChargingBasis.PURCHASED, 12, "20.00"),  # Two more than the ten that are committed.
        (ChargingBasis.PURCHASED, 7, "-30.00"),
        (ChargingBasis.PURCHASED, 10, "0.00"),
        (ChargingBasis.OVERAGE, 12, "24.00"),  # Two above the limit, at 12.00.
        (ChargingBasis.OVERAGE, 7, "0.00"),
        (ChargingBasis.PEAK, 12, "40.00"),  # Four more than the eight that were reported.
        (ChargingBasis.PRORATED, 7, "-10.00"),
        (ChargingBasis.ACTIVE, 8, "0.00"),
    ],
)
def test_a_month_of_it_is_worth(basis: ChargingBasis, actual: int, monthly: str) -> None:
    """Seats paid in advance against what is committed, seats billed by use against what was reported."""
    levels = SeatLevels(committed=10, in_use=8)

    found = drift(Roll(EDITOR, actual), levels, {}, plan_price(priced(basis)))

    assert found.monthly == money(monthly)


def test_a_year_is_told_by_the_month() -> None:
    """A twelfth of what it costs in a year, rounded once; granted and included seats cost nothing."""
    yearly = plan_price(priced(ChargingBasis.PURCHASED, included=3), interval=BillingInterval.YEAR)

    assert drift(Roll(EDITOR, 11), SeatLevels(committed=10), {}, yearly).monthly == money("0.83")
    granted = SeatLevels(committed=10, granted=1)
    assert drift(Roll(EDITOR, 11), granted, {}, yearly).monthly == money("0.00")
    assert drift(Roll(EDITOR, 0), SeatLevels(committed=2), {}, yearly).monthly == money("0.00")


def test_all_that_a_drift_says() -> None:
    """By number: four instead of six, 20.00 less than six committed cost; by people: Eva for Ben, which costs
    40.00 less than six.
    """
    levels, version = SeatLevels(committed=6, in_use=6), plan_price()
    held = {"ada": (ADA, 1), "ben": (BEN, 5)}

    assert drift(Roll(EDITOR, 4), levels, {}, version) == Drift(
        EDITOR, 6, 4, (), (), 0, money("-20.00"), (Correction(total=4),)
    )
    assert drift(Roll(EDITOR, 2, {"ada": ADA, "eva": EVA}), levels, held, version) == Drift(
        EDITOR,
        6,
        2,
        (EVA,),
        (BEN,),
        0,
        money("-40.00"),
        (Correction(removed=5, holder=BEN), Correction(added=1, holder=EVA)),
    )


@pytest.mark.parametrize(
    ("basis", "levels", "actual", "monthly"),
    [
        (ChargingBasis.OVERAGE, SeatLevels(0, 0), 3, "36.00"),
        (ChargingBasis.OVERAGE, SeatLevels(10, 12), 15, "36.00"),
        (ChargingBasis.PURCHASED, SeatLevels(2, 0, 5), 4, "-20.00"),
    ],
)
def test_what_is_over_already_and_what_was_granted_count(
    basis: ChargingBasis, levels: SeatLevels, actual: int, monthly: str
) -> None:
    """Three above a limit of none at 12.00; five above ten, of which two are known; four who all sit in
    granted seats, so that two committed ones are not needed.
    """
    found = drift(Roll(EDITOR, actual), levels, {}, plan_price(priced(basis)))

    assert found.monthly == money(monthly)
