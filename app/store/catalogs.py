"""Catalogs and price versions. Both are immutable rows, so what was read once is kept for the life of the
process.
"""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import insert, select

from app.billing.parties import Catalog
from app.billing.plans import PlanPrice
from app.store.frozen import from_json, to_json
from app.store.tables import catalog, catalog_price
from app.store.transaction import DeploymentTx, Tx

_CATALOGS: dict[UUID, Catalog] = {}
_PRICES: dict[UUID, PlanPrice] = {}


class NoCatalog(Exception):
    """No catalog was applied yet."""

    def __init__(self) -> None:
        super().__init__("no catalog was applied yet: run `seatport catalog apply FILE`")


def current(tx: Tx | DeploymentTx) -> Catalog:
    """The catalog that was applied last; `NoCatalog` if there is none."""
    latest = tx.connection.execute(select(catalog.c.id).order_by(catalog.c.id.desc()).limit(1)).scalar()
    if latest is None:
        raise NoCatalog
    if latest not in _CATALOGS:
        body = tx.connection.execute(select(catalog.c.body).where(catalog.c.id == latest)).scalar_one()
        _CATALOGS[latest] = from_json(body, Catalog)
    return _CATALOGS[latest]


def remember(tx: Tx | DeploymentTx, price_ids: Iterable[UUID]) -> None:
    """Read price versions that are about to be asked for, those that were not read before."""
    missing = set(price_ids) - _PRICES.keys()
    if missing:
        query = select(catalog_price.c.id, catalog_price.c.body).where(catalog_price.c.id.in_(missing))
        _PRICES.update({row.id: from_json(row.body, PlanPrice) for row in tx.connection.execute(query)})


def price(tx: Tx | DeploymentTx, price_id: UUID) -> PlanPrice:
    """A price version by its id."""
    known = _PRICES.get(price_id)
    if known is None:
        body = tx.connection.execute(
            select(catalog_price.c.body).where(catalog_price.c.id == price_id)
        ).scalar_one()
        known = _PRICES[price_id] = from_json(body, PlanPrice)
    return known


def save(tx: DeploymentTx, applied: Catalog, new_prices: tuple[PlanPrice, ...]) -> None:
    """Record a catalog and the price versions that are new in it."""
    for version in new_prices:
        tx.connection.execute(
            insert(catalog_price).values(
                id=version.id,
                plan=version.plan,
                interval=version.interval,
                currency=version.currency.code,
                body=to_json(version),
                applied_at=tx.wall,
            )
        )
    tx.connection.execute(insert(catalog).values(id=applied.id, body=to_json(applied), applied_at=tx.wall))
