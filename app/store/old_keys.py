"""Idempotency keys that nobody will repeat any more."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, select, tuple_

from app.store.tables import idempotency
from app.store.transaction import Tx


def forget(tx: Tx, before: datetime, limit: int) -> int:
    """Forget so many keys that were used before an instant of the wall clock, the oldest; how many."""
    oldest = (
        select(idempotency.c.mutation, idempotency.c.key)
        .where(idempotency.c.customer_id == tx.customer, idempotency.c.recorded_at < before)
        .order_by(idempotency.c.recorded_at, idempotency.c.mutation, idempotency.c.key)
        .limit(limit)
    )
    own = (
        idempotency.c.customer_id == tx.customer,
        tuple_(idempotency.c.mutation, idempotency.c.key).in_(oldest),
    )
    return tx.connection.execute(delete(idempotency).where(*own)).rowcount
