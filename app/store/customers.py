"""Customers and their members."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Row

from app.billing.money import CURRENCIES, Currency, Money
from app.billing.parties import BillingDetails, CustomerKind
from app.billing.permissions import Role
from app.store.frozen import from_json, to_json
from app.store.keyed import customers_of
from app.store.sheet import Sheet
from app.store.tables import customer, customer_reference
from app.store.tables import member as members
from app.store.transaction import Tx

MICROSECOND = timedelta(microseconds=1)
CREDIT = (
    update(customer)
    .where(customer.c.customer_id == bindparam("of_customer", type_=customer.c.customer_id.type))
    .values(credit=customer.c.credit + bindparam("by", type_=customer.c.credit.type))
)
"""Adds to the credit balance."""


@dataclass(frozen=True, slots=True)
class Customer:
    """The tenant. `credit` is gross money in hand; `clock_offset` is how far the customer's clock is ahead of
    the wall clock. Without a `payment_method` it pays by invoice.
    """

    id: UUID
    reference: str
    name: str
    currency: Currency
    zone: str
    locale: str
    kind: CustomerKind
    clock_offset: timedelta
    credit: Money
    details: BillingDetails
    payment_method: str | None = None

    @property
    def demo(self) -> bool:
        """Whether time may be moved and documents have their own numbers."""
        return self.kind is not CustomerKind.LIVE


@dataclass(frozen=True, slots=True)
class Member:
    """A person of the customer who may use the portal."""

    id: UUID
    reference: str
    name: str | None
    email: str | None
    role: Role


def get(tx: Tx) -> Customer | None:
    """The customer of the transaction."""
    row = tx.connection.execute(select(customer).where(customer.c.customer_id == tx.customer)).one_or_none()
    return _customer(row) if row else None


def get_of(txs: Iterable[Tx]) -> dict[UUID, Customer]:
    """The customers of transactions, by id."""
    keys = customers_of(customer, txs)
    return {row.customer_id: _customer(row) for row in keys.execute(keys.rows_of(customer))}


def _customer(row: Row[Any]) -> Customer:
    currency = CURRENCIES[row.currency]
    return Customer(
        id=row.customer_id,
        reference=row.reference,
        name=row.name,
        currency=currency,
        zone=row.zone,
        locale=row.locale,
        kind=row.kind,
        clock_offset=row.clock_offset * MICROSECOND,
        credit=Money(row.credit, currency),
        details=from_json(row.details, BillingDetails),
        payment_method=row.payment_method,
    )


def add(tx: Tx, new: Customer) -> bool:
    """Record a new customer; False, and nothing recorded, if another has its reference, even one that comes
    at the same moment.
    """
    dialect = sqlite if tx.connection.dialect.name == "sqlite" else postgresql
    own_name = dialect.insert(customer_reference).values(reference=new.reference, customer_id=new.id)
    if not tx.connection.execute(own_name.on_conflict_do_nothing()).rowcount:
        return False
    tx.connection.execute(
        insert(customer).values(
            customer_id=new.id,
            reference=new.reference,
            name=new.name,
            currency=new.currency.code,
            zone=new.zone,
            locale=new.locale,
            kind=new.kind,
            clock_offset=new.clock_offset // MICROSECOND,
            credit=new.credit.minor,
            details=to_json(new.details),
            payment_method=new.payment_method,
            created_at=tx.at,
        )
    )
    return True


def set_details(tx: Tx, details: BillingDetails) -> None:
    """Replace the billing details."""
    tx.connection.execute(
        update(customer).where(customer.c.customer_id == tx.customer).values(details=to_json(details))
    )


def set_profile(tx: Tx, *, name: str, locale: str, currency: Currency) -> None:
    """Replace what the customer is called, the language it reads, and what it is billed in."""
    values = {"name": name, "locale": locale, "currency": currency.code}
    tx.connection.execute(update(customer).where(customer.c.customer_id == tx.customer).values(values))


def set_payment_method(tx: Tx, method: str | None) -> None:
    """Replace how the customer pays; None is by invoice."""
    mine = customer.c.customer_id == tx.customer
    tx.connection.execute(update(customer).where(mine).values(payment_method=method))


def set_zone(tx: Tx, zone: str) -> None:
    """Replace the time zone."""
    tx.connection.execute(update(customer).where(customer.c.customer_id == tx.customer).values(zone=zone))


def set_clock_offset(tx: Tx, offset: timedelta) -> None:
    """Set how far the clock of the customer is ahead."""
    tx.connection.execute(
        update(customer)
        .where(customer.c.customer_id == tx.customer)
        .values(clock_offset=offset // MICROSECOND)
    )


def move_credit(sheet: Sheet, tx: Tx, amount: Money) -> None:
    """Add to the level that is kept beside the credit ledger."""
    sheet.step(CREDIT, {"of_customer": tx.customer, "by": amount.minor})


def member(tx: Tx, member_id: UUID) -> Member | None:
    """A member by id; None if there is none, or it was removed."""
    where = (members.c.customer_id == tx.customer, members.c.id == member_id, members.c.removed_at.is_(None))
    row = tx.connection.execute(select(members).where(*where)).one_or_none()
    return _member(row) if row else None


def member_by_reference(tx: Tx, reference: str, *, removed: bool = False) -> Member | None:
    """The member whom the vendor calls so; None if there is none.

    :param removed: also one that was removed
    """
    query = select(members).where(members.c.customer_id == tx.customer, members.c.reference == reference)
    if not removed:
        query = query.where(members.c.removed_at.is_(None))
    row = tx.connection.execute(query).one_or_none()
    return _member(row) if row else None


def put_member(tx: Tx, person: Member) -> None:
    """Make the member, or bring name, e-mail and role up to date; one that was removed is back."""
    values = {"name": person.name, "email": person.email, "role": person.role}
    values |= {"mailbox": mailbox(person.email), "removed_at": None}
    if member_by_reference(tx, person.reference, removed=True) is None:
        new = {"customer_id": tx.customer, "id": person.id, "reference": person.reference}
        tx.connection.execute(insert(members).values({**new, **values, "created_at": tx.at}))
        return
    known = (members.c.customer_id == tx.customer, members.c.reference == person.reference)
    tx.connection.execute(update(members).where(*known).values(values))


def remove_member(tx: Tx, member_id: UUID) -> None:
    """Note that a member is no more. Its row stays, for what speaks of it."""
    known = (members.c.customer_id == tx.customer, members.c.id == member_id)
    tx.connection.execute(update(members).where(*known).values(removed_at=tx.wall))


def asks_for_link(tx: Tx, member_id: UUID, *, not_since: datetime) -> bool:
    """Note that a member asks for a link now; False, and nothing noted, if it did after `not_since`."""
    asked = members.c.link_asked_at
    rarely = (members.c.customer_id == tx.customer, members.c.id == member_id, members.c.removed_at.is_(None))
    query = update(members).where(*rarely, or_(asked.is_(None), asked <= not_since))
    return bool(tx.connection.execute(query.values(link_asked_at=tx.wall)).rowcount)


def mailbox(email: str | None) -> str | None:
    """An e-mail address as it is looked up: without spaces around it and without capitals."""
    return (email or "").strip().casefold() or None


def _member(row: Row[Any]) -> Member:
    return Member(row.id, row.reference, row.name, row.email, row.role)
