"""The sentences that put prices and policies into words. Those of quotes stand in test_preview."""

from dataclasses import replace
from datetime import date

import pytest

from app.api import summaries
from app.billing.parties import Catalog
from app.billing.periods import BillingInterval
from app.billing.plans import ChangeTiming, Item, PlanPrice, PricingModel, ProrationMode, SeatPrice
from app.billing.subscriptions import AtRenewal, CancelAtRenewal, PlanAtRenewal, SeatsAtRenewal
from tests.api.world import catalog
from tests.builders import direction, plan_price, seat_price

TIERS = ((10, "30.00", "0"), (50, "25.00", "0"), (None, "20.00", "100.00"))


def priced(seat: SeatPrice, interval: BillingInterval = BillingInterval.MONTH) -> PlanPrice:
    return plan_price(seat, interval=interval)


@pytest.mark.parametrize(
    ("seat", "interval", "sentence"),
    [
        (seat_price("15.00"), "MONTH", "15.00 USD a month for each seat."),
        (seat_price("0.0325"), "QUARTER", "0.0325 USD a quarter for each seat."),
        (seat_price("15", included=5), "YEAR", "5 included, then 15.00 USD a year for each further seat."),
        (
            seat_price("15", minimum=3, maximum=50),
            "HALF_YEAR",
            "15.00 USD a half-year for each seat; at least 3 billed, at most 50 seats.",
        ),
        (seat_price("0", maximum=1), "MONTH", "Free of charge; at most 1 seat."),
        (
            seat_price("0", "editor", *TIERS),
            "MONTH",
            (
                "Each seat by the tier it falls into, a month: up to 10: 30.00 USD each; up to 50: 25.00 USD "
                "each; above: 20.00 USD each and 100.00 USD."
            ),
        ),
        (
            seat_price("0", "editor", *TIERS, model=PricingModel.VOLUME, included=2),
            "MONTH",
            (
                "2 included, then all further seats by the tier of their number, a month: up to 10: "
                "30.00 USD each; up to 50: 25.00 USD each; above: 20.00 USD each and 100.00 USD."
            ),
        ),
        (
            seat_price(
                "0", "editor", (10, "0", "100.00"), (None, "0", "150.00"), model=PricingModel.STAIRSTEP
            ),
            "YEAR",
            "One amount by the number of seats, a year: up to 10: 100.00 USD; above: 150.00 USD.",
        ),
        (
            seat_price("0", "editor", (None, "0", "20.00"), model=PricingModel.PACKAGE, package_size=5),
            "MONTH",
            "20.00 USD a month for each pack of 5 seats that is begun.",
        ),
    ],
)
def test_a_price_in_a_sentence(seat: SeatPrice, interval: str, sentence: str) -> None:
    """Every model, included seats, bounds, more digits than the currency has."""
    assert summaries.seat_price(seat, priced(seat, BillingInterval[interval])) == sentence


@pytest.mark.parametrize(
    ("modes", "timing", "sentence"),
    [
        (["PRORATED_IMMEDIATELY"], "NOW", "is charged at once for the days that are left"),
        (["DO_NOT_BILL"], "NOW", "costs nothing until the renewal"),
        (
            ["DIFFERENCE_IMMEDIATELY", "DO_NOT_BILL"],
            "NOW",
            "is charged at once at the full difference, unless the other mode is chosen",
        ),
        (
            [mode.value for mode in ProrationMode],
            "NOW",
            "is charged at once for the days that are left, unless one of 4 other modes is chosen",
        ),
        (["FULL_IMMEDIATELY"], "AT_RENEWAL", "waits for the renewal"),
    ],
)
def test_a_policy_in_two_sentences(modes: list[str], timing: str, sentence: str) -> None:
    """The default mode, how many others there are, or that it waits."""
    increase = direction(*(ProrationMode[mode] for mode in modes), timing=ChangeTiming[timing])
    decrease = direction(ProrationMode.DO_NOT_BILL)

    assert summaries.policy(increase, decrease) == (
        f"An increase {sentence}. A decrease gives nothing back and lowers the price from the renewal on."
    )


def test_a_policy_says_that_nothing_holds_seats_in_use() -> None:
    """A third sentence where the guard is down."""
    free = replace(direction(ProrationMode.DO_NOT_BILL), guards=())

    assert summaries.policy(free, free).endswith("from the renewal on. Seats in use may be given up.")


@pytest.mark.parametrize(
    ("change", "committed", "sentence"),
    [
        (SeatsAtRenewal(Item("editor"), 1), 15, "From 1 May 2026: 1 Editor seat instead of 15."),
        (SeatsAtRenewal(Item("robot"), 2), None, "From 1 May 2026: 2 robot seats."),
        (PlanAtRenewal("business", BillingInterval.YEAR), None, "From 1 May 2026: Business, billed yearly."),
        (PlanAtRenewal("gone", BillingInterval.QUARTER), None, "From 1 May 2026: gone, billed quarterly."),
        (CancelAtRenewal(), None, "Ends on 1 May 2026."),
    ],
)
def test_a_change_that_waits_in_a_sentence(change: AtRenewal, committed: int | None, sentence: str) -> None:
    """Seats, plan or end; what left the catalog is called by its code."""
    price = catalog().plans[0].prices[0]

    assert summaries.scheduled(change, date(2026, 5, 1), price, catalog(), committed) == sentence


def test_the_end_of_a_subscription_has_a_name_too() -> None:
    """As what a new change takes the place of."""
    plans: Catalog = catalog()

    assert summaries.target(CancelAtRenewal(), plans.plans[0].prices[0], plans) == (
        "the end of the subscription"
    )
