"""What the handlers share: the doors of the store, who calls, and how an answer is told once."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any, Concatenate, Final, Generic, ParamSpec, TypeVar
from uuid import UUID

import msgspec
from litestar import Request, Response
from litestar.datastructures import ResponseHeader
from litestar.di import NamedDependency
from litestar.params import HeaderParameter

from app.api.ids import Kind, decode_as
from app.api.links import DocumentLinks
from app.api.rest.bodies import Answer
from app.api.rest.problems import Refusal
from app.api.rest.webhook_room import WebhookRoom
from app.billing.permissions import Actor
from app.billing.refusals import InvalidInput, NotFound, Problem
from app.services.change_plan import Charges, nobody
from app.services.once import Asked, Repeated, once, repeated
from app.services.quotes import QuoteSigner, fingerprint
from app.store.transaction import Store, Tx

P = ParamSpec("P")
T = TypeVar("T")
AnswerT = TypeVar("AnswerT", bound=Answer)

REFERENCE_MAX: Final = 200
KEY: Final = re.compile(r"[\x20-\x7e]{1,255}")
REPLAYED: Final = "Idempotent-Replayed"
REPLAYED_HEADER: Final = ResponseHeader(
    name=REPLAYED,
    description="`true` if the key was known: nothing was done now, and this is what was done then.",
    documentation_only=True,
)

IdempotencyKey = Annotated[
    str | None,
    HeaderParameter(
        name="Idempotency-Key",
        description="Up to 255 characters that you make up for one press of one button. The same request "
        "with the same key is done once, and answered alike; keys are kept for 30 days.",
    ),
]


class Refused(Exception):
    """A service refused; the handler's answer is the problem of that."""

    def __init__(self, no: Refusal) -> None:
        super().__init__(no.message)
        self.no = no


def accepted(outcome: Any, kind: type[T]) -> T:
    """The outcome of a service if it did what was asked, else `Refused`."""
    if not isinstance(outcome, kind):
        raise Refused(outcome)
    return outcome


@dataclass(frozen=True, slots=True)
class Once(Generic[AnswerT]):
    """What a deed came to, and whether that was before."""

    answer: AnswerT
    replayed: bool


@dataclass(frozen=True, slots=True)
class Room:
    """What all requests share, with the two look-ups by which a request finds its customer; made once."""

    store: Store
    signer: QuoteSigner
    links: DocumentLinks
    public_url: str
    customer_called: Callable[[str], Awaitable[UUID | None]]
    owner_of_document: Callable[[UUID], Awaitable[UUID | None]]
    webhooks: WebhookRoom
    charges: Charges = nobody

    def desk(self) -> Callable[[Request[Any, Any, Any]], Awaitable[Desk]]:
        """What makes the desk of a request whose key was good. A function by itself: routes are copied."""

        async def desk(request: Request[Any, Any, Any]) -> Desk:
            return Desk(self, request.scope["user"])

        return desk


@dataclass(frozen=True, slots=True)
class Desk:
    """One request of the vendor's: who calls, and the doors to the rows of one customer at a time."""

    room: Room
    actor: Actor

    async def customer(self, reference: str) -> UUID:
        """The customer whom the vendor calls so, `Refused` if there is none."""
        found = await self.known(reference)
        if found is None:
            raise Refused(NotFound("customer", "Check the reference, or register the customer first."))
        return found

    async def known(self, reference: str) -> UUID | None:
        """The customer whom the vendor calls so, None if there is none."""
        possible = len(reference) <= REFERENCE_MAX and "\0" not in reference
        return await self.room.customer_called(reference) if possible else None

    async def invoice(self, public_id: str) -> tuple[UUID, UUID]:
        """The customer of an invoice, and the invoice; `Refused` if there is none, whatever was sent."""
        id = decode_as(Kind.INVOICE, public_id)
        owner = await self.room.owner_of_document(id) if id is not None else None
        if id is None or owner is None:
            raise Refused(NotFound("invoice"))
        return owner, id

    async def read(
        self, customer: UUID, query: Callable[Concatenate[Tx, P], T], /, *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """What a query finds about a customer, of one state of the rows."""
        async with self.room.store.reads(customer) as scope:
            return await scope.run(query, *args, **kwargs)

    async def write(
        self, customer: UUID, unit: Callable[Concatenate[Tx, P], T], /, *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run a service for a customer, in a transaction of its own."""
        return await self.room.store.run(customer, unit, *args, **kwargs)

    async def done(
        self,
        customer: UUID,
        deed: Callable[[Tx], AnswerT | Refusal],
        *,
        kind: type[AnswerT],
        operation: str,
        key: str | None,
        sent: Any,
        status: int,
    ) -> Response[AnswerT]:
        """The answer to a deed, which is done once if it has a key. `sent` is all that was asked."""
        once = await self.once(customer, deed, kind=kind, operation=operation, key=key, sent=sent)
        headers = {REPLAYED: "true"} if once.replayed else None
        return Response(once.answer, status_code=status, headers=headers)

    async def once(
        self,
        customer: UUID,
        deed: Callable[[Tx], AnswerT | Refusal],
        *,
        kind: type[AnswerT],
        operation: str,
        key: str | None,
        sent: Any,
    ) -> Once[AnswerT]:
        """What a deed came to, now or when its key first came; `Refused` if it was."""
        if key is None:
            return Once(accepted(await self.write(customer, deed), kind), replayed=False)
        asked = Asked(operation, valid_key(key), fingerprint(sent))
        outcome: Any = await self.read(customer, repeated, asked)
        if outcome is None:
            outcome = await self.write(customer, once, asked, deed, _told(kind))
        if isinstance(outcome, Repeated):
            return Once(msgspec.convert(outcome.body, kind), replayed=True)
        return Once(accepted(outcome, kind), replayed=False)


AtDesk = NamedDependency[Desk]
"""The parameter by which a handler gets the desk of its request."""


def valid_key(key: str) -> str:
    """The key as it was sent; `Refused` if it cannot be one."""
    if KEY.fullmatch(key) is None:
        message = "An idempotency key has 1 to 255 printable ASCII characters."
        raise Refused(InvalidInput((Problem("Idempotency-Key", message),)))
    return key


def _told(kind: type[AnswerT]) -> Callable[[Any], dict[str, Any] | None]:
    """What is kept of an answer; nothing of a refusal."""

    def told(answer: Any) -> dict[str, Any] | None:
        return dict(msgspec.to_builtins(answer)) if isinstance(answer, kind) else None

    return told
