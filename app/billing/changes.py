"""What a change costs: `decide(state, request, at) → Quote | Refusal`, pure. Preview and confirm are this one
function.

    resolve    the request made absolute            (requests)
    moves_of   each part, by the plan's policy      (moves)
    guard      never below the seats in use         (requests)
    posting_of what starts today writes             (effects)
    quote      what people are shown of it, and what the renewal would cost
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from app.billing import lives, renewals
from app.billing.documents import Draft, Totals, no_totals, totals_of
from app.billing.effects import posting_of
from app.billing.lines import Line
from app.billing.lives import Verb
from app.billing.money import Money, total
from app.billing.moves import Move, moves_of
from app.billing.plans import ChangeTiming, ProrationMode
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
    refused = lives.refusal(Verb.CHANGE, state.subscription.status)
    if refused:
        return refused
    state = state.in_force(at)
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
    if not state.subscription.status.runs:
        return None
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
        posting_of(state, wanted, now, at) if now else Posting(at, state.subscription.changed(), state.price)
    )
    return replace(posting, settled=settled, scheduled=tuple(_scheduled(wanted, later)))


def _scheduled(wanted: Wanted, later: tuple[Move, ...]) -> Iterator[AtRenewal]:
    for move in later:
        if move.metric is not None:
            yield SeatsAtRenewal(move.metric, move.after)
        else:
            yield PlanAtRenewal(wanted.price.plan, wanted.price.interval)
            yield from (SeatsAtRenewal(metric, seats) for metric, seats in wanted.seats.items())


def _quote(state: State, posting: Posting, moves: tuple[Move, ...], request: ChangeRequest) -> Quote:
    lead = next((move for move in moves if move.now), moves[0] if moves else None)
    policy = state.price.policy.increase
    zero = Money.zero(state.currency)
    at_renewal, renews_at = _forecast(state, posting)
    return Quote(
        posting=posting,
        mode=lead.mode if lead else request.mode or policy.modes[0],
        timing=lead.timing if lead else request.timing or policy.timing,
        lines=quote_lines(posting),
        due_now=totals_due(posting.drafts, zero),
        credit_added=total((draft.credit_added for draft in posting.drafts), state.currency),
        at_renewal=at_renewal,
        renews_at=renews_at,
    )


def quote_lines(posting: Posting) -> tuple[QuoteLine, ...]:
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
