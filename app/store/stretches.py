"""Time that was paid in advance and is over: each period, or what one price version had of it. It is kept
among the segments, as those of the base fee, so that seats which are told late find the price of their day.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, union_all
from sqlalchemy.engine import Row

from app.billing.arrears import Segment
from app.billing.backdated import Stretch
from app.billing.lines import Line, LineKind
from app.billing.money import Currency
from app.billing.overrides import own_from
from app.billing.periods import Granularity, Period, Share
from app.billing.plans import BASE_FEE, Item, PlanPrice
from app.store import catalogs, overrides
from app.store.lines import standing
from app.store.tables import billing_line, segment, subscription
from app.store.transaction import Tx
from app.store.usage import charges_left, segment_from

IN_ADVANCE = tuple(kind for kind in LineKind if not kind.in_arrears)


def closed(
    tx: Tx, subscription_id: UUID, metric: Item, since: datetime, currency: Currency
) -> tuple[Stretch, ...]:
    """Time that was paid in advance and ended after an instant, by the price that it was under, oldest first;
    with what was billed for a metric, and the newest line that something of it can be taken back from.
    """
    query = (
        select(segment)
        .where(
            segment.c.customer_id == tx.customer,
            segment.c.subscription_id == subscription_id,
            segment.c.metric == BASE_FEE,
            segment.c.period_end > since,
        )
        .order_by(segment.c.period_end)
    )
    rows = tx.connection.execute(query).all()
    if not rows:
        return ()
    agreed = overrides.recorded(tx)
    lines = _paid_ahead(tx, metric, since=min(row.opened_at for row in rows))
    return tuple(
        _stretch(
            replace(segment_from(row), metric=metric),
            own_from(catalogs.price(tx, row.price_id), agreed, row.period_start, row.zone),
            lines,
            currency,
        )
        for row in rows
    )


def _paid_ahead(tx: Tx, metric: Item, *, since: datetime) -> list[Row[Any]]:
    """The lines of seats paid in advance, and what was told or given back of them, oldest first."""
    query = (
        standing(select(billing_line))
        .where(
            billing_line.c.customer_id == tx.customer,
            billing_line.c.item == metric,
            billing_line.c.effective_at >= since,
            billing_line.c.kind.in_(IN_ADVANCE),
        )
        .order_by(billing_line.c.id)
    )
    return list(tx.connection.execute(query))


def _stretch(segment: Segment, version: PlanPrice, lines: list[Row[Any]], currency: Currency) -> Stretch:
    charges = [
        row
        for row in lines
        if row.reverses is None and row.price_id == segment.price and row.period_start in segment.period
    ]
    return Stretch(segment, version, charges_left(charges, lines, currency))


def whole_of(tx: Tx, line: Line, granularity: Granularity) -> Share:
    """The full period that the price of a line counts for, of a stretch that is over or still goes on."""
    over = select(segment.c.full_start, segment.c.full_end).where(
        segment.c.customer_id == tx.customer,
        segment.c.metric == BASE_FEE,
        segment.c.price_id == line.price,
        segment.c.period_start <= line.period.start,
        segment.c.period_end >= line.period.end,
    )
    running = select(subscription.c.full_start, subscription.c.full_end).where(
        subscription.c.customer_id == tx.customer,
        subscription.c.period_start <= line.period.start,
        subscription.c.period_end >= line.period.end,
    )
    row = tx.connection.execute(union_all(over, running).limit(1)).one()
    length = Period(row.full_start, row.full_end, line.period.zone).length(granularity)
    return Share(length, length, granularity)
