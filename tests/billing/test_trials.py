"""The trial: nothing is billed in it, whatever changes; then comes the first paid period, or the end."""

from dataclasses import replace
from uuid import UUID

import pytest

from app.billing.periods import BillingInterval, Period
from app.billing.plans import ChangeTiming, ChargingBasis, ProrationMode
from app.billing.renewals import due_at, renewal
from app.billing.subscriptions import (
    Subscription,
    SubscriptionStatus,
)
from app.billing.turns import Turn, TurnKind
from tests.billing.playing import brought_up, changed, in_use, quoted, turn, turned
from tests.builders import (
    EDITOR,
    ask,
    instant,
    money,
    plan_price,
    seat_price,
    tried,
)

NOW, AT_RENEWAL = ChangeTiming.NOW, ChangeTiming.AT_RENEWAL
CANCEL, RESUME = Turn(TurnKind.CANCEL), Turn(TurnKind.RESUME)
PEAK = plan_price(replace(seat_price(), basis=ChargingBasis.PEAK))


def test_a_trial_bills_nothing_and_becomes_a_paid_month() -> None:
    """14 days from 1 April on: nothing until the 15th, then 100.00 for 15 April to 15 May, anchored there."""
    trial = tried(days=14)
    active = brought_up(trial, "2026-04-15")

    assert (trial.subscription.status, trial.lines, trial.level(EDITOR).committed) == (
        SubscriptionStatus.TRIALING, (), 10,
    )  # fmt: skip
    assert trial.subscription.period == Period(instant("2026-04-01"), instant("2026-04-15"), "UTC")
    assert due_at(trial) == instant("2026-04-15")
    assert active.subscription.status is SubscriptionStatus.ACTIVE
    assert active.subscription.period == Period(instant("2026-04-15"), instant("2026-05-15"), "UTC")
    assert [billed.line.amount for billed in active.lines] == [money("100.00")]
    assert brought_up(active, "2026-05-15").subscription.period.end == instant("2026-06-15")


@pytest.mark.parametrize("mode", list(ProrationMode))
def test_a_change_in_a_trial_bills_nothing_in_any_mode(mode: ProrationMode) -> None:
    """Five seats more on the 8th: nothing today, 150.00 at the end of the trial, which stays where it is."""
    quote = quoted(tried(), ask(editor=15, mode=mode), "2026-04-08")
    state = changed(tried(), ask(editor=15, mode=mode), "2026-04-08")

    assert (quote.lines, quote.posting.drafts, quote.due_now.total) == ((), (), money("0.00"))
    assert quote.at_renewal is not None
    assert (quote.at_renewal.total, quote.renews_at) == (money("150.00"), instant("2026-04-15"))
    assert (state.subscription.status, state.level(EDITOR).committed) == (SubscriptionStatus.TRIALING, 15)
    assert brought_up(state, "2026-04-15").lines[0].line.amount == money("150.00")


def test_fewer_seats_in_a_trial_cost_less_from_its_end_on() -> None:
    """Down to 4, at once or with the trial's end as the plan says: 40.00 either way."""
    for timing in (NOW, AT_RENEWAL):
        state = changed(tried(), ask(editor=4, timing=timing), "2026-04-08")
        assert brought_up(state, "2026-04-15").lines[0].line.amount == money("40.00")


def test_another_plan_by_the_year_in_a_trial() -> None:
    """Pro by the year is chosen in the trial: its first year begins when the trial ends."""
    pro = plan_price(seat_price("200.00"), plan="pro", interval=BillingInterval.YEAR)
    state = changed(
        tried(plan_price(), pro), ask(plan="pro", interval=BillingInterval.YEAR, timing=NOW), "2026-04-08"
    )
    active = brought_up(state, "2026-04-15")

    assert (state.lines, state.price, state.subscription.interval) == ((), pro, BillingInterval.YEAR)
    assert active.subscription.period == Period(instant("2026-04-15"), instant("2027-04-15"), "UTC")
    assert active.lines[0].line.amount == money("2000.00")


def test_a_cancelled_trial_ends_with_its_last_day_and_costs_nothing() -> None:
    """Cancelled on the 3rd, used until the 14th: no line and no document ever."""
    state = turned(tried(), CANCEL, "2026-04-03")
    over = brought_up(state, "2026-05-01")

    assert state.subscription.status is SubscriptionStatus.TRIALING
    assert (over.subscription.status, over.lines) == (SubscriptionStatus.ENDED, ())
    assert over.subscription.period.end == instant("2026-04-15")


def test_a_trial_that_is_kept_after_all_is_paid() -> None:
    """Cancelled on the 3rd, kept on the 9th: the quote says 100.00 on the 15th."""
    quote = turn(turned(tried(), CANCEL, "2026-04-03"), RESUME, "2026-04-09")

    assert quote.at_renewal is not None
    assert (quote.at_renewal.total, quote.renews_at) == (money("100.00"), instant("2026-04-15"))


@pytest.mark.parametrize(
    ("at", "days", "zone", "ends", "first_ends"),
    [
        ("2026-01-17", 14, "UTC", "2026-01-31", "2026-02-28"),
        ("2026-03-20 23:30", 9, "Europe/Berlin", "2026-03-29 22:00", "2026-04-29 22:00"),
        ("2026-03-27 12:00", 2, "Europe/Berlin", "2026-03-28 23:00", "2026-04-28 22:00"),
        ("2026-04-01", 400, "UTC", "2027-05-06", "2027-06-06"),
    ],
)
def test_a_trial_is_counted_in_local_days(at: str, days: int, zone: str, ends: str, first_ends: str) -> None:
    """Also over the end of a short month, over a clock change, and for longer than a period."""
    trial = Subscription.trying(UUID(int=1), plan_price(), at=instant(at), days=days, zone=zone)
    active = trial.renewed(plan_price())

    assert (trial.period.end, active.period.start) == (instant(ends), instant(ends))
    assert active.period.end == instant(first_ends)
    assert (active.period, active.status) == (active.full_period, SubscriptionStatus.ACTIVE)


def test_use_in_a_trial_is_free() -> None:
    """12 seats are used from the first day of the trial on: nothing on 15 April, 120.00 a month later."""
    active = brought_up(in_use(tried(PEAK), EDITOR, 12), "2026-04-15")

    assert renewal(in_use(tried(PEAK), EDITOR, 12)).lines == ()
    assert [(line.amount, line.period.first_day.day) for line in renewal(active).lines] == [
        (money("120.00"), 15)
    ]
