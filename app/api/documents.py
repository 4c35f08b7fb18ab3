"""What invoices and credit notes have in common: the interface, totals, parties, and the file."""

from datetime import date
from decimal import Decimal
from uuid import UUID

import strawberry

from app.api import loaders
from app.api.context import Info
from app.api.enums import TaxCategory
from app.api.ids import Kind, PublicId
from app.api.money import Money
from app.api.scalars import URL
from app.billing import documents, taxes
from app.billing.documents import DocumentKind
from app.billing.parties import BillingDetails, Seller
from app.documents.wording import tax_name
from app.services import pages

KINDS = {DocumentKind.INVOICE: Kind.INVOICE, DocumentKind.CREDIT_NOTE: Kind.CREDIT_NOTE}


@strawberry.type(description="The tax of all lines under one rate, rounded once on their sum.")
class TaxAmount:
    """The tax of all lines under one rate."""

    label: str = strawberry.field(
        description="What the tax is called, in the customer's language: `VAT`, `USt.`."
    )
    category: TaxCategory = strawberry.field(
        description="Why the rate is what it is, above all when it is 0."
    )
    rate_percent: Decimal = strawberry.field(description='The rate in percent: `"19"`, `"7.7"`, `"0"`.')
    base: Money = strawberry.field(description="The sum of the lines that are taxed at this rate.")
    amount: Money = strawberry.field(description="The tax on the base; negative where credits prevail.")

    @classmethod
    def of(cls, tax: taxes.TaxAmount, locale: str) -> "TaxAmount":
        treatment = tax.treatment
        return cls(
            label=tax_name(treatment.label, locale),
            category=treatment.category,
            rate_percent=treatment.rate,
            base=Money.of(tax.base),
            amount=Money.of(tax.amount),
        )


@strawberry.type(
    description="What lines come to. `total` is `subtotal` plus `tax`, before credit; `amountDue` is what "
    "is left of a positive total after `creditApplied`."
)
class Totals:
    """What lines come to."""

    subtotal: Money = strawberry.field(description="The sum of the lines, before tax.")
    taxes: list[TaxAmount] = strawberry.field(
        description="One entry for each rate, few of them; empty without lines."
    )
    tax: Money = strawberry.field(description="The sum of `taxes`.")
    total: Money = strawberry.field(description="Subtotal and tax together; negative on a credit note.")
    credit_applied: Money = strawberry.field(
        description="How much of the total the credit balance settles; never negative, and 0 in quotes for "
        "roles that see no money."
    )
    amount_due: Money = strawberry.field(
        description="What is left to pay; 0 when credit settles all. In quotes for roles that see no money, "
        "all of a positive total."
    )

    @classmethod
    def of(cls, totals: documents.Totals, locale: str) -> "Totals":
        return cls(
            subtotal=Money.of(totals.subtotal),
            taxes=[TaxAmount.of(tax, locale) for tax in totals.taxes],
            tax=Money.of(totals.tax),
            total=Money.of(totals.total),
            credit_applied=Money.of(totals.credit_applied),
            amount_due=Money.of(totals.amount_due),
        )


@strawberry.type(
    description="The seller or the buyer as a document names them: frozen when it was issued, whatever "
    "changed since."
)
class Party:
    """The seller or the buyer as a document names them."""

    name: str = strawberry.field(
        description="The legal name; empty when the document could be issued without one."
    )
    address: list[str] = strawberry.field(
        description="The lines of the postal address, in the order of its country and without its name; "
        "at most ten."
    )
    country: str | None = strawberry.field(
        description="ISO 3166-1 alpha-2, like `DE`; null when none was given."
    )
    tax_id: str | None = strawberry.field(description="The VAT id or its like; null for parties without one.")
    registration: str | None = strawberry.field(
        description="The entry in a commercial register; null for buyers and for sellers without one."
    )
    email: str | None = strawberry.field(
        description="Where to write about the document; null when none was given."
    )

    @classmethod
    def of_seller(cls, seller: Seller) -> "Party":
        return cls(
            name=seller.legal_name,
            address=list(seller.lines),
            country=seller.country,
            tax_id=seller.tax_id,
            registration=seller.registration,
            email=seller.email,
        )

    @classmethod
    def of_buyer(cls, details: BillingDetails) -> "Party":
        return cls(
            name=details.legal_name or "",
            address=list(pages.address_of(details)),
            country=details.country,
            tax_id=details.tax_id,
            registration=None,
            email=details.email,
        )


@strawberry.type(description="The PDF of a document. Once made, its bytes never change.")
class DocumentFile:
    """The PDF of a document."""

    url: URL = strawberry.field(
        description="A signed link for a GET without a token. It lives for minutes: ask for it when "
        "somebody clicks, and do not store it."
    )
    ready: bool = strawberry.field(
        description="Whether the PDF was made already; if not, the first GET makes it, which takes a moment "
        "longer."
    )
    sha256: str | None = strawberry.field(
        description="The SHA-256 of the bytes in hexadecimal; null until ready."
    )
    byte_size: int | None = strawberry.field(description="How many bytes it has; null until ready.")


async def pdf_of(info: Info, kind: Kind, document: UUID) -> DocumentFile:
    """The file of a document, with a fresh link."""
    facts = await info.context.reading.each(loaders.files, document)
    return DocumentFile(
        url=info.context.document_url(PublicId(kind, document)),
        ready=facts is not None,
        sha256=facts.sha256 if facts else None,
        byte_size=facts.size if facts else None,
    )


@strawberry.interface(description="An invoice or a credit note: numbered without gaps, and final.")
class BillingDocument:
    """An invoice or a credit note."""

    id: strawberry.ID = strawberry.field(
        description="The id of the document, for `node`, `invoice` or `creditNote`."
    )
    number: str = strawberry.field(description="The number people know it by; each series has no gaps.")
    issued_on: date = strawberry.field(description="The day of issue, in the seller's time zone.")
    totals: Totals = strawberry.field(description="What its lines come to, and what of it credit settled.")
    pdf: DocumentFile = strawberry.field(description="The document as a file to download.")
