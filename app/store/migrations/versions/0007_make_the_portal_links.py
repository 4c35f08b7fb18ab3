"""Make the portal links.

Revision 0007, after 0006.
"""

import sqlalchemy as sa
from alembic import op

from app.store import columns

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the portal links."""
    op.create_table(
        "portal_link",
        sa.Column("token_hash", sa.Text(), nullable=False),
        sa.Column("customer_id", columns.Id(), nullable=False),
        sa.Column("member_id", columns.Id(), nullable=False),
        sa.Column("created_at", columns.Instant(), nullable=False),
        sa.Column("expires_at", columns.Instant(), nullable=False),
        sa.Column("spent_at", columns.Instant(), nullable=True),
        sa.PrimaryKeyConstraint("token_hash"),
        sqlite_strict=True,
    )
    op.create_index("portal_link_of_member", "portal_link", ["customer_id", "member_id"])
