"""Let time go by for a demo or test customer, by its own calendar."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from app.billing.permissions import Actor
from app.billing.refusals import InvalidInput, NotFound
from app.services.durations import Duration
from app.services.move_clock import move_clock
from app.store import customers
from app.store.transaction import Tx


@dataclass(frozen=True, slots=True)
class TimePassed:
    """From which instant to which."""

    left: datetime
    now: datetime


def pass_time(tx: Tx, actor: Actor, by: Duration) -> TimePassed | NotFound | InvalidInput:
    """Move the customer's clock. What falls due on the way is for the billing run."""
    customer = customers.get(tx)
    if customer is None:
        return NotFound("customer")
    moved = move_clock(tx, actor, by.after(tx.at, customer.zone) - tx.at)
    return TimePassed(tx.at, moved) if isinstance(moved, datetime) else moved
