"""A customer whose payment method the test gateway charges, and what its people and the worker do."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Column, Table, select

from app.billing.ledger import BalanceKind
from app.billing.parties import BillingDetails, CustomerKind
from app.billing.payments import OnPaymentFailure
from app.billing.periods import BillingInterval
from app.billing.permissions import SYSTEM
from app.billing.requests import ChangeRequest, SeatQuantity
from app.gateways.stand_in import Charge, StandIn
from app.services.apply_catalog import apply_catalog
from app.services.change_plan import ChangePlan, PlanChangePending, change_plan, replayed
from app.services.collect_invoice import collect_due
from app.services.collect_payment import collected, settle_due
from app.services.quotes import QuoteSigner
from app.services.register_customer import NewCustomer, register_customer
from app.services.start_subscription import StartSubscription, SubscriptionStarted, start_subscription
from app.store import system
from app.store.ids import new_id
from app.store.pending import PendingChange
from app.store.tables import collection, payment, pending_change, receivable, seat_level, subscription
from app.store.transaction import Store, Tx
from tests.conftest import Clock
from tests.services.catalogs import SMALL, declared

SIGNER: Final = QuoteSigner(b"a secret of the tests, as long as it has to be")
ADDRESS: Final = BillingDetails("Initech Inc.", ("1 Main Street",), "10001", "New York", "NY", "US")
START: Final = 17400
"""The first month of Team with 10 editors, 5 of them included: 99.00 + 5 × 15.00."""
APPLY: Final = OnPaymentFailure.APPLY_CHANGE


@dataclass(slots=True)
class Payer:
    """A customer with 10 editors on Team, who pays by a method of the test gateway."""

    store: Store
    clock: Clock
    gateway: StandIn
    customer: UUID
    subscription: UUID

    async def presses(self, key: str, *, add: int | None = 5, total: int | None = None, **rest: Any) -> Any:
        """The button "add editors", as the resolver presses it: by a read, then a write, then the gateway."""
        request = self.request(key, add if total is None else None, total, **rest)
        async with self.store.reads(self.customer) as scope:
            known = await scope.run(replayed, SYSTEM, request)
        if known is not None:
            return known
        answer = await self.store.run(
            self.customer, change_plan, SYSTEM, SIGNER, request, self.gateway.charges
        )
        if not isinstance(answer, PendingChange):
            return answer
        return await collected(self.store, self.gateway, SIGNER, self.customer, answer)

    def request(self, key: str, add: int | None = 5, total: int | None = None, **rest: Any) -> ChangePlan:
        """What is pressed."""
        change = ChangeRequest(seats=(SeatQuantity("editor", total, add),))
        return ChangePlan(self.subscription, change, key, **rest)

    async def waits(self, key: str, **rest: Any) -> PlanChangePending:
        """A press that is not answered yet."""
        answer = await self.presses(key, **rest)
        assert isinstance(answer, PlanChangePending), answer
        return answer

    async def works(self, gateway: Any = None) -> int:
        """What the worker does in a round: everything that is due; how much that was."""
        due = await self.store.system(system.due_pending_changes, after=None, limit=100)
        for waiting in due:
            await settle_due(self.store, gateway or self.gateway, waiting.customer, waiting.id)
        return len(due)

    async def collects(self, gateway: Any = None) -> int:
        """What the worker does for invoices in a round; how many were due."""
        due = await self.store.system(system.due_collections, after=None, limit=100)
        for waiting in due:
            await collect_due(self.store, gateway or self.gateway, waiting.customer, waiting.id)
        return len(due)

    async def collections(self) -> list[tuple[str, int]]:
        """The status of each collection of an invoice, and how many of its tries came to nothing."""
        return [(row.status.value, row.tries) for row in await self.rows(collection)]

    async def start(self) -> tuple[int, str, int]:
        """What was paid, status and what is open of the invoice of the start."""
        (row,) = [r for r in await self.rows(receivable) if r.paid + r.credited + r.open == START]
        return row.paid, row.status.value, row.open

    async def rows(self, table: Table, *columns: Column[Any]) -> list[Any]:
        """Rows of the customer, in the order of their keys."""
        query = select(*columns or (table,)).order_by(*table.primary_key)

        def read(tx: Tx) -> list[Any]:
            return list(tx.connection.execute(query.where(table.c.customer_id == tx.customer)))

        async with self.store.reads(self.customer) as scope:
            return await scope.run(read)

    async def committed(self) -> int:
        """How many editors are committed."""
        (level,) = [row for row in await self.rows(seat_level) if row.kind is BalanceKind.COMMITTED]
        return int(level.balance)

    async def statuses(self) -> list[str]:
        """The statuses of all pending changes, oldest first."""
        return [row.status.value for row in await self.rows(pending_change)]

    async def invoices(self) -> list[tuple[int, str, int]]:
        """What was paid, status and what is open of the invoices, but for that of the start."""
        rows = [row for row in await self.rows(receivable) if row.paid + row.credited + row.open != START]
        return [(row.paid, row.status.value, row.open) for row in rows]

    async def payments(self) -> list[tuple[int, str, str | None]]:
        """What came in: amount, method and reference."""
        found = await self.rows(payment, payment.c.amount, payment.c.method, payment.c.reference)
        return [tuple(row) for row in found]

    async def version(self) -> int:
        """How often the subscription changed."""
        (row,) = await self.rows(subscription)
        return int(row.version)

    def kept(self) -> list[Charge]:
        """What the gateway has taken and not given back."""
        return [charge for charge in self.gateway.charges_made() if charge.taken and not charge.refunded]


async def payer(store: Store, clock: Clock, books: Path, method: str | None = "test_approve") -> Payer:
    """A new payer; the subscription starts now."""
    customer = new_id(clock())
    await store.deployment(apply_catalog, declared(SMALL))
    new = NewCustomer(
        f"payer-{customer}", "Initech", "USD", "UTC", "en", CustomerKind.TEST, ADDRESS, payment_method=method
    )
    await store.run(customer, register_customer, SYSTEM, new)
    request = StartSubscription("team", BillingInterval.MONTH, (("editor", 10),))
    started = await store.run(customer, start_subscription, SYSTEM, request)
    assert isinstance(started, SubscriptionStarted), started
    return Payer(store, clock, StandIn(books), customer, started.subscription)
