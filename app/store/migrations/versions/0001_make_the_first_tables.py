"""Make the first tables.

Revision 0001, after none.
"""
# ruff: noqa: PLR0915 - A revision is one long list, written once.

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
        sa.Column("id", columns.Id(), nullable=False),
        sa.Column("body", columns.Json(), nullable=False),
        sa.Column("applied_at", columns.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_catalog")),
        sqlite_strict=True,
    )
    op.create_table(
        "catalog_price",
        sa.Column("id", columns.Id(), nullable=False),
        sa.Column("plan", sa.Text(), nullable=False),
        sa.Column("interval", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("body", columns.Json(), nullable=False),
        sa.Column("applied_at", columns.Instant(), nullable=False),
        sa.CheckConstraint(
            "\"interval\" IN ('MONTH', 'QUARTER', 'HALF_YEAR', 'YEAR')",
            name=op.f("ck_catalog_price_interval_known"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_catalog_price")),
        sqlite_strict=True,
    )
    op.create_table(
        "customer",
        sa.Column("customer_id", columns.Id(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("locale", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("clock_offset", columns.Count(), nullable=False),
        sa.Column("credit", columns.Minor(), nullable=False),
        sa.Column("details", columns.Json(), nullable=False),
        sa.Column("created_at", columns.Instant(), nullable=False),
        sa.CheckConstraint("\"kind\" IN ('LIVE', 'DEMO', 'TEST')", name=op.f("ck_customer_kind_known")),
        sa.PrimaryKeyConstraint("customer_id", name=op.f("pk_customer")),
        sqlite_strict=True,
    )
    op.create_index("customer_by_reference", "customer", ["reference"], unique=True)
    op.create_table(
        "number",
        sa.Column("series", sa.Text(), nullable=False),
        sa.Column("value", columns.Count(), nullable=False),
        sa.Column("document_id", columns.Id(), nullable=False),
        sa.PrimaryKeyConstraint("series", "value", name=op.f("pk_number")),
        sqlite_strict=True,
    )
    op.create_table(
        "number_series",
        sa.Column("series", sa.Text(), nullable=False),
        sa.Column("last", columns.Count(), nullable=False),
        sa.PrimaryKeyConstraint("series", name=op.f("pk_number_series")),
        sqlite_strict=True,
    )
    op.create_table(
        "portal_session",
        sa.Column("token_hash", sa.Text(), nullable=False),
        sa.Column("customer_id", columns.Id(), nullable=False),
        sa.Column("member_id", columns.Id(), nullable=False),
        sa.Column("created_at", columns.Instant(), nullable=False),
        sa.Column("expires_at", columns.Instant(), nullable=False),
        sa.Column("revoked_at", columns.Instant(), nullable=True),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_portal_session")),
        sqlite_strict=True,
    )
    op.create_table(
        "audit",
        sa.Column("customer_id", columns.Id(), nullable=False),
        sa.Column("id", columns.Id(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("object_id", columns.Id(), nullable=False),
        sa.Column("detail", columns.Json(), nullable=False),
        sa.Column("effective_at", columns.Instant(), nullable=False),
        sa.Column("recorded_at", columns.Instant(), nullable=False),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.customer_id"], name=op.f("fk_audit_customer_id")),
        sa.PrimaryKeyConstraint("customer_id", "id", name=op.f("pk_audit")),
        sqlite_strict=True,
    )
    op.create_index("audit_latest", "audit", ["customer_id", "recorded_at", "id"], unique=False)
    op.create_table(
        "idempotency",
        sa.Column("customer_id", columns.Id(), nullable=False),
        sa.Column("mutation", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("outcome", columns.Json(), nullable=False),
        sa.Column("recorded_at", columns.Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.customer_id"], name=op.f("fk_idempotency_customer_id")
        ),
        sa.PrimaryKeyConstraint("customer_id", "mutation", "key", name=op.f("pk_idempotency")),
        sqlite_strict=True,
    )
    op.create_table(
        "member",
        sa.Column("customer_id", columns.Id(), nullable=False),
        sa.Column("id", columns.Id(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("created_at", columns.Instant(), nullable=False),
        sa.CheckConstraint(
            "\"role\" IN ('OWNER', 'BILLING_ADMIN', 'SEAT_MANAGER', 'VIEWER')",
            name=op.f("ck_member_role_known"),
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.customer_id"], name=op.f("fk_member_customer_id")
        ),
        sa.PrimaryKeyConstraint("customer_id", "id", name=op.f("pk_member")),
        sqlite_strict=True,
    )
    op.create_index("member_by_reference", "member", ["customer_id", "reference"], unique=True)
    op.create_table(
        "outbox",
        sa.Column("customer_id", columns.Id(), nullable=False),
        sa.Column("id", columns.Id(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("object_id", columns.Id(), nullable=False),
        sa.Column("sequence", columns.Count(), nullable=False),
        sa.Column("payload", columns.Json(), nullable=False),
        sa.Column("created_at", columns.Instant(), nullable=False),
        sa.Column("delivered_at", columns.Instant(), nullable=True),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.customer_id"], name=op.f("fk_outbox_customer_id")
        ),
        sa.PrimaryKeyConstraint("customer_id", "id", name=op.f("pk_outbox")),
        sqlite_strict=True,
    )
    op.create_index("outbox_object", "outbox", ["customer_id", "object_id", "sequence"], unique=True)
    op.create_index(
        "outbox_waiting",
        "outbox",
        ["created_at"],
        unique=False,
        sqlite_where=sa.text("delivered_at IS NULL"),
        postgresql_where=sa.text("delivered_at IS NULL"),
    )
    op.create_table(
        "override",
        sa.Column("customer_id", columns.Id(), nullable=False),
        sa.Column("id", columns.Id(), nullable=False),
        sa.Column("metric", sa.Text(), nullable=False),
        sa.Column("granted", columns.Count(), nullable=False),
        sa.Column("starts_at", columns.Instant(), nullable=False),
        sa.Column("ends_at", columns.Instant(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("recorded_at", columns.Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.customer_id"], name=op.f("fk_override_customer_id")
        ),
        sa.PrimaryKeyConstraint("customer_id", "id", name=op.f("pk_override")),
        sqlite_strict=True,
    )
    op.create_table(
        "seat_event",
        sa.Column("customer_id", columns.Id(), nullable=False),
        sa.Column("id", columns.Id(), nullable=False),
        sa.Column("metric", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("added", columns.Count(), nullable=False),
        sa.Column("removed", columns.Count(), nullable=False),
        sa.Column("effective_at", columns.Instant(), nullable=False),
        sa.Column("recorded_at", columns.Instant(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=True),
        sa.Column("holder_name", sa.Text(), nullable=True),
        sa.Column("holder_email", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("corrects", columns.Id(), nullable=True),
        sa.CheckConstraint("\"kind\" IN ('COMMITTED', 'IN_USE')", name=op.f("ck_seat_event_kind_known")),
        sa.CheckConstraint(
            "\"source\" IN ('START', 'CHANGE', 'SCHEDULED_CHANGE', 'REPORT', 'CORRECTION')",
            name=op.f("ck_seat_event_source_known"),
        ),
        sa.ForeignKeyConstraint(
            ["customer_id", "corrects"],
            ["seat_event.customer_id", "seat_event.id"],
            name=op.f("fk_seat_event_customer_id_corrects"),
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.customer_id"], name=op.f("fk_seat_event_customer_id")
        ),
        sa.PrimaryKeyConstraint("customer_id", "id", name=op.f("pk_seat_event")),
        sqlite_strict=True,
    )
    op.create_index(
        "seat_event_balance",
        "seat_event",
        ["customer_id", "metric", "kind", "effective_at", "id"],
        unique=False,
    )
    op.create_index("seat_event_corrects", "seat_event", ["customer_id", "corrects"], unique=False)
    op.create_index("seat_event_latest", "seat_event", ["customer_id", "effective_at", "id"], unique=False)
    op.create_table(
        "seat_holder",
        sa.Column("customer_id", columns.Id(), nullable=False),
        sa.Column("metric", sa.Text(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("seats", columns.Count(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("held_since", columns.Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.customer_id"], name=op.f("fk_seat_holder_customer_id")
        ),
        sa.PrimaryKeyConstraint("customer_id", "metric", "holder", name=op.f("pk_seat_holder")),
        sqlite_strict=True,
    )
    op.create_index(
        "seat_holder_since", "seat_holder", ["customer_id", "held_since", "metric", "holder"], unique=False
    )
    op.create_table(
        "seat_level",
        sa.Column("customer_id", columns.Id(), nullable=False),
        sa.Column("metric", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("balance", columns.Count(), nullable=False),
        sa.CheckConstraint("\"kind\" IN ('COMMITTED', 'IN_USE')", name=op.f("ck_seat_level_kind_known")),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.customer_id"], name=op.f("fk_seat_level_customer_id")
        ),
        sa.PrimaryKeyConstraint("customer_id", "metric", "kind", name=op.f("pk_seat_level")),
        sqlite_strict=True,
    )
    op.create_table(
        "subscription",
        sa.Column("customer_id", columns.Id(), nullable=False),
        sa.Column("id", columns.Id(), nullable=False),
        sa.Column("version", columns.Count(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("price_id", columns.Id(), nullable=False),
        sa.Column("interval", sa.Text(), nullable=False),
        sa.Column("anchor", sa.Text(), nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("cycle", columns.Count(), nullable=False),
        sa.Column("month", columns.Count(), nullable=False),
        sa.Column("period_start", columns.Instant(), nullable=False),
        sa.Column("period_end", columns.Instant(), nullable=False),
        sa.Column("full_start", columns.Instant(), nullable=False),
        sa.Column("full_end", columns.Instant(), nullable=False),
        sa.Column("started_at", columns.Instant(), nullable=False),
        sa.Column("due_at", columns.Instant(), nullable=True),
        sa.Column("parked", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "\"interval\" IN ('MONTH', 'QUARTER', 'HALF_YEAR', 'YEAR')",
            name=op.f("ck_subscription_interval_known"),
        ),
        sa.CheckConstraint("\"status\" IN ('ACTIVE', 'ENDED')", name=op.f("ck_subscription_status_known")),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.customer_id"], name=op.f("fk_subscription_customer_id")
        ),
        sa.PrimaryKeyConstraint("customer_id", "id", name=op.f("pk_subscription")),
        sqlite_strict=True,
    )
    op.create_index("subscription_due", "subscription", ["due_at"], unique=False)
    op.create_index(
        "subscription_live",
        "subscription",
        ["customer_id"],
        unique=True,
        sqlite_where=sa.text("status = 'ACTIVE'"),
        postgresql_where=sa.text("status = 'ACTIVE'"),
    )
    op.create_table(
        "document",
        sa.Column("customer_id", columns.Id(), nullable=False),
        sa.Column("id", columns.Id(), nullable=False),
        sa.Column("subscription_id", columns.Id(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("series", sa.Text(), nullable=False),
        sa.Column("sequence", columns.Count(), nullable=False),
        sa.Column("issued_at", columns.Instant(), nullable=False),
        sa.Column("recorded_at", columns.Instant(), nullable=False),
        sa.Column("issued_on", columns.Day(), nullable=False),
        sa.Column("due_on", columns.Day(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("subtotal", columns.Minor(), nullable=False),
        sa.Column("tax", columns.Minor(), nullable=False),
        sa.Column("total", columns.Minor(), nullable=False),
        sa.Column("credit_applied", columns.Minor(), nullable=False),
        sa.Column("amount_due", columns.Minor(), nullable=False),
        sa.Column("credit_added", columns.Minor(), nullable=False),
        sa.Column("taxes", columns.Json(), nullable=False),
        sa.Column("seller", columns.Json(), nullable=False),
        sa.Column("buyer", columns.Json(), nullable=False),
        sa.Column("locale", sa.Text(), nullable=False),
        sa.CheckConstraint("\"kind\" IN ('INVOICE', 'CREDIT_NOTE')", name=op.f("ck_document_kind_known")),
        sa.ForeignKeyConstraint(
            ["customer_id", "subscription_id"],
            ["subscription.customer_id", "subscription.id"],
            name=op.f("fk_document_customer_id_subscription_id"),
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.customer_id"], name=op.f("fk_document_customer_id")
        ),
        sa.PrimaryKeyConstraint("customer_id", "id", name=op.f("pk_document")),
        sqlite_strict=True,
    )
    op.create_index("document_by_number", "document", ["customer_id", "number"], unique=True)
    op.create_index("document_latest", "document", ["customer_id", "kind", "issued_at", "id"], unique=False)
    op.create_table(
        "scheduled_change",
        sa.Column("customer_id", columns.Id(), nullable=False),
        sa.Column("id", columns.Id(), nullable=False),
        sa.Column("subscription_id", columns.Id(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("metric", sa.Text(), nullable=True),
        sa.Column("total", columns.Count(), nullable=True),
        sa.Column("plan", sa.Text(), nullable=True),
        sa.Column("interval", sa.Text(), nullable=True),
        sa.Column("created_at", columns.Instant(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("replaces", columns.Id(), nullable=True),
        sa.Column("closed_at", columns.Instant(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "\"interval\" IN ('MONTH', 'QUARTER', 'HALF_YEAR', 'YEAR')",
            name=op.f("ck_scheduled_change_interval_known"),
        ),
        sa.CheckConstraint(
            "\"outcome\" IN ('APPLIED', 'REPLACED', 'DROPPED', 'CANCELLED')",
            name=op.f("ck_scheduled_change_outcome_known"),
        ),
        sa.ForeignKeyConstraint(
            ["customer_id", "subscription_id"],
            ["subscription.customer_id", "subscription.id"],
            name=op.f("fk_scheduled_change_customer_id_subscription_id"),
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.customer_id"], name=op.f("fk_scheduled_change_customer_id")
        ),
        sa.PrimaryKeyConstraint("customer_id", "id", name=op.f("pk_scheduled_change")),
        sqlite_strict=True,
    )
    op.create_index(
        "scheduled_change_open",
        "scheduled_change",
        ["customer_id", "subscription_id", "target"],
        unique=True,
        sqlite_where=sa.text("closed_at IS NULL"),
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.create_table(
        "terms",
        sa.Column("customer_id", columns.Id(), nullable=False),
        sa.Column("id", columns.Id(), nullable=False),
        sa.Column("subscription_id", columns.Id(), nullable=False),
        sa.Column("price_id", columns.Id(), nullable=False),
        sa.Column("plan", sa.Text(), nullable=False),
        sa.Column("interval", sa.Text(), nullable=False),
        sa.Column("anchor", sa.Text(), nullable=False),
        sa.Column("cycle", columns.Count(), nullable=False),
        sa.Column("effective_at", columns.Instant(), nullable=False),
        sa.Column("recorded_at", columns.Instant(), nullable=False),
        sa.CheckConstraint(
            "\"interval\" IN ('MONTH', 'QUARTER', 'HALF_YEAR', 'YEAR')", name=op.f("ck_terms_interval_known")
        ),
        sa.ForeignKeyConstraint(
            ["customer_id", "subscription_id"],
            ["subscription.customer_id", "subscription.id"],
            name=op.f("fk_terms_customer_id_subscription_id"),
        ),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.customer_id"], name=op.f("fk_terms_customer_id")),
        sa.PrimaryKeyConstraint("customer_id", "id", name=op.f("pk_terms")),
        sqlite_strict=True,
    )
    op.create_table(
        "billing_line",
        sa.Column("customer_id", columns.Id(), nullable=False),
        sa.Column("id", columns.Id(), nullable=False),
        sa.Column("subscription_id", columns.Id(), nullable=False),
        sa.Column("item", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("quantity", columns.Count(), nullable=False),
        sa.Column("parts", columns.Json(), nullable=False),
        sa.Column("numerator", columns.Count(), nullable=True),
        sa.Column("denominator", columns.Count(), nullable=True),
        sa.Column("granularity", sa.Text(), nullable=False),
        sa.Column("period_start", columns.Instant(), nullable=False),
        sa.Column("period_end", columns.Instant(), nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("amount", columns.Minor(), nullable=False),
        sa.Column("formula", sa.Text(), nullable=False),
        sa.Column("tax_category", sa.Text(), nullable=False),
        sa.Column("tax_rate", columns.Exact(), nullable=False),
        sa.Column("tax_label", sa.Text(), nullable=False),
        sa.Column("price_id", columns.Id(), nullable=False),
        sa.Column("cycle", columns.Count(), nullable=False),
        sa.Column("reverses", columns.Id(), nullable=True),
        sa.Column("effective_at", columns.Instant(), nullable=False),
        sa.Column("recorded_at", columns.Instant(), nullable=False),
        sa.Column("document_id", columns.Id(), nullable=True),
        sa.Column("position", columns.Count(), nullable=True),
        sa.Column("description", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "\"granularity\" IN ('DAY', 'SECOND')", name=op.f("ck_billing_line_granularity_known")
        ),
        sa.CheckConstraint(
            "\"kind\" IN ('PERIOD', 'ADDED', 'CHANGED', 'CREDIT', 'UNUSED')",
            name=op.f("ck_billing_line_kind_known"),
        ),
        sa.CheckConstraint(
            "\"tax_category\" IN ('STANDARD', 'REVERSE_CHARGE', 'OUTSIDE_SCOPE')",
            name=op.f("ck_billing_line_tax_category_known"),
        ),
        sa.ForeignKeyConstraint(
            ["customer_id", "document_id"],
            ["document.customer_id", "document.id"],
            name=op.f("fk_billing_line_customer_id_document_id"),
        ),
        sa.ForeignKeyConstraint(
            ["customer_id", "reverses"],
            ["billing_line.customer_id", "billing_line.id"],
            name=op.f("fk_billing_line_customer_id_reverses"),
        ),
        sa.ForeignKeyConstraint(
            ["customer_id", "subscription_id"],
            ["subscription.customer_id", "subscription.id"],
            name=op.f("fk_billing_line_customer_id_subscription_id"),
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.customer_id"], name=op.f("fk_billing_line_customer_id")
        ),
        sa.PrimaryKeyConstraint("customer_id", "id", name=op.f("pk_billing_line")),
        sqlite_strict=True,
    )
    op.create_index(
        "billing_line_cycle", "billing_line", ["customer_id", "subscription_id", "cycle"], unique=False
    )
    op.create_index(
        "billing_line_document", "billing_line", ["customer_id", "document_id", "position"], unique=False
    )
    op.create_index(
        "billing_line_item", "billing_line", ["customer_id", "item", "effective_at"], unique=False
    )
    op.create_index("billing_line_reverses", "billing_line", ["customer_id", "reverses"], unique=False)
    op.create_index(
        "billing_line_waiting",
        "billing_line",
        ["customer_id", "subscription_id"],
        unique=False,
        sqlite_where=sa.text("document_id IS NULL"),
        postgresql_where=sa.text("document_id IS NULL"),
    )
    op.create_table(
        "credit_entry",
        sa.Column("customer_id", columns.Id(), nullable=False),
        sa.Column("id", columns.Id(), nullable=False),
        sa.Column("amount", columns.Minor(), nullable=False),
        sa.Column("document_id", columns.Id(), nullable=False),
        sa.Column("effective_at", columns.Instant(), nullable=False),
        sa.Column("recorded_at", columns.Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id", "document_id"],
            ["document.customer_id", "document.id"],
            name=op.f("fk_credit_entry_customer_id_document_id"),
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.customer_id"], name=op.f("fk_credit_entry_customer_id")
        ),
        sa.PrimaryKeyConstraint("customer_id", "id", name=op.f("pk_credit_entry")),
        sqlite_strict=True,
    )
    op.create_index("credit_entry_document", "credit_entry", ["customer_id", "document_id"], unique=False)
    op.create_table(
        "document_file",
        sa.Column("customer_id", columns.Id(), nullable=False),
        sa.Column("document_id", columns.Id(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("size", columns.Count(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("rendered_at", columns.Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id", "document_id"],
            ["document.customer_id", "document.id"],
            name=op.f("fk_document_file_customer_id_document_id"),
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.customer_id"], name=op.f("fk_document_file_customer_id")
        ),
        sa.PrimaryKeyConstraint("customer_id", "document_id", name=op.f("pk_document_file")),
        sqlite_strict=True,
    )
    op.create_table(
        "document_view",
        sa.Column("customer_id", columns.Id(), nullable=False),
        sa.Column("document_id", columns.Id(), nullable=False),
        sa.Column("view", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id", "document_id"],
            ["document.customer_id", "document.id"],
            name=op.f("fk_document_view_customer_id_document_id"),
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.customer_id"], name=op.f("fk_document_view_customer_id")
        ),
        sa.PrimaryKeyConstraint("customer_id", "document_id", name=op.f("pk_document_view")),
        sqlite_strict=True,
    )
    op.create_table(
        "payment",
        sa.Column("customer_id", columns.Id(), nullable=False),
        sa.Column("id", columns.Id(), nullable=False),
        sa.Column("invoice_id", columns.Id(), nullable=False),
        sa.Column("amount", columns.Minor(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=True),
        sa.Column("paid_at", columns.Instant(), nullable=False),
        sa.Column("recorded_at", columns.Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id", "invoice_id"],
            ["document.customer_id", "document.id"],
            name=op.f("fk_payment_customer_id_invoice_id"),
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.customer_id"], name=op.f("fk_payment_customer_id")
        ),
        sa.PrimaryKeyConstraint("customer_id", "id", name=op.f("pk_payment")),
        sqlite_strict=True,
    )
    op.create_index("payment_by_invoice", "payment", ["customer_id", "invoice_id"], unique=False)
    op.create_table(
        "receivable",
        sa.Column("customer_id", columns.Id(), nullable=False),
        sa.Column("invoice_id", columns.Id(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("paid", columns.Minor(), nullable=False),
        sa.Column("credited", columns.Minor(), nullable=False),
        sa.Column("open", columns.Minor(), nullable=False),
        sa.Column("paid_at", columns.Instant(), nullable=True),
        sa.Column("voided_at", columns.Instant(), nullable=True),
        sa.CheckConstraint(
            "\"status\" IN ('OPEN', 'PAID', 'VOID', 'UNCOLLECTIBLE')", name=op.f("ck_receivable_status_known")
        ),
        sa.ForeignKeyConstraint(
            ["customer_id", "invoice_id"],
            ["document.customer_id", "document.id"],
            name=op.f("fk_receivable_customer_id_invoice_id"),
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.customer_id"], name=op.f("fk_receivable_customer_id")
        ),
        sa.PrimaryKeyConstraint("customer_id", "invoice_id", name=op.f("pk_receivable")),
        sqlite_strict=True,
    )
    op.create_index("receivable_status", "receivable", ["customer_id", "status"], unique=False)
    op.create_table(
        "reduction",
        sa.Column("customer_id", columns.Id(), nullable=False),
        sa.Column("credit_note_id", columns.Id(), nullable=False),
        sa.Column("invoice_id", columns.Id(), nullable=False),
        sa.Column("amount", columns.Minor(), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id", "credit_note_id"],
            ["document.customer_id", "document.id"],
            name=op.f("fk_reduction_customer_id_credit_note_id"),
        ),
        sa.ForeignKeyConstraint(
            ["customer_id", "invoice_id"],
            ["document.customer_id", "document.id"],
            name=op.f("fk_reduction_customer_id_invoice_id"),
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.customer_id"], name=op.f("fk_reduction_customer_id")
        ),
        sa.PrimaryKeyConstraint("customer_id", "credit_note_id", "invoice_id", name=op.f("pk_reduction")),
        sqlite_strict=True,
    )
    op.create_index("reduction_by_invoice", "reduction", ["customer_id", "invoice_id"], unique=False)
    op.create_table(
        "render_job",
        sa.Column("customer_id", columns.Id(), nullable=False),
        sa.Column("document_id", columns.Id(), nullable=False),
        sa.Column("created_at", columns.Instant(), nullable=False),
        sa.Column("run_at", columns.Instant(), nullable=False),
        sa.Column("attempts", columns.Count(), nullable=False),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["customer_id", "document_id"],
            ["document.customer_id", "document.id"],
            name=op.f("fk_render_job_customer_id_document_id"),
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.customer_id"], name=op.f("fk_render_job_customer_id")
        ),
        sa.PrimaryKeyConstraint("customer_id", "document_id", name=op.f("pk_render_job")),
        sqlite_strict=True,
    )
    op.create_index("render_job_due", "render_job", ["run_at"], unique=False)
    op.create_table(
        "line_event",
        sa.Column("customer_id", columns.Id(), nullable=False),
        sa.Column("line_id", columns.Id(), nullable=False),
        sa.Column("event_id", columns.Id(), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id", "event_id"],
            ["seat_event.customer_id", "seat_event.id"],
            name=op.f("fk_line_event_customer_id_event_id"),
        ),
        sa.ForeignKeyConstraint(
            ["customer_id", "line_id"],
            ["billing_line.customer_id", "billing_line.id"],
            name=op.f("fk_line_event_customer_id_line_id"),
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.customer_id"], name=op.f("fk_line_event_customer_id")
        ),
        sa.PrimaryKeyConstraint("customer_id", "line_id", "event_id", name=op.f("pk_line_event")),
        sqlite_strict=True,
    )
    op.create_index("line_event_by_event", "line_event", ["customer_id", "event_id"], unique=False)
