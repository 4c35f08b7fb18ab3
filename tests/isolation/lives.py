"""More deeds, those of the worker and behind the counter; and the lives that all deeds begin with."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from app.api.ids import Kind
from app.api.webhook_events import EVENTS
from app.billing.parties import CustomerKind
from app.billing.periods import BillingInterval
from app.billing.permissions import SYSTEM, Role
from app.documents.errors import DocumentError, RenderFailed
from app.gateways.stand_in import StandIn
from app.gateways.webhooks import Answer
from app.services.apply_catalog import apply_catalog
from app.services.bill import bill
from app.services.billing_run import give_up
from app.services.catalog_file import Declared, parse_catalog
from app.services.collect_invoice import collect_due
from app.services.collect_payment import settle_due
from app.services.deliver_webhooks import begin, finish
from app.services.explain_line import explain_line
from app.services.forget_keys import forget_keys
from app.services.open_portal import PortalVisit, open_portal
from app.services.record_override import NewOverride, record_override
from app.services.register_customer import NewCustomer, change_payment_method, register_customer
from app.services.render_document import pdf_of
from app.services.start_subscription import StartSubscription, SubscriptionStarted, start_subscription
from app.services.unpark import unpark
from app.services.webhook_secrets import Keyring
from app.services.webhooks import EndpointAdded, NewEndpoint, add_endpoint
from app.store import checkpoints, customers, files, run_batch, sessions, states, system, webhooks
from app.store import seats as store_seats
from app.store.customers import Customer, Member
from app.store.ids import new_id
from app.store.transaction import Store
from tests.api.rest.caller import calling
from tests.api.schema.asking import operation
from tests.api.world import DETAILS, NOON, Lived, sit_down
from tests.conftest import Clock
from tests.isolation.deeds import (
    Deed,
    Scene,
    body,
    changes,
    event,
    ids_of,
    made_by,
    nodes,
    people,
    plans,
    pressed,
    seats,
    stored_queries,
    vendor_customers,
    vendor_money,
    vendor_reports,
)
from tests.portal import SETTINGS

KEYRING: Final = Keyring(SETTINGS.secret)


async def live_richly(scene: Scene) -> None:
    """Acme gets a row of every kind, before it gets a twin: credit, a change that waits, an agreement, a
    member, a payment under way, an invoice to collect, drawn pages, deliveries, keys.
    """
    world, store, acme = scene.world, scene.world.store, scene.world.acme
    new = NewEndpoint("http://127.0.0.1:1/in")
    await store.deployment(add_endpoint, SYSTEM, KEYRING, new, known=EVENTS, loopback=True)
    await pressed(scene, "changePlan", seats=seats(remove=3), idempotencyKey="less")
    await pressed(scene, "changePlan", seats=seats(add=5), idempotencyKey="more")
    later = {"timing": "AT_RENEWAL"}
    for total in (9, 8):
        await pressed(scene, "changePlan", seats=seats(total=total), idempotencyKey=f"to {total}", **later)
    await store.run(acme, record_override, SYSTEM, NewOverride("editor", granted=2))
    visit = PortalVisit("ada", Role.OWNER, "a hash of before", "Ada")
    await store.run(acme, open_portal, SYSTEM, visit)
    found = [id for kind, id in await store.look(ids_of, acme) if kind is Kind.INVOICE]
    await store.run(acme, files.store_file, found[0], b"%PDF of before")
    await store.batch(webhooks.hand_out, known=EVENTS, limit=1000)
    await store.run(acme, change_payment_method, SYSTEM, "test_timeout")
    gateway = StandIn(scene.folder / "gateway.db")
    world.contexts = replace(world.contexts, gateway=gateway)
    await pressed(scene, "changePlan", seats=seats(add=1), idempotencyKey="waits")
    scene.clock.now = NOON + timedelta(minutes=5)
    for due in await store.system(system.due_pending_changes, after=None, limit=9):
        await settle_due(store, gateway, due.customer, due.id)
    await store.run(acme, change_payment_method, SYSTEM, None)
    async with calling(world, scene.clock) as caller:
        await event(caller, "late", add=1, effectiveAt="2026-04-03T12:00:00-04:00")
        await event(caller, "stated", set=4, effectiveAt="2026-04-12T12:00:00-04:00")
    scene.clock.now = NOON


async def a_month_later(scene: Scene) -> Any:
    """Late reports, the renewal, and what is explained of its lines."""
    world = scene.world
    async with calling(world, scene.clock) as caller:
        told: list[Any] = [await event(caller, "1", balance="COMMITTED", add=1)]
        scene.clock.now = datetime(2026, 5, 3, 16, tzinfo=scene.clock.now.tzinfo)
        await world.store.run(world.acme, bill, world.subscription)
        late = "2026-04-10T12:00:00-04:00"
        told.append(await event(caller, "2", balance="COMMITTED", add=2, effectiveAt=late))
        told.append(await event(caller, "3", add=2, effectiveAt=late))
        told.append(await pressed(scene, "previewChangePlan", seats=seats(remove=1)))
        told.append(await pressed(scene, "changePlan", seats=seats(remove=2), idempotencyKey="r"))
    found = [id for kind, id in await world.store.look(ids_of, world.acme, 99) if kind is Kind.INVOICE_LINE]
    async with world.store.reads(world.acme) as scope:
        told += [str(await scope.run(explain_line, id)) for id in found]
    return [told, await stored_queries(scene)]


async def the_worker(scene: Scene) -> Any:
    """Documents are drawn, once; news is delivered and sent again; old keys are forgotten."""
    world = scene.world

    async def drawn(view: str) -> bytes:
        return f"%PDF {view}".encode()

    await pressed(scene, "changePlan", seats=seats(add=1), idempotencyKey="1")
    told: list[Any] = []
    for kind, id in await world.store.look(ids_of, world.acme):
        if kind is Kind.INVOICE:
            told += [str(await pdf_of(world.store, drawn, world.acme, id)) for _ in range(2)]
    async with world.store.reads(world.acme) as scope:
        for kind, id in await world.store.look(ids_of, world.acme):
            if kind is Kind.INVOICE:
                told.append(str(await scope.run(states.load, world.subscription)) and str(id))
    new = NewEndpoint("http://127.0.0.1:1/in")
    await world.store.deployment(add_endpoint, SYSTEM, KEYRING, new, known=EVENTS, loopback=True)
    await pressed(scene, "changePlan", seats=seats(add=1), idempotencyKey="2")
    await world.store.batch(webhooks.hand_out, known=EVENTS, limit=1000)
    async with calling(world, scene.clock) as caller:
        hook = (await body(caller, "GET", "/v1/webhook-endpoints"))[1]["endpoints"][0]["id"]
        path = f"/v1/webhook-endpoints/{hook}/deliveries"
        listed = await body(caller, "GET", path)
        told.append(listed)
        told.append(await body(caller, "POST", f"{path}/{listed[1]['deliveries'][0]['id']}/replay"))
    scene.clock.now += timedelta(days=40)
    told.append(await world.store.run(world.acme, forget_keys, step=1))
    return [told, await stored_queries(scene)]


async def payments(scene: Scene) -> Any:
    """A change that is paid first, one that is declined, and an invoice that is collected."""
    world = scene.world
    gateway = StandIn(scene.folder / "gateway.db")
    await world.store.run(world.acme, change_payment_method, SYSTEM, "test_approve")
    world.contexts = replace(world.contexts, gateway=gateway)
    told = [await pressed(scene, "changePlan", seats=seats(add=2), idempotencyKey="p")]
    told.append(await pressed(scene, "changePlan", seats=seats(add=2), idempotencyKey="p"))
    told.append(await pressed(scene, "changePlan", seats=seats(add=1), idempotencyKey="waits"))
    scene.clock.now = datetime(2026, 5, 3, 16, tzinfo=scene.clock.now.tzinfo)
    await world.store.run(
        world.acme,
        bill,
        world.subscription,
    )
    scene.clock.now += timedelta(days=1)
    for due in await world.store.system(system.due_collections, after=None, limit=9):
        if due.customer == world.acme:
            await collect_due(world.store, gateway, due.customer, due.id)
    return [told, await stored_queries(scene)]


async def repairs(scene: Scene) -> Any:
    """What fails is put off and parked, and taken up again; checkpoints are made anew; a member is found."""
    world = scene.world
    told: list[Any] = []
    for kind, id in await world.store.look(ids_of, world.acme):
        if kind is Kind.INVOICE:
            with suppress(DocumentError):
                await pdf_of(world.store, not_drawn, world.acme, id)
    failed = run_batch.BatchFailed((), OSError("no"))
    told += [str(await world.store.run(world.acme, give_up, world.subscription, failed)) for _ in range(12)]
    told.append(await world.store.run(world.acme, unpark, SYSTEM, world.subscription))
    await world.store.run(world.acme, checkpoints.rebuild)
    visit = PortalVisit("ada", Role.OWNER, "a hash", "Ada")
    member = await world.store.run(world.acme, open_portal, SYSTEM, visit)
    assert isinstance(member, Member)
    async with world.store.reads(world.acme) as scope:
        told.append(str(await scope.run(customers.member, member.id)))
    return told


async def not_drawn(_view: str) -> bytes:
    raise RenderFailed("no", retryable=True)


async def deliveries(scene: Scene) -> Any:
    """A message that is not taken, and one that is."""
    world, told = scene.world, []
    new = NewEndpoint("http://127.0.0.1:1/in")
    added = await world.store.deployment(add_endpoint, SYSTEM, KEYRING, new, known=EVENTS, loopback=True)
    assert isinstance(added, EndpointAdded)
    scene.clock.now += timedelta(seconds=1)
    await pressed(scene, "changePlan", seats=seats(add=1), idempotencyKey="1")
    await world.store.batch(webhooks.hand_out, known=EVENTS, limit=1000)
    for outcome in (Answer(500, None, 5), Answer(200, None, 5)):
        batch = await world.store.batch(begin, KEYRING, added.endpoint.id, 20)
        told.append(str(batch.tries))
        tried = [(taken, outcome) for taken in batch.tries]
        await world.store.batch(finish, added.endpoint.id, tried, lambda: 0.5)
        scene.clock.now += timedelta(hours=1)
    return told


async def access(scene: Scene) -> Any:
    """A member asks for a link, uses it, is seen, sent out, and is no more."""
    world, store, acme = scene.world, scene.world.store, scene.world.acme
    wall = scene.clock()
    found = await store.run(acme, customers.member_by_reference, "ada")
    assert found is not None
    soon = wall + timedelta(minutes=5)
    await store.run(acme, sessions.add_link, token_hash="h", member_id=found.id, expires_at=soon)
    told: list[Any] = [
        await store.run(acme, customers.asks_for_link, found.id, not_since=wall),
        await store.run(acme, sessions.spend_link, "h", found.id),
    ]
    for proof in ("s1", "s2"):
        until = {"expires_at": soon, "idle_until": soon}
        await store.run(acme, sessions.add_session, token_hash=proof, member_id=found.id, **until)
    await store.run(acme, sessions.prolong, "s1", soon)
    told.append(await store.run(acme, sessions.revoke, "s1"))
    told.append(await store.run(acme, sessions.revoke_all, found.id))
    await store.run(acme, sessions.forget, found.id, before=soon)
    await store.run(acme, customers.remove_member, found.id)
    assert world.acme == acme
    return told


async def long_ledgers(scene: Scene) -> Any:
    """A ledger so long that checkpoints are kept in it: here, of two events."""
    usual, checkpoints.STRETCH = checkpoints.STRETCH, 1  # type: ignore[misc]
    try:
        told = await people(scene)
        await scene.world.store.run(scene.world.acme, checkpoints.rebuild)
    finally:
        checkpoints.STRETCH = usual  # type: ignore[misc]
    return told


async def billed_use(scene: Scene) -> Any:
    """Until when use was billed."""
    async with scene.world.store.reads(scene.world.acme) as scope:
        return str(await scope.run(store_seats.billed_until, ["editor"]))


async def use_told_late(scene: Scene) -> Any:
    """Use that was billed is told late, corrected and stated; what becomes of it, and why."""
    world, told = scene.world, []
    async with calling(world, scene.clock) as caller:
        late = "2026-04-10T12:00:00-04:00"
        told.append(await event(caller, "1", add=2, effectiveAt=late))
        told.append(await event(caller, "2", set=9, effectiveAt="2026-04-12T12:00:00-04:00"))
        made = made_by(told)
        told.append(await event(caller, "3", corrects=made, add=1))
        told.append(await event(caller, "4", add=1, effectiveAt=late))
        told.append(await pressed(scene, "previewChangePlan", interval="YEAR"))
        told.append(await world.ask(operation("upcomingInvoice")))
        scene.clock.now = datetime(2026, 6, 3, 16, tzinfo=scene.clock.now.tzinfo)
        await world.store.run(world.acme, bill, world.subscription)
    found = [id for kind, id in await world.store.look(ids_of, world.acme, 99) if kind is Kind.INVOICE_LINE]
    async with world.store.reads(world.acme) as scope:
        told += [str(await scope.run(explain_line, id)) for id in found]
    return [told, await stored_queries(scene)]


DEEDS: Final[tuple[Deed, ...]] = (
    stored_queries, nodes, changes, plans, people, vendor_reports, vendor_money, vendor_customers,
    a_month_later, the_worker, payments, repairs, deliveries, access, long_ledgers,
)  # fmt: skip
DEEDS_BY_USE: Final[tuple[Deed, ...]] = (use_told_late, billed_use)


async def live_by_use(store: Store, clock: Clock) -> Lived:
    """Acme pays for the seats in use, and did for April; ask on 3 May. There is nobody else."""
    clock.now = datetime(2026, 4, 1, 16, tzinfo=UTC)
    declared = parse_catalog((Path(__file__).parents[1] / "stories/catalog.toml").read_text("utf-8"))
    assert isinstance(declared, Declared)
    await store.deployment(apply_catalog, declared)
    acme = new_id(clock.now)
    new = NewCustomer("acme", "Acme", "USD", "America/New_York", "en-US", CustomerKind.DEMO, DETAILS)
    assert isinstance(await store.run(acme, register_customer, SYSTEM, new), Customer)
    start = StartSubscription("fair", BillingInterval.MONTH, ())
    started = await store.run(acme, start_subscription, SYSTEM, start)
    assert isinstance(started, SubscriptionStarted), started
    for person in ("user-0", "user-1", "user-2"):
        clock.now += timedelta(days=3)
        await sit_down(store, acme, person)
    clock.now = datetime(2026, 5, 3, 16, tzinfo=UTC)
    await store.run(acme, bill, started.subscription)
    return Lived(acme, acme, started.subscription)
