"""The turns of a subscription's life that people decide: it is cancelled, kept after all, paused, resumed.
`decide_turn(state, turn, at) → Quote | Refusal`, pure, with the same quote as a change has.

    cancel at the renewal   a scheduled change, nothing is given back
    cancel now              seats are given up, unused time is credited if the plan credits a decrease, and
                            one final document holds that with everything that waits
    pause                   unused time is credited, and no period is open until it is resumed
    resume                  an end that waits is taken back; after a pause a new period begins, with a new
                            anchor, and what had waited for the renewal comes with it
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum
from typing import assert_never
from uuid import UUID

from app.billing import lives, renewals
from app.billing.changes import Quote, quote_lines, renewal_forecast, totals_due
from app.billing.credits import TakingBack
from app.billing.ledger import EventSource
from app.billing.lines import Line
from app.billing.lives import Verb
from app.billing.money import Money, total
from app.billing.moves import AXES, Measure
from app.billing.plans import ChangeTiming, ProrationMode
from app.billing.refusals import (
    BillingDetailsMissing,
    NothingToChange,
    ProrationModeNotAllowed,
    SubscriptionNotActive,
)
from app.billing.state import Posting, State, after
from app.billing.subscriptions import CancelAtRenewal, ScheduledChange, SubscriptionStatus


class TurnKind(Enum):
    """What a turn is."""

    CANCEL = "CANCEL"
    PAUSE = "PAUSE"
    RESUME = "RESUME"


@dataclass(frozen=True, slots=True)
class Turn:
    """A turn as asked. The timing is for cancelling alone; None is the renewal, if there will be one."""

    kind: TurnKind
    timing: ChangeTiming | None = None


PauseRefusal = SubscriptionNotActive | NothingToChange | BillingDetailsMissing
TurnRefusal = PauseRefusal | ProrationModeNotAllowed


def decide_turn(state: State, turn: Turn, at: datetime) -> Quote | TurnRefusal:
    """What a turn would do at an instant, or why it cannot be. The state is brought up to the instant."""
    match turn.kind:
        case TurnKind.CANCEL:
            return decide_cancel(state, turn.timing, at)
        case TurnKind.PAUSE:
            return decide_pause(state, at)
        case TurnKind.RESUME:
            return decide_resume(state, at)
        case _:
            assert_never(turn.kind)


def decide_cancel(state: State, timing: ChangeTiming | None, at: datetime) -> Quote | TurnRefusal:
    """The end of a subscription: with its period, or now as far as the plan lets a decrease be now."""
    state, status = state.in_force(at), state.subscription.status
    verbs = {ChangeTiming.NOW: Verb.CANCEL_NOW, ChangeTiming.AT_RENEWAL: Verb.CANCEL_AT_RENEWAL}
    timings = tuple(each for each, verb in verbs.items() if lives.allowed(verb, status))
    if not timings:
        return SubscriptionNotActive(status, "cancelled")
    if status.runs and state.price.policy.decrease.timing is ChangeTiming.AT_RENEWAL:
        timings = (ChangeTiming.AT_RENEWAL,)
    timing = timing or timings[-1]
    if timing not in timings:
        reason = _why_not(timing, status)
        return ProrationModeNotAllowed(None, timing, state.price.policy.decrease.modes, timings, reason)
    if timing is ChangeTiming.NOW:
        return _ended_now(state, at)
    if _cancel(state):
        return NothingToChange("The subscription ends with its period already. Resume it to keep it.")
    posting = Posting(at, state.subscription.changed(), state.price, scheduled=(CancelAtRenewal(),))
    return _quote(state, posting, ProrationMode.DO_NOT_BILL, timing)


def decide_pause(state: State, at: datetime) -> Quote | PauseRefusal:
    """A pause from today on. The time that is paid and not used is credited whatever the plan says, since the
    customer does not leave. Scheduled changes go on waiting.
    """
    state = state.in_force(at)
    refused = lives.refusal(Verb.PAUSE, state.subscription.status)
    if refused:
        return refused
    if _cancel(state):
        return NothingToChange("The subscription ends with its period already. Resume it, then pause it.")
    lines = _unused(state, at)
    ended = renewals.ending(state, at, source=EventSource.CHANGE, credit_lines=lines)
    paused = state.subscription.paused(ended.subscription.period.end)
    posting = replace(ended, subscription=paused, events=(), settled=(), dropped=())
    return _quote(state, posting, ProrationMode.PRORATED_IMMEDIATELY, ChangeTiming.NOW)


def decide_resume(state: State, at: datetime) -> Quote | PauseRefusal:
    """Keep a subscription that was to end, or go on after a pause."""
    state, subscription = state.in_force(at), state.subscription
    if lives.allowed(Verb.UNPAUSE, subscription.status):
        posting = renewals.next_period(state, at, lambda price: state.where_it_lives.resumed(price, at=at))
        return _quote(state, posting, ProrationMode.FULL_IMMEDIATELY, ChangeTiming.NOW)
    refused = lives.refusal(Verb.TAKE_BACK, subscription.status)
    if refused:
        return refused
    waiting = _cancel(state)
    if not waiting:
        return NothingToChange("The subscription neither pauses nor ends. There is nothing to resume.")
    posting = Posting(at, state.subscription.changed(), state.price, settled=waiting)
    return _quote(state, posting, ProrationMode.DO_NOT_BILL, ChangeTiming.NOW)


def _ended_now(state: State, at: datetime) -> Quote | BillingDetailsMissing:
    """An end today: with a credit if the plan's usual way to decrease gives one, which is never more than the
    unused time, so that nobody leaves with more than is left.
    """
    usual = AXES[state.price.policy.decrease.modes[0]]
    credits_unused = state.subscription.status.runs and usual.credit is not Measure.NOTHING
    lines = _unused(state, at) if credits_unused else ()
    posting = renewals.ending(state, at, source=EventSource.CHANGE, credit_lines=lines)
    mode = ProrationMode.PRORATED_IMMEDIATELY if credits_unused else ProrationMode.DO_NOT_BILL
    return _quote(state, posting, mode, ChangeTiming.NOW)


def _unused(state: State, at: datetime) -> tuple[Line, ...]:
    """Credits for the rest of everything that is paid in advance."""
    taking = TakingBack(state.subscription, at, state.price, full=False)
    return tuple(line for item in state.items() for line in taking.everything(state.charges_of(item)))


def _cancel(state: State) -> tuple[ScheduledChange, ...]:
    """The end that waits, if one does."""
    return tuple(waiting for waiting in state.scheduled if isinstance(waiting.change, CancelAtRenewal))


def _why_not(timing: ChangeTiming, status: SubscriptionStatus) -> str:
    """Why a timing is not possible for an end, when the other one is."""
    if timing is ChangeTiming.AT_RENEWAL:
        return "A paused subscription does not renew. Ask for NOW."
    if status is SubscriptionStatus.TRIALING:
        return "A trial that is cancelled ends with its last day, and costs nothing. Ask for AT_RENEWAL."
    return "This plan lets a subscription end with its period only. Ask for AT_RENEWAL."


def _quote(
    state: State, posting: Posting, mode: ProrationMode, timing: ChangeTiming
) -> Quote | BillingDetailsMissing:
    if posting.drafts and state.buyer.missing:
        return BillingDetailsMissing(state.buyer.missing)
    ids = itertools.count(1)
    turned = after(state, posting, lambda: UUID(int=next(ids)))
    at_renewal = renewal_forecast(turned)
    return Quote(
        posting=posting,
        mode=mode,
        timing=timing,
        lines=quote_lines(posting),
        due_now=totals_due(posting.drafts, Money.zero(state.currency)),
        credit_added=total((draft.credit_added for draft in posting.drafts), state.currency),
        at_renewal=at_renewal,
        renews_at=turned.subscription.period.end if at_renewal else None,
    )
