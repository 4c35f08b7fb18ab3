"""Thousands of customers with a renewal that is due, in seconds: a few dozen live through the services, and
their rows are copied under ids, numbers and references of their own, as the services would have written them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import orjson
from sqlalchemy import Connection, Table, select, update

from app.services.demo import past
from app.services.demo.crowd import crowd
from app.services.demo.stage import MovedClock
from app.store import ids
from app.store.bulk import insert_rows
from app.store.chain import digest
from app.store.metadata import metadata
from app.store.tables import audit, customer, customer_reference, document, number, number_series
from app.store.transaction import BatchTx, Store

LIVED: Final = 30
AT_ONCE: Final = 500

Row = tuple[Any, ...]


async def due_crowd(store: Store, clock: MovedClock, now: datetime, count: int) -> None:
    """The demo's catalog, and so many customers whose month ended today or in the two days before."""
    await past.offer_catalog(store)
    async for _ in crowd(store, clock, now, min(LIVED, count)):
        pass
    for first in range(LIVED, count, AT_ONCE):
        await store.batch(copy, range(first, min(first + AT_ONCE, count)))


def copy(tx: BatchTx, places: range) -> None:
    """Copy the customers there are, in turn, once for each place."""
    query = select(customer.c.customer_id).order_by(customer.c.reference).limit(LIVED)
    originals = [Original(tx.connection, one) for one in tx.connection.execute(query).scalars().all()]
    last = {row.series: row.last for row in tx.connection.execute(select(number_series))}
    rows: dict[Table, list[Row]] = {}
    for place in places:
        for table, row in originals[place % len(originals)].again(tx.wall, place, last):
            rows.setdefault(table, []).append(row)
    rows[audit] = list(linked(rows[audit]))
    for table in metadata.sorted_tables:
        insert_rows(tx.connection, table, table.columns.keys(), rows.get(table, []))
    for series, value in last.items():
        moved = update(number_series).where(number_series.c.series == series)
        tx.connection.execute(moved.values(last=value))


def linked(rows: list[Row]) -> Iterator[Row]:
    """Audit rows in chains of their own."""
    before: dict[UUID, str] = {}
    names = audit.columns.keys()
    for row in sorted(rows, key=lambda row: row[place(audit, "position")]):
        told = dict(zip(names, row, strict=True))
        told["digest"] = before[told["customer_id"]] = digest(before.get(told["customer_id"], ""), told)
        yield tuple(told.values())


@dataclass(frozen=True, slots=True)
class Part:
    """A row of an original, and at which places of it ids stand, or words about them."""

    table: Table
    values: list[Any]
    ids: list[int]
    words: list[int]
    is_json: frozenset[int]


class Original:
    """All rows of a customer, and where its ids and numbers stand in them."""

    def __init__(self, connection: Connection, owner: UUID) -> None:
        rows = [
            (table, list(row))
            for table in metadata.sorted_tables
            if "customer_id" in table.primary_key
            for row in connection.execute(select(table).where(table.c.customer_id == owner))
        ]
        named = [row[place(table, "id")] for table, row in rows if "id" in table.c]
        self.ids = sorted({owner, *named})
        self.documents = [
            (row[place(table, "id")], row[place(table, "series")], row[place(table, "number")])
            for table, row in rows
            if table is document
        ]
        words = [*map(str, self.ids), *(text for _, _, text in self.documents)]
        self.parts = [self._part(table, row, words) for table, row in rows]

    def _part(self, table: Table, row: list[Any], words: list[str]) -> Part:
        is_json = frozenset(i for i, value in enumerate(row) if isinstance(value, dict | list))
        texts = [orjson.dumps(value).decode() if i in is_json else value for i, value in enumerate(row)]
        own = [i for i, value in enumerate(row) if isinstance(value, UUID) and value in self.ids]
        told = [
            i
            for i, value in enumerate(texts)
            if isinstance(value, str) and any(word in value for word in words)
        ]
        values = [texts[i] if i in told else value for i, value in enumerate(row)]
        return Part(table, values, own, told, is_json & frozenset(told))

    def again(self, wall: datetime, number_of: int, last: dict[str, int]) -> Iterator[tuple[Table, Row]]:
        """The rows under other names. `last` are the last numbers of the series, which it moves on."""
        known = dict(zip(self.ids, (ids.new_id(wall) for _ in self.ids), strict=True))
        words = {str(old): str(new) for old, new in known.items()}
        sequences: dict[UUID, int] = {}
        for old, series, text in self.documents:
            last[series] += 1
            sequences[known[old]] = last[series]
            words[text] = f"{series}-{last[series]:06d}"
            yield number, (series, last[series], known[old])
        for part in self.parts:
            row = part.values.copy()
            for i in part.ids:
                row[i] = known[row[i]]
            for i in part.words:
                for old_word, new_word in words.items():
                    row[i] = row[i].replace(old_word, new_word)
                if i in part.is_json:
                    row[i] = orjson.loads(row[i])
            if part.table is document:
                row[place(document, "sequence")] = sequences[row[place(document, "id")]]
            if part.table is customer:
                reference = f"{row[place(customer, 'reference')]}-{number_of:06}"
                row[place(customer, "reference")] = reference
                yield customer_reference, (reference, row[place(customer, "customer_id")])
            yield part.table, tuple(row)


def place(table: Table, name: str) -> int:
    """At which place of a row a column stands."""
    return table.columns.keys().index(name)
