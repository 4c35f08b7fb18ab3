"""Subscriptions of many customers in one transaction, for the billing run: the only rows of several customers
that are written together.

What is claimed is locked until the transaction ends, and whoever comes meanwhile passes over it (PostgreSQL:
SKIP LOCKED, on the row of the customer too, as every verb locks it; SQLite takes one writer at a time). So a
worker that dies leaves nothing behind that somebody would have to wait for. Of a customer with two
subscriptions, one that has ended and one that lives, only one is in a batch.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Select, func, or_, select, tuple_
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, ProgrammingError

from app.store import customers, subscriptions
from app.store.opened import Opened
from app.store.reference import Reference
from app.store.tables import customer, subscription
from app.store.transaction import BatchTx, may_run_again

MICROSECOND: Final = timedelta(microseconds=1)
REASON_MAX: Final = 300
LOCK_NOT_AVAILABLE: Final = "55P03"
OF_ITS_ROWS: Final = (DataError, IntegrityError, ProgrammingError)
"""What the database says of rows that it will never take."""


class BatchFailed(Exception):
    """Some of a batch, nobody knows which, kept all of it from being billed. Nothing was written."""

    def __init__(self, references: tuple[Reference, ...], cause: Exception) -> None:
        super().__init__(f"{len(references)} could not be billed together: {reason_of(cause)}")
        self.references = references
        self.cause = cause
        self.reason = reason_of(cause)
        self.transient = isinstance(cause, OSError | MemoryError | DBAPIError) and not isinstance(
            cause, OF_ITS_ROWS
        )


@contextmanager
def failing_together(claimed: Sequence[Claimed]) -> Iterator[None]:
    """Say of whom it was a failure.

    :raises BatchFailed: for one that may be of some of them alone
    """
    try:
        yield
    except Exception as error:
        if isinstance(error, DBAPIError) and _is_of_the_moment(error):
            raise
        raise BatchFailed(tuple(each.reference for each in claimed), error) from error


def is_of_all(error: Exception) -> bool:
    """Whether an error ended the transaction, and not only the work on one subscription."""
    return isinstance(error, DBAPIError)


def reason_of(error: Exception) -> str:
    """Why something failed, without the values of its rows."""
    words = str(error.orig) if isinstance(error, DBAPIError) else str(error)
    return f"Billing it failed: {type(error).__name__}: {words}"[:REASON_MAX]


def _is_of_the_moment(error: DBAPIError) -> bool:
    """Whether the same transaction may go through when it is run again, or when a lock is free."""
    locked = getattr(error.orig, "sqlstate", None) == LOCK_NOT_AVAILABLE
    return locked or error.connection_invalidated or may_run_again(error)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to claim: so many of those that were due by an instant of the wall clock (None: by now), from
    after one; or those that are named, as far as they are due.
    """

    limit: int
    until: datetime | None = None
    after: Reference | None = None
    named: tuple[Reference, ...] = ()


@dataclass(frozen=True, slots=True)
class Claimed:
    """A subscription that was claimed, and how far its customer's clock is ahead."""

    reference: Reference
    offset: timedelta


def claim(tx: BatchTx, wanted: Wanted, *, lock: bool) -> list[Claimed]:
    """Claim subscriptions of which something is due. Without `lock` they are only looked at, in the order of
    their customers.
    """
    columns = (subscription.c.customer_id, subscription.c.id, customer.c.clock_offset)
    same = customer.c.customer_id == subscription.c.customer_id
    query = select(*columns).select_from(subscription.join(customer, same)).where(*_due(tx, wanted))
    key = tuple_(subscription.c.customer_id, subscription.c.id)
    if wanted.named:
        query = query.where(key.in_([(one.customer, one.id) for one in wanted.named]))
    if wanted.after is not None:
        query = query.where(key > (wanted.after.customer, wanted.after.id))
    return _first_of_each(tx, _ordered(query, lock=lock).limit(wanted.limit))


def count(tx: BatchTx, wanted: Wanted) -> int:
    """How many there are to claim."""
    query = select(func.count()).select_from(subscription).where(*_due(tx, wanted))
    return tx.connection.execute(query).scalar_one()


def _due(tx: BatchTx, wanted: Wanted) -> tuple[Any, ...]:
    until = min(wanted.until, tx.wall) if wanted.until else tx.wall
    waits = subscription.c.retry_at
    return (
        subscription.c.due_at <= until,
        subscription.c.parked.is_(None),
        or_(waits.is_(None), waits <= tx.wall),
    )


def _ordered(query: Select[Any], *, lock: bool) -> Select[Any]:
    """Those that have waited longest come first; a look goes by the key, to be able to go on after one."""
    if not lock:
        return query.order_by(subscription.c.customer_id, subscription.c.id)
    longest = query.order_by(subscription.c.due_at, subscription.c.customer_id, subscription.c.id)
    return longest.with_for_update(key_share=True, skip_locked=True)


def _first_of_each(tx: BatchTx, query: Select[Any]) -> list[Claimed]:
    found: dict[Any, Claimed] = {}
    for row in tx.connection.execute(query):
        reference = Reference(row.customer_id, row.id)
        found.setdefault(row.customer_id, Claimed(reference, row.clock_offset * MICROSECOND))
    return list(found.values())


def opened(tx: BatchTx, claimed: Sequence[Claimed]) -> list[Opened]:
    """The subscriptions that were claimed, as they are stored, each with its customer's transaction."""
    txs = tx.enter({each.reference.customer: each.offset for each in claimed})
    stored = subscriptions.get_of([(txs[c.reference.customer], c.reference.id) for c in claimed])
    owners = customers.get_of(txs.values())
    return [
        Opened(txs[c.reference.customer], owners[c.reference.customer], stored[c.reference.id])
        for c in claimed
    ]
