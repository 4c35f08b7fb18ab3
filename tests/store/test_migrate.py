"""Migrations: from any folder, by several at once, whole or not at all; no start on any other state."""

import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import text

from app.settings import DATABASE_URL_DEFAULT
from app.store import migrate, triggers
from app.store.engine import open_store
from app.store.migrate import DatabaseUnusable, ForeignDatabase, WrongHead
from app.store.transaction import DeploymentTx
from tests.conftest import Clock
from tests.postgres import in_own_loop

ROOT = Path(__file__).resolve().parents[2]
UPGRADE = (
    "import asyncio, sys; from app.store import migrate; print(asyncio.run(migrate.upgrade(sys.argv[1])))"
)
REVISION = """
import sqlalchemy as sa
from alembic import op

revision = "later"
down_revision = "{head}"


def upgrade():
    {what}
"""


@pytest.fixture
def next_revision(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of one more revision after the head, which is empty until the test writes it."""
    head = migrate.head()
    assert head is not None
    copy = tmp_path / "migrations"
    shutil.copytree(migrate.REVISIONS, copy)
    monkeypatch.setattr(migrate, "REVISIONS", copy)
    return copy / "versions" / "later.py"


def write(revision: Path, what: str) -> None:
    """Let the next revision do something."""
    revision.write_text(REVISION.format(head=migrate.head(), what=what))


async def names(url: str, clock: Clock) -> tuple[set[str], set[str]]:
    """The guards that are up, and whether the table of the failing revision is there."""
    opened = open_store(url, clock=clock)
    tables = {
        "sqlite": "SELECT name FROM sqlite_schema WHERE name = 'half'",
        "postgresql": "SELECT relname FROM pg_class WHERE relname = 'half'",
    }

    def look(tx: DeploymentTx) -> tuple[set[str], set[str]]:
        made = tx.connection.execute(text(tables[tx.connection.dialect.name])).scalars()
        return triggers.present(tx.connection), set(made)

    found = await opened.deployment(look)
    await opened.close()
    return found


def test_two_at_once_from_another_folder(empty_database_url: str, tmp_path: Path) -> None:
    """Two processes that migrate one database at the same moment, from a folder elsewhere, both
    end at the head.
    """
    command = [sys.executable, "-c", UPGRADE, empty_database_url]
    surroundings = os.environ | {"PYTHONPATH": str(ROOT)}
    both = [
        subprocess.Popen(command, cwd=tmp_path, env=surroundings, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]

    said = [process.communicate(timeout=60)[0].strip() for process in both]

    assert [(process.returncode, head) for process, head in zip(both, said, strict=True)] == [
        (0, migrate.head())
    ] * 2
    in_own_loop(migrate.check(empty_database_url))


async def test_migrating_again_does_nothing(database_url: str, clock: Clock) -> None:
    """A database at the head stays as it is, its guards included."""
    before = await names(database_url, clock)

    assert await migrate.upgrade(database_url) == migrate.head()
    assert await names(database_url, clock) == before


def test_an_empty_database_is_refused(empty_database_url: str) -> None:
    """The program does not start on it, says what to run, and makes no file."""
    with pytest.raises(WrongHead, match=r"no tables yet.*seatport migrate"):
        in_own_loop(migrate.check(empty_database_url))

    assert not Path(empty_database_url.removeprefix("sqlite+aiosqlite:///")).exists()


async def test_an_older_database_is_refused(database_url: str, next_revision: Path) -> None:
    """Behind the head: the message has both revisions and what to run."""
    at = migrate.head()
    write(next_revision, "pass")

    with pytest.raises(WrongHead, match=rf"revision {at}, .* needs later.*seatport migrate"):
        await migrate.check(database_url)

    assert await migrate.upgrade(database_url) == "later"
    await migrate.check(database_url)


async def test_a_newer_database_is_refused(
    database_url: str, next_revision: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Migrated by a newer program: neither started on nor migrated, and the message says why."""
    write(next_revision, "pass")
    await migrate.upgrade(database_url)
    monkeypatch.undo()

    with pytest.raises(WrongHead, match=r"revision later, which this Seatport does not know"):
        await migrate.check(database_url)
    with pytest.raises(WrongHead, match=r"a newer one migrated it"):
        await migrate.upgrade(database_url)


async def test_a_failed_migration_leaves_nothing(
    database_url: str, next_revision: Path, clock: Clock
) -> None:
    """A revision that fails half-way is undone whole: no table, the old mark, and the guards are up."""
    at, before = migrate.head(), await names(database_url, clock)
    write(
        next_revision, 'op.create_table("half", sa.Column("id", sa.Integer)); op.execute("SELECT nonsense")'
    )

    with pytest.raises(Exception, match="nonsense"):
        await migrate.upgrade(database_url)

    assert await migrate.current(database_url) == at
    assert await names(database_url, clock) == before
    assert before[0] == triggers.expected("sqlite" if database_url.startswith("sqlite") else "postgresql")


async def test_rebuilding_a_table_keeps_its_guards(
    database_url: str, next_revision: Path, clock: Clock
) -> None:
    """Rebuilding a guarded table drops its triggers on SQLite; at the end all of them are up."""
    before = await names(database_url, clock)
    write(
        next_revision,
        'with op.batch_alter_table("audit", recreate="always") as audit:\n'
        '        audit.add_column(sa.Column("reason", sa.Text))',
    )

    await migrate.upgrade(database_url)

    assert await names(database_url, clock) == before


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
async def test_a_reference_to_nothing_stops_a_migration(database_url: str, next_revision: Path) -> None:
    """Foreign keys rest while SQLite's tables are rebuilt; a migration that breaks one is undone."""
    at = migrate.head()
    columns = "customer_id, id, reference, role, created_at"
    orphan = f"INSERT INTO member ({columns}) VALUES ('a', 'b', 'ref', 'OWNER', 0)"
    write(next_revision, f'op.execute("{orphan}")')

    with pytest.raises(AssertionError, match="references to nothing"):
        await migrate.upgrade(database_url)

    assert await migrate.current(database_url) == at


async def test_a_place_that_is_no_database_is_named(tmp_path: Path, clock: Clock) -> None:
    """A file of another kind, a folder that is a file, a server that does not answer: one sentence each,
    with the address and never the password.
    """
    text_file = tmp_path / "notes.txt"
    text_file.write_text("not a database " * 100)
    places = [
        f"sqlite+aiosqlite:///{text_file}",
        f"postgresql+asyncpg://me:hunter2@/db?host={tmp_path}",
        "postgresql+asyncpg://me:hunter2@127.0.0.1:1/db",
    ]
    for place in places:
        with pytest.raises(DatabaseUnusable, match=r"cannot be used: .*SEATPORT_DATABASE_URL") as unusable:
            await migrate.upgrade(place)
        assert "hunter2" not in str(unusable.value)


def test_a_missing_folder_is_not_made(tmp_path: Path) -> None:
    """A path with a slip in it makes no folders: the message has the folder, and what to do."""
    notes = tmp_path / "notes.txt"
    notes.touch()
    for folder in (tmp_path / "srv" / "seatport", notes):
        with pytest.raises(DatabaseUnusable, match=rf"^There is no folder {folder} .*mkdir -p"):
            in_own_loop(migrate.upgrade(f"sqlite+aiosqlite:///{folder}/seatport.db"))

    assert list(tmp_path.iterdir()) == [notes]


def test_the_folder_of_the_default_database_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fresh checkout has no var/; the first migration makes it."""
    monkeypatch.chdir(tmp_path)

    assert in_own_loop(migrate.upgrade(DATABASE_URL_DEFAULT)) == migrate.head()
    assert [path.name for path in tmp_path.iterdir()] == ["var"]


def refused_as_foreign(url: str) -> str:
    """The one sentence that every door has for another program's database."""
    said = set()
    for door in (migrate.upgrade, migrate.current, migrate.check):
        with pytest.raises(ForeignDatabase) as refused:
            in_own_loop(door(url))
        said.add(str(refused.value))
    (sentence,) = said
    return sentence


def test_the_file_of_another_program_is_refused(tmp_path: Path) -> None:
    """Tables that no migration of ours made: neither migrated nor served, and not a byte changes, not even
    the header that says how the file is written. Of many tables five are named.
    """
    file = tmp_path / "guests.db"
    with closing(sqlite3.connect(file)) as foreign:
        for letter in "abcdefg":
            foreign.execute(f"CREATE TABLE {letter} (name text)")
    before = file.read_bytes()

    assert refused_as_foreign(f"sqlite+aiosqlite:///{file}") == (
        f"The database sqlite+aiosqlite:///{file} belongs to another program: it has tables that Seatport "
        "did not make (a, b, c, d, e, …). Nothing was changed. Give SEATPORT_DATABASE_URL a database "
        "of its own."
    )
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == {file: before}


@pytest.mark.parametrize("engine_name", ["postgres"], indirect=True)
def test_the_server_database_of_another_program_is_refused(empty_database_url: str) -> None:
    """Also where Alembic was about to begin there: with its table, but no revision of ours in it."""
    address = empty_database_url.replace("+asyncpg", "")

    async def asked(statement: str) -> list[str]:
        connection = await asyncpg.connect(address)
        rows = await connection.fetch(statement)
        await connection.close()
        return [name for (name,) in rows]

    in_own_loop(asked("CREATE TABLE guests (name text)"))
    in_own_loop(asked("CREATE TABLE alembic_version (version_num varchar(32))"))

    assert "Seatport did not make (guests). Nothing was changed." in refused_as_foreign(empty_database_url)
    tables = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"
    assert in_own_loop(asked(tables)) == ["alembic_version", "guests"]


@pytest.mark.parametrize("engine_name", ["postgres"], indirect=True)
async def test_a_missing_database_is_named(empty_database_url: str) -> None:
    """A server that answers but has no such database: the message has its name."""
    elsewhere = empty_database_url.replace("/test_", "/nowhere_")

    with pytest.raises(DatabaseUnusable, match="nowhere_"):
        await migrate.check(elsewhere)
