"""`seatport backup`."""

from __future__ import annotations

from pathlib import Path

import click

from app.commands.common import asynchronous, settings
from app.store.backups import back_up


@click.command("backup")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@asynchronous
async def command(file: Path) -> None:
    """Copy the whole database to FILE, while servers run.

    The copy is of one moment. An SQLite database is copied to such a file; of PostgreSQL it is an archive of
    pg_dump, which must be installed. Rights of roles are not in it.
    """
    size = await back_up(settings().database_url, file)
    click.echo(f"Copied to {file}: {size:,} bytes.")
