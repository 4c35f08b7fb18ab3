"""What the parts of a change that start today write: events, lines, and the documents that these become.

Added seats are charged (`extend`), another price takes the place of the old (`swap`: credits for the old,
charges for the new), and a restart opens a full period.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime

from app.billing import renewals
from app.billing.backdated import Told, backdated_lines
from app.billing.charges import Charging
from app.billing.credits import TakingBack
from app.billing.ledger import BalanceKind, Delta, EventSource
from app.billing.lines import BilledLine, Line, LineKind
from app.billing.moves import Measure, Move
from app.billing.periods import local_day
from app.billing.plans import ChangeTiming, Item, PlanPrice, ProrationMode, SeatPrice
from app.billing.pricing import exact_amount, price
from app.billing.requests import Wanted
from app.billing.state import Posting, State, reduced
from app.billing.subscriptions import SubscriptionStatus


def posting_of(state: State, wanted: Wanted, moves: tuple[Move, ...], at: datetime) -> Posting:
    """The posting of the moves of today: of a new period if the cycle restarts, else of the rest of the
    present one.
    """
    seats = wanted.seats if wanted.switches else {move.metric: move.after for move in moves if move.metric}
    events = tuple(_events(state, seats.items(), at))
    if state.subscription.status is SubscriptionStatus.TRIALING:
        return Posting(at, state.subscription.tried(wanted.price), wanted.price, events)
    restarts = any(move.axes.restarts for move in moves) or wanted.price.interval is not state.price.interval
    if restarts:
        return _restarted(state, wanted, moves, events, at)
    if wanted.switches:
        return _switched(state, wanted, moves[0], events, at)
    each = [(move, line) for move in moves for line in _seat_lines(state, move, at)]
    hold = frozenset(i for i, (move, _) in enumerate(each) if move.axes.waits)
    lines = tuple(line for _, line in each)
    return _kept_cycle(
        state, Posting(at, state.subscription.changed(), wanted.price, events, lines), hold=hold
    )


def reported(state: State, told: Told, *, at: datetime) -> Posting:
    """What it comes to that the vendor tells, or corrects, which seats are committed: time that is over is
    recomputed, the rest of the present period prorated. It all waits for the next document.

    If nothing else happened to the seats since, the rest begins with the day that is told, else today.
    """
    metric, subscription = told.deltas[0].metric, state.subscription
    since = max(told.since, subscription.stretch_start)
    begins = since if told.net and _undisturbed(state, told, since) else at
    unused = _taking_back(state, begins, Measure.SHARE).everything(state.charges_of(metric))
    to_come = {line.reverses: -line.amount for line in unused if line.reverses}
    lines = tuple(
        line
        for stretch in (*told.closed, state.stretch(metric))
        for line in backdated_lines(
            told, stretch, state.taxed(stretch.segment), subscription.cycle, until=begins, to_come=to_come
        )
    )
    if told.net:
        before = state.level(metric).committed
        mode, timing = ProrationMode.PRORATED_ON_NEXT_INVOICE, ChangeTiming.NOW
        move = Move(metric, before, before + told.net, increases=told.net > 0, mode=mode, timing=timing)
        lines += _seat_lines(replace(state, lines=reduced(state.lines, lines)), move, begins)
    return Posting(at, subscription.changed(), state.price, told.deltas, lines)


def _undisturbed(state: State, told: Told, since: datetime) -> bool:
    """Whether the seats that are told of have neither changed nor been priced anew since an instant."""
    first = state.subscription.rest(since, state.price.granularity)[0].start
    charges = state.charges_of(told.deltas[0].metric)
    later = any(delta.effective_at > since for delta in told.known.events)
    return not later and all(billed.line.period.start <= first for billed in charges)


def _restarted(
    state: State, wanted: Wanted, moves: tuple[Move, ...], events: tuple[Delta, ...], at: datetime
) -> Posting:
    """A new period from today on; what was used until then is billed with it."""
    subscription = state.where_it_lives.reset(wanted.price, at=at, since=_given_back_last(state))
    since = subscription.period.start
    credit_lines = _credits_of_restart(state, moves, since)
    used = state.reckoned(since)
    return renewals.open_period(
        state, subscription, wanted.price, at, used=used, events=events, credit_lines=credit_lines
    )


def _given_back_last(state: State) -> datetime | None:
    """From when on something of the present period was given back last: until then it stays paid, and by the
    second that may be a part of today.
    """
    cycle = state.subscription.cycle
    lines = (b.line for b in state.lines if b.line.cycle == cycle and b.line.kind.gives_back)
    return max((line.period.start for line in lines), default=None)


def _switched(state: State, wanted: Wanted, move: Move, events: tuple[Delta, ...], at: datetime) -> Posting:
    """Another price for the rest of the period. What was used under the old one is billed with the change's
    own document, if it makes one.
    """
    since = state.subscription.rest(at, state.price.granularity)[0].start
    subscription = state.subscription.switched(wanted.price, since)
    used = state.reckoned(since)
    own = _switch_lines(state, wanted, move, at)
    lines = own + used.lines
    hold = range(len(lines)) if move.axes.waits or not own else ()
    posting = Posting(at, subscription, wanted.price, events, lines, segments=used.segments)
    return _kept_cycle(state, posting, hold=frozenset(hold))


def _kept_cycle(state: State, posting: Posting, *, hold: frozenset[int]) -> Posting:
    """The posting with its documents; lines in `hold` wait, and if all do, what waits already goes on
    waiting.
    """
    if len(hold) == len(posting.lines):
        return posting
    return replace(posting, drafts=state.drafts(posting.lines, hold=hold))


def _events(state: State, seats: Iterable[tuple[Item, int]], at: datetime) -> Iterator[Delta]:
    for metric, seats_after in seats:
        net = seats_after - state.level(metric).committed
        if net:
            yield Delta(metric, BalanceKind.COMMITTED, max(0, net), max(0, -net), at, EventSource.CHANGE)


def _taking_back(state: State, at: datetime, measure: Measure) -> TakingBack:
    return TakingBack(state.subscription, at, state.price, full=measure is Measure.ALL)


def _credits_of_restart(state: State, moves: tuple[Move, ...], since: datetime) -> tuple[Line, ...]:
    """What a restart gives back from the start of the new period on: on the present period's own first day
    everything billed for it, else what each move's mode credits.
    """
    if local_day(since, state.subscription.zone) == state.subscription.period.first_day:
        return _everything(state, since, Measure.SHARE)
    lines: tuple[Line, ...] = ()
    for move in moves:
        if move.axes.credit is Measure.NOTHING:
            continue
        if move.metric is None:
            lines += _everything(state, since, move.axes.credit)
        elif not move.increases:
            lines += _seat_lines(state, move, since)
    return lines


def _everything(state: State, at: datetime, measure: Measure) -> tuple[Line, ...]:
    taking = _taking_back(state, at, measure)
    return tuple(line for item in state.items() for line in taking.everything(state.charges_of(item)))


def _switch_lines(state: State, wanted: Wanted, move: Move, at: datetime) -> tuple[Line, ...]:
    """Another plan inside the cycle: credit lines for all of the old, charge lines for all of the new."""
    credit, charge = move.axes.credit, move.axes.charge
    credit_lines = () if credit is Measure.NOTHING else _everything(state, at, credit)
    if charge is Measure.NOTHING and not move.increases:
        return credit_lines
    charging = _charging(state, wanted.price, charge, at)
    return credit_lines + charging.whole(LineKind.CHANGED, state.committed() | dict(wanted.seats))


def _charging(state: State, price: PlanPrice, charge: Measure, at: datetime) -> Charging:
    """Charging for what is left of the present cycle."""
    rest, share = state.subscription.rest(at, price.granularity)
    treatment = state.treatment(local_day(at, state.subscription.zone))
    shared = share if charge is not Measure.ALL else None
    return Charging(price, rest, shared, treatment, state.subscription.cycle, free=charge is Measure.NOTHING)


def _seat_lines(state: State, move: Move, at: datetime) -> tuple[Line, ...]:
    """The lines of one metric inside the plan: seats added, or given back."""
    assert move.metric is not None
    seat = state.price.seat(move.metric)
    assert seat is not None
    before, wanted = seat.purchased(move.before), seat.purchased(move.after)
    if move.increases:
        paid = max(before, state.paid_units(move.metric))
        return _added(state, move, seat, before=paid, after=wanted, at=at)
    if move.axes.credit is Measure.NOTHING:
        return ()
    return tuple(_given_back(state, move, seat, before - wanted, at))


def _added(
    state: State, move: Move, seat: SeatPrice, *, before: int, after: int, at: datetime
) -> tuple[Line, ...]:
    """Charges for what is not paid yet; seats given up without credit are paid until the period ends.

    Where a model prices a quantity as a whole, what was priced so is credited and the new quantity charged;
    seats apart from it (not billed, or at an old price) stay so until the renewal. What a free period has no
    line for belongs to the whole.
    """
    if after <= before:
        return ()
    charging = _charging(state, state.price, move.axes.charge, at)
    if seat.model.extends or move.axes.charge is Measure.NOTHING:
        return (charging.added(seat, before=before, after=after),)
    charges = state.charges_of(seat.metric.code)
    whole = tuple(billed for billed in charges if _is_whole(state, seat, billed))
    priced = sum(billed.units_left for billed in whole)
    apart = sum(billed.units_left for billed in charges) - priced
    charge = charging.quantity(LineKind.CHANGED, seat, max(priced, before - apart) + after - before)
    assert charge is not None, "seats were added"
    return (*_taking_back(state, at, move.axes.credit).everything(whole), charge)


def _given_back(state: State, move: Move, seat: SeatPrice, units: int, at: datetime) -> Iterator[Line]:
    """Credits for units, newest charge line first; a line that cannot lose units by themselves is credited
    whole and what stays of it charged anew.
    """
    taking = _taking_back(state, at, move.axes.credit)
    for billed in state.charges_of(seat.metric.code):
        count = min(units, billed.units_left)
        stays = billed.units_left - count
        if not count:
            continue
        units -= count
        if _is_whole(state, seat, billed) and _prices_anew(seat, stays):
            yield from taking.everything((billed,))
            charging = _charging(state, state.price, move.axes.charge, at)
            yield from filter(None, [charging.quantity(LineKind.CHANGED, seat, stays)])
        else:
            yield taking.units(billed, count)


def _is_whole(state: State, seat: SeatPrice, billed: BilledLine) -> bool:
    """Whether a line is the price of a whole quantity at the present version, not of seats added or not
    billed.
    """
    line = billed.line
    if line.kind is LineKind.ADDED or line.price != state.price.id:
        return False
    return line.parts == price(seat, line.quantity)


def _prices_anew(seat: SeatPrice, stays: int) -> bool:
    """Whether fewer units are another price for all of them, or none left still cost the flat amount of the
    first tier.
    """
    return not seat.model.extends or (not stays and exact_amount(price(seat, 0)) != 0)
