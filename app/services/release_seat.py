"""Take somebody's seat back. On plans that are paid for committed seats the bill stays as it is, and the
answer says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from app.billing.ledger import Holder, SeatLevels
from app.billing.permissions import Actor, Permission
from app.billing.plans import ChargingBasis, Item
from app.billing.refusals import (
    IdempotencyKeyReused,
    InvalidInput,
    NothingToChange,
    NotPermitted,
    Problem,
)
from app.services import seating
from app.store import catalogs, holders, seats, subscriptions
from app.store.transaction import Tx

MUTATION: Final = "releaseSeat"


@dataclass(frozen=True, slots=True)
class ReleaseSeat:
    """Whose seat of which metric becomes free, under which key."""

    metric: str
    holder: str
    idempotency_key: str


@dataclass(frozen=True, slots=True)
class SeatReleased:
    """Somebody holds no seat any more since an event; how the plan charged for such seats then (None: it did
    not), and how many were committed.
    """

    event: UUID
    metric: str
    basis: ChargingBasis | None
    committed: int
    replayed: bool = False


ReleaseSeatRefusal = NotPermitted | InvalidInput | NothingToChange | IdempotencyKeyReused


def replayed(
    tx: Tx, actor: Actor, request: ReleaseSeat
) -> SeatReleased | IdempotencyKeyReused | NotPermitted | None:
    """What the key did before, by a read and before any lock; None if it is new."""
    body = seating.known(tx, actor, Permission.RELEASE_SEAT, MUTATION, request)
    if isinstance(body, dict):
        basis = ChargingBasis[body["basis"]] if body["basis"] else None
        return SeatReleased(UUID(body["event"]), request.metric, basis, body["committed"], replayed=True)
    return body


def release_seat(tx: Tx, actor: Actor, request: ReleaseSeat) -> SeatReleased | ReleaseSeatRefusal:
    """Record that a person gives their seat back now, or one of several. Refused if they hold none."""
    before = replayed(tx, actor, request)
    if before:
        return before
    metric = catalogs.current(tx).metric(request.metric)
    if metric is None:
        problem = f"There are no seats called {request.metric[:40]!r}."
        return InvalidInput((Problem("input.metric", problem),))
    if not holders.holder_seats(tx, metric.code, request.holder):
        return NothingToChange(f"{request.holder[:40]!r} holds no seat of this kind: {metric.label}.")
    event = seating.moved(tx, actor, metric.code, Holder(request.holder), removed=1)
    if isinstance(event, InvalidInput):
        return event
    live = subscriptions.live(tx)
    price = catalogs.price(tx, live.price).seat(metric.code) if live else None
    basis = price.basis if price else None
    committed = seats.levels(tx).get(Item(metric.code), SeatLevels()).committed
    body = {"event": str(event), "basis": basis.name if basis else None, "committed": committed}
    seating.remember(tx, MUTATION, request, body)
    return SeatReleased(event, metric.code, basis, committed)
