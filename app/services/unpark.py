"""Give parked subscriptions back to the billing run, after somebody has looked at them."""

from __future__ import annotations

from uuid import UUID

from app.billing.permissions import Actor
from app.store import commits, subscriptions
from app.store.transaction import Tx


def unpark(tx: Tx, actor: Actor, subscription_id: UUID) -> str | None:
    """Give a subscription back; why it was parked, None if it was not. What the run had found too much until
    now it lets through; what can never be right it parks again.
    """
    reason = subscriptions.unpark(tx, subscription_id)
    if reason is not None:
        detail = {"reason": reason}
        commits.note(tx, "subscription.unparked", subscription_id, actor=actor.name, at=tx.at, detail=detail)
    return reason
