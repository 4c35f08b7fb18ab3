"""Make the webhooks: endpoints and their secrets, deliveries and the log of them.

Revision 0005, after 0004.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

from app.store import columns

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the webhooks."""
    op.create_table(
        "webhook_endpoint",
        need("id", columns.Id()), need("url", sa.Text()), need("types", columns.Json()),
        need("created_at", columns.Instant()), may("disabled_at", columns.Instant()),
        may("disabled_because", sa.Text()), may("held_until", columns.Instant()),
        may("failing_since", columns.Instant()), may("removed_at", columns.Instant()),
        sa.CheckConstraint(
            "\"disabled_because\" IN ('BY_VENDOR', 'GONE', 'FAILING')", name="disabled_because_known"
        ),
        sa.PrimaryKeyConstraint("id"),
        sqlite_strict=True,
    )  # fmt: skip
    op.create_table(
        "webhook_secret",
        need("id", columns.Id()), need("endpoint_id", columns.Id()), need("proof", sa.Text()),
        need("created_at", columns.Instant()), may("expires_at", columns.Instant()),
        sa.PrimaryKeyConstraint("id"),
        sqlite_strict=True,
    )  # fmt: skip
    op.create_index("webhook_secret_of_endpoint", "webhook_secret", ["endpoint_id"])
    op.create_table(
        "webhook_delivery",
        need("customer_id", columns.Id()), need("id", columns.Id()), need("outbox_id", columns.Id()),
        need("endpoint_id", columns.Id()), need("attempts", columns.Count()),
        need("round_start", columns.Count()), need("created_at", columns.Instant()),
        may("next_at", columns.Instant()), may("delivered_at", columns.Instant()),
        may("failed_at", columns.Instant()), may("last_status", columns.Count()),
        may("last_error", sa.Text()),
        sa.PrimaryKeyConstraint("customer_id", "id"),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.customer_id"]),
        sa.ForeignKeyConstraint(["customer_id", "outbox_id"], ["outbox.customer_id", "outbox.id"]),
        sqlite_strict=True,
    )  # fmt: skip
    op.create_index(
        "webhook_delivery_once", "webhook_delivery", ["customer_id", "outbox_id", "endpoint_id"], unique=True
    )
    op.create_index("webhook_delivery_of_endpoint", "webhook_delivery", ["endpoint_id", "id"])
    some("webhook_delivery_due", ["endpoint_id", "next_at"], "next_at IS NOT NULL")
    some("webhook_delivery_failed", ["endpoint_id", "id"], "failed_at IS NOT NULL")
    op.create_table(
        "webhook_attempt",
        need("customer_id", columns.Id()), need("delivery_id", columns.Id()),
        need("number", columns.Count()), need("at", columns.Instant()), may("status", columns.Count()),
        may("error", sa.Text()), need("milliseconds", columns.Count()),
        sa.PrimaryKeyConstraint("customer_id", "delivery_id", "number"),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.customer_id"]),
        sa.ForeignKeyConstraint(
            ["customer_id", "delivery_id"], ["webhook_delivery.customer_id", "webhook_delivery.id"]
        ),
        sqlite_strict=True,
    )  # fmt: skip


def need(name: str, kind: Any) -> sa.Column[Any]:
    """A column that every row fills."""
    return sa.Column(name, kind, nullable=False)


def may(name: str, kind: Any) -> sa.Column[Any]:
    """A column that may be null."""
    return sa.Column(name, kind, nullable=True)


def some(name: str, listed: list[str], condition: str) -> None:
    """An index of deliveries over some rows."""
    where = sa.text(condition)
    op.create_index(name, "webhook_delivery", listed, sqlite_where=where, postgresql_where=where)
