"""API keys: what each may be used for, and the hash by which it is found. They belong to the deployment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select, update
from sqlalchemy.engine import Row

from app.store.tables import api_key
from app.store.transaction import DeploymentTx


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key without its token, which nobody keeps. `scopes` are as they were given."""

    id: UUID
    name: str
    scopes: tuple[str, ...]
    created_at: datetime
    revoked_at: datetime | None = None


def add(tx: DeploymentTx, key: ApiKey, token_hash: str) -> None:
    """Record a new key by the hash of its token."""
    tx.connection.execute(
        insert(api_key).values(
            id=key.id,
            token_hash=token_hash,
            name=key.name,
            scopes=list(key.scopes),
            created_at=key.created_at,
        )
    )


def revoke(tx: DeploymentTx, key: UUID) -> bool:
    """Note that a key opens nothing any more, and keep since when; False if there is no such key."""
    this = api_key.c.id == key
    open_ = update(api_key).where(this, api_key.c.revoked_at.is_(None)).values(revoked_at=tx.wall)
    tx.connection.execute(open_)
    return tx.connection.execute(select(api_key.c.id).where(this)).first() is not None


def every(tx: DeploymentTx) -> list[ApiKey]:
    """All keys, oldest first."""
    return [_key(row) for row in tx.connection.execute(select(api_key).order_by(api_key.c.id))]


def _key(row: Row[Any]) -> ApiKey:
    return ApiKey(row.id, row.name, tuple(row.scopes), row.created_at, row.revoked_at)
