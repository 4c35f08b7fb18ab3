"""Checks of the audit: a chain for each customer, whose links are as they were recorded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from sqlalchemy.engine import Row

from app.store.chain import START, Link, digest
from app.store.checks.check import Broken, Check, named
from app.store.columns import Id, Instant, Json


def broken(rows: Iterable[Row[Any]]) -> Iterator[Broken]:
    """Where the chains of customers break; the rows come in the order of customers and places."""
    before: Row[Any] | None = None
    for row in rows:
        follows = before is not None and before.customer_id == row.customer_id
        last = Link(before.position, before.digest) if before and follows else START
        if row.position != last.position + 1:
            sentence = f"place {row.position} of the audit comes after place {last.position}"
            yield named(row, ("customer_id", "id"), sentence)
        elif row.digest != digest(last.digest, row._asdict()):
            sentence = f"at place {row.position} the audit says something else than was recorded"
            yield named(row, ("customer_id", "id"), sentence)
        before = row


CHECKS: Final = (
    Check(
        "chain.links", "I11", "The audit of a customer is as it was recorded, row after row.",
        """
        SELECT a.customer_id, a.position, a.id, a.action, a.actor, a.object_id, a.detail, a.effective_at,
               a.recorded_at, a.digest
        FROM audit AS a WHERE {of a}""",
        types={
            "customer_id": Id(), "id": Id(), "object_id": Id(), "detail": Json(), "effective_at": Instant(),
            "recorded_at": Instant(),
        },
        judge=broken,
    ),
)  # fmt: skip
