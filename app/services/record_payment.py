"""Money that came in for an invoice."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.billing.documents import InvoiceStatus
from app.billing.money import Money
from app.billing.permissions import Actor
from app.billing.refusals import InvalidInput, NotFound, Problem
from app.services.bring_up import instant
from app.store import commits, documents
from app.store.commits import Happened
from app.store.transaction import Tx


@dataclass(frozen=True, slots=True)
class ReceivedPayment:
    """How much came in for which invoice, and how. `amount` None: all that is open; `paid_at` None: now."""

    invoice: UUID
    amount: Money | None = None
    method: str = "bank transfer"
    reference: str | None = None
    paid_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class PaymentRecorded:
    """What is still open after it."""

    invoice: UUID
    open: Money


def record_payment(
    tx: Tx, actor: Actor, received: ReceivedPayment
) -> PaymentRecorded | NotFound | InvalidInput:
    """Record a payment. Refused if the invoice is not open, or less is open than came in."""
    invoice = documents.by_id(tx, (received.invoice,)).get(received.invoice)
    due = documents.receivables(tx, (received.invoice,), invoice.currency) if invoice else {}
    if invoice is None or received.invoice not in due:
        return NotFound("invoice")
    receivable = due[received.invoice]
    amount = received.amount or receivable.open
    if receivable.status is not InvoiceStatus.OPEN:
        message = (
            f"Invoice {invoice.number.text} is {receivable.status.value.lower()}; only open ones are paid."
        )
        return InvalidInput((Problem("invoice", message),))
    if not 0 < amount.minor <= receivable.open.minor:
        return InvalidInput((Problem("amount", f"{receivable.open} is open; {amount} cannot be recorded."),))
    paid_at = received.paid_at or instant(tx)
    if paid_at > tx.at:
        return InvalidInput((Problem("paidAt", "Money cannot have come in in the future."),))
    documents.pay(
        tx, invoice.id, amount, method=received.method, reference=received.reference, paid_at=paid_at
    )
    if amount == receivable.open:
        commits.publish(tx, Happened("invoice.paid", invoice.id, {"number": invoice.number.text}))
    detail = {"number": invoice.number.text, "amount": amount.minor}
    commits.note(tx, "invoice.paid", invoice.id, actor=actor.name, at=paid_at, detail=detail)
    return PaymentRecorded(invoice.id, receivable.open - amount)
