"""The small world at noon of 16 April, with its door, on both databases."""

from collections.abc import AsyncIterator

import pytest

from tests.api.access.door import Door, at_the_door
from tests.api.lived import lived_in, postgres_world, sqlite_world, world
from tests.api.world import World
from tests.conftest import Clock

__all__ = ["lived_in", "postgres_world", "sqlite_world", "world"]


@pytest.fixture
async def door(world: World, clock: Clock) -> AsyncIterator[Door]:
    async with at_the_door(world, clock) as opened:
        yield opened
