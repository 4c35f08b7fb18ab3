"""The seat ledger, the levels kept beside it, and the segments of use that were billed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from sqlalchemy import CheckConstraint, Index, Text, text

from app.billing.ledger import BalanceKind, EventSource
from app.store.columns import Count, Id, Instant, choice
from app.store.metadata import may, mays, need, needs, owned, tenant

LATE: Final = timedelta(minutes=10)
VERY_LATE: Final = timedelta(days=2)


def told_late(by: timedelta, dialect: str) -> str:
    """SQL: an event was told later than by so much."""
    if dialect == "sqlite":
        return f"recorded_at - effective_at > {by // timedelta(microseconds=1)}"
    return f"recorded_at - effective_at > '{by // timedelta(seconds=1)} seconds'::interval"


def _late_index(name: str, by: timedelta) -> Index:
    """The few events that were told late, by when they were."""
    options: dict[str, Any] = {
        f"{dialect}_where": text(told_late(by, dialect)) for dialect in ("sqlite", "postgresql")
    }
    return Index(name, "customer_id", "recorded_at", **options)


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
    CheckConstraint("effective_at <= recorded_at", name="not_foretold"),
    Index("seat_event_balance", "customer_id", "metric", "kind", "effective_at", "id", "added", "removed"),
    Index("seat_event_latest", "customer_id", "effective_at", "id"),
    Index("seat_event_recorded", "customer_id", "recorded_at"),
    Index("seat_event_corrects", "customer_id", "corrects"),
    _late_index("seat_event_late", LATE),
    _late_index("seat_event_very_late", VERY_LATE),
)

seat_checkpoint = tenant(
    "seat_checkpoint",
    need("metric", Text),
    choice("kind", BalanceKind),
    need("from_at", Instant),
    need("from_id", Id),
    *needs(Count, "opening", "events"),
    key=("metric", "kind", "from_at", "from_id"),
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
