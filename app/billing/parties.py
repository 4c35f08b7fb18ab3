"""The two sides of a document, and the catalog that the seller bills from."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from uuid import UUID

from app.billing.money import Currency
from app.billing.plans import Plan, SeatMetric
from app.billing.taxes import TaxRules


class CustomerKind(Enum):
    """LIVE customers are billed in real time; the time of DEMO and TEST ones can be moved, and their
    documents have their own numbers.
    """

    LIVE = "LIVE"
    DEMO = "DEMO"
    TEST = "TEST"


@dataclass(frozen=True, slots=True)
class BillingDetails:
    """The buyer as documents name it. `reference` is the buyer's own, such as a purchase order number."""

    legal_name: str | None = None
    lines: tuple[str, ...] = ()
    postal_code: str | None = None
    city: str | None = None
    region: str | None = None
    country: str | None = None
    tax_id: str | None = None
    email: str | None = None
    reference: str | None = None

    @property
    def missing(self) -> tuple[str, ...]:
        """What a document still needs, in words."""
        needed = (
            ("legal name", self.legal_name),
            ("street address", self.lines),
            ("city", self.city),
            ("country", self.country),
        )
        return tuple(name for name, value in needed if not value)


@dataclass(frozen=True, slots=True)
class BankAccount:
    """Where customers who pay by invoice send the money."""

    holder: str
    iban: str
    bic: str
    bank: str


@dataclass(frozen=True, slots=True)
class Seller:
    """The legal entity on the invoice. Invoices are due `payment_days` after their day in `zone`."""

    legal_name: str
    lines: tuple[str, ...]
    country: str
    tax_id: str | None
    registration: str | None
    email: str
    zone: str
    payment_days: int
    bank: BankAccount


@dataclass(frozen=True, slots=True)
class Catalog:
    """Everything that was declared and applied together: the seller, its taxes, the metrics, and the plans on
    offer.
    """

    id: UUID
    seller: Seller
    taxes: TaxRules
    metrics: tuple[SeatMetric, ...]
    plans: tuple[Plan, ...]

    def metric(self, code: str) -> SeatMetric | None:
        return next((metric for metric in self.metrics if metric.code == code), None)

    def plan(self, code: str) -> Plan | None:
        return next((plan for plan in self.plans if plan.code == code), None)

    @property
    def currencies(self) -> frozenset[Currency]:
        return frozenset(price.currency for plan in self.plans for price in plan.prices)
