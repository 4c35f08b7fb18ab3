"""The small world at noon of 16 April, called by the vendor's program, on both databases."""

from collections.abc import AsyncIterator

import pytest

from tests.api.rest.caller import Caller, calling
from tests.api.schema.conftest import lived_in, postgres_world, sqlite_world, world
from tests.api.world import World
from tests.conftest import Clock

__all__ = ["lived_in", "postgres_world", "sqlite_world", "world"]


@pytest.fixture
async def caller(world: World, clock: Clock) -> AsyncIterator[Caller]:
    async with calling(world, clock) as program:
        yield program
