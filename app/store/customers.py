"""Customers and their members."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Row

from app.billing.money import CURRENCIES, Currency, Money
from app.billing.parties import BillingDetails, CustomerKind
from app.billing.permissions import Role
from app.store.frozen import from_json, to_json
from app.store.keyed import customers_of
from app.store.sheet import Sheet
from app.store.tables import customer, customer_reference, portal_session
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
    """A member by id, None if there is none."""
    where = (members.c.customer_id == tx.customer, members.c.id == member_id)
    row = tx.connection.execute(select(members).where(*where)).one_or_none()
    return Member(row.id, row.reference, row.name, row.email, row.role) if row else None


def member_by_reference(tx: Tx, reference: str) -> Member | None:
    """The member whom the vendor calls so, None if there is none."""
    where = (members.c.customer_id == tx.customer, members.c.reference == reference)
    row = tx.connection.execute(select(members).where(*where)).one_or_none()
    return Member(row.id, row.reference, row.name, row.email, row.role) if row else None


def put_member(tx: Tx, person: Member) -> None:
    """Make the member, or bring name, e-mail and role up to date."""
    known = member_by_reference(tx, person.reference)
    if known is None:
        values = {
            "customer_id": tx.customer,
            "id": person.id,
            "reference": person.reference,
            "created_at": tx.at,
        }
        values |= {"name": person.name, "email": person.email, "role": person.role}
        tx.connection.execute(insert(members).values(values))
        return
    where = (members.c.customer_id == tx.customer, members.c.id == known.id)
    values = {"name": person.name, "email": person.email, "role": person.role}
    tx.connection.execute(update(members).where(*where).values(values))


def add_session(tx: Tx, *, token_hash: str, member_id: UUID, expires_at: datetime) -> None:
    """A portal session; only the hash of its token is ever stored."""
    tx.connection.execute(
        insert(portal_session).values(
            token_hash=token_hash,
            customer_id=tx.customer,
            member_id=member_id,
            created_at=tx.wall,
            expires_at=expires_at,
        )
    )
