"""The one MetaData of all tables, and the words by which every table of Seatport is declared."""

from typing import Any

from sqlalchemy import CheckConstraint, Column, MetaData, PrimaryKeyConstraint, Table, text
from sqlalchemy import ForeignKeyConstraint as ForeignKey
from sqlalchemy.schema import SchemaItem

from app.store.columns import Id, OneOf

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


def tenant(name: str, *parts: Any, key: tuple[str, ...] = ("id",)) -> Table:
    """A table of customer data: its key starts with the customer, and no row is without one."""
    own = (Column("id", Id, nullable=False),) if key == ("id",) else ()
    customer_key = PrimaryKeyConstraint("customer_id", *key)
    owner = () if name == "customer" else (ForeignKey(["customer_id"], ["customer.customer_id"]),)
    return table(name, Column("customer_id", Id, nullable=False), *own, *parts, customer_key, *owner)


def need(name: str, kind: Any) -> Column[Any]:
    """A column that every row fills."""
    return Column(name, kind, nullable=False)


def needs(kind: Any, *names: str) -> tuple[Column[Any], ...]:
    """Columns of one kind that every row fills."""
    return tuple(need(name, kind) for name in names)


def may(name: str, kind: Any) -> Column[Any]:
    """A column that may be null."""
    return Column(name, kind, nullable=True)


def mays(kind: Any, *names: str) -> tuple[Column[Any], ...]:
    """Columns of one kind that may be null."""
    return tuple(may(name, kind) for name in names)


def where(condition: str) -> dict[str, Any]:
    """The options of an index over some rows, on both engines."""
    return {"sqlite_where": text(condition), "postgresql_where": text(condition)}


def owned(table: str, column: str) -> ForeignKey:
    """A reference that stays inside the customer."""
    return ForeignKey(["customer_id", column], [f"{table}.customer_id", f"{table}.id"])


def known(column: str, kind: OneOf[Any]) -> CheckConstraint:
    """The database takes the names of an enum's members in this column, and nothing else."""
    names = ", ".join(f"'{member.name}'" for member in kind.members if member not in kind.never)
    return CheckConstraint(f'"{column}" IN ({names})', name=f"{column}_known")
