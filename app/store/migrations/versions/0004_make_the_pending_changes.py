"""Make the pending changes.

Revision 0004, after 0003.
"""

import sqlalchemy as sa
from alembic import op

from app.store import columns

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the pending changes."""
    op.create_table(
        "pending_change",
        sa.Column("customer_id", columns.Id(), nullable=False),
        sa.Column("id", columns.Id(), nullable=False),
        sa.Column("subscription_id", columns.Id(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("change", columns.Json(), nullable=False),
        sa.Column("actor", columns.Json(), nullable=False),
        sa.Column("decided_at", columns.Instant(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("amount", columns.Minor(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("on_failure", sa.Text(), nullable=False),
        sa.Column("created_at", columns.Instant(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("attempts", columns.Count(), nullable=False),
        sa.Column("run_at", columns.Instant(), nullable=False),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("closed_at", columns.Instant(), nullable=True),
        sa.CheckConstraint("\"on_failure\" IN ('PREVENT_CHANGE', 'APPLY_CHANGE')", name="on_failure_known"),
        sa.CheckConstraint(
            "\"status\" IN ('COLLECTING', 'REFUNDING', 'APPLIED', 'WITHDRAWN')",
            name="status_known",
        ),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.customer_id"]),
        sa.ForeignKeyConstraint(
            ["customer_id", "subscription_id"], ["subscription.customer_id", "subscription.id"]
        ),
        sa.PrimaryKeyConstraint("customer_id", "id"),
        sqlite_strict=True,
    )
    for name, key, unique, only in (
        ("pending_change_collecting", ["customer_id", "subscription_id"], True, "status = 'COLLECTING'"),
        ("pending_change_open", ["customer_id"], False, "closed_at IS NULL"),
        ("pending_change_due", ["run_at"], False, "status IN ('COLLECTING', 'REFUNDING')"),
    ):
        where = sa.text(only)
        op.create_index(
            name, "pending_change", key, unique=unique, sqlite_where=where, postgresql_where=where
        )
