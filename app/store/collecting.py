"""Invoices whose money a gateway collects: one row each, with the intent of the try that is under way."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select, update

from app.billing.money import Currency, Money
from app.billing.payments import CollectionStatus
from app.store.sheet import Sheet
from app.store.tables import collection
from app.store.transaction import Tx

NO_INTENT: Final = {"intent": None, "intent_at": None, "amount": None, "method": None, "attempts": 0}


@dataclass(frozen=True, slots=True)
class Intent:
    """One try: under this id, so much is taken by this method. Begun `at` an instant of the wall clock."""

    id: UUID
    at: datetime
    amount: Money
    method: str


@dataclass(frozen=True, slots=True)
class Collection:
    """How far an invoice is collected: how many tries came to nothing, how often the gateway gave no answer
    to the present one, and when somebody may next work on it (wall time).
    """

    invoice: UUID
    status: CollectionStatus
    tries: int
    attempts: int
    run_at: datetime
    intent: Intent | None

    @property
    def under_way(self) -> bool:
        """Whether something is left to be done."""
        return self.status in {CollectionStatus.WAITING, CollectionStatus.REFUNDING}


def await_collection(sheet: Sheet, tx: Tx, invoice: UUID) -> None:
    """An invoice that is just issued is to be collected, at once."""
    row = {
        "customer_id": tx.customer,
        "invoice_id": invoice,
        "status": CollectionStatus.WAITING,
        "tries": 0,
        "attempts": 0,
        "run_at": tx.wall,
    }
    sheet.add(collection, row)


def get(tx: Tx, invoice: UUID, currency: Currency) -> Collection | None:
    """The collection of an invoice; None for one that waits for its payer alone."""
    query = select(collection).where(
        collection.c.customer_id == tx.customer, collection.c.invoice_id == invoice
    )
    row = tx.connection.execute(query).one_or_none()
    if row is None:
        return None
    intent = (
        Intent(row.intent, row.intent_at, Money(row.amount, currency), row.method) if row.intent else None
    )
    return Collection(invoice, row.status, row.tries, row.attempts, row.run_at, intent)


def begin(tx: Tx, invoice: UUID, intent: Intent, *, run_at: datetime) -> None:
    """A try begins, with an intent of its own."""
    values = {"intent": intent.id, "intent_at": intent.at, "amount": intent.amount.minor}
    _update(tx, invoice, {**values, "method": intent.method, "attempts": 0, "run_at": run_at})


def hold(tx: Tx, invoice: UUID, status: CollectionStatus, *, run_at: datetime) -> None:
    """Somebody works on it until then."""
    _update(tx, invoice, {"status": status, "run_at": run_at})


def put_off(tx: Tx, invoice: UUID, *, run_at: datetime, error: str) -> None:
    """No answer came: the same is asked again later."""
    values = {"attempts": collection.c.attempts + 1, "run_at": run_at, "last_error": error[:500]}
    _update(tx, invoice, values)


def fail(tx: Tx, invoice: UUID, *, run_at: datetime, reason: str) -> None:
    """The try came to nothing, and its intent is over: the next has one of its own."""
    values = {"status": CollectionStatus.WAITING, "tries": collection.c.tries + 1, "run_at": run_at}
    _update(tx, invoice, {**values, **NO_INTENT, "last_error": reason[:500]})


def end(tx: Tx, invoice: UUID, status: CollectionStatus) -> None:
    """Nothing is left to be done."""
    _update(tx, invoice, {"status": status})


def move_due(tx: Tx, by: timedelta) -> None:
    """The customer's time moved: tries that wait come so much sooner."""
    waiting = (
        collection.c.customer_id == tx.customer,
        collection.c.status == CollectionStatus.WAITING,
        collection.c.intent.is_(None),
    )
    query = select(collection.c.invoice_id, collection.c.run_at).where(*waiting)
    for row in tx.connection.execute(query).all():
        _update(tx, row.invoice_id, {"run_at": row.run_at - by})


def _update(tx: Tx, invoice: UUID, values: dict[str, Any]) -> None:
    mine = (collection.c.customer_id == tx.customer, collection.c.invoice_id == invoice)
    tx.connection.execute(update(collection).where(*mine).values(values))
