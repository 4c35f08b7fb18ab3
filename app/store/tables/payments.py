"""Changes that have to be paid before they are made, and invoices that are collected once they are issued."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Index, Text

from app.billing.payments import CollectionStatus, OnPaymentFailure, PendingStatus
from app.store.columns import Count, Id, Instant, Json, Minor, choice
from app.store.metadata import may, mays, need, needs, owned, tenant, where

pending_change = tenant(
    "pending_change",
    need("subscription_id", Id),
    *needs(Text, "key", "fingerprint"),
    *needs(Json, "change", "actor"),
    need("decided_at", Instant),
    need("digest", Text),
    need("amount", Minor),
    need("method", Text),
    choice("on_failure", OnPaymentFailure),
    need("created_at", Instant),
    choice("status", PendingStatus),
    need("attempts", Count),
    need("run_at", Instant),
    *mays(Text, "last_error", "reason"),
    may("closed_at", Instant),
    owned("subscription", "subscription_id"),
    Index(
        "pending_change_collecting", "customer_id", "subscription_id", unique=True,
        **where("status = 'COLLECTING'")
    ),
    Index("pending_change_open", "customer_id", **where("closed_at IS NULL")),
    Index("pending_change_due", "run_at", **where("status IN ('COLLECTING', 'REFUNDING')")),
)  # fmt: skip

MOVES: Final = ("status", "attempts", "run_at", "last_error", "reason", "closed_at")
"""What moves in the row of a pending change; all else is as it was pressed."""

collection = tenant(
    "collection",
    need("invoice_id", Id),
    choice("status", CollectionStatus),
    *needs(Count, "tries", "attempts"),
    need("run_at", Instant),
    may("intent", Id),
    may("intent_at", Instant),
    may("amount", Minor),
    *mays(Text, "method", "last_error"),
    owned("document", "invoice_id"),
    Index("collection_due", "run_at", **where("status IN ('WAITING', 'REFUNDING')")),
    key=("invoice_id",),
)
