"""Many rows in one statement: they are what SQLAlchemy would have written, on both engines."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from app.store import bulk
from app.store.transaction import DeploymentTx, Store
from tests.store.scratch import ledger, paper, sample
from tests.store.test_columns import BAD, GOOD

PAPER = ("id", "status", "total", "paid")
ONE, TWO, THREE = (UUID(int=n) for n in (1, 2, 3))


async def test_values_are_stored_as_they_are_otherwise(scratch_store: Store) -> None:
    """Of every type of value two rows by the bulk and one by SQLAlchemy read back alike."""

    def unit(tx: DeploymentTx, name: str, value: Any) -> list[Any]:
        tx.connection.execute(sample.delete())
        bulk.insert_rows(tx.connection, sample, ("id", name), [(tx.new_id(), value), (tx.new_id(), value)])
        tx.connection.execute(insert(sample).values({"id": tx.new_id(), name: value}))
        return list(tx.connection.execute(select(sample.c[name])).scalars())

    for name, value in GOOD:
        assert await scratch_store.deployment(unit, name, value) == [value] * 3, name


async def test_what_cannot_be_stored_is_refused(scratch_store: Store) -> None:
    """A value of another type never comes to the database, whatever the other rows hold."""

    def unit(tx: DeploymentTx, name: str, value: Any) -> None:
        row = {"id": uuid4(), name: value}
        bulk.insert_rows(tx.connection, sample, tuple(row), [tuple(row.values())])

    for name, value in BAD:
        with pytest.raises((TypeError, ValueError)):
            await scratch_store.deployment(unit, name, value)
    assert await scratch_store.deployment(lambda tx: tx.connection.execute(select(sample)).all()) == []


async def test_rows_are_updated_and_deleted_by_their_key(scratch_store: Store) -> None:
    """Of three drafts one gets another total, one goes, one stays."""

    def unit(tx: DeploymentTx) -> list[tuple[UUID, int, int]]:
        rows = [(each, "DRAFT", 10, 0) for each in (ONE, TWO, THREE)]
        bulk.insert_rows(tx.connection, paper, PAPER, rows)
        bulk.update_rows(tx.connection, paper, ("id", "status"), ("total", "paid"), [(TWO, "DRAFT", 7, 3)])
        bulk.delete_rows(tx.connection, paper, ("id",), [(ONE,)])
        query = select(paper.c.id, paper.c.total, paper.c.paid).order_by(paper.c.id)
        return [(row.id, row.total, row.paid) for row in tx.connection.execute(query)]

    assert await scratch_store.deployment(unit) == [(TWO, 7, 3), (THREE, 10, 0)]


async def test_nothing_is_a_number_of_rows_too(scratch_store: Store) -> None:
    """No row makes no statement."""

    def unit(tx: DeploymentTx) -> None:
        bulk.insert_rows(tx.connection, paper, PAPER, [])
        bulk.update_rows(tx.connection, paper, ("id",), ("total",), [])
        bulk.delete_rows(tx.connection, paper, ("id",), [])

    await scratch_store.deployment(unit)


async def test_guards_hold(scratch_store: Store) -> None:
    """The ledger takes no second row of one key, and loses none."""
    row = (ONE, TWO, "a", 1)

    def add(tx: DeploymentTx) -> None:
        bulk.insert_rows(tx.connection, ledger, ("customer_id", "id", "key", "added"), [row])

    def remove(tx: DeploymentTx) -> None:
        bulk.delete_rows(tx.connection, ledger, ("customer_id", "id"), [row[:2]])

    await scratch_store.deployment(add)
    for unit in (add, remove):
        with pytest.raises(IntegrityError):
            await scratch_store.deployment(unit)
