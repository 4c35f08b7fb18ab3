"""Void an invoice that nobody has paid: it was wrong (`REISSUE`), or the seller gives up the claim (`WAIVE`).

The document stays as it is for ever; only its receivable says that nothing is due on it. Credit that had paid
a part of it goes back to the balance.

A line never leaves its document. With `REISSUE` each line of the invoice is therefore appended again, as one
that waits and names the old; it is the same charge at the same instant, so it explains itself by the same
events, and it can be credited like any other, while the old one no longer counts. With `WAIVE` nothing is
appended: what the invoice charged counts as billed and given up, so it is not charged again, and as nothing
was paid for it, nothing of it is ever credited; what the invoice gave back of others stays given back.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from app.billing.documents import InvoiceStatus, VoidReason
from app.billing.permissions import Actor
from app.billing.refusals import BillingDetailsMissing, InvalidInput, NotFound, Problem
from app.billing.subscriptions import SubscriptionStatus
from app.services import postings
from app.services.bring_up import instant, load_current
from app.store import commits, customers, documents, lines, reversals, states, subscriptions
from app.store.commits import Happened
from app.store.documents import Document, Receivable
from app.store.lines import StoredLine
from app.store.saving import save
from app.store.sheet import Sheet
from app.store.states import Loaded
from app.store.transaction import Tx


@dataclass(frozen=True, slots=True)
class VoidInvoice:
    """Which invoice is to be void, and why."""

    invoice: UUID
    reason: VoidReason


@dataclass(frozen=True, slots=True)
class InvoiceVoided:
    """The invoice, and how many of its lines wait again."""

    invoice: UUID
    waiting: int


VoidRefusal = NotFound | InvalidInput | BillingDetailsMissing


def void_invoice(tx: Tx, actor: Actor, wanted: VoidInvoice) -> InvoiceVoided | VoidRefusal:
    """Void an open invoice of which nothing was paid or credited; else refused, and nothing changes."""
    invoice = documents.by_id(tx, (wanted.invoice,)).get(wanted.invoice)
    loaded = load_current(tx, invoice.subscription, instant(tx)) if invoice else None
    if invoice is None or loaded is None:
        return NotFound("invoice")
    if not isinstance(loaded, Loaded):
        return loaded
    due = documents.receivables(tx, (invoice.id,), invoice.currency).get(invoice.id)
    if due is None:
        return NotFound("invoice")
    stored = lines.by_document(tx, (invoice.id,), invoice.currency)[invoice.id]
    problem = _problem(tx, invoice, due, stored)
    if problem is None and wanted.reason is VoidReason.REISSUE:
        problem = _nowhere_to_wait(loaded)
    if problem is not None:
        return InvalidInput((problem,))
    _void(tx, actor, invoice, wanted.reason, stored)
    if wanted.reason is VoidReason.WAIVE:
        return InvoiceVoided(invoice.id, waiting=0)
    _due_again(tx, invoice.subscription)
    return InvoiceVoided(invoice.id, waiting=len(stored))


def _problem(tx: Tx, invoice: Document, due: Receivable, stored: list[StoredLine]) -> Problem | None:
    """Why the invoice cannot be void any more."""
    number = invoice.number.text
    if due.status is not InvoiceStatus.OPEN:
        return Problem("invoice", f"Invoice {number} is {due.status.value.lower()}; only open ones are void.")
    if due.paid.minor:
        return Problem("invoice", f"{due.paid} came in for invoice {number}. Write a credit note instead.")
    outside = [
        line
        for line in reversals.reversing(tx, (each.id for each in stored), invoice.currency)
        if line.document != invoice.id
    ]
    if outside or documents.credit_notes_of(tx, (invoice.id,)):
        told = f"Something of invoice {number} was credited. Write a credit note for the rest."
        return Problem("invoice", told)
    return None


def _nowhere_to_wait(loaded: Loaded) -> Problem | None:
    """No document comes any more for a subscription that has ended."""
    if loaded.state.subscription.status is not SubscriptionStatus.ENDED:
        return None
    return Problem("reason", "The subscription has ended, so no document would take the lines. Waive it.")


def _void(tx: Tx, actor: Actor, invoice: Document, reason: VoidReason, stored: list[StoredLine]) -> None:
    at, sheet, applied = instant(tx), Sheet(), invoice.totals.credit_applied
    documents.void(sheet, tx, invoice.id, reason, at)
    if applied.minor:
        documents.add_credit(sheet, tx, invoice.id, applied, at)
        customers.move_credit(sheet, tx, applied)
    if reason is VoidReason.REISSUE:
        ids = {line.id: tx.new_id() for line in stored}
        lines.reissue(sheet, tx, invoice.subscription, stored, ids)
        named = reversals.named_events(tx, ids)
        lines.link_events(sheet, tx, ((ids[line], event) for line, event in named))
    facts = {"number": invoice.number.text, "reason": reason.value}
    commits.announce(sheet, tx, Happened("invoice.voided", invoice.id, facts))
    commits.put_on_record(sheet, tx, "invoice.voided", invoice.id, actor=actor.name, at=at, detail=facts)
    save(tx.connection, sheet)


def _due_again(tx: Tx, subscription: UUID) -> None:
    """Lines that wait again may be due before the period ends."""
    loaded = states.load(tx, subscription, lock=True)
    assert loaded is not None, "the invoice is one of this subscription"
    due_at = postings.due_in_wall_time(loaded.state, loaded.customer.clock_offset)
    subscriptions.set_due(tx, subscription, due_at)
