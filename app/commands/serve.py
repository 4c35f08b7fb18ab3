"""`seatport serve`."""

from __future__ import annotations

import asyncio
import os
from functools import partial

import click

from app.billing.permissions import Role
from app.commands.common import opened, told
from app.commands.starting import refuse_unsafe
from app.commands.token import token_for
from app.main import HOST_DEFAULT, ServeError, configure_logging, serve
from app.services.demo import past
from app.settings import PORT_DEFAULT, Mode, Settings
from app.store import system


@click.command("serve")
@click.option(
    "--port", type=click.IntRange(1, 65535), help=f"Where to listen; else PORT, else {PORT_DEFAULT}."
)
@click.option("--host", default=HOST_DEFAULT, show_default=True, help="The address to listen on.")
@told
def command(port: int | None, host: str) -> None:
    """Serve the portal's API until Ctrl+C or SIGTERM.

    In demo mode also the explorer, with a token for it.
    """
    wanted = Settings.from_env({**os.environ, **({"PORT": str(port)} if port else {})})
    configure_logging(wanted.mode)
    asyncio.run(refuse_unsafe(wanted))
    from app.assembly import application  # noqa: PLC0415  Other commands need not wait for the schema.

    app = application(wanted)
    app.on_startup.append(partial(say_where, wanted))
    try:
        serve(app, port=wanted.port, host=host, drain_seconds=wanted.drain_seconds)
    except ServeError as error:
        raise click.ClickException(str(error)) from error


async def say_where(wanted: Settings) -> None:
    """Where to look, once the server listens; in demo mode also how to sign in."""
    click.echo(f"Seatport serves {wanted.public_url}/graphql")
    if wanted.explorer:
        click.echo(f"Explorer: {wanted.public_url}/graphiql")
    token = await _demo_token(wanted) if wanted.mode is Mode.DEMO else None
    if token:
        click.echo(f"Token of {past.FIRST}'s owner, for twelve hours: {token}")


async def _demo_token(wanted: Settings) -> str | None:
    """A token of the demo's first customer, if the demo is there."""
    async with opened(wanted) as store:
        found = await store.system(system.customer_called, past.FIRST)
        return await token_for(store, found, Role.OWNER) if found else None
