"""Documents, their lines, and the money that settles them."""

from __future__ import annotations

from sqlalchemy import Index, LargeBinary, Text

from app.billing.documents import DocumentKind, InvoiceStatus, VoidReason
from app.billing.lines import LineKind
from app.billing.periods import Granularity
from app.billing.taxes import TaxCategory
from app.store.columns import Count, Day, Exact, Id, Instant, Json, Minor, choice
from app.store.metadata import may, mays, need, needs, owned, tenant, where

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
    Index("document_by_id", "id"),
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
    choice("void_reason", VoidReason, nullable=True),
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
    *mays(Id, "reverses", "reissues"),
    *needs(Instant, "effective_at", "known_at", "recorded_at"),
    may("document_id", Id),
    may("position", Count),
    may("description", Text),
    owned("subscription", "subscription_id"),
    owned("billing_line", "reverses"),
    owned("billing_line", "reissues"),
    owned("document", "document_id"),
    Index("billing_line_cycle", "customer_id", "subscription_id", "cycle"),
    Index(
        "billing_line_waiting", "customer_id", "subscription_id",
        **where("document_id IS NULL")
    ),
    Index("billing_line_document", "customer_id", "document_id", "position"),
    Index("billing_line_item", "customer_id", "item", "effective_at"),
    Index("billing_line_reverses", "customer_id", "reverses"),
    Index("billing_line_reissues", "customer_id", "reissues", **where("reissues IS NOT NULL")),
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
