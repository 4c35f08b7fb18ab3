"""Every verb that changes something leaves a row in the audit: who did what to which object, and when.

The verbs are found in `app/services`; one without a scene here fails, and so does a scene after which rows
are other than before and the audit is not.
"""

from __future__ import annotations

import inspect
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from importlib import import_module
from typing import Any, Final
from uuid import UUID

import pytest
from sqlalchemy import func, select

import app.services
from app.billing.documents import VoidReason
from app.billing.ledger import BalanceKind, Holder
from app.billing.periods import BillingInterval
from app.billing.permissions import Actor, ActorKind, Role
from app.billing.plans import ChangeTiming
from app.billing.requests import ChangeRequest, SeatQuantity
from app.services.ask_for_link import ask_for_link
from app.services.assign_seat import AssignSeat, assign_seat
from app.services.bill import park
from app.services.cancel_scheduled_change import CancelScheduledChange, cancel_scheduled_change
from app.services.cancel_subscription import cancel_subscription, cancelling
from app.services.change_plan import ChangePlan, change_plan
from app.services.confirming import Press
from app.services.durations import Duration
from app.services.enter_portal import Entry, enter_portal
from app.services.leave_portal import leave_portal, remove_member, sign_out_member
from app.services.move_clock import move_clock
from app.services.open_portal import PortalVisit, open_portal
from app.services.pass_time import pass_time
from app.services.pause_subscription import pause_subscription
from app.services.put_customer import PutCustomer, put_customer
from app.services.record_batch import SeatItem, record_batch
from app.services.record_override import NewOverride, record_override
from app.services.record_payment import ReceivedPayment, record_payment
from app.services.record_seats import SeatCorrection, SeatReport, correct_seats, record_seats
from app.services.register_customer import (
    NewCustomer,
    change_billing_details,
    change_payment_method,
    move_to_zone,
    register_customer,
)
from app.services.release_seat import ReleaseSeat, release_seat
from app.services.report_committed import (
    CommittedCorrection,
    CommittedReport,
    correct_committed,
    report_committed,
)
from app.services.resume_subscription import RESUME, resume_subscription
from app.services.start_subscription import StartSubscription, start_subscription
from app.services.unpark import unpark
from app.services.void_invoice import VoidInvoice, void_invoice
from app.services.write_credit_note import CreditWanted, write_credit_note
from app.store import customers, documents, seats, sessions, subscriptions
from app.store.documents import InvoiceFilter
from app.store.ids import new_id
from app.store.metadata import metadata
from app.store.saving import save
from app.store.sheet import Sheet
from app.store.tables import audit
from app.store.transaction import Store, Tx
from tests.api import world
from tests.conftest import Clock

WHO: Final = Actor(ActorKind.API_KEY, "Northwind's own back end")
READ_ONLY: Final = ("preview_", "replayed", "open_ledger")
INSIDE: Final = {"announce", "begin", "known", "moved", "save", "write"}
"""Parts of verbs, which a verb calls before it notes what it did."""

Scene = Callable[[Tx], object]


@dataclass(frozen=True, slots=True)
class Before:
    """What has to have happened before a scene: other scenes of the same customer, by name."""

    scene: Scene
    after: tuple[str, ...] = ()


def live(tx: Tx) -> UUID:
    """The customer's subscription."""
    found = subscriptions.live(tx)
    assert found is not None
    return found.id


def latest(tx: Tx, *, committed: bool) -> UUID:
    """The newest event of committed seats, or of seats in use."""
    page = seats.events_page(tx, seats.EventFilter("editor"), limit=50, before=None)
    return next(e.id for e in page if (e.delta.kind is BalanceKind.COMMITTED) == committed)


def open_invoice(tx: Tx) -> UUID:
    """The newest invoice."""
    (found,) = documents.invoices_page(tx, InvoiceFilter(), limit=1, before=None)
    return found.id


def scheduled(tx: Tx) -> UUID:
    """The change that waits for renewal."""
    ((found,),) = subscriptions.scheduled(tx, [live(tx)]).values()
    return found.scheduled.id


def changed(tx: Tx, key: str, *, timing: ChangeTiming | None = None, **seat: int) -> object:
    """A change of the plan's seats."""
    request = ChangeRequest(seats=(SeatQuantity("editor", **seat),), timing=timing)
    return change_plan(tx, WHO, world.SIGNER, ChangePlan(live(tx), request, key))


def ben(tx: Tx) -> UUID:
    """The member who was let in."""
    member = customers.member_by_reference(tx, "ben")
    assert member is not None
    return member.id


def as_ben(tx: Tx) -> Actor:
    """That member, by the name that the audit is asked for."""
    return replace(WHO, kind=ActorKind.MEMBER, member=ben(tx))


def press(tx: Tx, turn: Any, key: str) -> Press[Any]:
    """A button pressed without a preview."""
    return Press(live(tx), turn, key)


def let_in_by_link(tx: Tx) -> object:
    """Ben gets a link that lasts until he uses it."""
    opened = open_portal(tx, WHO, PortalVisit("ben", Role.VIEWER, "a hash"))
    sessions.add_link(tx, token_hash="a link", member_id=ben(tx), expires_at=tx.wall + timedelta(days=9))
    return opened


def parked(tx: Tx) -> None:
    """The billing run found something that it does not bill."""
    sheet = Sheet()
    park(sheet, tx, live(tx), "too much")
    save(tx.connection, sheet)


SCENES: Final[dict[str, Before]] = {
    "change_plan": Before(lambda tx: changed(tx, "more", add=2)),
    "cancel_scheduled_change": Before(
        lambda tx: cancel_scheduled_change(tx, WHO, CancelScheduledChange(scheduled(tx), "not after all")),
        after=("fewer",),
    ),
    "cancel_subscription": Before(
        lambda tx: cancel_subscription(tx, WHO, world.SIGNER, press(tx, cancelling(), "the end"))
    ),
    "resume_subscription": Before(
        lambda tx: resume_subscription(tx, WHO, world.SIGNER, press(tx, RESUME, "go on")),
        after=("pause_subscription",),
    ),
    "pause_subscription": Before(lambda tx: pause_subscription(tx, WHO, live(tx))),
    "move_clock": Before(lambda tx: move_clock(tx, WHO, timedelta(hours=1))),
    "open_portal": Before(lambda tx: open_portal(tx, WHO, PortalVisit("ben", Role.VIEWER, "a hash"))),
    "enter_portal": Before(
        lambda tx: enter_portal(tx, as_ben(tx), Entry("a link", "a session", timedelta(1), timedelta(1))),
        after=("link",),
    ),
    "leave_portal": Before(lambda tx: leave_portal(tx, as_ben(tx), "a hash"), after=("open_portal",)),
    "ask_for_link": Before(lambda tx: ask_for_link(tx, WHO, ben(tx)), after=("open_portal",)),
    "sign_out_member": Before(lambda tx: sign_out_member(tx, WHO, "ben"), after=("link",)),
    "remove_member": Before(lambda tx: remove_member(tx, WHO, "ben"), after=("open_portal",)),
    "put_customer": Before(
        lambda tx: put_customer(tx, WHO, PutCustomer("acme", "Acme Two", "USD", "America/New_York"))
    ),
    "record_batch": Before(
        lambda tx: record_batch(tx, WHO, [SeatItem("one", SeatReport("editor", added=1))])
    ),
    "record_override": Before(lambda tx: record_override(tx, WHO, NewOverride("editor", granted=2))),
    "record_payment": Before(lambda tx: record_payment(tx, WHO, ReceivedPayment(open_invoice(tx)))),
    "record_seats": Before(lambda tx: record_seats(tx, WHO, SeatReport("editor", added=1))),
    "correct_seats": Before(
        lambda tx: correct_seats(tx, WHO, SeatCorrection(latest(tx, committed=False), 2, 0)),
        after=("record_seats",),
    ),
    "change_billing_details": Before(
        lambda tx: change_billing_details(tx, WHO, replace(world.DETAILS, reference="PO-78"))
    ),
    "change_payment_method": Before(lambda tx: change_payment_method(tx, WHO, "a card")),
    "move_to_zone": Before(lambda tx: move_to_zone(tx, WHO, "America/Chicago")),
    "report_committed": Before(lambda tx: report_committed(tx, WHO, CommittedReport("editor", added=2))),
    "correct_committed": Before(
        lambda tx: correct_committed(tx, WHO, CommittedCorrection(latest(tx, committed=True), 1, 0)),
        after=("report_committed",),
    ),
    "assign_seat": Before(
        lambda tx: assign_seat(tx, WHO, AssignSeat("editor", Holder("grace"), "grace comes"))
    ),
    "release_seat": Before(lambda tx: release_seat(tx, WHO, ReleaseSeat("editor", "user-0", "they go"))),
    "unpark": Before(lambda tx: unpark(tx, WHO, live(tx)), after=("parked",)),
    "parked": Before(parked),
    "pass_time": Before(lambda tx: pass_time(tx, WHO, Duration(days=1))),
    "void_invoice": Before(lambda tx: void_invoice(tx, WHO, VoidInvoice(open_invoice(tx), VoidReason.WAIVE))),
    "write_credit_note": Before(
        lambda tx: write_credit_note(tx, WHO, CreditWanted(open_invoice(tx), "they were unhappy"))
    ),
    "link": Before(let_in_by_link),
    "fewer": Before(lambda tx: changed(tx, "fewer", timing=ChangeTiming.AT_RENEWAL, remove=2)),
}
"""One deed of each verb, of acme on 16 April; those in `FOR_OTHERS` are there for what they leave. How a
customer begins has a test of its own.
"""
FOR_OTHERS: Final = {"fewer", "link", "parked"}


def verbs() -> set[str]:
    """The functions of `app/services` that are called by somebody to do something for one customer."""
    found = set()
    for module in pkgutil.iter_modules(app.services.__path__, "app.services."):
        for name, value in vars(import_module(module.name)).items():
            if not inspect.isfunction(value) or value.__module__ != module.name or name.startswith("_"):
                continue
            parameters = list(inspect.signature(value).parameters.values())
            if [(p.name, p.annotation) for p in parameters[:2]] == [("tx", "Tx"), ("actor", "Actor")]:
                found.add(name)
    return {name for name in found - INSIDE if not name.startswith(READ_ONLY)}


def test_every_verb_has_a_scene() -> None:
    """A new verb needs one, so that it cannot forget the audit."""
    assert verbs() - {"register_customer", "start_subscription"} == SCENES.keys() - FOR_OTHERS


def rows(tx: Tx) -> dict[str, list[str]]:
    """All rows of the customer, by table."""
    return {
        table.name: sorted(
            str(tuple(row))
            for row in tx.connection.execute(select(table).where(table.c.customer_id == tx.customer))
        )
        for table in metadata.tables.values()
        if "customer_id" in table.c
    }


def noted(tx: Tx) -> int:
    """How many rows the audit has in the name of the actor of the scenes."""
    query = select(func.count()).select_from(audit)
    named = query.where(audit.c.customer_id == tx.customer, audit.c.actor == WHO.name)
    return int(tx.connection.execute(named).scalar_one())


async def did(store: Store, customer: UUID, scene: Scene) -> tuple[set[str], int]:
    """Play a scene: which tables are other than before, and how many rows the audit has more."""
    async with store.reads(customer) as scope:
        before, noted_before = await scope.run(rows), await scope.run(noted)
    outcome = await store.run(customer, scene)
    async with store.reads(customer) as scope:
        after, noted_after = await scope.run(rows), await scope.run(noted)
    assert not hasattr(outcome, "message"), outcome
    return {name for name in after if after[name] != before[name]}, noted_after - noted_before


@pytest.mark.parametrize("name", sorted(SCENES.keys() - FOR_OTHERS))
async def test_every_verb_is_in_the_audit(store: Store, clock: Clock, name: str) -> None:
    """Rows changed, and at least one audit row names the actor."""
    lived = await world.live(store, clock)
    clock.now = world.NOON
    for earlier in SCENES[name].after:
        await did(store, lived.acme, SCENES[earlier].scene)
        clock.advance(timedelta(days=1))

    tables, more = await did(store, lived.acme, SCENES[name].scene)

    assert tables - {"audit"}, "something changed"
    assert more > 0, f"{name} changed {sorted(tables)} and left no audit row"


async def test_a_customer_begins_in_the_audit(store: Store, clock: Clock) -> None:
    """To register and to start are the first two rows of it."""
    await world.live(store, clock)
    customer = new_id(clock())
    new = NewCustomer("umbrella", "Umbrella", "USD", "America/New_York", details=world.DETAILS)
    start = StartSubscription("team", BillingInterval.MONTH, (("editor", 6),))

    registered = await did(store, customer, lambda tx: register_customer(tx, WHO, new))
    started = await did(store, customer, lambda tx: start_subscription(tx, WHO, start))

    assert ("customer" in registered[0], registered[1]) == (True, 1)
    assert ({"document", "seat_event", "subscription"} <= started[0], started[1]) == (True, 1)
