"""Take back a change that waits for the renewal."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

from app.billing.permissions import Actor, Permission
from app.billing.refusals import BillingDetailsMissing, IdempotencyKeyReused, NotFound, NotPermitted
from app.billing.state import Posting
from app.billing.subscriptions import ScheduledOutcome
from app.services import postings
from app.services.bring_up import instant, load_current
from app.services.quotes import fingerprint
from app.store import commits, subscriptions
from app.store.commits import Outcome
from app.store.states import Loaded
from app.store.transaction import Tx

MUTATION: Final = "cancelScheduledChange"


@dataclass(frozen=True, slots=True)
class CancelScheduledChange:
    """Which change, under which key."""

    scheduled_change: UUID
    idempotency_key: str


@dataclass(frozen=True, slots=True)
class ScheduledChangeCancelled:
    """The change no longer waits."""

    subscription: UUID
    replayed: bool = False


NOT_WAITING: Final = NotFound(
    "scheduled change",
    "It may have been applied, replaced or cancelled meanwhile: look at the subscription's scheduled changes "
    "again, and check the id.",
)
CancelRefusal = NotFound | NotPermitted | BillingDetailsMissing | IdempotencyKeyReused


def cancel_scheduled_change(
    tx: Tx, actor: Actor, request: CancelScheduledChange
) -> ScheduledChangeCancelled | CancelRefusal:
    """Drop the change. NotFound if it was applied, replaced or cancelled before, or never was."""
    refusal = actor.refusal(Permission.CANCEL_SCHEDULED_CHANGE)
    if refusal:
        return refusal
    done = commits.outcome(tx, MUTATION, request.idempotency_key)
    if done is not None:
        if done.fingerprint != _fingerprint(request):
            return IdempotencyKeyReused(request.idempotency_key)
        return ScheduledChangeCancelled(UUID(done.body["subscription"]), replayed=True)
    listed = subscriptions.scheduled_by_id(tx, request.scheduled_change)
    loaded = load_current(tx, listed.subscription, instant(tx)) if listed else None
    if loaded is None:
        return NOT_WAITING
    if not isinstance(loaded, Loaded):
        return loaded
    return _cancel(tx, loaded, actor, request)


def _cancel(
    tx: Tx, loaded: Loaded, actor: Actor, request: CancelScheduledChange
) -> ScheduledChangeCancelled | NotFound:
    state = loaded.state
    waiting = next((c for c in state.scheduled if c.id == request.scheduled_change), None)
    if waiting is None:
        return NOT_WAITING
    posting = Posting(instant(tx), state.subscription.changed(), state.price, settled=(waiting,))
    postings.write(tx, loaded, posting, actor=actor, settled_as=ScheduledOutcome.CANCELLED)
    cancelled = ScheduledChangeCancelled(state.subscription.id)
    body = {"subscription": str(cancelled.subscription)}
    commits.record_outcome(tx, MUTATION, request.idempotency_key, Outcome(_fingerprint(request), body))
    return cancelled


def _fingerprint(request: CancelScheduledChange) -> str:
    return fingerprint(replace(request, idempotency_key=""))
