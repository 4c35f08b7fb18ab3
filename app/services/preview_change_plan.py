"""What a change would cost: the quote with a token that binds, and the same change in every other way that
the plan allows.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from app.billing.changes import ChangeRefusal, Quote, allowed_ways, decide
from app.billing.money import Money
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
    """A quote with the token that binds it, until when (wall time), and what it was made from. Without
    `shows_credit` it tells nothing of the credit balance.
    """

    quote: Quote
    token: str
    valid_until: datetime
    loaded: Loaded
    alternatives: tuple[Offer, ...] = ()
    shows_credit: bool = True


def preview_change_plan(
    tx: Tx, actor: Actor, signer: QuoteSigner, subscription_id: UUID, request: ChangeRequest
) -> Offer | PreviewRefusal:
    """Quote a change at the customer's present instant; writes nothing. A role that sees no money learns what
    the change costs, and nothing of the credit balance or of what is open.
    """
    refusal = actor.refusal(Permission.PREVIEW_CHANGE)
    if refusal:
        return refusal
    loaded = states.load(tx, subscription_id)
    if loaded is None:
        return NotFound("subscription")
    at = instant(tx)
    offer = stopped(tx, loaded, at) or quote_change(tx, look_ahead(tx, loaded, at), signer, request)
    if isinstance(offer, Offer) and not actor.may(Permission.SEE_MONEY):
        return _without_credit(offer)
    return offer


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


def _without_credit(offer: Offer) -> Offer:
    """What the change costs by itself; its token still binds to all of the quote."""
    quote = offer.quote
    shown = replace(
        quote,
        due_now=quote.due_now.without_credit,
        credit_added=Money.zero(quote.credit_added.currency),
        at_renewal=quote.at_renewal.without_credit if quote.at_renewal else None,
    )
    others = tuple(_without_credit(other) for other in offer.alternatives)
    return replace(offer, quote=shown, alternatives=others, shows_credit=False)


def _offer(tx: Tx, loaded: Loaded, signer: QuoteSigner, request: ChangeRequest, quote: Quote) -> Offer:
    subscription = loaded.state.subscription
    until = valid_until(wall=tx.wall, clock=tx.at, period_end=subscription.period.end)
    token = QuoteToken(quote.posting.at, request, digest(quote, loaded.state), until)
    signed = signer.sign(token, customer=tx.customer, subscription=subscription.id)
    return Offer(quote, signed, until, loaded)
