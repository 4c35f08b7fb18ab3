"""A store with scratch tables, so that the doors are tried apart from the tables of the business."""

from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import pytest

from app.store.engine import open_store
from app.store.transaction import Store
from tests.conftest import Clock
from tests.store import scratch


@pytest.fixture
def customer() -> UUID:
    """Some customer."""
    return uuid4()


@pytest.fixture
async def scratch_store(empty_database_url: str, clock: Clock) -> AsyncIterator[Store]:
    """A store over the scratch tables."""
    opened = open_store(empty_database_url, clock=clock, offset_of=scratch.no_offset)
    await opened.deployment(scratch.make)
    yield opened
    await opened.close()


@pytest.fixture
async def counting(scratch_store: Store, customer: UUID) -> Store:
    """The same, and the customer's counter shows 0."""
    await scratch_store.run(customer, scratch.start_counting)
    return scratch_store
