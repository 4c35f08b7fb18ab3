"""The order of the news of an object: what it costs to go on with it, however much was told before."""

from __future__ import annotations

import sqlite3
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select

from app.billing.permissions import SYSTEM
from app.services.register_customer import NewCustomer, register_customer
from app.store import commits
from app.store.commits import Happened
from app.store.tables import outbox
from app.store.transaction import BatchTx, Store, Tx
from tests.benchmarks.measuring import Statement, recorded

OBJECT = UUID(int=7)
MANY = 3000


def tell(tx: Tx, count: int) -> None:
    """So much is told of one object, and something of another."""
    news = [Happened("seats.changed", OBJECT, {"metric": "editor"})] * count
    commits.publish(tx, *news, Happened("seats.changed", uuid4(), {}))


def sequences(tx: Tx) -> list[int]:
    """The places of what was told of the object, in the order in which it was told."""
    query = select(outbox.c.sequence).where(outbox.c.customer_id == tx.customer, outbox.c.object_id == OBJECT)
    return list(tx.connection.execute(query.order_by(outbox.c.id)).scalars())


async def test_what_is_told_of_an_object_is_in_order(store: Store) -> None:
    """The places are 1, 2, 3, … from one transaction to the next."""
    customer = uuid4()
    await store.run(customer, register_customer, SYSTEM, NewCustomer("acme", "Acme", "USD", "UTC"))
    for count in (1, 3, 2):
        await store.run(customer, tell, count)

    assert await store.run(customer, sequences) == [1, 2, 3, 4, 5, 6]


async def test_the_next_place_costs_as_much_after_thousands(store: Store, database_url: str) -> None:
    """The database looks at one row of the object's news, of three as of three thousand."""
    customer = uuid4()
    await store.run(customer, register_customer, SYSTEM, NewCustomer("acme", "Acme", "USD", "UTC"))
    costs = []
    for count in (3, MANY):
        await store.run(customer, tell, count)
        with recorded(store) as statements:
            await store.run(customer, tell, 1)
        (asked,) = (each for each in statements if "ORDER BY outbox.sequence DESC" in each.sql)
        costs.append(await cost(store, asked, database_url))

    assert costs[1] <= costs[0] * 1.1, costs


async def cost(store: Store, asked: Statement, url: str) -> int:
    """Rows that PostgreSQL goes through for a statement; steps of SQLite's machine."""
    if url.startswith("sqlite"):
        steps = 0

        def count() -> int:
            nonlocal steps
            steps += 1
            return 0

        alone = sqlite3.connect(url.partition(":///")[2])
        alone.set_progress_handler(count, 1)
        alone.execute(asked.sql, asked.parameters).fetchall()
        alone.close()
        return steps

    def explained(tx: BatchTx) -> Any:
        explain = f"EXPLAIN (ANALYZE, FORMAT JSON) {asked.sql}"
        return tx.connection.exec_driver_sql(explain, asked.parameters).scalar_one()

    (plan,) = await store.look(explained)
    return sum(rows_of(plan["Plan"]))


def rows_of(node: dict[str, Any]) -> list[int]:
    """How many rows each step of a plan went through."""
    removed = node.get("Rows Removed by Filter", 0)
    own = (node["Actual Rows"] + removed) * node["Actual Loops"]
    return [own, *(rows for inner in node.get("Plans", ()) for rows in rows_of(inner))]
