"""The whole demo, once in each database: its catalog, and the past of its three customers until now."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from app.services.apply_catalog import apply_catalog
from app.services.catalog_file import Declared, parse_catalog
from app.services.demo import acme, globex, initech
from app.services.demo.diary import Scene
from app.services.demo.stage import MovedClock, Stage
from app.store import catalogs, commits
from app.store.commits import Outcome
from app.store.transaction import DeploymentTx, Store, Tx

CATALOG: Final = Path(__file__).with_name("catalog.toml")
REFERENCES: Final = (acme.REFERENCE, globex.REFERENCE, initech.REFERENCE)
FIRST: Final = acme.REFERENCE
SEATPORTS_OWN: Final = "demo"
LIVED: Final = "lived"


class DemoImpossible(Exception):
    """The demo cannot be made in this database; the message says why and what to do."""


def scenes(now: datetime) -> Iterator[Scene]:
    """Everything that happened to the three customers until now."""
    yield from acme.diary(now)
    yield from globex.diary(now)
    yield from initech.diary(now)


async def live(store: Store, clock: MovedClock, now: datetime) -> None:
    """Live the past in a store that was opened with `clock`, which shows `now` afterwards.

    :raises DemoImpossible: if the database has another catalog
    """
    past = sorted(scenes(now), key=lambda scene: scene.at)
    clock.now = past[0].at - timedelta(days=1)
    await offer_catalog(store)
    stage = Stage(store, clock)
    await stage.play(past, now)
    await store.run(stage.cast[FIRST].customer, remember)


async def offer_catalog(store: Store) -> None:
    """Put the demo's catalog on offer.

    :raises DemoImpossible: if the database has another one
    """
    declared = parse_catalog(CATALOG.read_text("utf-8"))
    assert isinstance(declared, Declared), declared
    if not await store.deployment(apply_if_free, declared):
        raise DemoImpossible(
            "This database has a catalog of its own, and the demo would take its place. "
            "Give the demo a database of its own: set SEATPORT_DATABASE_URL."
        )


def apply_if_free(tx: DeploymentTx, declared: Declared) -> bool:
    """Apply a catalog, unless there is another one."""
    taken = True
    try:
        catalogs.current(tx)
    except catalogs.NoCatalog:
        taken = False
    applied = apply_catalog(tx, declared)
    return tx.forget(False) if taken and applied.changed else True  # noqa: FBT003  The answer.


def remember(tx: Tx) -> None:
    """Note that the past was lived to its end."""
    commits.record_outcome(tx, SEATPORTS_OWN, LIVED, Outcome(LIVED, {}))


def is_lived(tx: Tx) -> bool:
    """Whether the past was lived to its end; asked of the first customer."""
    return commits.outcome(tx, SEATPORTS_OWN, LIVED) is not None
