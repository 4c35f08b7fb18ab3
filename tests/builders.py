"""Values to test the billing rules with: pure functions whose defaults hide what does not matter.

The default world: one seat metric `editor` at 10.00 USD a month in advance, a plan that allows everything, a
customer in UTC who pays no tax, and a subscription that starts with 10 editors on 1 April 2026: its period
has 30 days and the 16th is half of it.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID, uuid5

from app.billing import renewals
from app.billing.money import CURRENCIES, Money
from app.billing.periods import BillingInterval, Granularity
from app.billing.plans import (
    ChangePolicy,
    ChangeTiming,
    ChargingBasis,
    DirectionPolicy,
    Item,
    Plan,
    PlanPrice,
    PricingModel,
    ProrationMode,
    SeatMetric,
    SeatPrice,
    Tier,
)
from app.billing.requests import ChangeRequest, SeatQuantity
from app.billing.state import Buyer, State, after
from app.billing.subscriptions import Subscription
from app.billing.taxes import TaxRate, TaxRules

EDITOR: Final = Item("editor")
VIEWER: Final = Item("viewer")
NO_TAX: Final = TaxRules("DE", ())
VAT: Final = TaxRules("DE", (TaxRate("DE", "VAT", Decimal(19), date(2020, 1, 1)),))


def money(amount: str, currency: str = "USD") -> Money:
    return Money.of(amount, CURRENCIES[currency])


def instant(text: str) -> datetime:
    """`2026-04-16` or `2026-04-16 14:30`, in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def seat_price(
    unit: str = "10.00", metric: str = EDITOR, *steps: tuple[int | None, str, str], **rest: Any
) -> SeatPrice:
    """Seats at one price each, or in steps of (up to, unit, flat); graduated, or as `model` says."""
    model = rest.pop("model", PricingModel.GRADUATED if steps else PricingModel.PER_UNIT)
    tiers = tuple(Tier(up_to, Decimal(each), Decimal(flat)) for up_to, each, flat in steps)
    tiers = tiers or (Tier(None, Decimal(unit)),)
    return SeatPrice(SeatMetric(Item(metric), metric), ChargingBasis.PURCHASED, model, tiers, **rest)


def direction(*modes: ProrationMode, timing: ChangeTiming = ChangeTiming.NOW) -> DirectionPolicy:
    """What a policy allows in one direction: the modes (all), the first by default."""
    return DirectionPolicy(modes or tuple(ProrationMode), timing)


def plan_price(
    *seats: SeatPrice,
    plan: str = "team",
    fee: str = "0",
    currency: str = "USD",
    interval: BillingInterval = BillingInterval.MONTH,
    increase: DirectionPolicy | None = None,
    decrease: DirectionPolicy | None = None,
    granularity: Granularity = Granularity.DAY,
) -> PlanPrice:
    """A price version; its id follows from what it is."""
    seats = seats or (seat_price(),)
    policy = ChangePolicy(increase or direction(), decrease or direction())
    identity = uuid5(UUID(int=0), f"{plan} {interval} {currency} {fee} {seats}")
    base_fee = money(fee, currency)
    return PlanPrice(identity, plan, plan.title(), interval, base_fee, seats, policy, granularity)


def offered(*prices: PlanPrice) -> tuple[Plan, ...]:
    """The catalog that offers these price versions."""
    codes = dict.fromkeys(price.plan for price in prices)
    return tuple(Plan(code, code.title(), "", tuple(p for p in prices if p.plan == code)) for code in codes)


def unstarted(
    price: PlanPrice | None = None,
    *others: PlanPrice,
    at: str = "2026-04-01",
    anchor: str | None = None,
    zone: str = "UTC",
    taxes: TaxRules = NO_TAX,
) -> State:
    """A subscription before its first posting; `others` are price versions on offer besides."""
    price = price or plan_price()
    wall = datetime.fromisoformat(anchor) if anchor else None
    return State(
        buyer=Buyer(price.currency, zone, country="DE", tax_id=None),
        taxes=taxes,
        subscription=Subscription.starting(UUID(int=1), price, at=instant(at), anchor=wall, zone=zone),
        price=price,
        plans=offered(price, *others),
        levels={},
        lines=(),
        scheduled=(),
        credit=Money.zero(price.currency),
    )


def started(
    price: PlanPrice | None = None, *others: PlanPrice, at: str = "2026-04-01", editor: int = 10, **rest: Any
) -> State:
    """A subscription with its first period billed; `viewer=3` commits seats of another metric."""
    counts = {Item(name): rest.pop(name) for name in tuple(rest) if isinstance(rest[name], int)}
    state = unstarted(price, *others, at=at, **rest)
    return after(state, renewals.start(state, instant(at), {EDITOR: editor, **counts}), ids(state))


def tried(
    price: PlanPrice | None = None,
    *others: PlanPrice,
    days: int = 14,
    at: str = "2026-04-01",
    editor: int = 10,
) -> State:
    """A subscription in its trial of so many days."""
    state = unstarted(price, *others, at=at)
    trial = Subscription.trying(UUID(int=1), state.price, at=instant(at), days=days, zone="UTC")
    state = replace(state, subscription=trial)
    return after(state, renewals.start(state, instant(at), {EDITOR: editor}), ids(state))


def ids(state: State) -> Callable[[], UUID]:
    """Ids that nothing in the state has."""
    started = bool(state.lines or state.levels)
    count = itertools.count((state.subscription.version + started) << 64)
    return lambda: UUID(int=next(count))


def ask(
    *,
    plan: str | None = None,
    interval: BillingInterval | None = None,
    mode: ProrationMode | None = None,
    timing: ChangeTiming | None = None,
    **seats: int | str,
) -> ChangeRequest:
    """A request: `editor=15` is a total, `editor="+5"` adds and `editor="-5"` removes."""
    quantities = tuple(_quantity(metric, wanted) for metric, wanted in seats.items())
    return ChangeRequest(plan, interval, quantities, mode, timing)


def _quantity(metric: str, wanted: int | str) -> SeatQuantity:
    if isinstance(wanted, int):
        return SeatQuantity(metric, total=wanted)
    return SeatQuantity(metric, **{{"+": "add", "-": "remove"}[wanted[0]]: int(wanted[1:])})
