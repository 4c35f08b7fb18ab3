"""The ledger of seats as the machine keeps it, of those in use or of those committed: told late, wrongly,
with and without names. It answers what the store would load for a decision, read off all events instead of by
index.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from app.billing.ledger import BalanceKind, Delta, EventSource, Holder, SeatEvent, correction, equaliser
from app.billing.plans import Item
from app.billing.usage import Held, Usage


@dataclass
class SeatBook:
    """All events of one balance, in the order in which they were told."""

    events: list[SeatEvent] = field(default_factory=list)
    kind: BalanceKind = BalanceKind.IN_USE

    def of(self, metric: Item) -> list[SeatEvent]:
        """The events of a metric in the order of the ledger."""
        return sorted((e for e in self.events if e.delta.metric == metric), key=lambda event: event.order)

    def level(self, metric: Item, at: datetime | None = None) -> int:
        """The seats in use once an instant is over; None: once all is."""
        return sum(e.delta.net for e in self.of(metric) if at is None or e.delta.effective_at <= at)

    def held(self, metric: Item, name: str) -> int:
        """The seats of one person after all that was told."""
        return sum(
            e.delta.net for e in self.of(metric) if e.delta.holder and e.delta.holder.reference == name
        )

    def tell(
        self, metric: Item, net: int, at: datetime, *, now: datetime, who: str | None, stated: int | None
    ) -> bool:
        """Record a report as the service does; False if it refuses it."""
        held = self.held(metric, who) if who else 0
        if not net or (who and (held if net > 0 else held < -net)):
            return False
        holder = Holder(who) if who else None
        added, removed = max(0, net), max(0, -net)
        source = EventSource.REPORT
        return self._record(
            (Delta(metric, self.kind, added, removed, at, source, holder, stated=stated),), now=now
        )

    def enter(self, deltas: Iterable[Delta], *, now: datetime) -> None:
        """Enter what was decided by a change or a renewal."""
        self.events += [
            SeatEvent(UUID(int=len(self.events) + i + 1), delta, now, "member")
            for i, delta in enumerate(deltas)
        ]

    def highest(self, metric: Item, since: datetime) -> int:
        """The most seats at any time from an instant on."""
        later = {e.delta.effective_at for e in self.of(metric) if e.delta.effective_at > since}
        return max(self.level(metric, at) for at in (since, *later))

    def correct(self, original: SeatEvent, added: int, removed: int, *, now: datetime) -> bool:
        """Put other values in the place of an event; False if it is refused."""
        if any(e.delta.corrects == original.id for e in self.events):
            return False
        if original.delta.holder:
            moves = added - removed - original.delta.net
            if self.held(original.delta.metric, original.delta.holder.reference) + moves < 0:
                return False
        return self._record(correction(original, added=added, removed=removed), now=now)

    def check_totals(self, metric: Item) -> None:
        """A total that was stated, and not corrected, is the balance of its instant for ever; reports of the
        very same instant are left out, since one of them may be meant to come after it.
        """
        ordered = self.of(metric)
        wrong = {e.delta.corrects for e in ordered}
        for event in ordered:
            at = event.delta.effective_at
            if event.delta.stated is None or event.id in wrong:
                continue
            reports = [e for e in ordered if e.delta.effective_at == at and e.id not in wrong]
            if sum(e.delta.source is not EventSource.EQUALISER for e in reports) == 1:
                assert self.level(metric, at) == event.delta.stated, "a stated total stays true"

    def usage(self, metric: Item, since: datetime) -> Usage:
        """The ledger of a metric from an instant on, with who held a seat before it."""
        ordered = self.of(metric)
        before = [e.delta for e in ordered if e.delta.effective_at < since]
        later = tuple(e.delta for e in ordered if e.delta.effective_at >= since)
        names: dict[str, int] = {}
        for delta in before:
            if delta.holder:
                names[delta.holder.reference] = names.get(delta.holder.reference, 0) + delta.net
        come = {delta.holder.reference for delta in later if delta.holder}
        people = sum(seats > 0 for seats in names.values())
        held = Held(people, sum(names.values()), {name: names.get(name, 0) for name in come})
        return Usage(sum(delta.net for delta in before), held, later)

    def _record(self, deltas: tuple[Delta, ...], *, now: datetime) -> bool:
        metric, first = deltas[0].metric, deltas[0].effective_at
        named = {e.delta.corrects for e in self.events} | {delta.corrects for delta in deltas}
        later = [e for e in self.of(metric) if e.delta.effective_at >= first and e.id not in named]
        kept = equaliser(deltas, later)
        told = (*deltas, kept) if kept else deltas
        new = [
            SeatEvent(UUID(int=len(self.events) + i + 1), delta, now, "vendor")
            for i, delta in enumerate(told)
        ]
        if min(self._balances([*self.events, *new], metric)) < 0:
            return False
        self.events += new
        return True

    def _balances(self, events: list[SeatEvent], metric: Item) -> Iterator[int]:
        """The balance at the end of every instant at which something happens."""
        nets: dict[datetime, int] = {}
        for event in events:
            if event.delta.metric == metric:
                at = event.delta.effective_at
                nets[at] = nets.get(at, 0) + event.delta.net
        level = 0
        yield level
        for at in sorted(nets):
            level += nets[at]
            yield level
