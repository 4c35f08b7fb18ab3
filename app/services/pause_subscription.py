"""Pause a subscription, which is the vendor's to do: what is paid and not used is credited, and nothing is
billed until it is resumed. Seats stay committed, and seats in use go on being recorded.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from app.billing.changes import Quote
from app.billing.documents import DocumentKind
from app.billing.money import Money
from app.billing.permissions import Actor
from app.billing.refusals import NotFound
from app.billing.turns import PauseRefusal, decide_pause
from app.services import postings
from app.services.bring_up import instant, load_current
from app.store.states import Loaded
from app.store.transaction import Tx


@dataclass(frozen=True, slots=True)
class SubscriptionPaused:
    """The documents that the pause made, and what joined the credit balance."""

    subscription: UUID
    invoice: UUID | None
    credit_note: UUID | None
    credit_added: Money


def pause_subscription(
    tx: Tx, actor: Actor, subscription_id: UUID
) -> SubscriptionPaused | NotFound | PauseRefusal:
    """Pause from today on, or refuse and write nothing. A second pause is refused, so repeating is safe."""
    loaded = load_current(tx, subscription_id, instant(tx))
    if loaded is None:
        return NotFound("subscription")
    if not isinstance(loaded, Loaded):
        return loaded
    quote = decide_pause(loaded.state, instant(tx))
    if not isinstance(quote, Quote):
        return quote
    written = postings.write(tx, loaded, quote.posting, actor=actor)
    by_kind = {document.kind: document.id for document in written.documents}
    return SubscriptionPaused(
        subscription_id,
        by_kind.get(DocumentKind.INVOICE),
        by_kind.get(DocumentKind.CREDIT_NOTE),
        quote.credit_added,
    )
