"""Make a customer, or bring what is said of one up to date: whoever puts the same twice changes nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace

from app.billing.money import CURRENCIES
from app.billing.parties import BillingDetails, CustomerKind
from app.billing.payments import INVOICE
from app.billing.permissions import Actor
from app.billing.refusals import InvalidInput, Problem
from app.services.change_plan import Charges, nobody
from app.services.register_customer import (
    NewCustomer,
    change_billing_details,
    change_payment_method,
    move_to_zone,
    problems_of,
    register_customer,
)
from app.store import commits, customers, subscriptions
from app.store.customers import Customer
from app.store.transaction import Tx


@dataclass(frozen=True, slots=True)
class PutCustomer:
    """What is to be so of a customer; None leaves it as it is, or as it is for new ones.

    `payment_method` is one that a gateway charges, or `invoice`.
    """

    reference: str
    name: str
    currency: str
    zone: str
    locale: str | None = None
    kind: CustomerKind | None = None
    details: BillingDetails | None = None
    payment_method: str | None = None

    def beside(self, known: Customer | None) -> NewCustomer:
        """All that is to be so, with what is known already."""
        return NewCustomer(
            reference=self.reference,
            name=self.name,
            currency=self.currency,
            zone=self.zone,
            locale=self.locale or (known.locale if known else "en"),
            kind=self.kind or (known.kind if known else CustomerKind.LIVE),
            details=self.details or (known.details if known else BillingDetails()),
            payment_method=self._method(known),
        )

    def _method(self, known: Customer | None) -> str | None:
        if self.payment_method is None:
            return known.payment_method if known else None
        return None if self.payment_method == INVOICE else self.payment_method


@dataclass(frozen=True, slots=True)
class CustomerPut:
    """The customer as it is now, and whether it is new."""

    customer: Customer
    created: bool


def put_customer(
    tx: Tx, actor: Actor, put: PutCustomer, charges: Charges = nobody
) -> CustomerPut | InvalidInput:
    """Register or update. The kind never changes, and the currency only before the first subscription.

    `charges` tells the payment methods of the deployment's gateway.
    """
    known = customers.get(tx)
    wanted = put.beside(known)
    if put.payment_method not in {None, INVOICE} and not charges(put.payment_method or INVOICE):
        told = (
            f"No gateway here charges {put.payment_method!r}. Give {INVOICE!r}, or a method of your gateway."
        )
        return InvalidInput((Problem("paymentMethod", told), *problems_of(wanted)))
    if known is None:
        registered = register_customer(tx, actor, wanted)
        return CustomerPut(registered, created=True) if isinstance(registered, Customer) else registered
    problems = (*problems_of(wanted), *_fixed(tx, known, wanted))
    if problems:
        return InvalidInput(problems)
    _update(tx, actor, known, wanted)
    after = customers.get(tx)
    assert after is not None, "nobody takes a customer away"
    return CustomerPut(after, created=False)


def _fixed(tx: Tx, known: Customer, wanted: NewCustomer) -> tuple[Problem, ...]:
    """What cannot be changed any more."""
    problems = []
    if wanted.kind is not known.kind:
        problems.append(
            Problem("kind", f"The customer is {known.kind.value} for ever. Register another one.")
        )
    if wanted.currency != known.currency.code and subscriptions.live(tx) is not None:
        told = f"The customer is billed in {known.currency} since its first subscription, and stays so."
        problems.append(Problem("currency", told))
    return tuple(problems)


def _update(tx: Tx, actor: Actor, known: Customer, wanted: NewCustomer) -> None:
    currency = CURRENCIES[wanted.currency]
    if (known.name, known.locale, known.currency) != (wanted.name, wanted.locale, currency):
        customers.set_profile(tx, name=wanted.name, locale=wanted.locale, currency=currency)
        detail = {"name": wanted.name, "locale": wanted.locale, "currency": wanted.currency}
        commits.note(tx, "customer.renamed", tx.customer, actor=actor.name, at=tx.at, detail=detail)
    if known.zone != wanted.zone:
        refused = move_to_zone(tx, actor, wanted.zone)
        assert refused is None, "the zone was looked at"
    if replace(known, details=wanted.details) != known:
        change_billing_details(tx, actor, wanted.details)
    if wanted.payment_method != known.payment_method:
        change_payment_method(tx, actor, wanted.payment_method)
