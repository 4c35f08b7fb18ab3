"""Pending changes as rows: the database keeps them as they were pressed, and the worker works on a few at
once.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy.exc import DBAPIError

from app.billing.money import Money
from app.store import system
from app.store.transaction import BatchTx, Store
from app.worker import Worker
from tests.conftest import Clock
from tests.services.paying import Payer, payer


@pytest.fixture
async def ada(store: Store, clock: Clock, tmp_path: Path) -> Payer:
    """A payer whose method is always approved."""
    return await payer(store, clock, tmp_path / "gateway.db")


async def test_payments_that_wait_do_not_wait_for_each_other(
    store: Store, clock: Clock, tmp_path: Path
) -> None:
    """The gateway answers none of eight before all have asked; the worker collects them all in a round."""
    payers = [await payer(store, clock, tmp_path / "gateway.db", "test_timeout") for _ in range(8)]
    for each in payers:
        await each.waits("a")
    clock.advance(timedelta(seconds=10))
    all_asked = asyncio.Barrier(len(payers))
    gateway = payers[0].gateway

    class Patient:
        name = gateway.name
        charges = gateway.charges
        refund = gateway.refund

        async def collect(self, intent: UUID, amount: Money, method: str) -> Any:
            await all_asked.wait()
            return await gateway.collect(intent, amount, method)

    async with asyncio.timeout(30):
        worker = Worker(store, never_drawn, gateway=Patient())
        await worker._each(system.due_pending_changes, worker._settle_one, asyncio.Event(), at_once=8)

    assert [await each.statuses() for each in payers] == [["APPLIED"]] * len(payers)


async def never_drawn(_: str) -> bytes:
    """Nothing is drawn here."""
    raise AssertionError("nothing is drawn here")


@pytest.mark.parametrize(
    "values",
    [
        {"status": "COLLECTING"},
        {"status": "WITHDRAWN"},
        {"amount": 1},
        {"digest": "another"},
    ],
)
async def test_the_database_keeps_a_pending_change_as_it_was(ada: Payer, values: dict[str, Any]) -> None:
    """No status goes back, and what was pressed and decided stays; nor is the row taken away."""
    await ada.presses("a")

    def meddle(tx: BatchTx) -> None:
        (name, value), *_ = values.items()
        given = f"'{value}'" if isinstance(value, str) else value
        tx.connection.exec_driver_sql(f'UPDATE pending_change SET "{name}" = {given}')

    with pytest.raises(DBAPIError, match="pending_change"):
        await ada.store.batch(meddle)
    with pytest.raises(DBAPIError, match="pending_change"):
        await ada.store.batch(lambda tx: tx.connection.exec_driver_sql("DELETE FROM pending_change"))
