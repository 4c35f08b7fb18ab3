"""What giving a seat to somebody and taking it back share: how their keys are remembered, and how the report
that records them speaks of the input.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Protocol
from uuid import UUID

from app.billing.ledger import Holder
from app.billing.permissions import Actor, Permission
from app.billing.refusals import IdempotencyKeyReused, InvalidInput, NotPermitted, Problem
from app.services.quotes import fingerprint
from app.services.record_seats import SeatReport, record_seats
from app.store import commits
from app.store.commits import Outcome
from app.store.transaction import Tx


class Seating(Protocol):
    """A request about somebody's seat, under a key."""

    @property
    def idempotency_key(self) -> str: ...


def known(
    tx: Tx, actor: Actor, permission: Permission, mutation: str, request: Seating
) -> dict[str, Any] | IdempotencyKeyReused | NotPermitted | None:
    """What the key did before, by a read and before any lock; None if it is new."""
    refusal = actor.refusal(permission)
    if refusal:
        return refusal
    done = commits.outcome(tx, mutation, request.idempotency_key)
    if done is None:
        return None
    if done.fingerprint != _fingerprint(request):
        return IdempotencyKeyReused(request.idempotency_key)
    return done.body


def remember(tx: Tx, mutation: str, request: Seating, body: dict[str, Any]) -> None:
    """What the key did."""
    commits.record_outcome(tx, mutation, request.idempotency_key, Outcome(_fingerprint(request), body))


def moved(
    tx: Tx, actor: Actor, metric: str, holder: Holder, *, added: int = 0, removed: int = 0
) -> UUID | InvalidInput:
    """Record that somebody took a seat or gave it back now; the event of it."""
    report = SeatReport(metric, added=added or None, removed=removed or None, holder=holder)
    recorded = record_seats(tx, actor, report)
    if isinstance(recorded, InvalidInput):
        return InvalidInput(
            tuple(Problem(f"input.{problem.path}", problem.message) for problem in recorded.problems)
        )
    return recorded.events[0].id


def _fingerprint(request: Any) -> str:
    return fingerprint(replace(request, idempotency_key=""))
