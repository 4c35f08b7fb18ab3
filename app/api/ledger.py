"""What was recorded for ever: seat events, billing lines, invoices and credit notes. They lead to each other,
from a line to the events that caused it and back, hence they stand in one file.
"""

from datetime import date, datetime
from typing import Annotated, Final
from uuid import UUID

import strawberry

from app.api import loaders
from app.api.arguments import given
from app.api.connections import After, Connection, First, connection
from app.api.context import Info
from app.api.documents import KINDS, BillingDocument, DocumentFile, Party, Totals, pdf_of
from app.api.enums import BalanceKind, EventSource, InvoiceStatus
from app.api.ids import Kind
from app.api.lines import PricedLine, priced
from app.api.loaders import EventsAsked, Issued, LinesAsked, Position
from app.api.money import Money
from app.api.node import Node, node_id
from app.api.pages import Cursors, page_size
from app.api.scalars import CurrencyCode
from app.api.seats import SeatHolder, SeatMetric
from app.billing import money
from app.billing.documents import DocumentKind
from app.billing.ledger import SeatEvent as RecordedEvent
from app.store.documents import Document, Receivable
from app.store.lines import StoredLine

EVENT_CURSORS: Final = Cursors("seatEvents", (datetime, UUID))
LINE_EVENT_CURSORS: Final = Cursors("events", (datetime, UUID))

LinesFirst = Annotated[
    int, strawberry.argument(description="How many lines at most, the newest, from 1 to 100.")
]


# ── Seat events ─────────────────────────────────────────────────────────────────────────────────────────────


async def _balance(root: "SeatEvent", info: Info) -> int:
    balance = await info.context.reading.each(loaders.balances_after, root.recorded)
    assert balance is not None, "an event that was read has a balance after it"
    return balance


async def _corrects(root: "SeatEvent", info: Info) -> "SeatEvent | None":
    wrong = root.recorded.delta.corrects
    found = await info.context.reading.each(loaders.events_by_id, wrong) if wrong else None
    return SeatEvent.of(found) if found else None


async def _corrected_by(root: "SeatEvent", info: Info) -> "SeatEvent | None":
    found = await info.context.reading.each(loaders.corrections, root.recorded.id)
    return SeatEvent.of(found) if found else None


async def _invoice_lines(root: "SeatEvent", info: Info, first: LinesFirst = 20) -> "list[InvoiceLine]":
    limit = page_size(first)
    if not info.context.sees_money:
        return []
    found = await info.context.reading.each(loaders.lines_of_events, LinesAsked(root.recorded.id, limit))
    return [InvoiceLine.of(line) for line in found or ()]


@strawberry.type(
    description="One row of the seat ledger. Events are never edited: a correction is a new event that "
    "names the old."
)
class SeatEvent(Node):
    """One row of the seat ledger."""

    recorded: strawberry.Private[RecordedEvent]
    metric: SeatMetric = strawberry.field(description="Which seats it moved.")
    balance_kind: BalanceKind = strawberry.field(description="Which balance of the metric it moved.")
    added: int = strawberry.field(description="How many seats it added; 0 for an event that only removes.")
    removed: int = strawberry.field(description="How many seats it removed, never negative.")
    balance: int = strawberry.field(
        resolver=_balance,
        description="The balance of this metric and kind right after the event, by all that is known today.",
    )
    effective_at: datetime = strawberry.field(
        description="When it took effect; balances and charges go by this instant."
    )
    recorded_at: datetime = strawberry.field(
        description="When Seatport learnt of it; later than `effectiveAt` when it was reported late."
    )
    source: EventSource = strawberry.field(description="What made it happen.")
    holder: SeatHolder | None = strawberry.field(
        description="Who took or gave back the seat; null when the product did not say, and for committed "
        "seats."
    )
    note: str | None = strawberry.field(description="A remark by whoever recorded it; null for most events.")
    corrects: "SeatEvent | None" = strawberry.field(
        resolver=_corrects,
        description="The earlier event that this one takes back or puts right; null for most.",
    )
    corrected_by: "SeatEvent | None" = strawberry.field(
        resolver=_corrected_by, description="The event that says what is right instead; null while it stands."
    )
    invoice_lines: "list[InvoiceLine]" = strawberry.field(
        resolver=_invoice_lines,
        description="The billing lines it led to, newest first, also those that still wait for a document; "
        "empty for seats in use, and for roles that see no money.",
    )

    @classmethod
    def of(cls, found: loaders.Event) -> "SeatEvent":
        event, delta = found.recorded, found.recorded.delta
        return cls(
            id=node_id(Kind.SEAT_EVENT, event.id),
            recorded=event,
            metric=SeatMetric.of(found.metric),
            balance_kind=delta.kind,
            added=delta.added,
            removed=delta.removed,
            effective_at=delta.effective_at,
            recorded_at=event.recorded_at,
            source=delta.source,
            holder=SeatHolder.of(found.metric, delta.holder) if delta.holder else None,
            note=delta.note,
        )


def event_page(
    found: tuple[loaders.Event, ...], *, cursors: Cursors, first: int, after: str | None
) -> Connection[SeatEvent]:
    """A page of events."""
    return connection(
        found,
        first=first,
        after=after,
        node=SeatEvent.of,
        cursor=lambda event: cursors.encode(*event.recorded.order),
    )


# ── Lines ───────────────────────────────────────────────────────────────────────────────────────────────────


async def _reverses(root: "InvoiceLine", info: Info) -> "InvoiceLine | None":
    charged = root.stored.line.reverses
    found = await info.context.reading.each(loaders.lines_by_id, charged) if charged else None
    return InvoiceLine.of(found) if found else None


async def _document(root: "InvoiceLine", info: Info) -> BillingDocument | None:
    placed = root.stored.document
    found = await info.context.reading.each(loaders.documents_by_id, placed) if placed else None
    return document_of(found) if found else None


async def _events(
    root: "InvoiceLine", info: Info, first: First = 20, after: After = strawberry.UNSET
) -> Connection[SeatEvent]:
    before: Position | None = LINE_EVENT_CURSORS.decode(given(after))
    asked = EventsAsked(root.stored.id, page_size(first) + 1, before)
    found = await info.context.reading.each(loaders.events_of_lines, asked)
    return event_page(found or (), cursors=LINE_EVENT_CURSORS, first=first, after=given(after))


@strawberry.type(
    description="A billing line: what was charged or given back, and why. Lines are never edited."
)
class InvoiceLine(Node, PricedLine):
    """A billing line."""

    stored: strawberry.Private[StoredLine]
    document: BillingDocument | None = strawberry.field(
        resolver=_document,
        description="The invoice or credit note it stands on; null while it waits for one.",
    )
    reverses: "InvoiceLine | None" = strawberry.field(
        resolver=_reverses,
        description="The charge that a credit takes back in part or whole; null for charges.",
    )
    events: Connection[SeatEvent] = strawberry.field(
        resolver=_events,
        description="The seat events that caused it, newest first: those of the change, or for a whole "
        "quantity all that make it up. Empty for a base fee.",
    )

    @classmethod
    def of(cls, stored: StoredLine) -> "InvoiceLine":
        assert stored.description is not None, "loaders give every line its words"
        return cls(
            **priced(stored.line, stored.description),
            id=node_id(Kind.INVOICE_LINE, stored.id),
            stored=stored,
        )


# ── Documents ───────────────────────────────────────────────────────────────────────────────────────────────


async def _lines(root: "Invoice | CreditNote", info: Info) -> list[InvoiceLine]:
    found = await info.context.reading.each(loaders.lines_by_document, root.issued.id)
    return [InvoiceLine.of(line) for line in found or ()]


async def _credit_notes(root: "Invoice", info: Info) -> "list[CreditNote]":
    found = await info.context.reading.each(loaders.credit_notes_of, root.issued.id)
    return [CreditNote.of(note.document) for note in found or ()]


async def _invoices(root: "CreditNote", info: Info) -> "list[Invoice]":
    found = await info.context.reading.each(loaders.invoices_of, root.issued.id)
    return [Invoice.of(invoice) for invoice in found or ()]


async def _pdf(root: "Invoice | CreditNote", info: Info) -> DocumentFile:
    return await pdf_of(info, KINDS[root.issued.kind], root.issued.id)


@strawberry.type(description="An invoice. What it says is final; `status` and the three amounts below move.")
class Invoice(Node, BillingDocument):
    """An invoice."""

    issued: strawberry.Private[Document]
    status: InvoiceStatus = strawberry.field(description="What became of it until now.")
    due_on: date = strawberry.field(
        description="The day by which it is to be paid, in the seller's time zone."
    )
    currency: CurrencyCode = strawberry.field(description="The currency of all its amounts.")
    seller: Party = strawberry.field(description="Who bills, as of the day of issue.")
    buyer: Party = strawberry.field(description="Who is billed, as of the day of issue.")
    lines: list[InvoiceLine] = strawberry.field(
        resolver=_lines,
        description="All its lines in their order, as a plain list: a document is shown whole. Credits "
        "among them name the lines they reverse.",
    )
    amount_paid: Money = strawberry.field(description="What came in for it; 0 when credit settled it.")
    amount_credited: Money = strawberry.field(
        description="What credit notes took off it after it was issued. Paid, credited and open amounts "
        "make up `totals.amountDue` until it is withdrawn or given up."
    )
    amount_open: Money = strawberry.field(
        description="What is still to be paid; 0 unless the status is OPEN."
    )
    credit_notes: "list[CreditNote]" = strawberry.field(
        resolver=_credit_notes,
        description="The credit notes that reverse lines of it, oldest first; usually none.",
    )
    paid_at: datetime | None = strawberry.field(description="When nothing was due any more; null until then.")
    voided_at: datetime | None = strawberry.field(
        description="When it was withdrawn; null unless it is VOID."
    )
    pdf: DocumentFile = strawberry.field(resolver=_pdf, description="The invoice as a file to download.")

    @classmethod
    def of(cls, found: Issued) -> "Invoice":
        document, due = found.document, found.receivable
        assert due is not None, "every invoice has a receivable"
        return cls(
            id=node_id(Kind.INVOICE, document.id),
            issued=document,
            number=document.number.text,
            status=due.status,
            issued_on=document.issued_on,
            due_on=document.due_on,
            currency=CurrencyCode(document.currency.code),
            seller=Party.of_seller(document.seller),
            buyer=Party.of_buyer(document.buyer),
            totals=Totals.of(document.totals, document.locale),
            amount_paid=Money.of(due.paid),
            amount_credited=Money.of(due.credited),
            amount_open=Money.of(_open(due)),
            paid_at=due.paid_at,
            voided_at=due.voided_at,
        )


@strawberry.type(
    description="A credit note: it gives money back. Its totals are negative; what they come to first "
    "lowers what is due on the invoices it reverses, and the rest joins the credit balance."
)
class CreditNote(Node, BillingDocument):
    """A credit note."""

    issued: strawberry.Private[Document]
    currency: CurrencyCode = strawberry.field(description="The currency of all its amounts.")
    seller: Party = strawberry.field(description="Who credits, as of the day of issue.")
    buyer: Party = strawberry.field(description="Who is credited, as of the day of issue.")
    lines: list[InvoiceLine] = strawberry.field(
        resolver=_lines,
        description="All its lines in their order, as a plain list: a document is shown whole.",
    )
    credit_added: Money = strawberry.field(
        description="What of it joined the credit balance: all that the invoices it reverses did not need."
    )
    invoices: list[Invoice] = strawberry.field(
        resolver=_invoices, description="The invoices whose lines it reverses, oldest first; usually one."
    )
    pdf: DocumentFile = strawberry.field(resolver=_pdf, description="The credit note as a file to download.")

    @classmethod
    def of(cls, document: Document) -> "CreditNote":
        return cls(
            id=node_id(Kind.CREDIT_NOTE, document.id),
            issued=document,
            number=document.number.text,
            issued_on=document.issued_on,
            currency=CurrencyCode(document.currency.code),
            seller=Party.of_seller(document.seller),
            buyer=Party.of_buyer(document.buyer),
            totals=Totals.of(document.totals, document.locale),
            credit_added=Money.of(document.credit_added),
        )


def document_of(found: Issued) -> Invoice | CreditNote:
    """A document by its kind."""
    return Invoice.of(found) if found.document.kind is DocumentKind.INVOICE else CreditNote.of(found.document)


def _open(due: Receivable) -> money.Money:
    return due.open if due.status is InvoiceStatus.OPEN else money.Money.zero(due.open.currency)
