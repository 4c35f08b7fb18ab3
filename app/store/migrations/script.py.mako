"""${message}.

Revision ${up_revision}, after ${down_revision or "none" | comma,n}.
"""
# ruff: noqa: PLR0915 - A revision is one long list, written once.

import sqlalchemy as sa
from alembic import op

from app.store import columns
${imports if imports else ""}
revision = "${up_revision}"
down_revision = ${f'"{down_revision}"' if isinstance(down_revision, str) else repr(down_revision)}
branch_labels = ${repr(branch_labels)}
depends_on = ${repr(depends_on)}


def upgrade() -> None:
    """${message}."""
    ${upgrades if upgrades else "pass"}
