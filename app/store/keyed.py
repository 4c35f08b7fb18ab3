"""Keys of many rows as something to join with: the same statement for one customer and for a thousand, since
the keys are one parameter (SQLite, JSON) or one for each column (PostgreSQL, arrays).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import orjson
from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Dialect,
    FromClause,
    Select,
    Text,
    and_,
    bindparam,
    column,
    func,
    select,
    type_coerce,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.engine import CursorResult


@dataclass(frozen=True, slots=True)
class Keys:
    """Keys as rows: `given` has a column for each part, named as the column that it is a value of."""

    given: FromClause
    columns: tuple[Column[Any], ...]
    values: dict[str, Any]

    def rows_of(self, table: FromClause, *columns: Any) -> Select[Any]:
        """A query of the rows of a table that have these keys; of all their columns, if none are named."""
        same = (table.c[c.name] == self.given.c[c.name] for c in self.columns if c.name in table.c)
        return select(*(columns or (table,))).select_from(self.given.join(table, and_(*same)))

    def execute(self, connection: Connection, query: Any) -> CursorResult[Any]:
        """What a query finds that was made from these keys."""
        return connection.execute(query, self.values)


def keyed(connection: Connection, columns: Sequence[Column[Any]], rows: Iterable[Sequence[Any]]) -> Keys:
    """Keys by the columns that they are values of."""
    columns, dialect = tuple(columns), connection.dialect
    lists = list(zip(*rows, strict=True)) or [()] * len(columns)
    if dialect.name != "sqlite":
        values = {f"keys_{c.name}": list(given) for c, given in zip(columns, lists, strict=True)}
        return Keys(_arrays(columns), columns, values)
    encoded = [_encoded(c, given, dialect) for c, given in zip(columns, lists, strict=True)]
    text = orjson.dumps(list(zip(*encoded, strict=True))).decode()
    return Keys(_json(columns), columns, {"keys": text})


def _encoded(of: Column[Any], values: Sequence[Any], dialect: Dialect) -> list[Any]:
    encode = of.type.bind_processor(dialect)
    return [encode(value) for value in values] if encode else list(values)


@cache
def _arrays(columns: tuple[Column[Any], ...]) -> FromClause:
    arrays = (bindparam(f"keys_{c.name}", type_=ARRAY(c.type)) for c in columns)
    return (
        func.unnest(*arrays)
        .table_valued(*(column(c.name, c.type) for c in columns), name="given")
        .render_derived()
    )


@cache
def _json(columns: tuple[Column[Any], ...]) -> FromClause:
    each = func.json_each(bindparam("keys", type_=Text)).table_valued("value", name="each")
    parts: list[ColumnElement[Any]] = [
        type_coerce(func.json_extract(each.c.value, f"$[{i}]"), c.type).label(c.name)
        for i, c in enumerate(columns)
    ]
    return select(*parts).subquery("given")
