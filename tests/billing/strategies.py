"""Arbitrary prices, plans and days, in the sizes that real catalogs have."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Final

from hypothesis import settings
from hypothesis import strategies as st

from app.billing.money import CURRENCIES, Currency, Money
from app.billing.periods import BillingInterval, Granularity
from app.billing.plans import Item, PlanPrice, PricingModel, ProrationMode, SeatPrice
from tests.builders import EDITOR, VIEWER, direction, plan_price, seat_price

SOME_CURRENCIES: Final = tuple(CURRENCIES[code] for code in ("USD", "JPY", "KWD"))
EXTENDING: Final = tuple(model for model in PricingModel if model.extends)
WHOLE: Final = tuple(model for model in PricingModel if not model.extends)
ZONES: Final = ("UTC", "Europe/Berlin", "America/Sao_Paulo", "Africa/Cairo", "Pacific/Apia")

currencies = st.sampled_from(SOME_CURRENCIES)
modes = st.sampled_from(tuple(ProrationMode))


def amounts(currency: Currency, *, most: int = 200) -> st.SearchStrategy[Decimal]:
    """Prices with two digits more than the currency has."""
    digits = currency.digits + 2
    return st.integers(0, most * 10**digits).map(lambda minor: Decimal(minor).scaleb(-digits))


@st.composite
def seat_prices(
    draw: st.DrawFn, currency: Currency, *, metric: Item = EDITOR, models: tuple[PricingModel, ...]
) -> SeatPrice:
    """A price of any of the models."""
    model = draw(st.sampled_from(models))
    bounds: list[int | None] = []
    if model in {PricingModel.GRADUATED, PricingModel.VOLUME, PricingModel.STAIRSTEP}:
        bounds += sorted(draw(st.sets(st.integers(1, 25), max_size=3)))
    money = amounts(currency)
    steps = [
        (bound, str(draw(money)), str(draw(st.one_of(st.just("0"), money)))) for bound in (*bounds, None)
    ]
    limits = {"included": draw(st.integers(0, 6)), "minimum": draw(st.integers(0, 3))}
    return seat_price("0", metric, *steps, model=model, package_size=draw(st.integers(1, 10)), **limits)


@st.composite
def plan_prices(
    draw: st.DrawFn,
    *,
    models: tuple[PricingModel, ...] = tuple(PricingModel),
    plan: str = "team",
    currency: Currency | None = None,
    intervals: tuple[BillingInterval, ...] = (BillingInterval.MONTH,),
    granularities: tuple[Granularity, ...] = (Granularity.DAY,),
) -> PlanPrice:
    """A price version with a base fee or without, and one metric or two, that allows everything."""
    currency = currency or draw(currencies)
    seats = [draw(seat_prices(currency, models=models))]
    if draw(st.booleans()):
        seats.append(draw(seat_prices(currency, metric=VIEWER, models=models)))
    fee = Money(draw(st.one_of(st.just(0), st.integers(1, 50_000))), currency)
    return plan_price(
        *seats,
        plan=plan,
        fee=str(fee.amount),
        currency=currency.code,
        interval=draw(st.sampled_from(intervals)),
        increase=direction(),
        decrease=direction(),
        granularity=draw(st.sampled_from(granularities)),
    )


def instants(first: date, days: int) -> st.SearchStrategy[datetime]:
    """Whole seconds of some days in UTC, noon and midnight more often than chance."""
    start = datetime(first.year, first.month, first.day, tzinfo=UTC)
    seconds = st.one_of(st.just(0), st.just(12 * 3600), st.integers(0, 86_399))
    return st.builds(
        lambda day, second: start + timedelta(days=day, seconds=second), st.integers(0, days - 1), seconds
    )


def lives() -> int:
    """How many random lives a test plays: 300, or as many as a profile asks for that asks for a number."""
    asked = settings().max_examples
    return 300 if asked == settings.get_profile("default").max_examples else asked
