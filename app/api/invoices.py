"""The lists of documents, and documents by id. A role that sees no money gets null everywhere here."""

from datetime import date, datetime
from typing import Annotated, Final
from uuid import UUID

import strawberry

from app.api import loaders
from app.api.arguments import given
from app.api.connections import After, Connection, First, connection
from app.api.context import Info
from app.api.enums import InvoiceStatus
from app.api.ids import Kind, decode_as
from app.api.ledger import CreditNote, Invoice, InvoiceLine
from app.api.loaders import Issued
from app.api.pages import Cursors, page_size
from app.api.seats import searched
from app.billing.documents import DocumentKind
from app.store.documents import InvoiceFilter

INVOICE_CURSORS: Final = Cursors("invoices", (datetime, UUID))
CREDIT_NOTE_CURSORS: Final = Cursors("creditNotes", (datetime, UUID))


async def invoices(
    info: Info,
    first: First = 20,
    after: After = strawberry.UNSET,
    status: Annotated[
        list[InvoiceStatus] | None,
        strawberry.argument(description="Only invoices in one of these states; left out or empty, in any."),
    ] = strawberry.UNSET,
    issued_from: Annotated[
        date | None, strawberry.argument(description="Only invoices issued on this day or later.")
    ] = strawberry.UNSET,
    issued_until: Annotated[
        date | None, strawberry.argument(description="Only invoices issued on this day or earlier.")
    ] = strawberry.UNSET,
    search: Annotated[
        str | None,
        strawberry.argument(
            description="Part of the number, in small or capital letters; at most 200 characters."
        ),
    ] = strawberry.UNSET,
) -> Connection[Invoice] | None:
    """Invoices, newest first."""
    limit, before = page_size(first) + 1, INVOICE_CURSORS.decode(given(after))
    narrow = InvoiceFilter(
        tuple(dict.fromkeys(status or ())), given(issued_from), given(issued_until), searched(search)
    )
    if not info.context.sees_money:
        return None
    found = await info.context.reading.read(loaders.invoices_page, narrow, limit, before)
    return connection(
        found,
        first=first,
        after=given(after),
        node=Invoice.of,
        cursor=lambda issued: _cursor(INVOICE_CURSORS, issued),
    )


async def credit_notes(
    info: Info, first: First = 20, after: After = strawberry.UNSET
) -> Connection[CreditNote] | None:
    """Credit notes, newest first."""
    limit, before = page_size(first) + 1, CREDIT_NOTE_CURSORS.decode(given(after))
    if not info.context.sees_money:
        return None
    found = await info.context.reading.read(loaders.credit_notes_page, limit, before)
    return connection(
        found,
        first=first,
        after=given(after),
        node=lambda issued: CreditNote.of(issued.document),
        cursor=lambda issued: _cursor(CREDIT_NOTE_CURSORS, issued),
    )


async def invoice(
    info: Info,
    id: Annotated[strawberry.ID, strawberry.argument(description="The id of an invoice: `inv_…`.")],
) -> Invoice | None:
    """An invoice by its id."""
    wanted = decode_as(Kind.INVOICE, id)
    return await invoice_by_id(info, wanted) if wanted else None


async def credit_note(
    info: Info,
    id: Annotated[strawberry.ID, strawberry.argument(description="The id of a credit note: `crn_…`.")],
) -> CreditNote | None:
    """A credit note by its id."""
    wanted = decode_as(Kind.CREDIT_NOTE, id)
    return await credit_note_by_id(info, wanted) if wanted else None


async def invoice_by_id(info: Info, id: UUID) -> Invoice | None:
    """An invoice of the customer."""
    found = await _document(info, id, DocumentKind.INVOICE)
    return Invoice.of(found) if found else None


async def credit_note_by_id(info: Info, id: UUID) -> CreditNote | None:
    """A credit note of the customer."""
    found = await _document(info, id, DocumentKind.CREDIT_NOTE)
    return CreditNote.of(found.document) if found else None


async def line_by_id(info: Info, id: UUID) -> InvoiceLine | None:
    """A billing line of the customer."""
    if not info.context.sees_money:
        return None
    found = await info.context.reading.each(loaders.lines_by_id, id)
    return InvoiceLine.of(found) if found else None


async def _document(info: Info, id: UUID, kind: DocumentKind) -> Issued | None:
    if not info.context.sees_money:
        return None
    found = await info.context.reading.each(loaders.documents_by_id, id)
    return found if found and found.document.kind is kind else None


def _cursor(cursors: Cursors, issued: Issued) -> str:
    return cursors.encode(issued.document.issued_at, issued.document.id)
