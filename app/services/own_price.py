"""Whether a price of a customer's own can be one: the tiers that its model needs, amounts that its currency
can hold. The same rules as for the prices of a catalog file.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from itertools import pairwise

from app.billing.money import Currency
from app.billing.overrides import OwnPrice
from app.billing.plans import PricingModel, Tier
from app.billing.refusals import Problem
from app.billing.requests import SEATS_MAX
from app.services.catalog_reader import AMOUNT_DIGITS, PRICE_DECIMALS_MAX

SINGLE = frozenset({PricingModel.PER_UNIT, PricingModel.PACKAGE})


def problems_of(price: OwnPrice, currency: Currency) -> Iterator[Problem]:
    """Everything that is wrong with an own price, by path."""
    if not 1 <= price.package_size <= SEATS_MAX:
        yield Problem(
            "price.packageSize", f"A pack has from 1 to {SEATS_MAX} seats, not {price.package_size}."
        )
    elif price.package_size != 1 and price.model is not PricingModel.PACKAGE:
        yield Problem("price.packageSize", f"{price.model.value} has no packs. Leave the size out.")
    yield from _shape(price)
    for i, tier in enumerate(price.tiers):
        yield from _amounts(f"price.tiers[{i}]", tier, price.model, currency)


def _shape(price: OwnPrice) -> Iterator[Problem]:
    """That the tiers follow each other, up to an open one."""
    tiers = price.tiers
    if not tiers:
        yield Problem("price.tiers", f"{price.model.value} needs an amount. Give its tiers.")
        return
    if price.model in SINGLE and len(tiers) != 1:
        yield Problem("price.tiers", f"{price.model.value} has one tier, not {len(tiers)}.")
    if tiers[-1].up_to is not None:
        path = f"price.tiers[{len(tiers) - 1}].upTo"
        yield Problem(path, "The last tier must be open, so that every number of seats has a price.")
    if tiers[0].up_to is not None and not 1 <= tiers[0].up_to <= SEATS_MAX:
        yield Problem("price.tiers[0].upTo", f"A tier goes up to a seat from 1 to {SEATS_MAX}.")
    for i, (this, following) in enumerate(pairwise(tiers)):
        if this.up_to is None:
            yield Problem(f"price.tiers[{i}].upTo", "Only the last tier is open. Say how far this one goes.")
        elif following.up_to is not None and not this.up_to < following.up_to <= SEATS_MAX:
            path = f"price.tiers[{i + 1}].upTo"
            yield Problem(
                path, f"{following.up_to} is not above the tier before, which goes to {this.up_to}."
            )


def _amounts(path: str, tier: Tier, model: PricingModel, currency: Currency) -> Iterator[Problem]:
    """That each amount is one, and stands where its model looks for it."""
    flat_only = model in {PricingModel.STAIRSTEP, PricingModel.PACKAGE}
    if flat_only and tier.unit_amount:
        yield Problem(f"{path}.unitAmount", f"{model.value} costs its flatAmount. Leave unitAmount out.")
    if model is PricingModel.PER_UNIT and tier.flat_amount:
        yield Problem(f"{path}.flatAmount", "PER_UNIT costs its unitAmount. Leave flatAmount out.")
    yield from _amount(f"{path}.unitAmount", tier.unit_amount, PRICE_DECIMALS_MAX, f"{PRICE_DECIMALS_MAX}")
    yield from _amount(
        f"{path}.flatAmount", tier.flat_amount, currency.digits, f"the {currency.digits} of {currency}"
    )


def _amount(path: str, amount: Decimal, decimals: int, most: str) -> Iterator[Problem]:
    if not amount.is_finite() or amount < 0 or amount >= 10**AMOUNT_DIGITS:
        yield Problem(path, f"{amount} is no price. Give an amount from 0 to below 10^{AMOUNT_DIGITS}.")
        return
    exponent = amount.normalize().as_tuple().exponent
    if isinstance(exponent, int) and -exponent > decimals:
        yield Problem(path, f"{amount} has more decimal digits than {most}.")
