"""Documents to look at: an invoice and a credit note with defaults, and lines in any number."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import cycle, islice
from typing import Any

from app.documents.facts import (
    BankAccount,
    Days,
    DocumentFacts,
    DocumentKind,
    LineFacts,
    Party,
    Reduction,
    TaxCategory,
    TaxFacts,
)
from app.documents.wording import describe_line

APRIL = Days(date(2026, 4, 1), date(2026, 5, 1))
HALF_APRIL = Days(date(2026, 4, 16), date(2026, 5, 1))
VAT = Decimal(19)

SELLER = Party(
    name="Northwind Software GmbH",
    address=("Friedrichstraße 68", "10117 Berlin"),
    country="DE",
    tax_id="DE 298 765 432",
    registration="HRB 204817 B, Amtsgericht Charlottenburg",
    email="billing@northwind.example",
)
BUYER = Party(
    name="Acme Robotics, Inc.",
    address=("548 Market Street, Suite 310", "San Francisco, CA 94104"),
    country="US",
    email="accounts@acme.example",
)
GLOBEX = Party(
    name="Globex Handelsgesellschaft mbH & Co. KG",
    address=("Speicherstadt 12", "20457 Hamburg"),
    country="DE",
    tax_id="DE 811 907 980",
    email="rechnungen@globex.example",
)
BANK = BankAccount(iban="DE89370400440532013000", bic="COBADEFFXXX", bank="Commerzbank Berlin")
FOOTER = "Northwind Software GmbH · Friedrichstraße 68 · 10117 Berlin · Directors: Ada Brandt, Jonas Keller"


def a_line(
    kind: str = "PERIOD",
    *,
    quantity: int = 10,
    price: str = "15.00",
    amount: int = 15_000,
    period: Days | None = APRIL,
    formula: str = "10 seats × 15.00 EUR",
    locale: str = "en",
    **changes: Any,
) -> LineFacts:
    """A line of editor seats on the plan Team."""
    description = describe_line(kind, locale=locale, plan="Team", metric="Editor", quantity=quantity)
    line = LineFacts(description, period, formula, quantity, Decimal(price), amount, VAT)
    return replace(line, **changes)


def a_base_fee(*, locale: str = "en", currency: str = "EUR") -> LineFacts:
    """The base fee of the plan Team: 99.00."""
    description = describe_line("PERIOD", locale=locale, plan="Team")
    return LineFacts(description, APRIL, f"99.00 {currency}", 1, Decimal("99.00"), 9_900, VAT)


def an_invoice(*lines: LineFacts, rate: Decimal = VAT, **changes: Any) -> DocumentFacts:
    """An invoice in euros with one tax rate, everything filled in; totals follow from the lines."""
    lines = lines or (a_base_fee(), a_line())
    subtotal = sum(line.amount for line in lines)
    tax = int(subtotal * rate / 100 + Decimal("0.5"))
    facts = DocumentFacts(
        kind=DocumentKind.INVOICE,
        number="INV-2026-000042",
        locale="en",
        currency="EUR",
        digits=2,
        issued_on=date(2026, 4, 1),
        due_on=date(2026, 4, 15),
        seller=SELLER,
        buyer=GLOBEX,
        lines=lines,
        taxes=(TaxFacts(TaxCategory.STANDARD, "VAT", rate, subtotal, tax),),
        subtotal=subtotal,
        total=subtotal + tax,
        amount_due=subtotal + tax,
        bank=BANK,
        purchase_order="PO-7731",
        footer=FOOTER,
    )
    return replace(facts, **changes)


def without_tax(facts: DocumentFacts, category: TaxCategory) -> DocumentFacts:
    """The same invoice under a treatment that charges nothing."""
    lines = tuple(replace(line, tax_rate=Decimal(0)) for line in facts.lines)
    taxes = (TaxFacts(category, "VAT", Decimal(0), facts.subtotal, 0),)
    return replace(facts, lines=lines, taxes=taxes, total=facts.subtotal, amount_due=facts.subtotal)


def a_credit_note(**changes: Any) -> DocumentFacts:
    """Five editor seats given back on 16 April: −37.50 and −7.13 tax at 19 %, so 44.63 given."""
    line = a_line(
        "CREDIT",
        quantity=5,
        amount=-3_750,
        period=HALF_APRIL,
        formula="\u22125 seats × 15.00 EUR × 15/30 days",
        locale=changes.get("locale", "en"),
    )
    facts = DocumentFacts(
        kind=DocumentKind.CREDIT_NOTE,
        number="CN-2026-000007",
        locale="en",
        currency="EUR",
        digits=2,
        issued_on=date(2026, 4, 16),
        seller=SELLER,
        buyer=GLOBEX,
        lines=(line,),
        taxes=(TaxFacts(TaxCategory.STANDARD, "VAT", VAT, -3_750, -713),),
        subtotal=-3_750,
        total=-4_463,
        corrects=("INV-2026-000042",),
        reductions=(Reduction("INV-2026-000042", 2_000),),
        credit_added=2_463,
        footer=FOOTER,
    )
    return replace(facts, **changes)


def many_lines(
    count: int, *, locale: str = "en", currency: str = "EUR", zero_digits: bool = False
) -> tuple[LineFacts, ...]:
    """So many lines of every kind, day after day: periods, additions, removals and changes of plan."""
    kinds = ("PERIOD", "ADDED", "CREDIT", "CHANGED", "ADDED", "ADDED")
    found = []
    for n, kind in enumerate(islice(cycle(kinds), count)):
        quantity = 1 + (n % 4 if kind == "CREDIT" else n * 7 % 23)
        day = APRIL.start + timedelta(days=n % 30)
        days = (APRIL.end - day).days
        minor = round(quantity * 1500 * days / 30) * (-1 if kind == "CREDIT" else 1)
        sign = "\u2212" if kind == "CREDIT" else ""
        price = "1500" if zero_digits else "15.00"
        formula = f"{sign}{quantity} seat{'s' if quantity > 1 else ''} × {price} {currency} × {days}/30 days"
        found.append(
            a_line(
                kind,
                quantity=quantity,
                price=price,
                amount=minor,
                period=Days(day, APRIL.end),
                formula=formula,
                locale=locale,
                group="" if count < 20 else f"Workspace {1 + n * 5 // count}",
            )
        )
    return tuple(found)
