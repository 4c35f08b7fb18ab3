"""What tests of deliveries share: news that happen, endpoints to tell, and the deliveries to look at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from app.api.webhook_events import EVENTS
from app.billing.permissions import SYSTEM
from app.deliveries import Deliveries
from app.gateways.addresses import Guard
from app.gateways.webhooks import Answer, Letter, Outcome, Sender
from app.services.apply_catalog import apply_catalog
from app.services.register_customer import NewCustomer, register_customer
from app.services.webhook_secrets import Keyring
from app.services.webhooks import EndpointAdded, NewEndpoint, add_endpoint
from app.store import commits, system, webhook_endpoints, webhooks
from app.store.commits import Happened
from app.store.ids import new_id
from app.store.transaction import Store, Tx
from app.store.webhook_endpoints import Endpoint
from app.store.webhooks import Delivery
from tests.services.catalogs import declared

KEYRING = Keyring("a secret of the tests, as long as it has to be")
HERE = Guard(loopback=True)
OK = Answer(200, None, 3)


@dataclass(slots=True)
class Says:
    """A sender that sends nothing and answers what it is told to, the last answer for ever."""

    outcomes: list[Outcome]
    letters: list[Letter] = field(default_factory=list)

    async def send(self, letter: Letter) -> Outcome:
        self.letters.append(letter)
        return self.outcomes.pop(0) if len(self.outcomes) > 1 else self.outcomes[0]


def delivering(store: Store, sender: Sender, dice: float = 0.5) -> Deliveries:
    """Deliveries whose schedule is not stretched."""
    return Deliveries(store, sender, KEYRING, pause_seconds=0.05, dice=lambda: dice)


async def customers(store: Store, count: int = 1) -> list[UUID]:
    """Customers of a seller, called c0, c1 and so on."""
    await store.deployment(apply_catalog, declared())
    made = []
    for number in range(count):
        made.append(new_id(store.wall()))
        new = NewCustomer(f"c{number}", f"Customer {number}", "USD", "UTC")
        await store.run(made[-1], register_customer, SYSTEM, new)
    return made


def happen(tx: Tx, count: int = 1, object_id: UUID | None = None) -> None:
    """So many news of one invoice."""
    paid = Happened("invoice.paid", object_id or tx.customer, {"number": "INV-000001"})
    commits.publish(tx, *[paid] * count)


async def endpoint(
    store: Store, url: str = "http://127.0.0.1:1/", types: Sequence[str] = ()
) -> EndpointAdded:
    """An endpoint that is told of these types, or of all."""
    new = NewEndpoint(url, tuple(types))
    added = await store.deployment(add_endpoint, SYSTEM, KEYRING, new, known=EVENTS, loopback=True)
    assert isinstance(added, EndpointAdded), added
    return added


async def shown(store: Store, id: UUID) -> Endpoint:
    """An endpoint as it is now."""
    found = await store.deployment(webhook_endpoints.get, id)
    assert found is not None
    return found


async def deliveries(store: Store, endpoint_id: UUID) -> list[Delivery]:
    """All that is delivered to an endpoint, in the order of its making."""
    found = await store.system(system.deliveries_to, endpoint_id, status=None, before=None, limit=10_000)
    listed: list[Delivery] = []
    for owner in dict.fromkeys(each.customer for each in found):
        async with store.reads(owner) as scope:
            ids = [each.id for each in found if each.customer == owner]
            listed += await scope.run(webhooks.deliveries, ids)
    return sorted(listed, key=lambda each: each.id)


async def delivery(store: Store, endpoint_id: UUID) -> Delivery:
    """The only one."""
    (found,) = await deliveries(store, endpoint_id)
    return found
