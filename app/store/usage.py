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

from sqlalchemy import and_, func, or_, select
from sqlalchemy.engine import Row

from app.billing.arrears import Late, Segment
from app.billing.documents import VoidReason
from app.billing.ledger import BalanceKind, Delta, EventSource, SeatLevels
from app.billing.lines import Left, Line, LineKind
from app.billing.money import Currency, Money
from app.billing.overrides import own_from
from app.billing.periods import MICROSECOND, Period
from app.billing.plans import Item, PlanPrice
from app.billing.subscriptions import SubscriptionStatus
from app.billing.taxes import TaxTreatment
from app.billing.usage import Held, Usage
from app.store import catalogs, overrides
from app.store.columns import total
from app.store.seats import event_of, levels_at
from app.store.sheet import Sheet
from app.store.tables import billing_line, receivable, seat_event, seat_holder, segment, subscription
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


def is_billed(tx: Tx, metric: str, at: datetime) -> bool:
    """Whether use of a metric was billed for a time after an instant."""
    query = select(segment.c.id).where(
        segment.c.customer_id == tx.customer, segment.c.metric == metric, segment.c.period_end > at
    )
    return tx.connection.execute(query.limit(1)).first() is not None


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


def late(tx: Tx, subscription_id: UUID, currency: Currency) -> tuple[Late, ...]:
    """The billed segments that events reach into which were recorded since, oldest first."""
    events = _late_events(tx, subscription_id)
    if not events:
        return ()
    since = {metric: min(e.effective_at for e in of_metric) for metric, of_metric in events.items()}
    reached = or_(
        *(and_(segment.c.metric == metric, segment.c.period_end > at) for metric, at in since.items())
    )
    query = (
        select(segment)
        .where(segment.c.customer_id == tx.customer, segment.c.subscription_id == subscription_id, reached)
        .order_by(segment.c.period_end, segment.c.metric)
    )
    billed, agreed = _billed(tx, since, currency), overrides.recorded(tx)
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


def since(
    tx: Tx, metrics: Iterable[Item], start: datetime, levels: Mapping[Item, SeatLevels]
) -> dict[Item, Usage]:
    """The ledger of seats in use of metrics from an instant on."""
    wanted = tuple(sorted(set(metrics)))
    if not wanted:
        return {}
    events = _events_since(tx, wanted, BalanceKind.IN_USE, start)
    held = _held_before(tx, wanted, events)
    return {
        metric: Usage(
            levels.get(metric, SeatLevels()).in_use - sum(event.net for event in events[metric]),
            held[metric],
            tuple(events[metric]),
        )
        for metric in wanted
    }


def asked_since(
    tx: Tx, metrics: Iterable[Item], start: datetime, levels: Mapping[Item, SeatLevels]
) -> dict[Item, Usage]:
    """The ledger of committed seats of metrics from an instant on."""
    wanted = tuple(sorted(set(metrics)))
    if not wanted:
        return {}
    events = _events_since(tx, wanted, BalanceKind.COMMITTED, start)
    return {
        metric: Usage(
            levels.get(metric, SeatLevels()).committed - sum(event.net for event in events[metric]),
            events=tuple(events[metric]),
        )
        for metric in wanted
    }


def _events_since(
    tx: Tx, metrics: tuple[Item, ...], kind: BalanceKind, start: datetime
) -> dict[Item, list[Delta]]:
    query = (
        select(seat_event)
        .where(
            seat_event.c.customer_id == tx.customer,
            seat_event.c.metric.in_(metrics),
            seat_event.c.kind == kind,
            seat_event.c.effective_at >= start,
        )
        .order_by(seat_event.c.effective_at, seat_event.c.id)
    )
    events: dict[Item, list[Delta]] = defaultdict(list)
    for row in tx.connection.execute(query):
        events[Item(row.metric)].append(event_of(row).delta)
    return events


def _late_events(tx: Tx, subscription_id: UUID) -> dict[str, list[_Event]]:
    """The events told since the last reckoning that are effective before it, by metric.

    They are found by when they were recorded, and only then looked at: the database does it in two steps, or
    it might choose to go through all the history that is effective before.
    """
    this = (subscription.c.customer_id == tx.customer, subscription.c.id == subscription_id)
    reckoned_at = select(subscription.c.reckoned_at).where(*this).scalar_subquery()
    recorded = (
        select(seat_event)
        .where(seat_event.c.customer_id == tx.customer, seat_event.c.recorded_at >= reckoned_at)
        .cte("recorded")
        .prefix_with("MATERIALIZED")
    )
    query = (
        select(recorded.c.metric, recorded.c.effective_at, recorded.c.recorded_at, recorded.c.id)
        .where(recorded.c.source.in_(TOLD), recorded.c.effective_at < reckoned_at)
        .order_by(recorded.c.effective_at, recorded.c.id)
    )
    found: dict[str, list[_Event]] = defaultdict(list)
    for row in tx.connection.execute(query):
        found[row.metric].append(_Event(row.id, row.effective_at, row.recorded_at))
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


def _held_before(tx: Tx, metrics: tuple[Item, ...], events: Mapping[Item, list[Delta]]) -> dict[Item, Held]:
    """The named holders before the events: those of now, with the events taken back."""
    people, seats = func.count(), total(seat_holder.c.seats)
    query = (
        select(seat_holder.c.metric, people.label("people"), seats.label("seats"))
        .where(seat_holder.c.customer_id == tx.customer, seat_holder.c.metric.in_(metrics))
        .group_by(seat_holder.c.metric)
    )
    now = {Item(row.metric): Held(row.people, row.seats) for row in tx.connection.execute(query)}
    moved = {
        metric: _net_by_name(event for event in events[metric] if event.holder is not None)
        for metric in metrics
    }
    names = {name for of_metric in moved.values() for name in of_metric}
    held = _seats_of(tx, metrics, names) if names else {}
    return {
        metric: _taken_back(now.get(metric, Held()), moved[metric], held.get(metric, {}))
        for metric in metrics
    }


def _net_by_name(events: Iterable[Delta]) -> dict[str, int]:
    nets: dict[str, int] = defaultdict(int)
    for event in events:
        assert event.holder is not None
        nets[event.holder.reference] += event.net
    return nets


def _seats_of(tx: Tx, metrics: tuple[Item, ...], names: set[str]) -> dict[Item, dict[str, int]]:
    query = select(seat_holder.c.metric, seat_holder.c.holder, seat_holder.c.seats).where(
        seat_holder.c.customer_id == tx.customer,
        seat_holder.c.metric.in_(metrics),
        seat_holder.c.holder.in_(sorted(names)),
    )
    found: dict[Item, dict[str, int]] = defaultdict(dict)
    for row in tx.connection.execute(query):
        found[Item(row.metric)][row.holder] = row.seats
    return found


def _taken_back(now: Held, moved: Mapping[str, int], held: Mapping[str, int]) -> Held:
    known = {name: held.get(name, 0) - net for name, net in moved.items()}
    came = sum((held.get(name, 0) > 0) - (seats > 0) for name, seats in known.items())
    return Held(now.people - came, now.seats - sum(moved.values()), known)
