"""How far the credit in hand reaches: renewals are played in memory, by the functions that make them, until
one has something left to pay.
"""

from __future__ import annotations

import itertools
from datetime import datetime
from typing import Final
from uuid import UUID

from app.billing import renewals
from app.billing.state import Posting, State, after
from app.billing.subscriptions import SubscriptionStatus

STEPS_MAX: Final = 24
"""How many renewals (or monthly collections inside a longer term) are looked at."""


def credit_lasts_until(state: State, posting: Posting) -> datetime | None:
    """When, after a posting, something is due first that the credit balance does not pay in full, if nothing
    else happens; until then every document is paid by it. Credit that waits counts once it is in hand.

    None if no credit is in hand by then, if the subscription ends before, or if the credit lasts longer than
    the steps that are looked at.
    """
    ids = itertools.count(1)

    def new_id() -> UUID:
        return UUID(int=next(ids))

    ahead = after(state, posting, new_id)
    in_hand = ahead.credit.minor > 0
    if not in_hand and not any(billed.line.amount.minor < 0 for billed in ahead.waiting):
        return None
    for _ in range(STEPS_MAX):
        due = renewals.due_at(ahead)
        step = renewals.next_due(ahead, due) if due else None
        if step is None or step.subscription.status is not SubscriptionStatus.ACTIVE:
            return None
        if any(draft.totals.amount_due.minor for draft in step.drafts):
            return step.at if in_hand else None
        ahead = after(ahead, step, new_id)
        in_hand = in_hand or ahead.credit.minor > 0
    return None
