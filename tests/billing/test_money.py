"""Whole minor units, one rounding, and parts that add up."""

from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.billing.money import (
    CURRENCIES,
    Currency,
    Money,
    decimal_text,
    round_half_away,
    rounded,
    split,
    total,
)
from tests.billing.strategies import currencies
from tests.builders import money

fractions = st.fractions(min_value=-(10**9), max_value=10**9, max_denominator=10**6)


@given(fractions)
def test_rounding_is_never_off_by_more_than_half(value: Fraction) -> None:
    """The rounded unit is a nearest one, and of two nearest ones the one further from zero."""
    whole = round_half_away(*value.as_integer_ratio())
    off = whole - value

    assert abs(off) <= Fraction(1, 2)
    if abs(off) == Fraction(1, 2):
        assert abs(whole) > abs(value)


@given(fractions)
def test_rounding_does_not_know_the_sign(value: Fraction) -> None:
    """A credit of the same amount is rounded to the same amount."""
    numerator, denominator = value.as_integer_ratio()

    assert round_half_away(-numerator, denominator) == -round_half_away(numerator, denominator)


@given(st.decimals(min_value=-(10**6), max_value=10**6, places=4))
def test_rounding_agrees_with_the_decimal_module(value: Decimal) -> None:
    """ROUND_HALF_UP of the decimal module is half away from zero."""
    assert round_half_away(*value.as_integer_ratio()) == int(value.quantize(Decimal(1), ROUND_HALF_UP))


@pytest.mark.parametrize(
    ("exact", "code", "text"),
    [
        ("0.005", "USD", "0.01 USD"),
        ("-0.005", "USD", "-0.01 USD"),
        ("2.5", "JPY", "3 JPY"),
        ("-2.5", "JPY", "-3 JPY"),
        ("0.0005", "KWD", "0.001 KWD"),
        ("-1.0025", "KWD", "-1.003 KWD"),
        ("1.00249", "KWD", "1.002 KWD"),
        ("-0.004", "USD", "0.00 USD"),
    ],
)
def test_ties_go_away_from_zero_in_every_currency(exact: str, code: str, text: str) -> None:
    """Half a cent, half a yen and half a fils go away from zero, for credits too; zero has no sign."""
    assert str(rounded(Fraction(exact), CURRENCIES[code])) == text


@given(
    st.integers(-(10**9), 10**9),
    st.lists(st.fractions(0, 100, max_denominator=50), min_size=1, max_size=8).filter(any),
    currencies,
)
def test_a_split_adds_up_to_the_whole(minor: int, weights: list[Fraction], currency: Currency) -> None:
    """Shares sum to the amount, and each is less than one unit away from its exact share."""
    amount = Money(minor, currency)
    shares = split(amount, weights)

    assert total(shares, amount.currency) == amount
    for share, weight in zip(shares, weights, strict=True):
        assert abs(share.minor - minor * weight / sum(weights)) < 1


def test_a_split_gives_the_rest_to_the_largest_remainders() -> None:
    """1.00 in thirds is 0.34 + 0.33 + 0.33; in 1 : 2 it is 0.33 + 0.67, negative alike."""
    third = Fraction(1, 3)

    assert split(money("1.00"), [third] * 3) == (money("0.34"), money("0.33"), money("0.33"))
    assert split(money("-1.00"), [third, 2 * third]) == (money("-0.33"), money("-0.67"))


def test_no_weight_has_no_share() -> None:
    """1.00 by 1 : 0 is 1.00 and nothing."""
    assert split(money("1.00"), [Fraction(1), Fraction(0)]) == (money("1.00"), money("0.00"))


@pytest.mark.parametrize("weights", [[], [Fraction(0)], [Fraction(2), Fraction(-1)]])
def test_a_split_needs_weights(weights: list[Fraction]) -> None:
    """No weight at all, or a negative one, is a bug of the caller."""
    with pytest.raises(ValueError, match=r"^weights must not be negative nor all zero$"):
        split(money("1.00"), weights)


def test_currencies_are_never_mixed() -> None:
    """Adding, subtracting and comparing amounts of two currencies is a bug, not a case."""
    for mix in (Money.__add__, Money.__sub__, Money.__lt__, Money.__le__):
        with pytest.raises(ValueError, match="USD and EUR cannot be mixed"):
            mix(money("1.00"), money("1.00", "EUR"))


def test_money_is_made_of_exact_decimals() -> None:
    """12.345 is money in dinars and not in dollars; 1E+2 and 100 are the same amount."""
    assert money("12.345", "KWD").minor == 12_345
    assert money("1E+2") == money("100.00") == Money(10_000, CURRENCIES["USD"])
    with pytest.raises(ValueError, match="has more than the 2 decimal digits of USD"):
        money("12.345")


@given(st.integers(-(10**12), 10**12), currencies)
def test_money_survives_its_own_text(minor: int, currency: Currency) -> None:
    """An amount read back from its decimal is the same amount, with exactly the currency's digits."""
    amount = Money(minor, currency)

    assert Money.of(amount.amount, amount.currency) == amount
    assert -amount.amount.as_tuple().exponent == amount.currency.digits  # type: ignore[operator]
    assert amount.exact == Fraction(amount.amount)


def test_money_is_ordered_and_signed() -> None:
    """Amounts of one currency compare and negate like numbers."""
    assert money("1.00") < money("1.01") <= money("1.01")
    assert not money("1.01") < money("1.01")
    assert -money("1.00") + money("1.50") - money("0.50") == money("0.00")


@pytest.mark.parametrize(
    ("value", "code", "text"),
    [
        ("15", "USD", "15.00"),
        ("15.0", "USD", "15.00"),
        ("0.00325", "USD", "0.00325"),
        ("1E+3", "JPY", "1000"),
        ("2.50", "JPY", "2.5"),
        ("7", "KWD", "7.000"),
    ],
)
def test_a_price_is_written_as_people_write_it(value: str, code: str, text: str) -> None:
    """At least the digits of the currency, more where the price has them, never an exponent."""
    assert decimal_text(Decimal(value), CURRENCIES[code]) == text


def test_the_currencies_have_the_digits_of_iso_4217() -> None:
    """Yen has none, dollars two, dinars three; codes are three capitals and listed once."""
    assert {code: CURRENCIES[code].digits for code in ("JPY", "USD", "KWD")} == {"JPY": 0, "USD": 2, "KWD": 3}
    assert all(
        code == currency.code and code.isupper() and len(code) == 3 for code, currency in CURRENCIES.items()
    )
    assert not {"ANG", "BGN", "HRK"} & CURRENCIES.keys(), "currencies that are no more"
