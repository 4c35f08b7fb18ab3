"""Many reports about one customer's seats at once, applied in the order given.

Each item has its own idempotency key and its own result: a refused one does not stop the others. Each is
decided exactly as if it had come alone, after those before it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, Final
from uuid import UUID

from app.billing.ledger import BalanceKind
from app.billing.permissions import Actor
from app.billing.refusals import IdempotencyKeyReused, InvalidInput, NotFound
from app.billing.reports import SeatCorrection, SeatReport
from app.services.quotes import fingerprint
from app.services.record_seats import announce, open_ledger, save
from app.services.report_committed import (
    CommittedCorrection,
    CommittedRecorded,
    CommittedReport,
    ReportRefusal,
    correct_committed,
    report_committed,
)
from app.store import commits, seats
from app.store.commits import Outcome
from app.store.transaction import Tx

MUTATION: Final = "recordSeats"
ITEMS_MAX: Final = 1_000


Work = SeatReport | SeatCorrection | CommittedReport | CommittedCorrection
OfCommitted = CommittedReport | CommittedCorrection


@dataclass(frozen=True, slots=True)
class SeatItem:
    """One thing to record, under one key: seats in use, committed seats, or a correction of an earlier event
    of either kind.
    """

    idempotency_key: str
    work: Work


@dataclass(frozen=True, slots=True)
class ItemRecorded:
    """What an item did, now or, `replayed`, when its key first came: the events in use that it became (none
    if a stated total was true already), or how many seats are committed since.
    """

    idempotency_key: str
    events: tuple[UUID, ...] = ()
    committed: int | None = None
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class ItemRefused:
    """Why an item was not recorded. It may come again under its key."""

    idempotency_key: str
    refusal: ReportRefusal | IdempotencyKeyReused


ItemResult = ItemRecorded | ItemRefused


def record_batch(tx: Tx, actor: Actor, items: Sequence[SeatItem]) -> tuple[ItemResult, ...]:
    """Record up to a thousand items of one customer, in order; a result for each.

    :raises ValueError: if there are more
    """
    if len(items) > ITEMS_MAX:
        raise ValueError(f"A batch has at most {ITEMS_MAX} items, not {len(items)}.")
    items = _routed(tx, items)
    batch = _Batch(tx, actor, commits.outcomes(tx, MUTATION, {item.idempotency_key for item in items}))
    results: list[ItemResult] = []
    for committed, together in groupby(items, key=lambda item: isinstance(item.work, OfCommitted)):
        decide = batch.commit if committed else batch.report
        results += decide(tuple(together))
    announce(tx, batch.moved)
    commits.record_outcomes(tx, MUTATION, batch.done)
    return tuple(results)


@dataclass(slots=True)
class _Batch:
    """A batch under way: what its keys did before, what they did now, and the metrics whose use moved."""

    tx: Tx
    actor: Actor
    known: dict[str, Outcome]
    done: dict[str, Outcome] = field(default_factory=dict)
    moved: list[str] = field(default_factory=list)

    def report(self, items: Sequence[SeatItem]) -> list[ItemResult]:
        """Items about seats in use, decided in memory and then written together."""
        works = [item.work for item in items if item.idempotency_key not in self.known]
        opened = open_ledger(
            self.tx, self.actor, [work for work in works if isinstance(work, SeatReport | SeatCorrection)]
        )
        results: list[ItemResult] = []
        for item in items:
            told = _fingerprint(item)
            result = self._before(item, told)
            if result is None:
                work = item.work
                assert not isinstance(work, OfCommitted), "those are decided one by one"
                events = opened.report(work) if isinstance(work, SeatReport) else opened.correct(work)
                result = (
                    ItemRefused(item.idempotency_key, events)
                    if isinstance(events, InvalidInput | NotFound)
                    else self._recorded(item, told, events=tuple(event.id for event in events))
                )
            results.append(result)
        self.moved += save(self.tx, self.actor, opened)
        return results

    def commit(self, items: Sequence[SeatItem]) -> list[ItemResult]:
        """Items about committed seats: each may bill, so each is decided on what is stored."""
        results: list[ItemResult] = []
        for item in items:
            told = _fingerprint(item)
            result = self._before(item, told)
            if result is None:
                fact = self._committed(item.work)
                result = (
                    self._recorded(item, told, committed=fact.committed)
                    if isinstance(fact, CommittedRecorded)
                    else ItemRefused(item.idempotency_key, fact)
                )
            results.append(result)
        return results

    def _committed(self, work: Work) -> CommittedRecorded | ReportRefusal:
        assert isinstance(work, OfCommitted), "use is decided together"
        if isinstance(work, CommittedReport):
            return report_committed(self.tx, self.actor, work)
        return correct_committed(self.tx, self.actor, work)

    def _before(self, item: SeatItem, fingerprinted: str) -> ItemResult | None:
        """What the item's key did before, in this batch or an earlier one; None if it is new."""
        key = item.idempotency_key
        outcome = self.known.get(key) or self.done.get(key)
        if outcome is None:
            return None
        if outcome.fingerprint != fingerprinted:
            return ItemRefused(key, IdempotencyKeyReused(key))
        events = tuple(UUID(event) for event in outcome.body["events"])
        return ItemRecorded(key, events, outcome.body["committed"], replayed=True)

    def _recorded(
        self,
        item: SeatItem,
        fingerprinted: str,
        *,
        events: tuple[UUID, ...] = (),
        committed: int | None = None,
    ) -> ItemRecorded:
        body: dict[str, Any] = {"events": [str(event) for event in events], "committed": committed}
        self.done[item.idempotency_key] = Outcome(fingerprinted, body)
        return ItemRecorded(item.idempotency_key, events, committed)


def _routed(tx: Tx, items: Sequence[SeatItem]) -> Sequence[SeatItem]:
    """The items, where corrections of committed seats say so."""
    named = {item.work.event for item in items if isinstance(item.work, SeatCorrection)}
    if not named:
        return items
    originals = seats.events_by_id(tx, named)
    routed = []
    for item in items:
        work = item.work
        original = originals.get(work.event) if isinstance(work, SeatCorrection) else None
        committed = original is not None and original.delta.kind is BalanceKind.COMMITTED
        if committed and isinstance(work, SeatCorrection):
            work = CommittedCorrection(work.event, work.added, work.removed, work.note)
        routed.append(SeatItem(item.idempotency_key, work))
    return routed


def _fingerprint(item: SeatItem) -> str:
    """Of what is asked for and of its kind: reports of use and of commitment have the same fields."""
    return fingerprint((type(item.work).__name__, item.work))
