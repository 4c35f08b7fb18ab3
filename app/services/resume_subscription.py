"""Keep a subscription that was to end with its period, or go on after a pause: with a new period, which is
billed, and shown before.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from app.billing.changes import Quote
from app.billing.permissions import Actor, Permission
from app.billing.refusals import (
    IdempotencyKeyReused,
    InvalidInput,
    NotFound,
    NotPermitted,
    QuoteOutdated,
    VersionConflict,
)
from app.billing.state import State
from app.billing.subscriptions import ScheduledOutcome
from app.billing.turns import PauseRefusal, Turn, TurnKind, decide_resume
from app.services.confirming import Button, Confirmed, Offer, Press
from app.services.quotes import QuoteSigner
from app.store.transaction import Tx

RESUME: Final = Turn(TurnKind.RESUME)


@dataclass(frozen=True, slots=True)
class SubscriptionResumed(Confirmed):
    """The subscription goes on."""


PreviewResumeRefusal = NotFound | NotPermitted | PauseRefusal
ResumeSubscriptionRefusal = (
    PreviewResumeRefusal | InvalidInput | QuoteOutdated[Offer] | VersionConflict | IdempotencyKeyReused
)


def _decide(state: State, _: Turn, at: datetime) -> Quote | PauseRefusal:
    return decide_resume(state, at)


def _ways(state: State, turn: Turn, at: datetime) -> Iterator[tuple[Turn, Quote]]:
    """There is one."""
    quote = decide_resume(state, at)
    if isinstance(quote, Quote):
        yield turn, quote


BUTTON: Final[Button[Turn, SubscriptionResumed, PauseRefusal]] = Button(
    mutation="resumeSubscription",
    permission=Permission.RESUME_SUBSCRIPTION,
    decide=_decide,
    ways=_ways,
    fact=SubscriptionResumed,
    settled_as=ScheduledOutcome.CANCELLED,
)


def preview_resume_subscription(
    tx: Tx, actor: Actor, signer: QuoteSigner, subscription_id: UUID
) -> Offer | PreviewResumeRefusal:
    """Quote the going on at the customer's present instant; writes nothing."""
    return BUTTON.preview(tx, actor, signer, subscription_id, RESUME)


def replayed(
    tx: Tx, actor: Actor, press: Press[Turn]
) -> SubscriptionResumed | IdempotencyKeyReused | NotPermitted | None:
    """What the key did before, by a read and before any lock; None if it is new."""
    return BUTTON.replayed(tx, actor, press)


def resume_subscription(
    tx: Tx, actor: Actor, signer: QuoteSigner, press: Press[Turn]
) -> SubscriptionResumed | ResumeSubscriptionRefusal:
    """Go on, or refuse and write nothing."""
    return BUTTON.confirm(tx, actor, signer, press)
