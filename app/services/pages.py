"""The page of a document, frozen when the document is: every word, name and amount, in the customer's
language.
"""

from __future__ import annotations

from collections.abc import Sequence

from app.billing.documents import DocumentKind, Draft
from app.billing.lines import Line, LineKind
from app.billing.overrides import own_from
from app.billing.parties import BillingDetails, Seller
from app.billing.plans import ChargingBasis, PlanPrice
from app.billing.taxes import TaxAmount
from app.documents import facts as page
from app.documents.addresses import address_lines
from app.documents.compose import view_of
from app.documents.view import to_json
from app.documents.wording import backdated, describe_line, raised
from app.store import catalogs, overrides
from app.store.documents import Document
from app.store.states import Loaded
from app.store.transaction import Tx


def page_of(loaded: Loaded, document: Document, draft: Draft, described: Sequence[str]) -> str:
    """The view of a document as it is stored: the PDF is made from this alone, for ever. Its lines are
    `described` in their order.
    """
    is_invoice = draft.kind is DocumentKind.INVOICE
    reversed_on = (ref.invoice for ref in draft.lines if ref.invoice is not None)
    numbers = {invoice: loaded.numbers[invoice] for invoice in dict.fromkeys(reversed_on)}
    totals = draft.totals
    seller = document.seller
    return to_json(
        view_of(
            page.DocumentFacts(
                kind=page.DocumentKind[draft.kind.name],
                number=document.number.text,
                locale=document.locale,
                currency=document.currency.code,
                digits=document.currency.digits,
                issued_on=document.issued_on,
                seller=_seller(seller),
                buyer=_buyer(document.buyer),
                lines=tuple(map(_line, (ref.line for ref in draft.lines), described)),
                taxes=tuple(_tax(tax) for tax in totals.taxes),
                subtotal=totals.subtotal.minor,
                total=totals.total.minor,
                due_on=document.due_on if is_invoice else None,
                credit_applied=totals.credit_applied.minor,
                amount_due=totals.amount_due.minor,
                bank=page.BankAccount(
                    seller.bank.iban, seller.bank.bic, seller.bank.bank, seller.bank.holder
                ),
                corrects=() if is_invoice else tuple(numbers.values()),
                reductions=tuple(page.Reduction(numbers[i], amount.minor) for i, amount in draft.reduces),
                credit_added=draft.credit_added.minor,
                purchase_order=document.buyer.reference or "",
            )
        )
    )


def describe(tx: Tx, loaded: Loaded, line: Line) -> str:
    """The sentence of a line in the customer's language, under the names of the price version that it was
    made with.
    """
    if line.note is not None:
        return line.note
    return sentence(priced_by(tx, line), line, loaded.customer.locale)


def priced_by(tx: Tx, line: Line) -> PlanPrice:
    """The price version of a line; for use, as the customer had agreed on it then."""
    version = catalogs.price(tx, line.price)
    if not line.kind.in_arrears:
        return version
    return own_from(version, overrides.recorded(tx), line.period.start, line.period.zone)


def sentence(version: PlanPrice, line: Line, locale: str) -> str:
    """What a line is, in words: `5 Editor seats added`."""
    seat = version.seat(line.item)
    own_use = line.kind.in_arrears and seat and seat.own and seat.basis is not ChargingBasis.OVERAGE
    kind = LineKind.CREDIT if line.kind is LineKind.UNUSED else line.kind
    if line.kind is LineKind.BACKDATED:
        kind = LineKind.ADDED if line.amount.minor > 0 else LineKind.CREDIT
    text = describe_line(
        kind.name,
        locale=locale,
        plan=version.plan_name,
        metric=seat.metric.label if seat else None,
        unit=seat.metric.unit if seat else "seat",
        quantity=line.quantity,
        unused=line.kind is LineKind.UNUSED,
        own_price=line.own_price or bool(own_use),
    )
    text = backdated(text, locale) if line.kind is LineKind.BACKDATED else text
    return raised(text, line.raised_from, locale) if line.raised_from is not None else text


def _line(line: Line, description: str) -> page.LineFacts:
    return page.LineFacts(
        description=description,
        period=page.Days(line.period.first_day, line.period.end_day),
        formula=line.formula,
        quantity=line.quantity,
        unit_amount=line.unit_amount,
        amount=line.amount.minor,
        tax_rate=line.tax.rate,
    )


def _tax(tax: TaxAmount) -> page.TaxFacts:
    treatment = tax.treatment
    category = page.TaxCategory[treatment.category.name]
    return page.TaxFacts(category, treatment.label, treatment.rate, tax.base.minor, tax.amount.minor)


def address_of(details: BillingDetails) -> tuple[str, ...]:
    """The lines of the buyer's address, as documents print them."""
    return address_lines(
        details.lines,
        city=details.city,
        region=details.region,
        postal_code=details.postal_code,
        country=details.country,
    )


def _seller(seller: Seller) -> page.Party:
    return page.Party(
        name=seller.legal_name,
        address=seller.lines,
        country=seller.country,
        tax_id=seller.tax_id or "",
        registration=seller.registration or "",
        email=seller.email,
    )


def _buyer(details: BillingDetails) -> page.Party:
    return page.Party(
        name=details.legal_name or "",
        address=address_of(details),
        country=details.country or "",
        tax_id=details.tax_id or "",
        email=details.email or "",
    )
