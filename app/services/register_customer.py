"""Make a customer, or change what documents say of one."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel import Locale, UnknownLocaleError

from app.billing.money import CURRENCIES, Money
from app.billing.parties import BillingDetails, CustomerKind
from app.billing.payments import INVOICE
from app.billing.permissions import Actor
from app.billing.refusals import InvalidInput, Problem
from app.store import commits, customers
from app.store.customers import Customer
from app.store.transaction import Tx

REFERENCE_MAX: Final = 200


@dataclass(frozen=True, slots=True)
class NewCustomer:
    """Who is to be billed: the vendor's own reference, and currency, zone and locale by code."""

    reference: str
    name: str
    currency: str
    zone: str
    locale: str = "en"
    kind: CustomerKind = CustomerKind.LIVE
    details: BillingDetails = field(default_factory=BillingDetails)
    clock_offset: timedelta = timedelta(0)
    payment_method: str | None = None


def register_customer(tx: Tx, actor: Actor, new: NewCustomer) -> Customer | InvalidInput:
    """The customer as registered. All wrong fields are named at once; a reference that another customer has
    is refused.
    """
    problems = tuple(problems_of(new))
    if customers.get(tx) is not None:
        problems = (*problems, Problem("customer", "This customer is registered already."))
    if problems:
        return InvalidInput(problems)
    currency = CURRENCIES[new.currency]
    customer = Customer(
        id=tx.customer,
        reference=new.reference,
        name=new.name,
        currency=currency,
        zone=new.zone,
        locale=new.locale,
        kind=new.kind,
        clock_offset=new.clock_offset,
        credit=Money.zero(currency),
        details=new.details,
        payment_method=new.payment_method,
    )
    if not customers.add(tx, customer):
        return InvalidInput((Problem("reference", f"Another customer has the reference {new.reference!r}."),))
    commits.note(
        tx,
        "customer.registered",
        tx.customer,
        actor=actor.name,
        at=tx.at,
        detail={"reference": new.reference},
    )
    return customer


def change_billing_details(tx: Tx, actor: Actor, details: BillingDetails) -> None:
    """What the documents of tomorrow say of the buyer; those of yesterday keep their words."""
    customers.set_details(tx, details)
    commits.note(tx, "customer.details_changed", tx.customer, actor=actor.name, at=tx.at, detail={})


def change_payment_method(tx: Tx, actor: Actor, method: str | None) -> None:
    """How the customer pays from now on: by a method that a gateway charges, or (None) by invoice."""
    customers.set_payment_method(tx, method)
    detail = {"method": method or INVOICE}
    commits.note(tx, "customer.pays_by", tx.customer, actor=actor.name, at=tx.at, detail=detail)


def move_to_zone(tx: Tx, actor: Actor, zone: str) -> InvalidInput | None:
    """The customer's days are those of another IANA zone from now on; a period that is open keeps its
    instants, and the next one ends with a day of the new zone.
    """
    if not _known_zone(zone):
        return InvalidInput((_no_zone(zone),))
    customers.set_zone(tx, zone)
    commits.note(tx, "customer.moved", tx.customer, actor=actor.name, at=tx.at, detail={"zone": zone})
    return None


def _no_zone(name: str) -> Problem:
    return Problem("zone", f"{name!r} is no IANA time zone. Give one such as Europe/Berlin.")


def problems_of(new: NewCustomer) -> list[Problem]:
    """Everything that is wrong with what is said of a customer, by field."""
    problems = []
    if not new.reference or len(new.reference) > REFERENCE_MAX:
        problems.append(
            Problem("reference", "Give a reference of 1 to 200 characters: your own id of the customer.")
        )
    if new.currency not in CURRENCIES:
        problems.append(
            Problem(
                "currency", f"{new.currency!r} is no ISO 4217 currency code. Give one such as EUR or USD."
            )
        )
    if not _known_zone(new.zone):
        problems.append(_no_zone(new.zone))
    if not _known_locale(new.locale):
        problems.append(Problem("locale", f"{new.locale!r} is no locale. Give one such as en or de-AT."))
    return problems


def _known_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return bool(name)


def _known_locale(name: str) -> bool:
    try:
        Locale.parse(name.replace("-", "_"))
    except (ValueError, UnknownLocaleError):
        return False
    return True
