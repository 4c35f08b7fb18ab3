"""Row-level security on PostgreSQL: every table with rows of customers asks each statement whose they are.

A row is there for a transaction that was opened for its customer, and for one that is across customers. What
says nothing sees no row and writes none, be it the owner of the tables; a superuser alone is asked nothing,
so a deployment runs as another role. The policies are made from the declared tables after each migration, so
none can be forgotten.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection, text

from app.store.scope import CUSTOMER, EVERYBODY, REACH
from app.store.tables import TENANT_TABLES

POLICY: Final = "seatport_tenant"

# Each setting is read once for a statement, and not once for a row: hence the sub-selects.
VISIBLE: Final = (
    f"customer_id = (SELECT nullif(current_setting('{CUSTOMER}', true), '')::uuid)"
    f" OR (SELECT current_setting('{REACH}', true)) = '{EVERYBODY}'"
)
PRESENT: Final = """
    SELECT relname FROM pg_class JOIN pg_policy ON polrelid = pg_class.oid
    WHERE relnamespace = to_regnamespace(current_schema()) AND polname = :policy AND polpermissive
    AND polcmd = '*' AND relrowsecurity AND relforcerowsecurity
"""
ABOVE: Final = "SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user"


def install(connection: Connection) -> None:
    """Make the policy of every table anew; the tables exist. SQLite has none."""
    if connection.dialect.name != "postgresql":
        return
    for name in sorted(TENANT_TABLES):
        connection.exec_driver_sql(f'DROP POLICY IF EXISTS {POLICY} ON "{name}"')
        connection.exec_driver_sql(
            f'CREATE POLICY {POLICY} ON "{name}" USING ({VISIBLE}) WITH CHECK ({VISIBLE})'
        )
        connection.exec_driver_sql(f'ALTER TABLE "{name}" ENABLE ROW LEVEL SECURITY')
        connection.exec_driver_sql(f'ALTER TABLE "{name}" FORCE ROW LEVEL SECURITY')


def missing(connection: Connection) -> list[str]:
    """The tables that do not ask whose rows a statement may touch."""
    if connection.dialect.name != "postgresql":
        return []
    return sorted(TENANT_TABLES - set(connection.execute(text(PRESENT), {"policy": POLICY}).scalars()))


def are_passed_over(connection: Connection) -> bool:
    """Whether the present role is asked nothing: a superuser, or one that bypasses row-level security."""
    if connection.dialect.name != "postgresql":
        return False
    return bool(connection.execute(text(ABOVE)).scalar_one())
