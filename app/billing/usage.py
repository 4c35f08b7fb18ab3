"""Seats over time, as the ledger tells it, and what each charging basis counts of them.

A `Usage` begins at some instant with a level and its holders, and goes on with the events since. Every window
inside it can be read off: the levels and how long each lasted, the highest, and who held a seat at all.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import groupby

from app.billing.ledger import Delta
from app.billing.periods import Granularity, Period, local_day


@dataclass(frozen=True, slots=True)
class Held:
    """The named holders at an instant: how many people, with how many seats between them, and the seats of
    those whom later events name.
    """

    people: int = 0
    seats: int = 0
    known: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Usage:
    """One balance of one metric, mostly the seats in use: the level before `events`, and the events, ordered
    by when they are effective.
    """

    opening: int = 0
    held: Held = Held()
    events: tuple[Delta, ...] = ()

    def level_before(self, at: datetime) -> int:
        """The balance when an instant comes: events at that very instant do not count yet."""
        return self.opening + sum(event.net for event in self.events if event.effective_at < at)

    def with_events(self, deltas: Iterable[Delta]) -> Usage:
        """The same with more events, none of them from before it begins."""
        events = sorted((*self.events, *deltas), key=lambda delta: delta.effective_at)
        return replace(self, events=tuple(events))

    def since(self, at: datetime) -> Usage:
        """The same from a later instant on."""
        people, seats, known = self.held.people, self.held.seats, dict(self.held.known)
        for event in self.events:
            if event.effective_at < at and event.holder is not None:
                before = known.get(event.holder.reference, 0)
                known[event.holder.reference] = before + event.net
                people += (before + event.net > 0) - (before > 0)
                seats += event.net
        rest = tuple(event for event in self.events if event.effective_at >= at)
        return Usage(self.level_before(at), Held(people, seats, known), rest)


@dataclass(frozen=True, slots=True)
class Run:
    """A level, and how many units of time (days or seconds) it lasted."""

    level: int
    units: int


def runs(usage: Usage, period: Period, granularity: Granularity) -> tuple[Run, ...]:
    """The levels of a period in their order. Counted in days, the level of a day is the balance at its end.

    The units of the runs add up to the length of the period.
    """
    length = period.length(granularity)
    found: list[Run] = []
    level, reached = usage.opening, 0
    for event in usage.events:
        place = min(max(_place(event.effective_at, period, granularity), 0), length)
        if event.effective_at >= period.end:
            break
        if place > reached:
            found.append(Run(level, place - reached))
            reached = place
        level += event.net
    if length > reached:
        found.append(Run(level, length - reached))
    return tuple(_merged(found))


def rising(levels: tuple[Run, ...], *, since: int = 0) -> tuple[Run, ...]:
    """The highest level so far in place of each level, `since` being the highest before: what is given up
    stays, and is free to take again.
    """
    highest, found = since, []
    for run in levels:
        highest = max(highest, run.level)
        found.append(Run(highest, run.units))
    return tuple(_merged(found))


def peak(levels: tuple[Run, ...]) -> int:
    """The highest level; 0 if there is none."""
    return max((run.level for run in levels), default=0)


def active(usage: Usage, period: Period) -> int:
    """How many people held a seat at any instant of a period. Whoever comes back is one person; a seat
    without a name is one each time that it is taken.
    """
    start = usage.since(period.start)
    unnamed = start.opening - start.held.seats
    comings = list(_comings(start, period.end))
    joined = {name for name, _ in comings if name is not None}
    return start.held.people + len(joined) + unnamed + sum(count for name, count in comings if name is None)


def _comings(start: Usage, until: datetime) -> Iterator[tuple[str | None, int]]:
    """Who comes, instant by instant: a name that held nothing at the start, or a number of seats without one.

    What is added and taken back at one instant was never held.
    """
    levels = defaultdict(int, start.held.known)
    during = (event for event in start.events if event.effective_at < until)
    for _, together in groupby(during, key=lambda event: event.effective_at):
        nets: dict[str | None, int] = defaultdict(int)
        for event in together:
            nets[event.holder.reference if event.holder else None] += event.net
        for name, net in nets.items():
            if name is None:
                yield None, max(0, net)
                continue
            levels[name] += net
            if levels[name] > 0 and start.held.known.get(name, 0) <= 0:
                yield name, 1


def _place(at: datetime, period: Period, granularity: Granularity) -> int:
    """How many whole units of a period have gone by at an instant."""
    if granularity is Granularity.DAY:
        return (local_day(at, period.zone) - period.first_day).days
    return int((at - period.start) // timedelta(seconds=1))


def _merged(levels: list[Run]) -> Iterator[Run]:
    """Neighbours of one level as one run."""
    for level, same in groupby(levels, key=lambda run: run.level):
        yield Run(level, sum(run.units for run in same))
