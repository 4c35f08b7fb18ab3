"""Changes that have to be paid before they are made. A row is written as it was pressed; its status goes
forward, and the database refuses anything else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, insert, select, update
from sqlalchemy.engine import Row

from app.billing.money import Currency, Money
from app.billing.payments import OnPaymentFailure, PendingStatus
from app.billing.permissions import Actor
from app.billing.requests import ChangeRequest
from app.store.frozen import from_json, to_json
from app.store.tables import pending_change
from app.store.transaction import Tx


@dataclass(frozen=True, slots=True)
class PendingChange:
    """A change as it was pressed and decided, and how far its payment is; `id` is the payment's intent.

    :param decided_at: the instant it was decided for, on the customer's clock
    :param digest: of all that the decision came to, in hexadecimal
    :param run_at: when somebody may next work on it (wall time); until then somebody else does
    :param reason: why the payment was declined; None for a change that came to something else by then
    """

    id: UUID
    subscription: UUID
    key: str
    fingerprint: str
    change: ChangeRequest
    actor: Actor
    decided_at: datetime
    digest: str
    amount: Money
    method: str
    on_failure: OnPaymentFailure
    created_at: datetime
    run_at: datetime
    status: PendingStatus = PendingStatus.COLLECTING
    attempts: int = 0
    reason: str | None = None

    @property
    def under_way(self) -> bool:
        """Whether money has still to be taken or given back."""
        return self.status in {PendingStatus.COLLECTING, PendingStatus.REFUNDING}


def add(tx: Tx, new: PendingChange) -> None:
    """Record a change that is about to be paid."""
    tx.connection.execute(
        insert(pending_change).values(
            customer_id=tx.customer,
            id=new.id,
            subscription_id=new.subscription,
            key=new.key,
            fingerprint=new.fingerprint,
            change=to_json(new.change),
            actor=to_json(new.actor),
            decided_at=new.decided_at,
            digest=new.digest,
            amount=new.amount.minor,
            method=new.method,
            on_failure=new.on_failure,
            created_at=new.created_at,
            status=new.status,
            attempts=new.attempts,
            run_at=new.run_at,
        )
    )


def get(tx: Tx, intent: UUID, currency: Currency) -> PendingChange | None:
    """A pending change by its intent."""
    found = _found(tx, currency, pending_change.c.id == intent)
    return found[0] if found else None


def not_closed(tx: Tx, currency: Currency) -> Sequence[PendingChange]:
    """Those whose payment is under way, and those that came to nothing without anybody being told."""
    return _found(tx, currency, pending_change.c.closed_at.is_(None))


def move(
    tx: Tx,
    intent: UUID,
    status: PendingStatus,
    *,
    reason: str | None = None,
    run_at: datetime | None = None,
    closed: bool = False,
) -> None:
    """Go on to a status. `closed` if there is nothing left to tell who pressed."""
    values: dict[str, Any] = {"status": status}
    values |= {"reason": reason} if reason else {}
    values |= {"run_at": run_at} if run_at else {}
    values |= {"closed_at": tx.wall} if closed else {}
    _update(tx, intent, values)


def close(tx: Tx, intent: UUID) -> None:
    """Who pressed was told what became of it."""
    _update(tx, intent, {"closed_at": tx.wall})


def put_off(tx: Tx, intent: UUID, *, run_at: datetime, error: str) -> None:
    """No answer came: remember that, and when to ask again."""
    values = {"attempts": pending_change.c.attempts + 1, "run_at": run_at, "last_error": error[:500]}
    _update(tx, intent, values)


def _update(tx: Tx, intent: UUID, values: dict[str, Any]) -> None:
    mine = (pending_change.c.customer_id == tx.customer, pending_change.c.id == intent)
    tx.connection.execute(update(pending_change).where(*mine).values(values))


def _found(tx: Tx, currency: Currency, condition: ColumnElement[bool]) -> list[PendingChange]:
    query = select(pending_change).where(pending_change.c.customer_id == tx.customer, condition)
    return [_pending(row, currency) for row in tx.connection.execute(query.order_by(pending_change.c.id))]


def _pending(row: Row[Any], currency: Currency) -> PendingChange:
    return PendingChange(
        id=row.id,
        subscription=row.subscription_id,
        key=row.key,
        fingerprint=row.fingerprint,
        change=from_json(row.change, ChangeRequest),
        actor=from_json(row.actor, Actor),
        decided_at=row.decided_at,
        digest=row.digest,
        amount=Money(row.amount, currency),
        method=row.method,
        on_failure=row.on_failure,
        created_at=row.created_at,
        run_at=row.run_at,
        status=row.status,
        attempts=row.attempts,
        reason=row.reason,
    )
