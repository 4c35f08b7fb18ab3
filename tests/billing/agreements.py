"""Overrides to test with: one by its words, or several at random; and states of customers who have them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

from app.billing.overrides import Aspect, Override, OwnPrice
from app.billing.plans import Item, PlanPrice, PricingModel, SeatPrice
from app.billing.state import State
from tests.billing.test_histories import a_seat_price
from tests.builders import (
    EDITOR,
    VIEWER,
    instant,
    seat_price,
)


def agreed(
    n: int = 1, metric: Item = EDITOR, *, since: str | datetime = "2026-01-01", **what: Any
) -> Override:
    """An override, the nth that was recorded; `until=` ends it."""
    starts, until = (instant(at) if isinstance(at, str) else at for at in (since, what.pop("until", None)))
    assert starts is not None
    return Override(UUID(int=n), metric, starts, until, what.pop("recorded", starts), "seller", **what)


def unit(amount: str) -> OwnPrice:
    """So much for each seat."""
    return OwnPrice(PricingModel.PER_UNIT, seat_price(amount).tiers)


def price_of(seat: SeatPrice) -> OwnPrice:
    """The amounts of a seat price, agreed with one customer."""
    return OwnPrice(seat.model, seat.tiers, seat.package_size)


def with_overrides(state: State, *overrides: Override) -> State:
    """The state of a customer with whom this was agreed."""
    return replace(state, overrides=overrides)


def some_overrides(random: Random, prices: Sequence[PlanPrice]) -> tuple[Override, ...]:
    """Agreements about anything, at any time, some of them for a while, some withdrawn."""
    made = []
    for n in range(random.randrange(1, 7)):
        price, metric = random.choice(prices), random.choice((EDITOR, VIEWER))
        since = instant("2026-01-01") + timedelta(hours=random.randrange(24 * 120))
        until = random.choice((None, since + timedelta(hours=random.randrange(1, 24 * 60))))
        own_price = price_of(a_seat_price(random, price.currency, metric))
        what: dict[str, Any] = random.choice(
            (
                {"granted": random.randrange(4)},
                {"price": own_price, "plan": price.plan, "interval": price.interval},
                {"price": own_price, "plan": price.plan, "interval": price.interval, "minimum": 3},
                {"maximum": random.randrange(8, 30), "plan": price.plan},
                {"withdrawn": frozenset(Aspect)},
            )
        )
        made.append(agreed(n, metric, since=since, until=until, **what))
    return tuple(made)
