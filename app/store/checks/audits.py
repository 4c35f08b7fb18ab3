"""Checks of the audit: a chain for each customer and one for the deployment, whose links are as they were
recorded.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from sqlalchemy.engine import Row

from app.store import operations
from app.store.chain import START, Link, digest
from app.store.checks.check import Broken, Check, named
from app.store.columns import Id, Instant, Json

Said = dict[str, Any]


def broken(rows: Iterable[Row[Any]]) -> Iterator[Broken]:
    """Where the chains of customers break; the rows come in the order of customers and places."""
    for row, last, said in _linked((row, row._asdict()) for row in rows):
        if problem := _problem(last, said):
            yield named(row, ("customer_id", "id"), problem)


def broken_of_deployment(rows: Iterable[Row[Any]]) -> Iterator[Broken]:
    """Where the one chain of the deployment breaks."""
    for row, last, said in _linked((row, operations.said(row._asdict())) for row in rows):
        if problem := _problem(last, said):
            yield named(row, ("id",), problem)


def _linked(rows: Iterable[tuple[Row[Any], Said]]) -> Iterator[tuple[Row[Any], Link, Said]]:
    """Each row with the link before it in its chain, and what it says."""
    before: Said | None = None
    for row, said in rows:
        follows = before is not None and before["customer_id"] == said["customer_id"]
        yield row, Link(before["position"], before["digest"]) if before and follows else START, said
        before = said


def _problem(last: Link, said: Said) -> str | None:
    """What is wrong with a link after another; None if it follows."""
    position = said["position"]
    if position != last.position + 1:
        return f"place {position} of the audit comes after place {last.position}"
    if said["digest"] != digest(last.digest, said):
        return f"at place {position} the audit says something else than was recorded"
    return None


OF_DEPLOYMENT: Final = (
    Check(
        "chain.deployment", "I11", "The audit of the deployment is as it was recorded, row after row.",
        """
        SELECT a.position, a.id, a.action, a.actor, a.object_id, a.detail, a.recorded_at, a.digest
        FROM deployment_audit AS a""",
        types={"id": Id(), "object_id": Id(), "detail": Json(), "recorded_at": Instant()},
        judge=broken_of_deployment,
    ),
)  # fmt: skip

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
