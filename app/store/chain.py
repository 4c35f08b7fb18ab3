"""The audit as a chain: each row has a place in the history of its customer, and a digest of what it says
together with the digest of the row before. Who changes, removes, inserts or swaps rows behind the program's
back breaks the chain there, and `seatport doctor` names the place. Rows cut off at the end are missed by the
ledgers, whose every commit has an audit row.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from sqlalchemy import Connection, func, select

from app.store.keyed import keyed_by
from app.store.tables import audit


class Link(NamedTuple):
    """A place in the chain of a customer, from 1, and the digest there."""

    position: int
    digest: str


START = Link(0, "")
"""Before the first row."""

SAID = (
    "customer_id", "id", "action", "actor", "object_id", "detail", "effective_at", "recorded_at", "position",
)  # fmt: skip
"""What a digest is of: all columns but itself."""


def digest(before: str, row: Mapping[str, Any]) -> str:
    """The SHA-256 of a row and of the digest before it, in hexadecimal digits."""
    said = {"before": before, **{name: row[name] for name in SAID}}
    return hashlib.sha256(orjson.dumps(said, option=orjson.OPT_SORT_KEYS)).hexdigest()


def link(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Give new rows their places in the chains of their customers, in the order given. The customers are
    locked, as everybody's is who writes.
    """
    last = _last(connection, {row["customer_id"] for row in rows}) if rows else {}
    for row in rows:
        before = last.get(row["customer_id"], START)
        row["position"] = before.position + 1
        row["digest"] = digest(before.digest, row)
        last[row["customer_id"]] = Link(row["position"], row["digest"])


def _last(connection: Connection, customers: Iterable[UUID]) -> dict[UUID, Link]:
    """The ends of chains. The index has the last place of each, however long the chain is."""
    keys = keyed_by(connection, (audit.c.customer_id,), ((customer,) for customer in customers))
    every = audit.alias("every")
    last = select(func.max(every.c.position)).where(every.c.customer_id == keys.given.c.customer_id)
    query = keys.rows_of(audit, audit.c.customer_id, audit.c.position, audit.c.digest)
    found = keys.execute(query.where(audit.c.position == last.scalar_subquery()))
    return {row.customer_id: Link(row.position, row.digest) for row in found}
