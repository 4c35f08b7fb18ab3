"""What GraphQL costs on top of the SQL below it, and what keeping parsed documents saves."""

import time
from collections.abc import AsyncGenerator
from typing import Any, Final, cast

import httpx
import pytest
from litestar import Litestar, Request
from strawberry.litestar import BaseContext, make_graphql_controller

from app.api.auth import hash_token
from app.api.context import RequestContext
from app.api.operations import Document, Documents, Refused
from app.api.registry import document_id
from app.api.schema import schema
from app.billing.permissions import Actor, ActorKind, Role
from app.store import system
from tests.api.hostile import DOCUMENTS
from tests.benchmarks.deployment import ADDRESS, Deployment, Example, deployed, examples
from tests.benchmarks.measuring import Way, engine_of, recorded, replay, side_by_side, tell, write

NOTHING_THERE: Final = {"cancelScheduledChange"}


async def overview(deployment: Deployment) -> Example:
    """The stored operation that paints the billing page."""
    return next(e for e in await examples(deployment.store) if e.name == "overview")


async def test_the_overview_against_its_sql(demo_url: str) -> None:
    """The stored operation `overview` through the application, and the statements that it gives to the driver
    without the application around them.
    """
    async with deployed(demo_url) as deployment:
        page = await overview(deployment)
        await page.run(deployment)
        with recorded(deployment.store) as statements:
            data = await page.run(deployment)
        assert data["customer"]["invoices"]["edges"]
        ways: dict[str, Way] = {
            f"the same SQL, {len(statements)} statements": lambda: replay(
                deployment.store.reader, statements
            ),
            "overview through the application": lambda: page.run(deployment),
        }
        tell(f"overview, {engine_of(demo_url)}", await side_by_side(ways, times=10))


async def test_the_document_cache(demo_url: str) -> None:
    """The same operation by the schema alone: parsed and validated once, or for each request."""
    async with deployed(demo_url) as deployment:
        page, operations = await overview(deployment), deployment.operations
        found = await deployment.store.system(system.customer_called, "acme")
        assert found is not None
        actor = Actor(ActorKind.MEMBER, "Ada", found.customer, found.customer, Role.OWNER, None)

        async def run() -> None:
            ready = operations.ready(page.text, None)
            assert not isinstance(ready, Refused), ready
            async with deployment.contexts.open(actor) as context:
                result = await operations.run(ready, page.variables, context)
            assert result.errors is None, result.errors

        async def run_afresh() -> None:
            operations.documents._kept.clear()
            await run()

        ways: dict[str, Way] = {"documents kept": run, "parsed and validated for each": run_afresh}
        tell(f"document cache, {engine_of(demo_url)}", await side_by_side(ways, times=10))


class Shared(BaseContext, kw_only=True):
    """The context of a request in the form that the library's controller takes."""

    inner: RequestContext

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


def stock(deployment: Deployment) -> httpx.AsyncClient:
    """A client of the same schema, store and sign-in behind the library's own controller, as it comes."""

    async def shared(request: Request[Any, Any, Any]) -> AsyncGenerator[Shared, None]:
        token = request.headers["authorization"].removeprefix("Bearer ")
        actor = await deployment.holder(hash_token(token))
        assert actor is not None
        async with deployment.contexts.open(actor) as inner:
            yield Shared(inner=inner)

    controller = make_graphql_controller(schema, path="/graphql", context_getter=shared)
    app = Litestar([controller], openapi_config=None, logging_config=None)
    return httpx.AsyncClient(transport=httpx.ASGITransport(cast("Any", app)), base_url=ADDRESS)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Of the library's controller.
async def test_cpu_against_the_stock_controller(demo_url: str) -> None:
    """CPU of a request for the stored overview: as it is served, by its id; by the library's controller,
    which parses and validates each time; its SQL alone; and a request that does nothing, for what the client
    in this process takes itself.
    """
    async with deployed(demo_url) as deployment, stock(deployment) as client:
        page = await overview(deployment)
        by_id = {"documentId": document_id(page.text), "variables": page.variables}
        by_text = {"query": page.text, "variables": page.variables}
        answers: list[httpx.Response] = []

        async def ask(http: httpx.AsyncClient, body: dict[str, Any]) -> None:
            answers[:] = [await http.post("/graphql", json=body, headers=page.headers)]

        with recorded(deployment.store) as statements:
            await ask(deployment.client, by_id)
        ours = answers[0].json()
        await ask(client, by_text)
        assert "errors" not in ours
        assert answers[0].json()["data"]["viewer"] == ours["data"]["viewer"]
        sql, reader = f"the same SQL, {len(statements)} statements", deployment.store.reader
        ways: dict[str, Way] = {
            sql: lambda: replay(reader, statements),
            "the overview by its id": lambda: ask(deployment.client, by_id),
            "by the library's controller": lambda: ask(client, by_text),
            "a request for nothing": lambda: deployment.client.get("/healthz"),
        }
        taken = await side_by_side(ways, times=10, clock=time.process_time)
        tell(f"CPU of a request, {engine_of(demo_url)}", taken)
        assert taken["the overview by its id"] < taken["by the library's controller"]


async def test_hostile_documents() -> None:
    """Milliseconds until a document of 1,800 tokens that wants much work is refused, or found to be harmless;
    all of them are asked of an empty cache.
    """
    write("\nhostile documents of 1,800 tokens")
    for name, text in DOCUMENTS.items():
        sent = text(1_800)

        async def judged(sent: str = sent) -> Document | Refused:
            return Documents(schema._schema).document(sent)

        found = await judged()
        taken = await side_by_side({"": judged}, times=3, rounds=3, clock=time.process_time)
        write(f"  {name:<36} {taken['']:8.2f} ms {'refused' if isinstance(found, Refused) else 'runs'}")


async def test_statements_of_every_operation(demo_url: str) -> None:
    """How many statements each stored operation takes, sign-in included, and how long."""
    async with deployed(demo_url) as deployment:
        write(f"\nstored operations, {engine_of(demo_url)}")
        for example in await examples(deployment.store):
            if example.name not in NOTHING_THERE:
                write(f"  {example.name:<20} {await cost_of(deployment, example)}")


async def cost_of(deployment: Deployment, example: Example) -> str:
    """Statements and milliseconds of an operation."""
    await example.run(deployment)
    with recorded(deployment.store) as statements:
        await example.run(deployment)

    async def again() -> None:
        await example.run(deployment)

    taken = await side_by_side({"": again}, times=3, rounds=3)
    return f"{len(statements):4} statements {taken['']:8.2f} ms"
