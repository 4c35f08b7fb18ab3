"""Balances of the seat ledger at any instant, at a cost that does not grow with the ledger.

The events of each metric and kind are cut into stretches by their number. A checkpoint stands at the first
event of each: its key, the balance before it, and how many events its stretch has. An event that is told late
joins the stretch that it falls into, and every later opening moves with it, in the same transaction; a
stretch that has grown too long is cut. So a balance is one opening and a sum over one stretch.

What was known at an earlier instant is that, less what was recorded since of what had taken effect. Most
events are told within minutes, so of those only some minutes are looked through; events told late, and very
late, are found by indexes of their own.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection, Select, and_, func, literal, or_, select, text, tuple_, union_all

from app.billing.ledger import BalanceKind
from app.store import bulk
from app.store.columns import Count, Id, Instant, total
from app.store.keyed import keyed_by
from app.store.tables import seat_checkpoint, seat_event
from app.store.tables.seats import LATE, VERY_LATE, told_late
from app.store.transaction import Tx

STRETCH: Final = 256
"""Events of a stretch when it is cut; it is cut again when it has twice as many."""

BEGINNING: Final = (datetime(1, 1, 2, tzinfo=UTC), UUID(int=0))
"""Before all events. A day earlier would be minus infinity to the driver of PostgreSQL."""

LAST_ID: Final = UUID(int=2**128 - 1)
KEY: Final = ("customer_id", "metric", "kind", "from_at", "from_id")
VALUES: Final = ("opening", "events")

Balance = tuple[UUID, str, BalanceKind]
"""Whose balance of which metric and kind."""

Place = tuple[datetime, UUID]
"""Where an event stands among those of its balance."""

NET: Final = seat_event.c.added - seat_event.c.removed


Move = tuple[Place, int]
"""What an event does to its balance, and where it stands."""


@dataclass(slots=True)
class _Stretch:
    """A checkpoint while it changes."""

    start: Place
    opening: int = 0
    events: int = 0
    stored: bool = True
    changed: bool = False


def keep_rows(connection: Connection, rows: Iterable[Mapping[str, Any]]) -> None:
    """Bring the checkpoints up to rows of `seat_event` that were written just now."""
    moves: dict[Balance, list[Move]] = {}
    for row in rows:
        of, place = (row["customer_id"], row["metric"], row["kind"]), (row["effective_at"], row["id"])
        moves.setdefault(of, []).append((place, row["added"] - row["removed"]))
    keep(connection, moves)


def keep(connection: Connection, moves: Mapping[Balance, list[Move]]) -> None:
    """Bring the checkpoints of balances up to events that were written just now."""
    if not moves:
        return
    for of_one in moves.values():
        of_one.sort()
    stretches = _reached(connection, {of: together[0][0] for of, together in moves.items()})
    for of, together in moves.items():
        known = stretches.setdefault(of, [])
        if not known:
            known.append(_Stretch(BEGINNING, stored=False))
        _join(known, together)
        for stretch, following in pairwise((*known, None)):
            assert stretch is not None, "only the last follows nothing"
            if stretch.events > 2 * STRETCH:
                known += _cut(connection, of, stretch, following.start if following else None)
    _save(connection, stretches)


def rebuild(tx: Tx) -> None:
    """Make the customer's checkpoints anew from the events alone, for a ledger that was copied in."""
    tx.connection.execute(seat_checkpoint.delete().where(seat_checkpoint.c.customer_id == tx.customer))
    of = (seat_event.c.metric, seat_event.c.kind)
    query = select(*of, func.count()).where(seat_event.c.customer_id == tx.customer).group_by(*of)
    stretches: dict[Balance, list[_Stretch]] = {}
    for metric, kind, count in tx.connection.execute(query).all():
        balance = (tx.customer, metric, kind)
        whole = _Stretch(BEGINNING, events=count, stored=False)
        cut = _cut(tx.connection, balance, whole, None) if count > 2 * STRETCH else ()
        stretches[balance] = [whole, *cut]
    _save(tx.connection, stretches)


def with_balances(customer: UUID, asked: Select[Any]) -> Select[Any]:
    """The rows of a query that names `metric`, `kind` and a place by `at` and `id` (`LAST_ID`: all up to that
    instant), each with the `balance` right after its place.
    """
    places, checkpoint = asked.cte("places").prefix_with("MATERIALIZED"), seat_checkpoint.alias()
    last = (
        select()
        .where(
            checkpoint.c.customer_id == customer,
            checkpoint.c.metric == places.c.metric,
            checkpoint.c.kind == places.c.kind,
            tuple_(checkpoint.c.from_at, checkpoint.c.from_id) <= tuple_(places.c.at, places.c.id),
        )
        .order_by(checkpoint.c.from_at.desc(), checkpoint.c.from_id.desc())
        .limit(1)
        .correlate(places)
    )
    # Found once for each place, and not once for each event that is added up.
    begun = select(
        places,
        *(
            last.add_columns(checkpoint.c[name]).scalar_subquery().label(name)
            for name in ("from_at", "from_id", "opening")
        ),
    )
    found, event = begun.cte("found").prefix_with("MATERIALIZED"), seat_event.alias()
    since = (
        select(total(event.c.added - event.c.removed))
        .where(
            event.c.customer_id == customer,
            event.c.metric == found.c.metric,
            event.c.kind == found.c.kind,
            event.c.effective_at >= found.c.from_at,
            event.c.effective_at <= found.c.at,
            or_(event.c.effective_at > found.c.from_at, event.c.id >= found.c.from_id),
            or_(event.c.effective_at < found.c.at, event.c.id <= found.c.id),
        )
        .correlate(found)
        .scalar_subquery()
    )
    return select(found, (func.coalesce(found.c.opening, 0, type_=Count()) + since).label("balance"))


def recorded_since(tx: Tx, as_of: datetime, known_at: datetime) -> dict[tuple[str, BalanceKind], int]:
    """What events effective until an instant came to that were recorded after another, by metric and kind.

    Nothing is recorded before it is effective, so `as_of` is not after `known_at`.
    """
    assert as_of <= known_at, "what was known then was effective then"
    late, very_late = (told_late(by, tx.connection.dialect.name) for by in (LATE, VERY_LATE))
    recorded_at = seat_event.c.recorded_at
    pieces = (
        and_(recorded_at <= known_at + LATE, text(f"NOT ({late})")),
        and_(recorded_at <= known_at + VERY_LATE, text(f"{late} AND NOT ({very_late})")),
        text(very_late),
    )
    within = (
        seat_event.c.customer_id == tx.customer,
        recorded_at > known_at,
        seat_event.c.effective_at <= as_of,
    )
    of = (seat_event.c.metric, seat_event.c.kind)
    query = union_all(
        *(select(*of, total(NET).label("net")).where(*within, piece).group_by(*of) for piece in pieces)
    )
    found: dict[tuple[str, BalanceKind], int] = {}
    for metric, kind, net in tx.connection.execute(query):
        found[metric, kind] = found.get((metric, kind), 0) + net
    return found


def _reached(connection: Connection, first: Mapping[Balance, Place]) -> dict[Balance, list[_Stretch]]:
    """The stretches of balances that their first moves fall into, and all later ones."""
    columns = tuple(seat_event.c[name] for name in ("customer_id", "metric", "kind", "effective_at", "id"))
    keys = keyed_by(connection, columns, [(*of, *place) for of, place in first.items()])
    given, before = keys.given, seat_checkpoint.alias("before")
    start = (
        select(before.c.from_at)
        .where(
            before.c.customer_id == given.c.customer_id,
            before.c.metric == given.c.metric,
            before.c.kind == given.c.kind,
            tuple_(before.c.from_at, before.c.from_id) <= tuple_(given.c.effective_at, given.c.id),
        )
        .order_by(before.c.from_at.desc(), before.c.from_id.desc())
        .limit(1)
        .correlate(given)
        .scalar_subquery()
    )
    same = ("metric", "kind")
    query = keys.rows_of(seat_checkpoint, by=same).where(seat_checkpoint.c.from_at >= start)
    found: dict[Balance, list[_Stretch]] = {}
    for row in keys.execute(query.order_by(*(seat_checkpoint.c[name] for name in KEY))):
        of = (row.customer_id, row.metric, row.kind)
        found.setdefault(of, []).append(_Stretch((row.from_at, row.from_id), row.opening, row.events))
    return found


def _join(stretches: Sequence[_Stretch], moves: Sequence[Move]) -> None:
    """Count moves in the stretches that they fall into, and carry them to the openings of later ones."""
    last = stretches[-1]
    if moves[0][0] >= last.start:
        last.events += len(moves)
        last.changed = True
        return
    starts = [stretch.start for stretch in stretches]
    nets = [0] * len(stretches)
    for place, net in moves:
        number = bisect_right(starts, place) - 1
        stretches[number].events += 1
        stretches[number].changed = True
        nets[number] += net
    carried = 0
    for stretch, net in zip(stretches, nets, strict=True):
        stretch.opening += carried
        stretch.changed = stretch.changed or carried != 0
        carried += net


def _cut(connection: Connection, of: Balance, stretch: _Stretch, end: Place | None) -> Iterator[_Stretch]:
    """The new stretches behind one that has grown too long; only the last is longer than `STRETCH`."""
    order = (seat_event.c.effective_at, seat_event.c.id)
    customer, metric, kind = of
    within = [
        seat_event.c.customer_id == customer,
        seat_event.c.metric == metric,
        seat_event.c.kind == kind,
        tuple_(*order) >= tuple_(literal(stretch.start[0], Instant()), literal(stretch.start[1], Id())),
    ]
    if end is not None:
        within.append(tuple_(*order) < tuple_(literal(end[0], Instant()), literal(end[1], Id())))
    numbered = (
        select(
            *order,
            func.row_number().over(order_by=order).label("number"),
            (func.sum(NET).over(order_by=order) - NET).label("before"),
        )
        .where(*within)
        .subquery()
    )
    pieces = stretch.events // STRETCH
    last = STRETCH + stretch.events % STRETCH
    stretch.events = STRETCH
    begins = (numbered.c.number % STRETCH == 1, numbered.c.number > 1)
    query = select(numbered).where(*begins).order_by(numbered.c.number).limit(pieces - 1)
    for n, row in enumerate(connection.execute(query), start=2):
        place, opening = (row.effective_at, row.id), stretch.opening + int(row.before)
        yield _Stretch(place, opening, last if n == pieces else STRETCH, stored=False)


def _save(connection: Connection, stretches: dict[Balance, list[_Stretch]]) -> None:
    new: list[tuple[Any, ...]] = []
    changed: list[tuple[Any, ...]] = []
    for of, known in stretches.items():
        for stretch in known:
            row = (*of, *stretch.start, stretch.opening, stretch.events)
            if not stretch.stored:
                new.append(row)
            elif stretch.changed:
                changed.append(row)
    bulk.update_rows(connection, seat_checkpoint, KEY, VALUES, changed)
    bulk.insert_rows(connection, seat_checkpoint, (*KEY, *VALUES), new)
