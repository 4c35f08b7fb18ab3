"""`seatport backup` and `restore`: a copy of one moment, taken while others write, is put back whole."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from uuid import UUID

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import create_async_engine

from app.billing.permissions import SYSTEM
from app.clock import wall_clock
from app.services.doctor import examine
from app.services.record_seats import SeatReport, SeatsRecorded, record_seats
from app.store import system
from app.store.backups import ARCHIVE_MAGIC, SQLITE_MAGIC, BackupImpossible, back_up, find_program, restore
from app.store.engine import open_store
from app.store.metadata import metadata
from app.store.tables import seat_event
from app.store.transaction import Store, Tx
from tests.cli.conftest import Seatport, run
from tests.conftest import own_database
from tests.postgres import in_own_loop

A_SECOND: Final = 50
ROUNDS: Final = 2


@pytest.fixture
def empty_url(engine_name: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """Where to restore to: no file yet, or a database without a table."""
    if engine_name == "sqlite":
        yield f"sqlite+aiosqlite:///{tmp_path}/restored.db"
    else:
        yield from own_database(request.getfixturevalue("postgres_server"))


async def content(url: str) -> dict[str, list[tuple[str, ...]]]:
    """Every row of every table, as text."""
    engine = create_async_engine(url)
    async with engine.connect() as connection:
        found = {
            table: sorted(
                tuple(str(value) for value in row)
                for row in await connection.execute(text(f'SELECT * FROM "{table}"'))
            )
            for table in (*metadata.tables, "alembic_version")
        }
    await engine.dispose()
    return found


def test_all_comes_back(demo: Seatport, demo_url: str, empty_url: str, tmp_path: Path) -> None:
    """Every row of every table is put back, PDFs, revision and guards included; the doctor agrees; and the
    file is its owner's alone.
    """
    file = tmp_path / "backup"
    made = demo("backup", str(file))
    assert made.exit_code == 0, made.output
    assert f"Copied to {file}: {file.stat().st_size:,} bytes." in made.stdout
    assert file.stat().st_mode & 0o077 == 0

    put_back = run(empty_url, "restore", str(file))
    assert put_back.exit_code == 0, put_back.output
    assert "checks hold, for 3 customers." in put_back.stdout
    assert in_own_loop(content(empty_url)) == in_own_loop(content(demo_url))
    assert {path.name for path in tmp_path.iterdir()} & {"backup.part", "restored.db.part"} == set()


@dataclass(slots=True)
class Writer:
    """Writes fifty times a second until it is stopped: an event, its level, audit and news in each commit."""

    store: Store
    customer: UUID
    written: int = 0
    stopped: bool = False
    warm: asyncio.Event = field(default_factory=asyncio.Event)

    async def work(self) -> None:
        loop = asyncio.get_running_loop()
        start = loop.time()
        while not self.stopped:
            done = await self.store.run(self.customer, record_seats, SYSTEM, SeatReport("editor", added=1))
            assert isinstance(done, SeatsRecorded), done
            self.written += 1
            if self.written > A_SECOND // 2:
                self.warm.set()
            await asyncio.sleep(max(0, start + self.written / A_SECOND - loop.time()))


def events(tx: Tx) -> int:
    """How many events of a customer there are."""
    own = seat_event.c.customer_id == tx.customer
    return int(tx.connection.execute(select(func.count()).select_from(seat_event).where(own)).scalar_one())


@pytest.mark.parametrize("again", range(ROUNDS))
async def test_a_backup_while_others_write(demo_url: str, empty_url: str, tmp_path: Path, again: int) -> None:
    """With fifty writes a second under way the copy is of one moment between its begin and its end: the
    doctor finds nothing wrong in it, and it holds what was committed by then.
    """
    store = open_store(demo_url, clock=wall_clock)
    acme = await store.system(system.customer_called, "acme")
    assert acme is not None
    writer = Writer(store, acme.customer)
    async with store.reads(acme.customer) as scope:
        before = await scope.run(events)
    work = asyncio.create_task(writer.work())
    await writer.warm.wait()
    begun = writer.written
    await back_up(demo_url, tmp_path / f"backup-{again}")
    ended = writer.written
    writer.stopped = True
    await work
    await store.close()

    await restore(empty_url, tmp_path / f"backup-{again}")
    assert (await examine(empty_url)).broken == ()
    copy = open_store(empty_url, clock=wall_clock)
    async with copy.reads(acme.customer) as scope:
        kept = await scope.run(events) - before
    await copy.close()
    assert begun <= kept <= ended + 1
    assert (await examine(demo_url)).broken == ()


def test_nothing_is_written_over(demo: Seatport, demo_url: str, tmp_path: Path) -> None:
    """A file that is there is not replaced, a missing folder not made, and a database with rows not restored
    into.
    """
    taken = tmp_path / "taken"
    taken.write_text("mine")
    file = tmp_path / "backup"
    assert demo("backup", str(file)).exit_code == 0

    over, nowhere = demo("backup", str(taken)), demo("backup", str(tmp_path / "no" / "backup"))
    into = demo("restore", str(file))

    assert [result.exit_code for result in (over, nowhere, into)] == [1, 1, 1]
    assert "is there already. Give the name of a new file." in over.stderr
    assert taken.read_text() == "mine"
    assert "mkdir -p" in nowhere.stderr
    assert "there already" in into.stderr or "has tables already" in into.stderr
    assert in_own_loop(examine(demo_url)).sound


def test_what_is_no_backup_is_told(engine_name: str, empty_url: str, tmp_path: Path) -> None:
    """A file of another kind, and a copy of the other engine; nothing is left behind."""
    other = ARCHIVE_MAGIC if engine_name == "sqlite" else SQLITE_MAGIC
    said = []
    for words in (b"not a backup", other + b" and so on"):
        (tmp_path / "file").write_bytes(words)
        result = run(empty_url, "restore", str(tmp_path / "file"))
        assert result.exit_code == 1
        said.append(result.stderr)

    assert "Give a file that `seatport backup` made." in said[0]
    assert "It is of the other engine" in said[1]
    assert not (tmp_path / "restored.db").exists()


@pytest.mark.parametrize("engine_name", ["postgres"], indirect=True)
def test_a_missing_program_is_named(demo: Seatport, tmp_path: Path) -> None:
    """Without pg_dump the message says what to install; no file is left."""
    result = demo("backup", str(tmp_path / "backup"), SEATPORT_PG_BIN=str(tmp_path))

    assert result.exit_code == 1
    assert "There is no pg_dump of version" in result.stderr
    assert "postgresql-client-" in result.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("engine_name", ["postgres"], indirect=True)
def test_an_archive_cut_short_leaves_nothing(demo: Seatport, empty_url: str, tmp_path: Path) -> None:
    """An archive that ends in the middle is refused by pg_restore, and the database stays empty."""
    assert demo("backup", str(tmp_path / "backup")).exit_code == 0
    whole = (tmp_path / "backup").read_bytes()
    (tmp_path / "short").write_bytes(whole[: len(whole) * 2 // 3])

    result = run(empty_url, "restore", str(tmp_path / "short"))

    assert result.exit_code == 1
    assert "pg_restore failed: " in result.stderr
    assert "no tables yet" in run(empty_url, "doctor").stdout


async def test_an_older_program_is_passed_over() -> None:
    """No program is new enough for a server of the far future; the message has one that was found."""
    with pytest.raises(BackupImpossible, match=r"no pg_dump of version 9999 or newer here \(.*pg_dump is of"):
        await find_program("pg_dump", 9999)
