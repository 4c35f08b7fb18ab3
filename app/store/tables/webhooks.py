"""Where the vendor wants to be told, and what has been sent there."""

from __future__ import annotations

from enum import Enum

from sqlalchemy import Column, Index, Text

from app.store.columns import Count, Id, Instant, Json, choice
from app.store.metadata import may, mays, need, needs, owned, table, tenant, where


class DisabledBecause(Enum):
    """Why nothing is sent to an endpoint: the vendor wants it so, it answered 410, it took nothing."""

    BY_VENDOR = "BY_VENDOR"
    GONE = "GONE"
    FAILING = "FAILING"


webhook_endpoint = table(
    "webhook_endpoint",
    Column("id", Id, primary_key=True),
    need("url", Text),
    need("types", Json),
    need("created_at", Instant),
    may("disabled_at", Instant),
    choice("disabled_because", DisabledBecause, nullable=True),
    *mays(Instant, "held_until", "failing_since", "removed_at"),
)

webhook_secret = table(
    "webhook_secret",
    Column("id", Id, primary_key=True),
    need("endpoint_id", Id),
    need("proof", Text),
    need("created_at", Instant),
    may("expires_at", Instant),
    Index("webhook_secret_of_endpoint", "endpoint_id"),
)
"""That there is a secret, not the secret: see `app.services.webhook_secrets`."""

webhook_delivery = tenant(
    "webhook_delivery",
    *needs(Id, "outbox_id", "endpoint_id"),
    *needs(Count, "attempts", "round_start"),
    need("created_at", Instant),
    *mays(Instant, "next_at", "delivered_at", "failed_at"),
    may("last_status", Count),
    may("last_error", Text),
    owned("outbox", "outbox_id"),
    Index("webhook_delivery_once", "customer_id", "outbox_id", "endpoint_id", unique=True),
    Index("webhook_delivery_due", "endpoint_id", "next_at", **where("next_at IS NOT NULL")),
    Index("webhook_delivery_failed", "endpoint_id", "id", **where("failed_at IS NOT NULL")),
    Index("webhook_delivery_of_endpoint", "endpoint_id", "id"),
)

webhook_attempt = tenant(
    "webhook_attempt",
    need("delivery_id", Id),
    need("number", Count),
    need("at", Instant),
    may("status", Count),
    may("error", Text),
    need("milliseconds", Count),
    owned("webhook_delivery", "delivery_id"),
    key=("delivery_id", "number"),
)
