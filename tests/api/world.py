"""A small world to ask the schema about, lived through the services: two customers with a history.

`acme` pays 99.00 USD a month for `team` with 5 editors included and 15.00 for each further one, in New York
time, without tax. It starts on 1 April 2026 with 10 editors and reaches 15 on the 6th; people take seats and
give some back. `globex` pays in EUR in Berlin with 19 % VAT. The clock stands at noon of 16 April.
"""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from graphql import ExecutionResult

from app.api.context import Contexts
from app.api.ids import Kind, encode
from app.api.links import DocumentLinks
from app.api.operations import Operations, Refused
from app.api.schema import schema
from app.billing.ledger import Holder
from app.billing.parties import BankAccount, BillingDetails, Catalog, CustomerKind, Seller
from app.billing.periods import BillingInterval
from app.billing.permissions import SYSTEM, Actor, ActorKind, Role
from app.billing.plans import ChangeTiming, Item, Plan, PlanPrice, ProrationMode, SeatMetric
from app.billing.requests import ChangeRequest, SeatQuantity
from app.billing.state import Posting
from app.billing.subscriptions import CancelAtRenewal
from app.billing.taxes import TaxRate, TaxRules
from app.services import postings
from app.services.change_plan import ChangePlan, PlanChanged, change_plan
from app.services.quotes import QuoteSigner
from app.services.record_payment import PaymentRecorded, ReceivedPayment, record_payment
from app.services.record_seats import SeatCorrection, SeatReport, SeatsRecorded, correct_seats, record_seats
from app.services.register_customer import NewCustomer, register_customer
from app.services.start_subscription import StartSubscription, SubscriptionStarted, start_subscription
from app.store import catalogs, states
from app.store.customers import Customer
from app.store.ids import new_id
from app.store.transaction import DeploymentTx, Store, Tx
from tests.builders import direction, plan_price, seat_price
from tests.conftest import Clock

SECRET: Final = "a secret of the tests, as long as it has to be"
SIGNER: Final = QuoteSigner(SECRET.encode())
EDITOR: Final = SeatMetric(Item("editor"), "Editor")
VIEWER: Final = SeatMetric(Item("viewer"), "Viewer")

SELLER: Final = Seller(
    legal_name="Northwind Software GmbH",
    lines=("Torstraße 1", "10119 Berlin"),
    country="DE",
    tax_id="DE123456789",
    registration="HRB 12345 B",
    email="billing@northwind.example",
    zone="Europe/Berlin",
    payment_days=14,
    bank=BankAccount("Northwind Software GmbH", "DE89370400440532013000", "COBADEFFXXX", "Commerzbank"),
)
TAXES: Final = TaxRules("DE", (TaxRate("DE", "VAT", Decimal(19), date(2020, 1, 1)),))
DETAILS: Final = BillingDetails(
    legal_name="Acme Inc.",
    lines=("1 Main Street",),
    postal_code="10001",
    city="New York",
    region="NY",
    country="US",
    tax_id="12-3456789",
    email="billing@acme.example",
    reference="PO-77",
)


@dataclass(slots=True)
class World:
    """The customers and how to ask about them."""

    store: Store
    clock: Clock
    operations: Operations
    contexts: Contexts
    acme: UUID
    globex: UUID
    subscription: UUID

    @property
    def subscription_id(self) -> str:
        """The public id of acme's subscription."""
        return encode(Kind.SUBSCRIPTION, self.subscription)

    def actor(self, role: Role = Role.OWNER, customer: UUID | None = None) -> Actor:
        """A member, of acme unless told otherwise."""
        name, email = "Ada Lovelace", "ada@acme.example"
        return Actor(ActorKind.MEMBER, name, customer or self.acme, UUID(int=7), role, email)

    async def ask(
        self, text: str, *, role: Role = Role.OWNER, customer: UUID | None = None, **variables: Any
    ) -> dict[str, Any]:
        """The data of an answer that has no errors."""
        result = await self.run(text, variables, role=role, customer=customer)
        assert result.errors is None, result.errors
        assert result.data is not None
        return result.data

    async def run(
        self,
        text: str,
        variables: dict[str, Any] | None = None,
        *,
        role: Role = Role.OWNER,
        customer: UUID | None = None,
    ) -> ExecutionResult:
        """The answer to a document, errors and all, as the endpoint would run it."""
        ready = self.operations.ready(text, None)
        assert not isinstance(ready, Refused), ready
        async with self.contexts.open(self.actor(role, customer)) as context:
            return await self.operations.run(ready, variables or {}, context)


@dataclass(frozen=True, slots=True)
class Lived:
    """Who is who in a database in which April was lived."""

    acme: UUID
    globex: UUID
    subscription: UUID


NOON: Final = datetime(2026, 4, 16, 16, tzinfo=UTC)
"""Noon of 16 April in New York, when the history ends."""


def enter(store: Store, clock: Clock, lived: Lived) -> World:
    """Ask from noon of 16 April on about what was lived."""
    clock.now = NOON
    contexts = Contexts(store, SIGNER, DocumentLinks("https://billing.example", SECRET))
    return World(store, clock, Operations(schema), contexts, lived.acme, lived.globex, lived.subscription)


async def live(store: Store, clock: Clock, *, people: int = 3) -> Lived:
    """Live through April until the 16th; `people` take an editor's seat on the 2nd, at most 10."""
    clock.now = instant("2026-04-01 06:00")
    await store.deployment(_apply)
    acme, globex = new_id(clock.now), new_id(clock.now)
    subscription = await _acme(store, clock, acme, people)
    await _globex(store, clock, globex)
    return Lived(acme, globex, subscription)


async def _acme(store: Store, clock: Clock, acme: UUID, people: int) -> UUID:
    new = NewCustomer("acme", "Acme", "USD", "America/New_York", "en-US", CustomerKind.DEMO, DETAILS)
    assert isinstance(await store.run(acme, register_customer, SYSTEM, new), Customer)
    start = StartSubscription("team", BillingInterval.MONTH, (("editor", 10),))
    started = await store.run(acme, start_subscription, SYSTEM, start)
    assert isinstance(started, SubscriptionStarted)
    assert started.invoice is not None
    clock.now = instant("2026-04-02 15:00")
    for i in range(people):
        await sit_down(store, acme, f"user-{i}")
    paid = await store.run(acme, record_payment, SYSTEM, ReceivedPayment(started.invoice))
    assert isinstance(paid, PaymentRecorded)
    clock.now = instant("2026-04-06 15:00")
    await change(store, acme, started.subscription, "five more", SeatQuantity("editor", total=15))
    clock.now = instant("2026-04-07 15:00")
    await correct(store, acme)
    return started.subscription


async def _globex(store: Store, clock: Clock, globex: UUID) -> None:
    details = BillingDetails("Globex GmbH", ("Allee 3",), "10115", "Berlin", None, "DE", "DE999999999")
    new = NewCustomer("globex", "Globex", "EUR", "Europe/Berlin", "de-DE", CustomerKind.DEMO, details)
    clock.now = instant("2026-04-01 06:00")
    await store.run(globex, register_customer, SYSTEM, new)
    start = StartSubscription("team", BillingInterval.MONTH, (("editor", 10),))
    await store.run(globex, start_subscription, SYSTEM, start)
    clock.now = instant("2026-04-08 15:00")
    await sit_down(store, globex, "user-0")


async def correct(store: Store, customer: UUID) -> None:
    """Two seats were reported by mistake; it was one."""
    report = SeatReport("viewer", added=2, note="reported twice")
    recorded = await store.run(customer, record_seats, SYSTEM, report)
    assert isinstance(recorded, SeatsRecorded)
    wanted = SeatCorrection(recorded.events[0].id, added=1, removed=0, note="it was one")
    assert isinstance(await store.run(customer, correct_seats, SYSTEM, wanted), SeatsRecorded)


async def sit_down(store: Store, customer: UUID, reference: str, metric: str = "editor") -> None:
    """Somebody takes a seat now."""
    holder = Holder(reference, reference.replace("user-", "Person "), f"{reference}@acme.example")
    done = await store.run(customer, record_seats, SYSTEM, SeatReport(metric, added=1, holder=holder))
    assert isinstance(done, SeatsRecorded), done


async def change(
    store: Store, customer: UUID, subscription: UUID, key: str, *seats: SeatQuantity, **rest: Any
) -> PlanChanged:
    """A change that is made now."""
    request = ChangePlan(subscription, ChangeRequest(seats=seats, **rest), key)
    done = await store.run(customer, change_plan, SYSTEM, SIGNER, request)
    assert isinstance(done, PlanChanged), done
    return done


async def hooli(world: World) -> tuple[UUID, UUID]:
    """Another customer, who starts with one editor on `solo` now, where fewer seats give nothing back; with
    its subscription.
    """
    customer = new_id(world.clock.now)
    new = NewCustomer("hooli", "Hooli", "USD", "America/New_York", "en-US", CustomerKind.DEMO, DETAILS)
    assert isinstance(await world.store.run(customer, register_customer, SYSTEM, new), Customer)
    start = StartSubscription("solo", BillingInterval.MONTH, (("editor", 1),))
    started = await world.store.run(customer, start_subscription, SYSTEM, start)
    assert isinstance(started, SubscriptionStarted)
    return customer, started.subscription


def end_with_the_period(tx: Tx, subscription: UUID) -> None:
    """The subscription ends when its period does."""
    loaded = states.load(tx, subscription, lock=True)
    assert loaded is not None
    state = loaded.state
    changed = state.subscription.changed()
    ends = Posting(tx.at, changed, state.price, scheduled=(CancelAtRenewal(),))
    postings.write(tx, loaded, ends, actor=SYSTEM)


def instant(text: str) -> datetime:
    """`2026-04-16 16:00`, in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def catalog() -> Catalog:
    """Three plans: `team` in two currencies and two intervals, `business` with tiers, `solo` for very few."""
    plans = (
        Plan("team", "Team", "For teams that grow.", tuple(_team_prices())),
        Plan("business", "Business", "For companies.", (_business(),)),
        Plan("solo", "Solo", "For one or two.", (_solo(),)),
        Plan("bank", "Bank", "In francs.", (plan_price(_editor("9.00"), plan="bank", currency="CHF"),)),
    )
    return Catalog(new_id(instant("2026-01-01 00:00")), SELLER, TAXES, (EDITOR, VIEWER), plans)


def _team_prices() -> list[PlanPrice]:
    return [
        _named(
            plan_price(
                _editor("15.00" if interval is BillingInterval.MONTH else "150.00", included=5),
                seat_price("0", "viewer"),
                fee="99.00" if interval is BillingInterval.MONTH else "990.00",
                currency=currency,
                interval=interval,
            )
        )
        for currency in ("USD", "EUR")
        for interval in (BillingInterval.MONTH, BillingInterval.YEAR)
    ]


def _business() -> PlanPrice:
    graduated = _editor("0", (10, "30.00", "0"), (None, "25.00", "40.00"), minimum=3)
    decrease = direction(ProrationMode.DO_NOT_BILL, timing=ChangeTiming.AT_RENEWAL)
    increase = direction(ProrationMode.PRORATED_IMMEDIATELY)
    return _named(plan_price(graduated, plan="business", increase=increase, decrease=decrease))


def _solo() -> PlanPrice:
    decrease = direction(ProrationMode.DO_NOT_BILL, ProrationMode.PRORATED_IMMEDIATELY)
    return _named(plan_price(_editor("10.00", maximum=2), plan="solo", decrease=decrease))


def _editor(unit: str, *steps: tuple[int | None, str, str], **rest: Any) -> Any:
    return seat_price(unit, "editor", *steps, **rest)


def _named(price: PlanPrice) -> PlanPrice:
    """With the labels that people read."""
    labels = {"editor": EDITOR, "viewer": VIEWER}
    seats = tuple(replace(seat, metric=labels[seat.metric.code]) for seat in price.seats)
    return replace(price, seats=seats)


def _apply(tx: DeploymentTx) -> None:
    applied = catalog()
    catalogs.save(tx, applied, tuple(price for plan in applied.plans for price in plan.prices))
