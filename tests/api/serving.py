"""The small world behind the whole application, asked over HTTP."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any, cast
from uuid import UUID

import httpx

from app.api.auth import new_token
from app.assembly import parts_of
from app.billing.permissions import SYSTEM, Role
from app.documents.renderer import Renderer
from app.main import create_app
from app.services.open_portal import PortalVisit, open_portal
from app.store.customers import Member
from tests.api.world import World
from tests.portal import SESSION, SETTINGS


@dataclass(frozen=True, slots=True)
class Door:
    """A client of the application, with a token of a member."""

    http: httpx.AsyncClient
    token: str

    async def ask(self, query: str, variables: Any = None, **more: Any) -> httpx.Response:
        """The answer to an operation, whatever it is."""
        return await self.send({"query": query, "variables": variables or {}, **more})

    async def send(self, body: object, **headers: str) -> httpx.Response:
        """The answer to a body of JSON."""
        always = {"Authorization": f"Bearer {self.token}"}
        return await self.http.post("/graphql", json=body, headers={**always, **headers})


@asynccontextmanager
async def door_of(
    world: World, *, role: Role = Role.OWNER, customer: UUID | None = None, **settings: Any
) -> AsyncIterator[Door]:
    """The application over a world, with settings of its own, for a member of acme unless told otherwise."""
    token, token_hash = new_token()
    visit = PortalVisit(f"ada-{role}", role, token_hash.hex(), "Ada", lifetime=SESSION)
    assert isinstance(await world.store.run(customer or world.acme, open_portal, SYSTEM, visit), Member)
    told, renderer = replace(SETTINGS, **settings), Renderer()
    app = create_app(told, parts_of(told, world.store, renderer, clock=world.clock))
    transport = httpx.ASGITransport(app=cast("Any", app), raise_app_exceptions=False)
    try:
        async with httpx.AsyncClient(transport=transport, base_url=SETTINGS.public_url) as http:
            yield Door(http, token)
    finally:
        await renderer.stop()
