"""The periods of a subscription: how the first one starts, and how the next ones follow."""

from dataclasses import replace
from typing import Any
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


def test_all_that_a_start_says() -> None:
    """From 16 April 14:30 on: everything begins with the day and is of the price that was chosen."""
    price = plan_price(interval=BillingInterval.QUARTER)
    april, july = instant("2026-04-16"), instant("2026-07-16")
    quarter = Period(april, july, "UTC")

    assert starting("2026-04-16 14:30", interval=BillingInterval.QUARTER) == Subscription(
        id=UUID(int=1),
        version=1,
        status=SubscriptionStatus.ACTIVE,
        price=price.id,
        interval=BillingInterval.QUARTER,
        anchor=april.replace(tzinfo=None),
        zone="UTC",
        cycle=0,
        month=0,
        period=quarter,
        full_period=quarter,
        priced_from=april,
        overage_until=april,
    )


def test_all_that_a_trial_says() -> None:
    """14 days from 16 April: the trial is a period of its own, and the day after it the anchor."""
    price = plan_price()
    trial = Period(instant("2026-04-16"), instant("2026-04-30"), "UTC")
    trying = Subscription.trying(UUID(int=1), price, at=instant("2026-04-16 14:30"), days=14, zone="UTC")

    assert trying == replace(
        starting("2026-04-16"),
        status=SubscriptionStatus.TRIALING,
        anchor=trial.end.replace(tzinfo=None),
        period=trial,
        full_period=trial,
    )


def test_a_later_state_has_its_own_price_from_then_on() -> None:
    """A renewal, another plan in mid-period and in a trial, and a month of overage that was billed."""
    first, may = starting("2026-04-01"), Period(instant("2026-05-01"), instant("2026-08-01"), "UTC")
    pro, at = plan_price(plan="pro", interval=BillingInterval.QUARTER), instant("2026-04-16")
    dearer: dict[str, Any] = {"price": pro.id, "interval": pro.interval}

    assert first.renewed(pro) == replace(
        first,
        **dearer,
        version=2,
        cycle=1,
        month=1,
        period=may,
        full_period=may,
        priced_from=may.start,
        overage_until=may.start,
    )
    assert first.switched(pro, at) == replace(
        first, version=2, price=pro.id, priced_from=at, overage_until=at
    )
    assert first.tried(pro) == replace(first, **dearer, version=2)
    assert first.overage_billed(at) == replace(first, version=2, overage_until=at)


@pytest.mark.parametrize(
    ("begun", "priced_from", "since", "start"),
    [
        ("2026-04-01", "2026-04-01", None, "2026-04-16"),
        ("2026-04-01", "2026-04-01", "2026-04-15", "2026-04-16"),
        ("2026-04-01", "2026-04-01", "2026-04-16 09:00", "2026-04-16 09:00"),
        ("2026-04-01", "2026-04-16 10:00", "2026-04-16 09:00", "2026-04-16 10:00"),
        ("2026-04-16 11:00", "2026-04-16 10:00", "2026-04-16 09:00", "2026-04-16 11:00"),
    ],
)
def test_a_reset_does_not_take_from_what_was_before_it(
    begun: str, priced_from: str, since: str | None, start: str
) -> None:
    """On 16 April: from midnight, but from nothing that began later that day."""
    subscription = starting("2026-04-01")
    subscription = replace(
        subscription,
        period=Period(instant(begun), subscription.period.end, "UTC"),
        priced_from=instant(priced_from),
    )
    reset = subscription.reset(
        plan_price(), at=instant("2026-04-16 18:00"), since=instant(since) if since else None
    )

    assert reset.period == Period(instant(start), instant("2026-05-16"), "UTC")
    assert reset.full_period == Period(instant("2026-04-16"), instant("2026-05-16"), "UTC")


def test_what_a_later_state_closes() -> None:
    """The time since the present price counts, until the next period, the end, or another price."""
    first, pro, at = starting("2026-04-01"), plan_price(plan="pro"), instant("2026-04-16")
    whole = Period(instant("2026-04-01"), instant("2026-05-01"), "UTC")
    half, rest = Period(whole.start, at, "UTC"), Period(at, whole.end, "UTC")
    trial = replace(first, status=SubscriptionStatus.TRIALING)

    assert first.stretch_closed_by(first.renewed(pro)) == whole
    assert first.stretch_closed_by(first.reset(pro, at=at)) == half
    assert first.stretch_closed_by(first.paused(at)) == first.stretch_closed_by(first.ended(at)) == half
    assert first.stretch_closed_by(first.switched(pro, at)) == half
    assert first.switched(pro, at).stretch_closed_by(first.switched(pro, at).renewed(pro)) == rest
    assert first.stretch_closed_by(replace(first, version=2)) is None
    assert first.stretch_closed_by(first.switched(pro, whole.start)) is None
    assert trial.stretch_closed_by(trial.renewed(pro)) is None
