"""A store with scratch tables, so that the doors are tried apart from the tables of the business."""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg
import pytest

from app.store.engine import open_store
from app.store.transaction import Store
from tests import postgres
from tests.conftest import Clock, copied
from tests.store import scratch


async def make_scratch(url: str) -> None:
    """Make the scratch tables in an empty database."""
    opened = open_store(url, clock=lambda: datetime(2026, 4, 16, tzinfo=UTC), offset_of=scratch.no_offset)
    await opened.deployment(scratch.make)
    await opened.close()


@pytest.fixture(scope="session")
def sqlite_scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file with the scratch tables, to copy."""
    file = tmp_path_factory.mktemp("scratch") / "scratch.db"
    postgres.in_own_loop(make_scratch(f"sqlite+aiosqlite:///{file}"))
    return file


@pytest.fixture(scope="session")
def postgres_scratch(postgres_server: postgres.Server) -> str:
    """The name of a PostgreSQL database with the scratch tables, to copy."""
    name = postgres_server.create()
    postgres.in_own_loop(make_scratch(postgres_server.url(name)))
    return name


@pytest.fixture
def scratch_url(engine_name: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a database with the scratch tables."""
    template = request.getfixturevalue(f"{engine_name}_scratch")
    yield from copied(template, tmp_path, request)


@pytest.fixture
async def scratch_store(scratch_url: str, clock: Clock) -> AsyncIterator[Store]:
    """A store over the scratch tables."""
    opened = open_store(scratch_url, clock=clock, offset_of=scratch.no_offset)
    yield opened
    await opened.close()


@pytest.fixture
async def counting(scratch_store: Store, customer: UUID) -> Store:
    """The same, and the customer's counter shows 0."""
    await scratch_store.run(customer, scratch.start_counting)
    return scratch_store


@pytest.fixture
def customer() -> UUID:
    """Some customer."""
    return uuid4()


class Roles:
    """Makes roles of the PostgreSQL server that live as long as a test."""

    def __init__(self) -> None:
        self._made = 0

    @contextmanager
    def made(self, url: str, rights: str = "") -> Iterator[str]:
        """A role that may sign in to a database; at the end it is gone with all that it was given there."""
        self._made += 1
        name = f"seatport_app_{self._made}"
        self.execute(url, f"CREATE ROLE {name} LOGIN {rights}")
        try:
            yield name
        finally:
            self.execute(url, f"DROP OWNED BY {name}")
            self.execute(url, f"DROP ROLE {name}")

    def execute(self, url: str, statement: str) -> object:
        """Run a statement as the owner of a database; the first value it returns."""

        async def executed() -> object:
            connection = await asyncpg.connect(url.replace("+asyncpg", ""))
            value: object = await connection.fetchval(statement)
            await connection.close()
            return value

        return postgres.in_own_loop(executed())


@pytest.fixture
def roles() -> Roles:
    """Roles of the test's server."""
    return Roles()
