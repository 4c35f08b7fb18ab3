"""The same random commands on both engines leave the same rows, byte for byte."""

from __future__ import annotations

import random
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from app.store import ids
from app.store.ids import Minter
from tests.conftest import Clock, own_database
from tests.proofs.test_billing_differential import dumped, lived, opened

LIVES: Final = 25
AT_RANDOM: Final = ("portal_session",)
"""What holds the hashes of tokens that are made up when they are given out."""


@pytest.fixture
def urls(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, str]]:
    """A migrated database without a row on each engine."""
    shutil.copyfile(request.getfixturevalue("sqlite_template"), tmp_path / "seatport.db")
    template = request.getfixturevalue("postgres_template")
    for url in own_database(request.getfixturevalue("postgres_server"), template):
        yield f"sqlite+aiosqlite:///{tmp_path}/seatport.db", url


async def export(url: str, clock: Clock, seeds: range) -> dict[str, list[str]]:
    """The rows that random histories leave, by table, in their order; ids come from the seed, too."""
    begins = clock.now
    await lived(url, clock, seeds)
    clock.now = begins
    async with opened(url, clock) as store:
        rows = await store.look(dumped)
    return {table: sorted(rows[table]) for table in rows if table not in AT_RANDOM}


async def test_the_same_log_is_the_same_books(
    urls: tuple[str, str], clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twenty-five random histories of changes, reports, corrections, payments, pauses and renewals, on SQLite
    and on PostgreSQL: every row of every table is the same text.
    """
    seed = random.randrange(10**6)
    exports = []
    for url in urls:
        monkeypatch.setattr(ids, "_minter", Minter(random.Random(seed).getrandbits))
        exports.append(await export(url, clock, range(seed, seed + LIVES)))
    one, other = exports
    sys.stdout.write(f"seed {seed}: {sum(map(len, one.values()))} rows in {LIVES} histories\n")
    for table, rows in one.items():
        assert rows == other[table], f"seed {seed}: {table}"
    assert len(one["billing_line"]) > LIVES
