"""Keys of rows, of one customer or of many, as something to join with: one statement for one and for a
thousand, since the keys are a single parameter (SQLite, JSON) or one for each column (PostgreSQL, arrays).

Whose rows they are the transactions say that they come with: nobody names a customer here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
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
    Table,
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

from app.store.columns import Id
from app.store.scope import refuse_others
from app.store.transaction import Tx


@dataclass(frozen=True, slots=True)
class Keys:
    """Keys as rows: `given` has a column for the customer and one for each part of the key."""

    given: FromClause
    connection: Connection
    values: dict[str, Any]

    def rows_of(self, table: Any, *columns: Any, by: Sequence[str] = ()) -> Select[Any]:
        """A query of the rows of a table that have these keys, of the customer and the columns `by`; all
        their columns, if none are named.
        """
        same = (table.c[name] == self.given.c[name] for name in ("customer_id", *by))
        return select(*(columns or (table,))).select_from(self.given.join(table, and_(*same)))

    def execute(self, query: Any) -> CursorResult[Any]:
        """What a query finds that was made from these keys."""
        return self.connection.execute(query, self.values)


def keyed(table: Table, names: Sequence[str], rows: Iterable[tuple[Any, ...]]) -> Keys:
    """Keys of rows of a table: for each the transaction of its customer, and values of the named columns."""
    columns = tuple(table.c[name] for name in ("customer_id", *names))
    txs, *lists = zip(*rows, strict=True)
    owners = tuple(tx.customer for tx in txs)
    return keyed_by(_connection(txs), columns, zip(owners, *lists, strict=True))


def keyed_by(
    connection: Connection, columns: tuple[Column[Any], ...], rows: Iterable[tuple[Any, ...]]
) -> Keys:
    """The same by values of all columns, that of the customer first: for what the store keeps by itself.

    :raises NotItsCustomer: for keys of another customer than the transaction's
    """
    lists = list(zip(*rows, strict=True)) or [()] * len(columns)
    refuse_others(connection, lists[0])
    if connection.dialect.name != "sqlite":
        values = {f"keys_{c.name}": list(given) for c, given in zip(columns, lists, strict=True)}
        return Keys(_arrays(columns), connection, values)
    encoded = [_encoded(c, given, connection.dialect) for c, given in zip(columns, lists, strict=True)]
    text = orjson.dumps(list(zip(*encoded, strict=True))).decode()
    return Keys(_json(columns), connection, {"keys": text})


def customers_of(table: Table, txs: Iterable[Tx]) -> Keys:
    """The customers of transactions, whose rows in a table are wanted."""
    return keyed(table, (), ((tx,) for tx in txs))


def _connection(txs: Sequence[Tx]) -> Connection:
    connection = txs[0].connection
    assert all(tx.connection is connection for tx in txs), "one transaction, of one customer or of many"
    return connection


def _encoded(of: Column[Any], values: Sequence[Any], dialect: Dialect) -> Sequence[Any]:
    encode = _encoder(of, dialect)
    return [encode(value) for value in values] if encode else values


@cache
def _encoder(of: Column[Any], dialect: Dialect) -> Callable[[Any], Any] | None:
    """How a column's values are written in JSON; ids the writer of JSON knows by itself."""
    if isinstance(of.type, Id):
        return None
    encode: Callable[[Any], Any] | None = of.type.dialect_impl(dialect).bind_processor(dialect)
    return encode


@cache
def _arrays(columns: tuple[Column[Any], ...]) -> FromClause:
    arrays = (bindparam(f"keys_{c.name}", type_=ARRAY(c.type)) for c in columns)
    rows = func.unnest(*arrays).table_valued(*(column(c.name, c.type) for c in columns), name="given")
    return rows.render_derived()


@cache
def _json(columns: tuple[Column[Any], ...]) -> FromClause:
    each = func.json_each(bindparam("keys", type_=Text)).table_valued("value", name="each")
    parts: list[ColumnElement[Any]] = [
        type_coerce(func.json_extract(each.c.value, f"$[{i}]"), c.type).label(c.name)
        for i, c in enumerate(columns)
    ]
    return select(*parts).subquery("given")
