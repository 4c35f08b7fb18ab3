"""The small world as a fixture: lived once for each database, and copied for each test."""

import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from app.store.engine import open_store
from tests import postgres
from tests.api.world import NOON, Lived, World, enter, live
from tests.conftest import Clock, own_database


async def _live_in(url: str) -> Lived:
    clock = Clock(NOON)
    store = open_store(url, clock=clock)
    try:
        return await live(store, clock)
    finally:
        await store.close()


@pytest.fixture(scope="session")
def sqlite_world(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Lived]:
    """A file in which the history was lived."""
    file = tmp_path_factory.mktemp("world") / "seatport.db"
    shutil.copyfile(sqlite_template, file)
    return file, postgres.in_own_loop(_live_in(f"sqlite+aiosqlite:///{file}"))


@pytest.fixture(scope="session")
def postgres_world(postgres_server: postgres.Server, postgres_template: str) -> tuple[str, Lived]:
    """A database in which the history was lived."""
    name = postgres_server.create(postgres_template)
    return name, postgres.in_own_loop(_live_in(postgres_server.url(name)))


@pytest.fixture
def lived_in(engine_name: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[tuple[str, Lived]]:
    """The address of a copy of the history for one test alone."""
    if engine_name == "sqlite":
        template, lived = request.getfixturevalue("sqlite_world")
        shutil.copyfile(template, tmp_path / "world.db")
        yield f"sqlite+aiosqlite:///{tmp_path}/world.db", lived
    else:
        template, lived = request.getfixturevalue("postgres_world")
        for url in own_database(request.getfixturevalue("postgres_server"), template):
            yield url, lived


@pytest.fixture
async def world(lived_in: tuple[str, Lived], clock: Clock) -> AsyncIterator[World]:
    """The small world at noon of 16 April, on both databases."""
    url, lived = lived_in
    store = open_store(postgres.as_app(url), clock=clock)
    yield enter(store, clock, lived)
    await store.close()
