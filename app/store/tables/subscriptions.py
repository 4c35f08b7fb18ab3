"""Subscriptions, their terms, what waits for their renewal, and what was agreed beside the catalog."""

from __future__ import annotations

from sqlalchemy import Index, Text

from app.billing.periods import BillingInterval
from app.billing.subscriptions import ScheduledOutcome, SubscriptionStatus
from app.store.columns import Count, Id, Instant, Json, choice
from app.store.metadata import may, mays, need, needs, owned, tenant, where

subscription = tenant(
    "subscription",
    need("version", Count),
    choice("status", SubscriptionStatus, never=(SubscriptionStatus.PAST_DUE,)),
    need("price_id", Id),
    choice("interval", BillingInterval),
    *needs(Text, "anchor", "zone"),
    *needs(Count, "cycle", "month"),
    *needs(Instant, "period_start", "period_end", "full_start", "full_end", "priced_from", "overage_until"),
    need("started_at", Instant),
    *mays(Instant, "reckoned_at", "due_at"),
    may("parked", Text),
    *mays(Instant, "retry_at", "let_through"),
    may("tries", Count),
    Index("subscription_live", "customer_id", unique=True, **where("status <> 'ENDED'")),
    Index(
        "subscription_due", "due_at",
        **where("parked IS NULL")
    ),
    Index(
        "subscription_parked", "customer_id", "id",
        **where("parked IS NOT NULL")
    ),
)  # fmt: skip

terms = tenant(
    "terms",
    *needs(Id, "subscription_id", "price_id"),
    need("plan", Text),
    choice("interval", BillingInterval),
    need("anchor", Text),
    need("cycle", Count),
    *needs(Instant, "effective_at", "recorded_at"),
    owned("subscription", "subscription_id"),
)

scheduled_change = tenant(
    "scheduled_change",
    need("subscription_id", Id),
    need("target", Text),
    may("metric", Text),
    may("total", Count),
    may("plan", Text),
    choice("interval", BillingInterval, nullable=True),
    need("created_at", Instant),
    need("actor", Text),
    may("replaces", Id),
    may("closed_at", Instant),
    choice("outcome", ScheduledOutcome, nullable=True),
    owned("subscription", "subscription_id"),
    Index(
        "scheduled_change_open", "customer_id", "subscription_id", "target", unique=True,
        **where("closed_at IS NULL")
    ),
)  # fmt: skip

override = tenant(
    "override",
    *needs(Text, "metric", "author"),
    *mays(Text, "note", "plan"),
    choice("interval", BillingInterval, nullable=True),
    *mays(Count, "granted", "minimum", "maximum"),
    may("price", Json),
    need("withdrawn", Json),
    *needs(Instant, "starts_at", "recorded_at"),
    may("ends_at", Instant),
)
