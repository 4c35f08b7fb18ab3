"""Credit notes by hand: an amount off an invoice, with a reason."""

from __future__ import annotations

from typing import Annotated, Final
from uuid import UUID

from litestar import Response, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import JSONBody
from msgspec import Meta

from app.api.ids import Kind, decode_as
from app.api.rest.bodies import Amount, Answer, Body, Money, amount_of
from app.api.rest.describing import described
from app.api.rest.desk import REPLAYED_HEADER, AtDesk, IdempotencyKey
from app.api.rest.invoices import DocumentAnswer, InvoiceAnswer, invoice_answer
from app.api.rest.problems import Refusal
from app.billing import money
from app.billing.refusals import NotFound
from app.services.api_keys import Scope
from app.services.write_credit_note import REASON_MAX, CreditNoteWritten, CreditWanted, write_credit_note
from app.store import documents
from app.store.transaction import Tx

TAG: Final = ("credit-notes", "An amount off an invoice, by hand.")
NOTHING: Final = UUID(int=0)


class CreditNoteBody(Body):
    """What is taken off, and why."""

    invoice: Annotated[str, Meta(description="The id of the invoice, `inv_…`.")]
    reason: Annotated[
        str, Meta(min_length=1, max_length=REASON_MAX, description="The credit note says it to the customer.")
    ]
    line: Annotated[str, Meta(description="Only off this line, `lin_…`.")] | None = None
    amount: Annotated[Amount, Meta(description="Before tax; all that is left if left out.")] | None = None


class CreditNoteAnswer(Answer):
    """The credit note, what it added to the credit balance, and the invoice as it stands now."""

    credit_note: DocumentAnswer
    credit_added: Money
    invoice: InvoiceAnswer


@post(
    "/credit-notes",
    **described(Scope.INVOICES_WRITE, 400, 404, 409, 415, 422),
    response_headers=[REPLAYED_HEADER],
    status_code=201,
    tags=[TAG[0]],
    summary="Write a credit note",
)
async def write_note(
    desk: AtDesk, data: JSONBody[CreditNoteBody], idempotency_key: IdempotencyKey = None
) -> Response[CreditNoteAnswer]:
    """Take an amount off an invoice: first off what is due on it, the rest is added to the credit balance.
    Needs `invoices:write`.
    """
    customer, id = await desk.invoice(data.invoice)

    def deed(tx: Tx) -> CreditNoteAnswer | Refusal:
        found = documents.by_id(tx, (id,)).get(id)
        if found is None:
            return NotFound("invoice")
        amount = amount_of("amount", data.amount, found.currency) if data.amount is not None else None
        if not isinstance(amount, money.Money | None):
            return amount
        line = decode_as(Kind.INVOICE_LINE, data.line) or NOTHING if data.line is not None else None
        done = write_credit_note(tx, desk.actor, CreditWanted(id, data.reason, amount, line))
        if not isinstance(done, CreditNoteWritten):
            return done
        return CreditNoteAnswer(
            credit_note=DocumentAnswer.of(done.document),
            credit_added=Money.of(done.document.credit_added),
            invoice=invoice_answer(tx, id),
        )

    return await desk.done(
        customer,
        deed,
        kind=CreditNoteAnswer,
        operation="writeCreditNote",
        key=idempotency_key,
        sent=data,
        status=201,
    )


ROUTES: Final[tuple[HTTPRouteHandler, ...]] = (write_note,)
