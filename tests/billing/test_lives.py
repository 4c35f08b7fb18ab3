"""The table of a subscription's life, cell by cell, and that what is decided keeps to it."""

from dataclasses import replace
from uuid import UUID

import pytest

from app.billing import lives
from app.billing.changes import Quote, decide
from app.billing.lives import LEADS_TO, Verb
from app.billing.plans import ChangeTiming
from app.billing.refusals import NothingToChange, ProrationModeNotAllowed, SubscriptionNotActive
from app.billing.renewals import due_at, next_due
from app.billing.state import State
from app.billing.subscriptions import CancelAtRenewal, ScheduledChange, SubscriptionStatus
from app.billing.turns import Turn, TurnKind, decide_turn
from tests.builders import ask, instant, started, tried

GRID = """
                   TRIALING  ACTIVE    PAST_DUE  PAUSED  ENDED
ACTIVATE           ACTIVE    -         -         -       -
RENEW              -         ACTIVE    PAST_DUE  -       -
END                ENDED     ENDED     ENDED     -       -
CHANGE             TRIALING  ACTIVE    PAST_DUE  -       -
CANCEL_NOW         -         ENDED     ENDED     ENDED   -
CANCEL_AT_RENEWAL  TRIALING  ACTIVE    PAST_DUE  -       -
TAKE_BACK          TRIALING  ACTIVE    PAST_DUE  -       -
PAUSE              -         PAUSED    PAUSED    -       -
UNPAUSE            -         -         -         ACTIVE  -
"""
NOW, AT_RENEWAL = ChangeTiming.NOW, ChangeTiming.AT_RENEWAL
TODAY = instant("2026-04-16 09:00")
STORED = tuple(status for status in SubscriptionStatus if status is not SubscriptionStatus.PAST_DUE)


def cells() -> list[tuple[Verb, SubscriptionStatus, SubscriptionStatus | None]]:
    """The grid as verb, status, and where that leads; None is a no."""
    head, *rows = [line.split() for line in GRID.strip().splitlines()]
    return [
        (Verb[row[0]], SubscriptionStatus[status], None if cell == "-" else SubscriptionStatus[cell])
        for row in rows
        for status, cell in zip(head, row[1:], strict=True)
    ]


def in_status(status: SubscriptionStatus, *, ends: bool = False) -> State:
    """Ten editors on 16 April, in a status; with `ends`, an end waits."""
    state = tried(days=30) if status is SubscriptionStatus.TRIALING else started()
    subscription = state.subscription
    if status is SubscriptionStatus.PAUSED:
        subscription = subscription.paused(TODAY)
    elif status is SubscriptionStatus.ENDED:
        subscription = subscription.ended(TODAY)
    waiting = (ScheduledChange(UUID(int=9), CancelAtRenewal()),) if ends else ()
    return replace(state, subscription=subscription, scheduled=waiting)


def led_to(verb: Verb, status: SubscriptionStatus) -> SubscriptionStatus | None:
    """Where billing itself goes from a status; None if it refuses, or time brings nothing."""
    if verb in {Verb.ACTIVATE, Verb.RENEW, Verb.END}:
        state = in_status(status, ends=verb is Verb.END)
        due = due_at(state)
        posting = next_due(state, due) if due else None
        activates = status is SubscriptionStatus.TRIALING
        asked = verb is Verb.END or activates == (verb is Verb.ACTIVATE)
        return posting.subscription.status if posting and asked else None
    state = in_status(status, ends=verb is Verb.TAKE_BACK)
    turns = {
        Verb.CANCEL_NOW: Turn(TurnKind.CANCEL, NOW),
        Verb.CANCEL_AT_RENEWAL: Turn(TurnKind.CANCEL, AT_RENEWAL),
        Verb.PAUSE: Turn(TurnKind.PAUSE),
        Verb.TAKE_BACK: Turn(TurnKind.RESUME),
        Verb.UNPAUSE: Turn(TurnKind.RESUME),
    }
    wants_pause_over = verb is Verb.UNPAUSE
    if verb in {Verb.TAKE_BACK, Verb.UNPAUSE} and (status is SubscriptionStatus.PAUSED) != wants_pause_over:
        return None
    quote = decide_turn(state, turns[verb], TODAY) if verb in turns else decide(state, ask(editor=11), TODAY)
    return quote.posting.subscription.status if isinstance(quote, Quote) else None


@pytest.mark.parametrize(("verb", "status", "leads_to"), cells())
def test_a_cell(verb: Verb, status: SubscriptionStatus, leads_to: SubscriptionStatus | None) -> None:
    """The table says what the grid above says."""
    assert LEADS_TO[verb].get(status) is leads_to
    assert lives.allowed(verb, status) is (leads_to is not None)
    assert (lives.refusal(verb, status) is None) is (leads_to is not None)


@pytest.mark.parametrize(("verb", "status", "leads_to"), [cell for cell in cells() if cell[1] in STORED])
def test_what_is_decided_keeps_to_the_table(
    verb: Verb, status: SubscriptionStatus, leads_to: SubscriptionStatus | None
) -> None:
    """In every status that can be stored, every verb of billing leads where the grid says, or nowhere."""
    assert led_to(verb, status) is leads_to


def test_the_grid_is_whole() -> None:
    """Every verb in every status, once."""
    assert [(verb, status) for verb, status, _ in cells()] == [
        (verb, status) for verb in Verb for status in SubscriptionStatus
    ]


def test_owing_money_forbids_nothing() -> None:
    """PAST_DUE is found out when it is shown, so no decision may depend on it: what ACTIVE may, PAST_DUE may,
    and stays what it is or leads where ACTIVE leads.
    """
    for verb, row in LEADS_TO.items():
        active, past_due = row.get(SubscriptionStatus.ACTIVE), row.get(SubscriptionStatus.PAST_DUE)
        if active is SubscriptionStatus.ACTIVE:
            assert past_due is SubscriptionStatus.PAST_DUE, verb
        else:
            assert past_due is active, verb


def test_nothing_leads_out_of_the_end() -> None:
    """ENDED has no cell, and every other status can be left for it."""
    assert not any(SubscriptionStatus.ENDED in row for row in LEADS_TO.values())
    leaving = {s for row in LEADS_TO.values() for s, to in row.items() if to is SubscriptionStatus.ENDED}
    assert leaving == set(SubscriptionStatus) - {SubscriptionStatus.ENDED}


@pytest.mark.parametrize("stored", STORED)
def test_only_an_active_subscription_is_shown_as_past_due(stored: SubscriptionStatus) -> None:
    """With an invoice past its due day ACTIVE is PAST_DUE; the others stay what they are."""
    owing = lives.shown(stored, overdue=True)

    assert lives.shown(stored, overdue=False) is stored
    expected = SubscriptionStatus.PAST_DUE if stored is SubscriptionStatus.ACTIVE else stored
    assert owing is expected


@pytest.mark.parametrize(
    ("verb", "status", "message"),
    [
        (
            Verb.CHANGE,
            SubscriptionStatus.PAUSED,
            "The subscription is paused; it cannot be changed. Resume it first, or cancel it at once.",
        ),
        (
            Verb.TAKE_BACK,
            SubscriptionStatus.ENDED,
            "The subscription is ended; it cannot be kept. Ask the seller for a new one.",
        ),
        (
            Verb.PAUSE,
            SubscriptionStatus.TRIALING,
            "The subscription is in its trial; it cannot be paused.",
        ),
    ],
)
def test_a_no_says_why_and_what_to_do(verb: Verb, status: SubscriptionStatus, message: str) -> None:
    """The refusal names the status, what cannot be, and the way out if there is one."""
    refusal = lives.refusal(verb, status)

    assert refusal is not None
    assert refusal.message == message


@pytest.mark.parametrize(
    ("status", "timing", "allowed"),
    [
        (SubscriptionStatus.TRIALING, NOW, (AT_RENEWAL,)),
        (SubscriptionStatus.PAUSED, AT_RENEWAL, (NOW,)),
    ],
)
def test_an_end_at_another_time_says_when_it_can_be(
    status: SubscriptionStatus, timing: ChangeTiming, allowed: tuple[ChangeTiming, ...]
) -> None:
    """A trial ends with its last day, a pause at once."""
    refusal = decide_turn(in_status(status), Turn(TurnKind.CANCEL, timing), TODAY)

    assert isinstance(refusal, ProrationModeNotAllowed)
    assert (refusal.requested_timing, refusal.allowed_timings) == (timing, allowed)


def test_there_is_nothing_to_resume_nor_to_cancel_twice() -> None:
    """An active subscription that goes on is not resumed; one that ends is neither cancelled again nor
    paused. What is history is refused as such.
    """
    going, ending = in_status(SubscriptionStatus.ACTIVE), in_status(SubscriptionStatus.ACTIVE, ends=True)
    over = in_status(SubscriptionStatus.ENDED)

    assert isinstance(decide_turn(going, Turn(TurnKind.RESUME), TODAY), NothingToChange)
    assert isinstance(decide_turn(ending, Turn(TurnKind.CANCEL), TODAY), NothingToChange)
    assert isinstance(decide_turn(ending, Turn(TurnKind.PAUSE), TODAY), NothingToChange)
    assert all(isinstance(decide_turn(over, Turn(kind), TODAY), SubscriptionNotActive) for kind in TurnKind)
