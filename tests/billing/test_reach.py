"""How far credit reaches: what a quote says of it is what happens when time goes on."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.billing.changes import Quote, decide
from app.billing.periods import BillingInterval
from app.billing.plans import ChangeTiming, ProrationMode
from app.billing.reach import STEPS_MAX, credit_lasts_until
from app.billing.renewals import due_at, next_due
from app.billing.requests import ChangeRequest
from app.billing.state import State, after
from app.billing.subscriptions import CancelAtRenewal, ScheduledChange, SubscriptionStatus
from tests.billing.agreements import agreed, unit, with_overrides
from tests.billing.history import History
from tests.billing.playing import paid, quoted
from tests.billing.test_histories import TAXES, a_catalog, a_request, step
from tests.builders import (
    EDITOR,
    VIEWER,
    ask,
    ids,
    instant,
    money,
    plan_price,
    seat_price,
    started,
    unstarted,
)

PRORATED, FULL = ProrationMode.PRORATED_IMMEDIATELY, ProrationMode.FULL_IMMEDIATELY


def reach(state: State, request: ChangeRequest, at: str = "2026-04-16") -> str | None:
    """Until when credit would reach after a change, as a day."""
    until = credit_lasts_until(state, quoted(state, request, at).posting)
    return f"{until:%Y-%m-%d}" if until else None


def rich(credit: str, *, editor: int = 10) -> State:
    """10.00 a seat and month since April, all paid, and so much in hand."""
    return replace(paid(started(editor=editor)), credit=money(credit))


def test_credit_is_used_up_by_whole_renewals() -> None:
    """Down from 30 to 10 seats in the middle of April: 20 × 10.00 × 15/30 = 100.00 come back, which pay May
    and nothing of June. With 1.00 more in hand June has 99.00 left to pay, and with 99.99 more still 0.01.
    """
    fewer = ask(editor=10)

    assert reach(rich("0", editor=30), fewer) == "2026-06-01"
    assert reach(rich("1.00", editor=30), fewer) == "2026-06-01"
    assert reach(rich("99.99", editor=30), fewer) == "2026-06-01"
    assert reach(rich("100.00", editor=30), fewer) == "2026-07-01"


def test_nothing_is_said_without_credit_or_without_an_end() -> None:
    """No credit after the change; a free subscription from now on; one that ends with its period; more credit
    than 24 renewals use.
    """
    assert reach(rich("0"), ask(editor="+1")) is None
    assert reach(rich("50.00"), ask(editor="+10")) is None  # 10 × 10.00 × 15/30 take it all.
    assert reach(rich("0"), ask(editor=0)) is None
    assert reach(rich(f"{100 * STEPS_MAX - 50}.00"), ask(editor=9, timing=ChangeTiming.AT_RENEWAL)) is None
    ending = replace(rich("500.00"), scheduled=(ScheduledChange(ids(rich("0"))(), CancelAtRenewal()),))
    assert reach(ending, ask(editor="+1")) is None


def test_the_24th_renewal_is_the_last_that_is_looked_at() -> None:
    """11 seats at 110.00 a month from May 2026 on: 24 months are 2,640.00. One cent less, and April 2028 is
    not paid in full; else there is no day to tell.
    """
    free = ask(editor="+1", mode=ProrationMode.DO_NOT_BILL)

    assert reach(rich("2639.99"), free) == "2028-04-01"
    assert reach(rich("2640.00"), free) is None


def test_credit_that_does_not_pay_the_next_renewal_ends_there() -> None:
    """30.00 in hand, and May costs 110.00 or 90.00: it pays a part of that."""
    assert reach(rich("30.00"), ask(editor="+1")) == "2026-05-01"
    assert reach(rich("30.00"), ask(editor="-1")) == "2026-05-01"


def test_what_was_agreed_for_later_counts_when_it_comes() -> None:
    """250.00 in hand after one more seat (255.00 − 5.00), 11 seats: at 10.00 they pay May and June. With 4.00
    agreed from June on they pay May (110.00), June, July and August (44.00 each), and 8.00 of September.
    """
    state = rich("255.00")

    assert reach(state, ask(editor="+1")) == "2026-07-01"
    mine = with_overrides(state, agreed(price=unit("4.00"), since="2026-06-01"))
    assert reach(mine, ask(editor="+1")) == "2026-09-01"


def test_a_longer_interval_uses_credit_by_the_year() -> None:
    """500.00 in hand. By the month at 10.00 they reach until the renewal of September, which they do not pay;
    by the year at 100.00 a seat, nothing of it is left for a renewal.
    """
    yearly = plan_price(seat_price("100.00"), interval=BillingInterval.YEAR)
    state = replace(paid(started(None, yearly)), credit=money("500.00"))

    assert reach(state, ask(editor="+1", mode=ProrationMode.DO_NOT_BILL)) == "2026-09-01"
    assert reach(state, ask(interval=BillingInterval.YEAR, mode=FULL)) is None


@pytest.mark.parametrize("mode", [mode for mode in ProrationMode if mode is not FULL])
def test_each_way_reaches_as_far_as_it_gives_back(mode: ProrationMode) -> None:
    """Ten of 30 go in the middle of April, and 345.00 are in hand. Prorated, 50.00 join them, at once or in
    May: 395.00 pay May and not June at 200.00 each. The full difference of 100.00 pays June, too.
    """
    until = reach(rich("345.00", editor=30), ask(editor=20, mode=mode))

    assert until == ("2026-07-01" if mode is ProrationMode.DIFFERENCE_IMMEDIATELY else "2026-06-01")


def test_credit_that_waits_counts_once_it_is_in_hand() -> None:
    """29 of 30 go, for the next document: 145.00 come back in May, of which May takes 10.00. 135.00 are left,
    and 13 months later 5.00. If only three go, the 15.00 are less than the 270.00 of May: nothing is ever in
    hand.
    """
    later = ProrationMode.PRORATED_ON_NEXT_INVOICE

    assert reach(rich("0", editor=30), ask(editor=1, mode=later)) == "2027-07-01"
    assert reach(rich("0", editor=30), ask(editor=27, mode=later)) is None


def test_a_single_cent_in_hand_reaches_too() -> None:
    """0.01 in hand is used in May. 21 of 30 seats at 0.01 give back 0.21 × 14/30 = 0.10 later: May takes 0.09
    of it, and June uses the cent that is left.
    """
    later = ProrationMode.PRORATED_ON_NEXT_INVOICE
    cheap = paid(started(plan_price(seat_price("0.01")), editor=30))

    assert reach(rich("0.01"), ask(editor="+1", mode=ProrationMode.DO_NOT_BILL)) == "2026-05-01"
    assert reach(cheap, ask(editor=9, mode=later), "2026-04-17") == "2026-06-01"


def test_credit_that_pays_a_renewal_exactly_is_never_in_hand() -> None:
    """20 of 30 seats give back 100.00 later, what May costs: both wait for June, which has 100.00 to pay."""
    later = ProrationMode.PRORATED_ON_NEXT_INVOICE

    assert reach(rich("0", editor=30), ask(editor=10, mode=later)) is None


@given(st.integers(0, 2**64))
def test_credit_is_used_exactly_until_the_day_that_was_said(seed: int) -> None:
    """After any change in any life: every document until that day is paid by credit alone, and on that day
    one takes all that is left of it and has something left to pay. Where no day is said, nothing is in hand,
    or nothing has to be paid for as long as was looked.
    """
    random = Random(seed)
    history = History(
        unstarted(*a_catalog(random), at="2026-01-14 15:30", taxes=TAXES), instant("2026-01-14 15:30")
    )
    history.begin({EDITOR: random.randrange(3, 30), VIEWER: random.randrange(4)})
    for _ in range(random.randrange(6)):
        step(random, history)
    history.go_to(history.at + timedelta(days=random.randrange(20)))
    history.pay()
    credit = money("0", history.state.currency.code)
    history.state = replace(
        history.state, credit=replace(credit, minor=random.choice((0, 1, 40_000, 900_000)))
    )
    quote = decide(history.state, a_request(random), history.at)
    if not isinstance(quote, Quote):
        return
    until = credit_lasts_until(history.state, quote.posting)
    state = after(history.state, quote.posting, ids(history.state))
    in_hand = state.credit.minor > 0
    for _ in range(STEPS_MAX):
        due = due_at(state)
        assert due
        posting = next_due(state, due)
        assert posting
        state = after(state, posting, ids(state))
        if state.subscription.status is SubscriptionStatus.ENDED:
            assert until is None
            return
        left = sum(draft.totals.amount_due.minor for draft in posting.drafts)
        assert (left > 0 and in_hand) == (posting.at == until)
        in_hand = in_hand or state.credit.minor > 0
        if left:
            assert state.credit.minor == 0
            return
    assert until is None
