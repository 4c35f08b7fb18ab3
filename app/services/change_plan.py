"""Change the plan, the interval or the seats: exactly once for each idempotency key, and at exactly what a
token quoted.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import UUID

from app.billing.changes import ChangeRefusal, Quote, decide
from app.billing.documents import DocumentKind
from app.billing.money import Money
from app.billing.permissions import Actor, Permission
from app.billing.refusals import (
    IdempotencyKeyReused,
    InvalidInput,
    NotFound,
    NotPermitted,
    Problem,
    QuoteOutdated,
    VersionConflict,
)
from app.billing.requests import ChangeRequest
from app.services import postings
from app.services.bring_up import instant, load_current
from app.services.preview_change_plan import Offer, quote_change
from app.services.quotes import QuoteSigner, QuoteToken, digest, fingerprint
from app.store import commits, customers
from app.store.commits import Outcome
from app.store.states import Loaded
from app.store.transaction import Tx

MUTATION: Final = "changePlan"


@dataclass(frozen=True, slots=True)
class ChangePlan:
    """The request of one confirm button. The token is optional; given, it binds."""

    subscription: UUID
    change: ChangeRequest
    idempotency_key: str
    quote_token: str | None = None
    expected_version: int | None = None


@dataclass(frozen=True, slots=True)
class PlanChanged:
    """The fact, by the ids of what was written; the same for the first call and every replay."""

    subscription: UUID
    invoice: UUID | None
    credit_note: UUID | None
    scheduled: tuple[UUID, ...]
    credit_added: Money
    replayed: bool = False


ChangePlanRefusal = (
    NotFound | NotPermitted | ChangeRefusal | QuoteOutdated[Offer] | VersionConflict | IdempotencyKeyReused
)


def replayed(
    tx: Tx, actor: Actor, request: ChangePlan
) -> PlanChanged | IdempotencyKeyReused | NotPermitted | None:
    """What the key did before, by a read and before any lock; None if it is new."""
    refusal = actor.refusal(Permission.CHANGE_PLAN)
    if refusal:
        return refusal
    done = commits.outcome(tx, MUTATION, request.idempotency_key)
    if done is None:
        return None
    if done.fingerprint != _fingerprint(request):
        return IdempotencyKeyReused(request.idempotency_key)
    customer = customers.get(tx)
    assert customer is not None, "a recorded outcome belongs to a customer"
    return replace(_from_outcome(done.body, Money.zero(customer.currency)), replayed=True)


def change_plan(
    tx: Tx, actor: Actor, signer: QuoteSigner, request: ChangePlan
) -> PlanChanged | ChangePlanRefusal:
    """Decide and write, or refuse and write nothing (renewals that were due are written all the same)."""
    known = replayed(tx, actor, request)
    if known:
        return known
    token = _token_of(tx, signer, request)
    if isinstance(token, InvalidInput):
        return token
    loaded = load_current(tx, request.subscription, token.at if token else instant(tx))
    if loaded is None:
        return NotFound("subscription")
    if not isinstance(loaded, Loaded):
        return loaded
    if request.expected_version not in {None, loaded.state.subscription.version}:
        assert request.expected_version is not None
        return VersionConflict(request.expected_version, loaded.state.subscription.version)
    quote = _decided(tx, loaded, signer, request, token)
    return _write(tx, loaded, actor, request, quote) if isinstance(quote, Quote) else quote


def _token_of(tx: Tx, signer: QuoteSigner, request: ChangePlan) -> QuoteToken | InvalidInput | None:
    """What the token says, None without one; refused if it was not made for this subscription and request."""
    if request.quote_token is None:
        return None
    token = signer.read(request.quote_token, customer=tx.customer, subscription=request.subscription)
    if token is None:
        return _refused_token("was not made for this subscription, or was altered. Preview the change again.")
    if _differs(request.change, token.request):
        return _refused_token("is for another change. Send what was previewed, or preview what you send.")
    return token


def _refused_token(why: str) -> InvalidInput:
    return InvalidInput((Problem("input.quoteToken", f"This quote token {why}"),))


def _differs(sent: ChangeRequest, quoted: ChangeRequest) -> bool:
    """Whether anything that was sent is not what was quoted; what is left out is taken from the quote."""
    pairs = (
        (sent.plan, quoted.plan),
        (sent.interval, quoted.interval),
        (sent.seats or None, quoted.seats or None),
        (sent.mode, quoted.mode),
        (sent.timing, quoted.timing),
    )
    return any(given is not None and given != known for given, known in pairs)


def _decided(
    tx: Tx, loaded: Loaded, signer: QuoteSigner, request: ChangePlan, token: QuoteToken | None
) -> Quote | ChangeRefusal | QuoteOutdated[Offer]:
    """The quote to write: without a token that of the present instant; with one that of its instant, if it
    still is what was shown.
    """
    if token is None:
        return decide(loaded.state, request.change, instant(tx))
    quote = decide(loaded.state, token.request, token.at)
    # The customer's time may have been moved past the period, which does not move the wall clock.
    expired = tx.wall >= token.valid_until or tx.at >= loaded.state.subscription.period.end
    if not expired and isinstance(quote, Quote) and digest(quote, loaded.state) == token.digest:
        return quote
    current = load_current(tx, request.subscription, instant(tx))
    assert current is not None, "the subscription was read in this transaction"
    if not isinstance(current, Loaded):
        return current
    fresh = quote_change(tx, current, signer, token.request)
    if not isinstance(fresh, Offer):
        return fresh
    reason = "The quote has expired." if expired else "The subscription has changed since the quote."
    return QuoteOutdated(fresh, reason)


def _write(tx: Tx, loaded: Loaded, actor: Actor, request: ChangePlan, quote: Quote) -> PlanChanged:
    written = postings.write(tx, loaded, quote.posting, actor=actor)
    by_kind = {document.kind: document.id for document in written.documents}
    changed = PlanChanged(
        subscription=request.subscription,
        invoice=by_kind.get(DocumentKind.INVOICE),
        credit_note=by_kind.get(DocumentKind.CREDIT_NOTE),
        scheduled=tuple(change.id for change in written.scheduled),
        credit_added=quote.credit_added,
    )
    outcome = Outcome(_fingerprint(request), _to_outcome(changed))
    commits.record_outcome(tx, MUTATION, request.idempotency_key, outcome)
    return changed


def _fingerprint(request: ChangePlan) -> str:
    return fingerprint(replace(request, idempotency_key=""))


def _to_outcome(changed: PlanChanged) -> dict[str, Any]:
    return {
        "subscription": str(changed.subscription),
        "invoice": str(changed.invoice) if changed.invoice else None,
        "credit_note": str(changed.credit_note) if changed.credit_note else None,
        "scheduled": [str(change) for change in changed.scheduled],
        "credit_added": changed.credit_added.minor,
    }


def _from_outcome(body: dict[str, Any], zero: Money) -> PlanChanged:
    return PlanChanged(
        subscription=UUID(body["subscription"]),
        invoice=UUID(body["invoice"]) if body["invoice"] else None,
        credit_note=UUID(body["credit_note"]) if body["credit_note"] else None,
        scheduled=tuple(UUID(change) for change in body["scheduled"]),
        credit_added=Money(body["credit_added"], zero.currency),
    )
