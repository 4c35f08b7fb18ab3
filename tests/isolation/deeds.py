"""What customers, the vendor and the worker do with one customer, as short deeds: each begins with the same
rows, and tells all that it was answered.
"""

from __future__ import annotations

# ruff: noqa: PERF401 - A list of answers is made one after the other.
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select

from app.api.ids import Kind, encode
from app.store.tables import billing_line, document, seat_event
from app.store.transaction import DeploymentTx
from tests.api.rest.caller import Caller, calling
from tests.api.schema.asking import OPERATIONS, operation
from tests.api.world import World
from tests.conftest import Clock

ACME: Final = "/v1/customers/acme"
PROFILE: Final = {
    "name": "Acme",
    "currency": "USD",
    "timeZone": "America/New_York",
    "billingDetails": {
        "legalName": "Acme 2",
        "lines": ["1 Way"],
        "postalCode": "1",
        "city": "N",
        "country": "US",
    },
}


@dataclass(slots=True)
class Scene:
    """The world, and a folder for what a deed needs."""

    world: World
    clock: Clock
    folder: Path


Deed = Callable[[Scene], Awaitable[Any]]


async def stored_queries(scene: Scene) -> Any:
    """Every stored operation that only reads, and what they leave out."""
    world = scene.world
    told = []
    given: dict[str, dict[str, Any]] = {
        "seatHistory": {"metric": "editor", "from": "2026-04-01", "until": "2026-04-17"}
    }
    for file in sorted(OPERATIONS.glob("*.graphql")):
        text = file.read_text("utf-8")
        if "$input" not in text and file.stem not in {"invoice", "creditNote"}:
            variables: dict[str, Any] = given.get(file.stem, {})
            told.append(await world.ask(text, **variables))
    ids = [row["node"]["id"] for row in (await world.ask(INVOICES))["customer"]["invoices"]["edges"]]
    told += [await world.ask(operation("invoice"), id=id) for id in ids]
    return [told, await world.ask(PAST), await world.ask(NARROW), await world.ask(LINES)]


INVOICES: Final = "{ customer { invoices { edges { cursor node { id number } } } } }"
PAST: Final = """{ customer {
  then: seatBalances(asOf: "2026-04-05T00:00:00Z") { metric { code } committed inUse }
  known: seatBalances(asOf: "2026-04-08T00:00:00Z", knownAt: "2026-04-06T00:00:00Z") { committed inUse }
  seatEvents(first: 2, metric: "editor") { edges { node { id balance holder { name } } } }
  seatHolders(metric: "editor", search: "Person") { edges { node { reference name heldSince } } }
} }"""
NARROW: Final = """{ customer {
  paid: invoices(status: [PAID], issuedFrom: "2026-04-01") { edges { node { number amountPaid { amount } } } }
  found: invoices(search: "INV") { edges { node { number creditNotes { number } paidAt } } }
  creditNotes { edges { node { number } } }
  creditBalance { amount }
} }"""
LINES: Final = """{ customer { invoices { edges { node { lines {
  id description reverses { id } events(first: 3) { edges { node { id invoiceLines { id } corrects { id }
  correctedBy { id } } } } } } } } } }"""


async def nodes(scene: Scene) -> Any:
    """Everything that has an id, found by it."""
    text = """query node($id: ID!) { node(id: $id) { __typename id
      ... on SeatEvent { balance note } ... on Invoice { number pdf { ready sha256 byteSize } }
      ... on InvoiceLine { description } } }"""
    found = await scene.world.store.look(ids_of, scene.world.acme)
    return [await scene.world.ask(text, id=encode(kind, id)) for kind, id in found]


def ids_of(tx: DeploymentTx, customer: UUID, most: int = 3) -> list[tuple[Kind, UUID]]:
    """The first few ids of each kind."""
    found = [(Kind.CUSTOMER, customer)]
    for kind, table in (
        (Kind.SEAT_EVENT, seat_event),
        (Kind.INVOICE_LINE, billing_line),
        (Kind.INVOICE, document),
        (Kind.CREDIT_NOTE, document),
    ):
        query = select(table.c.id).where(table.c.customer_id == customer).order_by(table.c.id).limit(most)
        found += [(kind, id) for id in tx.connection.execute(query).scalars()]
    return found


async def pressed(scene: Scene, name: str, **given: Any) -> Any:
    """What a mutation answers."""
    sent: dict[str, Any] = {"subscriptionId": scene.world.subscription_id, **given}
    return await scene.world.ask(operation(name), input=sent)


def seats(**how: int) -> list[dict[str, Any]]:
    return [{"metric": "editor", "quantity": how}]


async def changes(scene: Scene) -> Any:
    """More seats, fewer, at renewal, replaced and cancelled; each previewed; one key twice."""
    told = [await pressed(scene, "previewChangePlan", seats=seats(add=2))]
    told += [await pressed(scene, "changePlan", seats=seats(add=2), idempotencyKey="1") for _ in range(2)]
    told.append(await pressed(scene, "changePlan", seats=seats(remove=9), idempotencyKey="2"))
    told.append(
        await pressed(scene, "changePlan", seats=seats(total=6), timing="AT_RENEWAL", idempotencyKey="3")
    )
    told.append(
        await pressed(scene, "changePlan", seats=seats(total=5), timing="AT_RENEWAL", idempotencyKey="4")
    )
    waiting = told[-1]["changePlan"]["scheduledChanges"][0]["id"]
    node = "query node($id: ID!) { node(id: $id) { id ... on ScheduledChange { summary replaces } } }"
    told.append(await scene.world.ask(node, id=waiting))
    told.append(await pressed(scene, "previewChangePlan", seats=seats(total=4)))
    cancel = {"scheduledChangeId": waiting, "idempotencyKey": "5"}
    told.append(await scene.world.ask(operation("cancelScheduledChange"), input=cancel))
    return [told, await stored_queries(scene)]


async def plans(scene: Scene) -> Any:
    """Another plan now; the end at renewal and not; the end now."""
    told = [await pressed(scene, "changePlan", planCode="business", idempotencyKey="1")]
    told.append(await pressed(scene, "cancelSubscription", idempotencyKey="2"))
    told.append(await pressed(scene, "resumeSubscription", idempotencyKey="3"))
    told.append(await pressed(scene, "cancelSubscription", timing="NOW", idempotencyKey="4"))
    return [told, await stored_queries(scene)]


async def people(scene: Scene) -> Any:
    """Somebody takes a seat and gives it back; somebody else's is taken."""
    world = scene.world
    came = {"metric": "editor", "holder": {"reference": "eve", "name": "Eve"}, "idempotencyKey": "1"}
    told = [await world.ask(operation("assignSeat"), input=came)]
    for reference in ("eve", "user-0"):
        gone = {"metric": "editor", "reference": reference, "idempotencyKey": reference}
        told.append(await world.ask(operation("releaseSeat"), input=gone))
    return [told, await stored_queries(scene)]


async def vendor_reports(scene: Scene) -> Any:
    """Seats told by the vendor: by person, late, corrected, committed; drift; balances and entitlement."""
    async with calling(scene.world, scene.clock) as caller:
        holder = {"reference": "u-77", "name": "Grace"}
        told = [
            await event(caller, "1", add=1, holder=holder),
            await event(caller, "2", set=9),
            await event(caller, "3", add=1, effectiveAt="2026-04-10T12:00:00-04:00"),
            await event(caller, "4", balance="COMMITTED", add=2, effectiveAt="2026-04-10T12:00:00-04:00"),
            await event(caller, "5", balance="COMMITTED", set=16),
        ]
        made = await latest_committed(scene)
        told.append(await event(caller, "6", corrects=made, balance="COMMITTED", add=1))
        made = made_by(told[:3])
        told.append(await event(caller, "7", corrects=made, add=2))
        told.append(await event(caller, "7", corrects=made, add=2))
        for path in ("/seat-balances", "/entitlements/editor", "/seat-balances?asOf=2026-04-08T00:00:00Z"):
            told.append(await body(caller, "GET", f"{ACME}{path}"))
        drift = {"members": {"editor": [{"reference": "user-1"}]}, "counts": {"viewer": 2}}
        told.append(await body(caller, "POST", f"{ACME}/drift", drift))
    return [told, await stored_queries(scene)]


async def event(caller: Caller, key: str, **given: Any) -> Any:
    """One seat event, as the vendor tells it."""
    sent = {"customer": "acme", "metric": "editor", "idempotencyKey": key, **given}
    if "corrects" in given:
        del sent["metric"]
    return await body(caller, "POST", "/v1/seat-events", sent)


def made_by(told: list[Any]) -> str:
    """The last event that reports made."""
    return str([id for answer in told for each in answer[1]["results"] for id in each["events"]][-1])


async def latest_committed(scene: Scene) -> str:
    """The latest event of committed seats."""
    text = "{ customer { seatEvents(first: 20) { edges { node { id balanceKind source } } } } }"
    found = (await scene.world.ask(text))["customer"]["seatEvents"]["edges"]
    reported = [each["node"] for each in found if each["node"]["balanceKind"] == "COMMITTED"]
    return str(next(node["id"] for node in reported if node["source"] != "CHANGE"))


async def body(caller: Caller, method: str, path: str, sent: Any = None, **headers: str) -> Any:
    """The body of an answer, whatever it is."""
    answer = await caller.call(method, path, sent, **headers)
    return [answer.status_code, answer.json()]


async def vendor_money(scene: Scene) -> Any:
    """Invoices listed, paid in part, credited, withdrawn to be made again."""
    async with calling(scene.world, scene.clock) as caller:
        listed = await body(caller, "GET", "/v1/invoices?customer=acme&status=OPEN&first=5")
        invoice = listed[1]["invoices"][0]["id"]
        part = {"amount": "7.50", "method": "card"}
        told = [listed, await body(caller, "POST", f"/v1/invoices/{invoice}/payments", part)]
        note = {"invoice": invoice, "reason": "sorry", "amount": "3.00"}
        told.append(await body(caller, "POST", "/v1/credit-notes", note, Idempotency_Key="n"))
        told.append(await body(caller, "POST", "/v1/credit-notes", note | {"amount": "4.00"}))
        await pressed(scene, "changePlan", seats=seats(add=3), idempotencyKey="new")
        new = (await body(caller, "GET", "/v1/invoices?customer=acme&status=OPEN"))[1]["invoices"][0]["id"]
        for reason in ("REISSUE", "WAIVE"):
            told.append(await body(caller, "POST", f"/v1/invoices/{new}/void", {"reason": reason}))
    return [told, await stored_queries(scene)]


async def vendor_customers(scene: Scene) -> Any:
    """The customer looked at, renamed and moved; agreements; a member let in and changed; a pause."""
    async with calling(scene.world, scene.clock) as caller:
        told = [await body(caller, "GET", ACME)]
        for change in ({"name": "Acme & Co", "locale": "de"}, {"timeZone": "Europe/Paris"}, {}):
            told.append(await body(caller, "PUT", ACME, {**PROFILE, **change}))
        for sent in ({"granted": 1}, {"granted": 2, "minimum": 3}):
            told.append(await body(caller, "PUT", f"{ACME}/overrides/editor", sent))
        for name in ("Ada", "Ada L."):
            member = {"reference": "ada", "name": name, "role": "OWNER"}
            link = await body(caller, "POST", "/v1/portal-links", {"customer": "acme", "member": member})
            told.append(link[0])
        told.append(await body(caller, "POST", f"{ACME}/subscription/pause"))
        told.append(await body(caller, "POST", f"{ACME}/subscription/resume"))
        told.append(await body(caller, "POST", f"{ACME}/clock", {"advance": "P3D"}))
    return [told, await stored_queries(scene)]
