"""The whole application in this process, over a database in which the demo was lived."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final, cast
from uuid import uuid4

import httpx

from app.api.auth import Holder
from app.api.context import Contexts
from app.api.links import DocumentLinks
from app.api.operations import Operations
from app.assembly import parts_of
from app.clock import wall_clock
from app.demo_explorer import SHOWN, DemoExplorer
from app.documents.renderer import Renderer
from app.main import create_app
from app.services.demo import past
from app.services.demo.stage import MovedClock
from app.services.quotes import QuoteSigner
from app.settings import Mode, Settings
from app.store.engine import open_store
from app.store.transaction import Store
from tests.proofs.serving import SECRET

ADDRESS: Final = "http://127.0.0.1"


@dataclass(slots=True)
class Deployment:
    """A store, the application over it, and a client whose requests never leave the process; contexts and
    operations for what goes without HTTP.
    """

    store: Store
    contexts: Contexts
    operations: Operations
    client: httpx.AsyncClient
    holder: Holder

    async def ask(self, text: str, variables: dict[str, Any], headers: dict[str, str]) -> dict[str, Any]:
        """The data of an answer, from the request's bytes to the answer's."""
        body = {"query": text, "variables": variables}
        answer = await self.client.post("/graphql", json=body, headers=headers)
        found: dict[str, Any] = answer.json()
        assert "errors" not in found, found
        data: dict[str, Any] = found["data"]
        return data


@dataclass(frozen=True, slots=True)
class Example:
    """A stored operation with variables that are valid for acme."""

    name: str
    text: str
    variables: dict[str, Any]
    headers: dict[str, str]

    async def run(self, deployment: Deployment) -> dict[str, Any]:
        """Ask for it. A change is a new one each time, of one seat more."""
        variables = self.variables
        if self.name == "changePlan":
            wanted = {"subscriptionId": variables["input"]["subscriptionId"], "idempotencyKey": str(uuid4())}
            seats = [{"metric": "editor", "quantity": {"add": 1}}]
            variables = {"input": {**wanted, "seats": seats}}
        return await deployment.ask(self.text, variables, self.headers)


async def live(url: str) -> None:
    """Live the demo's past."""
    clock = MovedClock(wall_clock())
    store = open_store(url, clock=clock)
    await past.live(store, clock, clock.now)
    await store.close()


@asynccontextmanager
async def deployed(url: str) -> AsyncIterator[Deployment]:
    """The application, as long as it is needed, with no worker in the background."""
    settings = Settings(
        mode=Mode.TEST, database_url=url, secret=SECRET, public_url=ADDRESS, port=80, explorer=False
    )
    store, renderer = open_store(url, clock=wall_clock), Renderer()
    parts = parts_of(settings, store, renderer, clock=wall_clock)
    transport = httpx.ASGITransport(cast("Any", create_app(settings, parts)))
    async with httpx.AsyncClient(transport=transport, base_url=ADDRESS) as client:
        contexts = Contexts(store, QuoteSigner(SECRET.encode()), DocumentLinks(ADDRESS, SECRET))
        yield Deployment(store, contexts, Operations(parts.schema), client, parts.who)
    await renderer.stop()
    await store.close()


async def examples(store: Store) -> list[Example]:
    """Every stored operation as the explorer shows it."""
    signer = QuoteSigner(SECRET.encode())
    config = await DemoExplorer(store, signer, demo=True).config()
    account = config.accounts[0]
    headers = {"Authorization": f"Bearer {account.token}"}
    operations = {shown.title: shown.operation for shown in SHOWN}
    return [
        Example(
            operations[tab.title],
            tab.query,
            json.loads(account.variables.get(tab.title, tab.variables)),
            headers,
        )
        for tab in config.tabs
    ]
