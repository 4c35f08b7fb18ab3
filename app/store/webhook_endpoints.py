"""The vendor's endpoints: where it is told what happened, and by which secrets what is sent is signed."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, insert, or_, select, update
from sqlalchemy.engine import Row

from app.store.tables import webhook_endpoint, webhook_secret
from app.store.tables.webhooks import DisabledBecause
from app.store.transaction import DeploymentTx


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where the vendor is told of some types of news, or of all if `types` is empty.

    :ivar disabled_because: why nothing is sent there any more, since `disabled_at`
    :ivar held_until: it asked to be left alone until then
    :ivar failing_since: since when every try failed
    """

    id: UUID
    url: str
    types: tuple[str, ...]
    created_at: datetime
    disabled_because: DisabledBecause | None = None
    disabled_at: datetime | None = None
    held_until: datetime | None = None
    failing_since: datetime | None = None

    def wants(self, news: str) -> bool:
        """Whether it is told of this type of news."""
        return not self.types or news in self.types

    def takes(self, at: datetime) -> bool:
        """Whether anything may be sent to it at an instant."""
        return self.disabled_because is None and (self.held_until is None or self.held_until <= at)


@dataclass(frozen=True, slots=True)
class Secret:
    """That an endpoint has a secret, and until when it signs; `proof` tells whether it is still known."""

    id: UUID
    endpoint: UUID
    proof: str
    created_at: datetime
    expires_at: datetime | None = None


def add(tx: DeploymentTx, endpoint: Endpoint) -> None:
    """Record a new endpoint."""
    tx.connection.execute(
        insert(webhook_endpoint).values(
            id=endpoint.id,
            url=endpoint.url,
            types=list(endpoint.types),
            created_at=endpoint.created_at,
        )
    )


def every(tx: DeploymentTx) -> list[Endpoint]:
    """All endpoints that were not removed, oldest first."""
    query = select(webhook_endpoint).where(webhook_endpoint.c.removed_at.is_(None))
    return [_endpoint(row) for row in tx.connection.execute(query.order_by(webhook_endpoint.c.id))]


def get(tx: DeploymentTx, id: UUID) -> Endpoint | None:
    """An endpoint; None for one that is not there, or was removed."""
    query = select(webhook_endpoint).where(_is(id))
    row = tx.connection.execute(query).one_or_none()
    return _endpoint(row) if row else None


def remove(tx: DeploymentTx, id: UUID) -> None:
    """Take an endpoint off the list; what was sent to it stays on record."""
    tx.connection.execute(update(webhook_endpoint).where(_is(id)).values(removed_at=tx.wall))


def disable(tx: DeploymentTx, id: UUID, why: DisabledBecause) -> None:
    """Send nothing there from now on. If it was disabled before, that reason stays."""
    running = update(webhook_endpoint).where(_is(id), webhook_endpoint.c.disabled_at.is_(None))
    tx.connection.execute(running.values(disabled_at=tx.wall, disabled_because=why))


def enable(tx: DeploymentTx, id: UUID) -> None:
    """Send there again, at once, what waits and what happens from now on."""
    fresh = dict.fromkeys(("disabled_at", "disabled_because", "held_until", "failing_since"))
    tx.connection.execute(update(webhook_endpoint).where(_is(id)).values(**fresh))


def hold(tx: DeploymentTx, id: UUID, until: datetime) -> None:
    """Leave it alone until then, or for longer if that was said before."""
    held = webhook_endpoint.c.held_until
    later = or_(held.is_(None), held < until)
    tx.connection.execute(update(webhook_endpoint).where(_is(id), later).values(held_until=until))


def note_failure(tx: DeploymentTx, endpoint: Endpoint) -> None:
    """Note since when every try has failed."""
    if endpoint.failing_since is None:
        failing = update(webhook_endpoint).where(_is(endpoint.id)).values(failing_since=tx.wall)
        tx.connection.execute(failing)


def note_success(tx: DeploymentTx, endpoint: Endpoint) -> None:
    """Note that it takes what is sent."""
    if endpoint.failing_since is not None:
        well = update(webhook_endpoint).where(_is(endpoint.id)).values(failing_since=None)
        tx.connection.execute(well)


def add_secret(tx: DeploymentTx, secret: Secret) -> None:
    """Record that an endpoint has one more secret."""
    tx.connection.execute(
        insert(webhook_secret).values(
            id=secret.id, endpoint_id=secret.endpoint, proof=secret.proof, created_at=secret.created_at
        )
    )


def expire_secrets(tx: DeploymentTx, endpoint: UUID, at: datetime) -> None:
    """Let the secrets of an endpoint that have no end yet sign until an instant."""
    of_it = (webhook_secret.c.endpoint_id == endpoint, webhook_secret.c.expires_at.is_(None))
    tx.connection.execute(update(webhook_secret).where(*of_it).values(expires_at=at))


def secrets(tx: DeploymentTx, endpoints: Collection[UUID]) -> dict[UUID, list[Secret]]:
    """The secrets that sign now for each of these endpoints, newest first."""
    found: dict[UUID, list[Secret]] = {endpoint: [] for endpoint in endpoints}
    query = select(webhook_secret).where(
        webhook_secret.c.endpoint_id.in_(endpoints),
        or_(webhook_secret.c.expires_at.is_(None), webhook_secret.c.expires_at > tx.wall),
    )
    for row in tx.connection.execute(query.order_by(webhook_secret.c.id.desc())):
        found[row.endpoint_id].append(
            Secret(row.id, row.endpoint_id, row.proof, row.created_at, row.expires_at)
        )
    return found


def is_open(at: datetime) -> ColumnElement[bool]:
    """SQL: something may be sent to an endpoint at an instant."""
    table = webhook_endpoint.c
    held = or_(table.held_until.is_(None), table.held_until <= at)
    return table.removed_at.is_(None) & table.disabled_at.is_(None) & held


def _is(id: UUID) -> ColumnElement[bool]:
    return (webhook_endpoint.c.id == id) & webhook_endpoint.c.removed_at.is_(None)


def _endpoint(row: Row[Any]) -> Endpoint:
    return Endpoint(
        id=row.id,
        url=row.url,
        types=tuple(row.types),
        created_at=row.created_at,
        disabled_because=row.disabled_because,
        disabled_at=row.disabled_at,
        held_until=row.held_until,
        failing_since=row.failing_since,
    )
