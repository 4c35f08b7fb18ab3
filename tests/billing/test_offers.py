"""Whether a plan can be chosen at all, before a change is asked for."""

from dataclasses import replace

from app.billing.offers import obstacle
from app.billing.periods import BillingInterval
from app.billing.plans import Item, Plan, PlanPrice, SeatMetric
from app.billing.state import State
from tests.billing.playing import in_use
from tests.builders import EDITOR, VIEWER, offered, plan_price, seat_price, started

YEAR = BillingInterval.YEAR


def plan(*prices: PlanPrice) -> Plan:
    (found,) = offered(*prices)
    return found


def a_state() -> State:
    """10 editors and 3 viewers in use."""
    state = started(plan_price(seat_price(), seat_price("4.00", VIEWER)), viewer=5)
    return in_use(in_use(state, EDITOR, 10), VIEWER, 3)


def test_a_plan_with_room_for_everybody_is_no_obstacle() -> None:
    """Both metrics are there and without a limit that the people in use would break."""
    pro = plan_price(seat_price(maximum=10), seat_price("0", VIEWER), plan="pro")

    assert obstacle(a_state(), plan(pro)) is None


def test_the_present_plan_is_its_own_obstacle() -> None:
    """One cannot change to the plan one has; its seats and interval can be changed."""
    assert obstacle(a_state(), a_state().plans[0]) == (
        "This is the present plan. Its seats and its billing interval can be changed."
    )


def test_a_plan_in_another_currency_is_not_sold() -> None:
    """A customer in dollars cannot have what is sold in euros only."""
    assert obstacle(a_state(), plan(plan_price(plan="euro", currency="EUR"))) == "Euro is not sold in USD."


def test_a_plan_without_a_metric_that_is_in_use() -> None:
    """Viewers sit in seats that the plan does not have, as do guests that no plan has any more."""
    pro = plan(plan_price(plan="pro"))
    guests = in_use(started(), Item("guest"), 2)

    assert obstacle(a_state(), pro) == "Pro has no viewer seats. Release the 3 that are in use first."
    assert obstacle(guests, pro) == "Pro has no guest seats. Release the 2 that are in use first."
    assert obstacle(in_use(a_state(), VIEWER, 0), pro) is None


def test_a_metric_is_called_as_the_present_plan_calls_it() -> None:
    """The people know their seats by its label, not by its code."""
    looker = replace(seat_price("4.00", VIEWER), metric=SeatMetric(VIEWER, "read-only"))
    state = in_use(started(plan_price(seat_price(), looker), viewer=5), VIEWER, 3)

    assert obstacle(state, plan(plan_price(plan="pro"))) == (
        "Pro has no read-only seats. Release the 3 that are in use first."
    )


def test_a_plan_that_is_too_small_for_the_people_in_use() -> None:
    """At most 9 editors, and 10 are in use; with one seat granted on top they fit."""
    small = plan(plan_price(seat_price(maximum=9), seat_price("0", VIEWER), plan="small"))

    assert (
        obstacle(a_state(), small)
        == "Small allows at most 9 editor seats; in use are 10. Release some first."
    )
    assert obstacle(in_use(a_state(), EDITOR, 10, granted=1), small) is None


def test_one_interval_with_room_is_enough() -> None:
    """By the month the plan is too small, by the year it is not."""
    month = plan_price(seat_price(maximum=9), seat_price("0", VIEWER), plan="pro")
    year = plan_price(seat_price(maximum=20), seat_price("0", VIEWER), plan="pro", interval=YEAR)

    assert obstacle(a_state(), plan(month, year)) is None
