"""What is done to the deployment leaves a row in its audit: keys, catalog, endpoints for webhooks."""

from __future__ import annotations

import inspect
import pkgutil
from collections.abc import Callable
from importlib import import_module
from typing import Any, Final
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.engine import Row

import app.services
from app.billing.permissions import Actor, ActorKind
from app.services.api_keys import IssuedKey, issue_key, revoke_key
from app.services.apply_catalog import apply_catalog
from app.services.webhooks import (
    EndpointAdded,
    NewEndpoint,
    add_endpoint,
    disable_endpoint,
    enable_endpoint,
    remove_endpoint,
    rotate_secret,
)
from app.store.tables import deployment_audit
from app.store.transaction import DeploymentTx, Store
from tests.gateways.posting import KEYRING
from tests.services.catalogs import declared

WHO: Final = Actor(ActorKind.API_KEY, "warehouse")


def issued(tx: DeploymentTx) -> UUID:
    done = issue_key(tx, "a key", ["all"])
    assert isinstance(done, IssuedKey)
    return done.key.id


def added(tx: DeploymentTx) -> UUID:
    done = add_endpoint(tx, WHO, KEYRING, NewEndpoint("http://127.0.0.1:1/"), known=(), loopback=True)
    assert isinstance(done, EndpointAdded)
    return done.endpoint.id


OF_DEPLOYMENT: Final[dict[str, tuple[Callable[[DeploymentTx], object], str]]] = {
    "apply_catalog": (lambda tx: apply_catalog(tx, declared()), "catalog.applied by operator"),
    "issue_key": (issued, "api_key.issued by operator"),
    "revoke_key": (lambda tx: revoke_key(tx, issued(tx)), "api_key.revoked by operator"),
    "add_endpoint": (added, "webhook_endpoint.added by warehouse"),
    "rotate_secret": (
        lambda tx: rotate_secret(tx, WHO, KEYRING, added(tx)), "webhook_endpoint.rotated by warehouse",
    ),
    "disable_endpoint": (
        lambda tx: disable_endpoint(tx, WHO, added(tx)), "webhook_endpoint.disabled by warehouse",
    ),
    "enable_endpoint": (
        lambda tx: enable_endpoint(tx, WHO, added(tx)), "webhook_endpoint.enabled by warehouse",
    ),
    "remove_endpoint": (
        lambda tx: remove_endpoint(tx, WHO, added(tx)), "webhook_endpoint.removed by warehouse",
    ),
}  # fmt: skip
"""One deed of each verb that is nobody's, and what the audit says of it."""
NO_DEEDS: Final = {"endpoint", "endpoints", "signer", "begin", "finish"}
"""The first three read; the others are steps of a delivery, which has a log of its own."""


def test_every_verb_of_the_deployment_has_a_scene() -> None:
    """They are those that take a transaction of the deployment first."""
    found = set()
    for module in pkgutil.iter_modules(app.services.__path__, "app.services."):
        for name, value in vars(import_module(module.name)).items():
            if not inspect.isfunction(value) or value.__module__ != module.name or name.startswith("_"):
                continue
            parameters = list(inspect.signature(value).parameters.values())
            if [(p.name, p.annotation) for p in parameters[:1]] == [("tx", "DeploymentTx")]:
                found.add(name)
    assert found - NO_DEEDS == OF_DEPLOYMENT.keys()


@pytest.mark.parametrize("name", OF_DEPLOYMENT)
async def test_every_verb_of_the_deployment_is_in_its_audit(store: Store, name: str) -> None:
    """The last row says who did it; all rows are one chain."""
    deed, expected = OF_DEPLOYMENT[name]
    await store.deployment(deed)

    rows = await store.deployment(operations_noted)

    assert f"{rows[-1].action} by {rows[-1].actor}" == expected
    assert [row.position for row in rows] == list(range(1, len(rows) + 1))


def operations_noted(tx: DeploymentTx) -> list[Row[Any]]:
    query = select(deployment_audit).order_by(deployment_audit.c.position)
    return list(tx.connection.execute(query))
