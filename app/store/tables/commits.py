"""What goes with every commit, and what waits to be done after it."""

from __future__ import annotations

from sqlalchemy import Index, Text

from app.store.columns import Count, Id, Instant, Json
from app.store.metadata import may, need, needs, owned, tenant, where

idempotency = tenant(
    "idempotency",
    *needs(Text, "mutation", "key", "fingerprint"),
    need("outcome", Json),
    need("recorded_at", Instant),
    Index("idempotency_oldest", "customer_id", "recorded_at"),
    Index("idempotency_old", "recorded_at"),
    key=("mutation", "key"),
)

render_job = tenant(
    "render_job",
    need("document_id", Id),
    *needs(Instant, "created_at", "run_at"),
    need("attempts", Count),
    may("last_error", Text),
    owned("document", "document_id"),
    Index("render_job_due", "run_at"),
    key=("document_id",),
)

outbox = tenant(
    "outbox",
    need("type", Text),
    need("object_id", Id),
    need("sequence", Count),
    need("payload", Json),
    need("created_at", Instant),
    may("delivered_at", Instant),
    Index("outbox_object", "customer_id", "object_id", "sequence", unique=True),
    Index(
        "outbox_waiting", "created_at",
        **where("delivered_at IS NULL")
    ),
)  # fmt: skip

audit = tenant(
    "audit",
    *needs(Text, "action", "actor"),
    need("object_id", Id),
    need("detail", Json),
    *needs(Instant, "effective_at", "recorded_at"),
    need("position", Count),
    need("digest", Text),
    Index("audit_latest", "customer_id", "recorded_at", "id"),
    Index("audit_chain", "customer_id", "position", unique=True),
)
