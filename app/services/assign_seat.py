"""Give somebody a seat of a metric, if one is left."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from app.billing.ledger import Holder
from app.billing.permissions import Actor, Permission
from app.billing.plans import SeatMetric
from app.billing.refusals import (
    IdempotencyKeyReused,
    InvalidInput,
    NoSeatAvailable,
    NotFound,
    NothingToChange,
    NotPermitted,
    Problem,
    SubscriptionNotActive,
)
from app.billing.subscriptions import SubscriptionStatus
from app.services import seating
from app.services.bring_up import instant, load_current
from app.services.entitlement import Entitlement, Why, entitlement
from app.store import catalogs, holders, subscriptions
from app.store.transaction import Tx

MUTATION: Final = "assignSeat"


@dataclass(frozen=True, slots=True)
class AssignSeat:
    """Who gets a seat of which metric, under which key."""

    metric: str
    holder: Holder
    idempotency_key: str


@dataclass(frozen=True, slots=True)
class SeatAssigned:
    """Somebody holds a seat since an event."""

    event: UUID
    metric: str
    replayed: bool = False


NotEntitled = NotFound | InvalidInput | NoSeatAvailable | SubscriptionNotActive
AssignSeatRefusal = NotEntitled | NotPermitted | NothingToChange | IdempotencyKeyReused


def replayed(
    tx: Tx, actor: Actor, request: AssignSeat
) -> SeatAssigned | IdempotencyKeyReused | NotPermitted | None:
    """What the key did before, by a read and before any lock; None if it is new."""
    body = seating.known(tx, actor, Permission.ASSIGN_SEAT, MUTATION, request)
    if isinstance(body, dict):
        return SeatAssigned(UUID(body["event"]), request.metric, replayed=True)
    return body


def assign_seat(tx: Tx, actor: Actor, request: AssignSeat) -> SeatAssigned | AssignSeatRefusal:
    """Record that a person takes a seat from now on. Refused if they hold one of this kind, or none is left
    where the plan's limit stands.
    """
    before = replayed(tx, actor, request)
    if before:
        return before
    metric = catalogs.current(tx).metric(request.metric)
    if metric is None:
        problem = f"There are no seats called {request.metric[:40]!r}."
        return InvalidInput((Problem("input.metric", problem),))
    holder = request.holder
    if holders.holder_seats(tx, metric.code, holder.reference):
        return NothingToChange(f"{holder.reference!r} holds a seat of this kind already: {metric.label}.")
    refusal = _not_entitled(tx, metric)
    if refusal:
        return refusal
    event = seating.moved(tx, actor, metric.code, holder, added=1)
    if isinstance(event, InvalidInput):
        return event
    seating.remember(tx, MUTATION, request, {"event": str(event)})
    return SeatAssigned(event, metric.code)


def _not_entitled(tx: Tx, metric: SeatMetric) -> NotEntitled | None:
    """Why nobody more may take a seat, by what is due until now; None if somebody may.

    A renewal that waits for billing details holds nobody back: what was agreed before it stands till then.
    """
    live = subscriptions.live(tx)
    if live is not None:
        load_current(tx, live.id, instant(tx))
    asked = entitlement(tx, metric.code)
    assert isinstance(asked, Entitlement), "the metric is on offer"
    match asked.why:
        case Why.NO_SUBSCRIPTION:
            return NotFound("subscription", "Seats are given while one runs: ask the seller to start it.")
        case Why.PAUSED:
            return SubscriptionNotActive(SubscriptionStatus.PAUSED, "given more seats in use")
        case Why.NOT_IN_PLAN:
            problem = (
                f"The plan has no seats called {metric.code!r}. Change to one that has, or choose others."
            )
            return InvalidInput((Problem("input.metric", problem),))
        case Why.LIMIT_REACHED:
            balance = asked.balance
            assert balance.limit is not None, "a limit was reached"
            return NoSeatAvailable(metric, balance.in_use, balance.limit)
        case Why.ROOM | Why.BILLED_BY_USE | Why.OVERAGE:
            return None
