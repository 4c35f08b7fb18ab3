"""Thousands of customers with a renewal that is due, in seconds: a few dozen live through the services, and
their rows are copied under ids, numbers and references of their own, as the services would have written them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import orjson
from sqlalchemy import Connection, Table, func, select, update

from app.services.demo import past
from app.services.demo.crowd import crowd
from app.services.demo.stage import MovedClock
from app.store import ids
from app.store.bulk import insert_rows
from app.store.metadata import metadata
from app.store.tables import customer, document, number, number_series
from app.store.transaction import BatchTx, Store

LIVED: Final = 30
AT_ONCE: Final = 500

Row = dict[str, Any]


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
    rows: dict[Table, list[Row]] = {}
    last = dict(tx.connection.execute(select(number_series.c.series, number_series.c.last)).tuples().all())
    for place in places:
        for table, row in originals[place % len(originals)].again(tx.wall, place, last):
            rows.setdefault(table, []).append(row)
    for table in (*metadata.sorted_tables, number):
        if found := rows.pop(table, None):
            names = list(found[0])
            insert_rows(tx.connection, table, names, [tuple(row.values()) for row in found])
    for series, value in last.items():
        moved = update(number_series).where(number_series.c.series == series)
        tx.connection.execute(moved.values(last=value))


class Original:
    """All rows of a customer, and where its ids and numbers stand in them."""

    def __init__(self, connection: Connection, owner: UUID) -> None:
        self.rows = [
            (table, dict(row))
            for table in metadata.sorted_tables
            if "customer_id" in table.c
            for row in connection.execute(select(table).where(table.c.customer_id == owner)).mappings()
        ]
        self.ids = sorted({owner, *(row["id"] for _, row in self.rows if "id" in row)})
        self.documents = {row["id"]: row for table, row in self.rows if table is document}

    def again(self, wall: datetime, place: int, last: dict[str, int]) -> Iterator[tuple[Table, Row]]:
        """The rows under other names. `last` are the last numbers of the series, which it moves on."""
        known: dict[Any, Any] = dict(zip(self.ids, (ids.new_id(wall) for _ in self.ids), strict=True))
        words = {str(old): str(new) for old, new in known.items()}
        for old, row in self.documents.items():
            series = row["series"]
            last[series] += 1
            words[row["number"]] = f"{series}-{last[series]:06d}"
            yield number, {"series": series, "value": last[series], "document_id": known[old]}
            known[old, "sequence"] = last[series]
        for table, row in self.rows:
            changed = {name: self._value(value, known, words) for name, value in row.items()}
            if table is document:
                changed["sequence"] = known[row["id"], "sequence"]
            if table is customer:
                changed["reference"] = f"{row['reference']}-{place:06}"
            yield table, changed

    def _value(self, value: Any, known: dict[Any, Any], words: dict[str, str]) -> Any:
        if isinstance(value, UUID):
            return known.get(value, value)
        if isinstance(value, str):
            return replaced(value, words)
        if isinstance(value, dict | list):
            return orjson.loads(replaced(orjson.dumps(value).decode(), words))
        return value


def replaced(text: str, words: dict[str, str]) -> str:
    """A text with other words in place of some."""
    if "-" in text:
        for old, new in words.items():
            text = text.replace(old, new)
    return text


async def count_of(store: Store, tables: Sequence[Table]) -> list[int]:
    """How many rows tables have."""

    def counted(tx: BatchTx) -> list[int]:
        return [tx.connection.execute(select(func.count()).select_from(t)).scalar_one() for t in tables]

    return await store.look(counted)
