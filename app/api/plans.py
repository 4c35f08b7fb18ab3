"""Plans and their prices, as a customer compares them."""

from decimal import Decimal

import strawberry

from app.api import loaders, summaries
from app.api.context import Info
from app.api.enums import BillingInterval, ChangeTiming, ChargingBasis, PricingModel, ProrationMode
from app.api.lines import price_of
from app.api.money import Money
from app.api.reading import Scene
from app.api.seats import SeatMetric
from app.billing import plans
from app.billing.money import Currency
from app.billing.offers import obstacle


@strawberry.type(
    description="A step of a price. It ends with the seat `upTo`, counted over the billed ones, and begins "
    "after the step before."
)
class PriceTier:
    """A step of a price."""

    up_to: int | None = strawberry.field(description="The last seat of the step; null for the last step.")
    unit_amount: Decimal = strawberry.field(
        description="The price of each seat in it for a full period, in major units; 0 when only "
        "`flatAmount` counts."
    )
    flat_amount: Decimal = strawberry.field(
        description="What the step costs besides, in major units, once it is entered; the price of a pack "
        "for PACKAGE."
    )


@strawberry.type(
    description="What a plan charges for one seat metric. Billed are the committed seats, or the minimum if "
    "that is more, less the included ones."
)
class SeatPrice:
    """What a plan charges for one seat metric."""

    metric: SeatMetric = strawberry.field(description="Which seats the price is for.")
    basis: ChargingBasis = strawberry.field(description="Which seats are counted, and when they are billed.")
    model: PricingModel = strawberry.field(description="How `tiers` make a price of a number of seats.")
    included: int = strawberry.field(description="How many seats the base fee covers; 0 for none.")
    minimum: int = strawberry.field(description="How many seats are committed at least; 0 for no minimum.")
    maximum: int | None = strawberry.field(
        description="How many may be committed at most; null for no bound."
    )
    tiers: list[PriceTier] = strawberry.field(
        description="The steps in their order; one for PER_UNIT and PACKAGE."
    )
    summary: str = strawberry.field(
        description="The price in a sentence: `5 included, then 15.00 USD a month for each further seat.`"
    )
    list_summary: str | None = strawberry.field(
        description="The plan's list price in a sentence, where the seller agreed on another price, minimum "
        "or maximum with this customer; null where the list price holds."
    )

    @classmethod
    def of(cls, seat: plans.SeatPrice, version: plans.PlanPrice) -> "SeatPrice":
        currency = version.currency
        return cls(
            metric=SeatMetric.of(seat.metric),
            basis=seat.basis,
            model=seat.model,
            included=seat.included,
            minimum=seat.minimum,
            maximum=seat.maximum,
            tiers=[
                PriceTier(
                    up_to=tier.up_to,
                    unit_amount=price_of(tier.unit_amount, currency),
                    flat_amount=price_of(tier.flat_amount, currency),
                )
                for tier in seat.tiers
            ],
            summary=summaries.seat_price(seat, version),
            list_summary=summaries.seat_price(seat.listed, version) if seat.listed else None,
        )


@strawberry.type(
    description="What customers of a plan may change by themselves, and how that is billed. Inside a plan "
    "each seat metric goes by its own direction."
)
class ChangePolicy:
    """What customers of a plan may change by themselves."""

    increase_modes: list[ProrationMode] = strawberry.field(
        description="The modes for more seats or a dearer plan; the first is used when none is asked for."
    )
    decrease_modes: list[ProrationMode] = strawberry.field(
        description="The modes for fewer seats or a cheaper plan; the first is used when none is asked for."
    )
    increase_timing: ChangeTiming = strawberry.field(
        description="When increases take effect unless asked otherwise; AT_RENEWAL cannot be hastened, NOW "
        "can be put off."
    )
    decrease_timing: ChangeTiming = strawberry.field(
        description="When decreases take effect unless asked otherwise; AT_RENEWAL cannot be hastened, NOW "
        "can be put off."
    )
    summary: str = strawberry.field(description="The policy in two sentences, one for each direction.")

    @classmethod
    def of(cls, policy: plans.ChangePolicy) -> "ChangePolicy":
        return cls(
            increase_modes=list(policy.increase.modes),
            decrease_modes=list(policy.decrease.modes),
            increase_timing=policy.increase.timing,
            decrease_timing=policy.decrease.timing,
            summary=summaries.policy(policy.increase, policy.decrease),
        )


@strawberry.type(
    description="What a plan costs when it is billed at one interval, in the customer's currency."
)
class PlanPrice:
    """What a plan costs at one interval."""

    interval: BillingInterval = strawberry.field(
        description="How long the period is that the amounts are for."
    )
    base_fee: Money = strawberry.field(
        description="What a full period costs before any seat; 0 for no base fee."
    )
    seats: list[SeatPrice] = strawberry.field(
        description="One price for each seat metric that the plan has; seats of others cannot be used on it."
    )
    policy: ChangePolicy = strawberry.field(
        description="Which changes the plan allows, and how they are billed."
    )

    @classmethod
    def of(cls, version: plans.PlanPrice) -> "PlanPrice":
        return cls(
            interval=version.interval,
            base_fee=Money.of(version.base_fee),
            seats=[SeatPrice.of(seat, version) for seat in version.seats],
            policy=ChangePolicy.of(version.policy),
        )


@strawberry.type(description="Whether the customer can change to a plan now.")
class PlanAvailability:
    """Whether the customer can change to a plan now."""

    available: bool = strawberry.field(
        description="True when a change to it, with suitable seats, would not be refused because of the plan."
    )
    current: bool = strawberry.field(description="True for the plan that the subscription is on.")
    reason: str | None = strawberry.field(
        description="Why it is not available, and what to do, in a sentence; null when it is."
    )


async def _availability(root: "Plan", info: Info) -> PlanAvailability:
    reading = info.context.reading
    subscribed = await reading.read(loaders.live_subscription)
    if subscribed is None:
        return PlanAvailability(available=bool(root.prices), current=False, reason=None)
    current = subscribed.price.plan == root.code
    loaded = await reading.read(loaders.state_of, subscribed.subscription)
    offered = loaded.state.plan(root.code)
    reason = obstacle(loaded.state, offered) if offered else f"{root.name} is not sold any more."
    return PlanAvailability(available=reason is None, current=current, reason=reason)


@strawberry.type(description="A plan: what the product is sold as.")
class Plan:
    """What the product is sold as."""

    code: str = strawberry.field(description="What inputs call it: `team`. Never changes.")
    name: str = strawberry.field(description="What people call it: `Team`.")
    description: str = strawberry.field(
        description="What it offers, in the seller's words; empty for a plan that is not sold any more."
    )
    prices: list[PlanPrice] = strawberry.field(
        description="What it costs today in the customer's currency, one entry for each interval it is sold "
        "at. A subscription keeps the price that it was started with: see `Subscription.price`."
    )
    availability: PlanAvailability = strawberry.field(
        resolver=_availability, description="Whether the customer can change to it now, and if not, why."
    )

    @classmethod
    def of(cls, plan: plans.Plan, currency: Currency) -> "Plan":
        return cls(
            code=plan.code,
            name=plan.name,
            description=plan.description,
            prices=[PlanPrice.of(price) for price in plan.prices if price.currency == currency],
        )

    @classmethod
    def of_price(cls, version: plans.PlanPrice, offered: plans.Plan | None) -> "Plan":
        """The plan of a price version as it is offered today, or what is left of it when it is not sold."""
        if offered is not None:
            return cls.of(offered, version.currency)
        return cls(code=version.plan, name=version.plan_name, description="", prices=[])


async def plans_on_offer(info: Info) -> list[Plan]:
    """The plans that are sold in the customer's currency, in the catalog's order."""
    offered = await info.context.reading.read(_on_offer)
    return [plan for plan in offered if plan.prices]


def _on_offer(scene: Scene) -> tuple[Plan, ...]:
    return tuple(Plan.of(plan, scene.customer.currency) for plan in scene.catalog.plans)
