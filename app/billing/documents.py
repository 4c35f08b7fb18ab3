"""Documents: the totals of lines, and whether lines become an invoice, a credit note, or wait.

Tax is rounded once per document and treatment. A positive total is an invoice, a negative one a credit note;
lines that sum to nothing wait for the next document. A credit that was taxed otherwise than today's charges
cannot share a document with them: two are made.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from uuid import UUID

from app.billing.lines import Line
from app.billing.money import Currency, Money, total
from app.billing.taxes import TaxAmount, tax_amounts


class DocumentKind(Enum):
    """What lines became, by the sign of their total."""

    INVOICE = "INVOICE"
    CREDIT_NOTE = "CREDIT_NOTE"


class InvoiceStatus(Enum):
    """OPEN is waiting for money; PAID, VOID and UNCOLLECTIBLE are final."""

    OPEN = "OPEN"
    PAID = "PAID"
    VOID = "VOID"
    UNCOLLECTIBLE = "UNCOLLECTIBLE"


class VoidReason(Enum):
    """Why an invoice is void: REISSUE lets its lines wait for another document, WAIVE gives up the claim."""

    REISSUE = "REISSUE"
    WAIVE = "WAIVE"


@dataclass(frozen=True, slots=True)
class Totals:
    """total = subtotal + tax, before credit; amount_due = max(0, total) − credit_applied."""

    subtotal: Money
    taxes: tuple[TaxAmount, ...]
    tax: Money
    total: Money
    credit_applied: Money
    amount_due: Money

    @property
    def without_credit(self) -> Totals:
        """The same totals for a customer who has no credit in hand."""
        zero = Money.zero(self.total.currency)
        return replace(self, credit_applied=zero, amount_due=max(self.total, zero))


@dataclass(frozen=True, slots=True)
class LineRef:
    """A line of a document that is being made: a new line by its place in the posting, or a waiting one by
    its id.

    `invoice` is the document of the line that a credit reverses, None if that one waits.
    """

    line: Line
    new: int | None = None
    waiting: UUID | None = None
    invoice: UUID | None = None

    def id_among(self, new_ids: Sequence[UUID]) -> UUID:
        """The id of the line, given the ids of the posting's new lines in their order."""
        if self.new is not None:
            return new_ids[self.new]
        assert self.waiting is not None, "a line is new or waits"
        return self.waiting


@dataclass(frozen=True, slots=True)
class Draft:
    """A document before it has a number.

    A credit note first reduces what is due on the invoices whose lines it reverses (`reduces`), the oldest
    first; the rest is added to the credit balance.
    """

    kind: DocumentKind
    lines: tuple[LineRef, ...]
    totals: Totals
    reduces: tuple[tuple[UUID, Money], ...]
    credit_added: Money


def totals_of(lines: Iterable[Line], credit: Money) -> Totals:
    """The totals of lines when so much credit is in hand."""
    lines = tuple(lines)
    currency = credit.currency
    subtotal = total((line.amount for line in lines), currency)
    taxes = tax_amounts((line.tax, line.amount) for line in lines)
    tax = total((amount.amount for amount in taxes), currency)
    gross = subtotal + tax
    due = max(gross.minor, 0)
    applied = min(due, credit.minor)
    return Totals(subtotal, taxes, tax, gross, Money(applied, currency), Money(due - applied, currency))


def no_totals(currency: Currency) -> Totals:
    """The totals of nothing."""
    return totals_of((), Money.zero(currency))


def drafts_of(
    refs: Sequence[LineRef], *, credit: Money, open_amounts: Mapping[UUID, Money]
) -> tuple[Draft, ...]:
    """The documents that lines become: none, one, or a credit note and an invoice if their taxes differ.

    `credit` is the credit balance in hand; `open_amounts` is what is still due on invoices.
    """
    drafts: list[Draft] = []
    for group in _groups(refs):
        draft = _draft(group, credit, open_amounts)
        if draft is not None:
            drafts.append(draft)
            credit = credit + draft.credit_added - draft.totals.credit_applied
    return tuple(drafts)


def _groups(refs: Sequence[LineRef]) -> list[Sequence[LineRef]]:
    """Credits and charges apart if a credit carries a treatment that no charge has."""
    charges = [ref for ref in refs if ref.line.amount.minor >= 0]
    credit_lines = [ref for ref in refs if ref.line.amount.minor < 0]
    treatments = {ref.line.tax for ref in charges}
    if charges and any(ref.line.tax not in treatments for ref in credit_lines):
        return [credit_lines, charges]
    return [refs] if refs else []


def _draft(refs: Sequence[LineRef], credit: Money, open_amounts: Mapping[UUID, Money]) -> Draft | None:
    totals = totals_of((ref.line for ref in refs), credit)
    zero = Money.zero(credit.currency)
    if totals.total.minor > 0:
        return Draft(DocumentKind.INVOICE, tuple(refs), totals, (), zero)
    if totals.total.minor < 0:
        reduces, rest = _reductions(refs, -totals.total, open_amounts)
        return Draft(DocumentKind.CREDIT_NOTE, tuple(refs), totals, reduces, rest)
    return None


def _reductions(
    refs: Sequence[LineRef], gross: Money, open_amounts: Mapping[UUID, Money]
) -> tuple[tuple[tuple[UUID, Money], ...], Money]:
    """How a credit's gross amount is spread over what is due on the invoices it reverses, oldest first (ids
    grow with time), and what is left of it.
    """
    reduces = []
    for invoice in sorted({ref.invoice for ref in refs if ref.invoice is not None}):
        part = min(gross, open_amounts.get(invoice, Money.zero(gross.currency)))
        if part.minor:
            reduces.append((invoice, part))
            gross = gross - part
    return tuple(reduces), gross
