"""Webhook endpoints: where the vendor's programs want to be told what happened, and what was sent there."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final
from uuid import UUID

from litestar import delete, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import Meta

from app.api.ids import Kind, decode_as, encode
from app.api.rest.bodies import Answer, Body, BodyWrong
from app.api.rest.describing import described
from app.api.rest.desk import AtDesk, Desk, Refused, accepted
from app.api.webhook_events import EVENTS, message_id, trial_body
from app.billing.refusals import NotFound
from app.gateways import webhooks as gateway
from app.gateways.webhooks import Outcome
from app.services import webhooks as services
from app.services.api_keys import Scope
from app.services.webhooks import EndpointAdded, NewEndpoint, SecretRotated, Signer
from app.store import webhooks
from app.store.ids import new_id
from app.store.tables.webhooks import DisabledBecause
from app.store.webhook_endpoints import Endpoint
from app.store.webhooks import Attempt, Delivery, Status

TAG: Final = (
    "webhooks",
    "Be told what happened, after Standard Webhooks. The messages are under `webhooks`.",
)
PAGE_MAX: Final = 100
PATH: Final = "/webhook-endpoints"
ONE: Final = f"{PATH}/{{endpoint:str}}"

Secret = Annotated[
    str, Meta(description="`whsec_…`. It is told this once; libraries of the standard take it as it is.")
]


class EndpointBody(Body):
    """A new endpoint."""

    url: Annotated[str, Meta(description="https, on the public network.", examples=["https://a.example/in"])]
    types: Annotated[
        tuple[str, ...], Meta(max_length=100, description="Of which news it is told; of all if left out.")
    ] = ()


class EndpointAnswer(Answer):
    """An endpoint."""

    id: str
    url: str
    types: list[str]
    created_at: datetime
    disabled_at: Annotated[datetime, Meta(description="Since when nothing is sent there.")] | None
    disabled_because: (
        Annotated[DisabledBecause, Meta(description="GONE: it answered 410. FAILING: three days in vain.")]
        | None
    )
    held_until: Annotated[datetime, Meta(description="Until when it asked to be left alone.")] | None
    failing_since: Annotated[datetime, Meta(description="Since when every try has failed.")] | None

    @classmethod
    def of(cls, endpoint: Endpoint) -> EndpointAnswer:
        """What is told of an endpoint."""
        return cls(
            id=encode(Kind.WEBHOOK_ENDPOINT, endpoint.id),
            url=endpoint.url,
            types=list(endpoint.types),
            created_at=endpoint.created_at,
            disabled_at=endpoint.disabled_at,
            disabled_because=endpoint.disabled_because,
            held_until=endpoint.held_until,
            failing_since=endpoint.failing_since,
        )


class EndpointsAnswer(Answer):
    """All endpoints, oldest first; at most 20."""

    endpoints: list[EndpointAnswer]


class AddedAnswer(Answer):
    """A new endpoint with its secret."""

    endpoint: EndpointAnswer
    secret: Secret


class RotatedAnswer(Answer):
    """A new secret."""

    secret: Secret
    both_until: Annotated[datetime, Meta(description="Until then messages are signed with the old one too.")]


class TrialAnswer(Answer):
    """What came of a try."""

    delivered: bool
    status: Annotated[int, Meta(description="What it answered.")] | None
    error: Annotated[str, Meta(description="Why there was no answer.")] | None
    milliseconds: int

    @classmethod
    def of(cls, outcome: Outcome) -> TrialAnswer:
        """What is told of an outcome."""
        took = outcome.milliseconds
        if isinstance(outcome, gateway.Answer):
            return cls(delivered=outcome.delivered, status=outcome.status, error=None, milliseconds=took)
        return cls(delivered=False, status=None, error=outcome.why.value, milliseconds=took)


class AttemptAnswer(Answer):
    """One try."""

    number: int
    at: datetime
    status: int | None
    error: str | None
    milliseconds: int

    @classmethod
    def of(cls, attempt: Attempt) -> AttemptAnswer:
        """What is told of a try."""
        return cls(
            number=attempt.number,
            at=attempt.at,
            status=attempt.status,
            error=attempt.error,
            milliseconds=attempt.milliseconds,
        )


class DeliveryAnswer(Answer):
    """A message on its way to an endpoint, with every try."""

    id: str
    message: Annotated[str, Meta(description="The `webhook-id`.")]
    type: str
    status: Status
    created_at: datetime
    next_at: Annotated[datetime, Meta(description="When it is tried next.")] | None
    last_error: Annotated[str, Meta(description="Why it waits or has failed, if it was not answered.")] | None
    attempts: list[AttemptAnswer]

    @classmethod
    def of(cls, delivery: Delivery) -> DeliveryAnswer:
        """What is told of a delivery."""
        return cls(
            id=encode(Kind.WEBHOOK_DELIVERY, delivery.id),
            message=message_id(delivery.message),
            type=delivery.type,
            status=delivery.status,
            created_at=delivery.created_at,
            next_at=delivery.next_at,
            last_error=delivery.last_error,
            attempts=[AttemptAnswer.of(each) for each in delivery.log],
        )


class DeliveriesAnswer(Answer):
    """A page of deliveries, latest first."""

    deliveries: list[DeliveryAnswer]
    next: Annotated[str, Meta(description="`after` of the next page; null on the last one.")] | None


@post(PATH, **described(Scope.WEBHOOKS_WRITE, 400, 415, 422), tags=[TAG[0]], summary="Add an endpoint")
async def add_endpoint(desk: AtDesk, data: JSONBody[EndpointBody]) -> AddedAnswer:
    """Be told at an address of what happens from now on. Needs `webhooks:write`."""
    room, new = desk.room.webhooks, NewEndpoint(data.url, data.types)
    done = await desk.room.store.deployment(
        services.add_endpoint, desk.actor, room.keyring, new, known=EVENTS, loopback=room.loopback
    )
    added = accepted(done, EndpointAdded)
    return AddedAnswer(endpoint=EndpointAnswer.of(added.endpoint), secret=added.secret)


@get(PATH, **described(Scope.WEBHOOKS_READ), tags=[TAG[0]], summary="List endpoints")
async def list_endpoints(desk: AtDesk) -> EndpointsAnswer:
    """All endpoints, oldest first. Needs `webhooks:read`."""
    found = await desk.room.store.look(services.endpoints)
    return EndpointsAnswer(endpoints=[EndpointAnswer.of(each) for each in found])


@get(ONE, **described(Scope.WEBHOOKS_READ, 404), tags=[TAG[0]], summary="Look at an endpoint")
async def get_endpoint(desk: AtDesk, endpoint: FromPath[str]) -> EndpointAnswer:
    """One endpoint, and whether it takes what is sent. Needs `webhooks:read`."""
    return EndpointAnswer.of(await _found(desk, endpoint))


@delete(
    ONE, **described(Scope.WEBHOOKS_WRITE, 404), tags=[TAG[0]], summary="Remove an endpoint", status_code=200
)
async def remove_endpoint(desk: AtDesk, endpoint: FromPath[str]) -> EndpointAnswer:
    """Send nothing there any more, nor list it; the answer is what it was. Needs `webhooks:write`."""
    found = await _found(desk, endpoint)
    await desk.room.store.deployment(services.remove_endpoint, desk.actor, found.id)
    return EndpointAnswer.of(found)


@post(
    f"{ONE}/rotate",
    **described(Scope.WEBHOOKS_WRITE, 404, 422),
    tags=[TAG[0]],
    summary="Give an endpoint a new secret",
    status_code=200,
)
async def rotate_secret(desk: AtDesk, endpoint: FromPath[str]) -> RotatedAnswer:
    """Make a new secret. For 24 hours messages are signed with both. Needs `webhooks:write`."""
    keyring = desk.room.webhooks.keyring
    done = await desk.room.store.deployment(services.rotate_secret, desk.actor, keyring, _id(endpoint))
    rotated = accepted(done, SecretRotated)
    return RotatedAnswer(secret=rotated.secret, both_until=rotated.both_until)


@post(
    f"{ONE}/disable",
    **described(Scope.WEBHOOKS_WRITE, 404),
    tags=[TAG[0]],
    summary="Disable an endpoint",
    status_code=200,
)
async def disable_endpoint(desk: AtDesk, endpoint: FromPath[str]) -> EndpointAnswer:
    """Send nothing there until it is enabled. Needs `webhooks:write`.

    What waits goes on waiting; what happens meanwhile is not kept for it.
    """
    done = await desk.room.store.deployment(services.disable_endpoint, desk.actor, _id(endpoint))
    return EndpointAnswer.of(accepted(done, Endpoint))


@post(
    f"{ONE}/enable",
    **described(Scope.WEBHOOKS_WRITE, 404),
    tags=[TAG[0]],
    summary="Enable an endpoint",
    status_code=200,
)
async def enable_endpoint(desk: AtDesk, endpoint: FromPath[str]) -> EndpointAnswer:
    """Send there again, first of all what has waited. Needs `webhooks:write`."""
    done = await desk.room.store.deployment(services.enable_endpoint, desk.actor, _id(endpoint))
    return EndpointAnswer.of(accepted(done, Endpoint))


@post(
    f"{ONE}/test",
    **described(Scope.WEBHOOKS_WRITE, 404),
    tags=[TAG[0]],
    summary="Try an endpoint",
    status_code=200,
)
async def try_endpoint(desk: AtDesk, endpoint: FromPath[str]) -> TrialAnswer:
    """Send a message of type `webhook.test` there, once and now, and tell what came of it.

    Needs `webhooks:write`. The answer comes after 15 seconds at the latest.
    """
    room, at = desk.room.webhooks, desk.room.store.wall()
    id = _id(endpoint)
    found = accepted(await desk.room.store.look(services.signer, room.keyring, id), Signer)
    body = trial_body(id, at)
    sent = gateway.letter(found.url, message_id(new_id(at)), body, keys=found.keys, at=at)
    return TrialAnswer.of(await room.try_out(sent))


@get(
    f"{ONE}/deliveries",
    **described(Scope.WEBHOOKS_READ, 400, 404),
    tags=[TAG[0]],
    summary="List what was sent to an endpoint",
)
async def list_deliveries(
    desk: AtDesk,
    endpoint: FromPath[str],
    status: Annotated[Status | None, QueryParameter(description="Only those in this status.")] = None,
    first: Annotated[int, QueryParameter(ge=1, le=PAGE_MAX, description="How many at most.")] = 20,
    after: Annotated[str | None, QueryParameter(description="`next` of the page before.")] = None,
) -> DeliveriesAnswer:
    """The messages for an endpoint with every try, latest first. Needs `webhooks:read`."""
    before = decode_as(Kind.WEBHOOK_DELIVERY, after) if after is not None else None
    if after is not None and before is None:
        raise BodyWrong("after: this is not the `next` of a page.")
    id = (await _found(desk, endpoint)).id
    listed = desk.room.webhooks.deliveries_to
    found = await listed(id, status=status, before=before, limit=first + 1)
    page = found[:first]
    told: dict[UUID, Delivery] = {}
    for customer in dict.fromkeys(each.customer for each in page):
        ids = [each.id for each in page if each.customer == customer]
        told |= {each.id: each for each in await desk.read(customer, webhooks.deliveries, ids)}
    return DeliveriesAnswer(
        deliveries=[DeliveryAnswer.of(told[each.id]) for each in page],
        next=encode(Kind.WEBHOOK_DELIVERY, page[-1].id) if len(found) > first else None,
    )


@post(
    f"{ONE}/deliveries/{{delivery:str}}/replay",
    **described(Scope.WEBHOOKS_WRITE, 404, 422),
    tags=[TAG[0]],
    summary="Send a message again",
    status_code=200,
)
async def replay_delivery(desk: AtDesk, endpoint: FromPath[str], delivery: FromPath[str]) -> DeliveryAnswer:
    """Send a message again, by the whole schedule and under its `webhook-id`. Needs `webhooks:write`."""
    of, id = _id(endpoint), decode_as(Kind.WEBHOOK_DELIVERY, delivery)
    owner = await desk.room.webhooks.owner_of_delivery(of, id) if id is not None else None
    if owner is None or id is None:
        raise Refused(NotFound("delivery"))
    return DeliveryAnswer.of(accepted(await desk.write(owner, services.replay, of, id), Delivery))


async def _found(desk: Desk, endpoint: str) -> Endpoint:
    """An endpoint; `Refused` if there is none."""
    return accepted(await desk.room.store.look(services.endpoint, _id(endpoint)), Endpoint)


def _id(endpoint: str) -> UUID:
    id = decode_as(Kind.WEBHOOK_ENDPOINT, endpoint)
    if id is None:
        raise Refused(NotFound("webhook endpoint"))
    return id


ROUTES: Final[tuple[HTTPRouteHandler, ...]] = (
    add_endpoint,
    list_endpoints,
    get_endpoint,
    remove_endpoint,
    rotate_secret,
    disable_endpoint,
    enable_endpoint,
    try_endpoint,
    list_deliveries,
    replay_delivery,
)
