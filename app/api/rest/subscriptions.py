"""The life of a subscription, as the vendor leads it: start, pause, resume, cancel."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Annotated, Final
from uuid import UUID

from litestar import Response, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, JSONBody
from msgspec import Meta

from app.api.ids import Kind, encode
from app.api.rest.bodies import Answer, Body, Money, Name, Reference, Seats
from app.api.rest.customers import SubscriptionAnswer, subscription_answer
from app.api.rest.describing import described
from app.api.rest.desk import REPLAYED_HEADER, AtDesk, Desk, IdempotencyKey
from app.api.rest.problems import Refusal
from app.billing.periods import BillingInterval
from app.billing.plans import ChangeTiming
from app.billing.refusals import NotFound
from app.services.api_keys import Scope
from app.services.cancel_subscription import SubscriptionCancelled, cancel_subscription, cancelling
from app.services.catalog_prices import TRIAL_DAYS_MAX
from app.services.confirming import Confirmed, Press
from app.services.pause_subscription import SubscriptionPaused, pause_subscription
from app.services.resume_subscription import RESUME, SubscriptionResumed, resume_subscription
from app.services.start_subscription import StartSubscription, SubscriptionStarted, start_subscription
from app.store import subscriptions
from app.store.transaction import Tx

TAG: Final = ("subscriptions", "Which plan a customer is on, and when it pauses or ends.")

MetricCode = Annotated[str, Meta(min_length=1, max_length=100)]


class StartBody(Body):
    """A subscription that is to start now."""

    customer: Reference
    plan: Name
    interval: BillingInterval
    seats: Annotated[dict[MetricCode, Seats], Meta(max_length=50, description="Committed, by metric.")]
    anchor: (
        Annotated[date, Meta(description="From which day periods are counted; today if left out.")] | None
    ) = None
    trial_days: (
        Annotated[int, Meta(ge=0, le=TRIAL_DAYS_MAX, description="The plan's own for a first subscription.")]
        | None
    ) = None


class CancelBody(Body):
    """When a subscription is to end."""

    timing: (
        Annotated[ChangeTiming, Meta(description="With its period if left out and the plan lets it.")] | None
    ) = None


class StartedAnswer(Answer):
    """The subscription that started, and the invoice of its first period, if there is one."""

    subscription: SubscriptionAnswer
    invoice: Annotated[str, Meta(description="Null if the period was free, or is a trial.")] | None


class TurnAnswer(Answer):
    """The subscription as it stands now, and the documents that this made."""

    subscription: SubscriptionAnswer
    invoice: str | None
    credit_note: str | None
    credit_added: Money


@post(
    "/subscriptions",
    **described(Scope.SUBSCRIPTIONS_WRITE, 400, 404, 409, 415, 422),
    response_headers=[REPLAYED_HEADER],
    tags=[TAG[0]],
    summary="Start a subscription",
)
async def start(
    desk: AtDesk, data: JSONBody[StartBody], idempotency_key: IdempotencyKey = None
) -> Response[StartedAnswer]:
    """Commit seats and bill the first period, or begin a trial. Needs `subscriptions:write`."""
    request = StartSubscription(
        plan=data.plan,
        interval=data.interval,
        seats=tuple(data.seats.items()),
        anchor=data.anchor,
        trial_days=data.trial_days,
    )

    def deed(tx: Tx) -> StartedAnswer | Refusal:
        done = start_subscription(tx, desk.actor, request)
        if not isinstance(done, SubscriptionStarted):
            return done
        return StartedAnswer(subscription=_now(tx), invoice=_document(Kind.INVOICE, done.invoice))

    return await desk.done(
        await desk.customer(data.customer),
        deed,
        kind=StartedAnswer,
        operation="startSubscription",
        key=idempotency_key,
        sent=data,
        status=201,
    )


@post(
    "/customers/{reference:str}/subscription/pause",
    **described(Scope.SUBSCRIPTIONS_WRITE, 404, 409, 422),
    response_headers=[REPLAYED_HEADER],
    status_code=200,
    tags=[TAG[0]],
    summary="Pause the subscription",
)
async def pause(
    desk: AtDesk, reference: FromPath[str], idempotency_key: IdempotencyKey = None
) -> Response[TurnAnswer]:
    """Credit what is paid and not used, and bill nothing until it is resumed. Needs `subscriptions:write`."""

    def deed(tx: Tx, subscription: UUID) -> TurnAnswer | Refusal:
        done = pause_subscription(tx, desk.actor, subscription)
        return _turned(tx, done) if isinstance(done, SubscriptionPaused) else done

    return await _turn(desk, reference, deed, "pauseSubscription", idempotency_key)


@post(
    "/customers/{reference:str}/subscription/resume",
    **described(Scope.SUBSCRIPTIONS_WRITE, 404, 409, 422),
    response_headers=[REPLAYED_HEADER],
    status_code=200,
    tags=[TAG[0]],
    summary="Resume the subscription",
)
async def resume(
    desk: AtDesk, reference: FromPath[str], idempotency_key: IdempotencyKey = None
) -> Response[TurnAnswer]:
    """Go on after a pause with a new period, or keep what was to end. Needs `subscriptions:write`."""

    def deed(tx: Tx, subscription: UUID) -> TurnAnswer | Refusal:
        press = Press(subscription, RESUME, _own_key(tx))
        done = resume_subscription(tx, desk.actor, desk.room.signer, press)
        return _turned(tx, done) if isinstance(done, SubscriptionResumed) else done

    return await _turn(desk, reference, deed, "resumeSubscription by API", idempotency_key)


@post(
    "/customers/{reference:str}/subscription/cancel",
    **described(Scope.SUBSCRIPTIONS_WRITE, 400, 404, 409, 415, 422),
    response_headers=[REPLAYED_HEADER],
    status_code=200,
    tags=[TAG[0]],
    summary="Cancel the subscription",
)
async def cancel(
    desk: AtDesk,
    reference: FromPath[str],
    data: JSONBody[CancelBody],
    idempotency_key: IdempotencyKey = None,
) -> Response[TurnAnswer]:
    """End it with its period, or now if the plan lets it. Needs `subscriptions:write`."""

    def deed(tx: Tx, subscription: UUID) -> TurnAnswer | Refusal:
        press = Press(subscription, cancelling(data.timing), _own_key(tx))
        done = cancel_subscription(tx, desk.actor, desk.room.signer, press)
        return _turned(tx, done) if isinstance(done, SubscriptionCancelled) else done

    return await _turn(desk, reference, deed, "cancelSubscription by API", idempotency_key, data)


async def _turn(
    desk: Desk,
    reference: str,
    deed: Callable[[Tx, UUID], TurnAnswer | Refusal],
    operation: str,
    key: str | None,
    data: CancelBody | None = None,
) -> Response[TurnAnswer]:
    """Do something to the subscription that a customer has."""

    def to_the_live_one(tx: Tx) -> TurnAnswer | Refusal:
        live = subscriptions.live(tx)
        return deed(tx, live.id) if live else NotFound("subscription", "Start one first.")

    return await desk.done(
        await desk.customer(reference),
        to_the_live_one,
        kind=TurnAnswer,
        operation=operation,
        key=key,
        sent=data,
        status=200,
    )


def _turned(tx: Tx, done: SubscriptionPaused | Confirmed) -> TurnAnswer:
    return TurnAnswer(
        subscription=_now(tx),
        invoice=_document(Kind.INVOICE, done.invoice),
        credit_note=_document(Kind.CREDIT_NOTE, done.credit_note),
        credit_added=Money.of(done.credit_added),
    )


def _now(tx: Tx) -> SubscriptionAnswer:
    answer = subscription_answer(tx)
    assert answer is not None, "what was changed is there"
    return answer


def _document(kind: Kind, id: UUID | None) -> str | None:
    return encode(kind, id) if id else None


def _own_key(tx: Tx) -> str:
    """The button wants a key of its own; the one of the request is kept with the whole answer."""
    return f"api {tx.new_id()}"


ROUTES: Final[tuple[HTTPRouteHandler, ...]] = (start, pause, resume, cancel)
