"""The one MetaData of all tables, and `table`, by which every table of Seatport is declared."""

from typing import Any

from sqlalchemy import MetaData, Table
from sqlalchemy.schema import SchemaItem

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
    """Declare a table, STRICT on SQLite: a column there takes no value of another type either."""
    return Table(name, within, *items, sqlite_strict=True, **options)
