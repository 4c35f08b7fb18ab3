"""What arrears are computed from: the ledger of seats since the present period began, and the segments that
were billed, where later events reach into them.

A subscription remembers when its use was last billed (`reckoned_at`). Only events recorded since then can
make a difference, so looking for them costs the same however long the history is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import and_, or_, select
from sqlalchemy.engine import Row

from app.billing.arrears import Late, Segment
from app.billing.documents import VoidReason
from app.billing.ledger import BalanceKind, EventSource, SeatLevels
from app.billing.lines import Left, Line, LineKind
from app.billing.money import Currency, Money
from app.billing.overrides import own_from
from app.billing.periods import MICROSECOND, Period
from app.billing.plans import Item, PlanPrice
from app.billing.subscriptions import SubscriptionStatus
from app.billing.taxes import TaxTreatment
from app.billing.usage import Usage
from app.store import catalogs, overrides
from app.store.keyed import keyed
from app.store.opened import Opened
from app.store.seats import event_of, levels_at
from app.store.sheet import Sheet
from app.store.tables import billing_line, receivable, seat_event, segment, subscription
from app.store.transaction import Tx

IN_ARREARS = tuple(kind for kind in LineKind if kind.in_arrears)
TOLD = (EventSource.REPORT, EventSource.CORRECTION, EventSource.EQUALISER)


@dataclass(frozen=True, slots=True)
class _Event:
    """An event that was recorded late."""

    id: UUID
    effective_at: datetime
    recorded_at: datetime


def add_segments(sheet: Sheet, tx: Tx, subscription_id: UUID, segments: Iterable[Segment]) -> None:
    """Record segments that were billed."""
    for closed in segments:
        row = {
            "customer_id": tx.customer,
            "id": tx.new_id(),
            "subscription_id": subscription_id,
            "metric": closed.metric,
            "price_id": closed.price,
            "period_start": closed.period.start,
            "period_end": closed.period.end,
            "full_start": closed.full.start,
            "full_end": closed.full.end,
            "opened_at": closed.opened,
            "zone": closed.period.zone,
            "seat_limit": closed.limit,
            "recorded_at": tx.at,
        }
        sheet.add(segment, row)


def segment_of(tx: Tx, line: Line) -> Segment | None:
    """The segment that a line of use bills."""
    query = select(segment).where(
        segment.c.customer_id == tx.customer,
        segment.c.metric == line.item,
        segment.c.price_id == line.price,
        segment.c.period_start == line.period.start,
        segment.c.period_end == line.period.end,
    )
    row = tx.connection.execute(query.limit(1)).one_or_none()
    return segment_from(row) if row else None


def known_at(tx: Tx, metric: Item, kind: BalanceKind, until: datetime, at: datetime) -> Usage:
    """The whole ledger of a balance of a metric until an instant, as it was known at another."""
    query = (
        select(seat_event)
        .where(
            seat_event.c.customer_id == tx.customer,
            seat_event.c.metric == metric,
            seat_event.c.kind == kind,
            seat_event.c.effective_at < until,
            seat_event.c.recorded_at <= at,
        )
        .order_by(seat_event.c.effective_at, seat_event.c.id)
    )
    return Usage(events=tuple(event_of(row).delta for row in tx.connection.execute(query)))


def late_of(of: Sequence[Opened]) -> list[tuple[Late, ...]]:
    """The billed segments of subscriptions, in their order, that events reach into which were recorded since,
    oldest first. Whoever has some costs statements of their own.
    """
    events = _late_events(of)
    return [_late_segments(opened, events[opened.id]) if opened.id in events else () for opened in of]


def _late_segments(opened: Opened, events: Mapping[str, list[_Event]]) -> tuple[Late, ...]:
    tx = opened.tx
    since = {metric: min(e.effective_at for e in of_metric) for metric, of_metric in events.items()}
    reached = or_(
        *(and_(segment.c.metric == metric, segment.c.period_end > at) for metric, at in since.items())
    )
    query = (
        select(segment)
        .where(segment.c.customer_id == tx.customer, segment.c.subscription_id == opened.id, reached)
        .order_by(segment.c.period_end, segment.c.metric)
    )
    billed, agreed = _billed(tx, since, opened.currency), overrides.recorded(tx)
    return tuple(
        _late(
            replace(segment_from(row), limit=_limit(tx, row)),
            own_from(catalogs.price(tx, row.price_id), agreed, row.period_start, row.zone),
            events[row.metric],
            billed.get((row.metric, row.period_start, row.period_end), ()),
        )
        for row in tx.connection.execute(query).all()
    )


def ended_reached(tx: Tx, since: Mapping[str, datetime]) -> list[UUID]:
    """The subscriptions that have ended and whose use of a metric was billed for a time after an instant."""
    same = and_(
        subscription.c.customer_id == segment.c.customer_id, subscription.c.id == segment.c.subscription_id
    )
    reached = or_(
        *(and_(segment.c.metric == metric, segment.c.period_end > at) for metric, at in since.items())
    )
    query = (
        select(subscription.c.id)
        .distinct()
        .select_from(segment.join(subscription, same))
        .where(
            segment.c.customer_id == tx.customer,
            subscription.c.status == SubscriptionStatus.ENDED,
            reached,
        )
    )
    return list(tx.connection.execute(query).scalars())


def _late_events(of: Sequence[Opened]) -> dict[UUID, dict[str, list[_Event]]]:
    """The events told since the last reckoning that are effective before it, by subscription and metric.

    They are found by when they were recorded, and only then looked at: the database does it in two steps, or
    it might choose to go through all the history that is effective before.
    """
    keys = keyed(subscription, ("id",), ((opened.tx, opened.id) for opened in of))
    since = (seat_event.c.customer_id == subscription.c.customer_id) & (
        seat_event.c.recorded_at >= subscription.c.reckoned_at
    )
    owner = (subscription.c.id.label("owner"), subscription.c.reckoned_at)
    recorded = (
        keys.rows_of(subscription, seat_event, *owner, by=("id",))
        .join(seat_event, since)
        .cte("recorded")
        .prefix_with("MATERIALIZED")
    )
    wanted = ("owner", "metric", "effective_at", "recorded_at", "id")
    query = (
        select(*(recorded.c[name] for name in wanted))
        .where(recorded.c.source.in_(TOLD), recorded.c.effective_at < recorded.c.reckoned_at)
        .order_by(recorded.c.effective_at, recorded.c.id)
    )
    found: dict[UUID, dict[str, list[_Event]]] = {}
    for row in keys.execute(query):
        of_metric = found.setdefault(row.owner, {}).setdefault(row.metric, [])
        of_metric.append(_Event(row.id, row.effective_at, row.recorded_at))
    return found


def charges_left(
    charges: Sequence[Row[Any]],
    lines: Sequence[Row[Any]],
    currency: Currency,
    waived: Collection[UUID] = (),
) -> tuple[Left, ...]:
    """What is left of charges after all that takes back from them among the lines, newest first; the claim of
    those in `waived` was given up.
    """
    taken: dict[UUID, int] = defaultdict(int)
    for row in lines:
        taken[row.reverses] += row.amount
    return tuple(
        Left(
            row.id,
            row.document_id,
            row.period_start,
            Money(row.amount + taken[row.id], currency),
            TaxTreatment(row.tax_category, row.tax_rate, row.tax_label),
            waived=row.id in waived,
        )
        for row in sorted(charges, key=lambda row: row.id, reverse=True)
    )


def _billed(
    tx: Tx, since: Mapping[str, datetime], currency: Currency
) -> dict[tuple[str, datetime, datetime], tuple[Left, ...]]:
    """What is left of the lines that billed use of metrics after an instant, by metric and period."""
    of_metric = or_(
        *(
            and_(
                billing_line.c.item == metric,
                billing_line.c.effective_at >= at,
                billing_line.c.period_end > at,
            )
            for metric, at in since.items()
        )
    )
    of_document = and_(
        receivable.c.customer_id == billing_line.c.customer_id,
        receivable.c.invoice_id == billing_line.c.document_id,
    )
    query = (
        select(billing_line, receivable.c.void_reason)
        .select_from(billing_line.outerjoin(receivable, of_document))
        .where(
            billing_line.c.customer_id == tx.customer,
            billing_line.c.kind.in_(IN_ARREARS),
            of_metric,
            or_(receivable.c.void_reason.is_(None), receivable.c.void_reason == VoidReason.WAIVE),
        )
        .order_by(billing_line.c.id)
    )
    lines = tx.connection.execute(query).all()
    charges: dict[tuple[str, datetime, datetime], list[Row[Any]]] = defaultdict(list)
    for row in lines:
        if row.reverses is None:
            charges[row.item, row.period_start, row.period_end].append(row)
    waived = {row.id for row in lines if row.void_reason is VoidReason.WAIVE}
    return {key: charges_left(rows, lines, currency, waived) for key, rows in charges.items()}


def _limit(tx: Tx, row: Row[Any]) -> int | None:
    """How many seats might be in use when a segment of overage ended, as the ledger says by now."""
    seat = catalogs.price(tx, row.price_id).seat(row.metric)
    if row.seat_limit is None or seat is None:
        return None
    level = levels_at(tx, row.period_end - MICROSECOND).get(Item(row.metric), SeatLevels())
    return seat.limit(level.committed, level.granted)


def _late(
    closed: Segment,
    version: PlanPrice,
    events: list[_Event],
    charges: tuple[Left, ...],
) -> Late:
    reaching = [event for event in events if event.effective_at < closed.period.end]
    return Late(
        segment=closed,
        version=version,
        events=tuple(event.id for event in reaching),
        charges=charges,
        told_at=max(event.recorded_at for event in reaching),
    )


def segment_from(row: Row[Any]) -> Segment:
    """A row of `segment` as a value."""
    return Segment(
        metric=Item(row.metric),
        price=row.price_id,
        period=Period(row.period_start, row.period_end, row.zone),
        full=Period(row.full_start, row.full_end, row.zone),
        opened=row.opened_at,
        limit=row.seat_limit,
    )
