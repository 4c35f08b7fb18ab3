"""Start a subscription: the seats are committed, and the first period is billed in advance, or a trial
begins.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, time
from uuid import UUID

from app.billing import renewals
from app.billing.periods import BillingInterval
from app.billing.permissions import Actor
from app.billing.plans import Item, PlanPrice
from app.billing.refusals import BillingDetailsMissing, InvalidInput, NotFound, PlanNotAvailable, Problem
from app.billing.requests import SEATS_MAX
from app.billing.subscriptions import Subscription, SubscriptionStatus
from app.services import postings
from app.services.bring_up import instant
from app.services.catalog_prices import TRIAL_DAYS_MAX
from app.store import catalogs, customers, states, subscriptions
from app.store.customers import Customer
from app.store.sheet import Sheet
from app.store.transaction import Tx


@dataclass(frozen=True, slots=True)
class StartSubscription:
    """Which plan at which interval, with how many committed seats of each metric.

    `anchor` is the local day from which periods are counted; without one it is the day of the start, with one
    the first period may be short. `trial_days` None: those of the plan, for a customer's first subscription.
    A trial that is over is the anchor itself.
    """

    plan: str
    interval: BillingInterval
    seats: tuple[tuple[str, int], ...]
    anchor: date | None = None
    trial_days: int | None = None


@dataclass(frozen=True, slots=True)
class SubscriptionStarted:
    """The subscription, and the invoice of its first period; None if that was free, or is a trial."""

    subscription: UUID
    invoice: UUID | None


StartRefusal = NotFound | InvalidInput | PlanNotAvailable | BillingDetailsMissing


def start_subscription(
    tx: Tx, actor: Actor, request: StartSubscription
) -> SubscriptionStarted | StartRefusal:
    """Start at the customer's present instant, or refuse and write nothing. A customer has at most one live
    subscription.
    """
    customer = customers.get(tx)
    if customer is None:
        return NotFound("customer")
    known = subscriptions.live(tx)
    if known is not None and known.status is not SubscriptionStatus.ENDED:
        return InvalidInput(
            (Problem("customer", "The customer has a live subscription already. Change that one."),)
        )
    plan = catalogs.current(tx).plan(request.plan)
    price = plan.price(request.interval, customer.currency) if plan else None
    if price is None:
        reason = f"There is no plan {request.plan!r} by the {request.interval.value} in {customer.currency}."
        return PlanNotAvailable(request.plan, reason)
    assert plan is not None, "a price belongs to a plan"
    by_default = plan.trial_days if known is None and request.anchor is None else 0
    days = by_default if request.trial_days is None else request.trial_days
    problem = _problem(request, price, days)
    if problem:
        return InvalidInput((problem,))
    new = _new(tx, customer, request, price, days)
    return _start(tx, actor, customer, new, dict(request.seats))


def _problem(request: StartSubscription, price: PlanPrice, days: int) -> Problem | None:
    for metric, count in request.seats:
        problem = _seat_problem(price, metric, count)
        if problem:
            return problem
    if not 0 <= days <= TRIAL_DAYS_MAX:
        return Problem("trialDays", f"A trial has 0 to {TRIAL_DAYS_MAX} days, not {days}.")
    if days and request.anchor:
        return Problem("anchor", "Periods are counted from the end of the trial. Leave one of both out.")
    return None


def _seat_problem(price: PlanPrice, metric: str, count: int) -> Problem | None:
    seat = price.seat(metric)
    if seat is None:
        return Problem("seats", f"{price.plan_name} has no seats called {metric!r}.")
    if count and not seat.basis.in_advance:
        return Problem("seats", f"{seat.metric.label} seats are billed as they are used; none are ordered.")
    most = SEATS_MAX if seat.maximum is None else seat.maximum
    if not 0 <= count <= most:
        return Problem("seats", f"{seat.metric.label} seats are from 0 to {most}, not {count}.")
    return None


def _new(tx: Tx, customer: Customer, request: StartSubscription, price: PlanPrice, days: int) -> Subscription:
    at, zone = instant(tx), customer.zone
    if days:
        return Subscription.trying(tx.new_id(), price, at=at, days=days, zone=zone)
    anchor = datetime.combine(request.anchor, time.min) if request.anchor else None
    return Subscription.starting(tx.new_id(), price, at=at, anchor=anchor, zone=zone)


def _start(
    tx: Tx, actor: Actor, customer: Customer, new: Subscription, seats: dict[str, int]
) -> SubscriptionStarted | BillingDetailsMissing:
    at = instant(tx)
    loaded = states.assemble(tx, customer, new)
    posting = renewals.start(loaded.state, at, {Item(metric): count for metric, count in seats.items()})
    if posting.drafts and loaded.state.buyer.missing:
        return BillingDetailsMissing(loaded.state.buyer.missing)
    sheet = Sheet()
    subscriptions.add(sheet, tx, replace(new, version=0), due_at=None)
    subscriptions.add_terms(sheet, tx, new, loaded.state.price, at)
    written = postings.write(tx, loaded, posting, actor=actor, sheet=sheet)
    return SubscriptionStarted(new.id, written.documents[0].id if written.documents else None)
