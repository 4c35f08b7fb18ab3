"""Every field of the schema answers with something that is not null, at least once."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from inspect import isawaitable
from pathlib import Path
from typing import Any

import pytest
from graphql import GraphQLObjectType, is_introspection_type
from sqlalchemy import update

from app.api.ids import Kind, decode_as, encode
from app.api.operations import Operations
from app.api.schema import schema
from app.billing.documents import InvoiceStatus
from app.billing.parties import BillingDetails
from app.billing.permissions import SYSTEM, Role
from app.billing.plans import ProrationMode
from app.billing.requests import SeatQuantity
from app.gateways.stand_in import StandIn
from app.services.collect_payment import settle_due
from app.services.pause_subscription import pause_subscription
from app.services.record_override import NewOverride, record_override
from app.services.register_customer import change_billing_details, change_payment_method
from app.store import files, system, transaction
from app.store.tables import receivable
from tests.api.schema.asking import OPERATIONS, cancel, confirm, operation, preview, seats, turn
from tests.api.world import World, change, end_with_the_period, hooli

EVENT_AND_LINE = """
query everythingOfAnEvent {
  customer {
    seatEvents {
      edges {
        cursor
        node {
          id metric { code label unit } balanceKind added removed balance effectiveAt recordedAt source note
          holder { metric { code } reference name email heldSince }
          corrects { id } correctedBy { id }
          invoiceLines {
            id kind description formula quantity unitAmount numerator denominator
            amount { amount currency formatted(locale: "de") } period { startsOn endsOn }
            document { id number issuedOn totals { total { amount } } pdf { url } }
          }
        }
      }
      pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    }
  }
}
"""
NODE = "query everyNode($id: ID!) { node(id: $id) { id ... on Customer { name } } }"
SUBSCRIPTION = "{ customer { subscription { id } } }"
HOLDER = """
mutation whoSitsThere($input: PreviewChangePlanInput!) {
  previewChangePlan(input: $input) {
    ... on SeatsInUse { metric { code } holders { metric { code } reference name email heldSince } }
  }
}
"""


def recorded(operations: Operations, seen: set[str]) -> Callable[[], None]:
    """Note every field that answers with something; gives back what undoes it."""
    undo: list[tuple[Any, Any]] = []
    for kind in operations._schema.type_map.values():
        if isinstance(kind, GraphQLObjectType) and not is_introspection_type(kind):
            for name, field in kind.fields.items():
                undo.append((field, field.resolve))
                field.resolve = noting(field.resolve, f"{kind.name}.{name}", seen)

    def undone() -> None:
        for field, resolve in undo:
            field.resolve = resolve

    return undone


def noting(resolve: Any, path: str, seen: set[str]) -> Any:
    """A resolver that notes when the one it wraps gives something."""

    def noted(value: Any) -> Any:
        if value is not None:
            seen.add(path)
        return value

    async def later(value: Any) -> Any:
        return noted(await value)

    def wrapped(source: Any, info: Any, **arguments: Any) -> Any:
        value = resolve(source, info, **arguments)
        return later(value) if isawaitable(value) else noted(value)

    return wrapped


def every_field() -> set[str]:
    """The fields of all object types."""
    return {
        f"{kind.name}.{name}"
        for kind in schema._schema.type_map.values()
        if isinstance(kind, GraphQLObjectType) and not is_introspection_type(kind)
        for name in kind.fields
    }


async def make_and_read(world: World) -> None:
    """Changes of every kind, then every stored operation."""
    agreement = NewOverride("editor", minimum=2)
    await world.store.run(world.acme, record_override, SYSTEM, agreement)
    waits = await confirm(world, key="1", seats=seats(total=12), timing="AT_RENEWAL")
    await preview(world, seats=seats(total=11), timing="AT_RENEWAL")
    replaced = await confirm(world, key="2", seats=seats(total=10), timing="AT_RENEWAL")
    note = await confirm(world, key="3", seats=seats(remove=11))
    await preview(world, seats=seats(remove=2), prorationMode="DIFFERENCE_IMMEDIATELY")
    invoice = await confirm(world, key="4", seats=seats(add=20))
    id = decode_as(Kind.INVOICE, invoice["invoice"]["id"])
    assert id is not None
    await world.store.run(world.acme, files.store_file, id, b"%PDF")
    await world.store.run(world.acme, void, invoice["invoice"]["id"])
    given = {
        "seatHistory": {"metric": "editor", "from": "2026-04-01", "until": "2026-04-17"},
        "invoice": {"id": invoice["invoice"]["id"]},
        "creditNote": {"id": note["creditNote"]["id"]},
    }
    for file in sorted(OPERATIONS.glob("*.graphql")):
        if "($input" not in file.read_text(encoding="utf-8"):
            await world.ask(operation(file.stem), **given.get(file.stem, {}))
    await world.ask(operation("viewer"), role=Role.VIEWER)
    await world.ask(EVENT_AND_LINE)
    customer = (await world.ask("{ customer { id } }"))["customer"]["id"]
    assert (await world.ask(NODE, id=customer))["node"]["name"] == "Acme"
    assert waits["scheduledChanges"]
    await confirm(world, key="5", seats=seats(total=9), timing="AT_RENEWAL")
    assert (await cancel(world, replaced["scheduledChanges"][0]["id"], key="6"))["__typename"] == "NotFound"
    overview = await world.ask(operation("overview"))
    waiting = overview["customer"]["subscription"]["scheduledChanges"][0]["id"]
    assert (await cancel(world, waiting, key="7"))["__typename"] == "ScheduledChangeCancelled"


async def live_on(world: World) -> None:
    """A customer pauses, goes on, and ends with an invoice; another ends with a credit note; acme is to end
    and is kept after all.
    """
    customer, subscription = await hooli(world)
    await world.store.run(customer, pause_subscription, SYSTEM, subscription)
    hers: dict[str, Any] = {"customer": customer, "subscriptionId": encode(Kind.SUBSCRIPTION, subscription)}
    assert (await turn(world, "previewResumeSubscription", **hers))["__typename"] == "ChangeQuote"
    assert (await turn(world, "resumeSubscription", **hers))["invoice"]
    later = ProrationMode.PRORATED_ON_NEXT_INVOICE
    await change(world.store, customer, subscription, "later", SeatQuantity("editor", add=1), mode=later)
    assert (await turn(world, "cancelSubscription", **hers, timing="NOW"))["invoice"]

    found = await world.ask(SUBSCRIPTION, customer=world.globex)
    theirs = {"customer": world.globex, "subscriptionId": found["customer"]["subscription"]["id"]}
    assert (await turn(world, "cancelSubscription", **theirs, timing="NOW"))["creditNote"]

    assert (await turn(world, "previewCancelSubscription"))["__typename"] == "ChangeQuote"
    waits = await turn(world, "cancelSubscription", idempotencyKey="waits")
    assert waits["scheduledChanges"]
    kept = await turn(world, "resumeSubscription", idempotencyKey="kept")
    assert kept["subscription"]["renewsOn"]


async def sit_down(world: World) -> None:
    """Somebody comes to acme and goes again, and at last there is no room for one more."""
    came = {"metric": "editor", "holder": {"reference": "eve", "name": "Eve", "email": "eve@acme.example"}}
    gone = {"metric": "editor", "reference": "eve"}
    for name, given, fact in (
        ("assignSeat", came, "SeatAssigned"),
        ("releaseSeat", gone, "SeatReleased"),
    ):
        answer = await world.ask(operation(name), input={**given, "idempotencyKey": "eve"})
        assert answer[name]["__typename"] == fact
    await world.store.run(world.acme, record_override, SYSTEM, NewOverride("viewer", granted=0))
    full = {**came, "metric": "viewer", "idempotencyKey": "full"}
    assert (await world.ask(operation("assignSeat"), input=full))["assignSeat"]["limit"] == 0


async def pay(world: World, books: Path) -> None:
    """A change whose payment is declined, and one whose payment has no answer; then acme pays by invoice
    again.
    """
    world.contexts = replace(world.contexts, gateway=StandIn(books))
    for method, answered in (("test_decline", "PaymentDeclined"), ("test_unreachable", "PlanChangePending")):
        await world.store.run(world.acme, change_payment_method, SYSTEM, method)
        answer = await confirm(world, key=method, seats=seats(add=3))
        assert answer["__typename"] == answered
    world.clock.advance(timedelta(days=1))
    (waiting,) = await world.store.system(system.due_pending_changes, after=None, limit=2)
    await settle_due(world.store, StandIn(books), waiting.customer, waiting.id)
    world.clock.advance(timedelta(days=-1))
    await world.store.run(world.acme, change_payment_method, SYSTEM, None)


async def be_refused(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every refusal once."""
    quote = await preview(world, seats=seats(add=5))
    answers = [
        await confirm(world, subscriptionId="sub_x"),
        await confirm(world, role=Role.VIEWER),
        await confirm(world, seats=seats("nothing", add=1)),
        await confirm(world, planCode="nothing"),
        await confirm(world, planCode="solo", seats=seats(total=2)),
        await confirm(world, planCode="business", seats=seats(total=2)),
        await confirm(world, planCode="solo"),
        await confirm(world, interval="MONTH"),
        await confirm(world, expectedVersion=1, seats=seats(add=1)),
        await confirm(world, key="3"),
        await confirm(world, key="later", interval="YEAR", prorationMode="DO_NOT_BILL", timing="NOW"),
    ]
    await world.ask(
        HOLDER, input={"subscriptionId": world.subscription_id, "planCode": "solo", "seats": seats(total=2)}
    )
    world.clock.advance(timedelta(minutes=20))
    answers.append(await confirm(world, key="old", quoteToken=quote["token"]))
    await world.store.run(world.acme, change_billing_details, SYSTEM, BillingDetails())
    answers.append(await confirm(world, key="details", seats=seats(add=1)))
    await world.store.run(world.acme, end_with_the_period, world.subscription)
    await world.store.run(
        world.acme, change_billing_details, SYSTEM, BillingDetails("A", ("B",), "C", "D", "E", "FR")
    )
    world.clock.advance(timedelta(days=30))
    answers.append(await confirm(world, key="ended", seats=seats(add=1)))

    async def no_turn(*_: Any) -> None:
        raise transaction.Busy(3)

    monkeypatch.setattr(world.store, "run", no_turn)
    answers.append(await confirm(world, key="busy", seats=seats(add=1)))
    assert len({answer["__typename"] for answer in answers}) == len(answers) == 15


async def test_every_field_of_the_schema_answers_with_something(
    world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """All stored operations, all refusals and a few queries besides select every field, and none is null each
    time.
    """
    seen: set[str] = set()
    undo = recorded(world.operations, seen)
    try:
        await make_and_read(world)
        await live_on(world)
        await sit_down(world)
        await pay(world, tmp_path / "gateway.db")
        await be_refused(world, monkeypatch)
    finally:
        undo()

    with capsys.disabled():
        print(f"\n{len(seen & every_field())}/{len(every_field())} fields of the schema answered")  # noqa: T201
    assert every_field() - seen == set()


def void(tx: transaction.Tx, invoice: str) -> None:
    """Withdraw an invoice, as a later verb will."""
    id = decode_as(Kind.INVOICE, invoice)
    assert id is not None
    where = (receivable.c.customer_id == tx.customer, receivable.c.invoice_id == id)
    values = {"status": InvoiceStatus.VOID, "voided_at": tx.at}
    tx.connection.execute(update(receivable).where(*where).values(values))
