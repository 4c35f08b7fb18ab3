"""The plan's policy: which modes and timings it allows in which direction, and what it does by default."""

import pytest

from app.billing.changes import Quote, allowed_ways, decide
from app.billing.ledger import BalanceKind, Delta, EventSource
from app.billing.moves import AXES, Move, moves_of
from app.billing.periods import BillingInterval
from app.billing.plans import ChangeTiming, PlanPrice, ProrationMode
from app.billing.refusals import ProrationModeNotAllowed
from app.billing.requests import ChangeRequest, Wanted, resolve
from app.billing.state import State
from app.billing.subscriptions import SeatsAtRenewal
from tests.billing.playing import amounts, quoted
from tests.builders import (
    EDITOR,
    VIEWER,
    ask,
    direction,
    instant,
    plan_price,
    seat_price,
    started,
    tried,
)

NOW, AT_RENEWAL = ChangeTiming.NOW, ChangeTiming.AT_RENEWAL
PRORATED, DIFFERENCE = ProrationMode.PRORATED_IMMEDIATELY, ProrationMode.DIFFERENCE_IMMEDIATELY
FULL, LATER = ProrationMode.FULL_IMMEDIATELY, ProrationMode.PRORATED_ON_NEXT_INVOICE
UNBILLED = ProrationMode.DO_NOT_BILL


def initech() -> PlanPrice:
    """Additions are prorated or unbilled, removals wait for the renewal."""
    return plan_price(
        seat_price(),
        seat_price("4.00", VIEWER),
        increase=direction(PRORATED, UNBILLED),
        decrease=direction(DIFFERENCE, timing=AT_RENEWAL),
    )


def a_state() -> State:
    return started(initech(), viewer=5)


def refused(request: ChangeRequest) -> ProrationModeNotAllowed:
    """The refusal of a change under the policy of `initech`."""
    refusal = decide(a_state(), request, instant("2026-04-16"))
    assert isinstance(refusal, ProrationModeNotAllowed)
    return refusal


def test_the_five_modes_are_presets_over_four_axes() -> None:
    """Only a full price restarts the cycle; what is prorated later or not billed waits."""
    assert AXES.keys() == set(ProrationMode)
    assert [mode for mode, axes in AXES.items() if axes.restarts] == [FULL]
    assert [mode for mode, axes in AXES.items() if axes.waits] == [LATER, UNBILLED]


def test_the_first_mode_of_a_direction_is_its_default() -> None:
    """Without a mode, additions are prorated, and removals wait as the policy says."""
    more, fewer = (quoted(a_state(), ask(editor=seats), "2026-04-16") for seats in (12, 8))

    assert (more.mode, more.timing) == (PRORATED, NOW)
    assert (fewer.mode, fewer.timing) == (DIFFERENCE, AT_RENEWAL)


def test_a_mixed_request_bills_additions_and_schedules_removals() -> None:
    """Editors +2 today (2 × 10.00 / 2 = 10.00), viewers −2 at the renewal; the quote shows both."""
    quote = quoted(a_state(), ask(viewer="-2", editor="+2"), "2026-04-16")

    assert amounts(quote) == ["10.00"]
    assert quote.posting.scheduled == (SeatsAtRenewal(VIEWER, 3),)
    assert [event.metric for event in quote.posting.events] == [EDITOR]
    assert (quote.mode, quote.timing) == (PRORATED, NOW)


def test_a_mode_for_additions_does_not_bother_removals_that_wait() -> None:
    """DO_NOT_BILL is allowed for the editors; the viewers wait whatever the mode."""
    quote = quoted(a_state(), ask(editor="+2", viewer="-2", mode=UNBILLED), "2026-04-16")

    assert amounts(quote) == ["0.00"]
    assert quote.posting.scheduled == (SeatsAtRenewal(VIEWER, 3),)


def test_a_mode_that_the_plan_does_not_allow_is_refused_with_those_it_allows() -> None:
    """The refusal lists the modes and timings of the direction."""
    refusal = refused(ask(editor="+2", mode=FULL))

    assert (refusal.requested_mode, refusal.allowed_modes) == (FULL, (PRORATED, UNBILLED))
    assert refusal.allowed_timings == (NOW, AT_RENEWAL)
    assert refusal.message == (
        "This plan does not allow FULL_IMMEDIATELY for an increase. "
        "It allows: PRORATED_IMMEDIATELY, DO_NOT_BILL."
    )


def test_a_removal_that_must_wait_cannot_be_hastened() -> None:
    """A policy of AT_RENEWAL is a promise to the seller: NOW is refused."""
    refusal = refused(ask(editor="-2", timing=NOW))

    assert (refusal.requested_timing, refusal.allowed_timings) == (NOW, (AT_RENEWAL,))
    assert refusal.message == "This plan lets a decrease start at the renewal only. Ask for AT_RENEWAL."


@pytest.mark.parametrize("mode", [None, *ProrationMode])
def test_an_addition_can_be_put_off(mode: ProrationMode | None) -> None:
    """A policy of NOW can wait: nothing is billed today, so every mode may be named."""
    quote = quoted(a_state(), ask(editor="+2", mode=mode, timing=AT_RENEWAL), "2026-04-16")

    assert (quote.timing, amounts(quote)) == (AT_RENEWAL, [])
    assert quote.posting.scheduled == (SeatsAtRenewal(EDITOR, 12),)
    assert quote.posting.events == ()


def test_a_mode_asked_for_where_everything_waits_is_refused_if_the_plan_does_not_know_it() -> None:
    """Somebody who asks to be prorated for a removal that waits is told so, instead of getting no credit."""
    refusal = refused(ask(editor="-2", mode=PRORATED))

    assert refusal.allowed_timings == (AT_RENEWAL,)
    assert refusal.message == (
        "This plan lets the change start at the renewal only, so PRORATED_IMMEDIATELY means nothing here. "
        "Ask for AT_RENEWAL."
    )
    assert isinstance(decide(a_state(), ask(editor="-2", mode=DIFFERENCE), instant("2026-04-16")), Quote)
    waiting = ask(editor="-2", mode=PRORATED, timing=AT_RENEWAL)
    assert isinstance(decide(a_state(), waiting, instant("2026-04-16")), Quote)


def test_the_first_forbidden_part_refuses_the_whole_change() -> None:
    """An allowed addition and a forbidden removal are one request: nothing of it is done."""
    refusal = refused(ask(editor="+2", viewer="-2", timing=NOW))

    assert "decrease" in refusal.message


def test_ways_that_a_plan_forbids_are_not_offered() -> None:
    """An addition can be prorated, unbilled or wait; a removal can only wait."""
    more, fewer = (
        [(way.mode, way.timing) for way in allowed_ways(a_state(), ask(editor=seats), instant("2026-04-16"))]
        for seats in (12, 8)
    )

    assert more == [(PRORATED, NOW), (UNBILLED, NOW), (PRORATED, AT_RENEWAL)]
    assert fewer == [(DIFFERENCE, AT_RENEWAL)]


def test_a_plan_change_follows_the_policy_of_its_direction() -> None:
    """To the dearer plan now or unbilled, to the cheaper one at the renewal only."""
    dearer = plan_price(seat_price("20.00"), plan="dearer")
    cheaper = plan_price(seat_price("1.00"), plan="cheaper")
    state = started(initech(), dearer, cheaper)
    refusal = decide(state, ask(plan="dearer", mode=FULL), instant("2026-04-16"))

    assert quoted(state, ask(plan="dearer"), "2026-04-16").timing is NOW
    assert quoted(state, ask(plan="cheaper"), "2026-04-16").timing is AT_RENEWAL
    assert isinstance(refusal, ProrationModeNotAllowed)


def test_a_mode_for_an_addition_that_waits_is_asked_of_the_policy_for_additions() -> None:
    """Additions wait and are prorated, removals are not: DIFFERENCE is refused for two editors more."""
    waits = plan_price(
        increase=direction(PRORATED, timing=AT_RENEWAL), decrease=direction(DIFFERENCE, timing=AT_RENEWAL)
    )
    refusal = decide(started(waits), ask(editor="+2", mode=DIFFERENCE), instant("2026-04-16"))

    assert isinstance(refusal, ProrationModeNotAllowed)
    assert (refusal.requested_mode, refusal.requested_timing) == (DIFFERENCE, None)
    assert (refusal.allowed_modes, refusal.allowed_timings) == ((PRORATED,), (AT_RENEWAL,))
    assert isinstance(decide(started(waits), ask(editor="+2", mode=PRORATED), instant("2026-04-16")), Quote)


@pytest.mark.parametrize(
    ("plan", "interval", "increases", "timing"),
    [
        ("team", BillingInterval.MONTH, False, AT_RENEWAL),
        ("dearer", BillingInterval.YEAR, True, NOW),
    ],
)
def test_another_price_is_one_move_and_speaks_of_no_seats(
    plan: str, interval: BillingInterval, timing: ChangeTiming, *, increases: bool
) -> None:
    """A shorter interval is a decrease that waits, a dearer plan an increase of now."""
    year = plan_price(seat_price("100.00"), interval=BillingInterval.YEAR)
    dearer = plan_price(seat_price("200.00"), plan="dearer", interval=BillingInterval.YEAR)
    state, request = started(year, plan_price(), dearer), ask(plan=plan, interval=interval)
    wanted = resolve(state, request)
    assert isinstance(wanted, Wanted)

    assert moves_of(state, wanted, request) == (
        Move(None, 0, 0, increases=increases, mode=PRORATED, timing=timing),
    )


def test_a_change_that_waits_is_shown_in_the_mode_of_the_plan() -> None:
    """Whatever mode was asked for now, the way that waits has the plan's first one."""
    *_, waiting = allowed_ways(a_state(), ask(editor="+2", mode=UNBILLED), instant("2026-04-16"))

    assert (waiting.mode, waiting.timing) == (PRORATED, AT_RENEWAL)


def test_a_part_that_waits_stays_off_the_document_of_the_other() -> None:
    """Editors +2 are billed today (10.00); viewers −2 wait for the next document (−4.00)."""
    price = plan_price(
        seat_price(), seat_price("4.00", VIEWER), increase=direction(PRORATED), decrease=direction(LATER)
    )
    quote = quoted(started(price, viewer=5), ask(editor="+2", viewer="-2"), "2026-04-16")

    assert [(shown.line.item, shown.waits) for shown in quote.lines] == [(EDITOR, False), (VIEWER, True)]
    assert str(quote.due_now.total.amount) == "10.00"


def test_a_change_moves_seats_at_its_instant() -> None:
    """Also in a trial, where nothing is billed."""
    at = instant("2026-04-10 15:30")

    for state in (started(), tried()):
        posting = quoted(state, ask(editor=12), at).posting
        assert posting.at == at
        assert posting.events == (Delta(EDITOR, BalanceKind.COMMITTED, 2, 0, at, EventSource.CHANGE),)
