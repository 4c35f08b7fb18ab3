"""The periods of a subscription: how the first one starts, and how the next ones follow."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.billing.periods import BillingInterval, Granularity, Period
from app.billing.subscriptions import (
    CancelAtRenewal,
    PlanAtRenewal,
    SeatsAtRenewal,
    Subscription,
    SubscriptionStatus,
    midnight_of,
)
from tests.billing.strategies import ZONES
from tests.builders import EDITOR, instant, plan_price

intervals = st.sampled_from(tuple(BillingInterval))


def starting(
    at: str,
    anchor: str | None = None,
    *,
    zone: str = "UTC",
    interval: BillingInterval = BillingInterval.MONTH,
    granularity: Granularity = Granularity.DAY,
) -> Subscription:
    """A subscription from an instant on."""
    price = plan_price(interval=interval, granularity=granularity)
    wall = midnight_of(instant(anchor), "UTC") if anchor else None
    return Subscription.starting(UUID(int=1), price, at=instant(at), anchor=wall, zone=zone)


def test_without_an_anchor_a_subscription_starts_its_own_grid() -> None:
    """From 16 April 14:30 on: the day is the first one, the period ends on 16 May."""
    subscription = starting("2026-04-16 14:30")

    assert subscription.period == Period(instant("2026-04-16"), instant("2026-05-16"), "UTC")
    assert subscription.opening_share(Granularity.DAY) is None
    assert (subscription.version, subscription.cycle) == (1, 0)


def test_with_an_anchor_the_first_period_may_be_short() -> None:
    """From 10 April with an anchor on the 1st: 21 of the 30 days of April, also if the anchor is to come."""
    for anchor in ("2026-05-01", "2026-01-01"):
        subscription = starting("2026-04-10", anchor)
        assert str(subscription.opening_share(Granularity.DAY)) == "21/30 days"
        assert subscription.full_period == Period(instant("2026-04-01"), instant("2026-05-01"), "UTC")


def test_by_the_second_a_subscription_starts_at_its_instant() -> None:
    """From 12:00 of its first day half a day is missing."""
    subscription = starting("2026-04-01 12:00", granularity=Granularity.SECOND)

    assert subscription.period.start == instant("2026-04-01 12:00")
    assert str(subscription.opening_share(Granularity.SECOND)) == "2548800/2592000 seconds"


def test_the_first_day_is_that_of_the_zone() -> None:
    """23:30 UTC of 15 April is the 16th in Berlin, whose midnight is 22:00 UTC."""
    subscription = starting("2026-04-15 23:30", zone="Europe/Berlin")

    assert subscription.period.start == instant("2026-04-15 22:00")
    assert subscription.anchor.day == 16


@given(
    st.datetimes(instant("2015-01-01").replace(tzinfo=None), instant("2028-01-01").replace(tzinfo=None)),
    intervals,
    st.lists(intervals, max_size=12),
    st.sampled_from(ZONES),
)
def test_renewed_periods_tile_through_every_interval(
    at: object, first: BillingInterval, later: list[BillingInterval], zone: str
) -> None:
    """Each period starts where the last one ended and ends on the monthly grid of the first anchor."""
    subscription = starting(str(at).split(".", maxsplit=1)[0], zone=zone, interval=first)
    for interval in later:
        renewed = subscription.renewed(plan_price(interval=interval))
        assert renewed.period.start == subscription.period.end
        assert renewed.period == renewed.full_period
        months = renewed.monthly.index_at(renewed.period.end) - renewed.monthly.index_at(renewed.period.start)
        assert months == interval.months
        assert (renewed.cycle, renewed.version) == (subscription.cycle + 1, subscription.version + 1)
        subscription = renewed


def test_a_reset_starts_a_full_period_on_the_local_day() -> None:
    """At 23:30 UTC of 15 April a customer in Berlin has the 16th."""
    reset = starting("2026-04-01", zone="Europe/Berlin").reset(plan_price(), at=instant("2026-04-15 23:30"))

    assert reset.period == reset.full_period
    assert (reset.period.start, reset.period.end) == (
        instant("2026-04-15 22:00"),
        instant("2026-05-15 22:00"),
    )
    assert reset.month == 0


def test_every_state_has_a_version_of_its_own() -> None:
    """Changed, renewed, reset and ended: each is one more."""
    subscription, price = starting("2026-04-01"), plan_price()
    states = (
        subscription.changed(),
        subscription.renewed(price),
        subscription.reset(price, at=instant("2026-04-16")),
        subscription.ended(),
    )

    assert {state.version for state in states} == {2}
    assert subscription.ended().status is SubscriptionStatus.ENDED


@pytest.mark.parametrize(
    ("change", "target"),
    [
        (SeatsAtRenewal(EDITOR, 5), "seats:editor"),
        (PlanAtRenewal("pro", BillingInterval.MONTH), "plan"),
        (CancelAtRenewal(), "cancel"),
    ],
)
def test_a_scheduled_change_has_one_target(
    change: SeatsAtRenewal | PlanAtRenewal | CancelAtRenewal, target: str
) -> None:
    """Each metric, the plan with its interval, and the end are targets of their own."""
    assert change.target == target
