"""Make the API keys.

Revision 0002, after 0001.
"""

import sqlalchemy as sa
from alembic import op

from app.store import columns

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the API keys."""
    op.create_table(
        "api_key",
        sa.Column("id", columns.Id(), nullable=False),
        sa.Column("token_hash", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("scopes", columns.Json(), nullable=False),
        sa.Column("created_at", columns.Instant(), nullable=False),
        sa.Column("revoked_at", columns.Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sqlite_strict=True,
    )
    op.create_index("api_key_by_hash", "api_key", ["token_hash"], unique=True)
