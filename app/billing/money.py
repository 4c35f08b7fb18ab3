"""Money is whole minor units and a currency; an exact amount becomes money in one function, once a line.

Nothing here knows a float. Exact amounts are `Fraction`s of the major unit (12.345 EUR is `Fraction(2469,
200)`); prices come as `Decimal`s and are never computed with before they are fractions.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Final

_TWO_DIGITS: Final = (
    "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF "
    "CNY COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL "
    "HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT "
    "MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB "
    "SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH "
    "USD UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG"
)
_NO_DIGITS: Final = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF"
_THREE_DIGITS: Final = "BHD IQD JOD KWD LYD OMR TND"


@dataclass(frozen=True, slots=True)
class Currency:
    """An ISO 4217 currency: its code, and the decimal digits of its minor unit (0, 2 or 3)."""

    code: str
    digits: int

    def __str__(self) -> str:
        return self.code

    @property
    def units(self) -> int:
        """How many minor units make one major unit."""
        return int(10**self.digits)


CURRENCIES: Final[dict[str, Currency]] = {
    code: Currency(code, digits)
    for digits, codes in ((2, _TWO_DIGITS), (0, _NO_DIGITS), (3, _THREE_DIGITS))
    for code in codes.split()
}
"""Every currency Seatport bills in, by code (ISO 4217, list one; funds and metals left out)."""


@dataclass(frozen=True, slots=True)
class Money:
    """An amount of whole minor units; negative amounts are credits. Mixing currencies is a bug and raises
    `ValueError`.
    """

    minor: int
    currency: Currency

    @classmethod
    def of(cls, amount: Decimal | str, currency: Currency) -> Money:
        """Money of a decimal amount in major units; `ValueError` if it has more digits than the currency."""
        minor = Fraction(Decimal(amount)) * currency.units
        if minor.denominator != 1:
            raise ValueError(f"{amount} has more than the {currency.digits} decimal digits of {currency}")
        return cls(int(minor), currency)

    @classmethod
    def zero(cls, currency: Currency) -> Money:
        return cls(0, currency)

    @property
    def amount(self) -> Decimal:
        """The amount in major units with exactly the currency's digits."""
        return Decimal(self.minor).scaleb(-self.currency.digits)

    @property
    def exact(self) -> Fraction:
        """The amount in major units, to compute with."""
        return Fraction(self.minor, self.currency.units)

    def __str__(self) -> str:
        return f"{self.amount:f} {self.currency}"

    def __add__(self, other: Money) -> Money:
        return Money(self.minor + self.like(other), self.currency)

    def __sub__(self, other: Money) -> Money:
        return Money(self.minor - self.like(other), self.currency)

    def __neg__(self) -> Money:
        return Money(-self.minor, self.currency)

    def __lt__(self, other: Money) -> bool:
        return self.minor < self.like(other)

    def __le__(self, other: Money) -> bool:
        return self.minor <= self.like(other)

    def like(self, other: Money) -> int:
        """The minor units of an amount of the same currency; `ValueError` if it has another."""
        if other.currency != self.currency:
            raise ValueError(f"{self.currency} and {other.currency} cannot be mixed")
        return other.minor


def round_half_away(numerator: int, denominator: int) -> int:
    """The one place where an exact amount becomes whole units; halves go away from zero, for credits too. The
    denominator is above zero.
    """
    whole, rest = divmod(abs(numerator), denominator)
    rounded = whole + (1 if 2 * rest >= denominator else 0)
    return rounded if numerator >= 0 else -rounded


def rounded(exact: Fraction, currency: Currency) -> Money:
    """An exact amount in major units as money, rounded once."""
    return Money(round_half_away(exact.numerator * currency.units, exact.denominator), currency)


def total(amounts: Iterable[Money], currency: Currency) -> Money:
    """The sum, zero for no amounts."""
    zero = Money.zero(currency)
    return Money(sum(zero.like(amount) for amount in amounts), currency)


def split(amount: Money, weights: Sequence[Fraction]) -> tuple[Money, ...]:
    """`amount` in shares by weight that add up to it exactly (largest remainder; earlier shares win ties).

    Weights are not negative and not all zero, else `ValueError`.
    """
    whole = sum(weights, Fraction(0))
    if whole <= 0 or min(weights) < 0:
        raise ValueError("weights must not be negative nor all zero")
    exact = [Fraction(abs(amount.minor)) * weight / whole for weight in weights]
    shares = [value.numerator // value.denominator for value in exact]
    missing = abs(amount.minor) - sum(shares)
    by_remainder = sorted(range(len(exact)), key=lambda i: (shares[i] - exact[i], i))
    for i in by_remainder[:missing]:
        shares[i] += 1
    sign = -1 if amount.minor < 0 else 1
    return tuple(Money(sign * share, amount.currency) for share in shares)


def decimal_text(value: Decimal, currency: Currency) -> str:
    """A price as people write it: at least the currency's digits, more if the price has them (`15.00`,
    `0.00325`).
    """
    plain = value.normalize()
    exponent = plain.as_tuple().exponent
    digits = max(currency.digits, -exponent if isinstance(exponent, int) else 0)
    return f"{plain:.{digits}f}"
