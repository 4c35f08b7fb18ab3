"""`seatport explain`: why a line of an invoice comes to its amount, step by step."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import click

from app.api.ids import Kind, decode_as, encode
from app.commands.common import accepted, asynchronous, customer_called, opened, settings
from app.services.explain_line import Explanation, explain_line
from app.store import system
from app.store.reference import Reference
from app.store.transaction import Store


@click.command("explain")
@click.argument("line")
@click.option("--customer", metavar="REFERENCE", help="Whose line; without it, it is looked for everywhere.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@asynchronous
async def command(line: str, customer: str | None, as_json: bool) -> None:  # noqa: FBT001  A flag.
    """Derive a line step by step, from its events to the rounding.

    LINE is the id of a line of an invoice, such as lin_…, as the GraphQL API tells it.
    """
    line_id = decode_as(Kind.INVOICE_LINE, line)
    if line_id is None:
        raise click.ClickException(f"{line!r} is no id of a line. It begins with lin_; copy it whole.")
    async with opened(settings()) as store:
        owner = await _owner(store, line_id, customer)
        async with store.reads(owner.customer) as scope:
            explained = accepted(await scope.run(explain_line, line_id), Explanation)
    if as_json:
        click.echo(json.dumps(_plain(line_id, explained), ensure_ascii=False, indent=2))
    else:
        _tell(explained)


async def _owner(store: Store, line_id: UUID, reference: str | None) -> Reference:
    if reference is not None:
        return await customer_called(store, reference)
    found = await store.system(system.owner_of_line, line_id)
    if found is None:
        raise click.ClickException("There is no line with this id. Copy it from the invoice's lines.")
    return found


def _tell(explained: Explanation) -> None:
    where = f"on {explained.document}" if explained.document else "waiting for the next document"
    click.echo(f"{explained.sentence}, {where}")
    click.echo(f"{explained.formula} = {explained.amount}\n")
    width = max(len(step.step) for step in explained.steps)
    for step in explained.steps:
        click.echo(f"{step.step:>{width}}  {step.text}")


def _plain(line_id: UUID, explained: Explanation) -> dict[str, Any]:
    """The machine form: amounts are decimal text in major units."""
    return {
        "line": encode(Kind.INVOICE_LINE, line_id),
        "description": explained.sentence,
        "formula": explained.formula,
        "amount": f"{explained.amount.amount:f}",
        "currency": explained.amount.currency.code,
        "document": explained.document,
        "steps": [{"step": step.step, "text": step.text} for step in explained.steps],
    }
