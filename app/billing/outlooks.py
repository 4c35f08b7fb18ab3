"""What will become of the changes that wait, by what is known today, and what each of them does to the price
of the renewal. Found by playing the renewal with all of them and without each of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum
from uuid import UUID

from app.billing import renewals
from app.billing.documents import totals_of
from app.billing.money import Money
from app.billing.state import Posting, State
from app.billing.subscriptions import ScheduledChange, SubscriptionStatus


class Outlook(Enum):
    """What the renewal will make of a scheduled change if nothing else happens.

    AS_ASKED it takes effect · RAISED fewer seats than are in use were asked for, so more stay · DROPPED it is
    not possible any more, or the subscription ends instead.
    """

    AS_ASKED = "AS_ASKED"
    RAISED = "RAISED"
    DROPPED = "DROPPED"


@dataclass(frozen=True, slots=True)
class Effect:
    """A change's outlook, and how much more the renewal's total is with it than without it."""

    outlook: Outlook
    difference: Money


def opening(state: State) -> Posting | None:
    """What scheduled changes wait for: the renewal, or in a pause the period that begins when it is over;
    None if there is neither.
    """
    subscription = state.subscription
    if subscription.status.runs:
        return renewals.renewal(state)
    if subscription.status is SubscriptionStatus.PAUSED:
        at = subscription.period.end
        return renewals.next_period(state, at, lambda price: state.where_it_lives.resumed(price, at=at))
    return None


def effects(state: State) -> Mapping[UUID, Effect]:
    """The effect of each change that waits, by its id."""
    posting = opening(state)
    if posting is None:
        return {}
    with_all = _total(state, posting)
    return {
        scheduled.id: Effect(_outlook(posting, scheduled), with_all - _total_without(state, scheduled))
        for scheduled in state.scheduled
    }


def _total(state: State, posting: Posting) -> Money:
    """What the posting's lines and those that wait come to, with tax and before credit."""
    return totals_of((*(billed.line for billed in state.waiting), *posting.lines), state.credit).total


def _total_without(state: State, scheduled: ScheduledChange) -> Money:
    others = tuple(other for other in state.scheduled if other.id != scheduled.id)
    without = replace(state, scheduled=others)
    posting = opening(without)
    assert posting is not None, "what waits changes nothing about whether there is a renewal"
    return _total(without, posting)


def _outlook(posting: Posting, scheduled: ScheduledChange) -> Outlook:
    if scheduled in posting.dropped:
        return Outlook.DROPPED
    return Outlook.RAISED if scheduled in posting.raised else Outlook.AS_ASKED
