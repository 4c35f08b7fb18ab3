"""`seatport migrate`."""

from __future__ import annotations

import click

from app.commands.common import asynchronous, settings
from app.store import migrate


@click.command("migrate")
@asynchronous
async def command() -> None:
    """Bring the database to the tables that this version needs. Doing it again does nothing."""
    url = settings().database_url
    before = await migrate.current(url)
    now = await migrate.upgrade(url)
    click.echo(f"The database is at revision {now}{', as it was' if now == before else ''}.")
