"""What Alembic runs for each command: it gives the tables and a connection to the revisions.

The program goes through `app.store.migrate`, which brings its own connection. A developer may also call
Alembic, with a scratch database that is at the head:

    alembic -x url=sqlite+aiosqlite:////tmp/scratch.db revision --autogenerate -m "Add a table for …"
"""

import asyncio
from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from sqlalchemy import Connection

from app.store import columns, migrate
from app.store.metadata import metadata  # Full: app.store.migrate imports the tables for their guards.


def rendered(kind: str, item: Any, _context: AutogenContext) -> str | Literal[False]:
    """Our column types by name; an enum's column is text, as its CHECK says the rest."""
    if kind != "type" or type(item).__module__ != columns.__name__:
        return False
    return "sa.Text()" if isinstance(item, columns.OneOf) else f"columns.{type(item).__name__}()"


def migrated(connection: Connection) -> None:
    """Run the command's revisions in the connection's transaction."""
    context.configure(
        connection=connection,
        target_metadata=metadata,
        render_as_batch=connection.dialect.name == "sqlite",
        render_item=rendered,
        transactional_ddl=True,
    )
    with context.begin_transaction():
        context.run_migrations()


if context.is_offline_mode():
    raise SystemExit("Seatport's migrations run on a database, never to a file: the triggers depend on it.")
given = context.config.attributes.get("connection")
if given is not None:
    migrated(given)
else:
    asyncio.run(migrate.within(context.get_x_argument(as_dictionary=True)["url"], migrated))
