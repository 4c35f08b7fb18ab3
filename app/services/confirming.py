"""What lies behind every button of the billing page that moves money: first a quote with a token, then the
deed, once for each idempotency key, and at exactly what the token quoted.

A `Button` says what is decided and who may press it. The buttons are in the files of their names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

from app.billing.changes import Quote
from app.billing.documents import DocumentKind
from app.billing.money import Money
from app.billing.permissions import Actor, Permission
from app.billing.refusals import (
    BillingDetailsMissing,
    IdempotencyKeyReused,
    InvalidInput,
    NotFound,
    NotPermitted,
    Problem,
    QuoteOutdated,
    VersionConflict,
)
from app.billing.requests import ChangeRequest
from app.billing.state import State
from app.billing.subscriptions import ScheduledOutcome
from app.billing.turns import Turn
from app.services import postings
from app.services.bring_up import instant, load_current, look_ahead, stopped
from app.services.quotes import QuoteSigner, QuoteToken, digest, fingerprint, valid_until
from app.store import commits, customers, states
from app.store.commits import Outcome
from app.store.states import Loaded
from app.store.transaction import Tx

AskedT = TypeVar("AskedT", ChangeRequest, Turn)
FactT = TypeVar("FactT", bound="Confirmed")
No = TypeVar("No")


@dataclass(frozen=True, slots=True)
class Press(Generic[AskedT]):
    """One press of a button. The token is optional; given, it binds."""

    subscription: UUID
    change: AskedT
    idempotency_key: str
    quote_token: str | None = None
    expected_version: int | None = None


@dataclass(frozen=True, slots=True)
class Confirmed:
    """A fact, by the ids of what was written; the same for the first press and every replay."""

    subscription: UUID
    invoice: UUID | None
    credit_note: UUID | None
    scheduled: tuple[UUID, ...]
    credit_added: Money
    replayed: bool = False


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


@dataclass(frozen=True, slots=True)
class Decided(Generic[AskedT]):
    """A press that may be written: what was asked, from which state, and what it comes to."""

    change: AskedT
    loaded: Loaded
    quote: Quote


@dataclass(frozen=True, slots=True)
class Button(Generic[AskedT, FactT, No]):
    """What a button does: the mutation it belongs to, who may press it, what is decided, the other ways to do
    it (each as it would be asked for), and the fact that it makes.
    """

    mutation: str
    permission: Permission
    decide: Callable[[State, AskedT, datetime], Quote | No]
    ways: Callable[[State, AskedT, datetime], Iterable[tuple[AskedT, Quote]]]
    fact: type[FactT]
    settled_as: ScheduledOutcome = ScheduledOutcome.REPLACED

    def preview(
        self, tx: Tx, actor: Actor, signer: QuoteSigner, subscription_id: UUID, change: AskedT
    ) -> Offer | NotFound | NotPermitted | BillingDetailsMissing | No:
        """Quote at the customer's present instant; writes nothing. A role that sees no money learns what it
        costs, and nothing of the credit balance or of what is open.
        """
        refusal = actor.refusal(Permission.PREVIEW_CHANGE)
        if refusal:
            return refusal
        loaded = states.load(tx, subscription_id)
        if loaded is None:
            return NotFound("subscription")
        at = instant(tx)
        offer = stopped(tx, loaded, at) or self.quote(tx, look_ahead(tx, loaded, at), signer, change)
        if isinstance(offer, Offer) and not actor.may(Permission.SEE_MONEY):
            return _without_credit(offer)
        return offer

    def quote(self, tx: Tx, loaded: Loaded, signer: QuoteSigner, change: AskedT) -> Offer | No:
        """The offer for a subscription that is brought up to the present instant."""
        at = instant(tx)
        quote = self.decide(loaded.state, change, at)
        if not isinstance(quote, Quote):
            return quote
        others = tuple(
            _offer(tx, loaded, signer, asked, way) for asked, way in self.ways(loaded.state, change, at)
        )
        return replace(_offer(tx, loaded, signer, change, quote), alternatives=others)

    def replayed(
        self, tx: Tx, actor: Actor, press: Press[AskedT]
    ) -> FactT | IdempotencyKeyReused | NotPermitted | None:
        """What the key did before, by a read and before any lock; None if it is new."""
        refusal = actor.refusal(self.permission)
        if refusal:
            return refusal
        done = commits.outcome(tx, self.mutation, press.idempotency_key)
        if done is None:
            return None
        if done.fingerprint != fingerprint_of(press):
            return IdempotencyKeyReused(press.idempotency_key)
        return replace(self.told(tx, done), replayed=True)

    def told(self, tx: Tx, done: Outcome) -> FactT:
        """The fact of an outcome that is kept under a key."""
        customer = customers.get(tx)
        assert customer is not None, "a recorded outcome belongs to a customer"
        return self._from_outcome(done.body, Money.zero(customer.currency))

    def confirm(
        self, tx: Tx, actor: Actor, signer: QuoteSigner, press: Press[AskedT]
    ) -> (
        FactT
        | NotFound
        | NotPermitted
        | InvalidInput
        | BillingDetailsMissing
        | QuoteOutdated[Offer]
        | VersionConflict
        | IdempotencyKeyReused
        | No
    ):
        """Decide and write, or refuse and write nothing (renewals that were due are written all the same)."""
        known = self.replayed(tx, actor, press)
        if known:
            return known
        decided = self.decided(tx, signer, press)
        if not isinstance(decided, Decided):
            return decided
        key = press.idempotency_key
        return self.write(tx, actor, decided, key=key, fingerprint=fingerprint_of(press))

    def decided(
        self, tx: Tx, signer: QuoteSigner, press: Press[AskedT]
    ) -> (
        Decided[AskedT]
        | NotFound
        | InvalidInput
        | BillingDetailsMissing
        | QuoteOutdated[Offer]
        | VersionConflict
        | No
    ):
        """What a press comes to, decided on today's data; nothing is written but renewals that were due."""
        token = _token_of(tx, signer, press)
        if isinstance(token, InvalidInput):
            return token
        loaded = load_current(tx, press.subscription, token.at if token else instant(tx))
        if loaded is None:
            return NotFound("subscription")
        if not isinstance(loaded, Loaded):
            return loaded
        version = loaded.state.subscription.version
        if press.expected_version is not None and press.expected_version != version:
            return VersionConflict(press.expected_version, version)
        change: AskedT = token.request if token else press.change  # type: ignore[assignment]
        quote = self._decided(tx, loaded, signer, press.subscription, change, token)
        return Decided(change, loaded, quote) if isinstance(quote, Quote) else quote

    def _decided(
        self,
        tx: Tx,
        loaded: Loaded,
        signer: QuoteSigner,
        subscription_id: UUID,
        change: AskedT,
        token: QuoteToken | None,
    ) -> Quote | BillingDetailsMissing | QuoteOutdated[Offer] | No:
        """The quote to write: without a token that of the present instant; with one that of its instant, if
        it still is what was shown.
        """
        if token is None:
            return self.decide(loaded.state, change, instant(tx))
        quote = self.decide(loaded.state, change, token.at)
        # The customer's time may have been moved past the period, which does not move the wall clock.
        expired = tx.wall >= token.valid_until or tx.at >= _period_end(loaded.state)
        if not expired and isinstance(quote, Quote) and digest(quote, loaded.state) == token.digest:
            return quote
        reason = "The quote has expired." if expired else "The subscription has changed since the quote."
        return self.outdated(tx, signer, subscription_id, change, reason)

    def outdated(
        self, tx: Tx, signer: QuoteSigner, subscription_id: UUID, change: AskedT, reason: str
    ) -> BillingDetailsMissing | QuoteOutdated[Offer] | No:
        """That a change is not what it was taken for, with the fresh quote; or why there is none."""
        current = load_current(tx, subscription_id, instant(tx))
        assert current is not None, "what was decided on is there"
        if not isinstance(current, Loaded):
            return current
        fresh = self.quote(tx, current, signer, change)
        return QuoteOutdated(fresh, reason) if isinstance(fresh, Offer) else fresh

    def write(self, tx: Tx, actor: Actor, decided: Decided[AskedT], *, key: str, fingerprint: str) -> FactT:
        """Write what was decided, with its outcome under the key."""
        loaded, quote = decided.loaded, decided.quote
        written = postings.write(tx, loaded, quote.posting, actor=actor, settled_as=self.settled_as)
        by_kind = {document.kind: document.id for document in written.documents}
        fact = self.fact(
            subscription=loaded.state.subscription.id,
            invoice=by_kind.get(DocumentKind.INVOICE),
            credit_note=by_kind.get(DocumentKind.CREDIT_NOTE),
            scheduled=tuple(change.id for change in written.scheduled),
            credit_added=quote.credit_added,
        )
        commits.record_outcome(tx, self.mutation, key, Outcome(fingerprint, _to_outcome(fact)))
        return fact

    def _from_outcome(self, body: dict[str, Any], zero: Money) -> FactT:
        return self.fact(
            subscription=UUID(body["subscription"]),
            invoice=UUID(body["invoice"]) if body["invoice"] else None,
            credit_note=UUID(body["credit_note"]) if body["credit_note"] else None,
            scheduled=tuple(UUID(change) for change in body["scheduled"]),
            credit_added=Money(body["credit_added"], zero.currency),
        )


def _without_credit(offer: Offer) -> Offer:
    """What it costs by itself; its token still binds to all of the quote."""
    quote = offer.quote
    shown = replace(
        quote,
        due_now=quote.due_now.without_credit,
        credit_added=Money.zero(quote.credit_added.currency),
        at_renewal=quote.at_renewal.without_credit if quote.at_renewal else None,
    )
    others = tuple(_without_credit(other) for other in offer.alternatives)
    return replace(offer, quote=shown, alternatives=others, shows_credit=False)


def _offer(tx: Tx, loaded: Loaded, signer: QuoteSigner, change: ChangeRequest | Turn, quote: Quote) -> Offer:
    until = valid_until(wall=tx.wall, clock=tx.at, period_end=_period_end(loaded.state))
    token = QuoteToken(quote.posting.at, change, digest(quote, loaded.state), until)
    signed = signer.sign(token, customer=tx.customer, subscription=loaded.state.subscription.id)
    return Offer(quote, signed, until, loaded)


def _period_end(state: State) -> datetime:
    """When what was shown is over by itself; never in a pause."""
    subscription = state.subscription
    return subscription.period.end if subscription.status.runs else datetime.max.replace(tzinfo=UTC)


def _token_of(tx: Tx, signer: QuoteSigner, press: Press[AskedT]) -> QuoteToken | InvalidInput | None:
    """What the token says, None without one; refused if it was not made for this subscription and request."""
    if press.quote_token is None:
        return None
    token = signer.read(press.quote_token, customer=tx.customer, subscription=press.subscription)
    if token is None:
        return _refused_token("was not made for this subscription, or was altered. Preview the change again.")
    if _differs(press.change, token.request):
        return _refused_token("is for another change. Send what was previewed, or preview what you send.")
    return token


def _refused_token(why: str) -> InvalidInput:
    return InvalidInput((Problem("input.quoteToken", f"This quote token {why}"),))


def _differs(sent: ChangeRequest | Turn, quoted: ChangeRequest | Turn) -> bool:
    """Whether anything that was sent is not what was quoted; what is left out is taken from the quote."""
    pairs: tuple[tuple[object, object], ...]
    if isinstance(sent, Turn) and isinstance(quoted, Turn):
        pairs = ((sent.kind, quoted.kind), (sent.timing, quoted.timing))
    elif isinstance(sent, ChangeRequest) and isinstance(quoted, ChangeRequest):
        pairs = (
            (sent.plan, quoted.plan),
            (sent.interval, quoted.interval),
            (sent.seats or None, quoted.seats or None),
            (sent.mode, quoted.mode),
            (sent.timing, quoted.timing),
        )
    else:
        return True
    return any(given is not None and given != known for given, known in pairs)


def fingerprint_of(press: Press[AskedT]) -> str:
    """Tells a repeated press from another one under the same key."""
    return fingerprint(replace(press, idempotency_key=""))


def _to_outcome(fact: Confirmed) -> dict[str, Any]:
    return {
        "subscription": str(fact.subscription),
        "invoice": str(fact.invoice) if fact.invoice else None,
        "credit_note": str(fact.credit_note) if fact.credit_note else None,
        "scheduled": [str(change) for change in fact.scheduled],
        "credit_added": fact.credit_added.minor,
    }
