"""Customers and their people."""

from __future__ import annotations

from sqlalchemy import Index, Text

from app.billing.parties import CustomerKind
from app.billing.permissions import Role
from app.store.columns import Count, Instant, Json, Minor, choice
from app.store.metadata import may, mays, need, needs, tenant

customer = tenant(
    "customer",
    *needs(Text, "reference", "name", "currency", "zone", "locale"),
    choice("kind", CustomerKind),
    need("clock_offset", Count),
    need("credit", Minor),
    need("details", Json),
    may("payment_method", Text),
    need("created_at", Instant),
    key=(),
)

member = tenant(
    "member",
    need("reference", Text),
    *mays(Text, "name", "email"),
    choice("role", Role),
    need("created_at", Instant),
    Index("member_by_reference", "customer_id", "reference", unique=True),
)
