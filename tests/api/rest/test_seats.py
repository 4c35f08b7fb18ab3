"""Balances and entitlements, which the vendor's product asks for."""

import pytest
from sqlalchemy import event

from app.billing.overrides import Aspect
from app.billing.permissions import SYSTEM
from app.services.pause_subscription import SubscriptionPaused, pause_subscription
from app.services.record_override import NewOverride, OverrideRecorded, record_override
from app.services.record_seats import SeatReport, SeatsRecorded, record_seats
from tests.api.rest.caller import Caller

EDITOR = "/v1/customers/acme/entitlements/editor"


async def test_balances_are_those_of_the_page(caller: Caller) -> None:
    """Every number is what the customer's own page shows."""
    told = await caller.get("/v1/customers/acme/seat-balances")
    fields = "metric { code } committed included purchased granted limit inUse available overage"
    data = await caller.world.ask(f"{{ customer {{ seatBalances {{ {fields} }} }} }}")

    shown = [{**each, "metric": each["metric"]["code"]} for each in data["customer"]["seatBalances"]]
    assert told["balances"] == shown
    assert told["asOf"] == "2026-04-16T16:00:00Z"


async def test_balances_of_the_past(caller: Caller) -> None:
    """As of an instant, and as known at another; the change of the 6th is not in what was so on the 5th."""
    before = await caller.get("/v1/customers/acme/seat-balances?asOf=2026-04-05T00:00:00Z")
    unknown = await caller.get(
        "/v1/customers/acme/seat-balances?asOf=2026-04-16T12:00:00Z&knownAt=2026-04-01T12:00:00-04:00"
    )

    assert (before["balances"][0]["committed"], before["asOf"]) == (10, "2026-04-05T00:00:00Z")
    assert (unknown["balances"][0]["committed"], unknown["balances"][0]["inUse"]) == (10, 0)


@pytest.mark.parametrize(
    "text", ["yesterday", "2026-04-05", "2026-04-05T00:00:00", "12345", "0001-01-01T00:00:00Z", ""]
)
async def test_an_instant_must_be_one(caller: Caller, text: str) -> None:
    """A parameter that is no instant with an offset is 400."""
    problem = await caller.refused(
        "GET", f"/v1/customers/acme/seat-balances?asOf={text}", None, "bad-request"
    )

    assert problem["detail"].startswith("asOf: ")


async def test_one_more_seat_while_there_is_room(caller: Caller) -> None:
    """Up to the limit, and not one more."""
    answer = await caller.get(EDITOR)
    left = answer["balance"]["available"]

    assert (answer["allowed"], answer["reason"]) == (True, "ROOM")
    assert left == answer["balance"]["limit"] - answer["balance"]["inUse"] > 0
    assert (await caller.get(f"{EDITOR}?more={left}"))["allowed"]
    beyond = await caller.get(f"{EDITOR}?more={left + 1}")
    assert (beyond["allowed"], beyond["reason"]) == (False, "LIMIT_REACHED")


async def test_the_last_seat_and_a_granted_one(caller: Caller) -> None:
    """With all seats taken the answer is no; a seat on top makes it yes again."""
    world = caller.world
    report = SeatReport("editor", total=15)
    assert isinstance(await world.store.run(world.acme, record_seats, SYSTEM, report), SeatsRecorded)
    assert (await caller.get(EDITOR))["reason"] == "LIMIT_REACHED"

    granted = NewOverride("editor", granted=1)
    assert isinstance(await world.store.run(world.acme, record_override, SYSTEM, granted), OverrideRecorded)
    assert (await caller.get(EDITOR))["reason"] == "ROOM"

    withdrawn = NewOverride("editor", withdraws=frozenset({Aspect.GRANTED}))
    assert isinstance(await world.store.run(world.acme, record_override, SYSTEM, withdrawn), OverrideRecorded)
    assert not (await caller.get(EDITOR))["allowed"]


async def test_without_a_running_subscription_nobody_is_let_in(caller: Caller) -> None:
    """A customer without one, and one that pauses."""
    body = {"name": "Initech", "currency": "USD", "timeZone": "America/Chicago"}
    await caller.put("/v1/customers/initech", body, 201)
    none = await caller.get("/v1/customers/initech/entitlements/editor")
    assert (none["allowed"], none["reason"]) == (False, "NO_SUBSCRIPTION")

    world = caller.world
    paused = await world.store.run(world.acme, pause_subscription, SYSTEM, world.subscription)
    assert isinstance(paused, SubscriptionPaused)
    assert (await caller.get(EDITOR))["reason"] == "PAUSED"


@pytest.mark.parametrize("metric", ["moon", "%00", "editor%20"])
async def test_an_unknown_metric_is_not_found(caller: Caller, metric: str) -> None:
    """404 for what is no code of seats."""
    answer = await caller.call("GET", f"/v1/customers/acme/entitlements/{metric}")

    assert (answer.status_code, answer.json()["type"]) == (404, "/problems/not-found")


@pytest.mark.parametrize("more", ["0", "-1", "x", "100001", "1.5", "9" * 30])
async def test_more_must_be_a_number(caller: Caller, more: str) -> None:
    """From one to a hundred thousand."""
    await caller.refused("GET", f"{EDITOR}?more={more}", None, "bad-request")


async def test_an_entitlement_asks_little(caller: Caller) -> None:
    """The hot path of an invitation reads six times, however many seats are in use."""
    statements: list[str] = []

    def note(_conn: object, _cursor: object, statement: str, *_: object) -> None:
        statements.append(statement)

    engine = caller.world.store.reader.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    await caller.get(EDITOR)
    event.remove(engine, "before_cursor_execute", note)

    assert len([each for each in statements if each.startswith("SELECT")]) == 6, statements
