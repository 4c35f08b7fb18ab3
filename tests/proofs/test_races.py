"""Several processes at once: an effect happens once, no update is lost, no answer mixes two states."""

import asyncio
import subprocess
import sys
from collections import Counter
from decimal import Decimal
from typing import Any, Final

import httpx
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from tests.proofs.ledger_check import problems
from tests.proofs.serving import CHANGE, SEATS, Server, Tenant, amounts, ask, changed, settled
from tests.proofs.workers import results, started, tell

PROCESSES: Final = 4
CALLS: Final = 1_000
AT_ONCE: Final = 50
CLIENTS: Final = 200
ADDITIONS: Final = 25
ANSWERS: Final = 500
ANSWERS_A_CHANGE: Final = 3

ROWS: Final = """
    SELECT (SELECT count(*) FROM document WHERE customer_id = :customer AND kind = 'INVOICE'),
           (SELECT count(*) FROM seat_event WHERE customer_id = :customer AND kind = 'COMMITTED'),
           (SELECT count(*) FROM billing_line WHERE customer_id = :customer),
           (SELECT count(*) FROM idempotency WHERE customer_id = :customer),
           (SELECT version FROM subscription WHERE customer_id = :customer),
           (SELECT balance FROM seat_level WHERE customer_id = :customer AND kind = 'COMMITTED')"""
"""Invoices, committed events, lines, keys, version, committed seats."""


async def rows(url: str, tenant: Tenant) -> tuple[int, ...]:
    """What the database holds of a customer."""
    engine = create_async_engine(url)
    customer = str(tenant.customer) if engine.dialect.name == "sqlite" else tenant.customer
    async with engine.connect() as connection:
        found = tuple((await connection.execute(text(ROWS), {"customer": customer})).one())
    await engine.dispose()
    return found


def facts_of(
    pair: list[Server], tenant: Tenant, keys: list[str], *, patient: bool = False, **change: Any
) -> list[dict[str, Any]]:
    """What one change comes to under each key, asked for by four processes of two servers, 200 at a time;
    none of them is an error. Who is patient comes again when told to.
    """
    orders = [
        {
            "urls": [f"{server.url}/graphql" for server in pair],
            "headers": tenant.headers,
            "body": {"query": CHANGE, "variables": {"input": tenant.change("", **change)}},
            "keys": keys[i::PROCESSES],
            "at_once": AT_ONCE,
            "patient": patient,
        }
        for i in range(PROCESSES)
    ]
    with started("post", orders) as workers:
        answers = [answer for result in results(workers) for answer in result]
    assert [a for a in answers if not isinstance(a, dict) or "errors" in a] == []
    assert len(answers) == len(keys)
    return [answer["data"]["changePlan"] for answer in answers]


async def test_1000_calls_with_one_key_are_one_change(shared_url: str, pair: list[Server]) -> None:
    """From 4 processes, to two servers over one database: one invoice, one event, 999 replays of equal
    amounts, no error; and after a restart the key still stands for what it did.
    """
    (tenant,) = await settled(shared_url, "identical")
    before = await rows(shared_url, tenant)
    facts = facts_of(pair, tenant, ["the one key"] * CALLS, add=3)
    first = [fact for fact in facts if not fact["replayed"]]
    sys.stdout.write(f"{len(facts)} answers, {len(facts) - len(first)} replays\n")
    assert (len(facts), len(first)) == (CALLS, 1)
    assert [fact for fact in facts if amounts(fact) != amounts(first[0])] == []
    after = await rows(shared_url, tenant)
    assert [b - a for a, b in zip(before, after, strict=True)] == [1, 1, 1, 1, 1, 3]

    pair[0].stop()
    pair[0].launch()
    pair[0].wait()
    async with httpx.AsyncClient() as client:
        again = [await changed(client, server, tenant, "the one key", add=3) for server in pair]
    assert [(fact["replayed"], amounts(fact)) for fact in again] == [(True, amounts(first[0]))] * 2
    assert await rows(shared_url, tenant) == after
    assert await problems(shared_url) == []


async def test_of_1000_changes_of_one_version_one_is_made(shared_url: str, pair: list[Server]) -> None:
    """A thousand different keys, all of what version 1 showed: one change, 999 times `VersionConflict`, no
    error, and nothing else written.
    """
    (tenant,) = await settled(shared_url, "one-version")
    before = await rows(shared_url, tenant)
    keys = [f"key-{n}" for n in range(CALLS)]
    told = Counter(fact["__typename"] for fact in facts_of(pair, tenant, keys, add=2, expectedVersion=1))

    sys.stdout.write(f"{dict(told)}\n")
    assert told == {"PlanChanged": 1, "VersionConflict": CALLS - 1}
    after = await rows(shared_url, tenant)
    assert [b - a for a, b in zip(before, after, strict=True)] == [1, 1, 1, 1, 1, 2]


async def test_200_clients_add_a_seat_each(shared_url: str, pair: list[Server]) -> None:
    """All 200 are there, each on an invoice of its own; who is told that there is no turn comes again."""
    (tenant,) = await settled(shared_url, "two-hundred")
    before = await rows(shared_url, tenant)
    keys = [f"client-{n}" for n in range(CLIENTS)]
    told = Counter(fact["__typename"] for fact in facts_of(pair, tenant, keys, patient=True, add=1))

    assert told == {"PlanChanged": CLIENTS}
    after = await rows(shared_url, tenant)
    assert [b - a for a, b in zip(before, after, strict=True)] == [CLIENTS] * 6
    assert after[-1] == SEATS + CLIENTS
    assert await problems(shared_url) == []


async def test_four_processes_lose_no_seat(shared_url: str) -> None:
    """Four processes with a store of their own each add one seat 25 times: all 100 are there, each on its own
    invoice, and the books agree. That this can fail is shown in tests/store/test_processes.py.
    """
    (tenant,) = await settled(shared_url, "four-processes")
    before = await rows(shared_url, tenant)
    orders = [adding(shared_url, tenant, name=f"worker-{n}", times=ADDITIONS) for n in range(PROCESSES)]
    with started("add", orders) as workers:
        said = results(workers)

    sys.stdout.write(f"{said}\n")
    assert [result["made"] for result in said] == [ADDITIONS] * PROCESSES
    added = PROCESSES * ADDITIONS
    after = await rows(shared_url, tenant)
    assert [b - a for a, b in zip(before, after, strict=True)] == [added] * 6
    assert after[-1] == SEATS + added
    assert await problems(shared_url) == []


ALIASED: Final = """query aliased($id: ID!) {
  byCustomer: customer { subscription { version } }
  byNode: node(id: $id) { ... on Subscription { version } }
  levels: customer { seatBalances { committed purchased limit } }
  folded: customer { seatBalances(asOf: "2100-01-01T00:00:00Z") { committed } }
  latest: customer { seatEvents(first: 1) { edges { node { balance invoiceLines { id } } } } }
  events: customer { seatEvents(first: 3) { edges { node { balance } } } }
  invoices: customer { invoices(first: 1) { edges { node {
    lines { events { edges { node { balance } } } }
  } } } }
  upcoming: customer { upcomingInvoice { totals { subtotal { amount } } } }
}"""


def states_in(answer: dict[str, Any]) -> set[int]:
    """The states that an answer shows, each as the number of committed seats; one if nothing is torn.

    The writer adds one seat at a time. So the version, both balances, the latest events, the event behind the
    latest invoice, and the sum of the next one (99.00, and 15.00 for each seat from the sixth on) each stand
    for one state.
    """
    versions = [of["version"] for of in (answer["byCustomer"]["subscription"], answer["byNode"])]
    (level,), (fold,) = answer["levels"]["seatBalances"], answer["folded"]["seatBalances"]
    (latest,), events = nodes(answer["latest"]["seatEvents"]), nodes(answer["events"]["seatEvents"])
    assert len(latest["invoiceLines"]) == 1, "an event and its line are committed together"
    ((line,),) = (invoice["lines"] for invoice in nodes(answer["invoices"]["invoices"]))
    subtotal = Decimal(answer["upcoming"]["upcomingInvoice"]["totals"]["subtotal"]["amount"])
    return {
        *(SEATS - 1 + version for version in versions),
        *(level["committed"], level["limit"], level["purchased"] + 5),
        *(fold["committed"], latest["balance"]),
        *(event["balance"] + age for age, event in enumerate(events)),
        *(event["balance"] for event in nodes(line["events"])),
        int((subtotal - 99) / 15) + 5,
    }


def nodes(connection: dict[str, Any]) -> list[dict[str, Any]]:
    """What a page of a list holds."""
    return [edge["node"] for edge in connection["edges"]]


async def test_no_answer_of_500_is_torn(shared_url: str, pair: list[Server]) -> None:
    """Eight aliased root fields, asked of two servers while another process changes the plan all the time:
    each of 500 answers is of one state.
    """
    (tenant,) = await settled(shared_url, "torn")
    orders = adding(shared_url, tenant, name="writer", times=None)
    answers: list[dict[str, Any]] = []
    left = iter(range(ANSWERS))

    async def some(client: httpx.AsyncClient, server: Server, writer: subprocess.Popen[str]) -> None:
        for n in left:
            if n % ANSWERS_A_CHANGE == 0:
                tell(writer, "one more")
            answer = await ask(client, server, tenant, ALIASED, id=tenant.subscription_id)
            answers.append(answer)

    async with httpx.AsyncClient(timeout=60) as client:
        await changed(client, pair[0], tenant, "the first event")
        with started("add", [orders]) as workers:
            await asyncio.gather(*(some(client, server, workers[0]) for server in pair))
            (said,) = results(workers)

    found = [states_in(answer) for answer in answers]
    states = set[int]().union(*found)
    sys.stdout.write(
        f"{len(found)} answers of {len(states)} states; the writer made {said['made']} changes\n"
    )
    assert [states for states in found if len(states) != 1] == []
    assert len(found) == ANSWERS
    assert len(states) > ANSWERS // 25, "the writer wrote while they were asked"
    # Parts of two answers make a torn one: the comparison sees it.
    assert all(len(states_in({**answers[0], alias: answers[-1][alias]})) > 1 for alias in answers[0])
    assert await problems(shared_url) == []


def adding(url: str, tenant: Tenant, *, name: str, times: int | None) -> dict[str, Any]:
    """Orders for a worker that adds seats, so many times or once for each line it is told."""
    return {
        "database_url": url,
        "customer": str(tenant.customer),
        "subscription": str(tenant.subscription),
        "name": name,
        "times": times,
    }
