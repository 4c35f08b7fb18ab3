"""What the billing run does not charge by itself, and what it may charge however strange it looks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from uuid import UUID

import pytest

from app.billing.bounds import OutOfBounds, estimate, judged
from app.billing.changes import Quote
from app.billing.ledger import BalanceKind, Delta, EventSource
from app.billing.lines import LineKind
from app.billing.overrides import Override, OwnPrice
from app.billing.plans import Item, PricingModel, Tier
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


def twice_viewers(posting: Posting) -> Posting:
    viewers = replace(posting.lines[0], item=Item("viewer"))
    return replace(posting, lines=(*posting.lines, viewers, viewers))


def overlapping(posting: Posting) -> Posting:
    period = replace(posting.subscription.period, start=instant("2026-04-20"))
    return replace(posting, subscription=replace(posting.subscription, period=period))


def of_the_same_cycle(posting: Posting) -> Posting:
    return replace(posting, subscription=replace(posting.subscription, cycle=0))


def below_nothing(posting: Posting) -> Posting:
    return replace(posting, lines=(replace(posting.lines[0], amount=money("-1.00")),))


def elevenfold(posting: Posting) -> Posting:
    return replace(posting, lines=(replace(posting.lines[0], amount=money("1100.01")),))


def negative(posting: Posting) -> Posting:
    (draft,) = posting.drafts
    totals = replace(draft.totals, total=money("-0.01"))
    return replace(posting, drafts=(replace(draft, totals=totals),))


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (twice, "The renewal would charge editor twice."),
        (lambda posting: twice(twice_viewers(posting)), "The renewal would charge editor, viewer twice."),
        (overlapping, "The renewal would bill a period that overlaps the one before."),
        (of_the_same_cycle, "The renewal would bill a period that overlaps the one before."),
        (below_nothing, "The renewal would charge less than nothing."),
        (elevenfold, "The renewal would charge 1100.01 USD in advance, over 10 times the list: 100.00 USD."),
        (negative, "A document would be negative without anything that is given back."),
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
    assert found == OutOfBounds(reason)
    assert (
        found.message == f"{reason} Look at it, then give it back to the billing run with `seatport unpark`."
    )


def test_nothing_and_what_is_given_back_are_no_faults() -> None:
    """Free seats beside paid ones, a document of nothing, and one below nothing that gives something back or
    holds what had waited.
    """
    state = started(plan_price(seat_price(), seat_price("0", "viewer")), viewer=3)
    posting = renewal(state)
    (draft,) = posting.drafts
    empty = replace(draft, totals=replace(draft.totals, total=money("0.00")))
    (below,) = negative(posting).drafts
    back = replace(draft.lines[0], line=replace(draft.lines[0].line, kind=LineKind.CREDIT))
    waited = replace(draft.lines[0], new=None, waiting=UUID(int=8))

    assert [line.amount.minor for line in posting.lines] == [10_000, 0]
    for fine in (draft, empty, replace(below, lines=(back,)), replace(below, lines=(waited,))):
        assert judged(state, replace(posting, drafts=(fine,))) is None


def test_the_estimate_counts_the_seats_that_come_and_go() -> None:
    """Ten editors less two, three guests who come with the plan, and viewers whom nobody asked for: 8 × 10.00
    + 3 × 1.00 and the fee of 5.00.
    """
    guest, viewer = Item("guest"), Item("viewer")
    state = started()
    seats = seat_price(), seat_price("1.00", guest), seat_price("4.00", viewer)
    events = tuple(
        Delta(metric, BalanceKind.COMMITTED, max(0, net), max(0, -net), instant(MAY), EventSource.CHANGE)
        for metric, net in ((EDITOR, -2), (guest, 3))
    )
    posting = replace(renewal(state), price=plan_price(*seats, fee="5.00"), events=events)

    assert estimate(state, posting) == money("88.00")


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
    exactly = replace(state.subscription, let_through=instant(MAY))
    assert judged(replace(state, subscription=exactly), posting) is None
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
