"""`seatport restore`."""

from __future__ import annotations

from pathlib import Path

import click

from app.commands.common import asynchronous, settings
from app.commands.doctor import examined, tell
from app.store.backups import restore


@click.command("restore")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@asynchronous
async def command(file: Path) -> None:
    """Put a backup back into an empty database.

    FILE is what `seatport backup` made. The doctor looks at what was put back; the exit code is 0 if that
    holds.
    """
    url = settings().database_url
    await restore(url, file)
    click.echo(f"Restored {file}. The doctor looks at it.")
    report = await examined(url)
    tell(report)
    if not report.sound:
        raise click.exceptions.Exit(1)
