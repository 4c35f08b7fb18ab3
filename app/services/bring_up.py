"""Bring a subscription up to an instant: everything due until then is billed first, each renewal as a
document of its own.

The billing run and every verb use this one function; a preview does the same in memory and writes nothing.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from app.billing import renewals
from app.billing.permissions import SYSTEM
from app.billing.refusals import BillingDetailsMissing
from app.services import postings
from app.store import states
from app.store.states import Loaded
from app.store.transaction import Tx


def instant(tx: Tx) -> datetime:
    """The customer's present instant as verbs use it: whole seconds, so that a token can name it."""
    return tx.at.replace(microsecond=0)


def load_current(tx: Tx, subscription_id: UUID, at: datetime) -> Loaded | BillingDetailsMissing | None:
    """The subscription, locked, with everything billed that was due until an instant; None if there is none.

    Refused if a renewal is due that needs billing details; the subscription is parked then.
    """
    loaded = states.load(tx, subscription_id, lock=True)
    return bring_up(tx, loaded, at) if loaded else None


def bring_up(tx: Tx, loaded: Loaded, at: datetime) -> Loaded | BillingDetailsMissing:
    """Write all that is due until an instant; the state after it."""
    while posting := renewals.next_due(loaded.state, at):
        if posting.drafts and loaded.state.buyer.missing:
            return BillingDetailsMissing(loaded.state.buyer.missing)
        loaded = postings.write(tx, loaded, posting, actor=SYSTEM).loaded
    return loaded


def look_ahead(tx: Tx, loaded: Loaded, at: datetime) -> Loaded:
    """The state that `bring_up` would write, in memory."""
    steps = list(renewals.bring_up(loaded.state, at, tx.new_id))
    return replace(loaded, state=steps[-1].state) if steps else loaded


def stopped(tx: Tx, loaded: Loaded, at: datetime) -> BillingDetailsMissing | None:
    """Why `bring_up` would not come up to an instant, found in memory; None if it would."""
    missing = loaded.state.buyer.missing
    if not missing:
        return None
    steps = renewals.bring_up(loaded.state, at, tx.new_id)
    return BillingDetailsMissing(missing) if any(step.posting.drafts for step in steps) else None
