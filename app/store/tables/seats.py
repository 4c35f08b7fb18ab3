"""The seat ledger, the levels kept beside it, and the segments of use that were billed."""

from __future__ import annotations

from sqlalchemy import Index, Text

from app.billing.ledger import BalanceKind, EventSource
from app.store.columns import Count, Id, Instant, choice
from app.store.metadata import may, mays, need, needs, owned, tenant

seat_event = tenant(
    "seat_event",
    need("metric", Text),
    choice("kind", BalanceKind),
    *needs(Count, "added", "removed"),
    *needs(Instant, "effective_at", "recorded_at"),
    choice("source", EventSource),
    need("actor", Text),
    *mays(Text, "holder", "holder_name", "holder_email", "note"),
    may("corrects", Id),
    may("stated", Count),
    owned("seat_event", "corrects"),
    Index("seat_event_balance", "customer_id", "metric", "kind", "effective_at", "id"),
    Index("seat_event_latest", "customer_id", "effective_at", "id"),
    Index("seat_event_recorded", "customer_id", "recorded_at"),
    Index("seat_event_corrects", "customer_id", "corrects"),
)

seat_level = tenant(
    "seat_level",
    need("metric", Text),
    choice("kind", BalanceKind),
    need("balance", Count),
    key=("metric", "kind"),
)

seat_holder = tenant(
    "seat_holder",
    *needs(Text, "metric", "holder"),
    need("seats", Count),
    *mays(Text, "name", "email"),
    need("held_since", Instant),
    Index("seat_holder_since", "customer_id", "held_since", "metric", "holder"),
    key=("metric", "holder"),
)

segment = tenant(
    "segment",
    need("subscription_id", Id),
    need("metric", Text),
    need("price_id", Id),
    *needs(Instant, "period_start", "period_end", "full_start", "full_end", "opened_at"),
    need("zone", Text),
    may("seat_limit", Count),
    need("recorded_at", Instant),
    owned("subscription", "subscription_id"),
    Index("segment_end", "customer_id", "subscription_id", "metric", "period_end"),
)
