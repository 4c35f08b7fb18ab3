"""The billing run for one subscription: it ends billed, or parked with a reason."""

from __future__ import annotations

from uuid import UUID

from app.billing.refusals import BillingDetailsMissing
from app.services.bring_up import bring_up, instant
from app.store import states, subscriptions
from app.store.transaction import Tx


def bill(tx: Tx, subscription_id: UUID) -> BillingDetailsMissing | None:
    """Bill all that is due now. None: done, or nothing was due; a refusal: the subscription is parked with
    it.
    """
    loaded = states.load(tx, subscription_id, lock=True)
    if loaded is None:
        return None
    outcome = bring_up(tx, loaded, instant(tx))
    if isinstance(outcome, BillingDetailsMissing):
        subscriptions.park(tx, subscription_id, outcome.message)
        return outcome
    return None
