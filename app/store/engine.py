"""Two engines for each database, one to write and one to read, and the Store over them.

SQLite: the driver's own transaction control is switched off, because it begins no transaction before a
SELECT and so loses updates silently; a write begins with BEGIN IMMEDIATE, a read with BEGIN. One connection
writes. PostgreSQL: writes are READ COMMITTED with row locks, reads are REPEATABLE READ and READ ONLY. Reads
have connections of their own, so that requests which hold one can never keep each other from writing.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import URL, Connection, Engine, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from app.metrics import STATEMENTS
from app.store import clocks, criterion
from app.store.scope import EVERYBODY, REACH, ScopedConnection
from app.store.system import LOOKUPS
from app.store.tables import TENANT_TABLES
from app.store.transaction import WAIT_MAX, OffsetOf, Store

DRIVERS: Final = {
    "sqlite": "sqlite+aiosqlite",
    "sqlite+aiosqlite": "sqlite+aiosqlite",
    "postgres": "postgresql+asyncpg",
    "postgresql": "postgresql+asyncpg",
    "postgresql+asyncpg": "postgresql+asyncpg",
}
SQLITE_READERS: Final = 4
POSTGRES_WRITERS: Final = 8
POSTGRES_READERS: Final = 8
# SQLite's own wait has no order and cannot be ended early: it is short, and the write door tries again.
SQLITE_TRY_SECONDS: Final = 1.0
STATEMENT_MAX: Final = timedelta(seconds=30)
IDLE_MAX: Final = timedelta(seconds=60)
SQLITE_EVERY: Final = (
    "foreign_keys = ON",
    "recursive_triggers = ON",
    "temp_store = MEMORY",
    "cache_size = -16000",
)


class DatabaseUrlWrong(ValueError):
    """The database's address names no file or server that Seatport can use; the message says what to give."""


def open_store(
    url: str,
    *,
    clock: Callable[[], datetime],
    offset_of: OffsetOf = clocks.offset_of,
    wait_max: timedelta = WAIT_MAX,
) -> Store:
    """Open the store at a URL; connects on first use. Whoever opens it awaits its `close`.

    :param url: `sqlite+aiosqlite:///FILE` or `postgresql+asyncpg://USER@HOST/DATABASE`
    :param clock: the wall clock
    :param offset_of: how far a customer's clock is ahead of it
    :param wait_max: how long a write may wait for its turn in all before it ends in Busy
    :raises DatabaseUrlWrong: if the URL is of another form
    """
    address = parsed(url)
    seconds = wait_max.total_seconds()
    if address.drivername == DRIVERS["sqlite"]:
        writer = sqlite_engine(
            address,
            begin="BEGIN IMMEDIATE",
            size=1,
            wait_seconds=seconds,
            lock_seconds=min(seconds, SQLITE_TRY_SECONDS),
        )
        reader = sqlite_engine(
            address, begin="BEGIN", size=SQLITE_READERS, wait_seconds=seconds, writes=False
        )
    else:
        writer = postgres_engine(address, size=POSTGRES_WRITERS, wait_seconds=seconds)
        reader = postgres_engine(
            address,
            size=POSTGRES_READERS,
            wait_seconds=seconds,
            execution_options={"isolation_level": "REPEATABLE READ", "postgresql_readonly": True},
        )
    for engine, door in ((writer, "write"), (reader, "read")):
        criterion.watch(engine.sync_engine, TENANT_TABLES)
        count_statements(engine.sync_engine, door)
    return Store(
        writer=writer,
        reader=reader,
        clock=clock,
        offset_of=offset_of,
        lookups=LOOKUPS,
        wait_max=wait_max,
    )


def count_statements(engine: Engine, door: str) -> None:
    """Count what an engine sends, for the metrics."""
    statements = STATEMENTS.labels(door)

    @event.listens_for(engine, "before_cursor_execute")
    def count(*_: Any) -> None:
        statements.inc()


def parsed(url: str) -> URL:
    """The address in a URL, with the driver Seatport uses.

    :raises DatabaseUrlWrong: if it is no address of an SQLite file or a PostgreSQL database
    """
    try:
        address = make_url(url)
    except ArgumentError:
        raise DatabaseUrlWrong(f"The database URL cannot be read. {hint()}") from None
    if address.drivername not in DRIVERS:
        raise DatabaseUrlWrong(f"Seatport does not run on {address.drivername}. {hint()}")
    address = address.set(drivername=DRIVERS[address.drivername])
    if not address.database or address.database == ":memory:":
        raise DatabaseUrlWrong(f"The database URL names no database. {hint()}")
    return address


def hint() -> str:
    """The forms a database URL may have. Never repeats the URL given, which may hold a password."""
    return "Give sqlite+aiosqlite:///PATH/TO/FILE.db or postgresql+asyncpg://USER:PASSWORD@HOST/DATABASE."


def sqlite_engine(
    address: URL,
    *,
    begin: str,
    size: int,
    wait_seconds: float,
    lock_seconds: float | None = None,
    writes: bool = True,
    foreign_keys: bool = True,
) -> AsyncEngine:
    """An engine on an SQLite file whose transactions begin as told.

    :param wait_seconds: how long to wait for a connection of the pool
    :param lock_seconds: how long to wait for a lock of the file; as long, if it is not given
    :param writes: False refuses every statement that writes
    :param foreign_keys: False only for migrations, which rebuild tables
    """
    engine = create_async_engine(
        address, pool_size=size, max_overflow=0, pool_timeout=wait_seconds, hide_parameters=True
    )
    pragmas = [f"busy_timeout = {int((lock_seconds or wait_seconds) * 1000)}"]
    pragmas += SQLITE_EVERY if foreign_keys else SQLITE_EVERY[1:]
    pragmas += ["journal_mode = WAL", "synchronous = FULL"] if writes else ["query_only = ON"]

    @event.listens_for(engine.sync_engine, "connect")
    def prepare(connection: DBAPIConnection, _record: Any) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in pragmas:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def start(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


def postgres_engine(
    address: URL,
    *,
    size: int,
    wait_seconds: float,
    statement_max: timedelta = STATEMENT_MAX,
    across: bool = False,
    **options: Any,
) -> AsyncEngine:
    """An engine on a PostgreSQL database. It waits a bounded time for a connection, a lock or a statement.

    :param statement_max: zero lets a statement take its time
    :param across: see the rows of all customers, as migrations and the doctor do; else each transaction says
        whose rows it may touch
    """
    settings = {
        "application_name": "seatport",
        "timezone": "UTC",
        "jit": "off",
        "lock_timeout": milliseconds(timedelta(seconds=wait_seconds)),
        "statement_timeout": milliseconds(statement_max),
        "idle_in_transaction_session_timeout": milliseconds(IDLE_MAX),
        **({REACH: EVERYBODY} if across else {}),
    }
    return create_async_engine(
        address,
        pool_size=size,
        max_overflow=0,
        pool_timeout=wait_seconds,
        hide_parameters=True,
        connect_args={
            "server_settings": settings,
            "timeout": wait_seconds,
            "connection_class": ScopedConnection,
        },
        **options,
    )


def milliseconds(length: timedelta) -> str:
    """A length of time as PostgreSQL's settings take it."""
    return f"{length // timedelta(milliseconds=1)}ms"
