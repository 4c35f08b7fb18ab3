"""What the application's role may do on PostgreSQL: it owns no table and cannot change a row of a ledger.

Whoever owns a table can drop the trigger that guards it. So a deployment migrates as the owner and runs as
another role, which gets from each migration exactly the rights that the program uses: to read and add
everywhere, to change what is kept beside ledgers, to delete what was only waiting.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sqlalchemy import Connection, Table, text

from app.store import tables
from app.store.metadata import metadata

DELETED: Final = frozenset(
    {"idempotency", "portal_link", "portal_session", "render_job", "seat_checkpoint", "seat_holder"}
)
"""The tables whose rows the program deletes."""

VERSION: Final = "alembic_version"
ROLE: Final = """
    SELECT rolname, rolsuper OR rolbypassrls AS above, pg_has_role(rolname, current_user, 'MEMBER') AS owner
    FROM pg_roles WHERE rolname = :role
"""


class RoleUnfit(Exception):
    """The role that the application should run as cannot be given its rights; the message says why."""


def give(connection: Connection, role: str) -> None:
    """Take every right on the tables from a role, and give it what the program uses. The tables exist.

    :raises RoleUnfit: if there is no such role, or it could change history in spite of what it is given
    """
    if connection.dialect.name != "postgresql":
        raise RoleUnfit("SQLite has no roles: leave SEATPORT_APP_ROLE out, and guard the file itself.")
    found = connection.execute(text(ROLE), {"role": role}).one_or_none()
    if found is None:
        raise RoleUnfit(f"There is no role {role!r}. Make it first: CREATE ROLE {role} LOGIN PASSWORD '…'.")
    if found.above or found.owner:
        raise RoleUnfit(
            f"The role {role!r} is a superuser or acts as the owner of the tables, whom no rights bind. "
            "Give SEATPORT_APP_ROLE another role, made with: CREATE ROLE name LOGIN PASSWORD '…'."
        )
    quoted = connection.dialect.identifier_preparer.quote(role)
    schema = connection.execute(text("SELECT quote_ident(current_schema())")).scalar_one()
    connection.exec_driver_sql(f"REVOKE ALL ON ALL TABLES IN SCHEMA {schema} FROM {quoted}")
    connection.exec_driver_sql(f"GRANT USAGE ON SCHEMA {schema} TO {quoted}")
    connection.exec_driver_sql(f"GRANT SELECT ON {VERSION} TO {quoted}")
    for table in metadata.sorted_tables:
        rights = ", ".join(of(table))
        connection.exec_driver_sql(f'GRANT {rights} ON "{table.name}" TO {quoted}')


def of(table: Table) -> Iterator[str]:
    """The rights on a table that the program uses."""
    yield from ("SELECT", "INSERT")
    if table.name in tables.FILLED_ONCE:
        yield f"UPDATE ({', '.join(tables.FILLED_ONCE[table.name])})"
    elif table not in tables.APPEND_ONLY:
        yield "UPDATE"
    if table.name in DELETED:
        yield "DELETE"
