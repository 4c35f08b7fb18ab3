"""Subscriptions, their terms, and the changes that wait for their renewal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.engine import Row

from app.billing.periods import BillingInterval, Period
from app.billing.plans import Item, PlanPrice
from app.billing.subscriptions import (
    AtRenewal,
    CancelAtRenewal,
    PlanAtRenewal,
    ScheduledChange,
    ScheduledOutcome,
    SeatsAtRenewal,
    Subscription,
    SubscriptionStatus,
)
from app.store.keyed import keyed
from app.store.opened import Opened
from app.store.sheet import Sheet
from app.store.tables import scheduled_change, subscription, terms
from app.store.transaction import Tx


@dataclass(frozen=True, slots=True)
class ListedChange:
    """A scheduled change as people see it: with what it took the place of."""

    scheduled: ScheduledChange
    subscription: UUID
    created_at: datetime
    replaces: AtRenewal | None


def live(tx: Tx) -> Subscription | None:
    """The subscription that is shown: the live one, else the one that ended last."""
    query = select(subscription).where(subscription.c.customer_id == tx.customer)
    over = subscription.c.status == SubscriptionStatus.ENDED
    newest_first = query.order_by(over, subscription.c.started_at.desc()).limit(1)
    row = tx.connection.execute(newest_first).one_or_none()
    return _subscription(row) if row else None


def get(tx: Tx, subscription_id: UUID, *, lock: bool = False) -> Subscription | None:
    """A subscription by id; with `lock` its row is locked until the transaction ends."""
    query = select(subscription).where(
        subscription.c.customer_id == tx.customer, subscription.c.id == subscription_id
    )
    row = tx.connection.execute(query.with_for_update() if lock else query).one_or_none()
    return _subscription(row) if row else None


def started_at(tx: Tx, subscription_id: UUID) -> datetime:
    """When a subscription was started."""
    query = select(subscription.c.started_at).where(
        subscription.c.customer_id == tx.customer, subscription.c.id == subscription_id
    )
    began: datetime = tx.connection.execute(query).scalar_one()
    return began


def get_of(of: Sequence[tuple[Tx, UUID]]) -> dict[UUID, Subscription]:
    """Subscriptions of customers, by id."""
    keys = keyed(subscription, ("id",), of)
    return {row.id: _subscription(row) for row in keys.execute(keys.rows_of(subscription, by=("id",)))}


def add(sheet: Sheet, tx: Tx, new: Subscription, *, due_at: datetime | None) -> None:
    """Record a new subscription."""
    key = {"customer_id": tx.customer, "id": new.id}
    sheet.add(subscription, {**key, "started_at": tx.at, **_values(new), "due_at": due_at})


def save(sheet: Sheet, tx: Tx, changed: Subscription, *, due_at: datetime | None, reckons: bool) -> None:
    """Write the next state; `due_at` is when something is due next, by the wall clock. `reckons` if use was
    billed with it: what is recorded from now on can be late.
    """
    key = {"customer_id": tx.customer, "id": changed.id}
    reckoned = {"reckoned_at": tx.at} if reckons else {}
    free = {"parked": None, "retry_at": None, "tries": None}
    sheet.change(subscription, key, {**_values(changed), "due_at": due_at, **free, **reckoned})


def set_due(tx: Tx, subscription_id: UUID, due_at: datetime | None) -> None:
    """When something is due next, by the wall clock, where that is all that changes."""
    where = (subscription.c.customer_id == tx.customer, subscription.c.id == subscription_id)
    tx.connection.execute(update(subscription).where(*where).values(due_at=due_at))


def park(sheet: Sheet, tx: Tx, subscription_id: UUID, reason: str) -> None:
    """Take a subscription out of the billing run until somebody looks at it."""
    key = {"customer_id": tx.customer, "id": subscription_id}
    sheet.change(subscription, key, {"parked": reason, "retry_at": None, "tries": None})


def unpark(tx: Tx, subscription_id: UUID) -> str | None:
    """Give a subscription back to the billing run, which lets through what it found too much; why it was
    parked, None if it was not.
    """
    where = (subscription.c.customer_id == tx.customer, subscription.c.id == subscription_id)
    reason: str | None = tx.connection.execute(select(subscription.c.parked).where(*where)).scalar()
    if reason is not None:
        tx.connection.execute(
            update(subscription).where(*where).values(parked=None, let_through=tx.at, retry_at=None)
        )
    return reason


def put_off(
    sheet: Sheet, tx: Tx, subscription_id: UUID, *, due_at: datetime | None, retry_at: datetime, tries: int
) -> None:
    """Leave a subscription to a later billing run. Instants are wall time."""
    key = {"customer_id": tx.customer, "id": subscription_id}
    sheet.change(subscription, key, {"due_at": due_at, "retry_at": retry_at, "tries": tries})


def tries(tx: Tx, subscription_id: UUID) -> tuple[int, datetime | None]:
    """How often the billing run had to give up on a subscription in a row, and since when it is due."""
    where = (subscription.c.customer_id == tx.customer, subscription.c.id == subscription_id)
    row = tx.connection.execute(select(subscription.c.tries, subscription.c.due_at).where(*where)).one()
    return row.tries or 0, row.due_at


def move_due(tx: Tx, by: timedelta) -> None:
    """Due times are wall time: when the customer's clock goes forward, what is due comes nearer."""
    query = select(subscription.c.id, subscription.c.due_at).where(
        subscription.c.customer_id == tx.customer, subscription.c.due_at.is_not(None)
    )
    for row in tx.connection.execute(query).all():
        where = (subscription.c.customer_id == tx.customer, subscription.c.id == row.id)
        tx.connection.execute(update(subscription).where(*where).values(due_at=row.due_at - by))


def add_terms(sheet: Sheet, tx: Tx, changed: Subscription, price: PlanPrice, effective_at: datetime) -> None:
    """Record the terms from an instant on."""
    row = {
        "customer_id": tx.customer,
        "id": tx.new_id(),
        "subscription_id": changed.id,
        "price_id": price.id,
        "plan": price.plan,
        "interval": price.interval,
        "anchor": changed.anchor.isoformat(),
        "cycle": changed.cycle,
        "effective_at": effective_at,
        "recorded_at": tx.at,
    }
    sheet.add(terms, row)


def scheduled_of(of: Iterable[Opened]) -> dict[UUID, tuple[ListedChange, ...]]:
    """The changes that wait, by subscription, in the order they were made."""
    return _scheduled((opened.tx, opened.id) for opened in of)


def scheduled(tx: Tx, subscription_ids: Iterable[UUID]) -> dict[UUID, tuple[ListedChange, ...]]:
    """As `scheduled_of`, of one customer."""
    return _scheduled((tx, subscription_id) for subscription_id in subscription_ids)


def _scheduled(of: Iterable[tuple[Tx, UUID]]) -> dict[UUID, tuple[ListedChange, ...]]:
    keys = keyed(scheduled_change, ("subscription_id",), of)
    replaced = scheduled_change.alias("replaced")
    same = (replaced.c.customer_id == scheduled_change.c.customer_id) & (
        replaced.c.id == scheduled_change.c.replaces
    )
    columns = [
        replaced.c[name].label(f"old_{name}") for name in ("target", "metric", "total", "plan", "interval")
    ]
    query = (
        keys.rows_of(scheduled_change, scheduled_change, *columns, by=("subscription_id",))
        .outerjoin(replaced, same)
        .where(scheduled_change.c.closed_at.is_(None))
        .order_by(scheduled_change.c.id)
    )
    found: dict[UUID, tuple[ListedChange, ...]] = {}
    for row in keys.execute(query):
        change = ScheduledChange(row.id, _change(row.target, row.metric, row.total, row.plan, row.interval))
        old = (
            _change(row.old_target, row.old_metric, row.old_total, row.old_plan, row.old_interval)
            if row.old_target
            else None
        )
        listed = ListedChange(change, row.subscription_id, row.created_at, old)
        found[row.subscription_id] = (*found.get(row.subscription_id, ()), listed)
    return found


def scheduled_by_id(tx: Tx, change_id: UUID) -> ListedChange | None:
    """A change that still waits."""
    query = select(scheduled_change.c.subscription_id).where(
        scheduled_change.c.customer_id == tx.customer, scheduled_change.c.id == change_id
    )
    owner = tx.connection.execute(query).scalar()
    listed = scheduled(tx, [owner]).get(owner, ()) if owner else ()
    return next((change for change in listed if change.scheduled.id == change_id), None)


def add_scheduled(
    sheet: Sheet, tx: Tx, subscription_id: UUID, new: ScheduledChange, *, actor: str, replaces: UUID | None
) -> None:
    """Record a change that waits, and which one it takes the place of."""
    columns: dict[str, object] = {"metric": None, "total": None, "plan": None, "interval": None}
    match new.change:
        case SeatsAtRenewal(metric, total):
            columns |= {"metric": metric, "total": total}
        case PlanAtRenewal(plan, interval):
            columns |= {"plan": plan, "interval": interval}
        case CancelAtRenewal():
            pass
    row = {
        "customer_id": tx.customer,
        "id": new.id,
        "subscription_id": subscription_id,
        "target": new.change.target,
        "created_at": tx.at,
        "actor": actor,
        "replaces": replaces,
        **columns,
    }
    sheet.add(scheduled_change, row)


def close_scheduled(sheet: Sheet, tx: Tx, change_ids: Iterable[UUID], outcome: ScheduledOutcome) -> None:
    """End the waiting of changes."""
    for change_id in change_ids:
        key = {"customer_id": tx.customer, "id": change_id}
        sheet.change(scheduled_change, key, {"closed_at": tx.at, "outcome": outcome})


def _change(
    target: str, metric: str | None, total: int | None, plan: str | None, interval: BillingInterval | None
) -> AtRenewal:
    if metric is not None and total is not None:
        return SeatsAtRenewal(Item(metric), total)
    if plan is not None and interval is not None:
        return PlanAtRenewal(plan, interval)
    assert target == CancelAtRenewal.target, "a scheduled change is of seats, of the plan, or an end"
    return CancelAtRenewal()


def _subscription(row: Row[Any]) -> Subscription:
    return Subscription(
        id=row.id,
        version=row.version,
        status=row.status,
        price=row.price_id,
        interval=row.interval,
        anchor=datetime.fromisoformat(row.anchor),
        zone=row.zone,
        cycle=row.cycle,
        month=row.month,
        period=Period(row.period_start, row.period_end, row.zone),
        full_period=Period(row.full_start, row.full_end, row.zone),
        priced_from=row.priced_from,
        overage_until=row.overage_until,
        let_through=row.let_through,
    )


def _values(value: Subscription) -> dict[str, object]:
    return {
        "version": value.version,
        "status": value.status,
        "price_id": value.price,
        "interval": value.interval,
        "anchor": value.anchor.isoformat(),
        "zone": value.zone,
        "cycle": value.cycle,
        "month": value.month,
        "period_start": value.period.start,
        "period_end": value.period.end,
        "full_start": value.full_period.start,
        "full_end": value.full_period.end,
        "priced_from": value.priced_from,
        "overage_until": value.overage_until,
    }
