"""Everybody who holds a seat of some metrics, for comparison with the vendor's own lists."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select

from app.billing.ledger import Holder
from app.store.tables import seat_holder
from app.store.transaction import Tx


def held(tx: Tx, metrics: Iterable[str]) -> dict[str, dict[str, tuple[Holder, int]]]:
    """The holders of each metric by reference, each with how many seats, those who came first first."""
    wanted = tuple(metrics)
    query = (
        select(seat_holder)
        .where(seat_holder.c.customer_id == tx.customer, seat_holder.c.metric.in_(wanted))
        .order_by(seat_holder.c.held_since, seat_holder.c.holder)
    )
    found: dict[str, dict[str, tuple[Holder, int]]] = {metric: {} for metric in wanted}
    for row in tx.connection.execute(query):
        found[row.metric][row.holder] = (Holder(row.holder, row.name, row.email), row.seats)
    return found
