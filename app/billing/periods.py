"""Periods: half-open ranges of instants, counted from an anchor on the local calendar of the customer.

Period k is always computed from the anchor (31 Jan → 29 Feb → 31 Mar), so month ends never drift. A period
starts at the first existing instant of its local day: where a clock change swallows midnight, that is the
moment after the gap.
"""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import Enum
from fractions import Fraction
from functools import lru_cache
from zoneinfo import ZoneInfo

MICROSECOND = timedelta(microseconds=1)
KEPT = 8192
"""How many days and boundaries are kept: subscriptions of a zone have the same ones."""


class Granularity(Enum):
    """In what a share of a period is counted: whole local days (the day of a change belongs to the new
    state), or seconds.
    """

    DAY = "DAY"
    SECOND = "SECOND"

    @property
    def unit(self) -> str:
        return "days" if self is Granularity.DAY else "seconds"


class BillingInterval(Enum):
    """How often a subscription renews."""

    MONTH = "MONTH"
    QUARTER = "QUARTER"
    HALF_YEAR = "HALF_YEAR"
    YEAR = "YEAR"

    @property
    def months(self) -> int:
        return {"MONTH": 1, "QUARTER": 3, "HALF_YEAR": 6, "YEAR": 12}[self.value]

    @property
    def step(self) -> Step:
        return Step(months=self.months)


@dataclass(frozen=True, slots=True)
class Step:
    """The distance from one boundary of a grid to the next: months or days, one of them not zero."""

    months: int = 0
    days: int = 0


@dataclass(frozen=True, slots=True)
class Period:
    """The instants from `start` until before `end`, and the zone whose days it is counted in. Instants are
    UTC.
    """

    start: datetime
    end: datetime
    zone: str

    def __post_init__(self) -> None:
        if self.start > self.end:
            raise ValueError("a period does not end before it starts")

    def __contains__(self, at: datetime) -> bool:
        return self.start <= at < self.end

    @property
    def first_day(self) -> date:
        return local_day(self.start, self.zone)

    @property
    def end_day(self) -> date:
        """The first local day after the period."""
        return local_day(self.end, self.zone)

    def rest_from(self, at: datetime, granularity: Granularity) -> Period:
        """What is left at an instant inside; with days, the whole local day of the instant is left."""
        start = (
            at if granularity is Granularity.SECOND else first_instant(local_day(at, self.zone), self.zone)
        )
        return Period(min(max(start, self.start), self.end), self.end, self.zone)

    def length(self, granularity: Granularity) -> int:
        """Local days, or seconds (whole; fractions of a second do not count)."""
        if granularity is Granularity.DAY:
            return (self.end_day - self.first_day).days
        return int((self.end - self.start) // timedelta(seconds=1))


@dataclass(frozen=True, slots=True)
class Share:
    """How much of a full period something covers: `15/30 days`. The denominator is never reduced, so that it
    can be read.
    """

    numerator: int
    denominator: int
    granularity: Granularity = Granularity.DAY

    @property
    def exact(self) -> Fraction:
        return Fraction(self.numerator, self.denominator)

    @property
    def whole(self) -> bool:
        return self.numerator == self.denominator

    def __str__(self) -> str:
        return f"{self.numerator}/{self.denominator} {self.granularity.unit}"


@dataclass(frozen=True, slots=True)
class Grid:
    """All period boundaries of an anchor: a local wall-clock time, normally midnight, without zone
    information of its own.
    """

    anchor: datetime
    step: Step
    zone: str

    def boundary(self, k: int) -> datetime:
        """Boundary k (0 is the anchor, negative ones lie before it) as a UTC instant."""
        day = _months_later(self.anchor.date(), k * self.step.months) + timedelta(days=k * self.step.days)
        return first_instant(day, self.zone, self.anchor.time())

    def period(self, k: int) -> Period:
        return Period(self.boundary(k), self.boundary(k + 1), self.zone)

    def index_at(self, at: datetime) -> int:
        """The k of the period that holds an instant; an instant on a boundary is in the period that starts
        there.
        """
        day = local_day(at, self.zone)
        if self.step.months:
            months = (day.year - self.anchor.year) * 12 + day.month - self.anchor.month
            k = months // self.step.months
        else:
            k = (day - self.anchor.date()).days // self.step.days
        while self.boundary(k) > at:
            k -= 1
        while self.boundary(k + 1) <= at:
            k += 1
        return k


def share_of(part: Period, whole: Period, granularity: Granularity) -> Share:
    """The share that one period is of another, both counted in the zone of each."""
    return Share(part.length(granularity), whole.length(granularity), granularity)


@lru_cache(KEPT)
def local_day(at: datetime, zone: str) -> date:
    """The calendar day of an instant in a zone."""
    return at.astimezone(_zone(zone)).date()


@lru_cache(KEPT)
def first_instant(day: date, zone: str, wall: time = time.min) -> datetime:
    """When a local wall-clock time of a day comes first, in UTC; a time that a clock change skips comes when
    the gap ends.
    """
    return _first_instant(day, wall, _zone(zone))


def _first_instant(day: date, wall: time, tz: ZoneInfo) -> datetime:
    earlier = datetime.combine(day, wall, tz)
    instant = earlier.astimezone(UTC)
    if instant.astimezone(tz).replace(tzinfo=None) == earlier.replace(tzinfo=None):
        return instant
    return _end_of_gap(earlier.replace(fold=1).astimezone(UTC), instant, tz)


def _end_of_gap(before: datetime, after: datetime, tz: ZoneInfo) -> datetime:
    """The instant between two at which the offset of the zone jumps, found by halving."""
    offset_after = after.astimezone(tz).utcoffset()
    while after - before > MICROSECOND:
        middle = before + (after - before) / 2
        if middle.astimezone(tz).utcoffset() == offset_after:
            after = middle
        else:
            before = middle
    return after


def _months_later(day: date, months: int) -> date:
    """The same day of another month, or the month's last day if it is shorter."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


@lru_cache(maxsize=1024)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)
