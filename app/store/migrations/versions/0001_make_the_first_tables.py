"""Make the first tables.

Revision 0001, after none.
"""
# ruff: noqa: PLR0915 - A revision is one long list, written once.

from typing import Any

import sqlalchemy as sa
from alembic import op

from app.store import columns

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the first tables."""
    op.create_table(
        "catalog",
        need("id", columns.Id()), need("body", columns.Json()), need("applied_at", columns.Instant()),
        sa.PrimaryKeyConstraint("id"),
        sqlite_strict=True,
    )  # fmt: skip
    op.create_table(
        "catalog_price",
        need("id", columns.Id()), need("plan", sa.Text()), need("interval", sa.Text()),
        need("currency", sa.Text()), need("body", columns.Json()), need("applied_at", columns.Instant()),
        known("interval", "MONTH", "QUARTER", "HALF_YEAR", "YEAR"),
        sa.PrimaryKeyConstraint("id"),
        sqlite_strict=True,
    )  # fmt: skip
    op.create_table(
        "customer",
        need("customer_id", columns.Id()), need("reference", sa.Text()), need("name", sa.Text()),
        need("currency", sa.Text()), need("zone", sa.Text()), need("locale", sa.Text()),
        need("kind", sa.Text()), need("clock_offset", columns.Count()), need("credit", columns.Minor()),
        need("details", columns.Json()), may("payment_method", sa.Text()),
        need("created_at", columns.Instant()), known("kind", "LIVE", "DEMO", "TEST"),
        sa.PrimaryKeyConstraint("customer_id"),
        sqlite_strict=True,
    )  # fmt: skip
    op.create_table(
        "customer_reference",
        need("reference", sa.Text()), need("customer_id", columns.Id()),
        sa.PrimaryKeyConstraint("reference"),
        sqlite_strict=True,
    )  # fmt: skip
    op.create_table(
        "number",
        need("series", sa.Text()), need("value", columns.Count()), need("document_id", columns.Id()),
        sa.PrimaryKeyConstraint("series", "value"),
        sqlite_strict=True,
    )  # fmt: skip
    op.create_table(
        "number_series",
        need("series", sa.Text()), need("last", columns.Count()),
        sa.PrimaryKeyConstraint("series"),
        sqlite_strict=True,
    )  # fmt: skip
    op.create_table(
        "portal_session",
        need("token_hash", sa.Text()), need("customer_id", columns.Id()), need("member_id", columns.Id()),
        need("created_at", columns.Instant()), need("expires_at", columns.Instant()),
        may("idle_until", columns.Instant()), may("revoked_at", columns.Instant()),
        sa.PrimaryKeyConstraint("token_hash"),
        sqlite_strict=True,
    )  # fmt: skip
    op.create_index("portal_session_of_member", "portal_session", ["customer_id", "member_id"], unique=False)
    op.create_table(
        "audit",
        need("customer_id", columns.Id()), need("id", columns.Id()), need("action", sa.Text()),
        need("actor", sa.Text()), need("object_id", columns.Id()), need("detail", columns.Json()),
        need("effective_at", columns.Instant()), need("recorded_at", columns.Instant()),
        need("position", columns.Count()), need("digest", sa.Text()),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.customer_id"]),
        sa.PrimaryKeyConstraint("customer_id", "id"),
        sqlite_strict=True,
    )  # fmt: skip
    op.create_index("audit_chain", "audit", ["customer_id", "position"], unique=True)
    op.create_index("audit_latest", "audit", ["customer_id", "recorded_at", "id"], unique=False)
    op.create_table(
        "idempotency",
        need("customer_id", columns.Id()), need("mutation", sa.Text()), need("key", sa.Text()),
        need("fingerprint", sa.Text()), need("outcome", columns.Json()),
        need("recorded_at", columns.Instant()),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.customer_id"]),
        sa.PrimaryKeyConstraint("customer_id", "mutation", "key"),
        sqlite_strict=True,
    )  # fmt: skip
    op.create_index("idempotency_old", "idempotency", ["recorded_at"], unique=False)
    op.create_index("idempotency_oldest", "idempotency", ["customer_id", "recorded_at"], unique=False)
    op.create_table(
        "member",
        need("customer_id", columns.Id()), need("id", columns.Id()), need("reference", sa.Text()),
        may("name", sa.Text()), may("email", sa.Text()), may("mailbox", sa.Text()),
        need("role", sa.Text()), need("created_at", columns.Instant()),
        may("link_asked_at", columns.Instant()), may("removed_at", columns.Instant()),
        known("role", "OWNER", "BILLING_ADMIN", "SEAT_MANAGER", "VIEWER"),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.customer_id"]),
        sa.PrimaryKeyConstraint("customer_id", "id"),
        sqlite_strict=True,
    )  # fmt: skip
    op.create_index("member_by_reference", "member", ["customer_id", "reference"], unique=True)
    op.create_index("member_by_mailbox", "member", ["mailbox"], unique=False)
    op.create_table(
        "outbox",
        need("customer_id", columns.Id()), need("id", columns.Id()), need("type", sa.Text()),
        need("object_id", columns.Id()), need("sequence", columns.Count()), need("payload", columns.Json()),
        need("created_at", columns.Instant()), may("delivered_at", columns.Instant()),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.customer_id"]),
        sa.PrimaryKeyConstraint("customer_id", "id"),
        sqlite_strict=True,
    )  # fmt: skip
    op.create_index("outbox_object", "outbox", ["customer_id", "object_id", "sequence"], unique=True)
    op.create_index(
        "outbox_waiting",
        "outbox", ["created_at"], unique=False, sqlite_where=sa.text("delivered_at IS NULL"),
        postgresql_where=sa.text("delivered_at IS NULL"),
    )  # fmt: skip
    op.create_table(
        "override",
        need("customer_id", columns.Id()), need("id", columns.Id()), need("metric", sa.Text()),
        need("author", sa.Text()), may("note", sa.Text()), may("plan", sa.Text()),
        may("interval", sa.Text()), may("granted", columns.Count()), may("minimum", columns.Count()),
        may("maximum", columns.Count()), may("price", columns.Json()), need("withdrawn", columns.Json()),
        need("starts_at", columns.Instant()), need("recorded_at", columns.Instant()),
        may("ends_at", columns.Instant()), known("interval", "MONTH", "QUARTER", "HALF_YEAR", "YEAR"),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.customer_id"]),
        sa.PrimaryKeyConstraint("customer_id", "id"),
        sqlite_strict=True,
    )  # fmt: skip
    op.create_table(
        "seat_event",
        need("customer_id", columns.Id()), need("id", columns.Id()), need("metric", sa.Text()),
        need("kind", sa.Text()), need("added", columns.Count()), need("removed", columns.Count()),
        need("effective_at", columns.Instant()), need("recorded_at", columns.Instant()),
        need("source", sa.Text()), need("actor", sa.Text()), may("holder", sa.Text()),
        may("holder_name", sa.Text()), may("holder_email", sa.Text()), may("note", sa.Text()),
        may("corrects", columns.Id()), may("stated", columns.Count()), known("kind", "COMMITTED", "IN_USE"),
        known("source", "START", "CHANGE", "SCHEDULED_CHANGE", "REPORT", "CORRECTION", "EQUALISER"),
        sa.CheckConstraint("effective_at <= recorded_at", name="not_foretold"),
        own("corrects", "seat_event"), sa.ForeignKeyConstraint(["customer_id"], ["customer.customer_id"]),
        sa.PrimaryKeyConstraint("customer_id", "id"),
        sqlite_strict=True,
    )  # fmt: skip
    op.create_index(
        "seat_event_balance",
        "seat_event", ["customer_id", "metric", "kind", "effective_at", "id", "added", "removed"],
        unique=False,
    )  # fmt: skip
    op.create_index("seat_event_corrects", "seat_event", ["customer_id", "corrects"], unique=False)
    op.create_index(
        "seat_event_late",
        "seat_event", ["customer_id", "recorded_at"], unique=False,
        sqlite_where=sa.text("recorded_at - effective_at > 600000000"),
        postgresql_where=sa.text("recorded_at - effective_at > '600 seconds'::interval"),
    )  # fmt: skip
    op.create_index(
        "seat_event_very_late",
        "seat_event", ["customer_id", "recorded_at"], unique=False,
        sqlite_where=sa.text("recorded_at - effective_at > 172800000000"),
        postgresql_where=sa.text("recorded_at - effective_at > '172800 seconds'::interval"),
    )  # fmt: skip
    op.create_index("seat_event_latest", "seat_event", ["customer_id", "effective_at", "id"], unique=False)
    op.create_index("seat_event_recorded", "seat_event", ["customer_id", "recorded_at"], unique=False)
    op.create_table(
        "seat_holder",
        need("customer_id", columns.Id()), need("metric", sa.Text()), need("holder", sa.Text()),
        need("seats", columns.Count()), may("name", sa.Text()), may("email", sa.Text()),
        need("held_since", columns.Instant()),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.customer_id"]),
        sa.PrimaryKeyConstraint("customer_id", "metric", "holder"),
        sqlite_strict=True,
    )  # fmt: skip
    op.create_index(
        "seat_holder_since",
        "seat_holder", ["customer_id", "held_since", "metric", "holder"], unique=False,
    )  # fmt: skip
    op.create_table(
        "seat_level",
        need("customer_id", columns.Id()), need("metric", sa.Text()), need("kind", sa.Text()),
        need("balance", columns.Count()), known("kind", "COMMITTED", "IN_USE"),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.customer_id"]),
        sa.PrimaryKeyConstraint("customer_id", "metric", "kind"),
        sqlite_strict=True,
    )  # fmt: skip
    op.create_table(
        "subscription",
        need("customer_id", columns.Id()), need("id", columns.Id()), need("version", columns.Count()),
        need("status", sa.Text()), need("price_id", columns.Id()), need("interval", sa.Text()),
        need("anchor", sa.Text()), need("zone", sa.Text()), need("cycle", columns.Count()),
        need("month", columns.Count()), need("period_start", columns.Instant()),
        need("period_end", columns.Instant()), need("full_start", columns.Instant()),
        need("full_end", columns.Instant()), need("priced_from", columns.Instant()),
        need("overage_until", columns.Instant()), need("started_at", columns.Instant()),
        may("reckoned_at", columns.Instant()), may("due_at", columns.Instant()), may("parked", sa.Text()),
        may("retry_at", columns.Instant()), may("let_through", columns.Instant()),
        may("tries", columns.Count()),
        known("interval", "MONTH", "QUARTER", "HALF_YEAR", "YEAR"),
        known("status", "TRIALING", "ACTIVE", "PAUSED", "ENDED"),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.customer_id"]),
        sa.PrimaryKeyConstraint("customer_id", "id"),
        sqlite_strict=True,
    )  # fmt: skip
    op.create_index(
        "subscription_due",
        "subscription", ["due_at"], unique=False, sqlite_where=sa.text("parked IS NULL"),
        postgresql_where=sa.text("parked IS NULL"),
    )  # fmt: skip
    op.create_index(
        "subscription_parked",
        "subscription", ["customer_id", "id"], unique=False, sqlite_where=sa.text("parked IS NOT NULL"),
        postgresql_where=sa.text("parked IS NOT NULL"),
    )  # fmt: skip
    op.create_index(
        "subscription_live",
        "subscription", ["customer_id"], unique=True, sqlite_where=sa.text("status <> 'ENDED'"),
        postgresql_where=sa.text("status <> 'ENDED'"),
    )  # fmt: skip
    op.create_table(
        "document",
        need("customer_id", columns.Id()), need("id", columns.Id()), need("subscription_id", columns.Id()),
        need("kind", sa.Text()), need("number", sa.Text()), need("series", sa.Text()),
        need("sequence", columns.Count()), need("issued_at", columns.Instant()),
        need("recorded_at", columns.Instant()), need("issued_on", columns.Day()),
        need("due_on", columns.Day()), need("currency", sa.Text()), need("subtotal", columns.Minor()),
        need("tax", columns.Minor()), need("total", columns.Minor()),
        need("credit_applied", columns.Minor()), need("amount_due", columns.Minor()),
        need("credit_added", columns.Minor()), need("taxes", columns.Json()),
        need("seller", columns.Json()), need("buyer", columns.Json()), need("locale", sa.Text()),
        known("kind", "INVOICE", "CREDIT_NOTE"),
        own("subscription_id", "subscription"),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.customer_id"]),
        sa.PrimaryKeyConstraint("customer_id", "id"),
        sqlite_strict=True,
    )  # fmt: skip
    op.create_index("document_by_number", "document", ["customer_id", "number"], unique=True)
    op.create_index("document_by_id", "document", ["id"], unique=False)
    op.create_index("document_latest", "document", ["customer_id", "kind", "issued_at", "id"], unique=False)
    op.create_table(
        "segment",
        need("customer_id", columns.Id()), need("id", columns.Id()), need("subscription_id", columns.Id()),
        need("metric", sa.Text()), need("price_id", columns.Id()), need("period_start", columns.Instant()),
        need("period_end", columns.Instant()), need("full_start", columns.Instant()),
        need("full_end", columns.Instant()), need("opened_at", columns.Instant()), need("zone", sa.Text()),
        may("seat_limit", columns.Count()), need("recorded_at", columns.Instant()),
        own("subscription_id", "subscription"),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.customer_id"]),
        sa.PrimaryKeyConstraint("customer_id", "id"),
        sqlite_strict=True,
    )  # fmt: skip
    op.create_index(
        "segment_end",
        "segment", ["customer_id", "subscription_id", "metric", "period_end"], unique=False,
    )  # fmt: skip
    op.create_table(
        "scheduled_change",
        need("customer_id", columns.Id()), need("id", columns.Id()), need("subscription_id", columns.Id()),
        need("target", sa.Text()), may("metric", sa.Text()), may("total", columns.Count()),
        may("plan", sa.Text()), may("interval", sa.Text()), need("created_at", columns.Instant()),
        need("actor", sa.Text()), may("replaces", columns.Id()), may("closed_at", columns.Instant()),
        may("outcome", sa.Text()), known("interval", "MONTH", "QUARTER", "HALF_YEAR", "YEAR"),
        known("outcome", "APPLIED", "REPLACED", "DROPPED", "CANCELLED"),
        own("subscription_id", "subscription"),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.customer_id"]),
        sa.PrimaryKeyConstraint("customer_id", "id"),
        sqlite_strict=True,
    )  # fmt: skip
    op.create_index(
        "scheduled_change_open",
        "scheduled_change", ["customer_id", "subscription_id", "target"], unique=True,
        sqlite_where=sa.text("closed_at IS NULL"), postgresql_where=sa.text("closed_at IS NULL"),
    )  # fmt: skip
    op.create_table(
        "terms",
        need("customer_id", columns.Id()), need("id", columns.Id()), need("subscription_id", columns.Id()),
        need("price_id", columns.Id()), need("plan", sa.Text()), need("interval", sa.Text()),
        need("anchor", sa.Text()), need("cycle", columns.Count()), need("effective_at", columns.Instant()),
        need("recorded_at", columns.Instant()), known("interval", "MONTH", "QUARTER", "HALF_YEAR", "YEAR"),
        own("subscription_id", "subscription"),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.customer_id"]),
        sa.PrimaryKeyConstraint("customer_id", "id"),
        sqlite_strict=True,
    )  # fmt: skip
    op.create_table(
        "billing_line",
        need("customer_id", columns.Id()), need("id", columns.Id()), need("subscription_id", columns.Id()),
        need("item", sa.Text()), need("kind", sa.Text()), need("quantity", columns.Count()),
        need("parts", columns.Json()), may("numerator", columns.Count()),
        may("denominator", columns.Count()), need("granularity", sa.Text()),
        need("period_start", columns.Instant()), need("period_end", columns.Instant()),
        need("zone", sa.Text()), need("amount", columns.Minor()), need("formula", sa.Text()),
        need("tax_category", sa.Text()), need("tax_rate", columns.Exact()), need("tax_label", sa.Text()),
        need("price_id", columns.Id()), need("cycle", columns.Count()), may("reverses", columns.Id()),
        may("reissues", columns.Id()), need("effective_at", columns.Instant()),
        need("known_at", columns.Instant()), need("recorded_at", columns.Instant()),
        may("document_id", columns.Id()), may("position", columns.Count()), may("description", sa.Text()),
        known("granularity", "DAY", "SECOND"),
        known(
            "kind", "PERIOD", "ADDED", "CHANGED", "CREDIT", "UNUSED", "USAGE", "OVERAGE", "ADJUSTMENT",
            "BACKDATED",
        ),
        known("tax_category", "STANDARD", "REVERSE_CHARGE", "OUTSIDE_SCOPE"),
        own("document_id", "document"), own("reverses", "billing_line"), own("reissues", "billing_line"),
        own("subscription_id", "subscription"),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.customer_id"]),
        sa.PrimaryKeyConstraint("customer_id", "id"),
        sqlite_strict=True,
    )  # fmt: skip
    op.create_index(
        "billing_line_cycle",
        "billing_line", ["customer_id", "subscription_id", "cycle"], unique=False,
    )  # fmt: skip
    op.create_index(
        "billing_line_document",
        "billing_line", ["customer_id", "document_id", "position"], unique=False,
    )  # fmt: skip
    op.create_index(
        "billing_line_item",
        "billing_line", ["customer_id", "item", "effective_at"], unique=False,
    )  # fmt: skip
    op.create_index("billing_line_reverses", "billing_line", ["customer_id", "reverses"], unique=False)
    op.create_index(
        "billing_line_reissues", "billing_line", ["customer_id", "reissues"], unique=False,
        sqlite_where=sa.text("reissues IS NOT NULL"), postgresql_where=sa.text("reissues IS NOT NULL"),
    )  # fmt: skip
    op.create_index(
        "billing_line_waiting",
        "billing_line", ["customer_id", "subscription_id"], unique=False,
        sqlite_where=sa.text("document_id IS NULL"), postgresql_where=sa.text("document_id IS NULL"),
    )  # fmt: skip
    op.create_table(
        "credit_entry",
        need("customer_id", columns.Id()), need("id", columns.Id()), need("amount", columns.Minor()),
        need("document_id", columns.Id()), need("effective_at", columns.Instant()),
        need("recorded_at", columns.Instant()),
        own("document_id", "document"), sa.ForeignKeyConstraint(["customer_id"], ["customer.customer_id"]),
        sa.PrimaryKeyConstraint("customer_id", "id"),
        sqlite_strict=True,
    )  # fmt: skip
    op.create_index("credit_entry_document", "credit_entry", ["customer_id", "document_id"], unique=False)
    op.create_table(
        "document_file",
        need("customer_id", columns.Id()), need("document_id", columns.Id()), need("sha256", sa.Text()),
        need("size", columns.Count()), need("content", sa.LargeBinary()),
        need("rendered_at", columns.Instant()),
        own("document_id", "document"), sa.ForeignKeyConstraint(["customer_id"], ["customer.customer_id"]),
        sa.PrimaryKeyConstraint("customer_id", "document_id"),
        sqlite_strict=True,
    )  # fmt: skip
    op.create_table(
        "document_view",
        need("customer_id", columns.Id()), need("document_id", columns.Id()), need("view", sa.Text()),
        own("document_id", "document"), sa.ForeignKeyConstraint(["customer_id"], ["customer.customer_id"]),
        sa.PrimaryKeyConstraint("customer_id", "document_id"),
        sqlite_strict=True,
    )  # fmt: skip
    op.create_table(
        "payment",
        need("customer_id", columns.Id()), need("id", columns.Id()), need("invoice_id", columns.Id()),
        need("amount", columns.Minor()), need("method", sa.Text()), may("reference", sa.Text()),
        need("paid_at", columns.Instant()), need("recorded_at", columns.Instant()),
        own("invoice_id", "document"), sa.ForeignKeyConstraint(["customer_id"], ["customer.customer_id"]),
        sa.PrimaryKeyConstraint("customer_id", "id"),
        sqlite_strict=True,
    )  # fmt: skip
    op.create_index("payment_by_invoice", "payment", ["customer_id", "invoice_id"], unique=False)
    op.create_table(
        "receivable",
        need("customer_id", columns.Id()), need("invoice_id", columns.Id()), need("status", sa.Text()),
        need("paid", columns.Minor()), need("credited", columns.Minor()), need("open", columns.Minor()),
        may("paid_at", columns.Instant()), may("voided_at", columns.Instant()),
        may("void_reason", sa.Text()),
        known("status", "OPEN", "PAID", "VOID", "UNCOLLECTIBLE"), known("void_reason", "REISSUE", "WAIVE"),
        own("invoice_id", "document"), sa.ForeignKeyConstraint(["customer_id"], ["customer.customer_id"]),
        sa.PrimaryKeyConstraint("customer_id", "invoice_id"),
        sqlite_strict=True,
    )  # fmt: skip
    op.create_index("receivable_status", "receivable", ["customer_id", "status"], unique=False)
    op.create_table(
        "reduction",
        need("customer_id", columns.Id()), need("credit_note_id", columns.Id()),
        need("invoice_id", columns.Id()), need("amount", columns.Minor()),
        own("credit_note_id", "document"), own("invoice_id", "document"),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.customer_id"]),
        sa.PrimaryKeyConstraint("customer_id", "credit_note_id", "invoice_id"),
        sqlite_strict=True,
    )  # fmt: skip
    op.create_index("reduction_by_invoice", "reduction", ["customer_id", "invoice_id"], unique=False)
    op.create_table(
        "render_job",
        need("customer_id", columns.Id()), need("document_id", columns.Id()),
        need("created_at", columns.Instant()), need("run_at", columns.Instant()),
        need("attempts", columns.Count()), may("last_error", sa.Text()),
        own("document_id", "document"), sa.ForeignKeyConstraint(["customer_id"], ["customer.customer_id"]),
        sa.PrimaryKeyConstraint("customer_id", "document_id"),
        sqlite_strict=True,
    )  # fmt: skip
    op.create_index("render_job_due", "render_job", ["run_at"], unique=False)
    op.create_table(
        "line_event",
        need("customer_id", columns.Id()), need("line_id", columns.Id()), need("event_id", columns.Id()),
        own("event_id", "seat_event"), own("line_id", "billing_line"),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.customer_id"]),
        sa.PrimaryKeyConstraint("customer_id", "line_id", "event_id"),
        sqlite_strict=True,
    )  # fmt: skip
    op.create_index("line_event_by_event", "line_event", ["customer_id", "event_id"], unique=False)


def need(name: str, kind: Any) -> sa.Column[Any]:
    """A column that every row fills."""
    return sa.Column(name, kind, nullable=False)


def may(name: str, kind: Any) -> sa.Column[Any]:
    """A column that may be null."""
    return sa.Column(name, kind, nullable=True)


def own(column: str, table: str) -> sa.ForeignKeyConstraint:
    """A reference to another row of the same customer."""
    return sa.ForeignKeyConstraint(["customer_id", column], [f"{table}.customer_id", f"{table}.id"])


def known(name: str, *members: str) -> sa.CheckConstraint:
    """A column that holds one of these words."""
    words = ", ".join(f"'{member}'" for member in members)
    return sa.CheckConstraint(f'"{name}" IN ({words})', name=f"{name}_known")
