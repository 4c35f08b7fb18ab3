"""Facts become words once: rows, headlines and notes are decided here."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from app.documents.compose import spaced_iban, turned_formula, view_of
from app.documents.errors import FactsInvalid
from app.documents.facts import BankAccount, DocumentFacts, Party, Reduction, TaxCategory, TaxFacts
from app.documents.view import DocumentView, RowView
from tests.documents.builders import BANK, a_credit_note, a_line, an_invoice, without_tax
from tests.documents.shapes import SHAPES


def rows(view: DocumentView) -> list[tuple[str, str]]:
    """The totals from top to bottom, as they are read."""
    after = (*view.before_result, view.result, *view.after_result)
    taxes = [(f"{tax.label} {tax.base}", tax.amount) for tax in view.taxes]
    return [(view.subtotal.label, view.subtotal.value), *taxes, *((row.label, row.value) for row in after)]


def test_an_invoice_in_dollars() -> None:
    """99.00 with 5 seats included plus 10 × 15.00 is 249.00; a customer abroad pays no tax and reads why."""
    view = view_of(SHAPES["in_dollars"])

    assert (view.template, view.title, view.headline) == (
        "invoice/v1",
        "Invoice INV-2026-000042",
        "$249.00 due April 15, 2026",
    )
    assert [(line.description, line.formula, line.amount) for line in view.groups[0].lines] == [
        ("Team plan, base fee", "99.00 USD", "$99.00"),
        ("10 Editor seats", "10 seats × 15.00 USD", "$150.00"),
    ]
    assert rows(view) == [("Subtotal", "$249.00"), ("Total", "$249.00"), ("Amount due (USD)", "$249.00")]
    assert view.notes == ("This supply is outside the scope of VAT.",)


def test_a_credit_note_speaks_of_what_it_gives() -> None:
    """−5 seats of 15.00 at 15/30 with 19 %: 37.50 + 7.13 = 44.63, all positive, 20.00 off an open invoice."""
    view = view_of(SHAPES["credit_note"])

    assert (view.template, view.headline) == ("credit_note/v1", "€44.63 credited on 16 April 2026")
    assert view.subline == "This credit note corrects invoice INV-2026-000042."
    line = view.groups[0].lines[0]
    assert (line.description, line.formula, line.amount, line.is_credit) == (
        "5 Editor seats removed",
        "5 seats × 15.00 EUR × 15/30 days",
        "€37.50",
        False,
    )
    assert rows(view) == [
        ("Subtotal", "€37.50"),
        ("VAT 19% on €37.50", "€7.13"),
        ("Total credited (EUR)", "€44.63"),
        ("Deducted from invoice INV-2026-000042", "€20.00"),
        ("Added to your credit balance", "€24.63"),
    ]
    assert view.payment == ()


def test_a_charge_on_a_credit_note_takes_away() -> None:
    """Credits of 37.50 and a charge of 10.00 give 27.50: the charge has the minus, in amount and formula."""
    charge = a_line(quantity=1, amount=1_000, formula="1 seat × 10.00 EUR", tax_rate=Decimal(0))
    credit = replace(a_credit_note().lines[0], tax_rate=Decimal(0))
    facts = a_credit_note(
        lines=(credit, charge), taxes=(), subtotal=-2_750, total=-2_750, reductions=(), credit_added=2_750
    )

    first, second = view_of(facts).groups[0].lines

    assert (first.formula, first.amount, first.is_credit) == (
        "5 seats × 15.00 EUR × 15/30 days",
        "€37.50",
        False,
    )
    assert (second.formula, second.amount, second.is_credit) == (
        "\u22121 seat × 10.00 EUR",
        "\u2212€10.00",
        True,
    )


def test_credits_on_an_invoice_have_a_true_minus() -> None:
    """An invoice keeps the signs of billing, and names credits for the page."""
    lines = [line for group in view_of(SHAPES["partly_by_credit"]).groups for line in group.lines]

    assert [(line.amount, line.is_credit) for line in lines] == [
        ("\u221249,50\u00a0€", True),
        ("\u221275,00\u00a0€", True),
        ("150,00\u00a0€", False),
    ]
    assert lines[1].formula == "\u221210 seats × 15.00 EUR × 15/30 days"


def test_lines_under_one_heading_stand_together() -> None:
    """Neighbours with the same heading make one group; the order of lines never changes."""
    groups = view_of(SHAPES["partly_by_credit"]).groups

    assert [(group.heading, len(group.lines)) for group in groups] == [("Team", 2), ("Business", 1)]


def test_what_credit_paid_is_no_longer_due() -> None:
    """25.50 and 19 % tax are 30.35; the credit balance pays 10.00 of it, 20.35 is due."""
    view = view_of(SHAPES["partly_by_credit"])

    assert view.headline == "20,35\u00a0€ fällig am 15. April 2026"
    assert rows(view)[2:] == [
        ("Gesamtbetrag", "30,35\u00a0€"),
        ("Aus Guthaben bezahlt", "\u221210,00\u00a0€"),
        ("Zu zahlen (EUR)", "20,35\u00a0€"),
    ]


def test_an_invoice_settled_by_credit_asks_for_nothing() -> None:
    """Wholly paid by credit: nothing to pay, the reason, and no bank account to pay to."""
    view = view_of(an_invoice(credit_applied=29_631, amount_due=0))

    assert (view.headline, view.subline) == ("Nothing to pay", "Settled in full by your credit balance.")
    assert view.result == RowView("Amount due (EUR)", "€0.00")
    assert view.payment == ()


def test_reverse_charge_has_its_sentence() -> None:
    """A business in another EU country sees a zero rate, the reason, and the article of the directive."""
    view = view_of(SHAPES["reverse_charge"])

    assert [(tax.label, tax.amount) for tax in view.taxes] == [
        ("TVA 0\u00a0%, autoliquidation", "0,00\u00a0€")
    ]
    assert view.notes == (
        "Autoliquidation : TVA due par le preneur (article 196 de la directive 2006/112/CE).",
    )


def test_several_rates_are_told_apart() -> None:
    """With two rates each line shows its own, and each rate has its row; with one rate no column is spent."""
    two = view_of(SHAPES["two_rates"])

    assert two.shows_tax
    assert [line.tax for line in two.groups[0].lines] == ["19%", "16%"]
    assert [(tax.label, tax.base, tax.amount) for tax in two.taxes] == [
        ("VAT 19%", "on €99.00", "€18.81"),
        ("VAT 16%", "on €150.00", "€24.00"),
    ]
    assert not view_of(an_invoice()).shows_tax


def test_payment_details_name_the_invoice() -> None:
    """The account, the IBAN in fours, and the number to quote."""
    assert [(row.label, row.value) for row in view_of(an_invoice()).payment] == [
        ("Account holder", "Northwind Software GmbH"),
        ("IBAN", "DE89 3704 0044 0532 0130 00"),
        ("BIC", "COBADEFFXXX"),
        ("Bank", "Commerzbank Berlin"),
        ("Payment reference", "INV-2026-000042"),
    ]


def test_what_is_empty_is_not_on_the_page() -> None:
    """No purchase order, no reference, no period, no BIC: no row, never an empty one."""
    line = a_line(period=None, unit_amount=None)
    bare = an_invoice(
        line, purchase_order="", bank=BankAccount("X 1"), footer="", buyer=Party("Initech"), locale="en"
    )

    view = view_of(bare)

    assert [fact.label for fact in view.facts] == ["Invoice number", "Date of issue", "Due date"]
    assert [row.label for row in view.payment] == ["Account holder", "IBAN", "Payment reference"]
    assert (view.buyer.address, view.buyer.country, view.buyer.details, view.buyer.email) == ((), "", (), "")
    assert (view.groups[0].lines[0].period, view.groups[0].lines[0].unit_amount) == ("", "")


def test_a_tax_number_is_called_as_in_its_country() -> None:
    """A number from a country with VAT is a VAT ID, any other a tax ID."""
    labels = {
        country: view_of(an_invoice(buyer=Party("A", country=country, tax_id="1"))).buyer.details[0].label
        for country in ("DE", "gb", "US", "")
    }
    assert labels == {"DE": "VAT ID", "gb": "VAT ID", "US": "Tax ID", "": "Tax ID"}


def test_the_buyer_keeps_the_customers_language() -> None:
    """Words fall back to English, but the forms of a Japanese name stay Japanese."""
    view = view_of(SHAPES["in_yen"])

    assert (view.locale, view.buyer.language, view.seller.language) == ("en", "ja", "en")


def test_names_are_cleaned_and_bounded() -> None:
    """A name of a thousand letters, turned text and controls are tamed before they are frozen."""
    view = view_of(
        an_invoice(buyer=Party("\u202eevil\x00" + "x" * 1_000, address=("", "a", "") + ("b",) * 20))
    )

    assert view.buyer.name.startswith("evilxxx")
    assert len(view.buyer.name) == 200
    assert view.buyer.address == ("a", "b", "b", "b", "b", "b")


@pytest.mark.parametrize(
    ("facts", "problem"),
    [
        (an_invoice(subtotal=1), "the lines and the subtotal are 24900 and 1 minor units"),
        (an_invoice(total=29_632, amount_due=29_632), "subtotal plus tax and the total are 29631 and 29632"),
        (an_invoice(credit_applied=1), "total minus credit and the amount due are 29630 and 29631"),
        (an_invoice(due_on=None), "has no due date"),
        (an_invoice(credit_applied=29_632, amount_due=-1), "an amount below zero"),
        (a_credit_note(credit_added=0), "what a credit note gives and its total are 2000 and 4463"),
        (a_credit_note(reductions=(Reduction("X", 2_001),)), "are 4464 and 4463"),
        (
            replace(an_invoice(), taxes=(TaxFacts(TaxCategory.STANDARD, "VAT", Decimal(19), 1, 4_731),)),
            "the bases of the taxes and the subtotal are 1 and 24900",
        ),
    ],
)
def test_what_does_not_add_up_is_not_frozen(facts: DocumentFacts, problem: str) -> None:
    """A document whose numbers disagree is refused with both numbers."""
    with pytest.raises(FactsInvalid, match=problem):
        view_of(facts)


def test_the_service_period_spans_all_lines() -> None:
    """From the first day of any line to the last of any: 1 April to 30 April; each line keeps its own."""
    view = view_of(SHAPES["reverse_charge"])

    assert RowView("Période de service", "1 – 30 avril 2026") in view.facts
    assert view.groups[0].lines[2].period == "16 – 30 avril 2026"


@pytest.mark.parametrize(
    ("formula", "turned"),
    [
        ("\u22125 seats × 15.00 USD", "5 seats × 15.00 USD"),
        ("5 seats × 15.00 USD", "\u22125 seats × 15.00 USD"),
        ("1 seat × 5.00 EUR + 2 seats × 4.00 EUR", "\u2212(1 seat × 5.00 EUR + 2 seats × 4.00 EUR)"),
        ("(1 × 5.00 + 2 × 4.00) × 1/2 days", "\u2212(1 × 5.00 + 2 × 4.00) × 1/2 days"),
        ("\u2212(a + b) × 1/2 days", "(a + b) × 1/2 days"),
        ("\u2212(75.00 \u2212 12.50) USD", "(75.00 \u2212 12.50) USD"),
        ("", ""),
    ],
)
def test_a_formula_turns_with_its_amount(formula: str, turned: str) -> None:
    """A minus goes or comes; a sum is put in parentheses so that the minus is for all of it."""
    assert turned_formula(formula) == turned


def test_only_an_iban_is_spaced() -> None:
    """An IBAN stands in fours however it was typed; an account number of another kind is left alone."""
    assert spaced_iban("DE89 37040044 0532 013000") == spaced_iban(BANK.iban) == "DE89 3704 0044 0532 0130 00"
    assert spaced_iban("021-000-021 / 9") == "021-000-021 / 9"


def test_two_treatments_without_tax_say_their_sentences_once() -> None:
    """Notes follow the treatments, each once."""
    facts = without_tax(an_invoice(), TaxCategory.OUTSIDE_SCOPE)
    half = TaxFacts(TaxCategory.OUTSIDE_SCOPE, "Tax", Decimal(0), 12_450, 0)
    view = view_of(replace(facts, taxes=(half, half), issued_on=date(2026, 4, 2)))

    assert view.notes == ("This supply is outside the scope of tax.",)
    assert view.taxes == ()
