"""`seatport unpark`: gives parked subscriptions back to the billing run."""

from __future__ import annotations

import click

from app.commands.common import OPERATOR, Counted, asynchronous, customer_called, opened, settings
from app.services.unpark import unpark
from app.store import subscriptions, system
from app.store.reference import Reference
from app.store.transaction import Store
from app.worker import every


@click.command("unpark")
@click.option("--customer", metavar="REFERENCE", help="Whose subscription.")
@click.option("--all", "everybody", is_flag=True, help="All that are parked.")
@asynchronous
async def command(customer: str | None, everybody: bool) -> None:  # noqa: FBT001  A flag.
    """Give parked subscriptions back to the billing run.

    Look at the reason and repair it first. What was parked because it charged too much is let through.
    """
    if (customer is None) is not everybody:
        raise click.UsageError("Give one of --customer REFERENCE and --all.")
    async with opened(settings()) as store:
        if customer is not None:
            await _unpark_one(store, customer)
        else:
            await _unpark_all(store)


async def _unpark_one(store: Store, reference: str) -> None:
    found = await customer_called(store, reference)
    async with store.reads(found.customer) as scope:
        live = await scope.run(subscriptions.live)
    reason = await _unparked(store, Reference(found.customer, live.id)) if live else None
    if reason is None:
        raise click.ClickException(f"{reference} is not parked.")
    click.echo(f"{reference} is billed with the next run. It was parked because: {reason}")


async def _unpark_all(store: Store) -> None:
    progress, count = Counted("unparked"), 0
    async for parked in every(store, system.parked_subscriptions):
        count += await _unparked(store, parked) is not None
        progress.show(count)
    progress.end()
    click.echo(f"Unparked {count}.")


async def _unparked(store: Store, reference: Reference) -> str | None:
    return await store.run(reference.customer, unpark, OPERATOR, reference.id)
