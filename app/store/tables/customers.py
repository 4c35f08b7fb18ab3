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
    *mays(Text, "name", "email", "mailbox"),
    choice("role", Role),
    need("created_at", Instant),
    *mays(Instant, "link_asked_at", "removed_at"),
    Index("member_by_reference", "customer_id", "reference", unique=True),
    Index("member_by_mailbox", "mailbox"),
)
"""`mailbox` is the e-mail address without capitals, by which a member is found who asks for a link. Who is
removed stays as a row, for the records that name it, and comes back by a new link.
"""
