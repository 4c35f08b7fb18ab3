"""The billing run for one subscription: it ends billed, or parked with a reason."""

from __future__ import annotations

from uuid import UUID

from app.billing.bounds import OutOfBounds
from app.billing.permissions import SYSTEM
from app.billing.refusals import BillingDetailsMissing
from app.services.bring_up import compose_due, instant
from app.store import commits, states, subscriptions
from app.store.saving import save
from app.store.sheet import Sheet
from app.store.transaction import Tx


def bill(tx: Tx, subscription_id: UUID) -> BillingDetailsMissing | OutOfBounds | None:
    """Bill all that is due now. None: done, or nothing was due; a refusal: the subscription is parked with
    it.
    """
    loaded = states.load(tx, subscription_id, lock=True)
    if loaded is None:
        return None
    sheet = Sheet()
    done = compose_due(sheet, tx, loaded, instant(tx))
    if done.stopped:
        park(sheet, tx, subscription_id, done.stopped.message)
    save(tx.connection, sheet)
    return done.stopped


def park(sheet: Sheet, tx: Tx, subscription_id: UUID, reason: str) -> None:
    """Take a subscription out of the billing run until somebody has looked at it, and put that on record."""
    subscriptions.park(sheet, tx, subscription_id, reason)
    commits.put_on_record(
        sheet,
        tx,
        "subscription.parked",
        subscription_id,
        actor=SYSTEM.name,
        at=tx.at,
        detail={"reason": reason},
    )
