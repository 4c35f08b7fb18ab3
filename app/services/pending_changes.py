"""The row of a change that has to be paid first: whose turn it is to work on it, and for how long.

Whoever presses has the first turn; when a turn is over without an end (no answer came, the process died),
anybody may take the next one: the worker, or who presses again.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from app.billing.money import Currency
from app.billing.payments import OnPaymentFailure, PendingStatus
from app.billing.permissions import Actor
from app.billing.requests import ChangeRequest
from app.services.confirming import Decided
from app.services.quotes import digest
from app.store import commits, customers, pending
from app.store.pending import PendingChange
from app.store.transaction import Tx

TURN: Final = timedelta(seconds=30)
"""How long one who collects is left alone; longer than any call of a gateway may take."""
PAUSE: Final = timedelta(seconds=5)
PAUSE_MAX: Final = timedelta(hours=1)
GIVE_UP: Final = timedelta(days=1)
NO_ANSWER: Final = "No answer came within a day, so the payment was withdrawn."
PRESS_AGAIN_SECONDS_MAX: Final = 15


def begin(
    tx: Tx,
    actor: Actor,
    decided: Decided[ChangeRequest],
    *,
    key: str,
    fingerprint: str,
    on_failure: OnPaymentFailure,
) -> PendingChange:
    """Keep what was decided until it is paid. The caller has the first turn."""
    method = decided.loaded.customer.payment_method
    assert method is not None, "who pays by invoice pays later"
    row = PendingChange(
        id=tx.new_id(),
        subscription=decided.loaded.state.subscription.id,
        key=key,
        fingerprint=fingerprint,
        change=decided.change,
        actor=actor,
        decided_at=decided.quote.posting.at,
        digest=digest_of(decided),
        amount=decided.quote.due_now.amount_due,
        method=method,
        on_failure=on_failure,
        created_at=tx.wall,
        run_at=tx.wall + TURN,
    )
    pending.add(tx, row)
    note(tx, row, "change.pending")
    return row


def of_intent(tx: Tx, intent: UUID) -> PendingChange:
    """The row of an intent."""
    found = pending.get(tx, intent, currency(tx))
    assert found is not None, "a pending change stays for ever"
    return found


def turn(tx: Tx, intent: UUID) -> PendingChange | None:
    """Take a turn at a pending change: the row as it is then, None if it is somebody else's or over.

    What had no answer for a day is given back instead of being asked for again.
    """
    row = of_intent(tx, intent)
    if not row.under_way or row.run_at > tx.wall:
        return None
    if row.status is PendingStatus.COLLECTING and row.created_at + GIVE_UP <= tx.wall:
        pending.move(tx, intent, PendingStatus.REFUNDING, reason=NO_ANSWER, run_at=tx.wall + TURN)
    else:
        pending.move(tx, intent, row.status, run_at=tx.wall + TURN)
    return of_intent(tx, intent)


def put_off(tx: Tx, intent: UUID, error: str) -> None:
    """No answer came: let somebody ask again later, each time after twice as long."""
    row = of_intent(tx, intent)
    if row.under_way:
        pending.put_off(tx, intent, run_at=tx.wall + pause_after(row.attempts), error=error)


def pause_after(attempts: int) -> timedelta:
    """How long a gateway is left alone that gave no answer before, so often."""
    return min(PAUSE * (1 << min(attempts, 20)), PAUSE_MAX)


def press_again_seconds(tx: Tx, row: PendingChange) -> int:
    """When it is worth the while to ask again what became of it."""
    left = int((row.run_at - tx.wall).total_seconds()) + 1
    return max(1, min(left, PRESS_AGAIN_SECONDS_MAX))


def digest_of(decided: Decided[ChangeRequest]) -> str:
    """What a decision came to, to be compared with another of the same instant."""
    return digest(decided.quote, decided.loaded.state).hex()


def currency(tx: Tx) -> Currency:
    """What the customer is billed in."""
    customer = customers.get(tx)
    assert customer is not None, "a pending change is a customer's"
    return customer.currency


def note(tx: Tx, row: PendingChange, action: str, *, at: datetime | None = None) -> None:
    """Put a step of a pending change on record."""
    detail = {"subscription": str(row.subscription), "amount": row.amount.minor}
    commits.note(tx, action, row.id, actor=row.actor.name, at=at or tx.at, detail=detail)
