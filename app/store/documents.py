"""Documents, what is still due on invoices, and the rendered files. A document row is final; its receivable
is what moves.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, bindparam, func, insert, select, tuple_, update
from sqlalchemy.engine import Row

from app.billing.documents import DocumentKind, InvoiceStatus, Totals, VoidReason
from app.billing.money import CURRENCIES, Currency, Money
from app.billing.parties import BillingDetails, Seller
from app.billing.taxes import TaxAmount, TaxTreatment
from app.store.frozen import from_json, to_json
from app.store.keyed import keyed
from app.store.opened import Opened
from app.store.sheet import Number, Sheet
from app.store.tables import (
    credit_entry,
    document,
    document_view,
    payment,
    receivable,
    reduction,
    render_job,
)
from app.store.transaction import Tx

_OF_INVOICE = (
    receivable.c.customer_id == bindparam("of_customer", type_=receivable.c.customer_id.type),
    receivable.c.invoice_id == bindparam("of_invoice", type_=receivable.c.invoice_id.type),
)
_BY = bindparam("by", type_=receivable.c.open.type)
_REST = receivable.c.open - _BY
CREDITED = update(receivable).where(*_OF_INVOICE).values(credited=receivable.c.credited + _BY, open=_REST)
PAID = update(receivable).where(*_OF_INVOICE).values(paid=receivable.c.paid + _BY, open=_REST)
SETTLED = (
    update(receivable)
    .where(*_OF_INVOICE, receivable.c.open == 0, receivable.c.status == InvoiceStatus.OPEN)
    .values(status=InvoiceStatus.PAID, paid_at=bindparam("at", type_=receivable.c.paid_at.type))
)
"""What moves a receivable, by `of_customer` and `of_invoice`: so much was credited or paid (`by`), and what
has nothing left to pay is settled (`at`).
"""


@dataclass(frozen=True, slots=True)
class Document:
    """A final document as it was issued. `due_on` is the day a credit note was issued, too."""

    id: UUID
    subscription: UUID
    kind: DocumentKind
    number: Number
    issued_at: datetime
    issued_on: date
    due_on: date
    totals: Totals
    credit_added: Money
    seller: Seller
    buyer: BillingDetails
    locale: str

    @property
    def currency(self) -> Currency:
        return self.totals.total.currency


@dataclass(frozen=True, slots=True)
class Issued:
    """A document by its number, and what is still due on it; None for a credit note."""

    id: UUID
    number: str
    open: Money | None


@dataclass(frozen=True, slots=True)
class Receivable:
    """What became of an invoice's amount due: paid, credited by credit notes, still open."""

    status: InvoiceStatus
    paid: Money
    credited: Money
    open: Money
    paid_at: datetime | None
    voided_at: datetime | None
    void_reason: VoidReason | None = None


@dataclass(frozen=True, slots=True)
class InvoiceFilter:
    """Which invoices a list shows; empty and None do not narrow. Days are the days of issue, `until`
    included.
    """

    statuses: tuple[InvoiceStatus, ...] = ()
    issued_from: date | None = None
    issued_until: date | None = None
    search: str | None = None


def add(sheet: Sheet, tx: Tx, new: Document, view: str) -> None:
    """Record a final document, the view it is rendered from, and the wish to render it."""
    of_document = {"customer_id": tx.customer, "document_id": new.id}
    sheet.add(document, _values(tx, new))
    sheet.add(document_view, {**of_document, "view": view})
    sheet.add(render_job, {**of_document, "created_at": tx.wall, "run_at": tx.wall, "attempts": 0})


def _values(tx: Tx, new: Document) -> dict[str, Any]:
    totals = new.totals
    return {
        "customer_id": tx.customer,
        "id": new.id,
        "subscription_id": new.subscription,
        "kind": new.kind,
        "number": new.number.text,
        "series": new.number.series,
        "sequence": new.number.sequence,
        "issued_at": new.issued_at,
        "recorded_at": tx.at,
        "issued_on": new.issued_on,
        "due_on": new.due_on,
        "currency": new.currency.code,
        "subtotal": totals.subtotal.minor,
        "tax": totals.tax.minor,
        "total": totals.total.minor,
        "credit_applied": totals.credit_applied.minor,
        "amount_due": totals.amount_due.minor,
        "credit_added": new.credit_added.minor,
        "taxes": to_json(tuple((t.treatment, t.base.minor, t.amount.minor) for t in totals.taxes)),
        "seller": _seller_json(new.seller),
        "buyer": to_json(new.buyer),
        "locale": new.locale,
    }


@lru_cache(16)
def _seller_json(seller: Seller) -> Any:
    return to_json(seller)


def open_receivable(sheet: Sheet, tx: Tx, invoice: Document) -> None:
    """What an invoice is due; one that credit paid wholly is paid at once."""
    due = invoice.totals.amount_due.minor
    row = {
        "customer_id": tx.customer,
        "invoice_id": invoice.id,
        "status": InvoiceStatus.OPEN if due else InvoiceStatus.PAID,
        "paid": 0,
        "credited": 0,
        "open": due,
        "paid_at": None if due else invoice.issued_at,
    }
    sheet.add(receivable, row)


def reduce(
    sheet: Sheet, tx: Tx, credit_note: UUID, reductions: Iterable[tuple[UUID, Money]], at: datetime
) -> None:
    """A credit note takes from what is due on invoices; one with nothing left to pay is settled."""
    for invoice, amount in reductions:
        key = {"customer_id": tx.customer, "credit_note_id": credit_note, "invoice_id": invoice}
        sheet.add(reduction, {**key, "amount": amount.minor})
        if amount.minor:
            of_invoice = {"of_customer": tx.customer, "of_invoice": invoice}
            sheet.step(CREDITED, {**of_invoice, "by": amount.minor})
            sheet.step(SETTLED, {**of_invoice, "at": at})


def pay(
    tx: Tx, invoice: UUID, amount: Money, *, method: str, reference: str | None, paid_at: datetime
) -> None:
    """Record money that came in for an invoice."""
    tx.connection.execute(
        insert(payment).values(
            customer_id=tx.customer,
            id=tx.new_id(),
            invoice_id=invoice,
            amount=amount.minor,
            method=method,
            reference=reference,
            paid_at=paid_at,
            recorded_at=tx.at,
        )
    )
    of_invoice = {"of_customer": tx.customer, "of_invoice": invoice}
    tx.connection.execute(PAID, {**of_invoice, "by": amount.minor})
    tx.connection.execute(SETTLED, {**of_invoice, "at": paid_at})


def void(sheet: Sheet, tx: Tx, invoice: UUID, reason: VoidReason, at: datetime) -> None:
    """An invoice is void from an instant on: nothing is due on it any more. What was open then stays told."""
    key = {"customer_id": tx.customer, "invoice_id": invoice}
    sheet.change(receivable, key, {"status": InvoiceStatus.VOID, "voided_at": at, "void_reason": reason})


def add_credit(sheet: Sheet, tx: Tx, document_id: UUID, amount: Money, at: datetime) -> None:
    """A movement of the credit balance: added by a credit note, or (negative) applied to an invoice."""
    row = {
        "customer_id": tx.customer,
        "id": tx.new_id(),
        "amount": amount.minor,
        "document_id": document_id,
        "effective_at": at,
        "recorded_at": tx.at,
    }
    sheet.add(credit_entry, row)


def issued(wanted: Iterable[tuple[Opened, Iterable[UUID]]]) -> dict[UUID, dict[UUID, Issued]]:
    """Documents with what is still due on them, by subscription. Void and uncollectible invoices are due
    nothing.
    """
    owners = {(opened.tx.customer, id): opened for opened, ids in wanted for id in ids}
    found: dict[UUID, dict[UUID, Issued]] = defaultdict(dict)
    if not owners:
        return found
    keys = keyed(document, ("id",), ((opened.tx, id) for (_, id), opened in owners.items()))
    same = (receivable.c.customer_id == document.c.customer_id) & (receivable.c.invoice_id == document.c.id)
    columns = (document.c.customer_id, document.c.id, document.c.number)
    query = keys.rows_of(document, *columns, receivable.c.open, receivable.c.status, by=("id",))
    for row in keys.execute(query.outerjoin(receivable, same)):
        owner = owners[row.customer_id, row.id]
        found[owner.id][row.id] = _issued(row, owner.currency)
    return found


def _issued(row: Any, currency: Currency) -> Issued:
    due = row.open if row.status is InvoiceStatus.OPEN else 0
    return Issued(row.id, row.number, None if row.status is None else Money(due, currency))


def overdue(tx: Tx, subscription_id: UUID, today: date) -> bool:
    """Whether an invoice of a subscription is open although it was due before a day, the seller's today."""
    same = (receivable.c.customer_id == document.c.customer_id) & (receivable.c.invoice_id == document.c.id)
    query = (
        select(document.c.id)
        .select_from(receivable.join(document, same))
        .where(
            receivable.c.customer_id == tx.customer,
            receivable.c.status == InvoiceStatus.OPEN,
            document.c.subscription_id == subscription_id,
            document.c.due_on < today,
        )
        .limit(1)
    )
    return tx.connection.execute(query).first() is not None


def by_id(tx: Tx, ids: Iterable[UUID]) -> dict[UUID, Document]:
    """Documents by id; those that are not there are left out."""
    query = select(document).where(document.c.customer_id == tx.customer, document.c.id.in_(tuple(ids)))
    return {row.id: _document(row) for row in tx.connection.execute(query)}


def invoices_page(
    tx: Tx, narrow: InvoiceFilter, *, limit: int, before: tuple[datetime, UUID] | None
) -> list[Document]:
    """Invoices, newest first, from before a key."""
    query = select(document).where(
        document.c.customer_id == tx.customer, document.c.kind == DocumentKind.INVOICE, *_narrowed(narrow)
    )
    if narrow.statuses:
        same = (receivable.c.customer_id == document.c.customer_id) & (
            receivable.c.invoice_id == document.c.id
        )
        query = query.join(receivable, same).where(receivable.c.status.in_(narrow.statuses))
    return _page(tx, query, limit=limit, before=before)


def credit_notes_page(tx: Tx, *, limit: int, before: tuple[datetime, UUID] | None) -> list[Document]:
    """Credit notes, newest first, from before a key."""
    query = select(document).where(
        document.c.customer_id == tx.customer, document.c.kind == DocumentKind.CREDIT_NOTE
    )
    return _page(tx, query, limit=limit, before=before)


def recorded_since(tx: Tx, since: datetime) -> list[Document]:
    """All documents that were recorded after an instant of the customer's clock, in the order of issue."""
    query = select(document).where(document.c.customer_id == tx.customer, document.c.recorded_at > since)
    in_order = query.order_by(document.c.issued_at, document.c.id)
    return [_document(row) for row in tx.connection.execute(in_order)]


def receivables(tx: Tx, invoices: Iterable[UUID], currency: Currency) -> dict[UUID, Receivable]:
    """What became of invoices, by invoice."""
    query = select(receivable).where(
        receivable.c.customer_id == tx.customer, receivable.c.invoice_id.in_(tuple(invoices))
    )
    return {
        row.invoice_id: Receivable(
            row.status,
            Money(row.paid, currency),
            Money(row.credited, currency),
            Money(0 if row.status is InvoiceStatus.VOID else row.open, currency),
            row.paid_at,
            row.voided_at,
            row.void_reason,
        )
        for row in tx.connection.execute(query)
    }


def credit_notes_of(tx: Tx, invoices: Iterable[UUID]) -> dict[UUID, list[UUID]]:
    """The credit notes that reverse lines of invoices, oldest first."""
    query = (
        select(reduction.c.invoice_id, reduction.c.credit_note_id)
        .where(reduction.c.customer_id == tx.customer, reduction.c.invoice_id.in_(tuple(invoices)))
        .order_by(reduction.c.credit_note_id)
    )
    found: dict[UUID, list[UUID]] = {}
    for row in tx.connection.execute(query):
        found.setdefault(row.invoice_id, []).append(row.credit_note_id)
    return found


def invoices_of(tx: Tx, credit_notes: Iterable[UUID]) -> dict[UUID, list[UUID]]:
    """The invoices whose lines credit notes reverse, oldest first."""
    query = (
        select(reduction.c.invoice_id, reduction.c.credit_note_id)
        .where(reduction.c.customer_id == tx.customer, reduction.c.credit_note_id.in_(tuple(credit_notes)))
        .order_by(reduction.c.invoice_id)
    )
    found: dict[UUID, list[UUID]] = {}
    for row in tx.connection.execute(query):
        found.setdefault(row.credit_note_id, []).append(row.invoice_id)
    return found


def _narrowed(narrow: InvoiceFilter) -> Sequence[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if narrow.issued_from is not None:
        conditions.append(document.c.issued_on >= narrow.issued_from)
    if narrow.issued_until is not None:
        conditions.append(document.c.issued_on <= narrow.issued_until)
    if narrow.search:
        conditions.append(func.lower(document.c.number).contains(narrow.search.lower(), autoescape=True))
    return conditions


def _page(tx: Tx, query: Any, *, limit: int, before: tuple[datetime, UUID] | None) -> list[Document]:
    if before is not None:
        query = query.where(tuple_(document.c.issued_at, document.c.id) < before)
    newest_first = query.order_by(document.c.issued_at.desc(), document.c.id.desc()).limit(limit)
    return [_document(row) for row in tx.connection.execute(newest_first)]


def _document(row: Row[Any]) -> Document:
    currency = CURRENCIES[row.currency]
    totals = Totals(
        subtotal=Money(row.subtotal, currency),
        taxes=tuple(
            TaxAmount(from_json(treatment, TaxTreatment), Money(base, currency), Money(amount, currency))
            for treatment, base, amount in row.taxes
        ),
        tax=Money(row.tax, currency),
        total=Money(row.total, currency),
        credit_applied=Money(row.credit_applied, currency),
        amount_due=Money(row.amount_due, currency),
    )
    return Document(
        id=row.id,
        subscription=row.subscription_id,
        kind=row.kind,
        number=Number(row.series, row.sequence, row.number),
        issued_at=row.issued_at,
        issued_on=row.issued_on,
        due_on=row.due_on,
        totals=totals,
        credit_added=Money(row.credit_added, currency),
        seller=from_json(row.seller, Seller),
        buyer=from_json(row.buyer, BillingDetails),
        locale=row.locale,
    )
