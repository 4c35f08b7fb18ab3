"""The seat ledger: events are appended, and the levels and holders beside them are kept in the same
transaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import SimpleNamespace
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, exists, func, insert, literal, or_, select, tuple_, update
from sqlalchemy.engine import Row

from app.billing.ledger import BalanceKind, Delta, Holder, SeatEvent, SeatLevels, Sitting, moved
from app.billing.overrides import Override, granted
from app.billing.plans import Item
from app.billing.reports import Seat, Timeline, timeline
from app.store import bulk, checkpoints, holders, overrides
from app.store.checkpoints import LAST_ID, Move, with_balances
from app.store.columns import Id, Instant, total
from app.store.keyed import customers_of, keyed
from app.store.sheet import Sheet
from app.store.tables import seat_event, seat_level, segment
from app.store.transaction import Tx

EVENT_COLUMNS: Final = (
    "customer_id", "id", "metric", "kind", "added", "removed", "effective_at", "recorded_at", "source",
    "actor", "holder", "holder_name", "holder_email", "note", "corrects", "stated",
)  # fmt: skip
NOBODY: Final = SimpleNamespace(reference=None, name=None, email=None)


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Which events a list shows; None does not narrow."""

    metric: str | None = None
    since: datetime | None = None
    until: datetime | None = None


def append(tx: Tx, deltas: Sequence[Delta], *, actor: str) -> tuple[SeatEvent, ...]:
    """Record events in the order given; levels and holders follow. What moves one holder counts together."""
    events = tuple(SeatEvent(tx.new_id(), delta, tx.at, actor) for delta in deltas)
    of_holders: dict[Seat, list[Delta]] = {}
    for delta in deltas:
        if delta.holder is not None and delta.kind is BalanceKind.IN_USE:
            of_holders.setdefault((delta.metric, delta.holder.reference), []).append(delta)
    before = holders.sittings(tx, of_holders)
    after = {seat: moved(before.get(seat), together) for seat, together in of_holders.items()}
    write(tx, events, before, after)
    return events


def write(
    tx: Tx,
    events: Sequence[SeatEvent],
    before: Mapping[Seat, Sitting],
    after: Mapping[Seat, Sitting | None],
) -> None:
    """Write events, the levels that they move, and who sits where after them."""
    bulk.insert_rows(tx.connection, seat_event, EVENT_COLUMNS, [_event_row(tx, event) for event in events])
    moves: dict[tuple[str, BalanceKind], list[Move]] = {}
    for event in events:
        delta = event.delta
        of_one = moves.setdefault((delta.metric, delta.kind), [])
        of_one.append(((delta.effective_at, event.id), delta.added - delta.removed))
    for (metric, kind), of_one in moves.items():
        _move_level(tx, metric, kind, sum(net for _, net in of_one))
    holders.save(tx, before, after)
    checkpoints.keep(tx.connection, {(tx.customer, *key): of_one for key, of_one in moves.items()})


def collect(sheet: Sheet, tx: Tx, deltas: Sequence[Delta], *, actor: str) -> tuple[SeatEvent, ...]:
    """As `append`, of committed seats, with the other rows of a sheet."""
    events = tuple(SeatEvent(tx.new_id(), delta, tx.at, actor) for delta in deltas)
    for event in events:
        delta = event.delta
        assert delta.kind is BalanceKind.COMMITTED, "nobody sits in a committed seat"
        key = {"customer_id": tx.customer, "metric": delta.metric, "kind": delta.kind}
        sheet.add(seat_event, dict(zip(EVENT_COLUMNS, _event_row(tx, event), strict=True)))
        sheet.add_to(seat_level, key, "balance", delta.net)
    return events


def levels(tx: Tx, agreed: Sequence[Override] | None = None) -> dict[Item, SeatLevels]:
    """Both balances of every metric, now, with what is granted on top (by `agreed`, if overrides were read
    already).
    """
    agreed = overrides.recorded(tx, since=tx.at) if agreed is None else agreed
    return levels_of([(tx, agreed)])[tx.customer]


def levels_of(wanted: Sequence[tuple[Tx, Sequence[Override]]]) -> dict[UUID, dict[Item, SeatLevels]]:
    """The same of customers, by customer, each with what was agreed."""
    keys = customers_of(seat_level, (tx for tx, _ in wanted))
    sums: dict[UUID, dict[tuple[str, BalanceKind], int]] = {tx.customer: {} for tx, _ in wanted}
    for row in keys.execute(keys.rows_of(seat_level)):
        sums[row.customer_id][row.metric, row.kind] = row.balance
    return {tx.customer: _levels(sums[tx.customer], granted(agreed, tx.at)) for tx, agreed in wanted}


def levels_at(tx: Tx, as_of: datetime, known_at: datetime | None = None) -> dict[Item, SeatLevels]:
    """Both balances of every metric as of an instant, as known at another."""
    known_at = known_at if known_at is not None and known_at < tx.at else None
    at = min(as_of, known_at) if known_at else as_of
    instant = literal(at, Instant())
    begun = exists().where(
        seat_event.c.customer_id == tx.customer,
        seat_event.c.metric == seat_level.c.metric,
        seat_event.c.kind == seat_level.c.kind,
        seat_event.c.effective_at <= instant,
    )
    place = (instant.label("at"), literal(LAST_ID, Id()).label("id"))
    asked = select(seat_level.c.metric, seat_level.c.kind, *place)
    query = with_balances(tx.customer, asked.where(seat_level.c.customer_id == tx.customer, begun))
    sums = {(row.metric, row.kind): row.balance for row in tx.connection.execute(query)}
    if known_at:
        for key, net in checkpoints.recorded_since(tx, at, known_at).items():
            sums[key] -= net
    return _levels(sums, granted(overrides.recorded(tx, since=as_of, known_at=known_at), as_of))


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
    rows = [(tx, event.delta.metric, event.delta.kind, *event.order) for event in events]
    if not rows:
        return {}
    keys = keyed(seat_event, ("metric", "kind", "effective_at", "id"), rows)
    given = keys.given.c
    places = select(given.metric, given.kind, given.effective_at.label("at"), given.id)
    found = keys.execute(with_balances(tx.customer, places))
    return {row.id: row.balance for row in found}


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


def timelines(tx: Tx, since: Mapping[str, datetime]) -> dict[str, Timeline]:
    """The seats in use of metrics, each from an instant on, with the totals that stand."""
    if not since:
        return {}
    in_use = (seat_event.c.customer_id == tx.customer, seat_event.c.kind == BalanceKind.IN_USE)
    reach = or_(
        *(
            and_(seat_event.c.metric == metric, seat_event.c.effective_at >= at)
            for metric, at in since.items()
        )
    )
    net = total(seat_event.c.added - seat_event.c.removed).label("net")
    moves = (
        select(
            seat_event.c.metric,
            seat_event.c.effective_at,
            net,
            func.count(seat_event.c.stated).label("stated"),
        )
        .where(*in_use, reach)
        .group_by(seat_event.c.metric, seat_event.c.effective_at)
        .order_by(seat_event.c.effective_at)
    )
    of_metric: dict[str, list[tuple[datetime, int]]] = {metric: [] for metric in since}
    any_stated = False
    for metric, at, moved_by, stated in tx.connection.execute(moves):
        of_metric[metric].append((at, moved_by))
        any_stated = any_stated or stated > 0
    now = {metric: level.in_use for metric, level in levels(tx, ()).items()}
    found = {metric: timeline(now.get(Item(metric), 0), moves) for metric, moves in of_metric.items()}
    if any_stated:
        _state(tx, found, and_(*in_use, reach))
    return found


def _state(tx: Tx, found: Mapping[str, Timeline], within: ColumnElement[bool]) -> None:
    """Tell timelines the totals that were stated within some reach and not corrected."""
    correction = seat_event.alias("correction")
    corrected = exists().where(
        correction.c.customer_id == seat_event.c.customer_id, correction.c.corrects == seat_event.c.id
    )
    stated = select(seat_event).where(within, seat_event.c.stated.is_not(None), ~corrected)
    for row in tx.connection.execute(stated):
        found[row.metric].state(event_of(row))


def billed_until(tx: Tx, metrics: Iterable[str]) -> dict[str, datetime]:
    """Until when the use of metrics was billed; those of which none was are left out."""
    last = func.max(segment.c.period_end).label("last")
    query = (
        select(segment.c.metric, last)
        .where(segment.c.customer_id == tx.customer, segment.c.metric.in_(tuple(metrics)))
        .group_by(segment.c.metric)
    )
    return {row.metric: row.last for row in tx.connection.execute(query)}


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


def _event_row(tx: Tx, event: SeatEvent) -> tuple[Any, ...]:
    """A value as a row of `seat_event`."""
    delta = event.delta
    holder = delta.holder or NOBODY
    return (
        tx.customer, event.id, delta.metric, delta.kind, delta.added, delta.removed, delta.effective_at,
        event.recorded_at, delta.source, event.actor, holder.reference, holder.name, holder.email, delta.note,
        delta.corrects, delta.stated,
    )  # fmt: skip


def _move_level(tx: Tx, metric: str, kind: BalanceKind, net: int) -> None:
    key = {"customer_id": tx.customer, "metric": metric, "kind": kind}
    where = [seat_level.c[name] == value for name, value in key.items()]
    moved = tx.connection.execute(update(seat_level).where(*where).values(balance=seat_level.c.balance + net))
    if moved.rowcount == 0:
        tx.connection.execute(insert(seat_level).values(**key, balance=net))
