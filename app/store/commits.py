"""What goes with every commit: the outcome under its idempotency key, the outbox row, the audit row."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select

from app.billing.documents import DocumentKind
from app.store import bulk
from app.store.frozen import to_json
from app.store.saving import save
from app.store.sheet import News, Number, Sheet
from app.store.tables import audit, idempotency
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


def outcomes(tx: Tx, mutation: str, keys: Collection[str]) -> dict[str, Outcome]:
    """What was done under keys before; new keys are left out."""
    query = select(idempotency.c.key, idempotency.c.fingerprint, idempotency.c.outcome).where(
        idempotency.c.customer_id == tx.customer,
        idempotency.c.mutation == mutation,
        bulk.among(tx.connection, idempotency.c.key, keys),
    )
    return {row.key: Outcome(row.fingerprint, row.outcome) for row in tx.connection.execute(query)}


def record_outcomes(tx: Tx, mutation: str, done: Mapping[str, Outcome]) -> None:
    """Remember what each key did."""
    names = ("customer_id", "mutation", "key", "fingerprint", "outcome", "recorded_at")
    rows = [
        (tx.customer, mutation, key, what.fingerprint, to_json(what.body), tx.wall)
        for key, what in done.items()
    ]
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
    """Tell the vendor of these, in the order given."""
    sheet = Sheet()
    announce(sheet, tx, *news)
    save(tx.connection, sheet)


def announce(sheet: Sheet, tx: Tx, *news: Happened) -> None:
    """Outbox rows in the order given; the sequence of each orders the news of one object."""
    for each in news:
        sheet.news.append(News(tx, tx.new_id(), each.type, each.object_id, each.facts))


def note(tx: Tx, action: str, object_id: UUID, *, actor: str, at: datetime, detail: dict[str, Any]) -> None:
    """An audit row: who did what to which object, effective when."""
    sheet = Sheet()
    put_on_record(sheet, tx, action, object_id, actor=actor, at=at, detail=detail)
    save(tx.connection, sheet)


def put_on_record(
    sheet: Sheet, tx: Tx, action: str, object_id: UUID, *, actor: str, at: datetime, detail: dict[str, Any]
) -> None:
    """As `note`, with the other rows of a sheet."""
    row = {
        "customer_id": tx.customer,
        "id": tx.new_id(),
        "action": action,
        "actor": actor,
        "object_id": object_id,
        "detail": detail,
        "effective_at": at,
        "recorded_at": tx.at,
    }
    sheet.add(audit, row)


def next_number(sheet: Sheet, kind: DocumentKind, document_id: UUID, *, demo: bool) -> Number:
    """Ask for the next number of a series, which is taken when the sheet is written; what stands for it."""
    return sheet.number(f"DEMO-{PREFIXES[kind]}" if demo else PREFIXES[kind], document_id)
