"""A subscription: which price version it is on, and the period it is in; and the changes that wait for its
renewal.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from enum import Enum
from typing import ClassVar
from uuid import UUID

from app.billing.periods import (
    BillingInterval,
    Granularity,
    Grid,
    Period,
    Share,
    Step,
    first_instant,
    local_day,
    share_of,
)
from app.billing.plans import Item, PlanPrice


class SubscriptionStatus(Enum):
    """Where a subscription is in its life; the table of `lives` says what can be done there.

    TRIALING is used and not billed yet · ACTIVE is billed · PAST_DUE is ACTIVE with an invoice past its due
    day, and never stored · PAUSED is not billed for a while · ENDED is history.
    """

    TRIALING = "TRIALING"
    ACTIVE = "ACTIVE"
    PAST_DUE = "PAST_DUE"
    PAUSED = "PAUSED"
    ENDED = "ENDED"

    @property
    def runs(self) -> bool:
        """Whether it has a period at whose end something happens."""
        return self is not SubscriptionStatus.PAUSED and self is not SubscriptionStatus.ENDED


class ScheduledOutcome(Enum):
    """How a scheduled change ended."""

    APPLIED = "APPLIED"
    REPLACED = "REPLACED"
    DROPPED = "DROPPED"
    CANCELLED = "CANCELLED"


@dataclass(frozen=True, slots=True)
class SeatsAtRenewal:
    """From the renewal on, so many seats of a metric are committed."""

    metric: Item
    total: int

    @property
    def target(self) -> str:
        return f"seats:{self.metric}"


@dataclass(frozen=True, slots=True)
class PlanAtRenewal:
    """From the renewal on, another plan or interval."""

    plan: str
    interval: BillingInterval
    target: ClassVar[str] = "plan"


@dataclass(frozen=True, slots=True)
class CancelAtRenewal:
    """The subscription ends with its period."""

    target: ClassVar[str] = "cancel"


AtRenewal = SeatsAtRenewal | PlanAtRenewal | CancelAtRenewal


@dataclass(frozen=True, slots=True)
class ScheduledChange:
    """A change that waits for the renewal; at most one for each target."""

    id: UUID
    change: AtRenewal


@dataclass(frozen=True, slots=True)
class Subscription:
    """One state of a subscription.

    `cycle` counts the periods that were opened; `month` is how many months after the anchor the present full
    period starts. `full_period` is the denominator of every share, also in a short first period. The price
    counts from `priced_from` on, overage was billed until `overage_until`. `version` rises with every change.
    """

    id: UUID
    version: int
    status: SubscriptionStatus
    price: UUID
    interval: BillingInterval
    anchor: datetime
    zone: str
    cycle: int
    month: int
    period: Period
    full_period: Period
    priced_from: datetime
    overage_until: datetime
    let_through: datetime | None = None
    """Until when somebody has looked at what the billing run found too much, and let it through."""

    @classmethod
    def starting(
        cls, id: UUID, price: PlanPrice, *, at: datetime, anchor: datetime | None, zone: str
    ) -> Subscription:
        """A subscription from an instant on; without an anchor its local day is the anchor, else the first
        period may be short.
        """
        anchor = anchor or midnight_of(at, zone)
        start = at if price.granularity is Granularity.SECOND else first_instant(local_day(at, zone), zone)
        grid = Grid(anchor, price.interval.step, zone)
        index = grid.index_at(start)
        full = grid.period(index)
        month = index * price.interval.months
        period = Period(start, full.end, zone)
        return cls(
            id=id,
            version=1,
            status=SubscriptionStatus.ACTIVE,
            price=price.id,
            interval=price.interval,
            anchor=anchor,
            zone=zone,
            cycle=0,
            month=month,
            period=period,
            full_period=full,
            priced_from=period.start,
            overage_until=period.start,
        )

    @property
    def stretch_start(self) -> datetime:
        """Since when the present price counts in the present period."""
        return max(self.period.start, self.priced_from)

    def stretch_closed_by(self, later: Subscription) -> Period | None:
        """The time under this state's price that is over with a later state; None if it goes on, or was a
        trial or a pause.
        """
        if self.status is not SubscriptionStatus.ACTIVE:
            return None
        if later.cycle != self.cycle:
            end = later.period.start
        elif not later.status.runs:
            end = later.period.end
        elif (later.price, later.priced_from) != (self.price, self.priced_from):
            end = later.priced_from
        else:
            return None
        return Period(self.stretch_start, end, self.zone) if self.stretch_start < end else None

    @property
    def monthly(self) -> Grid:
        """The monthly grid of the anchor; every boundary of every interval is on it."""
        return Grid(self.anchor, Step(months=1), self.zone)

    def rest(self, at: datetime, granularity: Granularity) -> tuple[Period, Share]:
        """What is left of the present period at an instant, and the share it is of the full period."""
        part = self.period.rest_from(at, granularity)
        return part, share_of(part, self.full_period, granularity)

    def opening_share(self, granularity: Granularity) -> Share | None:
        """What share of the full period the first one is; None if it is whole."""
        share = share_of(self.period, self.full_period, granularity)
        return None if share.whole else share

    @classmethod
    def trying(cls, id: UUID, price: PlanPrice, *, at: datetime, days: int, zone: str) -> Subscription:
        """A subscription that begins with so many local days of trial, the one of the instant among them. The
        day after them is the anchor of the periods that are paid.
        """
        untried = cls.starting(id, price, at=at, anchor=None, zone=zone)
        ends_on = local_day(at, zone) + timedelta(days=days)
        trial = Period(untried.period.start, first_instant(ends_on, zone), zone)
        return replace(
            untried,
            status=SubscriptionStatus.TRIALING,
            anchor=datetime.combine(ends_on, time.min),
            period=trial,
            full_period=trial,
        )

    def renewed(self, price: PlanPrice) -> Subscription:
        """The next period, from the end of the present one on; the anchor stays, also with a new interval.
        The period after a trial is the first one of its anchor. Where the customer moved to a zone further
        west, it begins on the day before its grid does, which counts as a day of it.
        """
        if self.status is SubscriptionStatus.TRIALING:
            return replace(self.reset(price, at=self.period.end), status=SubscriptionStatus.ACTIVE)
        month = self.month + self.interval.months
        start, end = (self.monthly.boundary(m) for m in (month, month + price.interval.months))
        full = Period(min(start, self.period.end), end, self.zone)
        period = Period(self.period.end, end, self.zone)
        return self._opened(price, month=month, period=period, full_period=full)

    def reset(self, price: PlanPrice, *, at: datetime, since: datetime | None = None) -> Subscription:
        """A new anchor on the local day of an instant, and a full period from there (but not from before the
        present one, the present price, or `since`, which by the second may have started later that day).
        """
        anchor = midnight_of(at, self.zone)
        full = Grid(anchor, price.interval.step, self.zone).period(0)
        start = max(full.start, self.period.start, self.priced_from, since or full.start)
        period = Period(start, full.end, self.zone)
        return replace(self._opened(price, month=0, period=period, full_period=full), anchor=anchor)

    def _opened(self, price: PlanPrice, *, month: int, period: Period, full_period: Period) -> Subscription:
        return replace(
            self,
            version=self.version + 1,
            price=price.id,
            interval=price.interval,
            cycle=self.cycle + 1,
            month=month,
            period=period,
            full_period=full_period,
            priced_from=period.start,
            overage_until=period.start,
        )

    def changed(self) -> Subscription:
        """The same period under the same price, with other seats."""
        return replace(self, version=self.version + 1)

    def switched(self, price: PlanPrice, since: datetime) -> Subscription:
        """The same period, from an instant on under another price version of the same interval."""
        return replace(self, version=self.version + 1, price=price.id, priced_from=since, overage_until=since)

    def overage_billed(self, until: datetime) -> Subscription:
        """The same, with overage billed until an instant."""
        return replace(self, version=self.version + 1, overage_until=until)

    def tried(self, price: PlanPrice) -> Subscription:
        """The same trial of another price version, or with other seats."""
        return replace(self, version=self.version + 1, price=price.id, interval=price.interval)

    def paused(self, since: datetime) -> Subscription:
        """No period any more from an instant on."""
        return replace(self._until(since), status=SubscriptionStatus.PAUSED)

    def resumed(self, price: PlanPrice, *, at: datetime) -> Subscription:
        """Active again, with a new anchor and a full period from the local day of an instant on (but, by the
        second, not from before the pause).
        """
        active = replace(self.reset(price, at=at), status=SubscriptionStatus.ACTIVE)
        start = max(active.period.start, self.period.end)
        return replace(active, period=Period(start, active.period.end, self.zone))

    def ended(self, since: datetime | None = None) -> Subscription:
        """History, from an instant inside its period on; None: from its end."""
        return replace(self._until(since or self.period.end), status=SubscriptionStatus.ENDED)

    def _until(self, end: datetime) -> Subscription:
        period = Period(self.period.start, min(end, self.period.end), self.zone)
        return replace(self, version=self.version + 1, period=period)


def midnight_of(at: datetime, zone: str) -> datetime:
    """The wall-clock midnight of an instant's local day, without zone information."""
    day = local_day(at, zone)
    return datetime(day.year, day.month, day.day)  # noqa: DTZ001  the anchor is a wall clock by definition
