"""The whole application in this process, asked over HTTP.

All of it is real: the store of the test, the services, the schema, the endpoint. Requests come in by ASGI,
with bearer tokens that were opened as the vendor opens them; only the clock is the test's.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, cast
from uuid import UUID

import httpx

from app.api.auth import new_token
from app.assembly import parts_of
from app.billing.permissions import Actor, ActorKind, Role
from app.documents.renderer import Renderer
from app.main import create_app
from app.services.apply_catalog import apply_catalog
from app.services.catalog_file import Declared, parse_catalog
from app.services.open_portal import PortalVisit, open_portal
from app.services.register_customer import NewCustomer, register_customer
from app.services.start_subscription import StartSubscription, SubscriptionStarted, start_subscription
from app.settings import Mode, Settings
from app.store.customers import Customer, Member
from app.store.ids import new_id
from app.store.transaction import Store
from tests.conftest import Clock

SETTINGS: Final = Settings(
    mode=Mode.TEST,
    database_url="sqlite+aiosqlite:////the/test/has/a/store/of/its/own",
    secret="a secret of the tests, as long as it has to be",
    public_url="https://billing.example",
    port=8000,
    explorer=False,
)
VENDOR: Final = Actor(ActorKind.API_KEY, "Northwind's own back end")
SESSION: Final = timedelta(days=3650)


@dataclass(frozen=True, slots=True)
class Portal:
    """The application with the store behind it, for what has no field in the schema."""

    store: Store
    clock: Clock
    http: httpx.AsyncClient
    renderer: Renderer

    async def offer(self, catalog: str) -> None:
        """Put a catalog on offer, given as the text of its file."""
        declared = parse_catalog(catalog)
        assert isinstance(declared, Declared), declared
        await self.store.deployment(apply_catalog, declared)

    async def register(self, new: NewCustomer) -> UUID:
        """A customer, registered now."""
        customer = new_id(self.clock())
        registered = await self.store.run(customer, register_customer, VENDOR, new)
        assert isinstance(registered, Customer), registered
        return customer

    async def start(self, customer: UUID, request: StartSubscription) -> UUID:
        """A subscription, started now."""
        started = await self.store.run(customer, start_subscription, VENDOR, request)
        assert isinstance(started, SubscriptionStarted), started
        return started.subscription

    async def start_refused(self, customer: UUID, request: StartSubscription) -> str:
        """Why a subscription cannot be started now."""
        refused = await self.store.run(customer, start_subscription, VENDOR, request)
        assert not isinstance(refused, SubscriptionStarted), refused
        return refused.message

    async def let_in(self, customer: UUID, role: Role = Role.OWNER, person: str = "ada") -> str:
        """The bearer token of a member."""
        token, token_hash = new_token()
        visit = PortalVisit(person, role, token_hash.hex(), person.title(), lifetime=SESSION)
        assert isinstance(await self.store.run(customer, open_portal, VENDOR, visit), Member)
        return token

    async def post(self, token: str, query: str, **variables: Any) -> httpx.Response:
        """The answer to an operation, whatever it is."""
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        return await self.http.post(
            "/graphql", json={"query": query, "variables": variables}, headers=headers
        )

    async def ask(self, token: str, query: str, **variables: Any) -> dict[str, Any]:
        """The data of an answer without errors."""
        answer = await self.post(token, query, **variables)
        body: dict[str, Any] = answer.json()
        assert answer.status_code == 200, body
        assert "errors" not in body, body["errors"]
        data: dict[str, Any] = body["data"]
        return data


@asynccontextmanager
async def serving(store: Store, clock: Clock, settings: Settings = SETTINGS) -> AsyncIterator[Portal]:
    """The application on a store and its clock. The renderer starts with the first document."""
    renderer = Renderer()
    app = create_app(settings, parts_of(settings, store, renderer, clock=clock))
    transport = httpx.ASGITransport(app=cast("Any", app))  # Each spells the types of ASGI in its own way.
    try:
        async with httpx.AsyncClient(transport=transport, base_url=SETTINGS.public_url) as http:
            yield Portal(store, clock, http, renderer)
    finally:
        await renderer.stop()
