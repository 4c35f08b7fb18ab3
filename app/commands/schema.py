"""`seatport schema`: the GraphQL contract as a file."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

FILE: Final = Path(__file__).parents[2] / "graphql" / "schema.graphql"


@click.command("schema")
@click.option(
    "--check", is_flag=True, help="Write nothing; exit with 1 if the file is not what would be written."
)
def command(check: bool) -> None:  # noqa: FBT001  A flag.
    """Print the GraphQL schema to graphql/schema.graphql.

    Only in a checkout: an installed package has no such file to write.
    """
    from app.api.schema import sdl  # noqa: PLC0415  Other commands need not wait for it.

    text = sdl()
    written = FILE.read_text("utf-8") if FILE.exists() else None
    if written == text:
        click.echo("graphql/schema.graphql is up to date.")
    elif check:
        raise click.ClickException(
            "graphql/schema.graphql is not what the program says. "
            "Run `seatport schema` and look at what changed."
        )
    elif not FILE.parent.is_dir():
        raise click.ClickException("There is no folder graphql/ here. Run this in a checkout of Seatport.")
    else:
        FILE.write_text(text, "utf-8")
        click.echo("graphql/schema.graphql is written.")
