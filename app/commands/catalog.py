"""`seatport catalog apply`."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

from app.billing.refusals import Problem
from app.commands.common import asynchronous, opened, settings
from app.services.apply_catalog import Applied, apply_catalog
from app.services.catalog_file import Declared, parse_catalog

BYTES_MAX: Final = 1_000_000


@click.group("catalog")
def command() -> None:
    """The seller, the taxes, and the plans on offer."""


@command.command("apply")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, readable=True, path_type=Path))
@asynchronous
async def apply_command(file: Path) -> None:
    """Put the catalog of a TOML file on offer.

    Prices that changed get a new version; subscriptions keep theirs. Doing it again does nothing.
    """
    declared = parse_catalog(_text(file))
    if not isinstance(declared, Declared):
        for problem in declared:
            click.echo(_line(problem), err=True)
        things = "one thing is" if len(declared) == 1 else f"{len(declared)} things are"
        raise click.ClickException(f"{file}: {things} wrong; nothing was changed.")
    async with opened(settings()) as store:
        applied = await store.deployment(apply_catalog, declared)
    for warning in applied.warnings:
        click.echo(f"Warning: {_line(warning)}", err=True)
    click.echo(_said(applied))


def _text(file: Path) -> str:
    """What the file holds."""
    try:
        with file.open("rb") as opened_file:
            content = opened_file.read(BYTES_MAX + 1)
    except OSError as error:
        raise click.ClickException(f"{file} cannot be read: {error.strerror}.") from error
    if len(content) > BYTES_MAX:
        raise click.ClickException(f"{file} is larger than {BYTES_MAX} bytes. Is it a catalog?")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise click.ClickException(
            f"{file} is not UTF-8 text: byte {error.start} is not. Save it as UTF-8."
        ) from error


def _line(problem: Problem) -> str:
    return f"{problem.path}: {problem.message}" if problem.path else problem.message


def _said(applied: Applied) -> str:
    if not applied.changed:
        return "Nothing to change: this catalog is on offer already."
    plans = applied.catalog.plans
    prices = sum(len(plan.prices) for plan in plans)
    new = len(applied.new_prices)
    return f"On offer now: {len(plans)} plans with {prices} prices, of which {new or 'none'} new."
