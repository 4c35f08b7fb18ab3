"""Put a declared catalog on offer. A price whose content is the same keeps its version; any other gets a new
one, and the old ones stay for those who have them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from app.billing.parties import Catalog
from app.billing.permissions import OPERATOR
from app.billing.plans import Plan, PlanPrice
from app.billing.refusals import Problem
from app.services.catalog_file import Declared
from app.store import catalogs, operations
from app.store.transaction import DeploymentTx


@dataclass(frozen=True, slots=True)
class Applied:
    """The catalog on offer now, and the price versions that are new in it."""

    catalog: Catalog
    new_prices: tuple[PlanPrice, ...]
    changed: bool
    warnings: tuple[Problem, ...]


def apply_catalog(tx: DeploymentTx, declared: Declared) -> Applied:
    """Apply a declaration. One that says what is on offer already changes nothing."""
    before = _current(tx)
    known = _versions(before)
    new: list[PlanPrice] = []
    plans = tuple(_with_ids(tx, plan, known, new) for plan in declared.plans)
    identity = before.id if before else tx.new_id()
    wanted = Catalog(identity, declared.seller, declared.taxes, declared.metrics, plans)
    warnings = (*declared.warnings, *_gone(before, wanted))
    if wanted == before:
        return Applied(before, (), changed=False, warnings=warnings)
    applied = replace(wanted, id=tx.new_id()) if before else wanted
    catalogs.save(tx, applied, tuple(new))
    detail = {"prices": [str(price.id) for price in new]}
    operations.note(tx, "catalog.applied", applied.id, actor=OPERATOR.name, detail=detail)
    return Applied(applied, tuple(new), changed=True, warnings=warnings)


def _current(tx: DeploymentTx) -> Catalog | None:
    try:
        return catalogs.current(tx)
    except catalogs.NoCatalog:
        return None


def _versions(catalog: Catalog | None) -> dict[tuple[object, ...], PlanPrice]:
    """The version on offer for each plan, interval and currency."""
    plans = catalog.plans if catalog else ()
    return {_key(price): price for plan in plans for price in plan.prices}


def _key(price: PlanPrice) -> tuple[object, ...]:
    return (price.plan, price.interval, price.currency)


def _with_ids(
    tx: DeploymentTx, plan: Plan, known: dict[tuple[object, ...], PlanPrice], new: list[PlanPrice]
) -> Plan:
    """The plan with the ids of its versions; those made here are added to `new`."""
    prices = []
    for declared in plan.prices:
        current = known.get(_key(declared))
        version = replace(declared, id=current.id) if current else declared
        if version != current:
            version = replace(declared, id=tx.new_id())
            new.append(version)
        prices.append(version)
    return replace(plan, prices=tuple(prices))


def _gone(before: Catalog | None, now: Catalog) -> Iterator[Problem]:
    """What is no longer on offer, which is easily done by mistake."""
    if before is None:
        return
    for plan in before.plans:
        if now.plan(plan.code) is None:
            yield Problem(
                f"plans.{plan.code}", "No longer on offer. Subscriptions that have it keep it and renew."
            )
    for metric in before.metrics:
        if now.metric(metric.code) is None:
            yield Problem(
                f"metrics.{metric.code}", "No longer known. Seats of it that are in use cannot be reported."
            )
