"""The doors of the store. Whoever writes or reads rows comes through one of them and gets a transaction.

`run` writes for one customer: a sync function `unit(tx, …)` in one transaction, committed when it returns,
rolled back when it raises. It runs behind a shield: once begun it goes on to its end although the caller was
cancelled, and the caller learns the outcome by asking again with the same idempotency key. A unit is run
again from scratch when the database asks for that, so it has no effect but its rows. `reads` gives a whole
request one state of the rows.

Every wait is bounded: what takes too long ends in `Busy`, never in the driver's words.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Concatenate, Final, ParamSpec, Protocol, TypeVar
from uuid import UUID

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.store.ids import new_ids
from app.store.scope import ACROSS, NOBODY, Scope, enter
from app.store.shield import Shield, StoreClosed
from app.store.waiting import Busy, is_sqlite_busy, may_run_again, said_as_busy

__all__ = [
    "BatchTx",
    "Busy",
    "DeploymentTx",
    "OffsetOf",
    "ReadScope",
    "Store",
    "Tx",
    "is_sqlite_busy",
    "may_run_again",
]

P = ParamSpec("P")
T = TypeVar("T")

WAIT_MAX: Final = timedelta(seconds=10)
MOSTLY_LEFT: Final = 0.9
MINTED_AT_ONCE: Final = 16


class LostBeforeCommit(Exception):
    """The connection broke inside a unit: nothing of it was written, and it may run again on another."""


@dataclass(slots=True)
class DeploymentTx:
    """One transaction on the tables that no customer owns. `wall`, the wall clock, stands still in it."""

    connection: Connection
    wall: datetime
    forgotten: bool = field(default=False, init=False)
    minted: list[UUID] = field(default_factory=list, kw_only=True, repr=False)

    def new_id(self) -> UUID:
        """A new id; the ids of one transaction grow."""
        if not self.minted:
            self.minted += reversed(new_ids(self.wall, MINTED_AT_ONCE))
        return self.minted.pop()

    def forget(self, value: T) -> T:
        """Hand `value` to the caller, but write nothing: `return tx.forget(refusal)` rolls back on return."""
        self.forgotten = True
        return value


@dataclass(slots=True)
class Tx(DeploymentTx):
    """One transaction for one customer: the only one whose rows a unit or a query may touch.

    `at` is the transaction's instant on the customer's clock, which dates everything about billing; `wall`
    is the same instant on the wall clock, for tokens, leases and ids. Both stand still.
    """

    customer: UUID
    at: datetime


@dataclass(slots=True)
class BatchTx(DeploymentTx):
    """One transaction for several customers, each through a Tx of its own; `app.store.run_batch` opens them.
    `wall` is when it began; theirs is read when their rows are locked.
    """

    clock: Callable[[], datetime]

    def enter(self, offsets: Mapping[UUID, timedelta]) -> dict[UUID, Tx]:
        """The transactions of customers whose rows are locked, by how far each one's clock is ahead."""
        wall = self.clock()
        minted: list[UUID] = []
        return {
            customer: Tx(self.connection, wall, customer, wall + ahead, minted=minted)
            for customer, ahead in offsets.items()
        }


class OffsetOf(Protocol):
    """How far a customer's clock is ahead of the wall clock; zero for a customer that does not exist yet.

    With `lock` it also locks the customer's row until the transaction ends (PostgreSQL: FOR NO KEY UPDATE).
    Units of one customer then run one after the other, and their instants follow the order of their commits.
    """

    def __call__(self, connection: Connection, customer: UUID, /, *, lock: bool) -> timedelta: ...


class Store:
    """Everything Seatport keeps. One in each process, from `app.store.engine.open_store`."""

    def __init__(
        self,
        *,
        writer: AsyncEngine,
        reader: AsyncEngine,
        clock: Callable[[], datetime],
        offset_of: OffsetOf,
        lookups: Collection[Callable[..., Any]] = (),
        wait_max: timedelta = WAIT_MAX,
    ) -> None:
        self.writer = writer
        self.reader = reader
        self._clock = clock
        self._offset_of = offset_of
        self._lookups = lookups
        self._wait_seconds = wait_max.total_seconds()
        # SQLite takes one writer at a time and keeps no queue: this process's units wait here for their turn.
        self._gate = asyncio.Lock() if writer.dialect.name == "sqlite" else None
        self._shield = Shield()

    async def run(
        self, customer: UUID, unit: Callable[Concatenate[Tx, P], T], /, *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run a unit that writes for one customer, in one transaction.

        :raises Busy: if it had no turn in time; nothing was written
        :raises asyncio.CancelledError: if the caller was cancelled; the unit goes on to its commit
        """

        def work(connection: Connection) -> tuple[T, DeploymentTx]:
            tx = self.tx(connection, customer, lock=True)
            return unit(tx, *args, **kwargs), tx

        return await self._shield.run(self._write(work, Scope(customer)))

    async def deployment(
        self, unit: Callable[Concatenate[DeploymentTx, P], T], /, *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run a unit that writes tables of the deployment (seller, catalog, API keys), in one transaction.

        :raises Busy: if it had no turn in time; nothing was written
        """

        def work(connection: Connection) -> tuple[T, DeploymentTx]:
            tx = DeploymentTx(connection, self.wall())
            return unit(tx, *args, **kwargs), tx

        return await self._shield.run(self._write(work, NOBODY))

    async def batch(
        self, unit: Callable[Concatenate[BatchTx, P], T], /, *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run a unit that writes for several customers, in one transaction: the billing run.

        :raises Busy: if it had no turn in time; nothing was written
        """

        def work(connection: Connection) -> tuple[T, DeploymentTx]:
            tx = BatchTx(connection, self.wall(), self.wall)
            return unit(tx, *args, **kwargs), tx

        return await self._shield.run(self._write(work, ACROSS))

    async def look(
        self, unit: Callable[Concatenate[BatchTx, P], T], /, *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run the same kind of unit where nothing can be written; `Busy` as there."""

        def work(connection: Connection) -> T:
            with connection.begin():
                enter(connection, ACROSS)
                return unit(BatchTx(connection, self.wall(), self.wall), *args, **kwargs)

        return await self._shield.run(self._read(work))

    async def system(
        self, lookup: Callable[Concatenate[DeploymentTx, P], T], /, *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run a look-up across customers out of the closed list in `app.store.system`.

        :raises LookupError: if the function is not on the list
        :raises Busy: if it had no turn in time
        """
        if lookup not in self._lookups:
            raise LookupError(f"{lookup.__name__} is not one of the look-ups of app.store.system.")

        def work(connection: Connection) -> T:
            with connection.begin():
                enter(connection, ACROSS)
                return lookup(DeploymentTx(connection, self.wall()), *args, **kwargs)

        return await self._shield.run(self._read(work))

    @asynccontextmanager
    async def reads(self, customer: UUID) -> AsyncIterator["ReadScope"]:
        """The reading scope of one request: from its first read on, every read sees one state of the rows."""
        scope = ReadScope(self, self._shield, customer)
        try:
            yield scope
        finally:
            await self._shield.run(scope.end(for_good=True), closing=True)

    async def ping(self, look: Callable[[Connection], object] = lambda _: None) -> None:
        """Return if the database answers; raise what it says, or Busy, if it does not.

        :param look: looks at the database itself, not at its rows, and raises what it finds wrong
        """

        def answers(connection: Connection) -> None:
            connection.execute(text("SELECT 1"))
            look(connection)

        await self._shield.run(self._read(answers))

    async def close(self) -> None:
        """Let no more work in, wait for what is under way, and close every connection."""
        await self._shield.close()
        await self._shield.run(self._dispose(), closing=True)

    def wall(self) -> datetime:
        """The present instant of the wall clock, in UTC."""
        return self._clock().astimezone(UTC)

    def tx(self, connection: Connection, customer: UUID, *, lock: bool) -> Tx:
        """A customer's transaction. Its instant is read after the first statement, which may have waited."""
        offset = self._offset_of(connection, customer, lock=lock)
        wall = self.wall()
        return Tx(connection, wall, customer, wall + offset)

    async def _write(self, work: Callable[[Connection], tuple[T, DeploymentTx]], scope: Scope) -> T:
        """Wait for the gate, then try until the work is committed or the time is up."""
        ends_at = asyncio.get_running_loop().time() + self._wait_seconds
        if self._gate is None:
            return await self._tried(work, scope, ends_at)
        try:
            async with asyncio.timeout_at(ends_at):
                await self._gate.acquire()
        except TimeoutError:
            raise Busy from None
        try:
            return await self._tried(work, scope, ends_at)
        finally:
            self._gate.release()

    async def _tried(
        self, work: Callable[[Connection], tuple[T, DeploymentTx]], scope: Scope, ends_at: float
    ) -> T:
        """Run the work in a transaction, again from scratch as often as the database asks for it."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                with said_as_busy():
                    async with self.writer.connect() as connection:
                        seconds_left = ends_at - loop.time()
                        spent = self._gate is None and seconds_left < MOSTLY_LEFT * self._wait_seconds
                        return await connection.run_sync(
                            in_transaction, work, scope, seconds_left if spent else None
                        )
            except (DBAPIError, LostBeforeCommit) as error:
                if isinstance(error, DBAPIError) and not may_run_again(error):
                    raise
                if loop.time() >= ends_at:
                    raise Busy from error

    async def _read(self, work: Callable[[Connection], T]) -> T:
        with said_as_busy(reading=True):
            connection, result = await self.reading(work)
            await connection.close()
            return result

    async def reading(self, first: Callable[[Connection], T]) -> tuple[AsyncConnection, T]:
        """A connection to read by, for the caller to close, and what its first work returned."""
        try:
            return await self._reading(first)
        except DBAPIError as error:
            if not error.connection_invalidated:
                raise
            # The server had ended this connection while it lay in the pool; that empties the pool.
            return await self._reading(first)

    async def _reading(self, first: Callable[[Connection], T]) -> tuple[AsyncConnection, T]:
        connection = await self.reader.connect()
        try:
            return connection, await connection.run_sync(first)
        except BaseException:
            await connection.close()
            raise

    async def _dispose(self) -> None:
        await self.writer.dispose()
        await self.reader.dispose()


class ReadScope:
    """What one request reads: one transaction, begun by the first read, one read at a time.

    Resolvers and loaders of a request share it, so all of an answer is of one state. After the request has
    written, `renew` lets the following reads see that.
    """

    def __init__(self, store: Store, shield: Shield, customer: UUID) -> None:
        self.customer = customer
        self._store = store
        self._shield = shield
        self._lock = asyncio.Lock()
        self._begun_with: tuple[AsyncConnection, Tx] | None = None
        self._ended = False

    async def run(self, query: Callable[Concatenate[Tx, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a sync function that reads; a statement that writes is refused by the database.

        :raises Busy: if no connection was free in time
        :raises StoreClosed: after the request
        """

        async def read() -> T:
            async with self._lock:
                connection, tx = await self._begun()
                return await connection.run_sync(lambda _: query(tx, *args, **kwargs))

        with said_as_busy(reading=True):
            return await self._shield.run(read())

    async def renew(self) -> None:
        """End the transaction; the next read begins a new one, at a new instant."""
        await self._shield.run(self.end())

    async def end(self, *, for_good: bool = False) -> None:
        """Give the connection back when the read under way is done. `for_good` lets no more reads in."""
        async with self._lock:
            self._ended = self._ended or for_good
            begun, self._begun_with = self._begun_with, None
            if begun is not None:
                await begun[0].close()

    async def _begun(self) -> tuple[AsyncConnection, Tx]:
        """The transaction; on the first read a new one, whose first statement fixes the state it sees."""
        if self._ended:
            raise StoreClosed("The request whose reading scope this was is over.")
        if self._begun_with is None:
            self._begun_with = await self._store.reading(self._first)
        return self._begun_with

    def _first(self, connection: Connection) -> Tx:
        connection.begin()
        enter(connection, Scope(self.customer))
        return self._store.tx(connection, self.customer, lock=False)


def in_transaction(
    connection: Connection,
    work: Callable[[Connection], tuple[T, DeploymentTx]],
    scope: Scope,
    lock_seconds: float | None,
) -> T:
    """Commit what the work wrote when it returns, unless it asked for that to be forgotten.

    :param lock_seconds: on PostgreSQL, wait so much less than usual for a row that another transaction holds
    """
    with connection.begin() as transaction:
        enter(connection, scope)
        try:
            if lock_seconds is not None:
                connection.exec_driver_sql(f"SET LOCAL lock_timeout = {max(1, int(lock_seconds * 1000))}")
            result, tx = work(connection)
        except DBAPIError as error:
            if error.connection_invalidated:
                raise LostBeforeCommit from error
            raise
        if tx.forgotten:
            transaction.rollback()
    return result
