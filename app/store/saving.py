"""Writes a sheet: numbers first, with one step of the counter for each series, then all rows with one
statement for each table, parents before children, then what changes rows that are there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection, Table, select, update
from sqlalchemy.dialects import postgresql, sqlite

from app.store import chain, checkpoints
from app.store.bulk import Encoder, insert_rows, update_rows
from app.store.keyed import keyed
from app.store.metadata import metadata
from app.store.sheet import News, Number, Numbers, Row, Sheet
from app.store.tables import audit, number, number_series, outbox, scheduled_change, seat_event
from app.store.transaction import Tx

PLACE: Final = {name: place for place, name in enumerate(table.name for table in metadata.sorted_tables)}


def save(connection: Connection, sheet: Sheet) -> Numbers:
    """Write all of a sheet; the numbers that its documents got."""
    numbers = _take_numbers(connection, sheet)
    for finish in sheet.waiting:
        finish(sheet, numbers)
    for news in _sequenced(sheet):
        sheet.add(outbox, news)
    chain.link(connection, sheet.rows.get(audit, ()))
    encoder = Encoder(connection.dialect)
    # A change that waited makes room for the one that takes its place.
    _change(connection, sheet, encoder, lambda table: table is scheduled_change)
    for table in sorted(sheet.rows, key=lambda table: PLACE[table.name]):
        names = _names(table)
        rows = [tuple(map(row.get, names)) for row in sheet.rows[table]]
        insert_rows(connection, table, names, rows, encoder)
    _change(connection, sheet, encoder, lambda table: table is not scheduled_change)
    _raise_levels(connection, sheet)
    checkpoints.keep_rows(connection, sheet.rows.get(seat_event, ()))
    for statement, values in sheet.steps.items():
        connection.execute(statement, values)
    return numbers


def _take_numbers(connection: Connection, sheet: Sheet) -> dict[UUID, Number]:
    """The next numbers of each series, without gaps, in the order in which they were asked for. Series are
    locked in the order of their names, so that two who take several never wait for each other.
    """
    wanted = Counter(series for series, _ in sheet.awaited)
    last = {series: _bump(connection, series, wanted[series]) - wanted[series] for series in sorted(wanted)}
    numbers = {}
    for series, document in sheet.awaited:
        last[series] += 1
        numbers[document] = Number(series, last[series], f"{series}-{last[series]:06d}")
        sheet.add(number, {"series": series, "value": last[series], "document_id": document})
    return numbers


def _bump(connection: Connection, series: str, by: int) -> int:
    """Move a series on; its new last number. The counter row stays locked until the transaction ends."""
    moved = update(number_series).where(number_series.c.series == series)
    bump = moved.values(last=number_series.c.last + by).returning(number_series.c.last)
    last: int | None = connection.execute(bump).scalar()
    if last is None:
        dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
        first = dialect.insert(number_series).values(series=series, last=0)
        connection.execute(first.on_conflict_do_nothing())
        last = connection.execute(bump).scalar_one()
    return last


def _sequenced(sheet: Sheet) -> Iterator[Row]:
    """The rows of the news, each with its place among the news of its object."""
    if not sheet.news:
        return
    made = set(_made(sheet))
    known = {news.object_id: news.tx for news in sheet.news if news.object_id not in made}
    last = _last_sequences(known) if known else {}
    for news in sheet.news:
        last[news.object_id] = last.get(news.object_id, 0) + 1
        yield _outbox_row(news, last[news.object_id])


def _made(sheet: Sheet) -> Iterator[UUID]:
    """The objects that begin with this sheet: nothing was told of them before."""
    return (document for _, document in sheet.awaited)


def _last_sequences(objects: Mapping[UUID, Tx]) -> dict[UUID, int]:
    """The last places taken. The index has that of each object, however much was told of it."""
    keys = keyed(outbox, ("object_id",), ((tx, object_id) for object_id, tx in objects.items()))
    given = keys.given.c
    last = (
        select(outbox.c.sequence)
        .where(outbox.c.customer_id == given.customer_id, outbox.c.object_id == given.object_id)
        .order_by(outbox.c.sequence.desc())
        .limit(1)
        .correlate(keys.given)
    )
    query = select(given.object_id, last.scalar_subquery().label("last"))
    return {row.object_id: row.last or 0 for row in keys.execute(query)}


def _outbox_row(news: News, sequence: int) -> Row:
    return {
        "customer_id": news.tx.customer,
        "id": news.id,
        "type": news.type,
        "object_id": news.object_id,
        "sequence": sequence,
        "payload": news.payload,
        "created_at": news.tx.wall,
    }


def _change(connection: Connection, sheet: Sheet, encoder: Encoder, wanted: Callable[[Table], bool]) -> None:
    for (table, key), changed in sheet.changes.items():
        if not wanted(table):
            continue
        alike: dict[tuple[str, ...], list[tuple[Any, ...]]] = {}
        for of_key, values in changed.items():
            alike.setdefault(tuple(values), []).append((*of_key, *values.values()))
        for names, rows in alike.items():
            update_rows(connection, table, key, names, rows, encoder)


def _raise_levels(connection: Connection, sheet: Sheet) -> None:
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    for (table, key, column), moved in sheet.levels.items():
        first = dialect.insert(table)
        raised = {column: table.c[column] + first.excluded[column]}
        upsert = first.on_conflict_do_update(index_elements=list(key), set_=raised)
        rows = [{**dict(zip(key, place, strict=True)), column: by} for place, by in moved.items()]
        connection.execute(upsert, rows)


@cache
def _names(table: Table) -> tuple[str, ...]:
    return tuple(table.columns.keys())
