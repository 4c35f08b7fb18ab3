"""Many rows in one statement, at nearly the driver's own speed.

SQLAlchemy handles each row and value by itself, which costs as much as writing the row. Here values are
encoded column by column by the column's own type, an id or an instant once for all rows and tables that share
it, and go to the driver as they are: on SQLite in one executemany, on PostgreSQL as one array a column, or
one value where all rows are alike.
"""

# ruff: noqa: S608 - The names are those of our own tables and columns.

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import cache
from typing import Any

import orjson
from sqlalchemy import Column, ColumnElement, Connection, Dialect, Table, Text, any_, cast, func, select
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import ARRAY

from app.store.columns import INTEGER_MAX, Count, Id, Instant, Json

REPEATED = (Id, Instant, Json)
"""Types whose values are costly to encode, and often the same object in many rows: whose they are, when they
were made, the seller who is frozen in every document.
"""

POSTGRES: Dialect = postgresql.dialect()  # type: ignore[no-untyped-call]

Encode = Callable[[Any], Any]


class Encoder:
    """Values as the driver takes them; one for all that is written together."""

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect
        self._known: dict[type, dict[int, Any]] = {kind: {} for kind in REPEATED}
        self._kept: list[Sequence[Any]] = []

    def encoded(self, column: Column[Any], values: Sequence[Any]) -> list[Any]:
        """The values of a column.

        :raises TypeError, ValueError: for one that cannot be stored, as its type says
        """
        encode = _encoder(column, self.dialect)
        if encode is None or (isinstance(column.type, Count) and _are_counts(values)):
            return list(values)
        known = self._known.get(type(column.type))
        if known is None:
            return [encode(value) for value in values]
        self._kept.append(values)  # What is known of an object holds as long as it lives.
        new = {id(value): value for value in values}
        for place in new.keys() - known.keys():
            known[place] = encode(new[place])
        return [known[id(value)] for value in values]


def among(connection: Connection, column: ColumnElement[str], values: Collection[str]) -> ColumnElement[bool]:
    """SQL: a column of text has one of many values. They are one parameter, so that the statement is the same
    for any number of them.
    """
    if connection.dialect.name == "sqlite":
        listed = func.json_each(orjson.dumps(list(values)).decode()).table_valued("value")
        return column.in_(select(listed.c.value))
    return column == any_(cast(list(values), ARRAY(Text())))


def insert_rows(
    connection: Connection,
    table: Table,
    names: Sequence[str],
    rows: Sequence[Sequence[Any]],
    encoder: Encoder | None = None,
) -> None:
    """Insert rows, given as the values of the named columns in their order; the other columns are null."""
    if not rows:
        return
    encoder = encoder or Encoder(connection.dialect)
    if connection.dialect.name == "sqlite":
        _run(connection, _insert(table, tuple(names)), table, names, rows, encoder)
        return
    columns = list(zip(*rows, strict=True))
    alike = tuple(_alike(values) for values in columns)
    if all(alike) and len(rows) > 1:
        alike = (False, *alike[1:])
    encoded = [
        encoder.encoded(table.c[name], values[:1] if one else values)
        for name, values, one in zip(names, columns, alike, strict=True)
    ]
    parameters = tuple(values[0] if one else values for values, one in zip(encoded, alike, strict=True))
    connection.exec_driver_sql(_insert_arrays(table, tuple(names), alike), parameters)


def update_rows(
    connection: Connection,
    table: Table,
    key: Sequence[str],
    names: Sequence[str],
    rows: Sequence[Sequence[Any]],
    encoder: Encoder | None = None,
) -> None:
    """Update rows: each gives the values of its key's columns, then those of the named columns."""
    if rows:
        statement = _update(table, tuple(key), tuple(names), connection.dialect.name)
        _run(connection, statement, table, (*key, *names), rows, encoder or Encoder(connection.dialect))


def delete_rows(
    connection: Connection, table: Table, key: Sequence[str], rows: Sequence[Sequence[Any]]
) -> None:
    """Delete the rows with these keys."""
    if rows:
        statement = _delete(table, tuple(key), connection.dialect.name)
        _run(connection, statement, table, key, rows, Encoder(connection.dialect))


def _run(
    connection: Connection,
    statement: str,
    table: Table,
    names: Sequence[str],
    rows: Sequence[Sequence[Any]],
    encoder: Encoder,
) -> None:
    columns = [
        encoder.encoded(table.c[name], values)
        for name, values in zip(names, zip(*rows, strict=True), strict=True)
    ]
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(statement, list(zip(*columns, strict=True)))
    else:
        connection.exec_driver_sql(statement, tuple(columns))


def _alike(values: Sequence[Any]) -> bool:
    first = values[0]
    return all(value is first or value == first for value in values)


def _are_counts(values: Sequence[Any]) -> bool:
    """Whether values can be stored as whole numbers of 64 bits as they are."""
    kinds = set(map(type, values))
    if not kinds <= {int, type(None)}:
        return False
    numbers = [value for value in values if value is not None] if type(None) in kinds else values
    return not numbers or (max(numbers) <= INTEGER_MAX and min(numbers) >= -INTEGER_MAX)


@cache
def _encoder(column: Column[Any], dialect: Dialect) -> Encode | None:
    encode: Encode | None = column.type.dialect_impl(dialect).bind_processor(dialect)
    return encode


@cache
def _insert(table: Table, names: tuple[str, ...]) -> str:
    return f'INSERT INTO "{table.name}" ({_listed(names)}) VALUES ({", ".join("?" for _ in names)})'


@cache
def _insert_arrays(table: Table, names: tuple[str, ...], alike: tuple[bool, ...]) -> str:
    """PostgreSQL: an array for each column, one value for those in which all rows are alike."""
    values, arrays, given = [], [], []
    for place, (name, one) in enumerate(zip(names, alike, strict=True), start=1):
        kind = table.c[name].type.compile(POSTGRES)
        values.append(f"${place}::{kind}" if one else f'given."{name}"')
        if not one:
            arrays.append(f"${place}::{kind}[]")
            given.append(name)
    into = f'INSERT INTO "{table.name}" ({_listed(names)}) SELECT {", ".join(values)}'
    return f"{into} FROM unnest({', '.join(arrays)}) AS given ({_listed(given)})" if given else into


@cache
def _update(table: Table, key: tuple[str, ...], names: tuple[str, ...], dialect: str) -> str:
    if dialect == "sqlite":
        last = len(key)
        sets = ", ".join(f'"{name}" = ?{last + i + 1}' for i, name in enumerate(names))
        this = " AND ".join(f'"{name}" = ?{i + 1}' for i, name in enumerate(key))
        return f'UPDATE "{table.name}" SET {sets} WHERE {this}'
    sets = ", ".join(f'"{name}" = given."{name}"' for name in names)
    return f'UPDATE "{table.name}" AS stored SET {sets} {_from(table, key, names)}'


@cache
def _delete(table: Table, key: tuple[str, ...], dialect: str) -> str:
    if dialect == "sqlite":
        this = " AND ".join(f'"{name}" = ?' for name in key)
        return f'DELETE FROM "{table.name}" WHERE {this}'
    using = _from(table, key, ()).replace("FROM", "USING", 1)
    return f'DELETE FROM "{table.name}" AS stored {using}'


def _from(table: Table, key: tuple[str, ...], names: tuple[str, ...]) -> str:
    given = f"{_arrays(table, (*key, *names))} AS given ({_listed((*key, *names))})"
    return f"FROM {given} WHERE " + " AND ".join(f'stored."{name}" = given."{name}"' for name in key)


def _arrays(table: Table, names: tuple[str, ...]) -> str:
    """PostgreSQL: one array for each column, side by side as rows."""
    arrays = (f"${i + 1}::{table.c[name].type.compile(POSTGRES)}[]" for i, name in enumerate(names))
    return f"unnest({', '.join(arrays)})"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)
