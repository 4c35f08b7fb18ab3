"""The subscription, its seats now and from the renewal on, and what waits for it."""

from datetime import date
from uuid import UUID

import strawberry

from app.api import loaders, summaries
from app.api.context import Info
from app.api.enums import Outlook, SubscriptionStatus
from app.api.ids import Kind
from app.api.lines import Period
from app.api.loaders import Subscribed
from app.api.money import Money
from app.api.node import Node, node_id
from app.api.plans import Plan, PlanPrice
from app.api.seats import SeatMetric
from app.billing import plans
from app.billing.ledger import SeatLevels
from app.billing.outlooks import Effect, opening
from app.billing.plans import Item
from app.billing.state import State
from app.billing.subscriptions import AtRenewal, CancelAtRenewal, SeatsAtRenewal
from app.store.subscriptions import ListedChange


@strawberry.type(description="The seats of one metric that a subscription pays for.")
class SubscribedSeats:
    """The seats of one metric that a subscription pays for."""

    metric: SeatMetric = strawberry.field(description="Which type of seat is counted here.")
    committed: int = strawberry.field(
        description="The total that the customer asked for, included seats counted and granted ones not."
    )
    included: int = strawberry.field(description="How many the base fee covers.")
    purchased: int = strawberry.field(description="How many are paid on top of the base fee.")
    at_renewal: int = strawberry.field(
        description="How many will be committed from the next period on, by what waits now and by the seats "
        "in use, below which a scheduled removal does not go; 0 when the subscription ends."
    )


@strawberry.type(
    description="A change that waits for the renewal. There is at most one for each target (every seat "
    "metric, the plan and interval, the end): a newer one takes its place."
)
class ScheduledChange(Node):
    """A change that waits for the renewal."""

    effective_on: date = strawberry.field(description="The first day it counts, in the customer's time zone.")
    summary: str = strawberry.field(
        description="What it will do, in a sentence: `From 1 May 2026: 10 Editor seats instead of 15.`"
    )
    replaces: str | None = strawberry.field(
        description="What it took the place of, as `12 Editor seats`; null when nothing had waited for this "
        "target."
    )
    outlook: Outlook = strawberry.field(
        description="What the renewal will make of it if nothing else happens: seats that are in use, a plan "
        "that is no longer sold, or an end can change that."
    )
    renewal_difference: Money = strawberry.field(
        description="How much more, or when negative less, the renewal costs with it than without it, tax "
        "included and everything else that waits left as it is."
    )

    @classmethod
    def of(
        cls, listed: ListedChange, subscribed: Subscribed, effect: Effect, committed: int | None = None
    ) -> "ScheduledChange":
        """A change that was recorded; `committed` is how many seats there are until then (None: no seats)."""
        price, catalog = subscribed.price, subscribed.catalog
        ends_on = subscribed.subscription.period.end_day
        old = listed.replaces
        return cls(
            id=node_id(Kind.SCHEDULED_CHANGE, listed.scheduled.id),
            effective_on=ends_on,
            summary=summaries.scheduled(listed.scheduled.change, ends_on, price, catalog, committed),
            replaces=summaries.target(old, price, catalog) if old else None,
            outlook=effect.outlook,
            renewal_difference=Money.of(effect.difference),
        )


async def scheduled_changes(info: Info, subscribed: Subscribed) -> list[ScheduledChange]:
    """The changes that wait, with the seats they start from."""
    if not subscribed.scheduled:
        return []
    levels = await info.context.reading.read(loaders.levels)
    found = await info.context.reading.read(loaders.effects_of, subscribed.subscription)
    return [
        ScheduledChange.of(
            listed, subscribed, found[listed.scheduled.id], committed_before(listed.scheduled.change, levels)
        )
        for listed in subscribed.scheduled
    ]


def committed_before(change: AtRenewal, levels: dict[Item, SeatLevels]) -> int | None:
    """How many seats are committed until a change of seats takes effect; None for other changes."""
    if not isinstance(change, SeatsAtRenewal):
        return None
    return levels.get(change.metric, SeatLevels()).committed


async def _plan(root: "Subscription") -> Plan:
    price = root.found.price
    return Plan.of_price(price, root.found.catalog.plan(price.plan))


async def _status(root: "Subscription", info: Info) -> SubscriptionStatus:
    return await info.context.reading.read(loaders.status_of, root.found.subscription)


async def _seats(root: "Subscription", info: Info) -> list[SubscribedSeats]:
    loaded = await info.context.reading.read(loaders.state_of, root.found.subscription)
    state = loaded.state
    at_renewal = _committed_at_renewal(state)
    return [_subscribed_seats(seat, state, at_renewal) for seat in state.price.seats]


async def _scheduled_changes(root: "Subscription", info: Info) -> list[ScheduledChange]:
    return await scheduled_changes(info, root.found)


@strawberry.type(description="What the customer has subscribed to. There is at most one that has not ended.")
class Subscription(Node):
    """What the customer has subscribed to."""

    found: strawberry.Private[Subscribed]
    version: int = strawberry.field(
        description="Rises with every change and renewal; send it as `expectedVersion` to change only what "
        "was seen."
    )
    status: SubscriptionStatus = strawberry.field(
        resolver=_status, description="Where it is in its life, and so what can be done."
    )
    plan: Plan = strawberry.field(resolver=_plan, description="The plan it is on, as it is offered today.")
    price: PlanPrice = strawberry.field(
        description="The price it is billed by: that of the day it began or last changed plan or interval, "
        "whatever the plan costs today."
    )
    period: Period = strawberry.field(
        description="The period that is paid for at present, or the trial; in a pause and after the end the "
        "last one, cut off where that began."
    )
    renews_on: date | None = strawberry.field(
        description="The first day of the next period; null when it ends instead, or has ended."
    )
    seats: list[SubscribedSeats] = strawberry.field(
        resolver=_seats, description="One entry for each seat metric of the plan, few of them; free ones too."
    )
    scheduled_changes: list[ScheduledChange] = strawberry.field(
        resolver=_scheduled_changes,
        description="What waits for the renewal, in the order it was asked for; at most one entry for each "
        "target.",
    )

    @classmethod
    def of(cls, found: Subscribed) -> "Subscription":
        subscription = found.subscription
        ends = any(isinstance(listed.scheduled.change, CancelAtRenewal) for listed in found.scheduled)
        renews = subscription.status.runs and not ends
        return cls(
            id=node_id(Kind.SUBSCRIPTION, subscription.id),
            found=found,
            version=subscription.version,
            price=PlanPrice.of(found.price),
            period=Period.of(subscription.period),
            renews_on=subscription.period.end_day if renews else None,
        )


async def subscription(info: Info) -> Subscription | None:
    """The customer's subscription."""
    found = await info.context.reading.read(loaders.live_subscription)
    return Subscription.of(found) if found else None


async def subscription_by_id(info: Info, id: UUID) -> Subscription | None:
    """A subscription of the customer."""
    found = await info.context.reading.read(loaders.subscription_by_id, id)
    return Subscription.of(found) if found else None


async def scheduled_change_by_id(info: Info, id: UUID) -> ScheduledChange | None:
    """A change of the customer that still waits."""
    found = await info.context.reading.read(loaders.scheduled_change, id)
    if found is None:
        return None
    subscribed, listed = found
    levels = await info.context.reading.read(loaders.levels)
    effects = await info.context.reading.read(loaders.effects_of, subscribed.subscription)
    before = committed_before(listed.scheduled.change, levels)
    return ScheduledChange.of(listed, subscribed, effects[listed.scheduled.id], before)


def _subscribed_seats(seat: plans.SeatPrice, state: State, at_renewal: dict[Item, int]) -> SubscribedSeats:
    committed = state.level(seat.metric.code).committed
    return SubscribedSeats(
        metric=SeatMetric.of(seat.metric),
        committed=committed,
        included=seat.included,
        purchased=seat.purchased(committed),
        at_renewal=at_renewal.get(seat.metric.code, 0),
    )


def _committed_at_renewal(state: State) -> dict[Item, int]:
    """What will be committed after the next renewal, or after the pause, if nothing else happens; nothing
    if there is none.
    """
    posting = opening(state)
    if posting is None or not posting.subscription.status.runs:
        return {}
    committed = state.committed()
    for event in posting.events:
        committed[event.metric] = committed.get(event.metric, 0) + event.net
    return committed
