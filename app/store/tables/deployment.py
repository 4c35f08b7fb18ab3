"""What belongs to the deployment and not to a customer."""

from __future__ import annotations

from sqlalchemy import Column, Index, PrimaryKeyConstraint, Text

from app.billing.periods import BillingInterval
from app.store.columns import Count, Id, Instant, Json, choice
from app.store.metadata import may, mays, need, needs, table

catalog = table(
    "catalog", Column("id", Id, primary_key=True), need("body", Json), need("applied_at", Instant)
)

catalog_price = table(
    "catalog_price",
    Column("id", Id, primary_key=True),
    need("plan", Text),
    choice("interval", BillingInterval),
    need("currency", Text),
    need("body", Json),
    need("applied_at", Instant),
)

number_series = table("number_series", Column("series", Text, primary_key=True), need("last", Count))

number = table(
    "number",
    need("series", Text),
    need("value", Count),
    need("document_id", Id),
    PrimaryKeyConstraint("series", "value"),
)

portal_session = table(
    "portal_session",
    Column("token_hash", Text, primary_key=True),
    *needs(Id, "customer_id", "member_id"),
    *needs(Instant, "created_at", "expires_at"),
    *mays(Instant, "idle_until", "revoked_at"),
    Index("portal_session_of_member", "customer_id", "member_id"),
)
"""Who is signed in, by the hash of a token. Without `idle_until` it is open until it expires, however little
it is used.
"""

portal_link = table(
    "portal_link",
    Column("token_hash", Text, primary_key=True),
    *needs(Id, "customer_id", "member_id"),
    *needs(Instant, "created_at", "expires_at"),
    may("spent_at", Instant),
    Index("portal_link_of_member", "customer_id", "member_id"),
)
"""Links that become a session once, by the hash of their token; spent when used or taken back."""

api_key = table(
    "api_key",
    Column("id", Id, primary_key=True),
    *needs(Text, "token_hash", "name"),
    need("scopes", Json),
    need("created_at", Instant),
    may("revoked_at", Instant),
    Index("api_key_by_hash", "token_hash", unique=True),
)

deployment_audit = table(
    "deployment_audit",
    Column("id", Id, primary_key=True),
    *needs(Text, "action", "actor"),
    need("object_id", Id),
    need("detail", Json),
    need("recorded_at", Instant),
    need("position", Count),
    need("digest", Text),
    Index("deployment_audit_chain", "position", unique=True),
)

customer_reference = table(
    "customer_reference", Column("reference", Text, primary_key=True), need("customer_id", Id)
)
"""Which customer the vendor calls so: what no two customers may share is not among the rows of either."""
