"""The prices of a catalog file: for each plan, interval and currency a base fee, the seats, and what
customers may change by themselves.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from itertools import pairwise
from typing import Final
from uuid import UUID

from app.billing.money import CURRENCIES, Currency, Money
from app.billing.periods import BillingInterval
from app.billing.plans import (
    ChangeTiming,
    ChargingBasis,
    Item,
    Plan,
    PlanPrice,
    PricingModel,
    ProrationMode,
    SeatMetric,
    SeatPrice,
    Tier,
)
from app.billing.refusals import Problem
from app.billing.requests import SEATS_MAX
from app.services.catalog_policies import read_granularity, read_policy, with_preset
from app.services.catalog_reader import PRICE_DECIMALS_MAX, Section

UNMINTED: Final = UUID(int=0)
"""The id of a price version that was declared and not applied yet."""

DESCRIPTION_MAX: Final = 500
TRIAL_DAYS_MAX: Final = 730
TIERED: Final = frozenset({PricingModel.GRADUATED, PricingModel.VOLUME, PricingModel.STAIRSTEP})
AMOUNT_KEYS: Final = ("unit_amount", "tiers", "package_size", "package_amount")
MILKABLE: Final = (ProrationMode.DIFFERENCE_IMMEDIATELY, ProrationMode.FULL_IMMEDIATELY)

Metrics = Mapping[str, SeatMetric]


def read_plan(code: str, section: Section, metrics: Metrics) -> Plan:
    """A plan with its prices, at most one for each interval and currency."""
    name = section.text("name")
    description = section.text("description", longest=DESCRIPTION_MAX)
    trial_days = section.count("trial_days", most=TRIAL_DAYS_MAX, default=0) or 0
    sections = list(section.each("prices"))
    if not section.has("prices"):
        section.wrong("prices", f"'prices' is missing. Add [[{section.at('prices')}]].")
    prices = tuple(_price(code, name, each, metrics) for each in sections)
    section.finish()
    _refuse_twins(sections)
    return Plan(code, name, description, prices, trial_days)


def _refuse_twins(sections: list[Section]) -> None:
    """There is one price for an interval and a currency."""
    seen: dict[tuple[str, str], Section] = {}
    for section in sections:
        interval, currency = section.table.get("interval"), section.table.get("currency")
        if isinstance(interval, str) and isinstance(currency, str):
            first = seen.setdefault((interval, currency), section)
            if first is not section:
                message = f"{first.path} is for {interval} in {currency} too. Keep one of them."
                section.wrong("", message)


def milkable(plans: Iterable[Plan]) -> Iterator[Problem]:
    """A warning for each price whose seats can be given back for more than their unused time: by a full
    difference on the last day, and taken again on the first.
    """
    for plan in plans:
        for i, price in enumerate(plan.prices):
            modes = [mode.value for mode in MILKABLE if mode in price.policy.decrease.modes]
            if modes and price.policy.decrease.timing is ChangeTiming.NOW:
                path = f"plans.{plan.code}.prices[{i}].decrease.modes"
                yield Problem(
                    path,
                    f"With {' and '.join(modes)}, seats can be given back for more than their unused time. "
                    "PRORATED_IMMEDIATELY cannot be exploited so.",
                )


def _price(code: str, plan_name: str, section: Section, metrics: Metrics) -> PlanPrice:
    section = with_preset(section)
    interval = section.choice("interval", BillingInterval)
    currency = _currency(section)
    fee = section.decimal("base_fee", decimals=currency.digits, default="0")
    seats = tuple(_seats(section, metrics, currency))
    policy, granularity = read_policy(section), read_granularity(section)
    section.finish()
    base_fee = Money.of(fee, currency)
    return PlanPrice(UNMINTED, code, plan_name, interval, base_fee, seats, policy, granularity)


def _currency(section: Section) -> Currency:
    """The currency; a wrong one reads like one of three digits, so that no amount is called wrong for it."""
    code = section.text("currency")
    if code and code not in CURRENCIES:
        section.wrong("currency", f"{code!r} is no ISO 4217 currency code. Give one such as EUR or USD.")
    return CURRENCIES.get(code, Currency("XXX", 3))


def _seats(section: Section, metrics: Metrics, currency: Currency) -> Iterator[SeatPrice]:
    named = list(section.named("seats"))
    if not named and section.table.get("seats") == {}:
        section.wrong("seats", "A price needs the seats that it is for. Add seats.METRIC.")
    for code, seat in named:
        metric = metrics.get(code)
        if metric is None:
            known = ", ".join(metrics) or "none"
            section.wrong(f"seats.{code}", f"{code!r} is not among the metrics, which are: {known}.")
        yield _seat(seat, metric or SeatMetric(Item(code), code), currency)


def _seat(section: Section, metric: SeatMetric, currency: Currency) -> SeatPrice:
    model = section.choice("model", PricingModel, default=PricingModel.PER_UNIT)
    basis = section.choice("basis", ChargingBasis, default=ChargingBasis.PURCHASED)
    included = section.count("included", most=SEATS_MAX, default=0) or 0
    minimum = section.count("minimum", most=SEATS_MAX, default=0) or 0
    maximum = section.count("maximum", most=SEATS_MAX)
    for key, seats in (("included", included), ("minimum", minimum)):
        if maximum is not None and seats > maximum:
            section.wrong(key, f"{key} is {seats} and maximum {maximum}. Raise maximum, or lower {key}.")
    tiers = _amounts(section, model, currency)
    size = section.count("package_size", least=1, most=SEATS_MAX) if model is PricingModel.PACKAGE else 1
    overage = _overage(section, basis)
    if not basis.in_advance:
        section.forbid(["maximum"], f"{basis.value} bills every seat that is used, so there is no maximum.")
    section.finish()
    return SeatPrice(metric, basis, model, tiers, included, minimum, maximum, size or 1, overage)


def _overage(section: Section, basis: ChargingBasis) -> Decimal | None:
    """The price of a seat above the limit, on the one basis that has it."""
    if basis is not ChargingBasis.OVERAGE:
        section.forbid(["overage_amount"], "Only OVERAGE has a price for seats above the limit.")
        return None
    return section.decimal("overage_amount", decimals=PRICE_DECIMALS_MAX)


def _amounts(section: Section, model: PricingModel, currency: Currency) -> tuple[Tier, ...]:
    """The tiers of a model; the keys of other models are refused."""
    if model in TIERED:
        section.forbid(
            [key for key in AMOUNT_KEYS if key != "tiers"], f"{model.value} has its amounts in tiers."
        )
        return _tiers(section, model, currency)
    if model is PricingModel.PACKAGE:
        section.forbid(["unit_amount", "tiers"], "PACKAGE has package_size and package_amount instead.")
        if not section.has("package_size"):
            section.wrong("package_size", "'package_size' is missing. Give the seats of a pack.")
        return (Tier(None, Decimal(0), section.decimal("package_amount", decimals=currency.digits)),)
    section.forbid([key for key in AMOUNT_KEYS if key != "unit_amount"], "PER_UNIT has unit_amount instead.")
    return (Tier(None, section.decimal("unit_amount", decimals=PRICE_DECIMALS_MAX)),)


def _tiers(section: Section, model: PricingModel, currency: Currency) -> tuple[Tier, ...]:
    sections = list(section.each("tiers"))
    if not section.has("tiers"):
        section.wrong(
            "tiers", f"{model.value} needs tiers. Give a list of tables, the last one without up_to."
        )
    tiers = tuple(_tier(each, model, currency) for each in sections)
    for i, (this, following) in enumerate(pairwise(tiers)):
        if this.up_to is None and not sections[i].has("up_to"):
            sections[i].wrong("up_to", "Only the last tier is open. Say up to which seat this one goes.")
        elif this.up_to and following.up_to and following.up_to <= this.up_to:
            message = f"{following.up_to} overlaps the tier before, which goes up to {this.up_to}. Give more."
            sections[i + 1].wrong("up_to", message)
    if sections and sections[-1].has("up_to"):
        message = "The last tier must be open, so that every number of seats has a price. Leave up_to out."
        sections[-1].wrong("up_to", message)
    return tiers


def _tier(section: Section, model: PricingModel, currency: Currency) -> Tier:
    up_to = section.count("up_to", least=1, most=SEATS_MAX)
    flat = section.has("flat_amount")
    if model is PricingModel.STAIRSTEP:
        section.forbid(["unit_amount"], "A STAIRSTEP costs its flat_amount, however many seats it holds.")
        unit_amount = Decimal(0)
    else:
        default = "0" if flat else None
        unit_amount = section.decimal("unit_amount", decimals=PRICE_DECIMALS_MAX, default=default)
    needed = None if model is PricingModel.STAIRSTEP else "0"
    flat_amount = section.decimal("flat_amount", decimals=currency.digits, default=needed)
    section.finish()
    return Tier(up_to, unit_amount, flat_amount)
