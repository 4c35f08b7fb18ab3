"""End a subscription, with its period or now; and what that gives back, shown before.

The preview gives the quote that a change has: the page shows both in one dialog, `QuoteOutdated` can carry
both, and the contract has one type for what is shown before a button is pressed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from app.billing.changes import Quote
from app.billing.permissions import Actor, Permission
from app.billing.plans import ChangeTiming
from app.billing.refusals import (
    IdempotencyKeyReused,
    InvalidInput,
    NotFound,
    NotPermitted,
    QuoteOutdated,
    VersionConflict,
)
from app.billing.state import State
from app.billing.turns import Turn, TurnKind, TurnRefusal, decide_turn
from app.services.confirming import Button, Confirmed, Offer, Press
from app.services.quotes import QuoteSigner
from app.store.transaction import Tx


@dataclass(frozen=True, slots=True)
class SubscriptionCancelled(Confirmed):
    """The subscription has ended, or will with its period."""


PreviewCancelRefusal = NotFound | NotPermitted | TurnRefusal
CancelSubscriptionRefusal = (
    PreviewCancelRefusal | InvalidInput | QuoteOutdated[Offer] | VersionConflict | IdempotencyKeyReused
)


def cancelling(timing: ChangeTiming | None = None) -> Turn:
    """The end as it is asked for."""
    return Turn(TurnKind.CANCEL, timing)


def _ways(state: State, turn: Turn, at: datetime) -> Iterator[tuple[Turn, Quote]]:
    """Now and with the period, as far as either is possible."""
    for timing in ChangeTiming:
        way = Turn(turn.kind, timing)
        quote = decide_turn(state, way, at)
        if isinstance(quote, Quote):
            yield way, quote


BUTTON: Final[Button[Turn, SubscriptionCancelled, TurnRefusal]] = Button(
    mutation="cancelSubscription",
    permission=Permission.CANCEL_SUBSCRIPTION,
    decide=decide_turn,
    ways=_ways,
    fact=SubscriptionCancelled,
)


def preview_cancel_subscription(
    tx: Tx, actor: Actor, signer: QuoteSigner, subscription_id: UUID, turn: Turn
) -> Offer | PreviewCancelRefusal:
    """Quote an end at the customer's present instant; writes nothing."""
    return BUTTON.preview(tx, actor, signer, subscription_id, turn)


def replayed(
    tx: Tx, actor: Actor, press: Press[Turn]
) -> SubscriptionCancelled | IdempotencyKeyReused | NotPermitted | None:
    """What the key did before, by a read and before any lock; None if it is new."""
    return BUTTON.replayed(tx, actor, press)


def cancel_subscription(
    tx: Tx, actor: Actor, signer: QuoteSigner, press: Press[Turn]
) -> SubscriptionCancelled | CancelSubscriptionRefusal:
    """End it, or refuse and write nothing."""
    return BUTTON.confirm(tx, actor, signer, press)
