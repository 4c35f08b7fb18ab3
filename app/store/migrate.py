"""Bring a database to the tables this program knows, and refuse one that is at another state.

All of a migration is one transaction on both engines, the triggers included: it is done whole or not at all.
Two that start at once run one after the other, and the second finds nothing to do.
"""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Final, TypeVar

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from asyncpg import PostgresError
from sqlalchemy import URL, Connection, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.store import triggers
from app.store.engine import parsed, postgres_engine, sqlite_engine
from app.store.transaction import is_sqlite_busy

T = TypeVar("T")

REVISIONS: Final = Path(__file__).parent / "migrations"
WAIT_SECONDS: Final = 30.0
TRY_SECONDS: Final = 0.05
LOCK: Final = 7_328_767_841  # "seatport" on a phone's keys: any number that nobody else locks.


class WrongHead(Exception):
    """The database is not at the revision this program needs; the message says what to do."""


class DatabaseUnusable(Exception):
    """There is no usable database at the given address; the message says why."""


async def upgrade(url: str) -> str | None:
    """Bring the database to the head, making an SQLite file and its folder where there is none.

    :returns: the revision the database is at now
    :raises WrongHead: if a newer program migrated it
    :raises DatabaseUnusable: if it cannot be reached
    """
    if (file := file_of(url)) is not None:
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DatabaseUnusable(unusable(parsed(url), error)) from error
    return await within(url, upgraded)


async def current(url: str) -> str | None:
    """The revision the database is at; None if it was never migrated or, for SQLite, is no file yet.

    :raises DatabaseUnusable: if it cannot be reached
    """
    file = file_of(url)
    if file is not None and not file.exists():
        return None
    return await within(url, revision_of)


async def check(url: str) -> None:
    """Return if the database is at the head.

    :raises WrongHead: if it is not
    :raises DatabaseUnusable: if it cannot be reached
    """
    at = await current(url)
    if at == head():
        return
    refuse_newer(at)
    state = "has no tables yet" if at is None else f"is at revision {at}, and this Seatport needs {head()}"
    raise WrongHead(f"The database {state}. Run `seatport migrate`.")


def head() -> str | None:
    """The revision this program needs."""
    return ScriptDirectory.from_config(config()).get_current_head()


def config() -> Config:
    """Alembic's settings, by absolute path: good from any folder and from an installed wheel."""
    made = Config()
    made.set_main_option("script_location", str(REVISIONS).replace("%", "%%"))
    made.set_main_option("path_separator", "os")
    return made


def file_of(url: str) -> Path | None:
    """The file of an SQLite database; None for PostgreSQL."""
    address = parsed(url)
    return Path(str(address.database)) if address.get_backend_name() == "sqlite" else None


async def within(url: str, work: Callable[[Connection], T]) -> T:
    """Run work on the tables in one transaction of its own, with foreign keys unenforced on SQLite.

    :raises DatabaseUnusable: if the database cannot be reached
    """
    address = parsed(url)
    if address.get_backend_name() == "sqlite":
        engine = sqlite_engine(
            address, begin="BEGIN IMMEDIATE", size=1, wait_seconds=WAIT_SECONDS, foreign_keys=False
        )
    else:
        engine = postgres_engine(address, size=1, wait_seconds=WAIT_SECONDS, statement_max=timedelta(0))
    try:
        connection = await connected(engine)
    except (OSError, PostgresError, DBAPIError) as error:
        await engine.dispose()
        raise DatabaseUnusable(unusable(address, error)) from error
    try:
        async with connection.begin():
            return await connection.run_sync(work)
    finally:
        await connection.close()
        await engine.dispose()


async def connected(engine: AsyncEngine) -> AsyncConnection:
    """A connection to the database.

    SQLite does not wait when two processes turn a new file to its write-ahead log at once; it is asked again.
    """
    loop = asyncio.get_running_loop()
    ends_at = loop.time() + WAIT_SECONDS
    while True:
        try:
            return await engine.connect()
        except DBAPIError as error:
            if not is_sqlite_busy(error) or loop.time() > ends_at:
                raise
        await asyncio.sleep(TRY_SECONDS)


def upgraded(connection: Connection) -> str | None:
    """Take the guards down, run what revisions are missing, and put the guards of today's tables up."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
    refuse_newer(revision_of(connection))
    triggers.remove(connection)
    made = config()
    made.attributes["connection"] = connection
    command.upgrade(made, "head")
    triggers.install(connection)
    if connection.dialect.name == "sqlite":
        broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
        assert not broken, f"the migration left references to nothing: {broken[:5]}"
    return revision_of(connection)


def revision_of(connection: Connection) -> str | None:
    """The revision a connected database is at."""
    return MigrationContext.configure(connection).get_current_revision()


def refuse_newer(at: str | None) -> None:
    """Refuse a revision this program does not know.

    :raises WrongHead: always for such a one
    """
    known = {script.revision for script in ScriptDirectory.from_config(config()).walk_revisions()}
    if at is not None and at not in known:
        raise WrongHead(
            f"The database is at revision {at}, which this Seatport does not know: a newer one migrated it. "
            "Install that version, or restore a backup from before."
        )


def unusable(address: URL, error: Exception) -> str:
    """Why a database cannot be used, in one sentence for the person who gave the address."""
    reason = str(error.orig) if isinstance(error, DBAPIError) else str(error)
    place = address.render_as_string(hide_password=True)
    return f"The database {place} cannot be used: {reason}. Look at SEATPORT_DATABASE_URL."
