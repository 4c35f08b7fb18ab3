"""Make the checkpoints of the seat ledger.

Revision 0003, after 0002.
"""

import sqlalchemy as sa
from alembic import op

from app.store import columns

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the checkpoints of the seat ledger."""
    op.create_table(
        "seat_checkpoint",
        sa.Column("customer_id", columns.Id(), nullable=False),
        sa.Column("metric", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("from_at", columns.Instant(), nullable=False),
        sa.Column("from_id", columns.Id(), nullable=False),
        sa.Column("opening", columns.Count(), nullable=False),
        sa.Column("events", columns.Count(), nullable=False),
        sa.CheckConstraint("\"kind\" IN ('COMMITTED', 'IN_USE')", name="kind_known"),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.customer_id"]),
        sa.PrimaryKeyConstraint("customer_id", "metric", "kind", "from_at", "from_id"),
        sqlite_strict=True,
    )
