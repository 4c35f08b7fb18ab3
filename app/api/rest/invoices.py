"""Invoices as the vendor's bookkeeping needs them: which there are, and that they were paid."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Final
from uuid import UUID

from litestar import Response, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import Meta

from app.api.errors import PublicError
from app.api.ids import Kind, encode
from app.api.pages import Cursors
from app.api.rest.bodies import Amount, Answer, Body, BodyWrong, Instant, Money, Name, Text, amount_of
from app.api.rest.describing import described
from app.api.rest.desk import REPLAYED_HEADER, AtDesk, IdempotencyKey
from app.api.rest.problems import Refusal
from app.billing import money
from app.billing.documents import DocumentKind, InvoiceStatus, VoidReason
from app.billing.refusals import NotFound
from app.services import void_invoice as voiding
from app.services.api_keys import Scope
from app.services.record_payment import PaymentRecorded, ReceivedPayment, record_payment
from app.services.void_invoice import InvoiceVoided, VoidInvoice
from app.store import documents
from app.store.documents import Document, InvoiceFilter, Receivable
from app.store.transaction import Tx

TAG: Final = ("invoices", "What is billed, paid, void or credited.")
PAGE_MAX: Final = 100
CURSORS: Final = Cursors("api invoices", (datetime, UUID))


class DocumentAnswer(Answer):
    """A document that was made."""

    id: str
    kind: DocumentKind
    number: str
    issued_on: Annotated[date, Meta(description="In the seller's zone.")]
    total: Money

    @classmethod
    def of(cls, document: Document) -> DocumentAnswer:
        """What is told of a document in short."""
        return cls(
            id=document_id(document),
            kind=document.kind,
            number=document.number.text,
            issued_on=document.issued_on,
            total=Money.of(document.totals.total),
        )


class InvoiceAnswer(Answer):
    """An invoice, and what became of it."""

    id: str
    number: str
    status: InvoiceStatus
    issued_on: Annotated[date, Meta(description="In the seller's zone.")]
    due_on: date
    subtotal: Money
    tax: Money
    total: Money
    credit_applied: Annotated[Money, Meta(description="Paid by the credit balance when it was issued.")]
    paid: Money
    credited: Annotated[Money, Meta(description="Taken off by credit notes.")]
    open: Money
    paid_at: datetime | None
    voided_at: datetime | None
    void_reason: VoidReason | None

    @classmethod
    def of(cls, invoice: Document, due: Receivable) -> InvoiceAnswer:
        """What is told of an invoice."""
        totals = invoice.totals
        return cls(
            id=document_id(invoice),
            number=invoice.number.text,
            status=due.status,
            issued_on=invoice.issued_on,
            due_on=invoice.due_on,
            subtotal=Money.of(totals.subtotal),
            tax=Money.of(totals.tax),
            total=Money.of(totals.total),
            credit_applied=Money.of(totals.credit_applied),
            paid=Money.of(due.paid),
            credited=Money.of(due.credited),
            open=Money.of(due.open),
            paid_at=due.paid_at,
            voided_at=due.voided_at,
            void_reason=due.void_reason,
        )


class InvoicesAnswer(Answer):
    """A page of invoices, newest first."""

    invoices: list[InvoiceAnswer]
    next: Annotated[str, Meta(description="`after` of the next page; null on the last one.")] | None


class PaymentBody(Body):
    """Money that came in."""

    amount: Annotated[Amount, Meta(description="All that is open if left out.")] | None = None
    method: Name = "bank transfer"
    reference: Text | None = None
    paid_at: Annotated[Instant, Meta(description="Now if left out.")] | None = None


class VoidBody(Body):
    """Why an invoice is to be void."""

    reason: Annotated[
        VoidReason,
        Meta(description="REISSUE: its lines wait for another document. WAIVE: the claim is given up."),
    ]


@get(
    "/invoices",
    **described(Scope.INVOICES_READ, 400, 404),
    tags=[TAG[0]],
    summary="List invoices",
)
async def list_invoices(
    desk: AtDesk,
    customer: Annotated[str, QueryParameter(description="Your own id of the customer.")],
    status: Annotated[InvoiceStatus | None, QueryParameter(description="Only those in this status.")] = None,
    first: Annotated[int, QueryParameter(ge=1, le=PAGE_MAX, description="How many at most.")] = 20,
    after: Annotated[str | None, QueryParameter(description="`next` of the page before.")] = None,
) -> InvoicesAnswer:
    """The invoices of a customer, newest first. Needs `invoices:read`."""
    try:
        before = CURSORS.decode(after) if after is not None else None
    except PublicError:
        raise BodyWrong("after: This is no cursor of this list. Take `next` of the page before.") from None
    narrow = InvoiceFilter(statuses=(status,) if status else ())
    return await desk.read(await desk.customer(customer), _page, narrow, first, before)


@post(
    "/invoices/{invoice:str}/payments",
    **described(Scope.INVOICES_WRITE, 400, 404, 409, 415, 422),
    response_headers=[REPLAYED_HEADER],
    status_code=201,
    tags=[TAG[0]],
    summary="Record a payment",
)
async def pay_invoice(
    desk: AtDesk,
    invoice: FromPath[str],
    data: JSONBody[PaymentBody],
    idempotency_key: IdempotencyKey = None,
) -> Response[InvoiceAnswer]:
    """Money came in for an invoice, all of what is open or a part of it. Needs `invoices:write`."""
    customer, id = await desk.invoice(invoice)

    def deed(tx: Tx) -> InvoiceAnswer | Refusal:
        found = documents.by_id(tx, (id,)).get(id)
        if found is None:
            return NotFound("invoice")
        amount = amount_of("amount", data.amount, found.currency) if data.amount is not None else None
        if not isinstance(amount, money.Money | None):
            return amount
        received = ReceivedPayment(id, amount, data.method, data.reference, data.paid_at)
        done = record_payment(tx, desk.actor, received)
        return invoice_answer(tx, id) if isinstance(done, PaymentRecorded) else done

    return await desk.done(
        customer,
        deed,
        kind=InvoiceAnswer,
        operation="recordPayment",
        key=idempotency_key,
        sent=(invoice, data),
        status=201,
    )


@post(
    "/invoices/{invoice:str}/void",
    **described(Scope.INVOICES_WRITE, 400, 404, 409, 415, 422),
    response_headers=[REPLAYED_HEADER],
    status_code=200,
    tags=[TAG[0]],
    summary="Void an invoice",
)
async def void_invoice(
    desk: AtDesk,
    invoice: FromPath[str],
    data: JSONBody[VoidBody],
    idempotency_key: IdempotencyKey = None,
) -> Response[InvoiceAnswer]:
    """Nothing is due any more on an open invoice of which nothing was paid or credited; the document stays as
    it is. Needs `invoices:write`.
    """
    customer, id = await desk.invoice(invoice)

    def deed(tx: Tx) -> InvoiceAnswer | Refusal:
        done = voiding.void_invoice(tx, desk.actor, VoidInvoice(id, data.reason))
        return invoice_answer(tx, id) if isinstance(done, InvoiceVoided) else done

    return await desk.done(
        customer,
        deed,
        kind=InvoiceAnswer,
        operation="voidInvoice",
        key=idempotency_key,
        sent=(invoice, data),
        status=200,
    )


def document_id(document: Document) -> str:
    """The public id of a document."""
    kind = Kind.INVOICE if document.kind is DocumentKind.INVOICE else Kind.CREDIT_NOTE
    return encode(kind, document.id)


def invoice_answer(tx: Tx, id: UUID) -> InvoiceAnswer:
    """What is told of an invoice that is there."""
    return _answers(tx, tuple(documents.by_id(tx, (id,)).values()))[0]


def _page(tx: Tx, narrow: InvoiceFilter, first: int, before: tuple[datetime, UUID] | None) -> InvoicesAnswer:
    found = documents.invoices_page(tx, narrow, limit=first + 1, before=before)
    shown = found[:first]
    more = len(found) > first
    last = CURSORS.encode(shown[-1].issued_at, shown[-1].id) if more else None
    return InvoicesAnswer(invoices=_answers(tx, shown), next=last)


def _answers(tx: Tx, found: Sequence[Document]) -> list[InvoiceAnswer]:
    if not found:
        return []
    due = documents.receivables(tx, [each.id for each in found], found[0].currency)
    return [InvoiceAnswer.of(each, due[each.id]) for each in found]


ROUTES: Final[tuple[HTTPRouteHandler, ...]] = (list_invoices, pay_invoice, void_invoice)
