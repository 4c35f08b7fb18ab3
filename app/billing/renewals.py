"""A period ends and the next begins. One function makes a subscription due-free, for the billing run and
before every verb alike.

A renewal bills the use of the period that is over, applies the scheduled changes, bills the new period in
advance, and collects the lines that wait, as one document. In terms longer than a month waiting lines and
overage are collected at each monthly boundary.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from app.billing.arrears import next_overage
from app.billing.charges import Charging
from app.billing.documents import totals_of
from app.billing.ledger import BalanceKind, Delta, EventSource
from app.billing.lines import Line, LineKind
from app.billing.periods import local_day
from app.billing.plans import Item, PlanPrice, SeatPrice
from app.billing.requests import Wanted, guard
from app.billing.state import Closing, Posting, State, after
from app.billing.subscriptions import (
    CancelAtRenewal,
    PlanAtRenewal,
    ScheduledChange,
    SeatsAtRenewal,
    Subscription,
    SubscriptionStatus,
)


@dataclass(frozen=True, slots=True)
class Step:
    """A posting that was due, and the state after it."""

    posting: Posting
    state: State


@dataclass(frozen=True, slots=True)
class Waited:
    """The scheduled changes that are over with the period that they waited for; which of them were dropped,
    and which got more seats than they asked for.
    """

    settled: tuple[ScheduledChange, ...]
    dropped: tuple[ScheduledChange, ...]
    raised: tuple[ScheduledChange, ...]


def bring_up(state: State, at: datetime, new_id: Callable[[], UUID]) -> Iterator[Step]:
    """All that is due until an instant, in order, each step from the state of the one before."""
    while posting := next_due(state, at):
        state = after(state, posting, new_id)
        yield Step(posting, state)


def next_due(state: State, at: datetime) -> Posting | None:
    """The first thing that is due at an instant: a monthly collection, a renewal, or nothing."""
    due = due_at(state)
    if due is None or due > at:
        return None
    if state.subscription.status is SubscriptionStatus.ENDED:
        return _aftermath(state, due)
    return renewal(state) if due == state.subscription.period.end else _collection(state, due)


def due_at(state: State) -> datetime | None:
    """When something is due next; None if never again. Of a subscription that has ended only what was told
    late of its use can be, when the month in which it was told is over.

    The newest line that waits sets the month: older ones can only be left from a sum of nothing, and a
    document is never made for an instant that is over.
    """
    subscription = state.subscription
    if subscription.status is SubscriptionStatus.ENDED:
        told = max((late.told_at for late in state.late if late.told_at), default=None)
        return _month_end(subscription, told) if told else None
    if not subscription.status.runs:
        return None
    ends = subscription.period.end
    if subscription.status is SubscriptionStatus.TRIALING:
        return ends
    ends = min(ends, next_overage(subscription, state.price) or ends)
    waiting = state.waiting
    if not waiting or totals_of((billed.line for billed in waiting), state.credit).total.minor == 0:
        return ends
    return min(ends, _month_end(subscription, max(billed.at for billed in waiting)))


def _month_end(subscription: Subscription, at: datetime) -> datetime:
    months = subscription.monthly
    return months.boundary(months.index_at(at) + 1)


def start(state: State, at: datetime, seats: dict[Item, int]) -> Posting:
    """The first period of a subscription: its seats are committed and billed in advance, a short first period
    by its share, and a trial not at all.
    """
    state = state.in_force(at)
    subscription = state.subscription
    events = tuple(
        Delta(metric, BalanceKind.COMMITTED, count, 0, at, EventSource.START)
        for metric, count in seats.items()
        if count
    )
    if subscription.status is SubscriptionStatus.TRIALING:
        return Posting(at, subscription, state.price, events)
    share = subscription.opening_share(state.price.granularity)
    treatment = state.treatment(local_day(at, subscription.zone))
    charging = Charging(state.price, subscription.period, share, treatment, subscription.cycle)
    lines = _in_advance(charging, seats)
    return Posting(at, subscription, state.price, events, lines, state.drafts(lines))


def renewal(state: State) -> Posting:
    """The step at the end of the present period: an end if one is scheduled, else the next period."""
    at = state.subscription.period.end
    state = state.in_force(at)
    if any(isinstance(scheduled.change, CancelAtRenewal) for scheduled in state.scheduled):
        return replace(ending(state, at, source=EventSource.SCHEDULED_CHANGE), renews=True)
    return next_period(state, at, state.where_it_lives.renewed)


def next_period(state: State, at: datetime, opens: Callable[[PlanPrice], Subscription]) -> Posting:
    """The posting that opens the period for which scheduled changes have waited."""
    price, plan_dropped = _renewed_price(state)
    events, seats_dropped = _renewed_seats(state, price, at)
    raised = tuple(change for change in _raised_by(state, events) if change not in seats_dropped)
    waited = Waited(state.scheduled, plan_dropped + seats_dropped, raised)
    used = state.reckoned(at)
    return open_period(state, opens(price), price, at, events=events, used=used, waited=waited)


def ending(
    state: State, at: datetime, *, source: EventSource, credit_lines: tuple[Line, ...] = ()
) -> Posting:
    """The posting that ends a subscription: all its seats are given up, and one final document holds the use
    until then, what waits, and what is given back. Changes that had waited for another period are dropped.
    """
    events = tuple(
        Delta(metric, BalanceKind.COMMITTED, 0, committed, at, source)
        for metric, committed in state.committed().items()
        if committed
    )
    since = state.subscription.rest(at, state.price.granularity)[0].start
    used = state.reckoned(since)
    lines = used.lines + credit_lines
    return Posting(
        at=at,
        subscription=state.subscription.ended(since),
        price=state.price,
        events=events,
        lines=lines,
        drafts=state.drafts(lines),
        settled=state.scheduled,
        dropped=tuple(s for s in state.scheduled if not isinstance(s.change, CancelAtRenewal)),
        segments=used.segments,
    )


def open_period(
    state: State,
    subscription: Subscription,
    price: PlanPrice,
    at: datetime,
    *,
    used: Closing,
    events: tuple[Delta, ...] = (),
    credit_lines: tuple[Line, ...] = (),
    waited: Waited | None = None,
) -> Posting:
    """The posting that opens a full period: everything in advance at the new state, with what was used, what
    waits and what is given back, as one document. Scheduled changes are settled with it if it is what they
    `waited` for.
    """
    committed = state.committed(events)
    treatment = state.treatment(local_day(at, subscription.zone))
    charging = Charging(price, subscription.period, None, treatment, subscription.cycle)
    lines = used.lines + credit_lines + _as_asked(_in_advance(charging, committed), waited)
    drafts = state.drafts(lines)
    if waited is None:
        return Posting(at, subscription, price, events, lines, drafts, segments=used.segments)
    return Posting(
        at=at,
        subscription=subscription,
        price=price,
        events=events,
        lines=lines,
        drafts=drafts,
        settled=waited.settled,
        dropped=waited.dropped,
        raised=waited.raised,
        renews=True,
        segments=used.segments,
    )


def _as_asked(lines: tuple[Line, ...], waited: Waited | None) -> tuple[Line, ...]:
    """The lines, each saying for how many seats was asked where more are in use."""
    if waited is None or not waited.raised:
        return lines
    changes = (scheduled.change for scheduled in waited.raised)
    asked = {change.metric: change.total for change in changes if isinstance(change, SeatsAtRenewal)}
    return tuple(replace(line, raised_from=asked.get(line.item)) for line in lines)


def _in_advance(charging: Charging, committed: dict[Item, int]) -> tuple[Line, ...]:
    """The lines of a whole period; none if all is free: they would wait for a document that never comes."""
    lines = charging.whole(LineKind.PERIOD, committed)
    return lines if any(line.amount.minor for line in lines) else ()


def _collection(state: State, at: datetime) -> Posting:
    """A monthly boundary inside a longer term: overage is billed, and what waits is collected."""
    subscription = state.subscription.overage_billed(at)
    months_end = next_overage(state.subscription, state.price) == at
    used = state.reckoned(at, overage_only=True) if months_end else None
    lines = used.lines if used else ()
    segments = used.segments if used else None
    return Posting(at, subscription, state.price, (), lines, state.drafts(lines), segments=segments)


def _aftermath(state: State, at: datetime) -> Posting:
    """What was told late of the use of a subscription that has ended."""
    used = state.reckoned(at)
    drafts = state.drafts(used.lines)
    return Posting(at, state.subscription.changed(), state.price, (), used.lines, drafts, segments=())


def _renewed_price(state: State) -> tuple[PlanPrice, tuple[ScheduledChange, ...]]:
    """The price of the next period; a scheduled plan that can no longer be had is dropped."""
    for scheduled in state.scheduled:
        if isinstance(scheduled.change, PlanAtRenewal):
            plan = state.plan(scheduled.change.plan)
            price = plan.price(scheduled.change.interval, state.currency) if plan else None
            if price is None or guard(state, Wanted(price, _seats_at(state, price), switches=True)):
                return state.price, (scheduled,)
            return price, ()
    return state.price, ()


def _seats_at(state: State, price: PlanPrice) -> dict[Item, int]:
    """The scheduled totals that a price must have room for; fewer seats than its minimum are no obstacle."""
    return {
        scheduled.change.metric: max(_raised(state, price, seat, scheduled.change.total), seat.minimum)
        for scheduled in state.scheduled
        if isinstance(scheduled.change, SeatsAtRenewal)
        and (seat := price.seat(scheduled.change.metric)) is not None
    }


def _raised(state: State, price: PlanPrice, seat: SeatPrice, total: int) -> int:
    """A total, or as many seats as the ones in use need, if the price's plan guards them."""
    level = state.level(seat.metric.code)
    used = level.in_use - level.granted
    return max(total, used) if price.guards(seat) and used > seat.included else total


def _raised_by(state: State, events: tuple[Delta, ...]) -> Iterator[ScheduledChange]:
    """The changes that asked for fewer seats than they get, because more are in use."""
    if not state.scheduled:
        return
    committed = state.committed(events)
    for scheduled in state.scheduled:
        change = scheduled.change
        if isinstance(change, SeatsAtRenewal) and change.total < committed.get(change.metric, 0):
            yield scheduled


def _renewed_seats(
    state: State, price: PlanPrice, at: datetime
) -> tuple[tuple[Delta, ...], tuple[ScheduledChange, ...]]:
    """The events of scheduled seats, raised to the seats in use; those that the plan of the next period
    cannot hold are dropped.
    """
    events, dropped = [], []
    for scheduled in state.scheduled:
        match scheduled.change:
            case SeatsAtRenewal(metric, total):
                seat = price.seat(metric)
                level = state.level(metric)
                kept = _raised(state, price, seat, total) if seat else total
                if seat is None or (seat.maximum is not None and kept > seat.maximum):
                    dropped.append(scheduled)
                elif kept != level.committed:
                    note = f"raised from {total} to {kept}: {level.in_use} in use" if kept != total else None
                    net = kept - level.committed
                    source = EventSource.SCHEDULED_CHANGE
                    events.append(
                        Delta(metric, BalanceKind.COMMITTED, max(0, net), max(0, -net), at, source, note=note)
                    )
    return tuple(events), tuple(dropped)
