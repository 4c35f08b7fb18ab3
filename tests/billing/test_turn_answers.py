"""What somebody is told who wants to end, pause or resume a subscription."""

import pytest

from app.billing.plans import ChangeTiming, ProrationMode
from app.billing.refusals import NothingToChange, ProrationModeNotAllowed, SubscriptionNotActive
from app.billing.state import State
from app.billing.subscriptions import SubscriptionStatus
from app.billing.turns import Turn, TurnKind, decide_turn
from tests.billing.agreements import agreed, with_overrides
from tests.billing.playing import changed, turn, turned
from tests.builders import ask, direction, instant, money, plan_price, started, tried

NOW, AT_RENEWAL = ChangeTiming.NOW, ChangeTiming.AT_RENEWAL
CANCEL, PAUSE, RESUME = (Turn(kind) for kind in TurnKind)
PRORATED, UNBILLED = ProrationMode.PRORATED_IMMEDIATELY, ProrationMode.DO_NOT_BILL
DAY = "2026-04-16"
MODES = tuple(ProrationMode)


@pytest.mark.parametrize(
    ("before", "asked", "message"),
    [
        (CANCEL, CANCEL, "The subscription ends with its period already. Resume it to keep it."),
        (CANCEL, PAUSE, "The subscription ends with its period already. Resume it, then pause it."),
        (None, RESUME, "The subscription neither pauses nor ends. There is nothing to resume."),
    ],
)
def test_what_is_so_already_is_refused_with_a_way_out(before: Turn | None, asked: Turn, message: str) -> None:
    """What waits already is not asked for again."""
    state = turned(started(), before, DAY) if before else started()

    assert decide_turn(state, asked, instant(DAY)) == NothingToChange(message)


def test_what_has_ended_cannot_be_cancelled() -> None:
    """The refusal says what it was about, and what the subscription is."""
    ended = turned(started(), Turn(TurnKind.CANCEL, NOW), DAY)

    assert decide_turn(ended, CANCEL, instant(DAY)) == SubscriptionNotActive(
        SubscriptionStatus.ENDED, "cancelled"
    )


@pytest.mark.parametrize(
    ("state", "asked", "possible", "reason"),
    [
        (
            started(plan_price(decrease=direction(timing=AT_RENEWAL))),
            NOW,
            AT_RENEWAL,
            "This plan lets a subscription end with its period only. Ask for AT_RENEWAL.",
        ),
        (
            tried(),
            NOW,
            AT_RENEWAL,
            "A trial that is cancelled ends with its last day, and costs nothing. Ask for AT_RENEWAL.",
        ),
        (
            turned(started(), PAUSE, "2026-04-10"),
            AT_RENEWAL,
            NOW,
            "A paused subscription does not renew. Ask for NOW.",
        ),
    ],
)
def test_an_end_at_the_wrong_time_is_refused_with_the_right_one(
    state: State, asked: ChangeTiming, possible: ChangeTiming, reason: str
) -> None:
    """By the plan, in a trial and in a pause there is one time to end, and the refusal says why."""
    assert decide_turn(state, Turn(TurnKind.CANCEL, asked), instant("2026-04-12")) == ProrationModeNotAllowed(
        None, asked, MODES, (possible,), reason
    )


def test_a_quote_says_when_and_how_something_turns() -> None:
    """An end that waits and one that is taken back bill nothing; a pause credits now, and a new period is
    billed in full.
    """
    state = started()
    quotes = [
        turn(state, CANCEL, DAY),
        turn(turned(state, CANCEL, DAY), RESUME, DAY),
        turn(state, PAUSE, DAY),
        turn(turned(state, PAUSE, DAY), RESUME, DAY),
    ]

    assert [(quote.mode, quote.timing) for quote in quotes] == [
        (UNBILLED, AT_RENEWAL),
        (UNBILLED, NOW),
        (PRORATED, NOW),
        (ProrationMode.FULL_IMMEDIATELY, NOW),
    ]
    assert {quote.posting.at for quote in quotes} == {instant(DAY)}
    assert [quote.due_now.total for quote in quotes[:2]] == [money("0.00")] * 2


def test_a_pause_drops_nothing() -> None:
    """Eight editors waited for May, and go on waiting."""
    state = changed(started(), ask(editor=8, timing=AT_RENEWAL), "2026-04-10")
    posting = turn(state, PAUSE, DAY).posting

    assert (posting.settled, posting.dropped) == ((), ())


def test_an_end_is_by_what_was_agreed() -> None:
    """Seats that were granted are there when the end is asked for; they are none that are given up."""
    state = with_overrides(started(), agreed(granted=2))
    now = turn(state, Turn(TurnKind.CANCEL, NOW), DAY)

    assert turn(state, CANCEL, DAY).posting.scheduled
    assert [event.removed for event in now.posting.events] == [10]
