"""What goes with every commit: the outcome under its idempotency key, the outbox row, the audit row; and
document numbers, taken last.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from app.billing.documents import DocumentKind
from app.store import bulk
from app.store.documents import Number
from app.store.tables import audit, idempotency, number, number_series, outbox
from app.store.transaction import Tx

PREFIXES = {DocumentKind.INVOICE: "INV", DocumentKind.CREDIT_NOTE: "CRN"}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a key did: the fingerprint of the request, and the ids and amounts that answer it."""

    fingerprint: str
    body: dict[str, Any]


def outcome(tx: Tx, mutation: str, key: str) -> Outcome | None:
    """What was done under a key before."""
    query = select(idempotency.c.fingerprint, idempotency.c.outcome).where(
        idempotency.c.customer_id == tx.customer, idempotency.c.mutation == mutation, idempotency.c.key == key
    )
    row = tx.connection.execute(query).one_or_none()
    return Outcome(row.fingerprint, row.outcome) if row else None


def outcomes(tx: Tx, mutation: str, keys: Iterable[str]) -> dict[str, Outcome]:
    """What was done under keys before; new keys are left out."""
    query = select(idempotency.c.key, idempotency.c.fingerprint, idempotency.c.outcome).where(
        idempotency.c.customer_id == tx.customer,
        idempotency.c.mutation == mutation,
        idempotency.c.key.in_(tuple(keys)),
    )
    return {row.key: Outcome(row.fingerprint, row.outcome) for row in tx.connection.execute(query)}


def record_outcomes(tx: Tx, mutation: str, done: Mapping[str, Outcome]) -> None:
    """Remember what each key did."""
    names = ("customer_id", "mutation", "key", "fingerprint", "outcome", "recorded_at")
    rows = [(tx.customer, mutation, key, what.fingerprint, what.body, tx.wall) for key, what in done.items()]
    bulk.insert_rows(tx.connection, idempotency, names, rows)


def record_outcome(tx: Tx, mutation: str, key: str, done: Outcome) -> None:
    """Remember what a key did."""
    tx.connection.execute(
        insert(idempotency).values(
            customer_id=tx.customer,
            mutation=mutation,
            key=key,
            fingerprint=done.fingerprint,
            outcome=done.body,
            recorded_at=tx.wall,
        )
    )


@dataclass(frozen=True, slots=True)
class Happened:
    """Something that the vendor is told of: its type, the object it happened to, and facts about it."""

    type: str
    object_id: UUID
    facts: dict[str, Any]


def publish(tx: Tx, *news: Happened) -> None:
    """Outbox rows in the order given; the sequence of each orders the events of one object."""
    objects = {event.object_id for event in news}
    query = (
        select(outbox.c.object_id, func.max(outbox.c.sequence).label("last"))
        .where(outbox.c.customer_id == tx.customer, outbox.c.object_id.in_(objects))
        .group_by(outbox.c.object_id)
    )
    last = {row.object_id: row.last for row in tx.connection.execute(query)}
    rows = []
    for event in news:
        last[event.object_id] = last.get(event.object_id, 0) + 1
        rows.append(
            {
                "customer_id": tx.customer,
                "id": tx.new_id(),
                "type": event.type,
                "object_id": event.object_id,
                "sequence": last[event.object_id],
                "payload": event.facts,
                "created_at": tx.wall,
            }
        )
    if rows:
        tx.connection.execute(insert(outbox), rows)


def note(tx: Tx, action: str, object_id: UUID, *, actor: str, at: datetime, detail: dict[str, Any]) -> None:
    """An audit row: who did what to which object, effective when."""
    tx.connection.execute(
        insert(audit).values(
            customer_id=tx.customer,
            id=tx.new_id(),
            action=action,
            actor=actor,
            object_id=object_id,
            detail=detail,
            effective_at=at,
            recorded_at=tx.at,
        )
    )


def next_number(tx: Tx, kind: DocumentKind, document_id: UUID, *, demo: bool) -> Number:
    """The next number of a series, without gaps: under the lock of its counter row, so it is taken as late as
    possible.
    """
    prefix = f"DEMO-{PREFIXES[kind]}" if demo else PREFIXES[kind]
    bump = update(number_series).where(number_series.c.series == prefix).values(last=number_series.c.last + 1)
    sequence = tx.connection.execute(bump.returning(number_series.c.last)).scalar()
    if sequence is None:
        dialect = sqlite if tx.connection.dialect.name == "sqlite" else postgresql
        tx.connection.execute(
            dialect.insert(number_series).values(series=prefix, last=0).on_conflict_do_nothing()
        )
        sequence = tx.connection.execute(bump.returning(number_series.c.last)).scalar_one()
    tx.connection.execute(insert(number).values(series=prefix, value=sequence, document_id=document_id))
    return Number(prefix, sequence, f"{prefix}-{sequence:06d}")
