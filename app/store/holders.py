"""Who sits where: a row for each holder as long as they hold a seat, kept beside the ledger in the same
transaction. Name and e-mail are the last ones told.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import func, or_, select, tuple_

from app.billing.ledger import Holder, Sitting
from app.billing.plans import Item
from app.billing.reports import Seat
from app.billing.state import Occupied
from app.store import bulk
from app.store.keyed import customers_of
from app.store.tables import seat_holder
from app.store.transaction import Tx

HOLDERS_NAMED: Final = 20
KEY: Final = ("customer_id", "metric", "holder")
VALUES: Final = ("seats", "name", "email", "held_since")


@dataclass(frozen=True, slots=True)
class HeldSeat:
    """A holder of seats of one metric, and since when."""

    metric: str
    holder: Holder
    held_since: datetime


def sittings(tx: Tx, seats: Iterable[Seat]) -> dict[Seat, Sitting]:
    """How people sit now, by metric and reference; those who hold no seat are left out."""
    wanted = set(seats)
    if not wanted:
        return {}
    query = select(seat_holder).where(
        seat_holder.c.customer_id == tx.customer,
        seat_holder.c.metric.in_({metric for metric, _ in wanted}),
        bulk.among(tx.connection, seat_holder.c.holder, {holder for _, holder in wanted}),
    )
    return {
        (row.metric, row.holder): Sitting(Holder(row.holder, row.name, row.email), row.seats, row.held_since)
        for row in tx.connection.execute(query)
    }


def save(tx: Tx, before: Mapping[Seat, Sitting], after: Mapping[Seat, Sitting | None]) -> None:
    """Write who sits where after something, given how they sat before."""
    came: list[tuple[object, ...]] = []
    stay: list[tuple[object, ...]] = []
    left: list[tuple[object, ...]] = []
    for seat, now in after.items():
        key = (tx.customer, *seat)
        if now is None:
            if seat in before:
                left.append(key)
        else:
            row = (*key, now.seats, now.holder.name, now.holder.email, now.since)
            (stay if seat in before else came).append(row)
    bulk.delete_rows(tx.connection, seat_holder, KEY, left)
    bulk.update_rows(tx.connection, seat_holder, KEY, VALUES, stay)
    bulk.insert_rows(tx.connection, seat_holder, (*KEY, *VALUES), came)


def occupied(tx: Tx) -> dict[Item, Occupied]:
    """Who sits where: up to twenty holders of each metric, those who came first, and how many there are."""
    return occupied_of([tx])[tx.customer]


def occupied_of(txs: Sequence[Tx]) -> dict[UUID, dict[Item, Occupied]]:
    """The same of customers, by customer."""
    keys = customers_of(seat_holder, txs)
    of_metric = (seat_holder.c.customer_id, seat_holder.c.metric)
    place = func.row_number().over(
        partition_by=of_metric, order_by=(seat_holder.c.held_since, seat_holder.c.holder)
    )
    count = func.count().over(partition_by=of_metric)
    rows = keys.rows_of(seat_holder, seat_holder, place.label("place"), count.label("holders")).subquery()
    query = select(rows).where(rows.c.place <= HOLDERS_NAMED).order_by(rows.c.metric, rows.c.place)
    found: dict[UUID, dict[Item, Occupied]] = {tx.customer: {} for tx in txs}
    for row in keys.execute(query):
        known = found[row.customer_id].get(row.metric, Occupied())
        people = (*known.holders, Holder(row.holder, row.name, row.email))
        found[row.customer_id][row.metric] = Occupied(people, row.holders)
    return found


def holders_page(
    tx: Tx, *, metric: str | None, search: str | None, limit: int, after: tuple[datetime, str, str] | None
) -> list[HeldSeat]:
    """Holders by since when they hold a seat, those who came first first; `search` looks in reference, name
    and e-mail.
    """
    columns = (seat_holder.c.held_since, seat_holder.c.metric, seat_holder.c.holder)
    query = select(seat_holder).where(seat_holder.c.customer_id == tx.customer)
    if metric is not None:
        query = query.where(seat_holder.c.metric == metric)
    if search:
        fields = (seat_holder.c.holder, seat_holder.c.name, seat_holder.c.email)
        query = query.where(
            or_(*(func.lower(field).contains(search.lower(), autoescape=True) for field in fields))
        )
    if after is not None:
        query = query.where(tuple_(*columns) > after)
    return [
        HeldSeat(row.metric, Holder(row.holder, row.name, row.email), row.held_since)
        for row in tx.connection.execute(query.order_by(*columns).limit(limit))
    ]


def holder_seats(tx: Tx, metric: str, holder: str) -> int:
    """How many seats of a metric a holder occupies."""
    query = select(seat_holder.c.seats).where(
        seat_holder.c.customer_id == tx.customer,
        seat_holder.c.metric == metric,
        seat_holder.c.holder == holder,
    )
    return tx.connection.execute(query).scalar() or 0


def held_since(tx: Tx, holders: Iterable[tuple[str, str]]) -> dict[tuple[str, str], datetime]:
    """Since when people hold a seat now, by (metric, reference)."""
    wanted = tuple(set(holders))
    query = select(seat_holder.c.metric, seat_holder.c.holder, seat_holder.c.held_since).where(
        seat_holder.c.customer_id == tx.customer,
        seat_holder.c.holder.in_({holder for _, holder in wanted}),
    )
    return {(row.metric, row.holder): row.held_since for row in tx.connection.execute(query)}
