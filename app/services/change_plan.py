"""Change the plan, the interval or the seats: exactly once for each idempotency key, and at exactly what a
token quoted.

For a customer who pays by invoice the change is made at once. For one whose payment method a gateway charges,
a change with something due now is kept as pending; `collect_payment` has it paid, outside of any transaction,
and then it is made or withdrawn.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID

from app.billing.changes import ChangeRefusal, Quote, allowed_ways, decide
from app.billing.money import Money
from app.billing.payments import OnPaymentFailure, PendingStatus
from app.billing.permissions import Actor, Permission
from app.billing.refusals import (
    IdempotencyKeyReused,
    NotFound,
    NotPermitted,
    PaymentDeclined,
    QuoteOutdated,
    VersionConflict,
)
from app.billing.requests import ChangeRequest
from app.billing.state import State
from app.services import pending_changes
from app.services.confirming import Button, Confirmed, Decided, Offer, Press, fingerprint_of
from app.services.pending_changes import press_again_seconds
from app.services.quotes import QuoteSigner
from app.store import commits, customers, pending
from app.store.pending import PendingChange
from app.store.transaction import Tx

OTHERWISE_BY_NOW: Final = "The subscription has changed meanwhile, and nothing was charged."


@dataclass(frozen=True, slots=True)
class ChangePlan(Press[ChangeRequest]):
    """The request of one confirm button."""

    on_payment_failure: OnPaymentFailure = OnPaymentFailure.PREVENT_CHANGE


@dataclass(frozen=True, slots=True)
class PlanChanged(Confirmed):
    """The plan, the interval or the seats were changed, or will be at the renewal."""


@dataclass(frozen=True, slots=True)
class PlanChangePending:
    """A change waits for its payment. The same press again tells what became of it."""

    subscription: UUID
    amount: Money
    retry_after_seconds: int


ChangePlanRefusal = (
    NotFound
    | NotPermitted
    | ChangeRefusal
    | QuoteOutdated[Offer]
    | VersionConflict
    | IdempotencyKeyReused
    | PaymentDeclined
)
ChangePlanAnswer = PlanChanged | PlanChangePending | ChangePlanRefusal
Charges = Callable[[str], bool]
"""Whether a gateway takes money by a payment method."""


def _ways(state: State, request: ChangeRequest, at: datetime) -> Iterator[tuple[ChangeRequest, Quote]]:
    for way in allowed_ways(state, request, at):
        yield replace(request, mode=way.mode, timing=way.timing), way


BUTTON: Final[Button[ChangeRequest, PlanChanged, ChangeRefusal]] = Button(
    mutation="changePlan", permission=Permission.CHANGE_PLAN, decide=decide, ways=_ways, fact=PlanChanged
)


def nobody(method: str) -> bool:  # noqa: ARG001  The signature of `Charges`.
    """Without a gateway every customer pays by invoice."""
    return False


def replayed(
    tx: Tx, actor: Actor, request: ChangePlan
) -> PlanChanged | PlanChangePending | IdempotencyKeyReused | NotPermitted | None:
    """What the key did before, by a read and before any lock; None if it is new, or to be seen to."""
    known = BUTTON.replayed(tx, actor, request)
    if known:
        return known
    mine = next((row for row in _not_closed(tx) if row.key == request.idempotency_key), None)
    if mine is None or not mine.under_way or mine.run_at <= tx.wall:
        return None
    if mine.fingerprint != fingerprint_of(request):
        return IdempotencyKeyReused(request.idempotency_key)
    return _waits(tx, mine)


def change_plan(
    tx: Tx, actor: Actor, signer: QuoteSigner, request: ChangePlan, charges: Charges = nobody
) -> PendingChange | ChangePlanAnswer:
    """Decide and write, or refuse and write nothing (renewals that were due are written all the same).

    A `PendingChange` is for the caller to have paid, with `collect_payment`.
    """
    known = BUTTON.replayed(tx, actor, request)
    if known:
        return known
    waiting = _waiting(tx, signer, request)
    if waiting is not None:
        return waiting
    decided = BUTTON.decided(tx, signer, request)
    if not isinstance(decided, Decided):
        return decided
    key, fingerprint = request.idempotency_key, fingerprint_of(request)
    method = decided.loaded.customer.payment_method
    if method and decided.quote.due_now.amount_due.minor and charges(method):
        on_failure = request.on_payment_failure
        return pending_changes.begin(
            tx, actor, decided, key=key, fingerprint=fingerprint, on_failure=on_failure
        )
    return BUTTON.write(tx, actor, decided, key=key, fingerprint=fingerprint)


def told(tx: Tx, signer: QuoteSigner, intent: UUID) -> ChangePlanAnswer:
    """What became of a pending change. One that came to nothing is told once; its key is free then."""
    row = pending_changes.of_intent(tx, intent)
    if row.under_way:
        return _waits(tx, row)
    if row.status is PendingStatus.APPLIED:
        done = commits.outcome(tx, BUTTON.mutation, row.key)
        assert done is not None, "a change is applied together with the outcome of its key"
        return BUTTON.told(tx, done)
    pending.close(tx, intent)
    if row.reason is not None:
        return PaymentDeclined(row.amount, row.reason)
    return BUTTON.outdated(tx, signer, row.subscription, row.change, OTHERWISE_BY_NOW)


def _waiting(tx: Tx, signer: QuoteSigner, request: ChangePlan) -> PendingChange | ChangePlanAnswer | None:
    """What there is to say because of changes that wait for their payment; None if none is in the way."""
    rows = _not_closed(tx)
    for row in rows:
        if row.key != request.idempotency_key:
            continue
        if row.fingerprint != fingerprint_of(request):
            return IdempotencyKeyReused(request.idempotency_key)
        return pending_changes.turn(tx, row.id) or told(tx, signer, row.id)
    others = (row for row in rows if row.subscription == request.subscription)
    under_way = next((row for row in others if row.status is PendingStatus.COLLECTING), None)
    return _waits(tx, under_way) if under_way else None


def _not_closed(tx: Tx) -> tuple[PendingChange, ...]:
    customer = customers.get(tx)
    return tuple(pending.not_closed(tx, customer.currency)) if customer else ()


def _waits(tx: Tx, row: PendingChange) -> PlanChangePending:
    return PlanChangePending(row.subscription, row.amount, press_again_seconds(tx, row))
