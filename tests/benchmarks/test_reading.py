"""What GraphQL costs on top of the SQL below it, and what keeping parsed documents saves."""

from typing import Final

from app.api.operations import Refused
from app.billing.permissions import Actor, ActorKind, Role
from app.store import system
from tests.benchmarks.deployment import Deployment, Example, deployed, examples
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
