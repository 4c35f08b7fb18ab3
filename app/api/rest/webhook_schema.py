"""The webhooks as the OpenAPI document describes them: a request of Seatport's for each type of news."""

from __future__ import annotations

from typing import Final

from litestar.openapi.spec import (
    OpenAPIFormat,
    OpenAPIMediaType,
    OpenAPIResponse,
    OpenAPIType,
    Operation,
    Parameter,
    PathItem,
    Reference,
    RequestBody,
    Schema,
)

from app.api import media
from app.api.webhook_events import EVENTS, TEST, Event, Fact
from app.services.webhook_rules import GAPS

HOURS: Final = sum(gap.total_seconds() for gap in GAPS) // 3600
ABOUT: Final = f"""
Answer with a status of 200 to 299 within 15 seconds; a redirect is not followed. Anything else, or nothing,
is tried ten times over {HOURS:.0f} hours. `Retry-After` is honoured; 429, 502 and 504 hold back all messages
to the endpoint, 410 disables it. Messages come at least once and in no order: tell them apart by
`webhook-id`, and order those of one `object` by `sequence`, which counts without gaps over all types.
"""
HEADERS: Final = {
    "webhook-id": "Tells messages apart; the same in every try.",
    "webhook-timestamp": "When this try was made, in seconds since 1970. Refuse it after five minutes.",
    "webhook-signature": "`v1,` and the Base64 of HMAC-SHA256 over `id.timestamp.body`, by the secret of the "
    "endpoint without `whsec_`, decoded. After a rotation there are two, with a space between.",
}
ALWAYS: Final = (
    Fact("customer", "Your own id of the customer."),
    Fact("customerId", "Ours, `cus_…`."),
    Fact("object", "What it happened to, by its id."),
    Fact("sequence", "Which news of the object it is, from 1.", "integer"),
)
OF_TEST: Final = Event("The endpoint is tried out.", facts=(Fact("endpoint", "The endpoint, `whe_…`."),))


def webhooks() -> dict[str, PathItem]:
    """All types of news, each as the POST that tells it."""
    told = {name: _item(name, event, (*ALWAYS, *event.facts)) for name, event in EVENTS.items()}
    return {**told, TEST: _item(TEST, OF_TEST, OF_TEST.facts)}


def schema_of(name: str, facts: tuple[Fact, ...]) -> Schema:
    """The JSON Schema of a message."""
    data = Schema(
        type=OpenAPIType.OBJECT,
        properties={fact.name: _member(fact) for fact in facts},
        required=[fact.name for fact in facts],
        additional_properties=False,
    )
    at = Schema(
        type=OpenAPIType.STRING, format=OpenAPIFormat.DATE_TIME, description="When it happened, in UTC."
    )
    return Schema(
        type=OpenAPIType.OBJECT,
        properties={"type": Schema(const=name), "timestamp": at, "data": data},
        required=["type", "timestamp", "data"],
        additional_properties=False,
    )


def _item(name: str, event: Event, facts: tuple[Fact, ...]) -> PathItem:
    body = RequestBody(content={media.JSON: OpenAPIMediaType(schema=schema_of(name, facts))}, required=True)
    parameters: list[Parameter | Reference] = [
        Parameter(name=header, param_in="header", description=about, schema=Schema(type=OpenAPIType.STRING))
        for header, about in HEADERS.items()
    ]
    told = Operation(
        operation_id=f"tell {name}",
        summary=event.about,
        description=ABOUT.strip(),
        tags=["webhooks"],
        parameters=parameters,
        request_body=body,
        responses={"2XX": OpenAPIResponse(description="It has arrived.")},
        security=[],
    )
    return PathItem(post=told)


def _member(fact: Fact) -> Schema:
    kind = OpenAPIType(fact.type)
    items = Schema(type=OpenAPIType.STRING) if kind is OpenAPIType.ARRAY else None
    return Schema(
        type=[kind, OpenAPIType.NULL] if fact.nullable else kind, description=fact.about, items=items
    )
