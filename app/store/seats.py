"""The seat ledger: events are appended, and the levels and holders beside them are kept in the same
transaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, func, insert, or_, select, tuple_, update
from sqlalchemy.engine import Row

from app.billing.ledger import BalanceKind, Delta, Holder, SeatEvent, SeatLevels
from app.billing.overrides import Override, granted
from app.billing.plans import Item
from app.billing.state import Occupied
from app.store import overrides
from app.store.columns import total
from app.store.tables import seat_event, seat_holder, seat_level
from app.store.transaction import Tx

HOLDERS_NAMED = 20


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Which events a list shows; None does not narrow."""

    metric: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class HeldSeat:
    """A holder of seats of one metric, and since when."""

    metric: str
    holder: Holder
    held_since: datetime


def append(tx: Tx, deltas: Sequence[Delta], *, actor: str) -> tuple[SeatEvent, ...]:
    """Record events in the order given; levels and holders follow."""
    events = tuple(SeatEvent(tx.new_id(), delta, tx.at, actor) for delta in deltas)
    if not events:
        return ()
    tx.connection.execute(insert(seat_event), [_event_values(tx, event) for event in events])
    moved: dict[tuple[str, BalanceKind], int] = {}
    for delta in deltas:
        key = (delta.metric, delta.kind)
        moved[key] = moved.get(key, 0) + delta.net
    for (metric, kind), net in moved.items():
        _move_level(tx, metric, kind, net)
    for together in _by_holder(deltas).values():
        _move_holder(tx, together[-1], net=sum(delta.net for delta in together))
    return events


def levels(tx: Tx, agreed: Sequence[Override] | None = None) -> dict[Item, SeatLevels]:
    """Both balances of every metric, now, with what is granted on top (by `agreed`, if overrides were read
    already).
    """
    query = select(seat_level).where(seat_level.c.customer_id == tx.customer)
    sums = {(row.metric, row.kind): row.balance for row in tx.connection.execute(query)}
    agreed = overrides.recorded(tx, since=tx.at) if agreed is None else agreed
    return _levels(sums, granted(agreed, tx.at))


def levels_at(tx: Tx, as_of: datetime, known_at: datetime | None = None) -> dict[Item, SeatLevels]:
    """Both balances of every metric as of an instant, as known at another."""
    net = total(seat_event.c.added - seat_event.c.removed)
    query = (
        select(seat_event.c.metric, seat_event.c.kind, net.label("balance"))
        .where(seat_event.c.customer_id == tx.customer, seat_event.c.effective_at <= as_of)
        .group_by(seat_event.c.metric, seat_event.c.kind)
    )
    if known_at is not None:
        query = query.where(seat_event.c.recorded_at <= known_at)
    sums = {(row.metric, row.kind): row.balance for row in tx.connection.execute(query)}
    return _levels(sums, granted(overrides.recorded(tx, since=as_of, known_at=known_at), as_of))


def occupied(tx: Tx) -> dict[Item, Occupied]:
    """Who sits where: up to twenty holders of each metric, those who came first, and how many there are."""
    place = func.row_number().over(
        partition_by=seat_holder.c.metric, order_by=(seat_holder.c.held_since, seat_holder.c.holder)
    )
    count = func.count().over(partition_by=seat_holder.c.metric)
    ranked = select(seat_holder, place.label("place"), count.label("holders")).where(
        seat_holder.c.customer_id == tx.customer
    )
    rows = ranked.subquery()
    query = select(rows).where(rows.c.place <= HOLDERS_NAMED).order_by(rows.c.metric, rows.c.place)
    found: dict[Item, Occupied] = {}
    for row in tx.connection.execute(query):
        known = found.get(row.metric, Occupied())
        found[row.metric] = Occupied((*known.holders, Holder(row.holder, row.name, row.email)), row.holders)
    return found


def events_page(
    tx: Tx, narrow: EventFilter, *, limit: int, before: tuple[datetime, UUID] | None = None
) -> list[SeatEvent]:
    """Events, newest first, from before a key."""
    query = _narrowed(select(seat_event).where(seat_event.c.customer_id == tx.customer), narrow)
    if before is not None:
        query = query.where(_before(before))
    newest_first = query.order_by(seat_event.c.effective_at.desc(), seat_event.c.id.desc()).limit(limit)
    return [event_of(row) for row in tx.connection.execute(newest_first)]


def events_by_id(tx: Tx, ids: Iterable[UUID]) -> dict[UUID, SeatEvent]:
    """Events by id; those that are not there are left out."""
    query = select(seat_event).where(seat_event.c.customer_id == tx.customer, seat_event.c.id.in_(tuple(ids)))
    return {row.id: event_of(row) for row in tx.connection.execute(query)}


def corrected_by(tx: Tx, ids: Iterable[UUID]) -> dict[UUID, UUID]:
    """The right values in place of each corrected event: the last event that names it."""
    query = (
        select(seat_event.c.corrects, seat_event.c.id)
        .where(seat_event.c.customer_id == tx.customer, seat_event.c.corrects.in_(tuple(ids)))
        .order_by(seat_event.c.id)
    )
    return {row.corrects: row.id for row in tx.connection.execute(query)}


def balances_after(tx: Tx, events: Iterable[SeatEvent]) -> dict[UUID, int]:
    """The balance right after each event, in one statement for all of them."""
    asked = tuple(event.id for event in events)
    this, past = seat_event.alias("this"), seat_event.alias("past")
    until = and_(
        past.c.customer_id == this.c.customer_id,
        past.c.metric == this.c.metric,
        past.c.kind == this.c.kind,
        tuple_(past.c.effective_at, past.c.id) <= tuple_(this.c.effective_at, this.c.id),
    )
    net = total(past.c.added - past.c.removed)
    query = (
        select(this.c.id, net.label("balance"))
        .select_from(this.join(past, until))
        .where(this.c.customer_id == tx.customer, this.c.id.in_(asked))
        .group_by(this.c.id)
    )
    return {row.id: row.balance for row in tx.connection.execute(query)}


def metric_events(tx: Tx, metric: str, *, start: datetime, until: datetime) -> list[SeatEvent]:
    """All events of a metric from an instant until before another, oldest first."""
    query = (
        select(seat_event)
        .where(
            seat_event.c.customer_id == tx.customer,
            seat_event.c.metric == metric,
            seat_event.c.effective_at >= start,
            seat_event.c.effective_at < until,
        )
        .order_by(seat_event.c.effective_at, seat_event.c.id)
    )
    return [event_of(row) for row in tx.connection.execute(query)]


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


def event_of(row: Row[Any]) -> SeatEvent:
    """A row of `seat_event` as a value."""
    holder = Holder(row.holder, row.holder_name, row.holder_email) if row.holder is not None else None
    delta = Delta(
        metric=row.metric,
        kind=row.kind,
        added=row.added,
        removed=row.removed,
        effective_at=row.effective_at,
        source=row.source,
        holder=holder,
        note=row.note,
        corrects=row.corrects,
        stated=row.stated,
    )
    return SeatEvent(row.id, delta, row.recorded_at, row.actor)


def _narrowed(query: Select[Any], narrow: EventFilter) -> Select[Any]:
    if narrow.metric is not None:
        query = query.where(seat_event.c.metric == narrow.metric)
    if narrow.since is not None:
        query = query.where(seat_event.c.effective_at >= narrow.since)
    if narrow.until is not None:
        query = query.where(seat_event.c.effective_at < narrow.until)
    return query


def _before(key: tuple[datetime, UUID]) -> ColumnElement[bool]:
    return tuple_(seat_event.c.effective_at, seat_event.c.id) < key


def _levels(
    sums: Mapping[tuple[str, BalanceKind], int], granted_seats: Mapping[Item, int]
) -> dict[Item, SeatLevels]:
    metrics = sorted({metric for metric, _ in sums} | set(granted_seats))
    return {
        Item(metric): SeatLevels(
            sums.get((metric, BalanceKind.COMMITTED), 0),
            sums.get((metric, BalanceKind.IN_USE), 0),
            granted_seats.get(Item(metric), 0),
        )
        for metric in metrics
    }


def _event_values(tx: Tx, event: SeatEvent) -> dict[str, Any]:
    delta, holder = event.delta, event.delta.holder
    return {
        "customer_id": tx.customer,
        "id": event.id,
        "metric": delta.metric,
        "kind": delta.kind,
        "added": delta.added,
        "removed": delta.removed,
        "effective_at": delta.effective_at,
        "recorded_at": event.recorded_at,
        "source": delta.source,
        "actor": event.actor,
        "holder": holder.reference if holder else None,
        "holder_name": holder.name if holder else None,
        "holder_email": holder.email if holder else None,
        "note": delta.note,
        "corrects": delta.corrects,
        "stated": delta.stated,
    }


def _move_level(tx: Tx, metric: str, kind: BalanceKind, net: int) -> None:
    key = {"customer_id": tx.customer, "metric": metric, "kind": kind}
    where = [seat_level.c[name] == value for name, value in key.items()]
    moved = tx.connection.execute(update(seat_level).where(*where).values(balance=seat_level.c.balance + net))
    if moved.rowcount == 0:
        tx.connection.execute(insert(seat_level).values(**key, balance=net))


def _by_holder(deltas: Sequence[Delta]) -> dict[tuple[str, str], list[Delta]]:
    """What moves the seats of each named holder. It counts together: the reversal that a correction begins
    with may take back more than is held just then.
    """
    found: dict[tuple[str, str], list[Delta]] = {}
    for delta in deltas:
        if delta.holder is not None and delta.kind is BalanceKind.IN_USE:
            found.setdefault((delta.metric, delta.holder.reference), []).append(delta)
    return found


def _move_holder(tx: Tx, delta: Delta, *, net: int) -> None:
    """A holder's row lives as long as they hold a seat; name and e-mail are the last ones told."""
    holder = delta.holder
    assert holder is not None, "the caller chose those with a holder"
    key = {"customer_id": tx.customer, "metric": delta.metric, "holder": holder.reference}
    where = [seat_holder.c[name] == value for name, value in key.items()]
    seats = tx.connection.execute(select(seat_holder.c.seats).where(*where)).scalar()
    names = {"name": holder.name, "email": holder.email}
    if seats is None and net > 0:
        tx.connection.execute(
            insert(seat_holder).values(**key, **names, seats=net, held_since=delta.effective_at)
        )
    elif seats is not None and seats + net > 0:
        known = {name: value for name, value in names.items() if value is not None}
        tx.connection.execute(update(seat_holder).where(*where).values(seats=seats + net, **known))
    elif seats is not None:
        tx.connection.execute(seat_holder.delete().where(*where))
