"""The demo's plans: each strategy of pricing seats can be looked at by a preview from acme."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from app.billing.periods import BillingInterval
from app.billing.permissions import SYSTEM
from app.billing.requests import ChangeRequest, SeatQuantity
from app.services.confirming import Offer
from app.services.demo.past import CATALOG
from app.services.preview_change_plan import preview_change_plan
from app.store.transaction import Store
from tests.postgres import in_own_loop
from tests.services.catalogs import declared
from tests.services.test_demo import NOW, SIGNER, copied, live, live_subscription, opened, read, tried

MONTH, YEAR = BillingInterval.MONTH, BillingInterval.YEAR


@pytest.fixture(scope="module")
def lived_url(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of a database in which the past was lived until NOW; tests only read it."""
    url = copied(sqlite_template, tmp_path_factory.mktemp("lived"))
    in_own_loop(live(url, NOW))
    return url


@pytest.fixture
async def lived(lived_url: str) -> AsyncIterator[Store]:
    """The store over it, at NOW."""
    async with opened(lived_url) as (store, _):
        yield store


async def offered(store: Store, plan: str, interval: BillingInterval, **seats: int) -> Offer:
    """What acme is offered for a plan at an interval, with so many seats of each metric."""
    subscription = await read(store, "acme", live_subscription)
    asked = tuple(SeatQuantity(metric, total=total) for metric, total in seats.items())
    request = ChangeRequest(plan=plan, interval=interval, seats=asked)
    offer: Any = await tried(store, "acme", preview_change_plan, SYSTEM, SIGNER, subscription.id, request)
    assert isinstance(offer, Offer), offer
    return offer


@pytest.mark.parametrize(
    ("plan", "interval", "seats", "next_period"),
    [
        ("starter", MONTH, {}, "169.00"),
        ("per-user", MONTH, {}, "180.00"),
        ("basic", MONTH, {}, "225.00"),
        ("basic", YEAR, {}, "2160.00"),
        ("business", MONTH, {}, "249.00"),
        ("enterprise", MONTH, {}, "674.00"),
        ("bundle", MONTH, {}, "175.00"),
        ("bundle", MONTH, {"editor": 12}, "175.00"),
        ("suite", MONTH, {"viewer": 4, "guest": 30}, "320.00"),
        ("suite", YEAR, {"viewer": 4, "guest": 30}, "3072.00"),
        ("team", YEAR, {}, "2390.40"),
    ],
)
async def test_acme_can_try_every_plan(
    lived: Store, plan: str, interval: BillingInterval, seats: dict[str, int], next_period: str
) -> None:
    """What 15 editors cost for a full period.

    A base fee with seats on top: 49.00 + 12 × 10.00. Seats alone: 15 × 12.00. Plans in three steps: 15 ×
    15.00, 99.00 + 15 × 10.00, 499.00 + 25 × 7.00, the least that is billed; by the year 15 × 144.00.
    Bundles: 175.00 for up to 25. Several kinds: 15 × 20.00 + 4 × 5.00, guests for nothing; by the year 15 ×
    192.00 + 4 × 48.00. The team plan by the year, five editors included: 950.40 + 10 × 144.00.
    """
    offer = await offered(lived, plan, interval, **seats)

    assert offer.quote.at_renewal is not None
    assert str(offer.quote.at_renewal.total.amount) == next_period


async def test_acme_can_try_the_plans_that_bill_use(lived: Store) -> None:
    """Nothing is ordered: team is given back for 19 of 31 days, (99.00 + 150.00) × 19/31 = 60.68 + 91.94. The
    twelve who are there cost 12 × 12.00 × 19/31 = 88.26 until the renewal, or 12 × 8.00 × 19/31 = 58.84.
    """
    for plan, used in (("flex", "88.26"), ("active", "58.84")):
        offer = await offered(lived, plan, MONTH)

        amounts = [str(line.line.amount.amount) for line in offer.quote.lines]
        assert sorted(amounts) == ["-60.68", "-91.94"]
        assert offer.quote.at_renewal is not None
        assert str(offer.quote.at_renewal.total.amount) == used


def test_every_strategy_is_among_the_plans_in_dollars() -> None:
    """What acme can choose shows included seats, a minimum, free seats, several kinds, a discount for the
    year, bundles, tiers, and use billed afterwards.
    """
    prices = [
        price
        for plan in declared(CATALOG.read_text("utf-8")).plans
        for price in plan.prices
        if price.currency.code == "USD" and price.seat("editor")
    ]
    every = [seat for price in prices for seat in price.seats]

    assert {price.plan for price in prices} == {
        "team", "starter", "per-user", "basic", "business", "enterprise", "bundle", "suite", "flex", "active",
    }  # fmt: skip
    assert {price.plan for price in prices if price.interval is YEAR} == {"team", "basic", "suite"}
    assert {seat.model.value for seat in every} == {"PER_UNIT", "GRADUATED", "STAIRSTEP"}
    assert {seat.basis.value for seat in every} == {"PURCHASED", "PRORATED", "ACTIVE"}
    assert any(seat.included for seat in every)
    assert {seat.minimum for seat in every} >= {0, 1, 5, 25}
    assert any(not any(tier.unit_amount or tier.flat_amount for tier in seat.tiers) for seat in every)
    assert max(len(price.seats) for price in prices) == 3
