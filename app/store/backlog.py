"""How much is due and not done yet, for `/metrics`: numbers and ages alone, in one statement over the indexes
of what is due, each counted up to a bound.
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import ColumnElement, Select, func, literal, or_, select, union_all

from app.billing.payments import CollectionStatus, PendingStatus
from app.metrics import Backlog
from app.store.tables import collection, outbox, pending_change, render_job, subscription, webhook_delivery
from app.store.transaction import DeploymentTx

COUNTED_MAX: Final = 10_000


def measured(tx: DeploymentTx) -> Backlog:
    """What waits now, by the wall clock."""
    counts = union_all(*(_count(what, at, *due) for what, (at, *due) in _due(tx).items()))
    waiting = {
        row.what: (row.number, max(0.0, (tx.wall - row.oldest).total_seconds()) if row.oldest else 0.0)
        for row in tx.connection.execute(counts)
    }
    parked = select(literal(1)).select_from(subscription).where(subscription.c.parked.is_not(None))
    bounded = select(func.count()).select_from(parked.limit(COUNTED_MAX).subquery())
    return Backlog(waiting, tx.connection.execute(bounded).scalar_one())


def _due(tx: DeploymentTx) -> dict[str, tuple[Any, ...]]:
    """By what waits: the column that says since when, and the conditions."""
    retry = subscription.c.retry_at
    return {
        "subscriptions": (
            subscription.c.due_at,
            subscription.c.due_at <= tx.wall,
            subscription.c.parked.is_(None),
            or_(retry.is_(None), retry <= tx.wall),
        ),
        "documents": (render_job.c.run_at, render_job.c.run_at <= tx.wall),
        "news": (outbox.c.created_at, outbox.c.delivered_at.is_(None)),
        "deliveries": (webhook_delivery.c.next_at, webhook_delivery.c.next_at <= tx.wall),
        "payments": (
            pending_change.c.run_at,
            pending_change.c.run_at <= tx.wall,
            pending_change.c.status.in_((PendingStatus.COLLECTING, PendingStatus.REFUNDING)),
        ),
        "collections": (
            collection.c.run_at,
            collection.c.run_at <= tx.wall,
            collection.c.status.in_((CollectionStatus.WAITING, CollectionStatus.REFUNDING)),
        ),
    }


def _count(what: str, at: Any, *due: ColumnElement[bool]) -> Select[str, int, Any]:
    oldest_first = select(at.label("at")).where(*due).order_by(at).limit(COUNTED_MAX).subquery()
    return select(
        literal(what).label("what"),
        func.count().label("number"),
        func.min(oldest_first.c.at).label("oldest"),
    ).select_from(oldest_first)
