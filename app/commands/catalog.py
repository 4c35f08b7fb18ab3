"""`seatport catalog apply`, and `seatport catalog presets`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import click

from app.billing.plans import DirectionPolicy
from app.billing.refusals import Problem
from app.commands.common import asynchronous, opened, settings
from app.services.apply_catalog import Applied, apply_catalog
from app.services.catalog_file import Declared, parse_catalog
from app.services.catalog_policies import Preset, presets

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


@command.command("presets")
@click.option("--json", "as_json", is_flag=True, help="As JSON, for programs.")
def presets_command(*, as_json: bool) -> None:
    """List the seat policies that a price can name.

    Each stands for the published rule of a known product. A price takes one over with `preset = "NAME"`, and
    what it says itself wins.
    """
    if as_json:
        click.echo(json.dumps([_plain(preset) for preset in presets()], indent=2))
        return
    click.echo("\n\n".join(_told(preset) for preset in presets()))


def _plain(preset: Preset) -> dict[str, Any]:
    """A preset as a program reads it, in the words of a catalog."""
    return {
        "name": preset.name,
        "rule": preset.rule,
        "source": preset.source,
        "note": preset.note,
        "basis": preset.basis.value,
        "granularity": preset.granularity.value,
        "increase": _direction(preset.policy.increase),
        "decrease": _direction(preset.policy.decrease)
        | {"guards": [guard.value for guard in preset.policy.decrease.guards]},
    }


def _direction(policy: DirectionPolicy) -> dict[str, Any]:
    return {"timing": policy.timing.value, "modes": [mode.value for mode in policy.modes]}


def _told(preset: Preset) -> str:
    """A preset as a person reads it: name, rule, what it comes to, and where the rule stands."""
    plain = _plain(preset)
    increase, decrease = (
        f"{key} {plain[key]['timing']} {' '.join(plain[key]['modes'])}" for key in ("increase", "decrease")
    )
    lines = [preset.rule, f"{preset.basis.value} · {increase} · {decrease}", preset.source]
    lines += [f"Note: {preset.note}"] if preset.note else []
    return "\n".join([preset.name, *(f"  {line}" for line in lines)])


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
