"""Write a credit note by hand, against an invoice: for goodwill, or for what is too old to be corrected.

It first takes off what is still due on the invoice; the rest goes to the credit balance.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

from app.billing.documents import DocumentKind, InvoiceStatus, LineRef, drafts_of
from app.billing.handwritten import Credited, handwritten
from app.billing.lines import BilledLine
from app.billing.money import Money, total
from app.billing.permissions import Actor
from app.billing.refusals import BillingDetailsMissing, InvalidInput, NotFound, Problem
from app.billing.state import Posting
from app.services import postings
from app.services.bring_up import instant, load_current
from app.store import commits, documents, lines, reversals
from app.store.documents import Document
from app.store.lines import StoredLine
from app.store.states import Loaded
from app.store.transaction import Tx

REASON_MAX: Final = 200
OPEN_TO_CREDIT: Final = frozenset({InvoiceStatus.OPEN, InvoiceStatus.PAID})


@dataclass(frozen=True, slots=True)
class CreditWanted:
    """How much is taken off which invoice, before tax, and why; None is all that is left of the line, or of
    the whole invoice.
    """

    invoice: UUID
    reason: str
    amount: Money | None = None
    line: UUID | None = None


@dataclass(frozen=True, slots=True)
class CreditNoteWritten:
    """The credit note."""

    document: Document


@dataclass(frozen=True, slots=True)
class _Left:
    """What can still be taken off an invoice, and off each of its charges; before tax."""

    all: Money
    charges: tuple[BilledLine, ...]

    def of(self, line: UUID | None) -> _Left:
        """What is left of one line; all, if none is named."""
        charges = tuple(billed for billed in self.charges if line in {None, billed.id})
        lefts = total((billed.left for billed in charges), self.all.currency)
        return _Left(min(self.all, lefts), charges)


CreditRefusal = NotFound | InvalidInput | BillingDetailsMissing


def write_credit_note(tx: Tx, actor: Actor, wanted: CreditWanted) -> CreditNoteWritten | CreditRefusal:
    """Write it, or say why not: nothing above what is left, and nothing off a void invoice."""
    found = documents.by_id(tx, (wanted.invoice,)).get(wanted.invoice)
    invoice = found if found and found.kind is DocumentKind.INVOICE else None
    loaded = load_current(tx, invoice.subscription, instant(tx)) if invoice else None
    if invoice is None or loaded is None:
        return NotFound("invoice")
    if not isinstance(loaded, Loaded):
        return loaded
    if loaded.state.buyer.missing:
        return BillingDetailsMissing(loaded.state.buyer.missing)
    stored = lines.by_document(tx, (invoice.id,), invoice.currency)[invoice.id]
    if wanted.line is not None and wanted.line not in {line.id for line in stored}:
        return NotFound("line")
    left = _left(tx, invoice, stored).of(wanted.line)
    amount = wanted.amount or left.all
    problem = _problem(tx, invoice, wanted, amount, left)
    if problem is not None:
        return InvalidInput((problem,))
    return _write(tx, actor, loaded, invoice, Credited(amount, wanted.reason, _cycle(loaded)), left)


def _left(tx: Tx, invoice: Document, stored: list[StoredLine]) -> _Left:
    credits_ = reversals.reversing(tx, (line.id for line in stored), invoice.currency)
    taken: dict[UUID, Money] = {}
    for credit in credits_:
        assert credit.line.reverses is not None, "it was found by what it reverses"
        before = taken.get(credit.line.reverses, Money.zero(invoice.currency))
        taken[credit.line.reverses] = before + credit.line.amount
    outside = (each.line.amount for each in credits_ if each.document != invoice.id)
    remaining = invoice.totals.subtotal + total(outside, invoice.currency)
    billed = (_billed(line, taken) for line in stored if line.line.amount.minor > 0)
    return _Left(remaining, tuple(each for each in billed if each.left.minor > 0))


def _billed(stored: StoredLine, taken: Mapping[UUID, Money]) -> BilledLine:
    line = stored.line
    left = line.amount + taken.get(stored.id, Money.zero(line.amount.currency))
    return BilledLine(stored.id, line, stored.document, left, line.quantity, stored.effective_at)


def _problem(tx: Tx, invoice: Document, wanted: CreditWanted, amount: Money, left: _Left) -> Problem | None:
    number = invoice.number.text
    status = documents.receivables(tx, (invoice.id,), invoice.currency)[invoice.id].status
    if status not in OPEN_TO_CREDIT:
        return Problem("invoice", f"Invoice {number} is {status.value.lower()}; nothing is owed back on it.")
    if not 1 <= len(wanted.reason) <= REASON_MAX or not wanted.reason.isprintable():
        return Problem("reason", f"Give a reason of 1 to {REASON_MAX} characters; the credit note says it.")
    if not 0 < amount.minor <= left.all.minor:
        told = f"{left.all} before tax is left of it to be credited"
        return Problem("amount", f"{told}; {amount} cannot be." if wanted.amount else f"{told}.")
    return None


def _write(
    tx: Tx, actor: Actor, loaded: Loaded, invoice: Document, credited: Credited, left: _Left
) -> CreditNoteWritten:
    made = handwritten(left.charges, credited)
    due = documents.receivables(tx, (invoice.id,), invoice.currency)[invoice.id].open
    state = replace(loaded.state, invoices={**loaded.state.invoices, invoice.id: due})
    refs = [LineRef(line, new=i, invoice=invoice.id) for i, line in enumerate(made)]
    drafts = drafts_of(refs, credit=state.credit, open_amounts=state.invoices)
    posting = Posting(instant(tx), state.subscription.changed(), state.price, lines=made, drafts=drafts)
    numbers = {**loaded.numbers, invoice.id: invoice.number.text}
    known = replace(loaded, state=state, numbers=numbers)
    (document,) = postings.write(tx, known, posting, actor=actor).documents
    detail = {"number": document.number.text, "invoice": invoice.number.text, "reason": credited.reason}
    commits.note(tx, "credit_note.written", document.id, actor=actor.name, at=posting.at, detail=detail)
    return CreditNoteWritten(document)


def _cycle(loaded: Loaded) -> int:
    return loaded.state.subscription.cycle
