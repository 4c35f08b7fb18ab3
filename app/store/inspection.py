"""A look at a live database from outside the doors: by its own connection, which cannot write, through the
closed list of checks in `app.store.checks`. For the doctor alone.

Each look is a transaction of its own, so that servers work on meanwhile; what it sees is of one state.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, TypeVar
from uuid import UUID

from sqlalchemy import Connection, TextClause, bindparam, func, select, text
from sqlalchemy.exc import DatabaseError
from sqlalchemy.ext.asyncio import AsyncEngine

from app.store.checks import BY_CUSTOMER, OF_DEPLOYMENT, Broken, Check
from app.store.columns import Id
from app.store.engine import parsed, postgres_engine, sqlite_engine
from app.store.shield import Shield
from app.store.tables import customer

T = TypeVar("T")

WAIT_SECONDS: Final = 30.0
AT_ONCE: Final = 100
FIRST: Final = UUID(int=0)
LAST: Final = UUID(int=2**128 - 1)


@dataclass(frozen=True, slots=True)
class Found:
    """What one look found of a check: how many rows break its promise, and the first of them."""

    check: Check
    count: int
    first: Broken | None


@dataclass(frozen=True, slots=True)
class Page:
    """Some customers in the order of their ids: from after one until another."""

    after: UUID
    until: UUID
    customers: int


@dataclass(frozen=True, slots=True)
class Inspection:
    """A connection that cannot write."""

    engine: AsyncEngine
    shield: Shield

    async def look(self, work: Callable[[Connection], T]) -> T:
        """Run work that reads in a transaction of its own."""

        async def within() -> T:
            async with self.engine.connect() as connection, connection.begin():
                return await connection.run_sync(work)

        return await self.shield.run(within())


@asynccontextmanager
async def inspecting(url: str) -> AsyncIterator[Inspection]:
    """Open a database that is at this program's revision, to look at it."""
    address = parsed(url)
    if address.get_backend_name() == "sqlite":
        engine = sqlite_engine(address, begin="BEGIN", size=1, wait_seconds=WAIT_SECONDS, writes=False)
    else:
        engine = postgres_engine(
            address,
            size=1,
            wait_seconds=WAIT_SECONDS,
            statement_max=timedelta(0),
            across=True,
            execution_options={"isolation_level": "REPEATABLE READ", "postgresql_readonly": True},
        )
    try:
        yield Inspection(engine, Shield())
    finally:
        await engine.dispose()


def how_many_customers(connection: Connection) -> int:
    """All customers."""
    return int(connection.execute(select(func.count()).select_from(customer)).scalar_one())


def page_after(connection: Connection, after: UUID, size: int) -> Page:
    """The next customers. The last page has no end, so that rows of no customer are on a page too."""
    query = select(customer.c.customer_id).where(customer.c.customer_id > after)
    found = connection.execute(query.order_by(customer.c.customer_id).limit(size)).scalars().all()
    return Page(after, found[-1] if len(found) == size else LAST, len(found))


def of_customers(connection: Connection, page: Page) -> tuple[Found, ...]:
    """What is found of each check among customers."""
    return tuple(found_of(connection, check, page) for check in BY_CUSTOMER)


def of_deployment(connection: Connection) -> tuple[Found, ...]:
    """What is found of each check of the deployment."""
    return tuple(found_of(connection, check) for check in OF_DEPLOYMENT)


def found_of(connection: Connection, check: Check, page: Page | None = None) -> Found:
    """What is found of one check, among customers if it is one of these."""
    between = {"after": page.after, "until": page.until} if page else {}
    count, first = 0, None
    for broken in check.judged(_rows(connection, check, between)):
        count, first = count + 1, first or broken
    return Found(check, count, first)


def file_problem(connection: Connection) -> str | None:
    """What SQLite says of its own file; None if it is sound, and on PostgreSQL, which has no such word."""
    if connection.dialect.name != "sqlite":
        return None
    try:
        said = str(connection.exec_driver_sql("PRAGMA quick_check(1)").scalar_one())
    except DatabaseError as error:
        return str(error.orig)
    return None if said == "ok" else said


def _rows(connection: Connection, check: Check, between: dict[str, UUID]) -> Iterator[Any]:
    statement: TextClause = text(check.statement(connection.dialect.name))
    statement = statement.bindparams(*(bindparam(name, value, Id()) for name, value in between.items()))
    query = statement.columns(**check.types) if check.types else statement
    yield from connection.execution_options(yield_per=AT_ONCE).execute(query)
