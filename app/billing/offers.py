"""Whether a customer could change to a plan, before any particular change is asked for."""

from __future__ import annotations

from app.billing.plans import Plan, PlanPrice
from app.billing.state import State


def obstacle(state: State, plan: Plan) -> str | None:
    """Why a subscription cannot change to a plan now; None if it can, at one of the intervals at least.

    The plan it is on is an obstacle to itself. Committed seats are none: the change can name others.
    """
    if plan.code == state.price.plan:
        return "This is the present plan. Its seats and its billing interval can be changed."
    prices = [price for price in plan.prices if price.currency == state.currency]
    if not prices:
        return f"{plan.name} is not sold in {state.currency}."
    problems = [_seats_in_use(state, price) for price in prices]
    return None if None in problems else problems[0]


def _seats_in_use(state: State, price: PlanPrice) -> str | None:
    """Which seats in use a price version has no room for."""
    for metric, level in sorted(state.levels.items()):
        seat, old = price.seat(metric), state.price.seat(metric)
        if not level.in_use:
            continue
        if seat is None:
            label = old.metric.label if old else metric
            return (
                f"{price.plan_name} has no {label} seats. Release the {level.in_use} that are in use first."
            )
        if seat.maximum is None or not price.guards(seat):
            continue
        most_used = seat.limit(seat.maximum, level.granted)
        if most_used is not None and level.in_use > most_used:
            most = seat.metric.counted(seat.maximum)
            return f"{price.plan_name} allows at most {most}; in use are {level.in_use}. Release some first."
    return None
