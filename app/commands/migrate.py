"""`seatport migrate`."""

from __future__ import annotations

import click

from app.commands.common import asynchronous, settings
from app.store import migrate


@click.command("migrate")
@asynchronous
async def command() -> None:
    """Bring the database to the tables that this version needs. Doing it again does nothing.

    On PostgreSQL, run it as the owner of the tables. SEATPORT_APP_ROLE names the role that the servers run
    as, which is given the rights that they use and no other.
    """
    wanted = settings()
    url = wanted.database_url
    before = await migrate.current(url)
    now = await migrate.upgrade(url, wanted.app_role)
    if wanted.app_role:
        click.echo(f"The role {wanted.app_role} has the rights that the servers use.")
    click.echo(f"The database is at revision {now}{', as it was' if now == before else ''}.")
