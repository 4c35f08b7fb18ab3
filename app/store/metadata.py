"""The one MetaData of all tables, and `table`, by which every table of Seatport is declared."""

from typing import Any

from sqlalchemy import CheckConstraint, Column, MetaData, Table
from sqlalchemy.schema import SchemaItem

from app.store.columns import OneOf

# Constraints have names on both engines, so that migrations can speak of them.
metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)


def table(name: str, *items: SchemaItem, within: MetaData = metadata, **options: Any) -> Table:
    """Declare a table. STRICT on SQLite: a column there takes no value of another type either. A column of an
    enum gets its CHECK, on the table, where migrations see it.
    """
    columns = [item for item in items if isinstance(item, Column)]
    checks = [known(column.name, column.type) for column in columns if isinstance(column.type, OneOf)]
    return Table(name, within, *items, *checks, sqlite_strict=True, **options)


def known(column: str, kind: OneOf[Any]) -> CheckConstraint:
    """The database takes the names of an enum's members in this column, and nothing else."""
    names = ", ".join(f"'{member.name}'" for member in kind.members)
    return CheckConstraint(f'"{column}" IN ({names})', name=f"{column}_known")
