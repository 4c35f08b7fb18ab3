"""What a preview and a change cost on top of the rows that a change writes."""

from collections.abc import Iterator
from itertools import count
from uuid import uuid4

from app.clock import wall_clock
from tests.benchmarks.copies import Writes
from tests.benchmarks.deployment import Deployment, deployed
from tests.benchmarks.measuring import Way, engine_of, recorded, replay, side_by_side, tell
from tests.proofs.serving import CHANGE, PREVIEW, Tenant, settled

TIMES = 4


async def writes_of_a_change(deployment: Deployment, tenant: Tenant) -> Writes:
    """What one change of a seat inserts and updates."""
    began_ms = int(wall_clock().timestamp() * 1000)
    with recorded(deployment.store) as statements:
        await make_a_change(deployment, tenant)
    writes = Writes.of(statements, began_ms)
    assert len(writes.statements) > 10, "events, lines, a document, and what goes with every commit"
    return writes


async def make_a_change(deployment: Deployment, tenant: Tenant) -> None:
    """One seat more, under a key of its own."""
    variables = {"input": tenant.change(str(uuid4()))}
    fact = await deployment.ask(CHANGE, variables, tenant.headers)
    assert fact["changePlan"]["__typename"] == "PlanChanged", fact


async def preview_a_change(deployment: Deployment, tenant: Tenant) -> None:
    """What one seat more would cost, in every mode."""
    wanted = tenant.change("")
    del wanted["idempotencyKey"]
    quote = await deployment.ask(PREVIEW, {"input": wanted}, tenant.headers)
    assert quote["previewChangePlan"]["__typename"] == "ChangeQuote", quote


async def test_changes_against_their_rows(demo_url: str) -> None:
    """A preview in every mode and a change through the application, against the same rows inserted by SQL
    alone: the same statements with names of their own, in one transaction.
    """
    changing, copied = await settled(demo_url, "bench-changing", "bench-copied")
    async with deployed(demo_url) as deployment:
        await make_a_change(deployment, copied)
        writes = await writes_of_a_change(deployment, copied)
        numbers: Iterator[int] = count(1)
        copies = iter([writes.copy(next(numbers)) for _ in range(TIMES * 10)])
        ways: dict[str, Way] = {
            f"the same rows, {len(writes.statements)} statements": lambda: replay(
                deployment.store.writer, next(copies)
            ),
            "a change through the application": lambda: make_a_change(deployment, changing),
            "a preview through the application": lambda: preview_a_change(deployment, changing),
        }
        tell(f"changes, {engine_of(demo_url)}", await side_by_side(ways, times=TIMES))
