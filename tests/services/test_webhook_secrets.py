"""Secrets of webhooks: made anew each time from the deployment's, and kept nowhere."""

import base64

from sqlalchemy import text

from app.billing.permissions import SYSTEM
from app.services.webhook_secrets import Keyring
from app.services.webhooks import rotate_secret
from app.store.ids import new_id
from app.store.transaction import DeploymentTx, Store
from app.store.webhook_endpoints import Secret
from tests.conftest import Clock
from tests.gateways.posting import KEYRING, endpoint


def test_each_secret_has_a_key_of_its_own(clock: Clock) -> None:
    """32 bytes that are the same each time, other for another id, and other in another deployment."""
    one, two = new_id(clock()), new_id(clock())
    other = Keyring("another deployment's secret, which is long enough")

    assert KEYRING.key(one) == KEYRING.key(one)
    assert len({KEYRING.key(one), KEYRING.key(two), other.key(one)}) == 3
    assert len(KEYRING.key(one)) == 32


def test_keys_of_another_deployment_are_not_used(clock: Clock) -> None:
    """A proof tells whose secret it was; the proof is not a part of the key."""
    ids = [new_id(clock()), new_id(clock())]
    other = Keyring("another deployment's secret, which is long enough")
    mine, strange = (
        Secret(id, ids[0], ring.proof(id), clock()) for id, ring in zip(ids, (KEYRING, other), strict=True)
    )

    assert KEYRING.known([strange, mine]) == [KEYRING.key(mine.id)]
    assert mine.proof not in KEYRING.key(mine.id).hex()


async def test_the_database_holds_no_secret(store: Store) -> None:
    """Neither of the two of an endpoint, in any form: a copy of the database signs nothing."""
    added = await endpoint(store, "https://hooks.example.com/")
    rotated = await store.deployment(rotate_secret, SYSTEM, KEYRING, added.endpoint.id)

    def rows(tx: DeploymentTx) -> str:
        tables = ("webhook_endpoint", "webhook_secret")
        return str([tx.connection.execute(text(f"SELECT * FROM {table}")).all() for table in tables])

    kept = await store.deployment(rows)
    for secret in (added.secret, rotated.secret):  # type: ignore[union-attr]
        key = base64.b64decode(secret.removeprefix("whsec_"))
        assert secret not in kept
        assert key.hex() not in kept
        assert str(key) not in kept
