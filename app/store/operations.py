"""What was done to the deployment itself, which is nobody's: keys, catalog, endpoints. Its audit is one
chain, whose links are made as those of customers' are.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import insert, select

from app.store.chain import START, Link, digest
from app.store.tables import deployment_audit
from app.store.transaction import DeploymentTx


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
    """The end of the chain. Its first row is locked, so that one comes after the other."""
    columns = deployment_audit.c
    tx.connection.execute(select(columns.id).where(columns.position == 1).with_for_update())
    query = select(columns.position, columns.digest).order_by(columns.position.desc()).limit(1)
    found = tx.connection.execute(query).one_or_none()
    return Link(found.position, found.digest) if found else START
