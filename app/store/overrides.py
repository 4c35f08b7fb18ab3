"""Overrides: rows that are only ever appended. What holds at an instant is read off them by
`app.billing.overrides`.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import insert, or_, select
from sqlalchemy.engine import Row

from app.billing.overrides import Aspect, Override, OwnPrice
from app.billing.plans import Item
from app.store.frozen import from_json, to_json
from app.store.keyed import keyed
from app.store.tables import override
from app.store.transaction import Tx


def recorded(
    tx: Tx, *, since: datetime | None = None, known_at: datetime | None = None
) -> tuple[Override, ...]:
    """The customer's overrides in the order in which they were recorded.

    :param since: leave out those that had ended by then
    :param known_at: leave out those that were recorded later
    """
    query = select(override).where(override.c.customer_id == tx.customer)
    if since is not None:
        query = query.where(or_(override.c.ends_at.is_(None), override.c.ends_at > since))
    if known_at is not None:
        query = query.where(override.c.recorded_at <= known_at)
    return tuple(_override(row) for row in tx.connection.execute(query.order_by(override.c.id)))


def recorded_of(wanted: Iterable[tuple[Tx, datetime]]) -> dict[UUID, tuple[Override, ...]]:
    """The overrides of customers in the order in which they were recorded, by customer; without those that
    had ended by an instant.
    """
    wanted = tuple(wanted)
    keys = keyed(override, ("ends_at",), wanted)
    lasts = or_(override.c.ends_at.is_(None), override.c.ends_at > keys.given.c.ends_at)
    found: dict[UUID, list[Override]] = {tx.customer: [] for tx, _ in wanted}
    for row in keys.execute(keys.rows_of(override).where(lasts).order_by(override.c.id)):
        found[row.customer_id].append(_override(row))
    return {customer: tuple(agreed) for customer, agreed in found.items()}


def add(tx: Tx, new: Override) -> None:
    """Record an override."""
    tx.connection.execute(
        insert(override).values(
            customer_id=tx.customer,
            id=new.id,
            metric=new.metric,
            author=new.author,
            note=new.note,
            plan=new.plan,
            interval=new.interval,
            granted=new.granted,
            minimum=new.minimum,
            maximum=new.maximum,
            price=to_json(new.price) if new.price else None,
            withdrawn=sorted(aspect.name for aspect in new.withdrawn),
            starts_at=new.starts_at,
            recorded_at=new.recorded_at,
            ends_at=new.ends_at,
        )
    )


def _override(row: Row[Any]) -> Override:
    return Override(
        id=row.id,
        metric=Item(row.metric),
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        recorded_at=row.recorded_at,
        author=row.author,
        note=row.note,
        granted=row.granted,
        price=from_json(row.price, OwnPrice) if row.price is not None else None,
        minimum=row.minimum,
        maximum=row.maximum,
        withdrawn=frozenset(Aspect[name] for name in row.withdrawn),
        plan=row.plan,
        interval=row.interval,
    )
