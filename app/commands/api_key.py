"""`seatport api-key`: the keys with which the vendor's own programs call the REST API."""

from __future__ import annotations

from uuid import UUID

import click

from app.commands.common import accepted, asynchronous, opened, settings
from app.services.api_keys import IssuedKey, issue_key, revoke_key
from app.store import api_keys
from app.store.api_keys import ApiKey


@click.command("api-key")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    metavar="SCOPE[,SCOPE…]",
    help="What the key is for: all, or scopes such as seats:write.",
)
@click.option("--name", default="command line", show_default=True, help="What to call the key.")
@click.option("--list", "listed", is_flag=True, help="List the keys, without their tokens.")
@click.option("--revoke", type=click.UUID, metavar="ID", help="The id of a key that is to open nothing more.")
@asynchronous
async def command(scopes: tuple[str, ...], name: str, listed: bool, revoke: UUID | None) -> None:  # noqa: FBT001
    """Print a new key of the REST API, and nothing else.

    It is told this once, and stored only as a hash. It is good until it is revoked.
    """
    if (bool(scopes), listed, revoke is not None).count(True) != 1:
        raise click.UsageError("Give one of --scope SCOPE, --list and --revoke ID.")
    async with opened(settings()) as store:
        if revoke is not None:
            refused = await store.deployment(revoke_key, revoke)
            if refused is not None:
                raise click.ClickException(refused.message)
        elif listed:
            for key in await store.deployment(api_keys.every):
                click.echo(_line(key))
        else:
            wanted = [scope.strip() for given in scopes for scope in given.split(",")]
            click.echo(accepted(await store.deployment(issue_key, name, wanted), IssuedKey).token)


def _line(key: ApiKey) -> str:
    """`0199… warehouse  seats:write  since 2026-04-16  revoked 2026-05-01`."""
    line = f"{key.id}  {key.name}  {' '.join(key.scopes)}  since {key.created_at:%Y-%m-%d}"
    return f"{line}  revoked {key.revoked_at:%Y-%m-%d}" if key.revoked_at else line
