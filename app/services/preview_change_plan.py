"""What a change would cost: the quote with a token that binds, and the same change in every other way that
the plan allows.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from app.billing.changes import ChangeRefusal, Quote, allowed_ways, decide
from app.billing.permissions import Actor, Permission
from app.billing.refusals import NotFound, NotPermitted
from app.billing.requests import ChangeRequest
from app.services.bring_up import instant, look_ahead, stopped
from app.services.quotes import QuoteSigner, QuoteToken, digest, valid_until
from app.store import states
from app.store.states import Loaded
from app.store.transaction import Tx

PreviewRefusal = NotFound | NotPermitted | ChangeRefusal


@dataclass(frozen=True, slots=True)
class Offer:
    """A quote with the token that binds it, until when (wall time), and what it was made from."""

    quote: Quote
    token: str
    valid_until: datetime
    loaded: Loaded
    alternatives: tuple[Offer, ...] = ()


def preview_change_plan(
    tx: Tx, actor: Actor, signer: QuoteSigner, subscription_id: UUID, request: ChangeRequest
) -> Offer | PreviewRefusal:
    """Quote a change at the customer's present instant; writes nothing."""
    refusal = actor.refusal(Permission.PREVIEW_CHANGE)
    if refusal:
        return refusal
    loaded = states.load(tx, subscription_id)
    if loaded is None:
        return NotFound("subscription")
    at = instant(tx)
    return stopped(tx, loaded, at) or quote_change(tx, look_ahead(tx, loaded, at), signer, request)


def quote_change(
    tx: Tx, loaded: Loaded, signer: QuoteSigner, request: ChangeRequest
) -> Offer | ChangeRefusal:
    """The offer for a change of a subscription that is brought up to the present instant."""
    at = instant(tx)
    quote = decide(loaded.state, request, at)
    if not isinstance(quote, Quote):
        return quote
    others = tuple(
        _offer(tx, loaded, signer, replace(request, mode=way.mode, timing=way.timing), way)
        for way in allowed_ways(loaded.state, request, at)
    )
    return replace(_offer(tx, loaded, signer, request, quote), alternatives=others)


def _offer(tx: Tx, loaded: Loaded, signer: QuoteSigner, request: ChangeRequest, quote: Quote) -> Offer:
    subscription = loaded.state.subscription
    until = valid_until(wall=tx.wall, clock=tx.at, period_end=subscription.period.end)
    token = QuoteToken(quote.posting.at, request, digest(quote, loaded.state), until)
    signed = signer.sign(token, customer=tx.customer, subscription=subscription.id)
    return Offer(quote, signed, until, loaded)
