"""`seatport clock`: time goes by for demo and test customers, and what falls due is billed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

import click

from app.billing.bounds import OutOfBounds
from app.billing.refusals import BillingDetailsMissing, InvalidInput, NotFound
from app.commands.common import OPERATOR, Counted, accepted, asynchronous, customer_called, opened, settings
from app.services.bill import bill
from app.services.durations import YEARS_MAX, Duration, parse_duration
from app.services.move_clock import move_clock
from app.store import customers, documents, subscriptions, system
from app.store.documents import Document
from app.store.transaction import Store, Tx
from app.worker import every


@dataclass(frozen=True, slots=True)
class Moved:
    """A customer at its new instant, in its own zone, the documents that were made on the way, and why its
    subscription was parked, if it was.
    """

    reference: str
    at: datetime
    made: tuple[Document, ...]
    parked: BillingDetailsMissing | OutOfBounds | None


class DurationOption(click.ParamType[Duration]):
    """An ISO 8601 duration."""

    name = "duration"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> Duration:
        duration = parse_duration(value)
        if duration is None:
            self.fail(
                f"{value!r} is no ISO 8601 duration of at most {YEARS_MAX} years. "
                "Give one such as P1M (a month), P2W, P10D or PT36H.",
                param,
                ctx,
            )
        return duration


@click.command("clock")
@click.option("--customer", metavar="REFERENCE", help="Whose clock.")
@click.option("--all", "everybody", is_flag=True, help="The clocks of all demo and test customers.")
@click.option("--advance", required=True, type=DurationOption(), help="How far, such as P1M, P10D or PT36H.")
@asynchronous
async def command(customer: str | None, everybody: bool, advance: Duration) -> None:  # noqa: FBT001  A flag.
    """Let time go by for demo and test customers.

    What becomes due is billed, and the documents of one customer are named. Months and days follow the
    customer's own calendar. Time never goes back.
    """
    if (customer is None) is not everybody:
        raise click.UsageError("Give one of --customer REFERENCE and --all.")
    async with opened(settings()) as store:
        if customer is not None:
            found = await customer_called(store, customer)
            _say(await moved(store, found.customer, advance))
        else:
            await _move_everybody(store, advance)


async def _move_everybody(store: Store, by: Duration) -> None:
    progress, count, made, parked = Counted("moved"), 0, 0, 0
    async for reference in every(store, system.movable_customers):
        done = await moved(store, reference.customer, by)
        made += len(done.made)
        parked += done.parked is not None
        count += 1
        progress.show(count)
    progress.end()
    click.echo(
        f"Time went by for {_counted(count, 'customer')}, and {_counted(made, 'document')} came of it."
    )
    if parked:
        raise click.ClickException(f"{parked} of them could not be billed and are parked.")


async def moved(store: Store, customer: UUID, by: Duration) -> Moved:
    """Move one customer's clock, and bill it up to there."""
    left = accepted(await store.run(customer, advance_clock, by), datetime)
    return accepted(await store.run(customer, bill_now, left), Moved)


def advance_clock(tx: Tx, by: Duration) -> datetime | NotFound | InvalidInput:
    """Move the clock by the customer's own calendar; the instant that it left."""
    customer = customers.get(tx)
    if customer is None:
        return NotFound("customer")
    moved_to = move_clock(tx, OPERATOR, by.after(tx.at, customer.zone) - tx.at)
    return tx.at if isinstance(moved_to, datetime) else moved_to


def bill_now(tx: Tx, left: datetime) -> Moved | NotFound:
    """Bill what is due at the customer's present instant. A running server may have been first: the documents
    are all that came since the instant that was left.
    """
    customer, live = customers.get(tx), subscriptions.live(tx)
    if customer is None:
        return NotFound("customer")
    parked = bill(tx, live.id) if live else None
    made = tuple(documents.recorded_since(tx, left))
    return Moved(customer.reference, tx.at.astimezone(ZoneInfo(customer.zone)), made, parked)


def _say(done: Moved) -> None:
    came = f"{_counted(len(done.made), 'document')} came of it"
    click.echo(f"For {done.reference} it is {done.at:%Y-%m-%d %H:%M} ({done.at.tzinfo}) now; {came}.")
    for document in done.made:
        click.echo(_named(document))
    if done.parked is not None:
        raise click.ClickException(
            f"{done.reference} could not be billed and is parked. {done.parked.message}"
        )


def _named(document: Document) -> str:
    """`Invoice INV-7 of 2026-05-01: 324.00 USD`; a credit note is worth what it gives."""
    what = document.kind.value.replace("_", " ").capitalize()
    total = document.totals.total
    return f"{what} {document.number.text} of {document.issued_on}: {max(total, -total)}"


def _counted(count: int, what: str) -> str:
    return f"{count or 'no'} {what}{'' if count == 1 else 's'}"
