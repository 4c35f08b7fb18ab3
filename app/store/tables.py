"""The tables. Customer first in every key of customer data; ids are made by the application; money is whole
minor units.

Three kinds of rows: **ledgers** are only appended to (`APPEND_ONLY`), **levels** are small sums kept beside a
ledger in the same transaction, and **directories** are what people edit. `DEPLOYMENT_TABLES` belong to the
deployment and not to a customer.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import Column, Index, LargeBinary, PrimaryKeyConstraint, Text

from app.billing.documents import DocumentKind, InvoiceStatus
from app.billing.ledger import BalanceKind, EventSource
from app.billing.lines import LineKind
from app.billing.parties import CustomerKind
from app.billing.periods import BillingInterval, Granularity
from app.billing.permissions import Role
from app.billing.subscriptions import ScheduledOutcome, SubscriptionStatus
from app.billing.taxes import TaxCategory
from app.store.columns import Count, Day, Exact, Id, Instant, Json, Minor, choice
from app.store.metadata import may, mays, need, needs, owned, table, tenant, where

# ── The deployment ──────────────────────────────────────────────────────────────────────────────────────

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
    may("revoked_at", Instant),
)

# ── Customers and their people ──────────────────────────────────────────────────────────────────────────

customer = tenant(
    "customer",
    *needs(Text, "reference", "name", "currency", "zone", "locale"),
    choice("kind", CustomerKind),
    need("clock_offset", Count),
    need("credit", Minor),
    need("details", Json),
    need("created_at", Instant),
    Index("customer_by_reference", "reference", unique=True),
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

# ── Subscriptions ───────────────────────────────────────────────────────────────────────────────────────

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
    Index("subscription_live", "customer_id", unique=True, **where("status <> 'ENDED'")),
    Index("subscription_due", "due_at"),
)

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

# ── The seat ledger ─────────────────────────────────────────────────────────────────────────────────────

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

# ── Documents and their lines ───────────────────────────────────────────────────────────────────────────

document = tenant(
    "document",
    need("subscription_id", Id),
    choice("kind", DocumentKind),
    *needs(Text, "number", "series"),
    need("sequence", Count),
    *needs(Instant, "issued_at", "recorded_at"),
    need("issued_on", Day),
    need("due_on", Day),
    need("currency", Text),
    *needs(Minor, "subtotal", "tax", "total", "credit_applied", "amount_due", "credit_added"),
    *needs(Json, "taxes", "seller", "buyer"),
    need("locale", Text),
    owned("subscription", "subscription_id"),
    Index("document_latest", "customer_id", "kind", "issued_at", "id"),
    Index("document_by_number", "customer_id", "number", unique=True),
)

document_view = tenant(
    "document_view",
    need("document_id", Id),
    need("view", Text),
    owned("document", "document_id"),
    key=("document_id",),
)

document_file = tenant(
    "document_file",
    need("document_id", Id),
    need("sha256", Text),
    need("size", Count),
    need("content", LargeBinary),
    need("rendered_at", Instant),
    owned("document", "document_id"),
    key=("document_id",),
)

receivable = tenant(
    "receivable",
    need("invoice_id", Id),
    choice("status", InvoiceStatus),
    *needs(Minor, "paid", "credited", "open"),
    *mays(Instant, "paid_at", "voided_at"),
    owned("document", "invoice_id"),
    Index("receivable_status", "customer_id", "status"),
    key=("invoice_id",),
)

reduction = tenant(
    "reduction",
    *needs(Id, "credit_note_id", "invoice_id"),
    need("amount", Minor),
    owned("document", "credit_note_id"),
    owned("document", "invoice_id"),
    Index("reduction_by_invoice", "customer_id", "invoice_id"),
    key=("credit_note_id", "invoice_id"),
)

billing_line = tenant(
    "billing_line",
    need("subscription_id", Id),
    need("item", Text),
    choice("kind", LineKind),
    need("quantity", Count),
    need("parts", Json),
    *mays(Count, "numerator", "denominator"),
    choice("granularity", Granularity),
    *needs(Instant, "period_start", "period_end"),
    need("zone", Text),
    need("amount", Minor),
    need("formula", Text),
    choice("tax_category", TaxCategory),
    need("tax_rate", Exact),
    need("tax_label", Text),
    need("price_id", Id),
    need("cycle", Count),
    may("reverses", Id),
    *needs(Instant, "effective_at", "recorded_at"),
    may("document_id", Id),
    may("position", Count),
    may("description", Text),
    owned("subscription", "subscription_id"),
    owned("billing_line", "reverses"),
    owned("document", "document_id"),
    Index("billing_line_cycle", "customer_id", "subscription_id", "cycle"),
    Index(
        "billing_line_waiting", "customer_id", "subscription_id",
        **where("document_id IS NULL")
    ),
    Index("billing_line_document", "customer_id", "document_id", "position"),
    Index("billing_line_item", "customer_id", "item", "effective_at"),
    Index("billing_line_reverses", "customer_id", "reverses"),
)  # fmt: skip

line_event = tenant(
    "line_event",
    *needs(Id, "line_id", "event_id"),
    owned("billing_line", "line_id"),
    owned("seat_event", "event_id"),
    Index("line_event_by_event", "customer_id", "event_id"),
    key=("line_id", "event_id"),
)

credit_entry = tenant(
    "credit_entry",
    need("amount", Minor),
    need("document_id", Id),
    *needs(Instant, "effective_at", "recorded_at"),
    owned("document", "document_id"),
    Index("credit_entry_document", "customer_id", "document_id"),
)

payment = tenant(
    "payment",
    need("invoice_id", Id),
    need("amount", Minor),
    need("method", Text),
    may("reference", Text),
    *needs(Instant, "paid_at", "recorded_at"),
    owned("document", "invoice_id"),
    Index("payment_by_invoice", "customer_id", "invoice_id"),
)

# ── Around every commit ─────────────────────────────────────────────────────────────────────────────────

idempotency = tenant(
    "idempotency",
    *needs(Text, "mutation", "key", "fingerprint"),
    need("outcome", Json),
    need("recorded_at", Instant),
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
    Index("audit_latest", "customer_id", "recorded_at", "id"),
)

DEPLOYMENT_TABLES: Final = frozenset(
    {"catalog", "catalog_price", "number_series", "number", "portal_session"}
)

APPEND_ONLY: Final = (
    catalog, catalog_price, number, terms, override, seat_event, segment, document, document_view,
    document_file, reduction, line_event, credit_entry, payment, audit,
)  # fmt: skip
"""Rows that are never updated nor deleted; the database itself refuses. Of `billing_line` only `FILLED_ONCE`
may change, from null.
"""

FILLED_ONCE: Final = {"billing_line": ("document_id", "position", "description")}
