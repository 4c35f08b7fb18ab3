"""Words, money, dates and periods in the customer's language."""

import json
import string
from datetime import date
from decimal import Decimal

import pytest

from app.documents.errors import FactsInvalid
from app.documents.wording import (
    CATALOGUE,
    LINE_KINDS,
    describe_line,
    document_locale,
    format_country,
    format_date,
    format_money,
    format_period,
    format_quantity,
    format_rate,
    format_unit_amount,
    joined,
    plural,
    tax_name,
    word,
)

NBSP = "\u00a0"
NARROW = "\u202f"


@pytest.mark.parametrize(
    ("minor", "currency", "digits", "locale", "expected"),
    [
        (115_633, "EUR", 2, "en", "€1,156.33"),
        (115_633, "EUR", 2, "de-DE", f"1.156,33{NBSP}€"),
        (115_633, "EUR", 2, "fr", f"1{NARROW}156,33{NBSP}€"),
        (115_633, "USD", 2, "en_US", "$1,156.33"),
        (-4_463, "EUR", 2, "en", "\u2212€44.63"),
        (-4_463, "EUR", 2, "de", f"\u221244,63{NBSP}€"),
        (-4_463, "EUR", 2, "nl", f"€{NBSP}\u221244,63"),
        (-4_463, "CHF", 2, "de-CH", f"CHF{NBSP}\u221244.63"),
        (35_224, "JPY", 0, "en", "¥35,224"),
        (1_156_333, "KWD", 3, "en", f"KWD{NBSP}1,156.333"),
        (0, "EUR", 2, "es", f"0,00{NBSP}€"),
        (5, "USD", 2, "xx-YY", "$0.05"),
    ],
)
def test_money(minor: int, currency: str, digits: int, locale: str, expected: str) -> None:
    """Minor units become an amount with the currency's digits; a credit has a true minus, never a hyphen."""
    assert format_money(minor, currency, digits, locale) == expected


def test_a_large_amount_loses_nothing() -> None:
    """Money does not pass through floating point: nineteen digits stay nineteen digits."""
    assert format_money(1234567890123456789, "EUR", 2, "en") == "€12,345,678,901,234,567.89"


@pytest.mark.parametrize(
    ("amount", "expected"),
    [
        ("15", "$15.00"),
        ("15.00", "$15.00"),
        ("0.00325", "$0.00325"),
        ("1200", "$1,200.00"),
        ("12.345", "$12.345"),
    ],
)
def test_a_unit_price_shows_all_its_digits(amount: str, expected: str) -> None:
    """At least the digits of the currency, more if the price has them."""
    assert format_unit_amount(Decimal(amount), "USD", 2, "en") == expected


def test_rates_and_quantities() -> None:
    """19 and 7.7 percent and twelve thousand five hundred, in three languages."""
    assert [format_rate(Decimal("19.00"), locale) for locale in ("en", "de", "fr")] == [
        "19%",
        f"19{NBSP}%",
        f"19{NBSP}%",
    ]
    assert format_rate(Decimal("7.7"), "de") == f"7,7{NBSP}%"
    assert format_rate(Decimal("9.975"), "en") == "9.975%"
    assert [format_quantity(12_500, locale) for locale in ("en", "de")] == ["12,500", "12.500"]


@pytest.mark.parametrize(
    ("locale", "expected"),
    [
        ("en", "14 December 2026"),
        ("en-GB", "14 December 2026"),
        ("en-US", "December 14, 2026"),
        ("de", "14. Dezember 2026"),
        ("de-AT", "14. Dezember 2026"),
        ("fr", "14 décembre 2026"),
        ("es", "14 de diciembre de 2026"),
        ("de-XX", "14. Dezember 2026"),
        ("klingon", "14 December 2026"),
        ("", "14 December 2026"),
    ],
)
def test_dates(locale: str, expected: str) -> None:
    """A day as people of that place write it; an unknown place falls back to its language, then to en."""
    assert format_date(date(2026, 12, 14), locale) == expected


@pytest.mark.parametrize(
    ("start", "end", "locale", "expected"),
    [
        ((2026, 4, 1), (2026, 5, 1), "en", "1 – 30 April 2026"),
        ((2026, 4, 1), (2026, 5, 1), "en-US", "April 1 – 30, 2026"),
        ((2026, 4, 1), (2026, 5, 1), "de", "1. – 30. April 2026"),
        ((2026, 4, 1), (2026, 5, 1), "es", "1 – 30 de abril de 2026"),
        ((2026, 4, 16), (2026, 5, 16), "en", "16 April – 15 May 2026"),
        ((2026, 12, 16), (2027, 1, 16), "fr", "16 décembre 2026 – 15 janvier 2027"),
        ((2028, 2, 1), (2028, 3, 1), "en", "1 – 29 February 2028"),
        ((2026, 4, 30), (2026, 5, 1), "en", "30 April 2026"),
    ],
)
def test_periods(start: tuple[int, int, int], end: tuple[int, int, int], locale: str, expected: str) -> None:
    """The end of a period is excluded inside and its last day is shown to people; one day is one date."""
    assert format_period(date(*start), date(*end), locale) == expected


def test_documents_speak_one_language() -> None:
    """Where there are no words there are no dates of that language either; places of a known one stay."""
    asked = ("de-DE", "de_CH", "pt-BR", "ja", "en-US", "nonsense", "")
    assert [document_locale(locale) for locale in asked] == [
        "de-DE",
        "de-CH",
        "en",
        "en",
        "en-US",
        "en",
        "en",
    ]


def test_every_language_has_every_word() -> None:
    """The catalogues have the same keys, each with the same places to fill."""
    catalogues = {
        path.stem: json.loads(path.read_text(encoding="utf-8")) for path in CATALOGUE.glob("*.json")
    }

    assert {"en", "de", "fr", "es"} <= catalogues.keys()
    fields = {
        language: {key: sorted(filter(None, fields_of(text))) for key, text in words.items()}
        for language, words in catalogues.items()
    }
    note = "note.reverse_charge"  # German names no tax here: the sentence is the law's own.
    for language, found in fields.items():
        assert found | {note: []} == fields["en"] | {note: []}, language


def fields_of(text: str) -> list[str]:
    return [name or "" for _, name, _, _ in string.Formatter().parse(text)]


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("PERIOD", "10 Editor seats"),
        ("ADDED", "10 Editor seats added"),
        ("CREDIT", "10 Editor seats removed"),
        ("CHANGED", "Change to Business: 10 Editor seats"),
        ("ADJUSTMENT", "Adjustment: 10 Editor seats"),
    ],
)
def test_seat_lines_in_english(kind: str, expected: str) -> None:
    """Each kind of line says in one sentence what happened to the seats."""
    assert describe_line(kind, locale="en", plan="Business", metric="Editor", quantity=10) == expected


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("PERIOD", "Tarif Team, Grundgebühr"),
        ("ADDED", "Tarif Team, Grundgebühr"),
        ("CREDIT", "Ungenutzte Zeit in Team: Grundgebühr"),
        ("CHANGED", "Wechsel zu Team: Grundgebühr"),
        ("ADJUSTMENT", "Anpassung: Tarif Team, Grundgebühr"),
    ],
)
def test_base_fee_lines_in_german(kind: str, expected: str) -> None:
    """A line without a metric is about the base fee; its credit is unused time, not removed seats."""
    assert describe_line(kind, locale="de", plan="Team") == expected


def test_one_seat_and_other_units() -> None:
    """One is a seat, two are seats; the seller's own unit is said as in the formula."""
    assert (
        describe_line("ADDED", locale="en", plan="Team", metric="Editor", quantity=1) == "1 Editor seat added"
    )
    assert describe_line("ADDED", locale="fr", plan="Team", metric="Editor", quantity=2) == (
        "Ajout de 2 licences Editor"
    )
    assert describe_line("PERIOD", locale="en", plan="T", metric="Field", unit="agent", quantity=2) == (
        "2 Field agents"
    )
    assert describe_line("PERIOD", locale="en", plan="T", metric="Field", unit="agent") == "1 Field agent"


def test_no_word_is_said_twice() -> None:
    """A metric called `Editor seats` and a plan called `Team plan` read as well as `Editor` and `Team`."""
    assert (
        describe_line("PERIOD", locale="en", plan="Team", metric="Editor seats", quantity=3)
        == "3 Editor seats"
    )
    assert describe_line("PERIOD", locale="en", plan="Team plan") == "Team plan, base fee"
    assert describe_line("PERIOD", locale="en", plan="Plan") == "Plan plan, base fee"


def test_seats_that_go_on_are_not_removed() -> None:
    """A credit in a change of plan gives time back; the seats go on under the new plan."""
    sentence = describe_line("CREDIT", locale="en", plan="Team", metric="Editor", quantity=10, unused=True)
    assert sentence == "Unused time on Team: 10 Editor seats"


def test_an_unknown_kind_of_line_is_refused() -> None:
    """A kind that has no sentence is named, with those that have one."""
    with pytest.raises(
        FactsInvalid, match="it is one of ADDED, ADJUSTMENT, CHANGED, CREDIT, OVERAGE, PERIOD, USAGE"
    ):
        describe_line("REFUND", locale="en", plan="Team")


def test_every_kind_has_a_sentence_in_every_language() -> None:
    """No language lacks a kind, for seats or for the base fee."""
    for language in ("en", "de", "fr", "es"):
        for kind in LINE_KINDS:
            assert "Team" in describe_line(kind, locale=language, plan="Team")
            assert "Editor" in describe_line(kind, locale=language, plan="Team", metric="Editor", quantity=2)


def test_braces_in_a_name_are_just_braces() -> None:
    """A name is put into a sentence, never read as one."""
    assert describe_line("CHANGED", locale="en", plan="{what}{0.__class__}", metric="Editor") == (
        "Change to {what}{0.__class__}: 1 Editor seat"
    )


def test_small_words() -> None:
    """Countries, names of taxes, lists and plurals."""
    assert [format_country("DE", "en"), format_country("de", "de"), format_country("XQ", "en")] == [
        "Germany",
        "Deutschland",
        "XQ",
    ]
    assert [tax_name(label, "fr") for label in ("VAT", "tax", "GST")] == ["TVA", "taxe", "GST"]
    assert [
        joined(["A"], "en"),
        joined(["A", "B"], "de"),
        joined(["A", "B", "C"], "en"),
        joined([], "en"),
    ] == [
        "A",
        "A und B",
        "A, B and C",
        "",
    ]
    assert plural("note.corrects", 1, "en", numbers="X") == "This credit note corrects invoice X."
    assert plural("note.corrects", 2, "en", numbers="X, Y") == "This credit note corrects invoices X, Y."
    with pytest.raises(KeyError):
        word("no such word", "en")
