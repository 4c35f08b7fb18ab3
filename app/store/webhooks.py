"""What is sent to the endpoints: one delivery for each message and endpoint, and the log of its tries.

A message is an outbox row, and stays as it was written in the transaction that it tells of. `hand_out` makes
the deliveries. A delivery with a next time waits; without, it was delivered or has failed.

What the worker does here it does for several customers in one transaction, since a billing run leaves a
hundred thousand messages: it works off the outbox, endpoint by endpoint, and holds no customer's row.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Select, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Row

from app.store import bulk, webhook_endpoints
from app.store.tables import customer, outbox, webhook_attempt, webhook_delivery
from app.store.transaction import DeploymentTx, Tx
from app.store.webhook_endpoints import Endpoint

LEASE: Final = timedelta(seconds=60)
"""How long a try may go unheard of before another begins; longer than a try may take."""


@dataclass(frozen=True, slots=True)
class Message:
    """What the vendor is told: something that happened to an object of a customer, as its `sequence`-th news.

    :ivar reference: the vendor's own id of the customer
    """

    id: UUID
    customer: UUID
    reference: str
    type: str
    object_id: UUID
    sequence: int
    facts: dict[str, Any]
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Try:
    """A message that is about to be sent, by nobody else, until the lease ends.

    :ivar number: which try of the delivery it is, from 1
    :ivar of_round: which since it began, or was asked for again, from 1
    """

    delivery: UUID
    number: int
    of_round: int
    endpoint: Endpoint
    message: Message


class Status(Enum):
    """How far a delivery is."""

    WAITING = "WAITING"
    DELIVERED = "DELIVERED"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True)
class Attempt:
    """A try that is over: the status of the answer, or why there was none."""

    number: int
    at: datetime
    status: int | None
    error: str | None
    milliseconds: int


@dataclass(frozen=True, slots=True)
class Delivery:
    """How far a message has come on its way to an endpoint."""

    id: UUID
    endpoint: UUID
    message: UUID
    type: str
    status: Status
    attempts: int
    created_at: datetime
    next_at: datetime | None
    last_status: int | None
    last_error: str | None
    log: tuple[Attempt, ...] = ()


def hand_out(tx: DeploymentTx, *, known: Collection[str], limit: int) -> int:
    """Make the deliveries of the oldest messages that wait; how many messages those were.

    Handing a message out twice makes nothing twice. An endpoint hears of what happens from its creation on.
    Types that are not known go nowhere.
    """
    query = (
        select(outbox.c.customer_id, outbox.c.id, outbox.c.type, outbox.c.created_at)
        .where(outbox.c.delivered_at.is_(None))
        .order_by(outbox.c.created_at, outbox.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    waiting = tx.connection.execute(query).all()
    endpoints = [each for each in webhook_endpoints.every(tx) if each.disabled_because is None]
    rows = [
        _new_delivery(tx, row.customer_id, row.id, endpoint.id)
        for row in waiting
        for endpoint in endpoints
        if row.type in known and endpoint.wants(row.type) and endpoint.created_at <= row.created_at
    ]
    if rows:
        dialect = sqlite if tx.connection.dialect.name == "sqlite" else postgresql
        tx.connection.execute(dialect.insert(webhook_delivery).on_conflict_do_nothing(), rows)
    handed = [(row.customer_id, row.id, tx.wall) for row in waiting]
    bulk.update_rows(tx.connection, outbox, ("customer_id", "id"), ("delivered_at",), handed)
    return len(waiting)


def _new_delivery(tx: DeploymentTx, customer: UUID, message: UUID, endpoint: UUID) -> dict[str, Any]:
    return {
        "customer_id": customer,
        "id": tx.new_id(),
        "outbox_id": message,
        "endpoint_id": endpoint,
        "attempts": 0,
        "round_start": 0,
        "created_at": tx.wall,
        "next_at": tx.wall,
    }


def begin(tx: DeploymentTx, endpoint: Endpoint, limit: int) -> list[Try]:
    """Take those deliveries to an endpoint that have been due for longest, each for its next try."""
    query = (
        _with_message(select(webhook_delivery, customer.c.reference))
        .join(customer, customer.c.customer_id == webhook_delivery.c.customer_id)
        .where(webhook_delivery.c.endpoint_id == endpoint.id, webhook_delivery.c.next_at <= tx.wall)
        .order_by(webhook_delivery.c.next_at, webhook_delivery.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True, of=webhook_delivery)
    )
    taken = [_try(row, endpoint) for row in tx.connection.execute(query)]
    leased = [(each.message.customer, each.delivery, each.number, tx.wall + LEASE) for each in taken]
    names = ("attempts", "next_at")
    bulk.update_rows(tx.connection, webhook_delivery, ("customer_id", "id"), names, leased)
    return taken


def put_off(tx: DeploymentTx, endpoint: UUID, until: datetime, why: str) -> None:
    """Let all that is due to an endpoint wait until then, which is no try."""
    due = update(webhook_delivery).where(
        webhook_delivery.c.endpoint_id == endpoint, webhook_delivery.c.next_at <= tx.wall
    )
    tx.connection.execute(due.values(next_at=until, last_error=why))


def log(tx: DeploymentTx, attempts: Sequence[tuple[Try, Attempt]]) -> None:
    """Record what became of tries."""
    names = ("customer_id", "delivery_id", "number", "at", "status", "error", "milliseconds")
    rows = []
    for taken, each in attempts:
        what = (each.number, each.at, each.status, each.error, each.milliseconds)
        rows.append((taken.message.customer, taken.delivery, *what))
    bulk.insert_rows(tx.connection, webhook_attempt, names, rows)


def delivered(tx: DeploymentTx, attempts: Sequence[tuple[Try, Attempt]]) -> None:
    """Note that deliveries have arrived, whatever other tries came to."""
    names = ("last_status", "last_error", "next_at", "delivered_at", "failed_at")
    rows = [
        (taken.message.customer, taken.delivery, each.status, None, None, tx.wall, None)
        for taken, each in attempts
    ]
    bulk.update_rows(tx.connection, webhook_delivery, ("customer_id", "id"), names, rows)


def not_delivered(tx: DeploymentTx, taken: Try, attempt: Attempt, next_at: datetime | None) -> None:
    """Note that a try was in vain, and when the next is; without one the delivery has failed. If another try
    has begun meanwhile, that one decides; and what was delivered is delivered.
    """
    latest = (
        (webhook_delivery.c.customer_id == taken.message.customer)
        & (webhook_delivery.c.id == taken.delivery)
        & (webhook_delivery.c.attempts == taken.number)
        & webhook_delivery.c.delivered_at.is_(None)
    )
    tx.connection.execute(
        update(webhook_delivery)
        .where(latest)
        .values(
            last_status=attempt.status,
            last_error=attempt.error,
            next_at=next_at,
            failed_at=None if next_at else tx.wall,
        )
    )


def again(tx: Tx, delivery: UUID) -> None:
    """Send a message again, from now on as if for the first time; under the same id."""
    fresh = {"delivered_at": None, "failed_at": None, "round_start": webhook_delivery.c.attempts}
    this = (webhook_delivery.c.customer_id == tx.customer) & (webhook_delivery.c.id == delivery)
    tx.connection.execute(update(webhook_delivery).where(this).values(next_at=tx.wall, **fresh))


def deliveries(tx: Tx, ids: Sequence[UUID]) -> list[Delivery]:
    """Deliveries of the customer with all their tries, latest first."""
    query = _with_message(select(webhook_delivery)).where(
        webhook_delivery.c.customer_id == tx.customer, webhook_delivery.c.id.in_(ids)
    )
    rows = tx.connection.execute(query.order_by(webhook_delivery.c.id.desc())).all()
    logs: dict[UUID, list[Attempt]] = {}
    logged = (
        select(webhook_attempt)
        .where(webhook_attempt.c.customer_id == tx.customer, webhook_attempt.c.delivery_id.in_(ids))
        .order_by(webhook_attempt.c.number)
    )
    for row in tx.connection.execute(logged):
        attempt = Attempt(row.number, row.at, row.status, row.error, row.milliseconds)
        logs.setdefault(row.delivery_id, []).append(attempt)
    return [_delivery(row, tuple(logs.get(row.id, ()))) for row in rows]


def _with_message(query: Select[Any]) -> Select[Any]:
    """A query of deliveries, with the messages that they are of."""
    of_it = (outbox.c.customer_id == webhook_delivery.c.customer_id) & (
        outbox.c.id == webhook_delivery.c.outbox_id
    )
    told = outbox.c.created_at.label("told_at")
    named = (outbox.c.type, outbox.c.object_id, outbox.c.sequence, outbox.c.payload, told)
    return query.add_columns(*named).select_from(webhook_delivery).join(outbox, of_it)


def _try(row: Row[Any], endpoint: Endpoint) -> Try:
    message = Message(
        id=row.outbox_id,
        customer=row.customer_id,
        reference=row.reference,
        type=row.type,
        object_id=row.object_id,
        sequence=row.sequence,
        facts=row.payload,
        created_at=row.told_at,
    )
    number = row.attempts + 1
    return Try(row.id, number, number - row.round_start, endpoint, message)


def _delivery(row: Row[Any], log: tuple[Attempt, ...]) -> Delivery:
    ended = Status.DELIVERED if row.delivered_at is not None else Status.FAILED
    return Delivery(
        id=row.id,
        endpoint=row.endpoint_id,
        message=row.outbox_id,
        type=row.type,
        status=Status.WAITING if row.next_at is not None else ended,
        attempts=row.attempts,
        created_at=row.created_at,
        next_at=row.next_at,
        last_status=row.last_status,
        last_error=row.last_error,
        log=log,
    )
