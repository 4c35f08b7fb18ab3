"""The vendor's endpoints for webhooks: made, listed, given a new secret, disabled, enabled, removed; and one
message sent again. A secret is told when it is made, and never again.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from app.billing.permissions import Actor
from app.billing.refusals import InvalidInput, NotFound, Problem
from app.gateways.addresses import UrlWrong, target_of
from app.gateways.webhooks import secret_text
from app.services.webhook_secrets import Keyring
from app.store import operations, webhook_endpoints, webhooks
from app.store.tables.webhooks import DisabledBecause
from app.store.transaction import DeploymentTx, Tx
from app.store.webhook_endpoints import Endpoint, Secret
from app.store.webhooks import Delivery

ENDPOINTS_MAX: Final = 20
SECRETS_MAX: Final = 5
OVERLAP: Final = timedelta(hours=24)
ATTEMPTS_MAX: Final = 100


@dataclass(frozen=True, slots=True)
class NewEndpoint:
    """Where the vendor wants to be told, and of which types of news; of all if none is named."""

    url: str
    types: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EndpointAdded:
    """A new endpoint. The secret is told this once."""

    endpoint: Endpoint
    secret: str


@dataclass(frozen=True, slots=True)
class SecretRotated:
    """A new secret of an endpoint, told this once. Until `both_until` the one before signs as well."""

    secret: str
    both_until: datetime


@dataclass(frozen=True, slots=True)
class Signer:
    """Where to send to, and the keys to sign by, newest first."""

    url: str
    keys: tuple[bytes, ...]


def add_endpoint(
    tx: DeploymentTx,
    actor: Actor,
    keyring: Keyring,
    new: NewEndpoint,
    *,
    known: Collection[str],
    loopback: bool,
) -> EndpointAdded | InvalidInput:
    """Make an endpoint, which is told of what happens from now on.

    :param known: the types of news that there are
    :param loopback: whether this machine may be named, for demo and tests
    """
    problems = [
        Problem("types", f"There is no news of type {each!r}.") for each in new.types if each not in known
    ]
    try:
        target_of(new.url, loopback=loopback)
    except UrlWrong as wrong:
        problems.append(Problem("url", str(wrong)))
    if len(webhook_endpoints.every(tx)) >= ENDPOINTS_MAX:
        problems.append(Problem("", f"There are {ENDPOINTS_MAX} endpoints already. Remove one first."))
    if problems:
        return InvalidInput(tuple(problems))
    types = tuple(dict.fromkeys(new.types))
    endpoint = Endpoint(tx.new_id(), new.url, types, created_at=tx.wall)
    webhook_endpoints.add(tx, endpoint)
    _note(tx, actor, "added", endpoint.id, types=list(types))
    return EndpointAdded(endpoint, _new_secret(tx, keyring, endpoint.id))


def rotate_secret(
    tx: DeploymentTx, actor: Actor, keyring: Keyring, endpoint: UUID
) -> SecretRotated | NotFound | InvalidInput:
    """Give an endpoint a new secret. What is sent in the next 24 hours is signed with both."""
    if webhook_endpoints.get(tx, endpoint) is None:
        return _no_endpoint()
    if len(webhook_endpoints.secrets(tx, [endpoint])[endpoint]) >= SECRETS_MAX:
        return InvalidInput(
            (Problem("", "It was rotated too often in the last 24 hours. Wait until one ends."),)
        )
    until = tx.wall + OVERLAP
    webhook_endpoints.expire_secrets(tx, endpoint, until)
    _note(tx, actor, "rotated", endpoint)
    return SecretRotated(_new_secret(tx, keyring, endpoint), until)


def _new_secret(tx: DeploymentTx, keyring: Keyring, endpoint: UUID) -> str:
    id = tx.new_id()
    webhook_endpoints.add_secret(tx, Secret(id, endpoint, keyring.proof(id), created_at=tx.wall))
    return secret_text(keyring.key(id))


def endpoints(tx: DeploymentTx) -> list[Endpoint]:
    """All endpoints, oldest first."""
    return webhook_endpoints.every(tx)


def endpoint(tx: DeploymentTx, id: UUID) -> Endpoint | NotFound:
    """One endpoint."""
    return webhook_endpoints.get(tx, id) or _no_endpoint()


def signer(tx: DeploymentTx, keyring: Keyring, id: UUID) -> Signer | NotFound:
    """Where an endpoint is, and the keys that sign for it now."""
    found = webhook_endpoints.get(tx, id)
    secrets = webhook_endpoints.secrets(tx, [id])[id]
    return Signer(found.url, tuple(keyring.known(secrets))) if found else _no_endpoint()


def disable_endpoint(tx: DeploymentTx, actor: Actor, id: UUID) -> Endpoint | NotFound:
    """Send nothing there until it is enabled again. What waits stays, what happens meanwhile is not kept."""
    if webhook_endpoints.get(tx, id) is not None:
        webhook_endpoints.disable(tx, id, DisabledBecause.BY_VENDOR)
        _note(tx, actor, "disabled", id)
    return endpoint(tx, id)


def enable_endpoint(tx: DeploymentTx, actor: Actor, id: UUID) -> Endpoint | NotFound:
    """Send there again: what has waited, and what happens from now on."""
    if webhook_endpoints.get(tx, id) is not None:
        webhook_endpoints.enable(tx, id)
        _note(tx, actor, "enabled", id)
    return endpoint(tx, id)


def remove_endpoint(tx: DeploymentTx, actor: Actor, id: UUID) -> NotFound | None:
    """Send nothing there, and list it no more."""
    if webhook_endpoints.get(tx, id) is None:
        return _no_endpoint()
    webhook_endpoints.remove(tx, id)
    _note(tx, actor, "removed", id)
    return None


def replay(tx: Tx, endpoint: UUID, delivery: UUID) -> Delivery | NotFound | InvalidInput:
    """Send a message to an endpoint again, at once and by the whole schedule, under the id that it had."""
    found = webhooks.deliveries(tx, [delivery])
    if not found or found[0].endpoint != endpoint or webhook_endpoints.get(tx, endpoint) is None:
        return NotFound("delivery")
    if found[0].attempts >= ATTEMPTS_MAX:
        return InvalidInput((Problem("", f"It was tried {ATTEMPTS_MAX} times; it is not sent again."),))
    webhooks.again(tx, delivery)
    return webhooks.deliveries(tx, [delivery])[0]


def _note(tx: DeploymentTx, actor: Actor, what: str, endpoint: UUID, **detail: Any) -> None:
    operations.note(tx, f"webhook_endpoint.{what}", endpoint, actor=actor.name, detail=detail)


def _no_endpoint() -> NotFound:
    return NotFound("webhook endpoint")
