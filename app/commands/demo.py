"""`seatport demo`: three customers with a past, and as many more as a load needs."""

from __future__ import annotations

import json
from dataclasses import asdict

import click

from app.clock import wall_clock
from app.commands.common import Counted, asynchronous, opened, settings
from app.services.demo import past
from app.services.demo.crowd import crowd
from app.services.demo.past import DemoImpossible
from app.services.demo.stage import MovedClock
from app.services.demo.summary import Summary, summary
from app.store import system
from app.store.transaction import Store

CROWD_MAX = 100_000


@click.command("demo")
@click.option(
    "--subscriptions",
    type=click.IntRange(1, CROWD_MAX),
    metavar="N",
    help="Also make so many more customers, each with a renewal that is due.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
@asynchronous
async def command(subscriptions: int | None, as_json: bool) -> None:  # noqa: FBT001  A flag.
    """Make the demo: a catalog, and customers with months of history.

    They are acme, globex and initech. Doing it again finds it there, and makes only the further customers
    that are asked for.
    """
    clock = MovedClock(wall_clock())
    async with opened(settings(), clock) as store:
        await _make_past(store, clock)
        if subscriptions:
            await _make_crowd(store, clock, subscriptions)
        found = [line for reference in past.REFERENCES if (line := await _summary(store, reference))]
    if as_json:
        click.echo(json.dumps([_plain(each) for each in found]))
    for each in () if as_json else found:
        click.echo(_line(each))


async def _make_past(store: Store, clock: MovedClock) -> None:
    """Live the past, unless it was lived before.

    :raises DemoImpossible: if this is not the place for it
    """
    found = await store.system(system.customer_called, past.FIRST)
    if found is None:
        click.echo(f"Living the past of {', '.join(past.REFERENCES)} …", err=True)
        await past.live(store, clock, clock.now)
        return
    async with store.reads(found.customer) as scope:
        lived = await scope.run(past.is_lived)
    if not lived:
        raise DemoImpossible(
            f"There is a customer {past.FIRST!r} here whose past was not lived to its end. "
            "Remove the database and start again, or set SEATPORT_DATABASE_URL to another one."
        )
    click.echo("The demo is there already.", err=True)


async def _make_crowd(store: Store, clock: MovedClock, count: int) -> None:
    progress = Counted("customers made:", count)
    now = wall_clock()
    async for made in crowd(store, clock, now, count):
        progress.show(made)
    progress.end()
    click.echo(f"Made {count} more customers, each with a renewal that is due.", err=True)


async def _summary(store: Store, reference: str) -> Summary | None:
    found = await store.system(system.customer_called, reference)
    if found is None:
        return None
    async with store.reads(found.customer) as scope:
        return await scope.run(summary)


def _line(of: Summary) -> str:
    """`acme     Team, by the month; seats: 15 editor (12 in use); last invoice …; credit 11.13 USD`."""
    seats = ", ".join(f"{each.committed} {each.metric} ({each.in_use} in use)" for each in of.seats)
    documents = f"last invoice {of.invoice or 'none'}, last credit note {of.credit_note or 'none'}"
    return (
        f"{of.reference:<8} {of.plan or 'no plan'}; seats: {seats or 'none'}; {documents}; credit {of.credit}"
    )


def _plain(of: Summary) -> dict[str, object]:
    plain = asdict(of)
    return plain | {"credit": str(of.credit.amount), "currency": of.credit.currency.code}
