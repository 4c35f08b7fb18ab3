"""The batches of the billing run against the verb that bills one subscription: on random histories, some of
them years behind, both write the same rows, byte for byte, but for ids.
"""

from __future__ import annotations

import json
import random
import re
import shutil
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import pytest
from sqlalchemy import select

from app.services.bill import bill
from app.services.billing_run import Order, Tally, everything
from app.store import run_batch
from app.store.engine import open_store
from app.store.metadata import metadata
from app.store.run_batch import Wanted
from app.store.transaction import BatchTx, Store
from tests.conftest import Clock
from tests.portal import serving
from tests.proofs.histories import History, Market
from tests.proofs.meanwhile import between, meanwhile
from tests.proofs.stored import reading

LIVES: Final = {"sqlite": 30, "postgres": 12}
BATCH: Final = 7
BEHIND: Final = timedelta(days=95)
ALL: Final = 1_000_000
AN_ID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")

Rows = dict[str, Counter[str]]


@asynccontextmanager
async def opened(url: str, clock: Clock) -> AsyncIterator[Store]:
    """A store, closed at the end."""
    store = open_store(url, clock=clock)
    try:
        yield store
    finally:
        await store.close()


async def lived(url: str, clock: Clock, seeds: range) -> datetime:
    """Live histories of changes, one after the other, each at a time of its own; an instant after all."""
    last = clock.now
    async with opened(url, clock) as store, serving(store, clock) as portal:
        with reading(url) as reader:
            market = Market()
            for seed in seeds:
                history = History(portal, reader, market, seed)
                await history.begin()
                for _ in range(history.chance.choice([1, 2])):
                    await between(history)
                    offer = await history.look()
                    if offer is not None:
                        await meanwhile(history)
                        await history.press(offer.wish, offer.token)
                last = max(last, clock.now)
    return last


def dumped(tx: BatchTx) -> dict[str, list[str]]:
    """Every row of every table as text, by table, without the digests that are of ids."""
    return {
        table.name: [
            json.dumps(dict(row), default=str, sort_keys=True)
            for row in tx.connection.execute(select(*columns)).mappings()
        ]
        for table in metadata.sorted_tables
        if (columns := [column for column in table.columns if column.name != "digest"])
    }


def ids_in(dump: dict[str, list[str]]) -> set[str]:
    """All ids that rows speak of."""
    return {found for rows in dump.values() for row in rows for found in AN_ID.findall(row)}


def named(dump: dict[str, list[str]], known: set[str]) -> Rows:
    """The rows with the new ids called by their order among those of their customer."""
    new: dict[str, set[str]] = {}
    for rows in dump.values():
        for row in rows:
            owner = json.loads(row).get("customer_id", "")
            new.setdefault(owner, set()).update(set(AN_ID.findall(row)) - known)
    names: dict[str, str] = {}
    for owner in sorted(new, reverse=True):  # Rows of no customer, such as numbers, know no ids of their own.
        ranks = enumerate(sorted(new[owner] - names.keys()))
        names |= {found: f"{owner} {rank}" for rank, found in ranks}
    return {
        table: Counter(AN_ID.sub(lambda found: names.get(found[0], found[0]), row) for row in rows)
        for table, rows in dump.items()
    }


async def one_by_one(url: str, clock: Clock) -> tuple[dict[str, list[str]], int]:
    """Bill all that is due by the verb, in the order in which a run claims it; all rows, and how many are
    parked.
    """
    parked = 0
    async with opened(url, clock) as store:
        while due := await store.batch(run_batch.claim, Wanted(1), lock=True):
            (one,) = due
            refused = await store.run(one.reference.customer, bill, one.reference.id)
            parked += refused is not None
        return await store.look(dumped), parked


async def in_batches(url: str, clock: Clock) -> tuple[dict[str, list[str]], Tally]:
    """Bill all that is due by the run; all rows, and what became of the subscriptions."""
    async with opened(url, clock) as store:
        tally = await everything(store, Order(batch=BATCH))
        return await store.look(dumped), tally


@pytest.fixture
def copies(database_url: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Any]:
    """Makes a copy of the test's database, and gives its address; nobody is connected to it then."""
    made: list[str] = []

    def copy() -> str:
        if database_url.startswith("sqlite"):
            file = tmp_path / f"copy{len(made)}.db"
            shutil.copyfile(tmp_path / "seatport.db", file)
            made.append("")
            return f"sqlite+aiosqlite:///{file}"
        server = request.getfixturevalue("postgres_server")
        made.append(server.create(re.sub(r".*@/|\?.*", "", database_url)))
        return str(server.url(made[-1]))

    yield copy
    for name in filter(None, made):
        request.getfixturevalue("postgres_server").drop(name)


async def test_a_batch_writes_what_the_verb_writes(
    database_url: str, engine_name: str, clock: Clock, copies: Any
) -> None:
    """Random histories end at random times; a quarter of a year after the last one all is billed, by the verb
    in one copy of the database and in batches of seven in the other. Then all tables are equal, but for ids.
    """
    first = random.randrange(10**6)
    last = await lived(database_url, clock, range(first, first + LIVES[engine_name]))
    clock.now = last + BEHIND
    async with opened(database_url, clock) as store:
        before = await store.look(dumped)
    known = ids_in(before)

    verb, parked = await one_by_one(copies(), clock)
    run, tally = await in_batches(copies(), clock)

    new = sum(len(verb[table]) - len(before[table]) for table in verb)
    documents = len(verb["document"]) - len(before["document"])
    sys.stdout.write(
        f"seeds from {first}: {tally.claimed} subscriptions, {documents} documents, {new} new rows, "
        f"{parked} parked\n"
    )
    assert (tally.faults, len(tally.parked)) == ([], parked)
    assert documents > tally.claimed, "many were months behind"
    expected, found = named(verb, known), named(run, known)
    for table in expected:
        assert found[table] == expected[table], table


def test_ids_are_called_by_their_order() -> None:
    """The comparison takes two ids for the same only if they come at the same place; other values count."""
    a, b = (str(UUID(int=(7 << 76) | (2 << 62) | n)) for n in (1, 2))
    dump = {"t": [f'{{"customer_id": "x", "id": "{a}"}}', f'{{"customer_id": "x", "of": "{b}"}}']}
    turned = {"t": [row.replace(a, "?").replace(b, a).replace("?", b) for row in dump["t"]]}

    assert named(dump, set()) != named(turned, set())
    assert named(dump, set()) == named({"t": [row.replace(a, a) for row in dump["t"]]}, set())
