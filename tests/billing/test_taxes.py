"""Who pays which tax on which day, and tax rounded once for a document and treatment."""

from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.billing.money import Currency, Money, rounded, total
from app.billing.taxes import (
    TaxCategory,
    TaxRate,
    TaxRules,
    TaxTreatment,
    tax_amounts,
    tax_in,
    tax_of,
)
from tests.billing.strategies import currencies
from tests.builders import VAT, money

CHANGED = date(2026, 7, 1)
RULES = TaxRules(
    "DE",
    (
        TaxRate("DE", "VAT", Decimal(19), date(2020, 1, 1), CHANGED),
        TaxRate("DE", "VAT", Decimal(20), CHANGED),
        TaxRate("FR", "TVA", Decimal(20), date(2020, 1, 1)),
    ),
)
STANDARD, REVERSE, OUTSIDE = TaxCategory.STANDARD, TaxCategory.REVERSE_CHARGE, TaxCategory.OUTSIDE_SCOPE


@pytest.mark.parametrize(
    ("country", "tax_id", "expected"),
    [
        ("DE", None, TaxTreatment(STANDARD, Decimal(19), "VAT")),
        ("DE", "DE123456789", TaxTreatment(STANDARD, Decimal(19), "VAT")),
        (None, None, TaxTreatment(STANDARD, Decimal(19), "VAT")),
        ("FR", "FR12345678901", TaxTreatment(REVERSE, Decimal(0), "VAT")),
        ("FR", None, TaxTreatment(STANDARD, Decimal(20), "TVA")),
        ("AT", None, TaxTreatment(STANDARD, Decimal(19), "VAT")),
        ("AT", "ATU12345678", TaxTreatment(REVERSE, Decimal(0), "VAT")),
        ("US", None, TaxTreatment(OUTSIDE, Decimal(0), "VAT")),
        ("US", "12-3456789", TaxTreatment(OUTSIDE, Decimal(0), "VAT")),
        ("GB", "GB123456789", TaxTreatment(OUTSIDE, Decimal(0), "VAT")),
    ],
)
def test_the_country_and_the_tax_id_decide(country: str | None, tax_id: str | None, expected: object) -> None:
    """At home 19 %; EU businesses account for it themselves, EU consumers pay; everybody else pays none."""
    assert RULES.treatment(country=country, tax_id=tax_id, on=date(2026, 6, 30)) == expected


def test_a_rate_counts_until_before_the_day_of_the_next() -> None:
    """19 % on 30 June, 20 % on 1 July, nothing before the first rate of all."""
    rates = [
        RULES.treatment(country="DE", tax_id=None, on=on).rate
        for on in (date(2026, 6, 30), CHANGED, date(2019, 12, 31))
    ]

    assert rates == [19, 20, 0]


def test_a_seller_without_rates_charges_none() -> None:
    """Where the seller has declared no rate, sales are outside the scope of tax, by the plain word."""
    outside = TaxTreatment(OUTSIDE, Decimal(0), "Tax")

    assert TaxRules("US", ()).treatment(country="US", tax_id=None, on=CHANGED) == outside
    assert TaxRules("US", ()).treatment(country="DE", tax_id="DE123456789", on=CHANGED) == outside


@given(currencies, st.lists(st.integers(-(10**7), 10**7), min_size=1), st.sampled_from(["19", "8.1", "5.5"]))
def test_tax_is_rounded_once_on_the_sum(currency: Currency, minors: list[int], rate: str) -> None:
    """The tax of one treatment is that of the sum of its lines, never a sum of rounded taxes."""
    treatment = TaxTreatment(STANDARD, Decimal(rate), "VAT")
    lines = [(treatment, Money(minor, currency)) for minor in minors]
    (amount,) = tax_amounts(lines)
    base = total((line for _, line in lines), currency)

    assert amount.base == base
    assert amount.amount == rounded(base.exact * Fraction(rate) / 100, currency)


def test_each_treatment_has_its_own_tax_in_the_order_of_the_lines() -> None:
    """3 × 0.33 at 19 % are 0.19 on 0.99, not 3 × 0.06 = 0.18. Reverse charge is listed with 0.00."""
    german = VAT.treatment(country="DE", tax_id=None, on=CHANGED)
    french = VAT.treatment(country="FR", tax_id="FR12345678901", on=CHANGED)
    lines = [
        (german, money("0.33")),
        (french, money("5.00")),
        (german, money("0.33")),
        (german, money("0.33")),
    ]

    assert [(tax.treatment, tax.base, tax.amount) for tax in tax_amounts(lines)] == [
        (german, money("0.99"), money("0.19")),
        (french, money("5.00"), money("0.00")),
    ]


@pytest.mark.parametrize(
    ("base", "rate", "tax"), [("37.50", "19", "7.13"), ("-37.50", "19", "-7.13"), ("-0.10", "5", "-0.01")]
)
def test_ties_of_tax_go_away_from_zero(base: str, rate: str, tax: str) -> None:
    """37.50 at 19 % is 7.125, charged as 7.13 and given back as 7.13."""
    assert tax_of(money(base), Decimal(rate)) == money(tax)


@pytest.mark.parametrize(
    ("gross", "rate", "inside"),
    [
        ("10.00", "25", "2.00"),
        ("119.00", "19", "19.00"),
        ("0.03", "20", "0.01"),
        ("-0.03", "20", "-0.01"),
        ("10.00", "0", "0.00"),
    ],
)
def test_the_tax_inside_an_amount(gross: str, rate: str, inside: str) -> None:
    """Gross × rate / (100 + rate), rounded once: 0.03 at 20 % holds 0.005, of either sign one cent."""
    assert tax_in(money(gross), Decimal(rate)) == money(inside)


@given(currencies, st.integers(-(10**7), 10**7), st.integers(0, 5_000))
def test_the_tax_inside_is_that_on_top_of_the_rest(currency: Currency, minor: int, permille: int) -> None:
    """The rest, taxed anew, has the same tax: to a minor unit and a part, since both were rounded."""
    gross, rate = Money(minor, currency), Decimal(permille) / 10
    inside = tax_in(gross, rate)

    assert abs(tax_of(gross - inside, rate).minor - inside.minor) <= rate / 200 + 1
