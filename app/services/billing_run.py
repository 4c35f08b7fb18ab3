"""The billing run: bills everything that is due, batch by batch, each batch in one transaction.

What is claimed ends billed, parked with a reason, or put off to a time; the sum is checked. Each subscription
is decided and composed as a verb would do it (`compose_due`); only the states of a batch are loaded together,
and their rows saved together. Whoever raises meanwhile is parked by itself; if that is while loading or
saving, where nobody knows who it was, the batch is done again in halves, until one alone fails. Any number of
runs may work at once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from app.billing.documents import DocumentKind
from app.billing.parties import Catalog
from app.services.bill import park
from app.services.bring_up import BroughtUp, compose_due, instant
from app.services.collection import no_search
from app.services.postings import due_in_wall_time
from app.store import catalogs, run_batch, states, subscriptions
from app.store.opened import Opened
from app.store.reference import Reference
from app.store.run_batch import BatchFailed, Claimed, Wanted
from app.store.saving import save
from app.store.sheet import Sheet
from app.store.states import Found
from app.store.transaction import BatchTx, Busy, Store, Tx

BATCH: Final = 500
BUSY_MAX: Final = 5
TRIES_MAX: Final = 5
RETRY_AFTER: Final = timedelta(minutes=1)
LOOK_AGAIN_AFTER: Final = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class Order:
    """What a run is to do: only what was due by an instant of the wall clock (None: by now), and in batches
    of how many. `dry` decides everything and writes nothing.
    """

    until: datetime | None = None
    batch: int = BATCH
    dry: bool = False


@dataclass(frozen=True, slots=True)
class Parked:
    """A subscription that could not be billed: its customer as the vendor calls it, and why."""

    subscription: UUID
    customer: str
    reason: str


@dataclass(frozen=True, slots=True)
class Fault:
    """Something broke while a subscription was billed, which is no refusal."""

    subscription: UUID
    error: Exception


@dataclass(slots=True)
class Tally:
    """What became of the subscriptions that were claimed, and what broke; documents and what they come to, by
    currency and kind, in minor units with tax.
    """

    claimed: int = 0
    billed: int = 0
    rescheduled: int = 0
    parked: list[Parked] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    documents: Counter[tuple[str, DocumentKind]] = field(default_factory=Counter)
    totals: Counter[tuple[str, DocumentKind]] = field(default_factory=Counter)

    def add(self, other: Tally) -> None:
        """What became of others is counted in, and the sum checked."""
        self.claimed += other.claimed
        self.billed += other.billed
        self.rescheduled += other.rescheduled
        self.parked += other.parked
        self.faults += other.faults
        self.documents.update(other.documents)
        self.totals.update(other.totals)
        ended = self.billed + len(self.parked) + self.rescheduled
        assert ended == self.claimed, f"{self.claimed} claimed, and {ended} billed, parked or put off"


async def run(store: Store, order: Order | None = None) -> AsyncIterator[Tally]:
    """Bill what is due until nothing is; what became of each batch.

    :raises Busy: if the database had no turn again and again; what came before is billed
    """
    order = order or Order()
    after: Reference | None = None
    while True:
        wanted = Wanted(order.batch, order.until, after if order.dry else None)
        tally, last = await _next(store, wanted, dry=order.dry)
        if last is None:
            return
        after = last
        yield tally


async def count_due(store: Store, until: datetime | None = None) -> int:
    """How many subscriptions a run would claim now."""
    return await store.look(run_batch.count, Wanted(0, until))


async def _next(store: Store, wanted: Wanted, *, dry: bool) -> tuple[Tally, Reference | None]:
    """Bill a batch; what became of it, and the last one of it, None if nothing was there to claim."""
    door = store.look if dry else store.batch
    for tries in range(1, BUSY_MAX + 1):
        try:
            return await door(bill_batch, wanted, write=not dry)
        except Busy:
            if tries == BUSY_MAX:
                raise
        except BatchFailed as failed:
            return await _apart(store, wanted, failed, dry=dry), failed.references[-1]
    raise AssertionError("it returns or raises")


async def _apart(store: Store, wanted: Wanted, failed: BatchFailed, *, dry: bool) -> Tally:
    """Bill those apart who cannot be billed together; the one that fails alone is given up for now."""
    references = failed.references
    if len(references) == 1:
        return await _give_up(store, references[0], failed, dry=dry)
    tally, half = Tally(), len(references) // 2
    for some in (references[:half], references[half:]):
        named = Wanted(len(some), wanted.until, named=some)
        part, _ = await _next(store, named, dry=dry)
        tally.add(part)
    return tally


async def _give_up(store: Store, reference: Reference, failed: BatchFailed, *, dry: bool) -> Tally:
    """Park a subscription that cannot be billed, or try again later if that may help."""
    if dry:
        tally = _parked(reference.id, str(reference.customer), failed.reason)
    else:
        tally = await store.run(reference.customer, give_up, reference.id, failed)
    tally.faults.append(Fault(reference.id, failed.cause))
    return tally


def give_up(tx: Tx, subscription_id: UUID, failed: BatchFailed) -> Tally:
    """What becomes of a subscription that could not be billed for a reason of no decision. Somebody else may
    have billed it since.
    """
    tries, due_at = subscriptions.tries(tx, subscription_id)
    if due_at is None or due_at > tx.wall:
        return Tally()
    sheet = Sheet()
    if failed.transient and tries < TRIES_MAX:
        retry_at = tx.wall + RETRY_AFTER * 2**tries
        subscriptions.put_off(sheet, tx, subscription_id, due_at=due_at, retry_at=retry_at, tries=tries + 1)
        tally = Tally(claimed=1, rescheduled=1)
    else:
        park(sheet, tx, subscription_id, failed.reason)
        tally = _parked(subscription_id, str(tx.customer), failed.reason)
    save(tx.connection, sheet)
    return tally


def bill_batch(tx: BatchTx, wanted: Wanted, *, write: bool) -> tuple[Tally, Reference | None]:
    """Claim subscriptions that are due, and bill them together.

    :raises BatchFailed: if one of them, nobody knows which, keeps all from being billed
    """
    claimed = run_batch.claim(tx, wanted, lock=write)
    if not claimed:
        return Tally(), None
    with no_search(), run_batch.failing_together(claimed):
        return _billed(tx, claimed, wanted.until, write=write), claimed[-1].reference


def _billed(tx: BatchTx, claimed: list[Claimed], until: datetime | None, *, write: bool) -> Tally:
    of = run_batch.opened(tx, claimed)
    catalog = catalogs.current(tx)
    sheet, tally = Sheet(), Tally()
    for opened, found in zip(of, states.read(catalog, of), strict=True):
        page = Sheet()
        tally.add(_bill_one(page, catalog, opened, found, until))
        sheet.take(page)
    if write:
        save(tx.connection, sheet)
    return tally


def _bill_one(page: Sheet, catalog: Catalog, opened: Opened, found: Found, until: datetime | None) -> Tally:
    """Put on a page what is due of one subscription, whatever becomes of it."""
    tx = opened.tx
    try:
        loaded = states.made(catalog, opened, found)
        done = compose_due(page, tx, loaded, _instant(opened, until))
    except Exception as error:
        if run_batch.is_of_all(error):
            raise
        page.clear()
        tally = _park(page, opened, run_batch.reason_of(error))
        tally.faults.append(Fault(opened.id, error))
        return tally
    if done.stopped:
        return _park(page, opened, done.stopped.message, done)
    if not done.written:
        due_at = due_in_wall_time(done.loaded.state, opened.customer.clock_offset)
        retry_at = tx.wall + LOOK_AGAIN_AFTER
        subscriptions.put_off(page, tx, opened.id, due_at=due_at, retry_at=retry_at, tries=0)
        return Tally(claimed=1, rescheduled=1)
    return _counted(Tally(claimed=1, billed=1), done)


def _instant(opened: Opened, until: datetime | None) -> datetime:
    """The customer's instant up to which is billed."""
    now = instant(opened.tx)
    return min(now, (until + opened.customer.clock_offset).replace(microsecond=0)) if until else now


def _park(page: Sheet, opened: Opened, reason: str, done: BroughtUp | None = None) -> Tally:
    park(page, opened.tx, opened.id, reason)
    tally = _parked(opened.id, opened.customer.reference, reason)
    return _counted(tally, done) if done else tally


def _parked(subscription_id: UUID, customer: str, reason: str) -> Tally:
    return Tally(claimed=1, parked=[Parked(subscription_id, customer, reason)])


def _counted(tally: Tally, done: BroughtUp) -> Tally:
    for document in (document for written in done.written for document in written.documents):
        key = (document.currency.code, document.kind)
        tally.documents[key] += 1
        tally.totals[key] += document.totals.total.minor
    return tally


async def everything(store: Store, order: Order | None = None) -> Tally:
    """Bill what is due until nothing is; what became of all."""
    tally = Tally()
    async for batch in run(store, order):
        tally.add(batch)
    return tally
