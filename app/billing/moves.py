"""The parts of a change, and what the plan's policy makes of each: its direction, mode and timing.

Inside one plan and interval each metric moves by itself. Another plan is one move, by the yearly list amount;
a longer interval is an increase, a shorter one a decrease that waits for the renewal under every policy.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction
from typing import Final

from app.billing.charges import Charging
from app.billing.lines import LineKind
from app.billing.overrides import listed
from app.billing.plans import ChangeTiming, DirectionPolicy, Item, PlanPrice, ProrationMode
from app.billing.pricing import exact_amount
from app.billing.refusals import ProrationModeNotAllowed
from app.billing.requests import ChangeRequest, Wanted
from app.billing.state import State


class Measure(Enum):
    """How much of a price an axis takes: the remaining share, all of it whatever the day, or nothing."""

    SHARE = "SHARE"
    ALL = "ALL"
    NOTHING = "NOTHING"


@dataclass(frozen=True, slots=True)
class Axes:
    """What a proration mode means: what is charged and given back, whether the cycle restarts, whether the
    lines wait.
    """

    charge: Measure
    credit: Measure
    restarts: bool = False
    waits: bool = False


AXES: Final[Mapping[ProrationMode, Axes]] = {
    ProrationMode.PRORATED_IMMEDIATELY: Axes(Measure.SHARE, Measure.SHARE),
    ProrationMode.DIFFERENCE_IMMEDIATELY: Axes(Measure.ALL, Measure.ALL),
    ProrationMode.FULL_IMMEDIATELY: Axes(Measure.ALL, Measure.NOTHING, restarts=True),
    ProrationMode.PRORATED_ON_NEXT_INVOICE: Axes(Measure.SHARE, Measure.SHARE, waits=True),
    ProrationMode.DO_NOT_BILL: Axes(Measure.NOTHING, Measure.NOTHING, waits=True),
}


@dataclass(frozen=True, slots=True)
class Move:
    """One part of a change. `metric` None: the plan or the interval moves. `before` and `after` are committed
    seats.
    """

    metric: Item | None
    before: int
    after: int
    increases: bool
    mode: ProrationMode
    timing: ChangeTiming

    @property
    def axes(self) -> Axes:
        return AXES[self.mode]

    @property
    def now(self) -> bool:
        return self.timing is ChangeTiming.NOW


def moves_of(
    state: State, wanted: Wanted, request: ChangeRequest
) -> tuple[Move, ...] | ProrationModeNotAllowed:
    """What moves, increases first; nothing if all is as asked. Refused if the policy forbids the mode or
    timing of a part.
    """
    if wanted.switches:
        move = _switch(state, wanted, request)
        return move if isinstance(move, ProrationModeNotAllowed) else (move,)
    moves = []
    for metric, after in wanted.seats.items():
        before = state.level(metric).committed
        if after != before:
            move = _by_policy(
                state, request, increases=after > before, metric=metric, before=before, after=after
            )
            if isinstance(move, ProrationModeNotAllowed):
                return move
            moves.append(move)
    if not any(move.now for move in moves):
        refusal = _idle_mode(state, request, moves)
        if refusal:
            return refusal
    return tuple(sorted(moves, key=lambda move: not move.increases))


def _switch(state: State, wanted: Wanted, request: ChangeRequest) -> Move | ProrationModeNotAllowed:
    old, new = state.price, wanted.price
    if new.interval is old.interval:
        amount_before = _yearly_list_amount(state, old, state.committed())
        amount_after = _yearly_list_amount(state, new, state.committed() | dict(wanted.seats))
        return _by_policy(state, request, increases=amount_after >= amount_before)
    if new.interval.months < old.interval.months:
        return _shorter_interval(state, request)
    move = _by_policy(state, request, increases=True)
    if isinstance(move, Move) and move.now and move.mode is ProrationMode.DO_NOT_BILL:
        modes = tuple(
            mode for mode in state.price.policy.increase.modes if mode is not ProrationMode.DO_NOT_BILL
        )
        reason = "A longer billing interval is billed when it starts. Choose another mode, or AT_RENEWAL."
        return ProrationModeNotAllowed(move.mode, request.timing, modes, tuple(ChangeTiming), reason)
    return move


def _shorter_interval(state: State, request: ChangeRequest) -> Move | ProrationModeNotAllowed:
    modes = state.price.policy.decrease.modes
    if request.timing is ChangeTiming.NOW:
        reason = "A shorter billing interval starts at the renewal. Ask for AT_RENEWAL."
        return ProrationModeNotAllowed(
            request.mode, request.timing, modes, (ChangeTiming.AT_RENEWAL,), reason
        )
    mode = request.mode if request.mode in modes else modes[0]
    return Move(None, 0, 0, increases=False, mode=mode, timing=ChangeTiming.AT_RENEWAL)


def _by_policy(
    state: State,
    request: ChangeRequest,
    *,
    increases: bool,
    metric: Item | None = None,
    before: int = 0,
    after: int = 0,
) -> Move | ProrationModeNotAllowed:
    """The move in the mode and timing asked for, by default the plan's; refused if the plan forbids them."""
    policy = state.price.policy.increase if increases else state.price.policy.decrease
    timing = request.timing or policy.timing
    refusal = _not_allowed(policy, request, timing, increases=increases)
    if refusal:
        return refusal
    mode = request.mode if request.mode in policy.modes else policy.modes[0]
    return Move(metric, before, after, increases, mode, timing)


def _not_allowed(
    policy: DirectionPolicy, request: ChangeRequest, timing: ChangeTiming, *, increases: bool
) -> ProrationModeNotAllowed | None:
    timings = tuple(ChangeTiming) if policy.timing is ChangeTiming.NOW else (ChangeTiming.AT_RENEWAL,)
    what = "an increase" if increases else "a decrease"
    if timing not in timings:
        reason = f"This plan lets {what} start at the renewal only. Ask for AT_RENEWAL."
    elif timing is ChangeTiming.NOW and request.mode is not None and request.mode not in policy.modes:
        allowed = ", ".join(mode.value for mode in policy.modes)
        reason = f"This plan does not allow {request.mode.value} for {what}. It allows: {allowed}."
    else:
        return None
    return ProrationModeNotAllowed(request.mode, request.timing, policy.modes, timings, reason)


def _idle_mode(state: State, request: ChangeRequest, moves: list[Move]) -> ProrationModeNotAllowed | None:
    """A mode that was asked for without asking to wait, where all parts wait by policy, and that the policy
    does not know.
    """
    for move in moves:
        policy = state.price.policy.increase if move.increases else state.price.policy.decrease
        if request.mode is not None and request.timing is None and request.mode not in policy.modes:
            reason = (
                f"This plan lets the change start at the renewal only, so {request.mode.value} "
                "means nothing here. Ask for AT_RENEWAL."
            )
            return ProrationModeNotAllowed(
                request.mode, None, policy.modes, (ChangeTiming.AT_RENEWAL,), reason
            )
    return None


def _yearly_list_amount(state: State, price: PlanPrice, committed: dict[Item, int]) -> Fraction:
    """The yearly equivalent of everything billed in advance for committed seats by the list, before tax and
    whatever was agreed with the customer.
    """
    treatment = state.treatment(state.subscription.period.first_day)
    lines = Charging(listed(price), state.subscription.period, None, treatment, 0).whole(
        LineKind.PERIOD, committed
    )
    return price.yearly(exact_amount(part for line in lines for part in line.parts))
