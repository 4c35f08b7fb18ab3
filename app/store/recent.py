"""The ledger of seats in use, and of committed seats where a limit hangs on them, since an instant: usually
since the present period began. What was before is a level, read off the level of today.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func

from app.billing.ledger import BalanceKind, Delta, SeatLevels
from app.billing.plans import Item
from app.billing.usage import Held, Usage
from app.store.columns import total
from app.store.keyed import keyed
from app.store.seats import event_of
from app.store.tables import seat_event, seat_holder
from app.store.transaction import Tx

Place = tuple[UUID, str]
"""A metric of a customer."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The metrics of a customer whose ledger is wanted since an instant, and the levels of today."""

    tx: Tx
    in_use: frozenset[Item]
    committed: frozenset[Item]
    since: datetime
    levels: Mapping[Item, SeatLevels]


@dataclass(frozen=True, slots=True)
class Ledgers:
    """What was used and what was asked for, by metric."""

    in_use: dict[Item, Usage]
    committed: dict[Item, Usage]


def since(asked: Sequence[Asked]) -> list[Ledgers]:
    """The ledgers of each who asked, in their order."""
    events = _events(asked)
    held = _held_before([a for a in asked if a.in_use], events)
    return [_ledgers(each, events, held) for each in asked]


def _ledgers(
    asked: Asked, events: Mapping[tuple[UUID, BalanceKind, str], list[Delta]], held: Mapping[Place, Held]
) -> Ledgers:
    owner = asked.tx.customer
    in_use, committed = dict[Item, Usage](), dict[Item, Usage]()
    for metric in sorted(asked.in_use):
        moves = tuple(events[owner, BalanceKind.IN_USE, metric])
        level = asked.levels.get(metric, SeatLevels()).in_use
        in_use[metric] = Usage(level - sum(event.net for event in moves), held[owner, metric], moves)
    for metric in sorted(asked.committed):
        moves = tuple(events[owner, BalanceKind.COMMITTED, metric])
        level = asked.levels.get(metric, SeatLevels()).committed
        committed[metric] = Usage(level - sum(event.net for event in moves), events=moves)
    return Ledgers(in_use, committed)


def _events(asked: Iterable[Asked]) -> dict[tuple[UUID, BalanceKind, str], list[Delta]]:
    found: dict[tuple[UUID, BalanceKind, str], list[Delta]] = defaultdict(list)
    rows = [
        (each.tx, metric, kind, each.since)
        for each in asked
        for kind, metrics in (
            (BalanceKind.IN_USE, each.in_use),
            (BalanceKind.COMMITTED, each.committed),
        )
        for metric in metrics
    ]
    if not rows:
        return found
    keys = keyed(seat_event, ("metric", "kind", "effective_at"), rows)
    query = (
        keys.rows_of(seat_event, by=("metric", "kind"))
        .where(seat_event.c.effective_at >= keys.given.c.effective_at)
        .order_by(seat_event.c.effective_at, seat_event.c.id)
    )
    for row in keys.execute(query):
        found[row.customer_id, row.kind, row.metric].append(event_of(row).delta)
    return found


def _held_before(
    asked: Sequence[Asked], events: Mapping[tuple[UUID, BalanceKind, str], list[Delta]]
) -> dict[Place, Held]:
    """The named holders before the events: those of now, with the events taken back."""
    places = {(each.tx.customer, str(metric)): each.tx for each in asked for metric in each.in_use}
    if not places:
        return {}
    now = _held_now(places)
    moved = {
        (owner, metric): _net_by_name(events[owner, BalanceKind.IN_USE, metric]) for owner, metric in places
    }
    seats = _seats_of(places, moved)
    return {
        place: _taken_back(now.get(place, Held()), moved[place], seats.get(place, {})) for place in places
    }


def _held_now(places: Mapping[Place, Tx]) -> dict[Place, Held]:
    keys = keyed(seat_holder, ("metric",), ((tx, metric) for (_, metric), tx in places.items()))
    place = (seat_holder.c.customer_id, seat_holder.c.metric)
    people, seats = func.count().label("people"), total(seat_holder.c.seats).label("seats")
    query = keys.rows_of(seat_holder, *place, people, seats, by=("metric",)).group_by(*place)
    return {(row.customer_id, row.metric): Held(row.people, row.seats) for row in keys.execute(query)}


def _seats_of(
    places: Mapping[Place, Tx], moved: Mapping[Place, Mapping[str, int]]
) -> dict[Place, dict[str, int]]:
    found: dict[Place, dict[str, int]] = defaultdict(dict)
    names = [(places[place], place[1], name) for place, nets in moved.items() for name in nets]
    if names:
        keys = keyed(seat_holder, ("metric", "holder"), names)
        for row in keys.execute(keys.rows_of(seat_holder, by=("metric", "holder"))):
            found[row.customer_id, row.metric][row.holder] = row.seats
    return found


def _net_by_name(events: Iterable[Delta]) -> dict[str, int]:
    nets: dict[str, int] = defaultdict(int)
    for event in events:
        if event.holder is not None:
            nets[event.holder.reference] += event.net
    return nets


def _taken_back(now: Held, moved: Mapping[str, int], held: Mapping[str, int]) -> Held:
    known = {name: held.get(name, 0) - net for name, net in moved.items()}
    came = sum((held.get(name, 0) > 0) - (seats > 0) for name, seats in known.items())
    return Held(now.people - came, now.seats - sum(moved.values()), known)
