"""Bring a database to the tables this program knows, and refuse one that is at another state.

All of a migration is one transaction on both engines, the triggers included: it is done whole or not at all.
Two that start at once run one after the other, and the second finds nothing to do.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from functools import cache, partial
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

from app.store import grants, policies, triggers
from app.store.engine import parsed, postgres_engine, sqlite_engine
from app.store.transaction import is_sqlite_busy

T = TypeVar("T")

REVISIONS: Final = Path(__file__).parent / "migrations"
WAIT_SECONDS: Final = 30.0
TRY_SECONDS: Final = 0.05
NAMED_MAX: Final = 5
FOLDER: Final = Path("var")  # Of the default address; the only folder that is made without being asked for.
TABLES: Final = {
    "sqlite": (
        "SELECT name FROM sqlite_schema "
        "WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND name <> 'alembic_version'"
    ),
    "postgresql": (
        "SELECT relname FROM pg_class WHERE relnamespace = to_regnamespace(current_schema()) "
        "AND relkind IN ('r', 'p') AND relname <> 'alembic_version' AND NOT EXISTS "
        "(SELECT FROM pg_depend WHERE objid = pg_class.oid AND deptype = 'e')"
    ),
}
"""The tables of a database, less those of its own housekeeping, of extensions and of Alembic."""
NOT_PERMITTED: Final = "42501"
LOCK: Final = 7_328_767_841  # "seatport" on a phone's keys: any number that nobody else locks.


class WrongHead(Exception):
    """The database is not at the revision this program needs; the message says what to do."""


class GuardsMissing(Exception):
    """Triggers that keep history as it is, or policies that keep customers apart, are gone; the message names
    some and says what to do.
    """


class ForeignDatabase(Exception):
    """The database has tables of another program; the message names some and says what to do."""


class DatabaseUnusable(Exception):
    """There is no usable database at the given address; the message says why."""


async def upgrade(url: str, app_role: str | None = None) -> str | None:
    """Bring the database to the head, making an SQLite file where there is none.

    :param app_role: the role the application runs as on PostgreSQL, which gets its rights
    :returns: the revision the database is at now
    :raises RoleUnfit: if there is no such role, or it could change history
    :raises WrongHead: if a newer program migrated it
    :raises ForeignDatabase: if it is another program's
    :raises DatabaseUnusable: if it cannot be reached, or its folder is missing
    """
    if (file := file_of(url)) is not None:
        make_folder(file.parent)
        with suppress(FileExistsError):
            file.touch(mode=0o600, exist_ok=False)  # The books are nobody else's on this machine.
    try:
        return await within(url, partial(upgraded, app_role=app_role))
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) != NOT_PERMITTED:
            raise
        address = place_of(parsed(url))
        raise DatabaseUnusable(f"Migrate {address} as the owner of its tables: {error.orig}.") from error


async def current(url: str) -> str | None:
    """The revision the database is at; None if it was never migrated or, for SQLite, is no file yet.

    :raises ForeignDatabase: if it is another program's
    :raises DatabaseUnusable: if it cannot be reached
    """
    file = file_of(url)
    if file is not None and not file.exists():
        return None
    return await within(url, revision_of)


async def is_empty(url: str) -> bool:
    """Whether a database has no table.

    :raises ForeignDatabase: if it has tables of another program
    :raises DatabaseUnusable: if it cannot be reached
    """
    return await current(url) is None


async def check(url: str) -> None:
    """Return if the database is at the head and history is guarded in it.

    :raises WrongHead: if it is at another revision
    :raises GuardsMissing: if a trigger is gone
    :raises ForeignDatabase: if it is another program's
    :raises DatabaseUnusable: if it cannot be reached
    """
    file = file_of(url)
    if file is not None and not file.exists():
        refuse_other(None)
    await within(url, refuse_unfit)


async def check_head(url: str) -> None:
    """Return if the database is at the head.

    :raises WrongHead: if it is not
    :raises ForeignDatabase: if it is another program's
    :raises DatabaseUnusable: if it cannot be reached
    """
    refuse_other(await current(url))


def refuse_unfit(connection: Connection) -> None:
    """Return if a connected database is at the head and guarded, for a server that runs.

    :raises WrongHead: if it is at another revision
    :raises GuardsMissing: if a trigger is gone
    """
    refuse_other(revision_of(connection))
    refuse_unguarded(connection)


def refuse_other(at: str | None) -> None:
    """Refuse every revision but the head.

    :raises WrongHead: for such a one
    """
    if at == head():
        return
    refuse_newer(at)
    state = "has no tables yet" if at is None else f"is at revision {at}, and this Seatport needs {head()}"
    raise WrongHead(f"The database {state}. Run `seatport migrate`.")


def refuse_unguarded(connection: Connection) -> None:
    """Refuse a database in which rows of history could be changed, or those of other customers be seen.

    :raises GuardsMissing: if a trigger or policy is gone or disabled
    """
    gone = triggers.missing(connection)
    if gone:
        raise GuardsMissing(
            f"The database lacks triggers that keep history as it is ({some(gone)}). "
            "Run `seatport migrate`, which puts them back, then `seatport doctor`, which looks at the rows."
        )
    open_to_all = policies.missing(connection)
    if open_to_all:
        raise GuardsMissing(
            f"The database lacks policies that keep customers apart ({some(open_to_all)}). "
            "Run `seatport migrate`, which puts them back."
        )


def head() -> str | None:
    """The revision this program needs."""
    return _head_among(tuple(sorted(path.name for path in (REVISIONS / "versions").glob("*.py"))))


@cache
def _head_among(_files: tuple[str, ...]) -> str | None:
    """The head of these revisions; a running server asks for it often, and it costs milliseconds to find."""
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

    An SQLite file is looked at before it is opened to be written, which alone changes its header.

    :raises ForeignDatabase: if it is another program's
    :raises DatabaseUnusable: if the database cannot be reached
    """
    address = parsed(url)
    if (file := file_of(url)) is None:
        engine = postgres_engine(
            address, size=1, wait_seconds=WAIT_SECONDS, statement_max=timedelta(0), across=True
        )
    else:
        if file.exists():
            looking = sqlite_engine(address, begin="BEGIN", size=1, wait_seconds=WAIT_SECONDS, writes=False)
            await done(looking, refuse_foreign)
        engine = sqlite_engine(
            address, begin="BEGIN IMMEDIATE", size=1, wait_seconds=WAIT_SECONDS, foreign_keys=False
        )

    def checked(connection: Connection) -> T:
        refuse_foreign(connection)
        return work(connection)

    return await done(engine, checked)


async def done(engine: AsyncEngine, work: Callable[[Connection], T]) -> T:
    """Run work in one transaction of an engine that is for this alone."""
    try:
        connection = await connected(engine)
    except (OSError, PostgresError, DBAPIError) as error:
        await engine.dispose()
        raise DatabaseUnusable(unusable(engine.url, error)) from error
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


def upgraded(connection: Connection, *, app_role: str | None) -> str | None:
    """Take the guards down, run what revisions are missing, put guards and policies of today's tables up and
    look that they are; then give the application's role its rights.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
    refuse_newer(revision_of(connection))
    triggers.remove(connection)
    made = config()
    made.attributes["connection"] = connection
    command.upgrade(made, "head")
    triggers.install(connection)
    policies.install(connection)
    refuse_unguarded(connection)
    if app_role is not None:
        grants.give(connection, app_role)
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


def refuse_foreign(connection: Connection) -> None:
    """Refuse a database with tables that no migration of ours made.

    :raises ForeignDatabase: if it has some
    """
    if revision_of(connection) is not None:
        return
    names = sorted(connection.execute(text(TABLES[connection.dialect.name])).scalars())
    if names:
        raise ForeignDatabase(
            f"The database {place_of(connection.engine.url)} belongs to another program: it has tables that "
            f"Seatport did not make ({some(names)}). Nothing was changed. Give SEATPORT_DATABASE_URL a "
            "database of its own."
        )


def some(names: list[str]) -> str:
    """The first few names, for a sentence."""
    return ", ".join(names[:NAMED_MAX]) + (", …" if len(names) > NAMED_MAX else "")


def make_folder(folder: Path) -> None:
    """Make the folder of the default database; of any other, say that it is missing.

    :raises DatabaseUnusable: if there is none now
    """
    if folder == FOLDER:
        folder.mkdir(exist_ok=True)
    elif not folder.is_dir():
        raise DatabaseUnusable(
            f"There is no folder {folder} for the database. Make it first (mkdir -p), or look at "
            "SEATPORT_DATABASE_URL: an absolute path begins with four slashes."
        )


def place_of(address: URL) -> str:
    """The address of a database as it may be shown: without its password."""
    return address.render_as_string(hide_password=True)


def unusable(address: URL, error: Exception) -> str:
    """Why a database cannot be used, in one sentence for the person who gave the address."""
    reason = str(error.orig) if isinstance(error, DBAPIError) else str(error)
    return f"The database {place_of(address)} cannot be used: {reason}. Look at SEATPORT_DATABASE_URL."
