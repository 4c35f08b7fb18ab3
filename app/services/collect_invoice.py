"""Invoices of customers whose payment method is charged, but for those of changes that were paid first: a
renewal's, a month's collection, a resumption's, and what was changed in spite of a declined payment.

Collected after they are issued, then on days 1, 3, 5 and 7 after a first try that was declined, then left
open. Each try has an intent of its own, which is kept before the gateway is asked and is asked for again
until it is answered; so an invoice is never charged twice. What was taken and is not due any more, because
money came in otherwise meanwhile, goes back whole.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Final
from uuid import UUID

from app.billing.documents import InvoiceStatus
from app.billing.money import Money
from app.billing.payments import CollectionStatus
from app.billing.permissions import SYSTEM
from app.gateways.payments import Collected, Declined, GatewayUnavailable, PaymentGateway, in_time
from app.services.pending_changes import GIVE_UP, TURN, currency, pause_after
from app.services.record_payment import PaymentRecorded, ReceivedPayment, record_payment
from app.store import collecting, commits, customers, documents
from app.store.collecting import Collection, Intent
from app.store.commits import Happened
from app.store.transaction import Store, Tx

WAITS: Final = tuple(timedelta(days=days) for days in (1, 2, 2, 2))
"""From each try that was declined to the next: on days 1, 3, 5 and 7 after the first."""
NOT_DUE: Final = "Not so much was due any more, or no answer came for a day; the payment was given back."


async def collect_due(store: Store, gateway: PaymentGateway, customer: UUID, invoice: UUID) -> None:
    """Take the next steps of collecting an invoice, unless somebody else does or nothing is left to do."""
    row = await store.run(customer, turn, invoice, gateway.charges)
    if row is None or row.intent is None:
        return
    intent = row.intent
    try:
        if row.status is CollectionStatus.WAITING:
            answer = await in_time(gateway.collect(intent.id, intent.amount, intent.method))
            row = await store.run(customer, conclude, invoice, intent.id, answer, gateway.name)
        if row.status is CollectionStatus.REFUNDING:
            await in_time(gateway.refund(intent.id))
            await store.run(customer, withdraw, invoice, intent.id)
    except GatewayUnavailable as error:
        await store.run(customer, put_off, invoice, intent.id, str(error))


def turn(tx: Tx, invoice: UUID, charges: Callable[[str], bool]) -> Collection | None:
    """Take a turn at an invoice: begin a try, go on with the one that is under way, or give back what is not
    due any more. None if there is nothing to ask the gateway.
    """
    row = _of(tx, invoice)
    if not row.under_way or row.run_at > tx.wall:
        return None
    until, due = tx.wall + TURN, _due(tx, invoice)
    if row.intent is None:
        method = _method(tx)
        if not due.minor:
            collecting.end(tx, invoice, CollectionStatus.OVER)
            return None
        if method is None or not charges(method):
            collecting.end(tx, invoice, CollectionStatus.LEFT_OPEN)
            return None
        collecting.begin(tx, invoice, Intent(tx.new_id(), tx.wall, due, method), run_at=until)
    elif row.intent.amount != due or row.intent.at + GIVE_UP <= tx.wall:
        collecting.hold(tx, invoice, CollectionStatus.REFUNDING, run_at=until)
    else:
        collecting.hold(tx, invoice, row.status, run_at=until)
    return _of(tx, invoice)


def conclude(
    tx: Tx, invoice: UUID, intent: UUID, answer: Collected | Declined, paid_through: str
) -> Collection:
    """Record the payment, or that the try came to nothing; the row then. Once for each intent."""
    row = _of(tx, invoice)
    if row.status is not CollectionStatus.WAITING or row.intent is None or row.intent.id != intent:
        return row
    if isinstance(answer, Declined):
        _failed(tx, row, answer.reason)
    elif _due(tx, invoice) != row.intent.amount:
        collecting.hold(tx, invoice, CollectionStatus.REFUNDING, run_at=row.run_at)
    else:
        received = ReceivedPayment(invoice, row.intent.amount, paid_through, str(intent))
        recorded = record_payment(tx, SYSTEM, received)
        assert isinstance(recorded, PaymentRecorded), recorded
        collecting.end(tx, invoice, CollectionStatus.COLLECTED)
    return _of(tx, invoice)


def withdraw(tx: Tx, invoice: UUID, intent: UUID) -> None:
    """The money of a try was given back."""
    row = _of(tx, invoice)
    if row.status is CollectionStatus.REFUNDING and row.intent is not None and row.intent.id == intent:
        _failed(tx, row, NOT_DUE)


def put_off(tx: Tx, invoice: UUID, intent: UUID, error: str) -> None:
    """No answer came: the same is asked again later, each time after twice as long."""
    row = _of(tx, invoice)
    if row.under_way and row.intent is not None and row.intent.id == intent:
        collecting.put_off(tx, invoice, run_at=tx.wall + pause_after(row.attempts), error=error)


def put_off_declined(tx: Tx, invoice: UUID) -> None:
    """An invoice whose payment was declined before it was issued: that was the first try."""
    row = collecting.get(tx, invoice, currency(tx))
    if row is not None:
        _failed(tx, row, "Declined before the invoice was issued.")


def _failed(tx: Tx, row: Collection, reason: str) -> None:
    last = row.tries >= len(WAITS)
    wait = timedelta(0) if last else WAITS[row.tries]
    collecting.fail(tx, row.invoice, run_at=tx.wall + wait, reason=reason)
    detail = {"number": documents.by_id(tx, (row.invoice,))[row.invoice].number.text, "tries": row.tries + 1}
    detail["last"] = last
    commits.publish(tx, Happened("invoice.payment_failed", row.invoice, detail))
    commits.note(tx, "invoice.payment_failed", row.invoice, actor=SYSTEM.name, at=tx.at, detail=detail)
    if last:
        collecting.end(tx, row.invoice, CollectionStatus.LEFT_OPEN)


def _of(tx: Tx, invoice: UUID) -> Collection:
    found = collecting.get(tx, invoice, currency(tx))
    assert found is not None, "an invoice that is collected stays so for ever"
    return found


def _due(tx: Tx, invoice: UUID) -> Money:
    """What is open of an invoice; nothing, of one that is not open."""
    unit = currency(tx)
    found = documents.receivables(tx, (invoice,), unit)[invoice]
    return found.open if found.status is InvoiceStatus.OPEN else Money.zero(unit)


def _method(tx: Tx) -> str | None:
    customer = customers.get(tx)
    return customer.payment_method if customer else None
