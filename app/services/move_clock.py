"""Move the time of a demo or test customer forward. Time only grows, and what falls due on the way is for the
billing run.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from app.billing.permissions import Actor
from app.billing.refusals import InvalidInput, NotFound, Problem
from app.store import collecting, commits, customers, subscriptions
from app.store.transaction import Tx


def move_clock(tx: Tx, actor: Actor, by: timedelta) -> datetime | NotFound | InvalidInput:
    """The customer's new present instant. Live customers have no clock of their own."""
    customer = customers.get(tx)
    if customer is None:
        return NotFound("customer")
    if not customer.demo:
        return InvalidInput((Problem("customer", "Only the time of demo and test customers can be moved."),))
    if by <= timedelta(0):
        return InvalidInput(
            (Problem("advance", "Time only moves forward. Give a duration such as P1D or P1M."),)
        )
    customers.set_clock_offset(tx, customer.clock_offset + by)
    subscriptions.move_due(tx, by)
    collecting.move_due(tx, by)
    commits.note(
        tx,
        "clock.moved",
        tx.customer,
        actor=actor.name,
        at=tx.at,
        detail={"seconds": int(by.total_seconds())},
    )
    return tx.at + by
