"""A customer who has all the ids of another: every row of acme once more, under another customer and with
other words and sums. Whatever does not say of which customer finds two where there should be one.
"""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from sqlalchemy import Table, insert, select

from app.store import triggers
from app.store.metadata import metadata
from app.store.tables import TENANT_TABLES
from app.store.transaction import BatchTx

TWIN: Final = UUID(int=1)
"""Before every customer in the order of ids, so that who takes the first row takes the twin's."""

ALONE: Final = {"portal_session", "customer_reference"}
"""Tables whose keys no two customers share."""

OTHER_WORDS: Final = {
    "name", "email", "note", "holder_name", "holder_email", "description", "formula", "author", "view",
    "actor", "fingerprint", "sha256", "method",
}  # fmt: skip
OTHER_SUMS: Final = {
    "added", "removed", "balance", "seats", "amount", "credit", "paid", "credited", "open", "subtotal", "tax",
    "total", "amount_due", "credit_applied", "credit_added", "clock_offset", "quantity", "size", "opening",
    "events", "granted", "minimum", "sequence", "attempts", "version",
}  # fmt: skip


def beget(tx: BatchTx, of: UUID) -> None:
    """Make the twin of a customer. It was not lived but copied, so no guard is asked."""
    triggers.remove(tx.connection)
    for table in metadata.sorted_tables:
        if table.name in TENANT_TABLES - ALONE:
            rows = tx.connection.execute(select(table).where(table.c.customer_id == of)).all()
            if rows:
                tx.connection.execute(insert(table), [altered(table, row._asdict()) for row in rows])
    triggers.install(tx.connection)


def altered(table: Table, row: dict[str, Any]) -> dict[str, Any]:
    """The twin's version of a row."""
    key = set(table.primary_key.columns.keys())
    changed: dict[str, Any] = {}
    for name, value in row.items():
        if name in key or value is None:
            changed[name] = value
        elif name in OTHER_WORDS:
            changed[name] = f"twin of {value}"
        elif name in OTHER_SUMS and isinstance(value, int):
            changed[name] = value + 3
        else:
            changed[name] = value
    return changed | {"customer_id": TWIN}


def everything(tx: BatchTx) -> dict[str, list[Any]]:
    """Every row of every table, in the order of their keys."""
    return {
        table.name: [tuple(row) for row in tx.connection.execute(select(table).order_by(*table.primary_key))]
        for table in metadata.sorted_tables
    }
