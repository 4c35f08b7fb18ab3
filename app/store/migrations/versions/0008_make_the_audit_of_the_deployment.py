"""Make the audit of the deployment.

Revision 0008, after 0007.
"""

import sqlalchemy as sa
from alembic import op

from app.store import columns

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the audit of the deployment."""
    op.create_table(
        "deployment_audit",
        sa.Column("id", columns.Id(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("object_id", columns.Id(), nullable=False),
        sa.Column("detail", columns.Json(), nullable=False),
        sa.Column("recorded_at", columns.Instant(), nullable=False),
        sa.Column("position", columns.Count(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sqlite_strict=True,
    )
    op.create_index("deployment_audit_chain", "deployment_audit", ["position"], unique=True)
