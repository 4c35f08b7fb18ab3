"""Guards as data: a plan may let people give up seats that are in use."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from app.billing import renewals
from app.billing.changes import decide
from app.billing.offers import obstacle
from app.billing.plans import ChangeGuard, ChangeTiming, DirectionPolicy, PlanPrice, ProrationMode
from app.billing.refusals import AboveMaximum, BelowMinimum, SeatsInUse
from app.billing.state import State
from app.billing.subscriptions import ScheduledChange, SeatsAtRenewal
from tests.billing.playing import amounts, in_use, quoted
from tests.builders import EDITOR, ask, instant, offered, plan_price, seat_price, started

GUARDED = (ChangeGuard.SEATS_IN_USE,)


def a_price(*guards: ChangeGuard, plan: str = "team", **seat: Any) -> PlanPrice:
    """10.00 a seat, and removals that heed these guards."""
    decrease = DirectionPolicy(tuple(ProrationMode), ChangeTiming.NOW, guards)
    return plan_price(seat_price(**seat), plan=plan, decrease=decrease)


def a_state(*guards: ChangeGuard, **seat: Any) -> State:
    """Ten editors since 1 April, eight of them in use."""
    return in_use(started(a_price(*guards, **seat)), EDITOR, 8)


def test_without_the_guard_seats_in_use_are_given_up() -> None:
    """Five of eight in use stay: with the guard that is refused, without it 5 × 10.00 × 15/30 come back."""
    assert isinstance(decide(a_state(*GUARDED), ask(editor=5), instant("2026-04-16")), SeatsInUse)
    assert amounts(quoted(a_state(), ask(editor=5), "2026-04-16")) == ["-25.00"]


@pytest.mark.parametrize(("guards", "after"), [(GUARDED, 8), ((), 5)])
def test_a_removal_that_waits_is_raised_only_under_the_guard(
    guards: tuple[ChangeGuard, ...], after: int
) -> None:
    """Five were scheduled when fewer were in use; at the renewal eight are: eight stay, or five as asked."""
    state = a_state(*guards)
    state = replace(state, scheduled=(ScheduledChange(state.subscription.id, SeatsAtRenewal(EDITOR, 5)),))
    posting = renewals.renewal(state)

    assert 10 + sum(event.net for event in posting.events) == after


def test_bounds_are_no_guards() -> None:
    """The plan's minimum and maximum hold without the guard too: they belong to its price."""
    state = a_state(minimum=3, maximum=12)

    assert isinstance(decide(state, ask(editor=2), instant("2026-04-16")), BelowMinimum)
    assert isinstance(decide(state, ask(editor=13), instant("2026-04-16")), AboveMaximum)


def test_the_guard_of_a_switch_is_that_of_the_new_plan() -> None:
    """A small plan has room for five: only the one whose own guard is down takes eight people."""
    free, strict = a_price(plan="free", maximum=5), a_price(*GUARDED, plan="strict", maximum=5)
    state = replace(a_state(*GUARDED), plans=offered(a_price(*GUARDED), free, strict))
    at = instant("2026-04-16")

    assert isinstance(decide(state, ask(plan="strict", editor=5), at), SeatsInUse)
    quoted(state, ask(plan="free", editor=5), "2026-04-16")
    assert [obstacle(state, plan) is None for plan in state.plans] == [False, True, False]
