"""`seatport bill`: bills all that is due, once."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime, time, timedelta
from typing import Any

import click

from app.billing.money import CURRENCIES, Money
from app.commands.common import asynchronous, opened, settings
from app.commands.progress import Progress
from app.documents.renderer import Renderer
from app.services import billing_run
from app.services.billing_run import Order, Tally
from app.services.render_document import render_waiting
from app.store import system
from app.store.transaction import Store
from app.worker import every


class InstantOption(click.ParamType[datetime]):
    """An instant with an offset, or a day, which counts to its end in UTC."""

    name = "instant"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """The instant until which was meant."""
        try:
            given = datetime.fromisoformat(value)
        except ValueError:
            given = None
        if given is not None and given.tzinfo is not None:
            return given.astimezone(UTC)
        if given is None or given.time() != time.min or "T" in value:
            self.fail(
                f"{value!r} is neither a day such as 2026-04-30 nor an instant such as 2026-04-30T12:00:00Z.",
                param,
                ctx,
            )
        return given.replace(tzinfo=UTC) + timedelta(days=1) - timedelta(microseconds=1)


@click.command("bill")
@click.option("--dry-run", is_flag=True, help="Decide everything, write nothing, and tell what it would be.")
@click.option("--until", type=InstantOption(), help="Only what was due by this day or instant.")
@click.option("--render", is_flag=True, help="Then also draw the documents that wait to be drawn.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
@asynchronous
async def command(*, dry_run: bool, until: datetime | None, render: bool, as_json: bool) -> None:
    """Bill everything that is due. What cannot be billed is parked with its reason, and the exit code is 1.

    Running it again, or several at once, bills nothing twice.
    """
    if dry_run and render:
        raise click.UsageError("Give one of --dry-run and --render.")
    async with opened(settings()) as store:
        tally = await _billed(store, Order(until=until, dry=dry_run))
        drawn = await _drawn(store) if render else None
    if as_json:
        click.echo(json.dumps(_plain(tally, dry=dry_run, drawn=drawn)))
    else:
        _tell(tally, dry=dry_run, drawn=drawn)
    for each in tally.parked:
        click.echo(f"Parked: {each.customer}. {each.reason}", err=True)
    if tally.parked:
        raise click.exceptions.Exit(1)


async def _billed(store: Store, order: Order) -> Tally:
    tally = Tally()
    with Progress("billed", await billing_run.count_due(store, order.until)) as progress:
        async for batch in billing_run.run(store, order):
            tally.add(batch)
            progress.show(tally.claimed)
    return tally


async def _drawn(store: Store) -> int:
    """How many of the documents that waited were drawn; one that fails waits again, and others are drawn."""
    waiting = [reference async for reference in every(store, system.due_renderings)]
    if not waiting:
        return 0
    renderer = Renderer()
    await renderer.start()
    drawn = 0
    try:
        with Progress("drawn", len(waiting)) as progress:
            async for done in render_waiting(store, renderer.render, waiting):
                drawn += done
                progress.step()
    finally:
        await renderer.stop()
    return drawn


def _tell(tally: Tally, *, dry: bool, drawn: int | None) -> None:
    would, put_off = "Would bill" if dry else "Billed", tally.rescheduled
    later = f", put off {put_off}" if put_off else ""
    click.echo(f"{would} {tally.billed}, parked {len(tally.parked)}{later}.")
    for sentence in _sums(tally):
        click.echo(sentence)
    if drawn is not None:
        click.echo(f"Drew {drawn} document{'' if drawn == 1 else 's'}.")


def _sums(tally: Tally) -> list[str]:
    """`EUR: 120 invoices of 14,400.00, 2 credit notes of 30.00`, by currency."""
    by_currency: dict[str, list[str]] = {}
    made = sorted(tally.documents.items(), key=lambda item: (item[0][0], item[0][1].name))
    for (currency, kind), count in made:
        what = kind.value.replace("_", " ").lower() + ("" if count == 1 else "s")
        amount = Money(abs(tally.totals[currency, kind]), CURRENCIES[currency])
        by_currency.setdefault(currency, []).append(f"{count} {what} of {amount}")
    return [f"{currency}: {', '.join(parts)}" for currency, parts in by_currency.items()]


def _plain(tally: Tally, *, dry: bool, drawn: int | None) -> dict[str, Any]:
    documents = [
        {
            "currency": currency,
            "kind": kind.value,
            "count": count,
            "total": str(Money(tally.totals[currency, kind], CURRENCIES[currency]).amount),
        }
        for (currency, kind), count in tally.documents.items()
    ]
    parked = [{**asdict(each), "subscription": str(each.subscription)} for each in tally.parked]
    return {
        "dry": dry,
        "claimed": tally.claimed,
        "billed": tally.billed,
        "rescheduled": tally.rescheduled,
        "parked": parked,
        "documents": documents,
        **({"drawn": drawn} if drawn is not None else {}),
    }
