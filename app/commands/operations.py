"""`seatport operations`: the ids by which front ends may send the stored operations."""

from __future__ import annotations

import json

import click

from app.api.registry import document_id, stored_operations


@click.command("operations")
@click.option("--json", "as_json", is_flag=True, help="As one JSON object, for a front end's build.")
def command(as_json: bool) -> None:  # noqa: FBT001  A flag.
    """List the stored operations with their ids.

    A front end sends such an id as `documentId`, with `variables`, and no text. In production only these
    operations run, by id or by their exact text.
    """
    ids = {name: document_id(text) for name, text in stored_operations().items()}
    if as_json:
        click.echo(json.dumps(ids, indent=2))
        return
    width = max(map(len, ids))
    for name, id in ids.items():
        click.echo(f"{name:<{width}}  {id}")
