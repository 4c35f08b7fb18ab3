"""What was done to the deployment itself, which is nobody's: keys, catalog, endpoints. Its audit is one
chain, whose links are made as those of customers' are.
"""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from sqlalchemy import func, insert, select

from app.store.chain import START, Link, digest
from app.store.tables import deployment_audit
from app.store.transaction import DeploymentTx

CHAIN: Final = 0x5EA7_0001
"""The number of the lock on PostgreSQL; migrations have another."""


def note(tx: DeploymentTx, action: str, object_id: UUID, *, actor: str, detail: dict[str, Any]) -> None:
    """An audit row: who did what to which object of the deployment."""
    last = _last(tx)
    row = {
        "id": tx.new_id(),
        "action": action,
        "actor": actor,
        "object_id": object_id,
        "detail": detail,
        "recorded_at": tx.wall,
        "position": last.position + 1,
    }
    values = {**row, "digest": digest(last.digest, said(row))}
    tx.connection.execute(insert(deployment_audit).values(values))


def said(row: dict[str, Any]) -> dict[str, Any]:
    """A row as a link of a chain: of no customer, and effective when it was recorded."""
    return {**row, "customer_id": None, "effective_at": row["recorded_at"]}


def _last(tx: DeploymentTx) -> Link:
    """The end of the chain. One comes after the other: SQLite writes so anyhow; on PostgreSQL each waits for
    a lock of the chain's own, since no row of it may be locked by who may change none.
    """
    columns = deployment_audit.c
    if tx.connection.dialect.name == "postgresql":
        tx.connection.execute(select(func.pg_advisory_xact_lock(CHAIN)))
    query = select(columns.position, columns.digest).order_by(columns.position.desc()).limit(1)
    found = tx.connection.execute(query).one_or_none()
    return Link(found.position, found.digest) if found else START
