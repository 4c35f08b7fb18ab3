"""The tables. Customer first in every key of customer data; ids are made by the application; money is whole
minor units.

Three kinds of rows: **ledgers** are only appended to (`APPEND_ONLY`), **levels** are small sums kept beside a
ledger in the same transaction, and **directories** are what people edit. `DEPLOYMENT_TABLES` belong to the
deployment and not to a customer.
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Column, Index, LargeBinary, PrimaryKeyConstraint, Table, Text, text
from sqlalchemy import ForeignKeyConstraint as ForeignKey

from app.billing.documents import DocumentKind, InvoiceStatus
from app.billing.ledger import BalanceKind, EventSource
from app.billing.lines import LineKind
from app.billing.parties import CustomerKind
from app.billing.periods import BillingInterval, Granularity
from app.billing.permissions import Role
from app.billing.subscriptions import ScheduledOutcome, SubscriptionStatus
from app.billing.taxes import TaxCategory
from app.store.columns import Count, Day, Exact, Id, Instant, Json, Minor, choice
from app.store.metadata import table


def _tenant(name: str, *parts: Any, key: tuple[str, ...] = ("id",)) -> Table:
    """A table of customer data: its key starts with the customer, and no row is without one."""
    own = (Column("id", Id, nullable=False),) if key == ("id",) else ()
    customer_key = PrimaryKeyConstraint("customer_id", *key)
    owner = () if name == "customer" else (ForeignKey(["customer_id"], ["customer.customer_id"]),)
    return table(name, Column("customer_id", Id, nullable=False), *own, *parts, customer_key, *owner)


def _need(name: str, kind: Any) -> Column[Any]:
    return Column(name, kind, nullable=False)


def _needs(kind: Any, *names: str) -> tuple[Column[Any], ...]:
    return tuple(_need(name, kind) for name in names)


def _may(name: str, kind: Any) -> Column[Any]:
    return Column(name, kind, nullable=True)


def _mays(kind: Any, *names: str) -> tuple[Column[Any], ...]:
    return tuple(_may(name, kind) for name in names)


def _where(condition: str) -> dict[str, Any]:
    """The options of an index over some rows, on both engines."""
    return {"sqlite_where": text(condition), "postgresql_where": text(condition)}


def _of(table: str, column: str) -> ForeignKey:
    """A reference that stays inside the customer."""
    return ForeignKey(["customer_id", column], [f"{table}.customer_id", f"{table}.id"])


# ── The deployment ──────────────────────────────────────────────────────────────────────────────────────

catalog = table(
    "catalog", Column("id", Id, primary_key=True), _need("body", Json), _need("applied_at", Instant)
)

catalog_price = table(
    "catalog_price",
    Column("id", Id, primary_key=True),
    _need("plan", Text),
    choice("interval", BillingInterval),
    _need("currency", Text),
    _need("body", Json),
    _need("applied_at", Instant),
)

number_series = table("number_series", Column("series", Text, primary_key=True), _need("last", Count))

number = table(
    "number",
    _need("series", Text),
    _need("value", Count),
    _need("document_id", Id),
    PrimaryKeyConstraint("series", "value"),
)

portal_session = table(
    "portal_session",
    Column("token_hash", Text, primary_key=True),
    *_needs(Id, "customer_id", "member_id"),
    *_needs(Instant, "created_at", "expires_at"),
    _may("revoked_at", Instant),
)

# ── Customers and their people ──────────────────────────────────────────────────────────────────────────

customer = _tenant(
    "customer",
    *_needs(Text, "reference", "name", "currency", "zone", "locale"),
    choice("kind", CustomerKind),
    _need("clock_offset", Count),
    _need("credit", Minor),
    _need("details", Json),
    _need("created_at", Instant),
    Index("customer_by_reference", "reference", unique=True),
    key=(),
)

member = _tenant(
    "member",
    _need("reference", Text),
    *_mays(Text, "name", "email"),
    choice("role", Role),
    _need("created_at", Instant),
    Index("member_by_reference", "customer_id", "reference", unique=True),
)

# ── Subscriptions ───────────────────────────────────────────────────────────────────────────────────────

subscription = _tenant(
    "subscription",
    _need("version", Count),
    choice("status", SubscriptionStatus),
    _need("price_id", Id),
    choice("interval", BillingInterval),
    *_needs(Text, "anchor", "zone"),
    *_needs(Count, "cycle", "month"),
    *_needs(Instant, "period_start", "period_end", "full_start", "full_end", "started_at"),
    _may("due_at", Instant),
    _may("parked", Text),
    Index("subscription_live", "customer_id", unique=True, **_where("status = 'ACTIVE'")),
    Index("subscription_due", "due_at"),
)

terms = _tenant(
    "terms",
    *_needs(Id, "subscription_id", "price_id"),
    _need("plan", Text),
    choice("interval", BillingInterval),
    _need("anchor", Text),
    _need("cycle", Count),
    *_needs(Instant, "effective_at", "recorded_at"),
    _of("subscription", "subscription_id"),
)

scheduled_change = _tenant(
    "scheduled_change",
    _need("subscription_id", Id),
    _need("target", Text),
    _may("metric", Text),
    _may("total", Count),
    _may("plan", Text),
    choice("interval", BillingInterval, nullable=True),
    _need("created_at", Instant),
    _need("actor", Text),
    _may("replaces", Id),
    _may("closed_at", Instant),
    choice("outcome", ScheduledOutcome, nullable=True),
    _of("subscription", "subscription_id"),
    Index(
        "scheduled_change_open", "customer_id", "subscription_id", "target", unique=True,
        **_where("closed_at IS NULL")
    ),
)  # fmt: skip

override = _tenant(
    "override",
    _need("metric", Text),
    _need("granted", Count),
    _need("starts_at", Instant),
    _may("ends_at", Instant),
    _may("note", Text),
    _need("author", Text),
    _need("recorded_at", Instant),
)

# ── The seat ledger ─────────────────────────────────────────────────────────────────────────────────────

seat_event = _tenant(
    "seat_event",
    _need("metric", Text),
    choice("kind", BalanceKind),
    *_needs(Count, "added", "removed"),
    *_needs(Instant, "effective_at", "recorded_at"),
    choice("source", EventSource),
    _need("actor", Text),
    *_mays(Text, "holder", "holder_name", "holder_email", "note"),
    _may("corrects", Id),
    _of("seat_event", "corrects"),
    Index("seat_event_balance", "customer_id", "metric", "kind", "effective_at", "id"),
    Index("seat_event_latest", "customer_id", "effective_at", "id"),
    Index("seat_event_corrects", "customer_id", "corrects"),
)

seat_level = _tenant(
    "seat_level",
    _need("metric", Text),
    choice("kind", BalanceKind),
    _need("balance", Count),
    key=("metric", "kind"),
)

seat_holder = _tenant(
    "seat_holder",
    *_needs(Text, "metric", "holder"),
    _need("seats", Count),
    *_mays(Text, "name", "email"),
    _need("held_since", Instant),
    Index("seat_holder_since", "customer_id", "held_since", "metric", "holder"),
    key=("metric", "holder"),
)

# ── Documents and their lines ───────────────────────────────────────────────────────────────────────────

document = _tenant(
    "document",
    _need("subscription_id", Id),
    choice("kind", DocumentKind),
    *_needs(Text, "number", "series"),
    _need("sequence", Count),
    *_needs(Instant, "issued_at", "recorded_at"),
    _need("issued_on", Day),
    _need("due_on", Day),
    _need("currency", Text),
    *_needs(Minor, "subtotal", "tax", "total", "credit_applied", "amount_due", "credit_added"),
    *_needs(Json, "taxes", "seller", "buyer"),
    _need("locale", Text),
    _of("subscription", "subscription_id"),
    Index("document_latest", "customer_id", "kind", "issued_at", "id"),
    Index("document_by_number", "customer_id", "number", unique=True),
)

document_view = _tenant(
    "document_view",
    _need("document_id", Id),
    _need("view", Text),
    _of("document", "document_id"),
    key=("document_id",),
)

document_file = _tenant(
    "document_file",
    _need("document_id", Id),
    _need("sha256", Text),
    _need("size", Count),
    _need("content", LargeBinary),
    _need("rendered_at", Instant),
    _of("document", "document_id"),
    key=("document_id",),
)

receivable = _tenant(
    "receivable",
    _need("invoice_id", Id),
    choice("status", InvoiceStatus),
    *_needs(Minor, "paid", "credited", "open"),
    *_mays(Instant, "paid_at", "voided_at"),
    _of("document", "invoice_id"),
    Index("receivable_status", "customer_id", "status"),
    key=("invoice_id",),
)

reduction = _tenant(
    "reduction",
    *_needs(Id, "credit_note_id", "invoice_id"),
    _need("amount", Minor),
    _of("document", "credit_note_id"),
    _of("document", "invoice_id"),
    Index("reduction_by_invoice", "customer_id", "invoice_id"),
    key=("credit_note_id", "invoice_id"),
)

billing_line = _tenant(
    "billing_line",
    _need("subscription_id", Id),
    _need("item", Text),
    choice("kind", LineKind),
    _need("quantity", Count),
    _need("parts", Json),
    *_mays(Count, "numerator", "denominator"),
    choice("granularity", Granularity),
    *_needs(Instant, "period_start", "period_end"),
    _need("zone", Text),
    _need("amount", Minor),
    _need("formula", Text),
    choice("tax_category", TaxCategory),
    _need("tax_rate", Exact),
    _need("tax_label", Text),
    _need("price_id", Id),
    _need("cycle", Count),
    _may("reverses", Id),
    *_needs(Instant, "effective_at", "recorded_at"),
    _may("document_id", Id),
    _may("position", Count),
    _may("description", Text),
    _of("subscription", "subscription_id"),
    _of("billing_line", "reverses"),
    _of("document", "document_id"),
    Index("billing_line_cycle", "customer_id", "subscription_id", "cycle"),
    Index(
        "billing_line_waiting", "customer_id", "subscription_id",
        **_where("document_id IS NULL")
    ),
    Index("billing_line_document", "customer_id", "document_id", "position"),
    Index("billing_line_item", "customer_id", "item", "effective_at"),
    Index("billing_line_reverses", "customer_id", "reverses"),
)  # fmt: skip

line_event = _tenant(
    "line_event",
    *_needs(Id, "line_id", "event_id"),
    _of("billing_line", "line_id"),
    _of("seat_event", "event_id"),
    Index("line_event_by_event", "customer_id", "event_id"),
    key=("line_id", "event_id"),
)

credit_entry = _tenant(
    "credit_entry",
    _need("amount", Minor),
    _need("document_id", Id),
    *_needs(Instant, "effective_at", "recorded_at"),
    _of("document", "document_id"),
    Index("credit_entry_document", "customer_id", "document_id"),
)

payment = _tenant(
    "payment",
    _need("invoice_id", Id),
    _need("amount", Minor),
    _need("method", Text),
    _may("reference", Text),
    *_needs(Instant, "paid_at", "recorded_at"),
    _of("document", "invoice_id"),
    Index("payment_by_invoice", "customer_id", "invoice_id"),
)

# ── Around every commit ─────────────────────────────────────────────────────────────────────────────────

idempotency = _tenant(
    "idempotency",
    *_needs(Text, "mutation", "key", "fingerprint"),
    _need("outcome", Json),
    _need("recorded_at", Instant),
    key=("mutation", "key"),
)

render_job = _tenant(
    "render_job",
    _need("document_id", Id),
    *_needs(Instant, "created_at", "run_at"),
    _need("attempts", Count),
    _may("last_error", Text),
    _of("document", "document_id"),
    Index("render_job_due", "run_at"),
    key=("document_id",),
)

outbox = _tenant(
    "outbox",
    _need("type", Text),
    _need("object_id", Id),
    _need("sequence", Count),
    _need("payload", Json),
    _need("created_at", Instant),
    _may("delivered_at", Instant),
    Index("outbox_object", "customer_id", "object_id", "sequence", unique=True),
    Index(
        "outbox_waiting", "created_at",
        **_where("delivered_at IS NULL")
    ),
)  # fmt: skip

audit = _tenant(
    "audit",
    *_needs(Text, "action", "actor"),
    _need("object_id", Id),
    _need("detail", Json),
    *_needs(Instant, "effective_at", "recorded_at"),
    Index("audit_latest", "customer_id", "recorded_at", "id"),
)

DEPLOYMENT_TABLES: Final = frozenset(
    {"catalog", "catalog_price", "number_series", "number", "portal_session"}
)

APPEND_ONLY: Final = (
    catalog, catalog_price, number, terms, override, seat_event, document, document_view, document_file,
    reduction, line_event, credit_entry, payment, audit,
)  # fmt: skip
"""Rows that are never updated nor deleted; the database itself refuses. Of `billing_line` only `FILLED_ONCE`
may change, from null.
"""

FILLED_ONCE: Final = {"billing_line": ("document_id", "position", "description")}
