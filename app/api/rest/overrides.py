"""What the seller agreed with one customer: seats on top, an own price, an own minimum or maximum."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Final

from litestar import Response, put
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, JSONBody
from msgspec import Meta

from app.api.rest.bodies import Answer, Body, Instant, Name, Seats, Text
from app.api.rest.describing import described
from app.api.rest.desk import REPLAYED_HEADER, AtDesk, IdempotencyKey
from app.api.rest.problems import Refusal
from app.api.rest.seats import SeatBalanceAnswer
from app.billing.overrides import Aspect, OwnPrice
from app.billing.periods import BillingInterval
from app.billing.plans import PricingModel, Tier
from app.services.api_keys import Scope
from app.services.record_override import NewOverride, OverrideRecorded, record_override
from app.store.transaction import Tx

TAG: Final = ("overrides", "What is agreed with one customer beside the catalog.")
TIERS_MAX: Final = 50

UnitAmount = Annotated[str, Meta(pattern=r"^[0-9]{1,15}(\.[0-9]{1,12})?$", examples=["9.50"])]


class TierBody(Body):
    """A step of a price: up to a seat, or open."""

    up_to: Annotated[int, Meta(ge=1, le=100_000)] | None = None
    unit_amount: UnitAmount = "0"
    flat_amount: UnitAmount = "0"


class OwnPriceBody(Body):
    """A price of the customer's own, for a full period."""

    model: PricingModel
    tiers: Annotated[tuple[TierBody, ...], Meta(min_length=1, max_length=TIERS_MAX)]
    package_size: Annotated[int, Meta(ge=1, le=100_000)] = 1


class OverrideBody(Body):
    """What is agreed about one metric. What is left out stays; `withdraws` goes back to the plan's."""

    granted: Annotated[Seats, Meta(description="Seats on top, which cost nothing.")] | None = None
    price: OwnPriceBody | None = None
    minimum: Seats | None = None
    maximum: Seats | None = None
    withdraws: Annotated[tuple[Aspect, ...], Meta(max_length=4)] = ()
    plan: Annotated[Name, Meta(description="For which plan; the present one if left out.")] | None = None
    interval: BillingInterval | None = None
    starts_at: Annotated[Instant, Meta(description="Now if left out.")] | None = None
    ends_at: Annotated[Instant, Meta(description="Open if left out.")] | None = None
    note: Text | None = None


class OverrideAnswer(Answer):
    """That it was recorded, and the seats of the metric now."""

    metric: str
    balance: SeatBalanceAnswer


@put(
    "/customers/{reference:str}/overrides/{metric:str}",
    **described(Scope.OVERRIDES_WRITE, 400, 404, 409, 415, 422),
    response_headers=[REPLAYED_HEADER],
    tags=[TAG[0]],
    summary="Agree with one customer",
)
async def put_override(
    desk: AtDesk,
    reference: FromPath[str],
    metric: FromPath[str],
    data: JSONBody[OverrideBody],
    idempotency_key: IdempotencyKey = None,
) -> Response[OverrideAnswer]:
    """Record what is agreed from now on; nothing that was billed changes. Needs `overrides:write`."""
    new = NewOverride(
        metric=metric,
        granted=data.granted,
        price=_own_price(data.price) if data.price else None,
        minimum=data.minimum,
        maximum=data.maximum,
        withdraws=frozenset(data.withdraws),
        plan=data.plan,
        interval=data.interval,
        starts_at=data.starts_at,
        ends_at=data.ends_at,
        note=data.note,
    )

    def deed(tx: Tx) -> OverrideAnswer | Refusal:
        done = record_override(tx, desk.actor, new)
        if not isinstance(done, OverrideRecorded):
            return done
        return OverrideAnswer(metric=metric, balance=SeatBalanceAnswer.of(metric, done.balance))

    return await desk.done(
        await desk.customer(reference),
        deed,
        kind=OverrideAnswer,
        operation="recordOverride",
        key=idempotency_key,
        sent=(metric, data),
        status=200,
    )


def _own_price(sent: OwnPriceBody) -> OwnPrice:
    tiers = (Tier(tier.up_to, Decimal(tier.unit_amount), Decimal(tier.flat_amount)) for tier in sent.tiers)
    return OwnPrice(sent.model, tuple(tiers), sent.package_size)


ROUTES: Final[tuple[HTTPRouteHandler, ...]] = (put_override,)
