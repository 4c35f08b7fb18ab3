"""Seat events by the vendor's program: one by one, in batches, late, by name, and corrected."""

import asyncio
from typing import Any

import pytest

from tests.api.rest.caller import Caller

EVENTS = "/v1/seat-events"


def event(key: str, **what: Any) -> dict[str, Any]:
    """An event of acme's editors."""
    return {"customer": "acme", "metric": "editor", "idempotencyKey": key, **what}


async def in_use(caller: Caller, metric: str = "editor", customer: str = "acme") -> int:
    """How many seats are in use now."""
    answer = await caller.get(f"/v1/customers/{customer}/entitlements/{metric}")
    return int(answer["balance"]["inUse"])


async def test_one_event_is_recorded_once(caller: Caller) -> None:
    """The same event again with its key is told as it was, and nothing is added."""
    before = await in_use(caller)
    first = await caller.post(EVENTS, event("k1", add=2), 200)
    again = await caller.post(EVENTS, event("k1", add=2), 200)

    assert await in_use(caller) == before + 2
    (recorded,), (replayed,) = first["results"], again["results"]
    assert (recorded["outcome"], replayed["outcome"]) == ("RECORDED", "REPLAYED")
    assert recorded["events"] == replayed["events"] != []
    await caller.refused("POST", EVENTS, event("k1", add=3), "idempotency-key-reused")


async def test_the_key_may_be_in_the_header(caller: Caller) -> None:
    """For one event that comes by itself."""
    sent = {"customer": "acme", "metric": "editor", "add": 1}
    before = await in_use(caller)
    for _ in range(2):
        await caller.post(EVENTS, sent, 200, Idempotency_Key="h1")

    assert await in_use(caller) == before + 1
    problem = await caller.refused("POST", EVENTS, sent, "invalid-input")
    assert problem["problems"][0]["path"] == "idempotencyKey"


async def test_totals_and_people_and_late_news(caller: Caller) -> None:
    """`set` states a total, a holder gives back what he took, and an event may be of last week."""
    await caller.post(EVENTS, event("late", add=1, effectiveAt="2026-04-10T12:00:00-04:00"), 200)
    holder = {"reference": "u-77", "name": "Grace", "email": "grace@acme.example"}
    before = await in_use(caller)
    await caller.post(EVENTS, event("in", add=1, holder=holder), 200)
    held = await caller.refused("POST", EVENTS, event("twice", add=1, holder=holder), "invalid-input")
    await caller.post(EVENTS, event("out", remove=1, holder={"reference": "u-77"}), 200)

    assert held["problems"][0]["path"] == "holder"
    assert await in_use(caller) == before
    await caller.post(EVENTS, event("all", set=9), 200)
    assert await in_use(caller) == 9
    past = await caller.get("/v1/customers/acme/seat-balances?asOf=2026-04-10T16:00:00Z")
    known = await caller.get(
        "/v1/customers/acme/seat-balances?asOf=2026-04-10T16:00:00Z&knownAt=2026-04-15T00:00:00Z"
    )
    assert past["balances"][0]["inUse"] == known["balances"][0]["inUse"] + 1


async def test_a_correction_names_its_event(caller: Caller) -> None:
    """What an event should have said takes its place; a second correction of it is refused."""
    before = await in_use(caller)
    made = (await caller.post(EVENTS, event("wrong", add=5), 200))["results"][0]["events"][0]
    right = {"customer": "acme", "idempotencyKey": "right", "corrects": made, "add": 2, "note": "typo"}
    await caller.post(EVENTS, right, 200)

    assert await in_use(caller) == before + 2
    await caller.refused("POST", EVENTS, {**right, "idempotencyKey": "more"}, "invalid-input")
    for wrong in ("evt_00000000000000000000000000", "nothing", made.replace("evt_", "inv_")):
        sent = {**right, "idempotencyKey": "none", "corrects": wrong}
        await caller.refused("POST", EVENTS, sent, "not-found")


async def test_committed_seats_are_billed(caller: Caller) -> None:
    """What was bought beside the page is committed, and its price waits for the next document."""
    sent = event("bought", balance="COMMITTED", add=3)
    (result,) = (await caller.post(EVENTS, sent, 200))["results"]

    assert result["committed"] == 18
    assert (await caller.get("/v1/customers/acme"))["subscription"]["committed"]["editor"] == 18
    upcoming = await caller.world.ask("{ customer { upcomingInvoice { lines { formula } } } }")
    formulas = [line["formula"] for line in upcoming["customer"]["upcomingInvoice"]["lines"]]
    assert "3 seats × 15.00 USD × 15/30 days" in formulas


async def test_a_batch_has_a_result_for_each(caller: Caller) -> None:
    """In the order sent, over two customers: what is wrong stops nothing else."""
    acme, globex = await in_use(caller), await in_use(caller, customer="globex")
    batch = [
        event("b1", add=1),
        {**event("b2", add=1), "customer": "globex"},
        {**event("b3", add=1), "metric": "moon"},
        event("b4", add=1, remove=1),
        {**event("b5", add=1), "customer": "nobody"},
        event("b1", add=1),
        event("b1", add=4),
        {"customer": "acme", "metric": "editor", "add": 1},
        event("b6", remove=1000),
        event("b7", add=1),
    ]
    results = (await caller.post(EVENTS, batch, 200))["results"]

    assert [each["outcome"] for each in results] == [
        "RECORDED", "RECORDED", "REFUSED", "REFUSED", "REFUSED", "REPLAYED", "REFUSED", "REFUSED", "REFUSED",
        "RECORDED",
    ]  # fmt: skip
    problems = [each["problem"]["type"].rpartition("/")[2] for each in results if each["problem"]]
    assert problems == [
        "invalid-input", "invalid-input", "not-found", "idempotency-key-reused", "invalid-input",
        "invalid-input",
    ]  # fmt: skip
    assert [each["idempotencyKey"] for each in results] == [each.get("idempotencyKey") for each in batch]
    assert (await in_use(caller), await in_use(caller, customer="globex")) == (acme + 2, globex + 1)


async def test_a_thousand_at_once(caller: Caller) -> None:
    """As many as a batch may have; one more is 400."""
    people = [event(f"p{i}", add=1, holder={"reference": f"person-{i}"}) for i in range(1000)]
    before = await in_use(caller)
    results = (await caller.post(EVENTS, people, 200))["results"]

    assert {each["outcome"] for each in results} == {"RECORDED"}
    assert len({each["events"][0] for each in results}) == 1000
    assert await in_use(caller) == before + 1000
    assert (await caller.call("POST", EVENTS, [*people, people[0]])).status_code == 400
    assert (await caller.call("POST", EVENTS, [])).status_code == 400


async def test_the_same_event_from_many_at_once(caller: Caller) -> None:
    """Thirty requests with one key at the same moment add one seat."""
    before = await in_use(caller)
    answers = await asyncio.gather(*(caller.call("POST", EVENTS, event("race", add=1)) for _ in range(30)))

    assert {answer.status_code for answer in answers} == {200}
    outcomes = [answer.json()["results"][0]["outcome"] for answer in answers]
    assert sorted(outcomes) == ["RECORDED"] + ["REPLAYED"] * 29
    assert await in_use(caller) == before + 1


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"add": None}, "quantity"),
        ({"remove": 1}, "quantity"),
        ({"metric": None}, "metric"),
        ({"metric": "moon"}, "metric"),
        ({"effectiveAt": "2026-04-17T00:00:00Z"}, "effectiveAt"),
        ({"balance": "COMMITTED", "holder": {"reference": "u"}}, "holder"),
        ({"corrects": "evt_x", "add": None}, "add"),
        ({"idempotencyKey": ""}, "idempotencyKey"),
        ({"idempotencyKey": "é"}, "idempotencyKey"),
        ({"idempotencyKey": "x" * 256}, "idempotencyKey"),
    ],
)
async def test_what_means_nothing_is_told(caller: Caller, change: dict[str, Any], path: str) -> None:
    """A single event that is wrong is answered by the problem, which names the place."""
    problem = await caller.refused("POST", EVENTS, {**event("k", add=1), **change}, "invalid-input")

    assert problem["problems"][0]["path"] == path


@pytest.mark.parametrize(
    "body",
    [
        event("k", add=-1),
        event("k", add=1.5),
        event("k", add="1"),
        event("k", add=10**30),
        event("k", add=True),
        event("k", add=1, holder={"reference": ""}),
        event("k", add=1, holder={"reference": "a\0"}),
        event("k", add=1, holder={"reference": "a", "role": "OWNER"}),
        event("k", add=1, effectiveAt="2026-04-10T12:00:00"),
        event("k", add=1, effectiveAt="0001-01-01T00:00:00+14:00"),
        event("k", add=1, effectiveAt=1775000000),
        event("k", add=1, note="x" * 501),
        event("k", add=1, price="0.01"),
        {"metric": "editor", "add": 1},
        [event("k", add=1), 5],
        {"events": []},
    ],
)
async def test_what_is_no_event_is_not_read(caller: Caller, body: Any) -> None:
    """400 for all of a body in which anything is of another kind; nothing is recorded."""
    before = await in_use(caller)
    answer = await caller.call("POST", EVENTS, body)

    assert answer.status_code == 400, answer.text
    assert await in_use(caller) == before
