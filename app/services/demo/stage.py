"""Plays scenes through the services, at their instants. Whatever falls due in between is billed at the
instant at which it is due, as a billing run that never sleeps would.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from app.billing import renewals
from app.billing.documents import InvoiceStatus
from app.billing.permissions import SYSTEM, Actor, ActorKind
from app.billing.requests import ChangeRequest
from app.services.bill import bill
from app.services.change_plan import ChangePlan, PlanChanged, change_plan
from app.services.demo.diary import CorrectLastReport, PayWhatIsDue, Scene
from app.services.open_portal import PortalVisit, open_portal
from app.services.quotes import QuoteSigner
from app.services.record_payment import PaymentRecorded, ReceivedPayment, record_payment
from app.services.record_seats import SeatCorrection, SeatReport, SeatsRecorded, correct_seats, record_seats
from app.services.register_customer import NewCustomer, register_customer
from app.services.start_subscription import StartSubscription, SubscriptionStarted, start_subscription
from app.store import documents, states, subscriptions
from app.store.customers import Customer, Member
from app.store.documents import InvoiceFilter
from app.store.ids import new_id
from app.store.transaction import Store, Tx

VENDOR = Actor(ActorKind.API_KEY, "Northwind's own back end")
NO_QUOTES = QuoteSigner(b"the demo confirms no quotes")
INVOICES_MAX = 100

DoneT = TypeVar("DoneT")


class SceneRefused(Exception):
    """A scene of the demo met a refusal: its diary does not fit the rules."""

    def __init__(self, scene: Scene, refusal: object) -> None:
        super().__init__(f"{scene.customer} at {scene.at}: {scene.deed} was refused: {refusal}")


@dataclass(slots=True)
class MovedClock:
    """A wall clock that stands still until it is moved. A store is opened with it."""

    now: datetime

    def __call__(self) -> datetime:
        return self.now


@dataclass(slots=True)
class Role:
    """A customer on the stage: its ids, who acts for it, and when something of it is due next."""

    customer: UUID
    subscription: UUID | None = None
    admin: Actor = SYSTEM
    last_report: UUID | None = None
    due_at: datetime | None = None


@dataclass(slots=True)
class Stage:
    """A store, the clock that it was opened with, and the customers who have come on."""

    store: Store
    clock: MovedClock
    cast: dict[str, Role] = field(default_factory=dict)

    async def play(self, scenes: Iterable[Scene], until: datetime) -> None:
        """Play all scenes in the order of their instants, and bill what is due until the end.

        :raises SceneRefused: if a service refuses
        """
        for scene in sorted(scenes, key=lambda scene: scene.at):
            assert scene.at < until, f"{scene} is not in the past"
            await self._bill_until(scene.at)
            self.clock.now = scene.at
            role = self.cast.setdefault(scene.customer, Role(new_id(scene.at)))
            await self.store.run(role.customer, act, role, scene)
            role.due_at = await self.store.run(role.customer, next_due, role)
        await self._bill_until(until)
        self.clock.now = until

    async def _bill_until(self, at: datetime) -> None:
        while due := [role for role in self.cast.values() if role.due_at and role.due_at <= at]:
            role = min(due, key=lambda role: role.due_at or at)
            assert role.due_at is not None, "it is due"
            self.clock.now = role.due_at
            assert role.subscription is not None, "it has a subscription"
            parked = await self.store.run(role.customer, bill, role.subscription)
            assert parked is None, parked
            role.due_at = await self.store.run(role.customer, next_due, role)


def next_due(tx: Tx, role: Role) -> datetime | None:
    """When something of a customer is due next."""
    live = subscriptions.live(tx)
    role.subscription = live.id if live else None
    loaded = states.load(tx, live.id) if live else None
    return renewals.due_at(loaded.state) if loaded else None


def act(tx: Tx, role: Role, scene: Scene) -> None:
    """One scene, through its service."""
    match scene.deed:
        case NewCustomer() as new:
            _done(scene, register_customer(tx, VENDOR, new), Customer)
        case StartSubscription() as start:
            _done(scene, start_subscription(tx, VENDOR, start), SubscriptionStarted)
        case ChangeRequest() as change:
            assert role.subscription is not None, "a subscription is changed after it started"
            request = ChangePlan(role.subscription, change, f"demo {scene.at.isoformat()}")
            _done(scene, change_plan(tx, role.admin, NO_QUOTES, request), PlanChanged)
        case SeatReport() as report:
            recorded = _done(scene, record_seats(tx, VENDOR, report), SeatsRecorded)
            role.last_report = recorded.events[-1].id if recorded.events else role.last_report
        case CorrectLastReport(added, removed, note):
            assert role.last_report is not None, "a report is corrected after it was made"
            wanted = SeatCorrection(role.last_report, added, removed, note)
            _done(scene, correct_seats(tx, VENDOR, wanted), SeatsRecorded)
        case PortalVisit() as visit:
            member = _done(scene, open_portal(tx, VENDOR, visit), Member)
            _remember_admin(role, member)
        case PayWhatIsDue(method):
            _pay(tx, scene, method)


def _done(scene: Scene, outcome: object, kind: type[DoneT]) -> DoneT:
    """The outcome, if it is what the scene wanted."""
    if not isinstance(outcome, kind):
        raise SceneRefused(scene, outcome)
    return outcome


def _remember_admin(role: Role, member: Member) -> None:
    """The first member to come in acts for the customer from then on."""
    if role.admin is SYSTEM:
        role.admin = Actor(
            ActorKind.MEMBER,
            member.name or member.reference,
            role.customer,
            member.id,
            member.role,
            member.email,
        )


def _pay(tx: Tx, scene: Scene, method: str) -> None:
    still_open = InvoiceFilter(statuses=(InvoiceStatus.OPEN,))
    for invoice in documents.invoices_page(tx, still_open, limit=INVOICES_MAX, before=None):
        received = ReceivedPayment(invoice.id, method=method, reference=invoice.number.text)
        _done(scene, record_payment(tx, VENDOR, received), PaymentRecorded)
