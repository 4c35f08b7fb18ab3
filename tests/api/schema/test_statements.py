"""How many statements a stored operation costs: a number that does not grow with the rows it finds."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event

from app.billing.plans import ProrationMode
from app.billing.requests import SeatQuantity
from tests.api.schema.asking import OPERATIONS, operation, seats
from tests.api.world import World, change, correct, sit_down

SIZES = (1, 20, 100)
PAGED = {"seatEvents", "seatHolders", "invoices", "creditNotes"}

pytestmark = pytest.mark.parametrize("engine_name", ["sqlite"])


@contextmanager
def counted(world: World) -> Iterator[list[str]]:
    """The statements that both engines are given meanwhile."""
    statements: list[str] = []

    def note(_conn: Any, _cursor: Any, statement: str, *_: Any) -> None:
        statements.append(statement)

    engines = (world.store.reader.sync_engine, world.store.writer.sync_engine)
    for engine in engines:
        event.listen(engine, "before_cursor_execute", note)
    yield statements
    for engine in engines:
        event.remove(engine, "before_cursor_execute", note)


async def grow(world: World, size: int, *, since: int) -> None:
    """Make it so many people, invoices, credit notes, and lines on one invoice; at last a line that waits,
    somebody who sits down, and a correction.
    """
    store, acme, subscription = world.store, world.acme, world.subscription
    removed = SeatQuantity("editor", remove=1)
    for i in range(since, size):
        await sit_down(store, acme, f"more-{i}")
        await one_more(world, f"added {i}", ProrationMode.PRORATED_IMMEDIATELY)
        await change(store, acme, subscription, f"removed {i}", removed)
        await one_more(world, f"collected {i}", ProrationMode.PRORATED_ON_NEXT_INVOICE)
    for i in range(since):
        await one_more(world, f"collected {size} {i}", ProrationMode.PRORATED_ON_NEXT_INVOICE)
    await one_more(world, f"collects {size}", ProrationMode.PRORATED_IMMEDIATELY)
    await one_more(world, f"waits {size}", ProrationMode.PRORATED_ON_NEXT_INVOICE)
    await sit_down(store, acme, f"last-{size}")
    await correct(store, acme)


async def one_more(world: World, key: str, mode: ProrationMode) -> None:
    """An editor's seat more, billed in a mode."""
    more = SeatQuantity("editor", add=1)
    await change(world.store, world.acme, world.subscription, key, more, mode=mode)


async def asked(world: World, name: str, size: int) -> tuple[int, int]:
    """How many statements an operation takes, and how long its answer is."""
    text = operation(name)
    variables = await variables_of(world, name, text, key=f"asked {size}")
    with counted(world) as statements:
        data = await world.ask(text, **variables)
    return len(statements), len(json.dumps(data))


async def variables_of(world: World, name: str, text: str, *, key: str) -> dict[str, Any]:
    """What makes an operation find as much as there is."""
    if name in {"assignSeat", "releaseSeat"}:
        who: Any = {"holder": {"reference": key}} if name == "assignSeat" else {"reference": key}
        return {"input": {"metric": "editor", **who, "idempotencyKey": key}}
    if "$input" in text:
        wanted: dict[str, Any] = {"subscriptionId": world.subscription_id}
        wanted |= {"seats": seats(add=1)} if name.endswith("ChangePlan") or name == "changePlan" else {}
        wanted |= {"timing": "NOW"} if name == "previewCancelSubscription" else {}
        return {"input": wanted if name.startswith("preview") else {**wanted, "idempotencyKey": key}}
    if name == "seatHistory":
        return {"metric": "editor", "from": "2026-04-01", "until": "2026-04-17"}
    if "$id" in text:
        field = {"invoice": "invoices", "creditNote": "creditNotes"}[name]
        data = await world.ask(f"{{ customer {{ {field}(first: 2) {{ edges {{ node {{ id }} }} }} }} }}")
        # The newest invoice is that of `changePlan`; the one with all the lines is the second.
        edge = data["customer"][field]["edges"][1 if name == "invoice" else 0]
        return {"id": edge["node"]["id"]}
    return {"first": 100} if name in PAGED else {}


async def test_statements_do_not_grow_with_rows(
    world: World, engine_name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each operation at 1, 20 and 100 people, invoices, credit notes and lines: the same number of statements
    for answers that grow.
    """
    names = sorted(file.stem for file in OPERATIONS.glob("*.graphql") if file.stem != "cancelScheduledChange")
    counts: dict[str, list[tuple[int, int]]] = {name: [] for name in names}
    room = SeatQuantity("editor", total=500)
    await change(world.store, world.acme, world.subscription, "room for everybody", room)
    for before, size in zip((0, *SIZES), SIZES, strict=False):
        await grow(world, size, since=before)
        for name in names:
            counts[name].append(await asked(world, name, size))

    statements = {name: [count for count, _ in found] for name, found in counts.items()}
    with capsys.disabled():
        for name, found in statements.items():
            print(f"\n{name:20} {found} statements", end="")  # noqa: T201
    assert {name: found for name, found in statements.items() if len(set(found)) > 1} == {}
    for name in (*PAGED, "invoice"):
        assert counts[name][-1][1] > 3 * counts[name][0][1], f"the answer of {name} grew"
    assert engine_name == "sqlite"
