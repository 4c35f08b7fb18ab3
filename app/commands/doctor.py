"""`seatport doctor`: whether the books hold, and the first row of each promise that does not."""

from __future__ import annotations

import json
from typing import Any

import click

from app.commands.common import Counted, asynchronous, settings
from app.services.doctor import Report, Verdict, examine


@click.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@asynchronous
async def command(as_json: bool) -> None:  # noqa: FBT001  A flag.
    """Check that the books hold, and name what does not.

    It only reads, and servers may run meanwhile.
    The exit code is 0 if everything holds, and 1 if anything does not.
    """
    report = await examined(settings().database_url)
    if as_json:
        click.echo(json.dumps(_plain(report), ensure_ascii=False, indent=2))
    else:
        tell(report)
    if not report.sound:
        raise click.exceptions.Exit(1)


async def examined(url: str) -> Report:
    """Let the doctor go through a database, and tell how far it is."""
    progress = Counted("customers checked")
    report = await examine(url, lambda done, _of: progress.show(done))
    progress.end()
    return report


def tell(report: Report) -> None:
    """Say what does not hold, each with its first row, or that all holds."""
    for verdict in report.broken:
        click.echo(f"{verdict.invariant} {verdict.check}: {verdict.promise}")
        click.echo(f"    does not hold for {verdict.broken}. The first: {_first(verdict)}")
    checks, customers = len(report.verdicts), report.customers
    if report.sound:
        click.echo(f"All {checks} checks hold, for {customers} customer{'s' if customers != 1 else ''}.")
    else:
        click.echo(f"{len(report.broken)} of {checks} checks do not hold.")


def _first(verdict: Verdict) -> str:
    assert verdict.first is not None, "something is broken"
    key = ", ".join(f"{name} {value}" for name, value in verdict.first.key.items())
    return verdict.first.sentence if verdict.first.sentence in key else f"{key}: {verdict.first.sentence}"


def _plain(report: Report) -> dict[str, Any]:
    """The machine form."""
    return {
        "sound": report.sound,
        "customers": report.customers,
        "checks": [
            {
                "check": verdict.check,
                "invariant": verdict.invariant,
                "promise": verdict.promise,
                "broken": verdict.broken,
                "first": {"row": dict(verdict.first.key), "says": verdict.first.sentence}
                if verdict.first
                else None,
            }
            for verdict in report.verdicts
        ],
    }
