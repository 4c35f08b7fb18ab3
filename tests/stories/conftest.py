"""The application of the stories, with its catalog on offer."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.store.transaction import Store
from tests.conftest import Clock
from tests.portal import Portal, serving

CATALOG = Path(__file__).with_name("catalog.toml")


@pytest.fixture
async def portal(store: Store, clock: Clock) -> AsyncIterator[Portal]:
    """The application on both databases."""
    async with serving(store, clock) as served:
        await served.offer(CATALOG.read_text("utf-8"))
        yield served
