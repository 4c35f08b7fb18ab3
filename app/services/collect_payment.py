"""A change that has to be paid first: pending → collect → applied or withdrawn.

    the press   decides, and keeps what it came to: nothing is changed yet
    collect     asks the gateway, outside of any transaction; the intent is the id of the row
    conclude    paid: decides again at the same instant, and makes the change if it comes to the same,
                together with the payment and the outcome of the key; else the money goes back.
                Declined: withdrawn, or made with an invoice that stays open, as was asked
    refund      gives back what was taken, then the change is withdrawn

Each step can be done again: a process that dies between any two leaves a row that says which one is next,
and the gateway does all it does once for each intent. So nothing is charged twice, nor made without being
paid. The resolver takes the steps as far as it comes in one request, the worker takes the others.
"""

from __future__ import annotations

from uuid import UUID

from app.billing.changes import Quote
from app.billing.payments import CollectionStatus, OnPaymentFailure, PendingStatus
from app.billing.requests import ChangeRequest
from app.gateways.payments import Collected, Declined, GatewayUnavailable, PaymentGateway, in_time
from app.services import pending_changes
from app.services.bring_up import load_current
from app.services.change_plan import BUTTON, ChangePlanAnswer, PlanChanged, PlanChangePending, told
from app.services.collect_invoice import put_off_declined
from app.services.confirming import Decided
from app.services.pending_changes import of_intent
from app.services.quotes import QuoteSigner
from app.services.record_payment import PaymentRecorded, ReceivedPayment, record_payment
from app.store import collecting, pending
from app.store.pending import PendingChange
from app.store.states import Loaded
from app.store.transaction import Busy, Store, Tx


async def collected(
    store: Store, gateway: PaymentGateway, signer: QuoteSigner, customer: UUID, row: PendingChange
) -> ChangePlanAnswer:
    """Have a pending change paid, in the turn that the caller has; what became of it."""
    try:
        await settle(store, gateway, customer, row)
        return await store.run(customer, told, signer, row.id)
    except Busy as busy:
        return PlanChangePending(row.subscription, row.amount, busy.retry_after_seconds)


async def settle_due(store: Store, gateway: PaymentGateway, customer: UUID, intent: UUID) -> None:
    """Take the next steps of a pending change, unless somebody else does or nothing is left to do."""
    row = await store.run(customer, pending_changes.turn, intent)
    if row is not None:
        await settle(store, gateway, customer, row)


async def settle(store: Store, gateway: PaymentGateway, customer: UUID, row: PendingChange) -> None:
    """Take the steps that are left, as far as the gateway answers; else they are put off."""
    try:
        if row.status is PendingStatus.COLLECTING:
            answer = await in_time(gateway.collect(row.id, row.amount, row.method))
            row = await store.run(customer, conclude, row.id, answer, gateway.name)
        if row.status is PendingStatus.REFUNDING:
            await in_time(gateway.refund(row.id))
            await store.run(customer, withdraw, row.id)
    except GatewayUnavailable as error:
        await store.run(customer, pending_changes.put_off, row.id, str(error))


def conclude(tx: Tx, intent: UUID, answer: Collected | Declined, paid_through: str) -> PendingChange:
    """Make the change that was paid, or see to it that it is withdrawn; the row then. Once: what came to an
    end before stays so.
    """
    row = of_intent(tx, intent)
    if row.status is not PendingStatus.COLLECTING:
        return row
    if isinstance(answer, Declined) and row.on_failure is OnPaymentFailure.PREVENT_CHANGE:
        return _withdrawn(tx, row, answer.reason)
    decided = _decided_again(tx, row)
    if decided is None and isinstance(answer, Declined):
        return _withdrawn(tx, row, None)
    if decided is None:
        pending.move(tx, intent, PendingStatus.REFUNDING)
        return of_intent(tx, intent)
    fact = BUTTON.write(tx, row.actor, decided, key=row.key, fingerprint=row.fingerprint)
    if isinstance(answer, Collected):
        _record(tx, row, fact, paid_through)
    elif fact.invoice is not None:
        put_off_declined(tx, fact.invoice)
    reason = answer.reason if isinstance(answer, Declined) else None
    pending.move(tx, intent, PendingStatus.APPLIED, reason=reason, closed=True)
    return of_intent(tx, intent)


def withdraw(tx: Tx, intent: UUID) -> PendingChange:
    """The money was given back."""
    row = of_intent(tx, intent)
    return _withdrawn(tx, row, row.reason) if row.status is PendingStatus.REFUNDING else row


def _withdrawn(tx: Tx, row: PendingChange, reason: str | None) -> PendingChange:
    pending.move(tx, row.id, PendingStatus.WITHDRAWN, reason=reason)
    pending_changes.note(tx, row, "change.withdrawn")
    return of_intent(tx, row.id)


def _decided_again(tx: Tx, row: PendingChange) -> Decided[ChangeRequest] | None:
    """The change decided on today's data at the instant of the press, if it still comes to the same."""
    loaded = load_current(tx, row.subscription, row.decided_at)
    if not isinstance(loaded, Loaded) or row.decided_at not in loaded.state.subscription.period:
        return None
    quote = BUTTON.decide(loaded.state, row.change, row.decided_at)
    if not isinstance(quote, Quote):
        return None
    decided = Decided(row.change, loaded, quote)
    return decided if pending_changes.digest_of(decided) == row.digest else None


def _record(tx: Tx, row: PendingChange, fact: PlanChanged, paid_through: str) -> None:
    assert fact.invoice is not None, "what was due now stands on an invoice"
    received = ReceivedPayment(fact.invoice, row.amount, paid_through, str(row.id))
    recorded = record_payment(tx, row.actor, received)
    assert isinstance(recorded, PaymentRecorded), recorded
    assert recorded.open.minor == 0, "what was shown as due is all that the invoice is due"
    collecting.end(tx, fact.invoice, CollectionStatus.COLLECTED)
