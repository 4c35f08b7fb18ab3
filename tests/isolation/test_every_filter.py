"""Every filter counts: take any one away, with the other two layers off, and something shows it.

Acme has a twin with all of its ids (`twin`). What acme is answered, and every row of everybody, is compared
with what they are with all filters. A filter whose place can only ever find one row, since an id before it
was acme's alone, shows in another way: the statement no longer says of which customer it is, and a test that
listens to all statements hears that.
"""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from app.store import criterion, ids, keyed
from app.store.engine import open_store
from tests import postgres
from tests.api.world import NOON, Lived, World, enter, live
from tests.conftest import Clock
from tests.isolation.deeds import Deed, Scene
from tests.isolation.filters import Filter, every_filter, noted, without
from tests.isolation.lives import DEEDS, DEEDS_BY_USE, live_by_use, live_richly
from tests.isolation.twin import beget, everything

RANDOM = {"api_key", "portal_session", "portal_link", "deployment_audit"}
"""Tables with secrets, which are never the same twice."""


ALIKE = "webhooks.not_delivered"
"""What the worker notes of a try, for several customers in one transaction: a try has an id of its own, and
its twin's, which comes next in the same transaction, notes the same.
"""


@dataclass
class Stage:
    """A database in which acme has a twin, to do deeds on copies of it."""

    folder: Path
    file: Path
    begins_at: datetime
    lived: Lived
    heard: list[str]

    def done(self, deed: Deed) -> tuple[str, dict[str, Any]]:
        """What a deed was answered, and all rows after it."""
        return postgres.in_own_loop(self._done(deed))

    async def _done(self, deed: Deed) -> tuple[str, dict[str, Any]]:
        copy = self.folder / "copy.db"
        for old in self.folder.glob("copy.db*"):
            old.unlink()
        shutil.copyfile(self.file, copy)
        seed_ids(2)
        clock = Clock(self.begins_at)
        store = open_store(f"sqlite+aiosqlite:///{copy}", clock=clock)
        try:
            world = entered(store, clock, self.lived, self.begins_at)
            answers = await deed(Scene(world, clock, self.folder))
            rows = await store.look(everything)
        finally:
            await store.close()
        kept = {name: of for name, of in rows.items() if name not in RANDOM}
        return json.dumps(answers, default=str), kept


def entered(store: Any, clock: Clock, lived: Lived, at: datetime) -> World:
    """The world, at its instant."""
    world = enter(store, clock, lived)
    clock.now = at
    return world


def seed_ids(seed: int) -> None:
    """The ids that are made from now on are those of every run."""
    ids._minter = ids.Minter(random.Random(seed).getrandbits)  # type: ignore[misc]


async def _staged(folder: Path, template: Path, *, by_use: bool) -> Stage:
    file = folder / "stage.db"
    shutil.copyfile(template, file)
    seed_ids(1)
    clock = Clock(NOON)
    store = open_store(f"sqlite+aiosqlite:///{file}", clock=clock)
    lived = await (live_by_use if by_use else live)(store, clock)
    if not by_use:
        clock.now = NOON
        await live_richly(Scene(enter(store, clock, lived), clock, folder))
    await store.batch(beget, lived.acme)
    await store.close()
    return Stage(folder, file, clock.now, lived, [])


@pytest.fixture(scope="module")
def layers_off() -> Iterator[list[str]]:
    """No statement is refused; those that would be are noted."""
    heard: list[str] = []
    patch = pytest.MonkeyPatch()
    patch.setattr(criterion, "refuse", lambda why, statement: heard.append(f"{why}: {statement}"))
    patch.setattr(keyed, "refuse_others", lambda *_: None)
    before = ids._minter
    yield heard
    ids._minter = before  # type: ignore[misc]
    patch.undo()


@dataclass
class Deeds:
    """Each deed with its stage, what it comes to with all filters, and of which functions it runs."""

    stages: dict[Deed, Stage]
    whole: dict[Deed, tuple[str, dict[str, Any]]]
    runs: dict[Deed, set[tuple[str, str]]]

    def shown(self, one: Filter, heard: list[str]) -> str:
        """Which deed shows that a filter is gone, and how; empty if none does."""
        for deed in sorted(self.runs, key=lambda deed: len(self.runs[deed])):
            if (one.module, one.name) not in self.runs[deed] and not one.name.isupper():
                continue
            heard.clear()
            try:
                with without(one):
                    came = self.stages[deed].done(deed)
            except Exception as error:  # noqa: BLE001  Two rows where one should be, and the like.
                return f"{deed.__name__} fails: {type(error).__name__}"
            if came != self.whole[deed]:
                return f"{deed.__name__} comes to something else"
            if heard:
                return f"{deed.__name__} sends what is of nobody"
        return ""


@pytest.fixture(scope="module")
def deeds(layers_off: list[str], sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Deeds:
    """All deeds, done once with all filters."""
    found = Deeds({}, {}, {})
    for by_use, some in ((False, DEEDS), (True, DEEDS_BY_USE)):
        folder = tmp_path_factory.mktemp("stage")
        stage = postgres.in_own_loop(_staged(folder, sqlite_template, by_use=by_use))
        for deed in some:
            found.stages[deed] = stage
            found.whole[deed] = stage.done(deed)
            found.runs[deed] = set()
            with noted(found.runs[deed]):
                assert stage.done(deed) == found.whole[deed], deed.__name__
    assert layers_off == [], "with all filters every statement says of which customer it is"
    return found


def test_every_filter_is_run(deeds: Deeds) -> None:
    """The deeds reach every function that has a filter."""
    reached = set().union(*deeds.runs.values())
    missed = {(one.module, one.name) for one in every_filter() if not one.name.isupper()} - reached

    assert missed == set()
    assert len(every_filter()) > 100


@pytest.mark.long
@pytest.mark.parametrize("one", [one for one in every_filter() if not str(one).startswith(ALIKE)], ids=str)
def test_every_filter_counts(one: Filter, deeds: Deeds, layers_off: list[str]) -> None:
    """Without it a deed fails, or comes to something else, or sends a statement that is of nobody."""
    assert deeds.shown(one, layers_off)
