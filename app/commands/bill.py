"""`seatport bill`: bills all that is due, once."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

import click

from app.commands.common import Counted, asynchronous, opened, settings
from app.store import customers
from app.store.transaction import Store, Tx
from app.worker import billed


@dataclass(frozen=True, slots=True)
class Parked:
    """A customer whose subscription could not be billed, and why."""

    customer: str
    reason: str


@click.command("bill")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
@asynchronous
async def command(as_json: bool) -> None:  # noqa: FBT001  A flag.
    """Bill everything that is due. What cannot be billed is parked with its reason, and the exit code is 1.

    Running it again, or twice at once, bills nothing twice.
    """
    async with opened(settings()) as store:
        count, parked = await _billed(store)
    if as_json:
        click.echo(json.dumps({"billed": count, "parked": [asdict(each) for each in parked]}))
    else:
        click.echo(f"Billed {count}, parked {len(parked)}.")
    for each in parked:
        click.echo(f"Parked: {each.customer}. {each.reason}", err=True)
    if parked:
        raise click.exceptions.Exit(1)


async def _billed(store: Store) -> tuple[int, list[Parked]]:
    count, parked, progress = 0, list[Parked](), Counted("billed")
    async for due, refusal in billed(store):
        if refusal is not None:
            async with store.reads(due.customer) as scope:
                parked.append(Parked(await scope.run(_reference), refusal.message))
            continue
        count += 1
        progress.show(count)
    progress.end()
    return count, parked


def _reference(tx: Tx) -> str:
    customer = customers.get(tx)
    return customer.reference if customer else str(tx.customer)
