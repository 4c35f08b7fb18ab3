"""Make the collections of invoices.

Revision 0006, after 0005.
"""

import sqlalchemy as sa
from alembic import op

from app.store import columns

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the collections of invoices."""
    op.create_table(
        "collection",
        sa.Column("customer_id", columns.Id(), nullable=False),
        sa.Column("invoice_id", columns.Id(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("tries", columns.Count(), nullable=False),
        sa.Column("attempts", columns.Count(), nullable=False),
        sa.Column("run_at", columns.Instant(), nullable=False),
        sa.Column("intent", columns.Id(), nullable=True),
        sa.Column("intent_at", columns.Instant(), nullable=True),
        sa.Column("amount", columns.Minor(), nullable=True),
        sa.Column("method", sa.Text(), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "\"status\" IN ('WAITING', 'REFUNDING', 'COLLECTED', 'OVER', 'LEFT_OPEN')", name="status_known"
        ),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.customer_id"]),
        sa.ForeignKeyConstraint(["customer_id", "invoice_id"], ["document.customer_id", "document.id"]),
        sa.PrimaryKeyConstraint("customer_id", "invoice_id"),
        sqlite_strict=True,
    )
    where = sa.text("status IN ('WAITING', 'REFUNDING')")
    op.create_index("collection_due", "collection", ["run_at"], sqlite_where=where, postgresql_where=where)
