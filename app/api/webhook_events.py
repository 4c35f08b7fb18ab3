"""What the vendor can be told by webhooks, type by type, and the one body of each message.

A message is thin: which customer, which object, its place among the news of that object, and a few facts that
never change. Whoever wants more asks the API. Nothing about a person is in it but the vendor's own id of one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

import orjson

from app.api.ids import Kind, encode
from app.store.webhooks import Message

TEST: Final = "webhook.test"


@dataclass(frozen=True, slots=True)
class Fact:
    """A member of `data`: how it is called, what it is, and how it is told; null if it is not known."""

    name: str
    about: str
    type: str = "string"
    nullable: bool = False
    told: Callable[[Any], Any] = lambda value: value


@dataclass(frozen=True, slots=True)
class Event:
    """A type of news: what has happened, of what kind the object is, and the facts told of it."""

    about: str
    facts: tuple[Fact, ...]
    object: Kind = Kind.CUSTOMER


def _subscription(value: str) -> str:
    return encode(Kind.SUBSCRIPTION, UUID(value))


SUBSCRIPTION: Final = Fact("subscription", "The subscription, `sub_…`.", told=_subscription)
MAYBE_SUBSCRIPTION: Final = Fact(
    "subscription", "The subscription, if it is about committed seats.", nullable=True, told=_subscription
)
VERSION: Final = Fact("version", "The version that it has since.", "integer")
MAYBE_VERSION: Final = Fact("version", "The version that it has since.", "integer", nullable=True)
METRIC: Final = Fact("metric", "The code of the seat metric.")
NUMBER: Final = Fact("number", "The number of the document.")
TARGET: Final = Fact("target", "What it would have changed: `plan`, `cancel`, or `seats:` and a metric.")
REASON: Final = Fact("reason", "REISSUE: its lines wait for another document. WAIVE: the claim is given up.")
TRIES: Final = Fact("tries", "How many tries came to nothing so far.", "integer")
LAST: Final = Fact("last", "Whether no other try follows: the invoice waits for its payer.", "boolean")
ABOUT: Final = Fact("about", "What was agreed: GRANTED, MINIMUM, MAXIMUM and so on.", "array")


def _of_subscription(about: str) -> Event:
    return Event(about, (SUBSCRIPTION, VERSION), Kind.SUBSCRIPTION)


def _of_invoice(about: str, *facts: Fact) -> Event:
    return Event(about, (NUMBER, *facts), Kind.INVOICE)


EVENTS: Final[Mapping[str, Event]] = {
    "subscription.trial_started": _of_subscription("A subscription has begun with a trial."),
    "subscription.active": _of_subscription(
        "A subscription has begun, or its trial has ended: it is billed."
    ),
    "subscription.plan_changed": _of_subscription(
        "Another plan, price or interval, or other committed seats."
    ),
    "subscription.renewed": _of_subscription("A new period has begun."),
    "subscription.paused": _of_subscription("A subscription was paused."),
    "subscription.resumed": _of_subscription("A paused subscription goes on."),
    "subscription.cancelled": _of_subscription("A subscription has ended."),
    "seats.changed": Event(
        "Seats of a metric were taken, given back, bought or given up: once for all that came together. The "
        "object is the subscription, or the customer if it is about seats in use.",
        (METRIC, MAYBE_SUBSCRIPTION, MAYBE_VERSION),
    ),
    "override.recorded": Event(
        "Something of its own was agreed with a customer about a metric.", (METRIC, ABOUT)
    ),
    "scheduled_change.dropped": Event(
        "A change that waited for the renewal was impossible then, and was dropped.",
        (TARGET,),
        Kind.SCHEDULED_CHANGE,
    ),
    "scheduled_change.raised": Event(
        "A removal that waited for the renewal was raised to the seats in use.",
        (TARGET,),
        Kind.SCHEDULED_CHANGE,
    ),
    "invoice.finalized": _of_invoice("An invoice has its number and is open."),
    "invoice.paid": _of_invoice("Nothing is left to pay of an invoice."),
    "invoice.payment_failed": _of_invoice("A try to collect an invoice was declined.", TRIES, LAST),
    "invoice.voided": _of_invoice("An invoice that nobody paid is void.", REASON),
    "credit_note.finalized": Event("A credit note has its number.", (NUMBER,), Kind.CREDIT_NOTE),
    "portal_link.requested": Event(
        "A member has no good link any more and asks for one: make it, and mail it to them.",
        (Fact("member", "Your own id of the person."),),
    ),
}


def body_of(message: Message) -> bytes:
    """The body of a message: the same bytes in every try."""
    event, facts = EVENTS[message.type], message.facts
    of_subscription = event.object is Kind.CUSTOMER and facts.get(SUBSCRIPTION.name) is not None
    kind = Kind.SUBSCRIPTION if of_subscription else event.object
    data = {
        "customer": message.reference,
        "customerId": encode(Kind.CUSTOMER, message.customer),
        "object": encode(kind, message.object_id),
        "sequence": message.sequence,
    }
    for fact in event.facts:
        value = facts.get(fact.name)
        assert value is not None or fact.nullable, f"{message.type} tells {fact.name}"
        data[fact.name] = None if value is None else fact.told(value)
    return _body(message.type, message.created_at, data)


def trial_body(endpoint: UUID, at: datetime) -> bytes:
    """The body of a message that only tries an endpoint."""
    return _body(TEST, at, {"endpoint": encode(Kind.WEBHOOK_ENDPOINT, endpoint)})


def message_id(id: UUID) -> str:
    """The `webhook-id` of a message."""
    return encode(Kind.WEBHOOK_MESSAGE, id)


def _body(type_: str, at: datetime, data: dict[str, Any]) -> bytes:
    timestamp = at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return orjson.dumps({"type": type_, "timestamp": timestamp, "data": data})
