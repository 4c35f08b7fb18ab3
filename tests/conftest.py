"""What tests of more than one folder need: the two databases, a store on them, and a clock that stands still.

A test that asks for `store`, `database_url` or `empty_database_url` runs twice, on SQLite and on PostgreSQL.
Each gets a database of its own: a copy of one that was migrated once. Without PostgreSQL such tests fail,
unless `SEATPORT_WITHOUT` names it.
"""

import logging
import os
import shutil
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import structlog

from app.store import migrate
from app.store.engine import open_store
from app.store.transaction import Store
from tests import postgres

WITHOUT = frozenset(os.environ.get("SEATPORT_WITHOUT", "").split(","))


class Clock:
    """A wall clock that a test sets. It stands still unless it is moved."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, by: timedelta) -> None:
        """Move on, or back when negative."""
        self.now += by


@pytest.fixture(autouse=True)
def own_logging() -> Iterator[None]:
    """A test that configures logging, as commands do, does so for itself alone."""
    root = logging.getLogger()
    handlers, level = root.handlers.copy(), root.level
    yield
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def clock() -> Clock:
    """The wall clock of the test's store: half past nine on an ordinary Thursday."""
    return Clock(datetime(2026, 4, 16, 9, 30, tzinfo=UTC))


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[postgres.Server]:
    """One server for all tests of this process, started when the first one asks."""
    if "postgres" in WITHOUT:
        pytest.skip("SEATPORT_WITHOUT names postgres")
    try:
        with postgres.running() as server:
            server.make_role(postgres.APP)
            yield server
    except postgres.NoPostgres as missing:
        pytest.fail(str(missing), pytrace=False)


@pytest.fixture(params=["sqlite", "postgres"])
def engine_name(request: pytest.FixtureRequest) -> str:
    """On which of the two databases the test runs."""
    return str(request.param)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file to copy; nothing is connected to it, so it is whole in itself."""
    file = tmp_path_factory.mktemp("template") / "seatport.db"
    postgres.in_own_loop(migrate.upgrade(f"sqlite+aiosqlite:///{file}"))
    return file


@pytest.fixture(scope="session")
def postgres_template(postgres_server: postgres.Server) -> str:
    """The name of a migrated database to copy."""
    name = postgres_server.create()
    postgres.in_own_loop(migrate.upgrade(postgres_server.url(name), postgres.APP))
    return name


@pytest.fixture
def database_url(engine_name: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a migrated database without a row in it."""
    template = request.getfixturevalue(f"{engine_name}_template")
    yield from copied(template, tmp_path, request)


@pytest.fixture
def empty_database_url(engine_name: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a database without a table; on SQLite not even a file."""
    if engine_name == "sqlite":
        yield f"sqlite+aiosqlite:///{tmp_path}/empty.db"
    else:
        yield from own_database(request.getfixturevalue("postgres_server"))


def copied(template: Path | str, folder: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a copy of a database, for as long as one test runs: of an SQLite file, or of what the
    server has under this name.
    """
    if isinstance(template, Path):
        shutil.copyfile(template, folder / "seatport.db")
        yield f"sqlite+aiosqlite:///{folder}/seatport.db"
    else:
        yield from own_database(request.getfixturevalue("postgres_server"), template)


def own_database(server: postgres.Server, template: str = "template0") -> Iterator[str]:
    """A copy of a database, for as long as one test runs."""
    name = server.create(template)
    yield server.url(name)
    server.drop(name)


@pytest.fixture
async def store(database_url: str, clock: Clock) -> AsyncIterator[Store]:
    """The store over a migrated database without a row in it, on the test's clock."""
    opened = open_store(postgres.as_app(database_url), clock=clock)
    yield opened
    await opened.close()
