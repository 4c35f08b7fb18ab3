"""Applying a catalog: a price that stays keeps its version, a changed one gets a new one, old ones stay."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

from app.billing.money import CURRENCIES
from app.billing.periods import BillingInterval
from app.billing.plans import PlanPrice
from app.services.apply_catalog import Applied, apply_catalog
from app.store import catalogs
from app.store.transaction import DeploymentTx, Store
from tests.services.catalogs import SMALL, YEARLY, changed, declared

USD = CURRENCIES["USD"]


def price_of(applied: Applied, interval: BillingInterval = BillingInterval.MONTH) -> PlanPrice:
    plan = applied.catalog.plan("team")
    price = plan.price(interval, USD) if plan else None
    assert price is not None
    return price


def stored(tx: DeploymentTx, price_id: UUID) -> PlanPrice:
    """A price version as the database has it, not as the process remembers it."""
    catalogs._PRICES.pop(price_id, None)
    return catalogs.price(tx, price_id)


def on_offer(tx: DeploymentTx) -> UUID:
    catalogs._CATALOGS.clear()
    return catalogs.current(tx).id


async def test_what_is_declared_is_on_offer(store: Store) -> None:
    """The first catalog has one price, which is new; it reads back as it was declared, but for its id."""
    applied = await store.deployment(apply_catalog, declared())

    assert [price.id for price in applied.new_prices] == [price_of(applied).id]
    assert await store.deployment(on_offer) == applied.catalog.id
    assert await store.deployment(catalogs.current) == applied.catalog
    assert await store.deployment(stored, price_of(applied).id) == price_of(applied)


async def test_the_same_catalog_again_changes_nothing(store: Store) -> None:
    """Neither a catalog nor a price is written, whatever the blanks and trailing zeros of the file."""
    first = await store.deployment(apply_catalog, declared())
    again = await store.deployment(apply_catalog, declared())
    rewritten = await store.deployment(apply_catalog, declared(changed('"15.00"', '"15.0"')))

    assert (first.changed, again.changed, rewritten.changed) == (True, False, False)
    assert (again.catalog, again.new_prices) == (first.catalog, ())
    assert await store.deployment(on_offer) == first.catalog.id


async def test_a_changed_price_is_a_new_version_and_the_others_stay(store: Store) -> None:
    """The monthly seat goes from 15.00 to 16.00: a new version; the yearly one keeps its id."""
    before = await store.deployment(apply_catalog, declared(SMALL + YEARLY))
    dearer = changed('unit_amount = "15.00"', 'unit_amount = "16.00"') + YEARLY
    after = await store.deployment(apply_catalog, declared(dearer))

    assert [price.id for price in after.new_prices] == [price_of(after).id]
    assert price_of(after).id != price_of(before).id
    assert price_of(after, BillingInterval.YEAR) == price_of(before, BillingInterval.YEAR)
    old = await store.deployment(stored, price_of(before).id)
    assert old.seats[0].tiers[0].unit_amount == Decimal("15.00")


async def test_what_no_price_says_makes_no_new_version(store: Store) -> None:
    """Another address of the seller is another catalog with the same prices."""
    before = await store.deployment(apply_catalog, declared())
    after = await store.deployment(apply_catalog, declared(changed('"Lindenhof 7"', '"Lindenhof 8"')))

    assert after.changed
    assert after.new_prices == ()
    assert price_of(after) == price_of(before)
    assert after.catalog.id > before.catalog.id


async def test_what_is_gone_is_warned_of(store: Store) -> None:
    """A plan and a metric that are no longer declared are named, since that is easily a mistake."""
    two = SMALL.replace("team", "crew").replace("editor", "rower").split("[metrics")[1]
    await store.deployment(apply_catalog, declared(f"{SMALL}\n[metrics{two}"))
    after = await store.deployment(apply_catalog, declared())

    assert [warning.path for warning in after.warnings] == ["plans.crew", "metrics.rower"]
