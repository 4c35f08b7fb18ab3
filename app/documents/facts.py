"""What a document says, in numbers and dates: everything `compose` needs, and nothing else.

Amounts are whole minor units with the sign of billing: charges above zero, credits below, also on a credit
note. A service fills these from billing values: `Money.minor`, `Totals`, `TaxAmount`, and the local days of a
line's period.
"""

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from enum import Enum

from app.documents.errors import FactsInvalid


class DocumentKind(Enum):
    """The names are those of billing."""

    INVOICE = "INVOICE"
    CREDIT_NOTE = "CREDIT_NOTE"


class TaxCategory(Enum):
    """The names are those of billing."""

    STANDARD = "STANDARD"
    REVERSE_CHARGE = "REVERSE_CHARGE"
    OUTSIDE_SCOPE = "OUTSIDE_SCOPE"


@dataclass(frozen=True, slots=True)
class Party:
    """A seller or buyer. `country` is ISO 3166 alpha-2; the address is given line by line, without it."""

    name: str
    address: tuple[str, ...] = ()
    country: str = ""
    tax_id: str = ""
    registration: str = ""
    email: str = ""


@dataclass(frozen=True, slots=True)
class BankAccount:
    """Where to pay to. `holder` is the seller unless another is named."""

    iban: str
    bic: str = ""
    bank: str = ""
    holder: str = ""


@dataclass(frozen=True, slots=True)
class Days:
    """Half-open: `end` is the first day after the period."""

    start: date
    end: date


@dataclass(frozen=True, slots=True)
class LineFacts:
    """A line: its sentence from `wording.describe_line`, its days, and the formula of billing.

    `group` is a heading such as a plan's name; lines with one heading stand together.
    """

    description: str
    period: Days | None
    formula: str
    quantity: int
    unit_amount: Decimal | None
    amount: int
    tax_rate: Decimal = Decimal(0)
    group: str = ""


@dataclass(frozen=True, slots=True)
class TaxFacts:
    """The tax of one treatment. `label` is the seller's word; `VAT` is translated."""

    category: TaxCategory
    label: str
    rate: Decimal
    base: int
    amount: int


@dataclass(frozen=True, slots=True)
class Reduction:
    """How much of a credit note is deducted from what is due on an invoice; above zero."""

    invoice_number: str
    amount: int


@dataclass(frozen=True, slots=True)
class DocumentFacts:
    """A document that is being finalised.

    total = subtotal + taxes, before credit. An invoice also has `due_on`, `credit_applied` (what the credit
    balance paid) and `amount_due`; a credit note has `corrects` (numbers of the invoices it corrects),
    `reductions` and `credit_added`, which together are its total turned positive.
    """

    kind: DocumentKind
    number: str
    locale: str
    currency: str
    digits: int
    issued_on: date
    seller: Party
    buyer: Party
    lines: tuple[LineFacts, ...]
    taxes: tuple[TaxFacts, ...]
    subtotal: int
    total: int
    due_on: date | None = None
    credit_applied: int = 0
    amount_due: int = 0
    bank: BankAccount | None = None
    corrects: tuple[str, ...] = ()
    reductions: tuple[Reduction, ...] = ()
    credit_added: int = 0
    purchase_order: str = ""
    reference: str = ""
    footer: str = ""

    @property
    def service(self) -> Days | None:
        """From the first to the last day that any line is for."""
        periods = [line.period for line in self.lines if line.period is not None]
        if not periods:
            return None
        return Days(min(period.start for period in periods), max(period.end for period in periods))

    @property
    def tax_rates(self) -> frozenset[Decimal]:
        return frozenset(line.tax_rate for line in self.lines)


def checked(facts: DocumentFacts) -> DocumentFacts:
    """The same facts, if they add up.

    Raises FactsInvalid with both sums otherwise: what does not add up must never be frozen.
    """
    _equal("the lines and the subtotal", sum(line.amount for line in facts.lines), facts.subtotal)
    if facts.taxes:
        _equal(
            "the bases of the taxes and the subtotal", sum(tax.base for tax in facts.taxes), facts.subtotal
        )
    _equal(
        "subtotal plus tax and the total", facts.subtotal + sum(t.amount for t in facts.taxes), facts.total
    )
    if facts.kind is DocumentKind.INVOICE:
        _equal("total minus credit and the amount due", facts.total - facts.credit_applied, facts.amount_due)
        if facts.due_on is None or facts.amount_due < 0 or facts.credit_applied < 0:
            raise FactsInvalid(f"Invoice {facts.number} has no due date, or an amount below zero.")
    else:
        given = sum(reduction.amount for reduction in facts.reductions) + facts.credit_added
        _equal("what a credit note gives and its total", given, -facts.total)
    return facts


def turned(facts: DocumentFacts) -> DocumentFacts:
    """The same facts with every sign turned: a credit note speaks of what it gives, so its amounts are
    positive.
    """
    return replace(
        facts,
        lines=tuple(replace(line, amount=-line.amount) for line in facts.lines),
        taxes=tuple(replace(tax, base=-tax.base, amount=-tax.amount) for tax in facts.taxes),
        subtotal=-facts.subtotal,
        total=-facts.total,
    )


def _equal(what: str, found: int, expected: int) -> None:
    if found != expected:
        raise FactsInvalid(f"This document does not add up: {what} are {found} and {expected} minor units.")
