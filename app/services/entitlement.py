"""May one more seat be used? The vendor's product asks before it invites somebody, so it reads little."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from app.billing.ledger import SeatBalance, SeatLevels, balance_of
from app.billing.overrides import own
from app.billing.plans import Item
from app.billing.refusals import NotFound
from app.billing.subscriptions import SubscriptionStatus
from app.store import catalogs, overrides, seats, subscriptions
from app.store.transaction import Tx


class Why(Enum):
    """Why a seat may be used or not.

    ROOM: there are seats left · BILLED_BY_USE: there is no limit, and what is used is billed · OVERAGE:
    above the limit, at its own price · LIMIT_REACHED · NOT_IN_PLAN · PAUSED · NO_SUBSCRIPTION: no live one
    """

    ROOM = "ROOM"
    BILLED_BY_USE = "BILLED_BY_USE"
    OVERAGE = "OVERAGE"
    LIMIT_REACHED = "LIMIT_REACHED"
    NOT_IN_PLAN = "NOT_IN_PLAN"
    PAUSED = "PAUSED"
    NO_SUBSCRIPTION = "NO_SUBSCRIPTION"

    @property
    def allows(self) -> bool:
        return self in {Why.ROOM, Why.BILLED_BY_USE, Why.OVERAGE}


@dataclass(frozen=True, slots=True)
class Entitlement:
    """Whether so many more seats may be used, why, and the seats as they are."""

    why: Why
    balance: SeatBalance


def entitlement(tx: Tx, metric: str, *, more: int = 1) -> Entitlement | NotFound:
    """Whether `more` further seats of a metric may be used now. It holds nothing: two who ask at once are
    told the same.
    """
    subscription = subscriptions.live(tx)
    agreed = overrides.recorded(tx, since=tx.at)
    levels = seats.levels(tx, agreed).get(Item(metric), SeatLevels())
    price = own(catalogs.price(tx, subscription.price), agreed, tx.at) if subscription else None
    seat = price.seat(metric) if price else None
    if seat is None and catalogs.current(tx).metric(metric) is None:
        return NotFound("seat metric", "Check its code.")
    balance = balance_of(Item(metric), levels, seat)
    if subscription is None or subscription.status is SubscriptionStatus.ENDED:
        return Entitlement(Why.NO_SUBSCRIPTION, balance)
    if subscription.status is SubscriptionStatus.PAUSED:
        return Entitlement(Why.PAUSED, balance)
    if seat is None:
        return Entitlement(Why.NOT_IN_PLAN, balance)
    if balance.available is None:
        return Entitlement(Why.BILLED_BY_USE, balance)
    if balance.available >= more:
        return Entitlement(Why.ROOM, balance)
    return Entitlement(Why.LIMIT_REACHED if seat.guarded else Why.OVERAGE, balance)
