"""What the billing run does not charge by itself, and what it may charge however strange it looks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from uuid import UUID

import pytest

from app.billing.bounds import estimate, judged
from app.billing.changes import Quote
from app.billing.overrides import Override, OwnPrice
from app.billing.plans import PricingModel, Tier
from app.billing.renewals import next_period, renewal
from app.billing.state import Posting, State, after
from app.billing.turns import decide_pause
from tests.builders import EDITOR, ids, instant, money, plan_price, seat_price, started

MAY = "2026-05-01"


def own_price(amount: str, *, minimum: int | None = None) -> Override:
    """A price of the customer's own since the beginning."""
    price = OwnPrice(PricingModel.PER_UNIT, (Tier(None, Decimal(amount)),))
    at = instant("2026-04-01")
    return Override(
        id=UUID(int=5), metric=EDITOR, starts_at=at, ends_at=None, recorded_at=at, author="sales", note=None,
        granted=None, price=price, minimum=minimum, maximum=None, withdrawn=frozenset(), plan="team",
        interval=plan_price().interval,
    )  # fmt: skip


def twice(posting: Posting) -> Posting:
    return replace(posting, lines=(*posting.lines, posting.lines[0]))


def overlapping(posting: Posting) -> Posting:
    period = replace(posting.subscription.period, start=instant("2026-04-20"))
    return replace(posting, subscription=replace(posting.subscription, period=period))


def of_the_same_cycle(posting: Posting) -> Posting:
    return replace(posting, subscription=replace(posting.subscription, cycle=0))


def below_nothing(posting: Posting) -> Posting:
    return replace(posting, lines=(replace(posting.lines[0], amount=money("-1.00")),))


def elevenfold(posting: Posting) -> Posting:
    return replace(posting, lines=(replace(posting.lines[0], amount=money("1100.01")),))


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (twice, "charge editor twice"),
        (overlapping, "overlaps the one before"),
        (of_the_same_cycle, "overlaps the one before"),
        (below_nothing, "less than nothing"),
        (elevenfold, "above 10 times the list"),
    ],
)
def test_a_fault_is_not_charged(fault: Callable[[Posting], Posting], reason: str) -> None:
    """A line twice, a period again or over another, an amount below nothing or far above the list: each is
    found; the renewal without it is fine.
    """
    state = started()
    posting = renewal(state)
    found = judged(state, fault(posting))

    assert judged(state, posting) is None
    assert found is not None
    assert reason in found.message or reason.replace("above", "over") in found.message


@pytest.mark.parametrize(("amount", "fine"), [("100.00", True), ("100.01", False), ("0.01", True)])
def test_an_own_price_is_measured_by_the_list(amount: str, fine: bool) -> None:  # noqa: FBT001
    """Ten times the list's 10.00 for a seat may be agreed and is charged; more waits for somebody to look."""
    state = replace(started(), overrides=(own_price(amount),))

    assert (judged(state, renewal(state)) is None) is fine


def test_a_minimum_that_was_agreed_is_no_fault() -> None:
    """Three seats committed and a hundred agreed as the minimum: a hundred are the measure."""
    state = replace(started(editor=3), overrides=(own_price("10.00", minimum=100),))
    posting = renewal(state)

    assert estimate(state.in_force(posting.at), posting) == money("1000.00")
    assert judged(state, posting) is None


def test_what_was_looked_at_is_let_through_once() -> None:
    """After unparking, what was too much until then is charged; the next period is judged again. What can
    never be right is not let through.
    """
    state = replace(started(), overrides=(own_price("500.00"),))
    looked = replace(state, subscription=replace(state.subscription, let_through=instant("2026-05-02")))
    posting = renewal(looked)
    june = after(looked, posting, ids(looked))

    assert judged(state, renewal(state)) is not None
    assert judged(looked, posting) is None
    assert judged(june, renewal(june)) is not None
    assert judged(looked, twice(posting)) is not None


def resumed(state: State, at: datetime) -> Posting:
    """A new period after a pause."""
    return next_period(state, at, lambda price: state.where_it_lives.resumed(price, at=at))


def test_ten_pauses_in_a_year_are_no_fault() -> None:
    """Paused and resumed ten times, a subscription has paid many periods that were given back; its renewal is
    judged by itself.
    """
    state: State = started(plan_price(seat_price("100.00")))
    for day in range(2, 22, 2):
        paused = decide_pause(state, instant(f"2026-04-{day:02}"))
        assert isinstance(paused, Quote)
        state = after(state, paused.posting, ids(state))
        opened = resumed(state, instant(f"2026-04-{day + 1:02}"))
        state = after(state, opened, ids(state))

    assert judged(state, renewal(state)) is None
