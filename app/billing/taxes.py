"""Taxes: the treatment of a sale on a day, and the tax of a document.

A treatment is decided per line on its day and kept with it; a credit carries the treatment of the line it
reverses. Tax is rounded once per document and treatment, on the sum of its lines. Reverse charge: article 196
of the EU's VAT directive 2006/112/EC.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from typing import Final

from app.billing.money import Money, round_half_away, rounded

_EU: Final = "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK"
EU_COUNTRIES: Final = frozenset(_EU.split())
"""The member states, whose businesses account for tax themselves (ISO 3166-1; from 1 February 2020)."""


class TaxCategory(Enum):
    """The categories of EN 16931 that occur here: standard rate, reverse charge, outside the scope of tax."""

    STANDARD = "STANDARD"
    REVERSE_CHARGE = "REVERSE_CHARGE"
    OUTSIDE_SCOPE = "OUTSIDE_SCOPE"


@dataclass(frozen=True, slots=True)
class TaxTreatment:
    """How a line is taxed: a category, a rate in percent, and what the tax is called."""

    category: TaxCategory
    rate: Decimal
    label: str


@dataclass(frozen=True, slots=True)
class TaxRate:
    """The seller's rate for customers of a country, from a day until before another (None: open)."""

    country: str
    label: str
    rate: Decimal
    starts: date
    ends: date | None = None

    def applies(self, country: str, on: date) -> bool:
        return self.country == country and self.starts <= on and (self.ends is None or on < self.ends)


@dataclass(frozen=True, slots=True)
class TaxRules:
    """Where the seller is, and the rates the seller charges."""

    country: str
    rates: tuple[TaxRate, ...]

    def treatment(self, *, country: str | None, tax_id: str | None, on: date) -> TaxTreatment:
        """How a customer is taxed on a day.

        A business in another EU country with a tax id accounts for the tax itself; else the rate for the
        customer's country applies; without one, EU customers pay the rate of the seller's country and
        everybody else is outside the scope. No country yet: the seller's.
        """
        buyer = country or self.country
        if buyer != self.country and {buyer, self.country} <= EU_COUNTRIES and tax_id:
            return TaxTreatment(TaxCategory.REVERSE_CHARGE, Decimal(0), self._label(on))
        rate = self._rate(buyer, on)
        if rate is None and buyer in EU_COUNTRIES:
            rate = self._rate(self.country, on)
        if rate is None:
            return TaxTreatment(TaxCategory.OUTSIDE_SCOPE, Decimal(0), self._label(on))
        return TaxTreatment(TaxCategory.STANDARD, rate.rate, rate.label)

    def _rate(self, country: str, on: date) -> TaxRate | None:
        return next((rate for rate in self.rates if rate.applies(country, on)), None)

    def _label(self, on: date) -> str:
        home = self._rate(self.country, on)
        return home.label if home else "Tax"


@dataclass(frozen=True, slots=True)
class TaxAmount:
    """The tax of a document under one treatment: its base is the sum of the lines, its amount is rounded
    once.
    """

    treatment: TaxTreatment
    base: Money
    amount: Money


def tax_of(base: Money, rate: Decimal) -> Money:
    """The tax on top of an amount at a rate in percent."""
    numerator, denominator = rate.as_integer_ratio()
    return Money(round_half_away(base.minor * numerator, 100 * denominator), base.currency)


def tax_in(gross: Money, rate: Decimal) -> Money:
    """The tax that an amount contains at a rate in percent, where prices are stated with their tax."""
    return rounded(gross.exact * Fraction(rate) / (100 + Fraction(rate)), gross.currency)


def tax_amounts(lines: Iterable[tuple[TaxTreatment, Money]]) -> tuple[TaxAmount, ...]:
    """One tax amount for each treatment, in the order in which they first come."""
    bases: dict[TaxTreatment, Money] = {}
    for treatment, amount in lines:
        bases[treatment] = bases[treatment] + amount if treatment in bases else amount
    return tuple(
        TaxAmount(treatment, base, tax_of(base, treatment.rate)) for treatment, base in bases.items()
    )
