"""Seats in use as the vendor reports them, decided one after another in memory.

An `OpenLedger` is the part of a customer's ledger that reports touch: the levels from the earliest instant on
that any of them is about, the people they name, the events they correct. Deciding a report moves it on, so
that the next one is decided as if the first were stored already. Nothing is loaded or written here.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

from app.billing.ledger import (
    BalanceKind,
    Delta,
    EventSource,
    Holder,
    SeatEvent,
    Sitting,
    correction,
    equaliser,
    moved,
)
from app.billing.plans import Item
from app.billing.refusals import InvalidInput, NotFound, Problem
from app.billing.requests import SEATS_MAX

LATE_MAX: Final = timedelta(days=396)
"""Thirteen months: what is reported later about use that was billed takes a credit note by hand."""

TEXT_MAX: Final = 500
ID_MAX: Final = UUID(int=2**128 - 1)

Seat = tuple[str, str]
"""A metric, and the reference of a holder."""


@dataclass(frozen=True, slots=True)
class SeatReport:
    """Seats of a metric taken into use or given back, now or at an earlier instant; exactly one of the three
    numbers.
    """

    metric: str
    added: int | None = None
    removed: int | None = None
    total: int | None = None
    holder: Holder | None = None
    effective_at: datetime | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class SeatCorrection:
    """What an event should have said."""

    event: UUID
    added: int
    removed: int
    note: str | None = None


@dataclass(slots=True)
class Timeline:
    """The seats of one metric in use from an instant on: the level at the end of each instant at which it
    moved, and the totals that were stated and still stand, oldest first.
    """

    opening: int = 0
    instants: list[datetime] = field(default_factory=list)
    levels: list[int] = field(default_factory=list)
    stated: list[tuple[datetime, UUID, SeatEvent]] = field(default_factory=list)

    def at(self, instant: datetime) -> int:
        """The level at the end of an instant."""
        if not self.instants or instant >= self.instants[-1]:
            return self.levels[-1] if self.levels else self.opening
        place = bisect_right(self.instants, instant)
        return self.levels[place - 1] if place else self.opening

    def next_stated(self, after: datetime) -> SeatEvent | None:
        """The first total that was stated for later than an instant."""
        if not self.stated or after >= self.stated[-1][0]:
            return None
        return self.stated[bisect_right(self.stated, (after, ID_MAX), key=_order)][2]

    def first_below(self, net: int, start: datetime, until: datetime | None) -> datetime | None:
        """The first instant in a stretch of time at which the level and `net` would be below zero."""
        if net >= 0:
            return None
        if self.at(start) + net < 0:
            return start
        first, last = self._stretch(start, until)
        if min(self.levels[first:last], default=-net) + net >= 0:
            return None
        return next(self.instants[i] for i in range(first, last) if self.levels[i] + net < 0)

    def move(self, net: int, start: datetime, until: datetime | None) -> None:
        """Raise every level in a stretch of time by `net`."""
        level = self.at(start)
        if not self.instants or start > self.instants[-1]:
            self.instants.append(start)
            self.levels.append(level + net)
            return
        place = bisect_left(self.instants, start)
        if place == len(self.instants) or self.instants[place] != start:
            self.instants.insert(place, start)
            self.levels.insert(place, level)
        first, last = self._stretch(start, until)
        self.levels[first:last] = [each + net for each in self.levels[first:last]]

    def state(self, event: SeatEvent) -> None:
        """Remember a total that stands from now on, if the event states one."""
        if event.delta.stated is not None:
            insort(self.stated, (event.delta.effective_at, event.id, event), key=_order)

    def unstate(self, event: SeatEvent) -> None:
        """Forget a total that was corrected."""
        place = bisect_left(self.stated, event.order, key=_order)
        if place < len(self.stated) and self.stated[place][1] == event.id:
            del self.stated[place]

    def _stretch(self, start: datetime, until: datetime | None) -> tuple[int, int]:
        first = bisect_left(self.instants, start)
        return first, len(self.instants) if until is None else bisect_left(self.instants, until)


@dataclass(frozen=True, slots=True)
class Rules:
    """What reports of a customer are judged by, as of a transaction: whole seconds `at`, `known_until` to the
    microsecond, the local day of an instant, the metrics there are, those billed by person, and until when
    each was billed.
    """

    at: datetime
    known_until: datetime
    day_of: Callable[[datetime], date]
    metrics: frozenset[str]
    by_person: frozenset[str] = frozenset()
    billed_until: Mapping[str, datetime] = field(default_factory=dict)


@dataclass(slots=True)
class OpenLedger:
    """The part of a ledger that reports touch, as it was loaded: `timelines`, the `sittings` of the people
    who are named, the `originals` that corrections name, and which of them were `corrected` before.

    What is decided is gathered in `events` and `seated` (None: holds no seat any more).
    """

    rules: Rules
    record: Callable[[Delta], SeatEvent]
    timelines: dict[str, Timeline]
    sittings: Mapping[Seat, Sitting]
    originals: dict[UUID, SeatEvent]
    corrected: set[UUID]
    events: list[SeatEvent] = field(default_factory=list)
    seated: dict[Seat, Sitting | None] = field(default_factory=dict)

    def report(self, told: SeatReport) -> tuple[SeatEvent, ...] | InvalidInput:
        """The events that a report becomes; none if a stated total is true already. Refused if it would make
        the balance of any later day negative.
        """
        at = told.effective_at or self.rules.at
        problem = self._problem(told, at)
        if problem:
            return InvalidInput((problem,))
        net = (told.added or 0) - (told.removed or 0)
        if told.total is not None:
            net = told.total - self._timeline(told.metric).at(at)
        if not net:
            return ()
        delta = Delta(
            Item(told.metric),
            BalanceKind.IN_USE,
            max(0, net),
            max(0, -net),
            at,
            EventSource.REPORT,
            told.holder,
            told.note,
            stated=told.total,
        )
        return self._recorded((delta,))

    def correct(self, wanted: SeatCorrection) -> tuple[SeatEvent, ...] | InvalidInput | NotFound:
        """The events that take an event back and put the right values in its place. Only the latest version
        of an event can be corrected.
        """
        original = self.originals.get(wanted.event) or self._decided(wanted.event)
        if original is None:
            return NotFound("seat event")
        problem = self._correction_problem(original, wanted)
        if problem:
            return InvalidInput((problem,))
        deltas = correction(original, added=wanted.added, removed=wanted.removed, note=wanted.note)
        holder, net = original.delta.holder, sum(delta.net for delta in deltas)
        if holder and self._held(original.delta.metric, holder.reference) + net < 0:
            problem = Problem(
                "added",
                f"{holder.reference!r} gave a seat back that this would take away. Correct that event first.",
            )
            return InvalidInput((problem,))
        self._timeline(original.delta.metric).unstate(original)
        events = self._recorded(deltas)
        if isinstance(events, InvalidInput):
            self._timeline(original.delta.metric).state(original)
        else:
            self.corrected.add(original.id)
        return events

    def _recorded(self, deltas: Sequence[Delta]) -> tuple[SeatEvent, ...] | InvalidInput:
        """Events of one instant and metric, with what keeps a total true that was stated for later."""
        at, metric = deltas[0].effective_at, deltas[0].metric
        timeline = self._timeline(metric)
        stated = timeline.next_stated(at)
        kept = equaliser(deltas, (stated,)) if stated else None
        until = kept.effective_at if kept else None
        net = sum(delta.net for delta in deltas)
        below = timeline.first_below(net, at, until)
        if below is not None:
            day = self.rules.day_of(below).isoformat()
            problem = f"On {day} fewer than no {metric} seats would be in use. Report fewer seats as removed."
            return InvalidInput((Problem("removed", problem),))
        timeline.move(net, at, until)
        events = tuple(self.record(delta) for delta in (*deltas, *([kept] if kept else ())))
        for event in events:
            timeline.state(event)
        self.events += events
        holder = deltas[0].holder
        if holder is not None:
            seat = (metric, holder.reference)
            self.seated[seat] = moved(self._sitting(seat), deltas)
        return events

    def _problem(self, told: SeatReport, at: datetime) -> Problem | None:
        rules, metric = self.rules, told.metric
        if metric not in rules.metrics:
            return Problem("metric", f"There are no seats called {metric!r}.")
        numbers = [number for number in (told.added, told.removed, told.total) if number is not None]
        if len(numbers) != 1 or not 0 <= numbers[0] <= SEATS_MAX:
            return Problem("quantity", f"Give one of added, removed and total, from 0 to {SEATS_MAX}.")
        if at > rules.known_until:
            return Problem("effectiveAt", "An event cannot be effective in the future.")
        billed_until = rules.billed_until.get(metric)
        if billed_until and at < billed_until and at < rules.known_until - LATE_MAX:
            problem = "This is more than 13 months ago. Write a credit note for what it changes."
            return Problem("effectiveAt", problem)
        return _text_problem(told.holder, told.note) or self._holder_problem(told)

    def _holder_problem(self, told: SeatReport) -> Problem | None:
        if told.holder is None:
            by_person = told.metric in self.rules.by_person
            message = f"Who takes {told.metric} seats is billed by person. Name the holder."
            return Problem("holder", message) if by_person else None
        held = self._held(told.metric, told.holder.reference)
        if told.added and held:
            return Problem("holder", f"{told.holder.reference!r} holds a seat of this kind already.")
        if told.removed and held < told.removed:
            return Problem("holder", f"{told.holder.reference!r} holds no such seat.")
        return None

    def _correction_problem(self, original: SeatEvent, wanted: SeatCorrection) -> Problem | None:
        if original.id in self.corrected:
            return Problem("event", "This event was corrected already. Correct its correction.")
        if original.delta.kind is not BalanceKind.IN_USE:
            return Problem("event", "Committed seats are corrected by changing the plan.")
        if min(wanted.added, wanted.removed) < 0 or max(wanted.added, wanted.removed) > SEATS_MAX:
            return Problem("added", f"Seats added and removed are from 0 to {SEATS_MAX}.")
        return _text_problem(None, wanted.note)

    def _decided(self, event: UUID) -> SeatEvent | None:
        return next((each for each in self.events if each.id == event), None)

    def _timeline(self, metric: str) -> Timeline:
        found = self.timelines.get(metric)
        if found is None:
            found = self.timelines[metric] = Timeline()
        return found

    def _sitting(self, seat: Seat) -> Sitting | None:
        return self.seated[seat] if seat in self.seated else self.sittings.get(seat)

    def _held(self, metric: str, reference: str) -> int:
        sitting = self._sitting((metric, reference))
        return sitting.seats if sitting else 0


def timeline(level: int, events: Iterable[tuple[datetime, int]]) -> Timeline:
    """The timeline of a metric with a level now, of all that moved it since some instant, oldest first."""
    moves = list(events)
    found = Timeline(level - sum(net for _, net in moves))
    level = found.opening
    for at, net in moves:
        level += net
        if found.instants and found.instants[-1] == at:
            found.levels[-1] = level
        else:
            found.instants.append(at)
            found.levels.append(level)
    return found


def _order(stated: tuple[datetime, UUID, SeatEvent]) -> tuple[datetime, UUID]:
    return stated[:2]


def _text_problem(holder: Holder | None, note: str | None) -> Problem | None:
    texts = {"note": note}
    if holder is not None:
        texts |= {
            "holder.reference": holder.reference,
            "holder.name": holder.name,
            "holder.email": holder.email,
        }
        if not holder.reference:
            return Problem("holder.reference", "A holder has a reference. Give the product's own id of them.")
    for path, text in texts.items():
        if text is not None and (len(text) > TEXT_MAX or "\x00" in text):
            return Problem(path, f"Give at most {TEXT_MAX} characters, and no NUL among them.")
    return None
