"""The vendor's program: it calls the API over HTTP, and holds every answer against the OpenAPI document."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final, cast

import httpx

from app.assembly import parts_of
from app.documents.renderer import Renderer
from app.main import create_app
from app.services.api_keys import IssuedKey, issue_key
from app.settings import Settings
from app.store.transaction import Store
from tests.api.world import World
from tests.conftest import Clock
from tests.portal import SETTINGS

ANYWHERE: Final = {408, 413, 500, 503}
"""Statuses that any request may have, as the document says in words."""


@dataclass(slots=True)
class Caller:
    """An HTTP client with a key for everything, unless another is given."""

    world: World
    http: httpx.AsyncClient
    key: str
    document: dict[str, Any]
    seen: set[tuple[str, int]] = field(default_factory=set)

    async def call(
        self, method: str, path: str, body: Any = None, *, key: str | None = None, **headers: str
    ) -> httpx.Response:
        """The answer to a request, whatever it is; its status is one that the document has."""
        sent = {"Authorization": f"Bearer {key or self.key}"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        content: dict[str, Any] = {} if body is None else {"json": body}
        if isinstance(body, bytes):
            content = {"content": body}
            sent = {"Content-Type": "application/json", **sent}
        answer = await self.http.request(method, path, headers=sent, **content)
        self.note(method, path, answer)
        return answer

    async def get(self, path: str) -> Any:
        """The body of an answer of 200."""
        answer = await self.call("GET", path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def post(self, path: str, body: Any, status: int = 201, **headers: str) -> Any:
        """The body of an answer to POST."""
        answer = await self.call("POST", path, body, **headers)
        assert answer.status_code == status, answer.text
        return answer.json()

    async def put(self, path: str, body: Any, status: int = 200) -> Any:
        """The body of an answer to PUT."""
        answer = await self.call("PUT", path, body)
        assert answer.status_code == status, answer.text
        return answer.json()

    async def refused(self, method: str, path: str, body: Any, name: str, **headers: str) -> dict[str, Any]:
        """The problem that a request is answered by, which is of this type."""
        answer = await self.call(method, path, body, **headers)
        problem: dict[str, Any] = answer.json()
        assert problem["type"] == f"/problems/{name}", answer.text
        assert problem["status"] == answer.status_code
        assert answer.headers["content-type"] == "application/problem+json; charset=utf-8"
        return problem

    def note(self, method: str, path: str, answer: httpx.Response) -> None:
        """Hold the status against the document, and remember that it occurred."""
        operation = operation_of(self.document, method, path)
        if operation is None:
            return
        documented = {int(status) for status in operation["responses"]}
        assert answer.status_code in documented | ANYWHERE, (method, path, answer.text)
        self.seen.add((operation["operationId"], answer.status_code))

    async def new_key(self, *scopes: str) -> str:
        """Another key."""
        return await key_of(self.world.store, *scopes)


def operation_of(document: dict[str, Any], method: str, path: str) -> dict[str, Any] | None:
    """The operation of the document that a request is of."""
    for template, operations in document["paths"].items():
        pattern = re.sub(r"\\{[^/]+\\}", "[^/]+", re.escape(template))
        if re.fullmatch(pattern, path.partition("?")[0]) and method.lower() in operations:
            return dict(operations[method.lower()])
    return None


async def key_of(store: Store, *scopes: str) -> str:
    """A new key of these scopes."""
    issued = await store.deployment(issue_key, "tests", scopes)
    assert isinstance(issued, IssuedKey), issued
    return issued.token


@asynccontextmanager
async def calling(world: World, clock: Clock, settings: Settings = SETTINGS) -> AsyncIterator[Caller]:
    """The application on the store of a world, and a program that calls it."""
    renderer = Renderer()
    app = create_app(settings, parts_of(settings, world.store, renderer, clock=clock))
    transport = httpx.ASGITransport(app=cast("Any", app))
    try:
        async with httpx.AsyncClient(transport=transport, base_url=SETTINGS.public_url) as http:
            document = (await http.get("/schema/openapi.json")).json()
            yield Caller(world, http, await key_of(world.store, "all"), document)
    finally:
        await renderer.stop()
