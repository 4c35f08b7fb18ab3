"""Committed seats that the vendor tells the state machine, up to a year late, or corrects. Time that is over,
and what is left of the present period, are computed a second time, day by day.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from fractions import Fraction
from uuid import UUID

from app.billing.backdated import Stretch, Told
from app.billing.effects import reported
from app.billing.ledger import Delta, SeatEvent
from app.billing.lines import LineKind
from app.billing.overrides import own_from
from app.billing.periods import Period
from app.billing.plans import Item, PricingModel
from app.billing.state import Posting
from app.billing.subscriptions import SubscriptionStatus
from tests.billing.machine import Machine
from tests.billing.oracle import billed_quantity, full_price, half_away
from tests.billing.recomputing import last_units, length, levels
from tests.billing.seatbook import SeatBook


@dataclass(kw_only=True)
class Telling(Machine):
    """The machine, to which committed seats are told."""

    backdated: int = 0
    plain: int = 0

    def tell_committed(self, metric: Item, net: int, at: datetime, *, stated: bool) -> None:
        """So many seats more or fewer since an instant, or a total that stays true."""
        if not self._may_tell(metric):
            return
        at = max(at, self._began())
        known = len(self.asked.events)
        total = self.asked.level(metric, at) + net if stated else None
        if self.asked.tell(metric, net, at, now=self.now, who=None, stated=total):
            self._reckon(metric, known)

    def correct_committed(self, event: SeatEvent, added: int, removed: int) -> None:
        """Another number in the place of one that was told, asked for on the page, or started with."""
        if self._may_tell(event.delta.metric):
            known = len(self.asked.events)
            if self.asked.correct(event, added, removed, now=self.now):
                self._reckon(event.delta.metric, known)

    def _may_tell(self, metric: Item) -> bool:
        self.bring_up()
        seat = self.state.price.seat(metric)
        active = self.state.subscription.status is SubscriptionStatus.ACTIVE
        return active and seat is not None and seat.basis.in_advance

    def _began(self) -> datetime:
        first = min(closed.segment.period.start for closed in self.paid_ahead) if self.paid_ahead else None
        return first or self.state.subscription.stretch_start

    def _reckon(self, metric: Item, known: int) -> None:
        """Write what the events come to that were told since so many were known."""
        deltas = tuple(event.delta for event in self.asked.events[known:])
        before = SeatBook(self.asked.events[:known], self.asked.kind)
        since = min(delta.effective_at for delta in deltas)
        closed = tuple(self._stretches(metric, since))
        starts = [stretch.segment.period.start for stretch in closed]
        start = min([since, self.state.subscription.stretch_start, *starts])
        told = Told(deltas, before.usage(metric, start), closed)
        self.told_since = max(since, self.state.subscription.stretch_start)
        posting = reported(self.state, told, at=self.at)
        self._check_what_stays(metric, posting)
        kept = self._kept(metric, before)
        self._write(posting)
        self.told_since = None
        self.foretold = None
        for stretch in closed:
            amounts = [
                line.amount.minor
                for line in posting.lines
                if line.kind is LineKind.BACKDATED and line.period.end <= stretch.segment.period.end
                if line.period.start >= stretch.segment.period.start and line.price == stretch.version.id
            ]
            self.backdated += len(amounts)
            check_stretch(stretch, before.of(metric), deltas, sum(amounts))
        if not kept:
            self._check_present(metric, posting, before)
        self.asked.check_totals(metric)
        self.load()

    def _kept(self, metric: Item, before: SeatBook) -> bool:
        """Whether seats were given up without a credit: they stay paid, and are given back before others."""
        seat = self.state.price.seat(metric)
        units = sum(self.books.units_left(billed.id) for billed in self.state.charges_of(metric))
        return seat is not None and units != billed_quantity(seat, before.level(metric))

    def _check_present(self, metric: Item, posting: Posting, before: SeatBook) -> None:
        """Seats billed one by one cost the difference of their days, from the first of the stretch to
        the end of the period: what is over and what is to come together.
        """
        version, subscription = self.state.price, self.state.subscription
        seat = version.seat(metric)
        assert seat is not None
        if seat.model is not PricingModel.PER_UNIT or seat.own:
            return
        period = Period(subscription.stretch_start, subscription.period.end, subscription.zone)
        lines = [line for line in posting.lines if line.period.start >= period.start]
        mine = [
            line
            for line in self.books.lines.values()
            if line.item == metric and line.cycle == subscription.cycle and line.price == version.id
            if not line.kind.in_arrears and line.period.start >= period.start
        ]
        whole = length(subscription.full_period, version.granularity)
        exact = [
            sum(
                (
                    full_price(seat, billed_quantity(seat, level)) * Fraction(units, whole)
                    for _, units, level in levels(events, period, version.granularity)
                ),
                Fraction(0),
            )
            for events in (before.of(metric), self.asked.of(metric))
        ]
        now, paid = (sum(line.amount.minor for line in some) for some in (lines, mine))
        was_due, difference = (half_away(each, version.currency) for each in (exact[0], exact[1] - exact[0]))
        if abs(paid - now - was_due) <= len(mine) / 2:
            self.plain += 1
            assert abs(now - difference) <= len(mine), "the present period costs the difference of its days"

    def _check_what_stays(self, metric: Item, posting: Posting) -> None:
        """What is told of time that is over leaves each charge enough to give its units of the days to come
        back, unless no charge has more than that.
        """
        subscription, granularity = self.state.subscription, self.state.price.granularity
        taken = [line for line in posting.lines if line.kind is LineKind.BACKDATED and line.reverses]
        whole = length(subscription.full_period, granularity)
        after: dict[UUID, tuple[int, int]] = {}
        short = False
        for billed in self.state.charges_of(metric):
            mine = sum(line.amount.minor for line in taken if line.reverses == billed.id)
            rest = length(billed.line.period.rest_from(posting.at, granularity), granularity)
            value = last_units(billed.line, billed.units_left, billed.units_left) * Fraction(rest, whole)
            to_come = half_away(value, billed.left.currency)
            after[billed.id] = billed.left.minor + mine, to_come
            short = short or bool(mine and billed.left.minor + mine < to_come)
        if short:
            end = max(line.period.end for line in taken)
            begun = (b.id for b in self.state.charges_of(metric) if b.line.period.start < end)
            assert all(after[charge][0] <= after[charge][1] for charge in begun), "what is to come stays"

    def _stretches(self, metric: Item, since: datetime) -> list[Stretch]:
        found = []
        for closed in self.paid_ahead:
            segment, lines = replace(closed.segment, metric=metric), self.books.lines
            if segment.period.end <= since:
                continue
            charged = [
                line_id
                for line_id, line in lines.items()
                if line.item == metric and not line.kind.in_arrears and line.price == segment.price
                if line.period.start in segment.period
            ]
            version = own_from(closed.version, self.agreed, segment.period.start, segment.period.zone)
            found.append(Stretch(segment, version, self.books.charges(charged)))
        return found


def check_stretch(
    stretch: Stretch, known: Sequence[SeatEvent], deltas: Sequence[Delta], billed_now: int
) -> None:
    """What is billed for a stretch is the difference of its days; where something else was billed than was
    due, it lies between nothing and that, and never gives back more than was billed.
    """
    seat, period = stretch.version.seat(stretch.segment.metric), stretch.segment.period
    if seat is None or not seat.basis.in_advance:
        assert not billed_now
        return
    granularity, currency = stretch.version.granularity, stretch.version.currency
    whole = length(stretch.segment.full, granularity)
    sums = []
    told = [SeatEvent(UUID(int=0), delta, delta.effective_at, "vendor") for delta in deltas]
    for events in (known, [*known, *told]):
        each = (
            full_price(seat, billed_quantity(seat, level)) * Fraction(units, whole)
            for _, units, level in levels(events, period, granularity)
        )
        sums.append(sum(each, Fraction(0)))
    difference = half_away(sums[1] - sums[0], currency)
    billed = stretch.billed.minor
    lowest, highest = sorted((0, difference))
    assert max(lowest, -billed) <= billed_now <= highest, "time that is over costs the difference of its days"
    if abs(billed - half_away(sums[0], currency)) <= len(stretch.charges):
        assert billed_now == max(difference, -billed), "seats told late cost what they cost on their days"
