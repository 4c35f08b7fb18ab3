"""Whose rows a transaction may touch. Each door of the store says it as the transaction begins: of one
customer, of nobody (the deployment's own tables), or across customers (the look-ups of `system`, the billing
run, migrations, the doctor). What says nothing may touch no row of a customer.

It holds twice. `app.store.criterion` refuses a statement before it is sent, if it does not say of which
customer. PostgreSQL asks each row: `app.store.policies`; there the scope goes out in the same message as the
BEGIN, which costs no round trip.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import asyncpg
from sqlalchemy import Connection

CUSTOMER: Final = "app.customer"
"""The setting of a transaction on PostgreSQL that names its customer."""
REACH: Final = "app.reach"
"""The setting that lets a transaction see all customers, if it is `everybody`."""
EVERYBODY: Final = "everybody"

_KEY: Final = "seatport_scope"


@dataclass(frozen=True, slots=True)
class Scope:
    """One customer, or everybody, or nobody."""

    customer: UUID | None = None
    across: bool = False


NOBODY: Final = Scope()
ACROSS: Final = Scope(across=True)


class NotItsCustomer(Exception):
    """A statement would touch rows without saying that they are of the transaction's own customer. It was not
    sent. This is a fault of ours, whoever asked.
    """


class ScopedConnection(asyncpg.Connection):
    """A connection to PostgreSQL that tells the scope of a transaction as it begins it, and then forgets it:
    the next transaction tells its own.
    """

    beginning = ""

    async def execute(self, query: str, *args: Any, timeout: float | None = None) -> str:  # noqa: ASYNC109
        """As asyncpg does, which begins its transactions by this."""
        if self.beginning and query.startswith("BEGIN"):
            query, self.beginning = f"{query.rstrip(';')}; {self.beginning}", ""
        status: str = await super().execute(query, *args, timeout=timeout)
        return status


def enter(connection: Connection, scope: Scope) -> None:
    """Say whose rows a transaction may touch, before its first statement."""
    connection.info[_KEY] = scope
    if connection.dialect.name == "postgresql":
        driver = connection.connection.driver_connection
        assert isinstance(driver, ScopedConnection), "every connection of a store tells its scope"
        driver.beginning = told(scope)


def leave(connection: Connection) -> None:
    """Say that a transaction begins of which nobody has said whose rows it may touch."""
    connection.info[_KEY] = NOBODY
    if connection.dialect.name == "postgresql":
        driver = connection.connection.driver_connection
        assert isinstance(driver, ScopedConnection)
        driver.beginning = ""


def scope_of(connection: Connection) -> Scope:
    """Whose rows the present transaction may touch."""
    scope: Scope = connection.info.get(_KEY, NOBODY)
    return scope


def refuse_others(connection: Connection, owners: Iterable[UUID]) -> None:
    """Return if keys are all of the transaction's customer; a statement that is joined with them is held so.

    :raises NotItsCustomer: if one is of another
    """
    scope = scope_of(connection)
    if not scope.across and any(owner != scope.customer for owner in owners):
        raise NotItsCustomer("Keys of another customer were not sent.")


def told(scope: Scope) -> str:
    """A scope in PostgreSQL's words; nobody's needs none."""
    if scope.customer is not None:
        return f"SET LOCAL {CUSTOMER} = '{scope.customer}'"
    return f"SET LOCAL {REACH} = '{EVERYBODY}'" if scope.across else ""
