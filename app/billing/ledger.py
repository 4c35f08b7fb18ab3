"""The seat ledger: append-only events, and the balances that are folds of them.

Events are ordered by (effective_at, id). A balance is read as of an instant (events effective until then, the
instant included) and, if asked, as known at another (events recorded until then). Nothing is edited: a
correction is a reversal and the right value, both naming the original.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import Enum
from uuid import UUID

from app.billing.periods import first_instant
from app.billing.plans import Item, SeatPrice


class BalanceKind(Enum):
    """Which balance an event moves: the seats the customer asked for, or the seats in use."""

    COMMITTED = "COMMITTED"
    IN_USE = "IN_USE"


class EventSource(Enum):
    """What recorded an event."""

    START = "START"
    CHANGE = "CHANGE"
    SCHEDULED_CHANGE = "SCHEDULED_CHANGE"
    REPORT = "REPORT"
    CORRECTION = "CORRECTION"
    EQUALISER = "EQUALISER"


@dataclass(frozen=True, slots=True)
class Holder:
    """The person in a seat: the vendor's own opaque reference, and what to call them."""

    reference: str
    name: str | None = None
    email: str | None = None


@dataclass(frozen=True, slots=True)
class Delta:
    """What an event says before it is recorded: seats added to and removed from one balance of one metric.
    `stated` is the total that was stated, where that is how it was reported.
    """

    metric: Item
    kind: BalanceKind
    added: int
    removed: int
    effective_at: datetime
    source: EventSource
    holder: Holder | None = None
    note: str | None = None
    corrects: UUID | None = None
    stated: int | None = None

    @property
    def net(self) -> int:
        return self.added - self.removed


@dataclass(frozen=True, slots=True)
class SeatEvent:
    """A recorded row of the ledger."""

    id: UUID
    delta: Delta
    recorded_at: datetime
    actor: str

    @property
    def order(self) -> tuple[datetime, UUID]:
        return (self.delta.effective_at, self.id)


@dataclass(frozen=True, slots=True)
class SeatLevels:
    """Both balances of a metric at one instant, and the seats granted on top."""

    committed: int = 0
    in_use: int = 0
    granted: int = 0


@dataclass(frozen=True, slots=True)
class Sitting:
    """Somebody who holds seats of a metric now: how many, and since when without a break."""

    holder: Holder
    seats: int
    since: datetime


@dataclass(frozen=True, slots=True)
class DayLevel:
    """The seats of one local day: both balances at its end, and the most that were in use at any instant of
    it.
    """

    day: date
    committed: int
    in_use: int
    peak: int


@dataclass(frozen=True, slots=True)
class SeatBalance:
    """What a customer sees of one metric at an instant, from the levels and the price (vocabulary of the seat
    page).

    limit None: the plan sets none, then available is None too. A metric without a price has no included
    seats.
    """

    metric: Item
    committed: int
    included: int
    purchased: int
    granted: int
    limit: int | None
    in_use: int

    @property
    def available(self) -> int | None:
        return None if self.limit is None else max(0, self.limit - self.in_use)

    @property
    def overage(self) -> int:
        return 0 if self.limit is None else max(0, self.in_use - self.limit)


def balance_of(metric: Item, levels: SeatLevels, price: SeatPrice | None) -> SeatBalance:
    """The balance that people read, from the ledger's levels and what the plan includes."""
    if price is None:
        return SeatBalance(
            metric, levels.committed, 0, 0, levels.granted, levels.committed + levels.granted, levels.in_use
        )
    return SeatBalance(
        metric,
        committed=levels.committed,
        included=price.included,
        purchased=price.purchased(levels.committed),
        granted=levels.granted,
        limit=price.limit(levels.committed, levels.granted),
        in_use=levels.in_use,
    )


def balance(events: Iterable[SeatEvent], as_of: datetime, known_at: datetime | None = None) -> int:
    """The balance of events of one metric and kind: a fold, as of an instant and as known at another (None:
    now).
    """
    return sum(
        event.delta.net
        for event in events
        if event.delta.effective_at <= as_of and (known_at is None or event.recorded_at <= known_at)
    )


def equaliser(deltas: Sequence[Delta], later: Iterable[SeatEvent]) -> Delta | None:
    """What keeps a total true that was stated for a later instant than deltas of one metric and kind are
    effective at; None if none was, or they come to nothing. The first such total is kept, and so all are.

    `later` are the events from the deltas' instant on, without those that were corrected.
    """
    net = sum(delta.net for delta in deltas)
    at = max(delta.effective_at for delta in deltas)
    totals = [e.delta for e in later if e.delta.stated is not None and e.delta.effective_at > at]
    if not net or not totals:
        return None
    kept = min(totals, key=lambda delta: delta.effective_at)
    return Delta(
        metric=kept.metric,
        kind=kept.kind,
        added=max(0, -net),
        removed=max(0, net),
        effective_at=kept.effective_at,
        source=EventSource.EQUALISER,
        note=f"keeps the stated total of {kept.stated}",
    )


def correction(
    original: SeatEvent, *, added: int, removed: int, note: str | None = None
) -> tuple[Delta, Delta]:
    """The reversal of an event and the right values in its place, both effective when it was and both naming
    it.
    """
    wrong = original.delta
    reversal = Delta(
        wrong.metric,
        wrong.kind,
        wrong.removed,
        wrong.added,
        wrong.effective_at,
        EventSource.CORRECTION,
        wrong.holder,
        note,
        original.id,
    )
    right = Delta(
        wrong.metric,
        wrong.kind,
        added,
        removed,
        wrong.effective_at,
        EventSource.CORRECTION,
        wrong.holder,
        note,
        original.id,
        None if wrong.stated is None else wrong.stated - wrong.net + added - removed,
    )
    return reversal, right


def moved(sitting: Sitting | None, deltas: Sequence[Delta]) -> Sitting | None:
    """How a holder sits after deltas of theirs that were recorded together; None: they hold no seat. Name and
    e-mail are the last ones told.

    The deltas count together: the reversal that a correction begins with may take back more than is held just
    then.
    """
    last, net = deltas[-1], sum(delta.net for delta in deltas)
    assert last.holder is not None, "these deltas are somebody's"
    if sitting is None:
        return Sitting(last.holder, net, last.effective_at) if net > 0 else None
    if sitting.seats + net <= 0:
        return None
    before, told = sitting.holder, last.holder
    name = before.name if told.name is None else told.name
    email = before.email if told.email is None else told.email
    return Sitting(Holder(told.reference, name, email), sitting.seats + net, sitting.since)


def first_negative(deltas: Iterable[Delta], opening: int = 0) -> datetime | None:
    """The first instant at which the balance of deltas of one metric and kind would be below 0; None if
    never.
    """
    level = opening
    ordered = sorted(deltas, key=lambda delta: delta.effective_at)
    for i, delta in enumerate(ordered):
        level += delta.net
        instant_ends = i + 1 == len(ordered) or ordered[i + 1].effective_at != delta.effective_at
        if level < 0 and instant_ends:
            return delta.effective_at
    return None


def days(
    opening: SeatLevels, events: Iterable[Delta], *, start: date, until: date, zone: str
) -> tuple[DayLevel, ...]:
    """The levels of each local day from `start` until before `until`; `opening` is the level before the
    first, events lie inside.
    """
    ordered = sorted(events, key=lambda delta: delta.effective_at)
    committed, in_use, i = opening.committed, opening.in_use, 0
    levels = []
    for offset in range((until - start).days):
        day = start + timedelta(days=offset)
        ends, peak = first_instant(day + timedelta(days=1), zone), in_use
        while i < len(ordered) and ordered[i].effective_at < ends:
            if ordered[i].kind is BalanceKind.COMMITTED:
                committed += ordered[i].net
            else:
                in_use += ordered[i].net
            instant_ends = i + 1 == len(ordered) or ordered[i + 1].effective_at != ordered[i].effective_at
            if instant_ends:
                peak = max(peak, in_use)
            i += 1
        levels.append(DayLevel(day, committed, in_use, peak))
    return tuple(levels)
