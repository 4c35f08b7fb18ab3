"""Record what the seller agreed with one customer: seats on top, an own price, an own minimum or maximum.

Nothing is billed and nothing that was billed changes. An agreement may leave more seats in use than the limit
allows; that is the seller's decision, and shows as overage.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from app.billing.ledger import SeatBalance, SeatLevels, balance_of
from app.billing.overrides import Aspect, Override, OwnPrice, own, without_room
from app.billing.periods import BillingInterval
from app.billing.permissions import Actor, ActorKind
from app.billing.plans import PlanPrice, SeatMetric
from app.billing.refusals import InvalidInput, NotFound, NotPermitted, Problem
from app.billing.requests import SEATS_MAX
from app.billing.subscriptions import SubscriptionStatus
from app.services.bring_up import instant
from app.services.own_price import problems_of
from app.store import catalogs, commits, customers, overrides, seats, subscriptions
from app.store.commits import Happened
from app.store.customers import Customer
from app.store.transaction import Tx

NOTE_MAX: Final = 500
OF_A_PRICE: Final = frozenset({Aspect.PRICE, Aspect.MINIMUM, Aspect.MAXIMUM})


@dataclass(frozen=True, slots=True)
class NewOverride:
    """What is agreed about one metric; None leaves an aspect as it is, `withdraws` brings it back to the
    plan's.

    Price, minimum and maximum are for one plan, by default that of the subscription; a price is for one
    interval, by default likewise. From `starts_at` (None: now) until before `ends_at` (None: open).
    """

    metric: str
    granted: int | None = None
    price: OwnPrice | None = None
    minimum: int | None = None
    maximum: int | None = None
    withdraws: frozenset[Aspect] = frozenset()
    plan: str | None = None
    interval: BillingInterval | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    note: str | None = None

    @property
    def aspects(self) -> frozenset[Aspect]:
        """What it is about."""
        given = zip(Aspect, (self.granted, self.price, self.minimum, self.maximum), strict=True)
        return self.withdraws | {aspect for aspect, value in given if value is not None}


@dataclass(frozen=True, slots=True)
class OverrideRecorded:
    """The override as recorded, and the seats of its metric now; above the limit they are `overage`."""

    override: Override
    balance: SeatBalance


@dataclass(frozen=True, slots=True)
class Ground:
    """What a new override is judged by: the customer, the metric, the price version of the live subscription
    (None without one) and those that the override is for, and what was agreed before.
    """

    customer: Customer
    metric: SeatMetric
    current: PlanPrice | None
    versions: tuple[PlanPrice, ...]
    agreed: tuple[Override, ...]


def record_override(
    tx: Tx, actor: Actor, new: NewOverride
) -> OverrideRecorded | NotFound | NotPermitted | InvalidInput:
    """Record an override, or say everything that is wrong with it. Only the seller's back end may."""
    if actor.kind is ActorKind.MEMBER:
        return NotPermitted("Only the seller can agree on other seats or prices. Ask the seller.")
    customer = customers.get(tx)
    if customer is None:
        return NotFound("customer")
    metric = catalogs.current(tx).metric(new.metric)
    if metric is None:
        return InvalidInput((Problem("metric", f"There are no seats called {new.metric!r}."),))
    current = _current(tx)
    override = _override(tx, actor, new, metric, current)
    ground = Ground(
        customer, metric, current, _versions(tx, customer, current, override), _agreed(tx, override)
    )
    problems = (*_problems(tx, new), *_scope_problems(new, override, ground))
    problems = problems or tuple(_room_problems(override, ground))
    return InvalidInput(problems) if problems else _record(tx, actor, override, ground)


def _current(tx: Tx) -> PlanPrice | None:
    live = subscriptions.live(tx)
    return catalogs.price(tx, live.price) if live and live.status is not SubscriptionStatus.ENDED else None


def _override(
    tx: Tx, actor: Actor, new: NewOverride, metric: SeatMetric, current: PlanPrice | None
) -> Override:
    """What is asked for as it would be recorded: now and for the present plan, unless it says otherwise."""
    plan, interval = new.plan, new.interval
    if new.aspects & OF_A_PRICE and current:
        plan = plan or current.plan
        if Aspect.PRICE in new.aspects and plan == current.plan:
            interval = interval or current.interval
    return Override(
        id=tx.new_id(),
        metric=metric.code,
        starts_at=new.starts_at or instant(tx),
        ends_at=new.ends_at,
        recorded_at=tx.at,
        author=actor.name,
        note=new.note,
        granted=new.granted,
        price=new.price,
        minimum=new.minimum,
        maximum=new.maximum,
        withdrawn=new.withdraws,
        plan=plan,
        interval=interval,
    )


def _versions(
    tx: Tx, customer: Customer, current: PlanPrice | None, override: Override
) -> tuple[PlanPrice, ...]:
    """The price versions that an override is for: on offer, and that of the subscription."""
    offered = [price for plan in catalogs.current(tx).plans for price in plan.prices]
    every = [*offered, current] if current and current not in offered else offered
    return tuple(v for v in every if v.currency == customer.currency and override.is_for(v))


def _agreed(tx: Tx, override: Override) -> tuple[Override, ...]:
    return overrides.recorded(tx, since=min(override.starts_at, tx.at))


def _problems(tx: Tx, new: NewOverride) -> Iterator[Problem]:
    """What is wrong with it by itself."""
    if not new.aspects:
        yield Problem("", "Nothing is agreed. Give granted, price, minimum or maximum, or withdraw one.")
    for name in ("granted", "minimum", "maximum"):
        count = getattr(new, name)
        if count is not None and not 0 <= count <= SEATS_MAX:
            yield Problem(name, f"{name} must be from 0 to {SEATS_MAX}, not {count}.")
        if count is not None and Aspect[name.upper()] in new.withdraws:
            yield Problem(name, f"{name} cannot be agreed and withdrawn at once. Do one of both.")
    if new.price is not None and Aspect.PRICE in new.withdraws:
        yield Problem("price", "price cannot be agreed and withdrawn at once. Do one of both.")
    starts_at = new.starts_at or instant(tx)
    if new.ends_at is not None and new.ends_at <= starts_at:
        yield Problem("endsAt", f"It would end at {new.ends_at} and start at {starts_at}. Let it end later.")
    if starts_at < instant(tx) and new.aspects & OF_A_PRICE:
        yield Problem("startsAt", "A price, minimum or maximum counts from now on at the earliest.")
    if new.note is not None and (len(new.note) > NOTE_MAX or "\x00" in new.note):
        yield Problem("note", f"A note has at most {NOTE_MAX} characters, and no NUL among them.")


def _scope_problems(new: NewOverride, override: Override, ground: Ground) -> Iterator[Problem]:
    """Whether there is what price, minimum and maximum are for, and whether the price can be one."""
    if new.price is not None:
        yield from problems_of(new.price, ground.customer.currency)
        if override.interval is None:
            yield Problem("interval", "An own price is for one billing interval. Say which.")
    if not new.aspects & OF_A_PRICE:
        return
    if override.plan is None:
        yield Problem("plan", "There is no live subscription. Say which plan the agreement is for.")
    elif not ground.versions:
        sold = f" by the {override.interval.value}" if override.interval else ""
        yield Problem("plan", f"There is no plan {override.plan!r}{sold} in {ground.customer.currency}.")
    elif not any(version.seat(ground.metric.code) for version in ground.versions):
        name = ground.versions[0].plan_name
        yield Problem("metric", f"{name} has no seats called {ground.metric.code!r}.")


def _room_problems(override: Override, ground: Ground) -> Iterator[Problem]:
    """Whether some maximum would be below what is billed or included at least."""
    found = without_room(ground.versions, ground.metric.code, ground.agreed, override)
    if found is not None:
        version, seat, at = found
        least = (
            f"minimum is {seat.minimum}" if seat.minimum >= seat.included else f"{seat.included} are included"
        )
        yield Problem(
            "maximum" if override.maximum is not None else "minimum",
            f"From {at} on, {version.plan_name} by the {version.interval.value} would have a maximum of "
            f"{seat.maximum}, and its {least}. Raise maximum, or lower the other.",
        )


def _record(tx: Tx, actor: Actor, override: Override, ground: Ground) -> OverrideRecorded:
    overrides.add(tx, override)
    about = sorted(aspect.name for aspect in override.values)
    facts = {"override": str(override.id), "metric": override.metric, "about": about}
    commits.publish(tx, Happened("override.recorded", tx.customer, facts))
    commits.note(
        tx,
        "override.recorded",
        override.id,
        actor=actor.name,
        at=override.starts_at,
        detail=_detail(override),
    )
    agreed = (*ground.agreed, override)
    price = own(ground.current, agreed, tx.at).seat(override.metric) if ground.current else None
    levels = seats.levels(tx, agreed).get(override.metric, SeatLevels())
    return OverrideRecorded(override, balance_of(override.metric, levels, price))


def _detail(override: Override) -> dict[str, str | int | None]:
    """What an auditor wants to read without looking the override up."""
    return {
        "metric": override.metric,
        "about": ", ".join(sorted(aspect.name for aspect in override.values)),
        "granted": override.granted,
        "ends_at": override.ends_at.isoformat() if override.ends_at else None,
        "note": override.note,
    }
