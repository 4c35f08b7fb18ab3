"""Compare the vendor's own lists of who uses a seat with the ledger. It only reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app.billing.drift import Drift, Roll, drift
from app.billing.ledger import SeatLevels
from app.billing.overrides import own
from app.billing.refusals import InvalidInput, NotFound, Problem
from app.billing.subscriptions import SubscriptionStatus
from app.store import catalogs, customers, overrides, rolls, seats, subscriptions
from app.store.transaction import Tx


@dataclass(frozen=True, slots=True)
class DriftReport:
    """The drift of each metric, as of an instant."""

    at: datetime
    drifts: tuple[Drift, ...]


def report_drift(tx: Tx, wanted: Sequence[Roll]) -> DriftReport | NotFound | InvalidInput:
    """How far each roll is from what was reported, and what that is worth at the present price."""
    if customers.get(tx) is None:
        return NotFound("customer")
    catalog = catalogs.current(tx)
    unknown = [roll.metric for roll in wanted if catalog.metric(roll.metric) is None]
    if unknown:
        told = tuple(Problem(metric, f"There are no seats called {metric!r}.") for metric in unknown)
        return InvalidInput(told)
    live, agreed = subscriptions.live(tx), overrides.recorded(tx, since=tx.at)
    runs = live is not None and live.status is not SubscriptionStatus.ENDED
    price = own(catalogs.price(tx, live.price), agreed, tx.at) if live and runs else None
    levels = seats.levels(tx, agreed)
    held = rolls.held(tx, [roll.metric for roll in wanted])
    found = (drift(roll, levels.get(roll.metric, SeatLevels()), held[roll.metric], price) for roll in wanted)
    return DriftReport(tx.at, tuple(found))
