"""The shapes a document comes in, by name: the golden files, and the pages to look at after a change.

`python -m tests.documents.shapes FOLDER` draws all of them into a folder.
"""

import sys
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Final

from app.documents import pdf
from app.documents.compose import view_of
from app.documents.facts import DocumentFacts, LineFacts, Party, Reduction, TaxCategory, TaxFacts
from app.documents.wording import describe_line
from tests.documents.builders import (
    BUYER,
    HALF_APRIL,
    a_base_fee,
    a_credit_note,
    a_line,
    an_invoice,
    many_lines,
    without_tax,
)

HOSTILE: Final = (
    '<img src="http://evil.example/pixel.png"><style>*{display:none}</style>'
    '<link rel="attachment" href="file:///etc/passwd">{{ 7*7 }}{% raw %}'
)


def in_dollars() -> DocumentFacts:
    """The demo customer's monthly invoice: 99.00 with 5 seats included, 10 more at 15.00, no tax."""
    lines = (
        a_base_fee(currency="USD"),
        a_line(formula="10 seats × 15.00 USD"),
    )
    return without_tax(
        an_invoice(*lines, currency="USD", buyer=BUYER, locale="en-US", purchase_order=""),
        TaxCategory.OUTSIDE_SCOPE,
    )


def in_yen() -> DocumentFacts:
    """A currency without decimal digits, a Japanese customer, English words."""
    buyer = Party(
        "株式会社 東京ソフトウェア", ("東京都千代田区丸の内 1-9-1", "100-0005"), "JP", tax_id="T1234567890123"
    )
    lines = many_lines(5, currency="JPY", zero_digits=True)
    facts = an_invoice(*lines, currency="JPY", digits=0, locale="ja", buyer=buyer, bank=None)
    return without_tax(facts, TaxCategory.OUTSIDE_SCOPE)


def reverse_charge() -> DocumentFacts:
    """A French business buys from a German seller: no tax, and the sentence that says who owes it."""
    buyer = Party(
        "Société Générale des Eaux SA",
        ("12 rue de l’Université", "75007 Paris"),
        "FR",
        tax_id="FR 40 303 265 045",
    )
    lines = (
        a_base_fee(locale="fr"),
        a_line(locale="fr"),
        a_line(
            "ADDED",
            quantity=5,
            amount=3_750,
            period=HALF_APRIL,
            formula="5 seats × 15.00 EUR × 15/30 days",
            locale="fr",
        ),
    )
    return without_tax(an_invoice(*lines, locale="fr-FR", buyer=buyer), TaxCategory.REVERSE_CHARGE)


def two_rates() -> DocumentFacts:
    """Charges of two tax rates: a column shows the rate of each line, one tax row stands for each rate."""
    lines = (a_base_fee(), a_line(tax_rate=Decimal(16)))
    taxes = (
        TaxFacts(TaxCategory.STANDARD, "VAT", Decimal(19), 9_900, 1_881),
        TaxFacts(TaxCategory.STANDARD, "VAT", Decimal(16), 15_000, 2_400),
    )
    return replace(an_invoice(*lines), taxes=taxes, total=29_181, amount_due=29_181)


def settled_by_credit() -> DocumentFacts:
    """An invoice that the credit balance pays wholly."""
    return an_invoice(credit_applied=29_631, amount_due=0, locale="es", buyer=BUYER)


def partly_by_credit() -> DocumentFacts:
    """A plan change with credits for the old plan, partly paid from the credit balance."""
    lines = (
        LineFacts(
            describe_line("CREDIT", locale="de", plan="Team"),
            HALF_APRIL,
            "\u2212(99.00 EUR) × 15/30 days",
            1,
            Decimal("99.00"),
            -4_950,
            Decimal(19),
            "Team",
        ),
        a_line(
            "CREDIT",
            amount=-7_500,
            period=HALF_APRIL,
            formula="\u221210 seats × 15.00 EUR × 15/30 days",
            description=describe_line(
                "CREDIT", locale="de", plan="Team", metric="Editor", quantity=10, unused=True
            ),
            group="Team",
        ),
        a_line(
            "CHANGED",
            quantity=12,
            price="25.00",
            amount=15_000,
            period=HALF_APRIL,
            formula="12 seats × 25.00 EUR × 15/30 days",
            description=describe_line(
                "CHANGED", locale="de", plan="Business", metric="Editor", quantity=12
            ),
            group="Business",
        ),
    )  # fmt: skip
    facts = an_invoice(*lines, locale="de-DE")
    return replace(facts, credit_applied=1_000, amount_due=facts.total - 1_000)


def long_names() -> DocumentFacts:
    """Names and words longer than any column, and amounts of eight digits."""
    word = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"
    buyer = Party(
        f"{word} für die Verwaltung sämtlicher Angelegenheiten der Binnenschifffahrt mbH & Co. KGaA",
        (
            "c/o " + "W" * 60,
            "Am sehr langen Straßennamen ohne Ende in der Vorstadt 123 b, Hinterhaus, 4. Stock",
        ),
        "DE",
        tax_id="DE 811 907 980",
        email="accounts.payable.department.for.very.long.addresses@subsidiary.of.a.very.long.company.example",
    )
    line = a_line(
        quantity=1_250_000,
        price="15.00375",
        amount=1_875_468_750,
        formula="1000 seats × 15.00375 EUR + 249000 seats × 15.00375 EUR + 1000000 seats × 15.00375 EUR",
        description=f"1,250,000 {word} seats",
    )
    return an_invoice(line, a_line(), buyer=buyer, purchase_order="P" * 90, reference="Kostenstelle 4711")


def other_scripts() -> DocumentFacts:
    """Names in many scripts; which form a Han character takes follows the customer's language."""
    names = (
        "Łódź Präzision & Ångström Œuvre",
        "Công ty Phần mềm Việt Nam",
        "Ελληνική Εταιρεία Λογισμικού",
        "Компания «Северный ветер»",
        "株式会社 東京ソフトウェア",
        "서울 소프트웨어 주식회사",
        "北京软件有限公司",
        "شركة البرمجيات العربية",
        "חברת תוכנה ישראלית בע״מ",
        "दिल्ली सॉफ्टवेयर प्राइवेट लिमिटेड",
        "บริษัทซอฟต์แวร์ไทยจำกัด",
        "₹ ₺ ₴ € £ ¥ ₪ ₩ ½ № ™ “quotes” – — …",
    )
    lines = tuple(a_line(description=name, quantity=1, amount=1_500) for name in names)
    buyer = Party("上海软件有限公司", ("浦东新区世纪大道 100 号", "上海 200120"), "CN")
    return an_invoice(*lines, buyer=buyer, locale="zh-CN")


def hostile() -> DocumentFacts:
    """Markup, template code, links to files, control characters and turned text in every field."""
    text = HOSTILE + "\x00\x07\u202e gnp.exe \u2066"
    buyer = Party(text, (text, text), "US", tax_id=text, registration=text, email=text)
    line = a_line(description=text, formula=text, group=text)
    return an_invoice(line, buyer=buyer, purchase_order=text, reference=text, footer=text)


def corrects_three() -> DocumentFacts:
    """A credit note over three invoices, in German."""
    numbers = ("INV-2026-000040", "INV-2026-000041", "INV-2026-000042")
    reductions = tuple(Reduction(number, 1_000) for number in numbers)
    return a_credit_note(locale="de-DE", corrects=numbers, reductions=reductions, credit_added=1_463)


SHAPES: Final[Mapping[str, DocumentFacts]] = {
    "one_line": an_invoice(a_line()),
    "in_dollars": in_dollars(),
    "in_yen": in_yen(),
    "many_pages": an_invoice(*many_lines(30, locale="de"), locale="de-DE"),
    "reverse_charge": reverse_charge(),
    "two_rates": two_rates(),
    "settled_by_credit": settled_by_credit(),
    "partly_by_credit": partly_by_credit(),
    "long_names": long_names(),
    "other_scripts": other_scripts(),
    "hostile": hostile(),
    "credit_note": a_credit_note(),
    "credit_note_over_three": corrects_three(),
}


def main(folder: Path) -> None:
    """Draw every shape into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, facts in SHAPES.items():
        drawn = pdf.draw(view_of(facts))
        (folder / f"{name}.pdf").write_bytes(drawn.content)
        sys.stdout.write(
            f"{name}: {drawn.pages} pages, {len(drawn.content)} bytes {drawn.unprintable or ''}\n"
        )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
