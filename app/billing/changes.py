"""What a change costs: `decide(state, request, at) → Quote | Refusal`, pure. Preview and confirm are this one
function.

    resolve    the request made absolute            (requests)
    moves_of   each part, by the plan's policy      (moves)
    guard      never below the seats in use         (requests)
    posting    the lines, events and documents
    quote      what people are shown of it, and what the renewal would cost
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from app.billing import renewals
from app.billing.charges import Charging
from app.billing.credits import TakingBack
from app.billing.documents import Draft, Totals, no_totals, totals_of
from app.billing.ledger import BalanceKind, Delta, EventSource
from app.billing.lines import BilledLine, Line, LineKind
from app.billing.money import Money, total
from app.billing.moves import Measure, Move, moves_of
from app.billing.periods import local_day
from app.billing.plans import ChangeTiming, Item, PlanPrice, ProrationMode, SeatPrice
from app.billing.pricing import exact_amount, price
from app.billing.refusals import (
    AboveMaximum,
    BelowMinimum,
    BillingDetailsMissing,
    InvalidInput,
    NothingToChange,
    PlanNotAvailable,
    ProrationModeNotAllowed,
    SeatsInUse,
    SubscriptionNotActive,
)
from app.billing.requests import ChangeRequest, Wanted, guard, resolve
from app.billing.state import Posting, State, after
from app.billing.subscriptions import (
    AtRenewal,
    PlanAtRenewal,
    ScheduledChange,
    SeatsAtRenewal,
    SubscriptionStatus,
)

ChangeRefusal = (
    InvalidInput
    | PlanNotAvailable
    | ProrationModeNotAllowed
    | SeatsInUse
    | BelowMinimum
    | AboveMaximum
    | SubscriptionNotActive
    | NothingToChange
    | BillingDetailsMissing
)


@dataclass(frozen=True, slots=True)
class QuoteLine:
    """A line that the change makes or collects; `waits` if it will stand on a later document."""

    line: Line
    waits: bool


@dataclass(frozen=True, slots=True)
class Quote:
    """The priced answer to "what if": all that the change would write, and what its first renewal would cost.

    `at_renewal` is a forecast, None when nothing renews; so is `renews_at`.
    """

    posting: Posting
    mode: ProrationMode
    timing: ChangeTiming
    lines: tuple[QuoteLine, ...]
    due_now: Totals
    credit_added: Money
    at_renewal: Totals | None
    renews_at: datetime | None

    @property
    def replaces(self) -> tuple[ScheduledChange, ...]:
        """The scheduled changes that it takes the place of."""
        return self.posting.settled


def decide(state: State, request: ChangeRequest, at: datetime) -> Quote | ChangeRefusal:
    """What a change would do at an instant, or why it cannot be. The state is brought up to the instant
    already.
    """
    if state.subscription.status is not SubscriptionStatus.ACTIVE:
        return SubscriptionNotActive(state.subscription.status)
    wanted = resolve(state, request)
    if not isinstance(wanted, Wanted):
        return wanted
    moves = moves_of(state, wanted, request)
    if isinstance(moves, ProrationModeNotAllowed):
        return moves
    settled = _settled(state, wanted, request)
    if _is_so(wanted, moves, settled):
        return NothingToChange()
    refusal = guard(state, wanted)
    if refusal:
        return refusal
    posting = _posting(state, wanted, moves, settled, at)
    if posting.drafts and state.buyer.missing:
        return BillingDetailsMissing(state.buyer.missing)
    return _quote(state, posting, moves, request)


def _is_so(wanted: Wanted, moves: tuple[Move, ...], settled: tuple[ScheduledChange, ...]) -> bool:
    """Whether nothing moves, or what would wait for the renewal waits already."""
    waits = {scheduled.change for scheduled in settled}
    return not any(move.now for move in moves) and waits == set(_scheduled(wanted, moves))


def allowed_ways(state: State, request: ChangeRequest, at: datetime) -> Iterator[Quote]:
    """The same change in every mode and timing that the plan allows, those of now first."""
    now = [replace(request, mode=mode, timing=ChangeTiming.NOW) for mode in ProrationMode]
    for way in (*now, replace(request, mode=None, timing=ChangeTiming.AT_RENEWAL)):
        quote = decide(state, way, at)
        if isinstance(quote, Quote):
            yield quote


def renewal_forecast(state: State) -> Totals | None:
    """What the next renewal will cost if nothing changes until then; None if nothing renews."""
    unchanged = Posting(state.subscription.period.start, state.subscription, state.price)
    return _forecast(state, unchanged)[0]


def totals_due(drafts: tuple[Draft, ...], zero: Money) -> Totals:
    """The totals of all documents of a posting together; of nothing if there are none."""
    if len(drafts) == 1:
        return drafts[0].totals
    every = [draft.totals for draft in drafts] or [no_totals(zero.currency)]
    return Totals(
        subtotal=total((totals.subtotal for totals in every), zero.currency),
        taxes=tuple(amount for totals in every for amount in totals.taxes),
        tax=total((totals.tax for totals in every), zero.currency),
        total=total((totals.total for totals in every), zero.currency),
        credit_applied=total((totals.credit_applied for totals in every), zero.currency),
        amount_due=total((totals.amount_due for totals in every), zero.currency),
    )


def _settled(state: State, wanted: Wanted, request: ChangeRequest) -> tuple[ScheduledChange, ...]:
    """The scheduled changes of the same targets: a newer change replaces them, also one back to what is."""
    targets = {SeatsAtRenewal(metric, 0).target for metric in wanted.seats}
    if request.plan is not None or request.interval is not None:
        targets.add(PlanAtRenewal.target)
    return tuple(scheduled for scheduled in state.scheduled if scheduled.change.target in targets)


def _posting(
    state: State, wanted: Wanted, moves: tuple[Move, ...], settled: tuple[ScheduledChange, ...], at: datetime
) -> Posting:
    now = tuple(move for move in moves if move.now)
    later = tuple(move for move in moves if not move.now)
    posting = (
        _posting_now(state, wanted, now, at)
        if now
        else Posting(at, state.subscription.changed(), state.price)
    )
    return replace(posting, settled=settled, scheduled=tuple(_scheduled(wanted, later)))


def _scheduled(wanted: Wanted, later: tuple[Move, ...]) -> Iterator[AtRenewal]:
    for move in later:
        if move.metric is not None:
            yield SeatsAtRenewal(move.metric, move.after)
        else:
            yield PlanAtRenewal(wanted.price.plan, wanted.price.interval)
            yield from (SeatsAtRenewal(metric, seats) for metric, seats in wanted.seats.items())


def _posting_now(state: State, wanted: Wanted, moves: tuple[Move, ...], at: datetime) -> Posting:
    """The posting of the moves of today: of a new period if the cycle restarts, else of the rest of the
    present one.
    """
    seats = wanted.seats if wanted.switches else {move.metric: move.after for move in moves if move.metric}
    events = tuple(_events(state, seats.items(), at))
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


def _restarted(
    state: State, wanted: Wanted, moves: tuple[Move, ...], events: tuple[Delta, ...], at: datetime
) -> Posting:
    """A new period from today on; what was used until then is billed with it."""
    subscription = state.subscription.reset(wanted.price, at=at)
    since = subscription.period.start
    credit_lines = _credits_of_restart(state, moves, since)
    used = state.reckoned(since)
    return renewals.open_period(
        state, subscription, wanted.price, at, used=used, events=events, credit_lines=credit_lines
    )


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
    if since == state.subscription.period.start:
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


def _quote(state: State, posting: Posting, moves: tuple[Move, ...], request: ChangeRequest) -> Quote:
    lead = next((move for move in moves if move.now), moves[0] if moves else None)
    policy = state.price.policy.increase
    zero = Money.zero(state.currency)
    at_renewal, renews_at = _forecast(state, posting)
    return Quote(
        posting=posting,
        mode=lead.mode if lead else request.mode or policy.modes[0],
        timing=lead.timing if lead else request.timing or policy.timing,
        lines=_quote_lines(posting),
        due_now=totals_due(posting.drafts, zero),
        credit_added=total((draft.credit_added for draft in posting.drafts), state.currency),
        at_renewal=at_renewal,
        renews_at=renews_at,
    )


def _quote_lines(posting: Posting) -> tuple[QuoteLine, ...]:
    """What is due now, the lines that waited among it, then what waits."""
    placed = {ref.new for draft in posting.drafts for ref in draft.lines if ref.new is not None}
    due = tuple(QuoteLine(ref.line, waits=False) for draft in posting.drafts for ref in draft.lines)
    return due + tuple(QuoteLine(line, waits=True) for i, line in enumerate(posting.lines) if i not in placed)


def _forecast(state: State, posting: Posting) -> tuple[Totals | None, datetime | None]:
    """What the first renewal after a posting would cost if nothing else happened, and when it is."""
    ids = itertools.count(1)

    def new_id() -> UUID:
        return UUID(int=next(ids))

    changed = after(state, posting, new_id)
    *collected, last = renewals.bring_up(changed, changed.subscription.period.end, new_id)
    renewal = last.posting
    if renewal.subscription.status is not SubscriptionStatus.ACTIVE:
        return None, None
    if renewal.drafts:
        return totals_due(renewal.drafts, Money.zero(state.currency)), renewal.at
    ready = collected[-1].state if collected else changed
    return totals_of((*(b.line for b in ready.waiting), *renewal.lines), ready.credit), renewal.at
