"""The tiny application, served in the process."""

from collections.abc import Iterator

import pytest
from litestar.testing import TestClient

from tests.api.lived import lived_in, postgres_world, sqlite_world, world
from tests.api.tiny import TOKEN, Tiny, World, tiny_app

__all__ = ["lived_in", "postgres_world", "sqlite_world", "tiny", "world"]


@pytest.fixture
def tiny() -> Iterator[Tiny]:
    world = World()
    with TestClient(tiny_app(world), raise_server_exceptions=False) as client:
        client.headers["Authorization"] = f"Bearer {TOKEN}"
        yield Tiny(client, world)
