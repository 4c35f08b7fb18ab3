"""A schema of a few fields behind the real transport, so that its tests do not wait for a database:
everything but the fields themselves is what production runs.
"""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import strawberry
from litestar import Litestar, get
from litestar.testing import TestClient
from strawberry.schema.config import StrawberryConfig

from app.api.auth import hash_token, new_token
from app.api.errors import Code, PublicError
from app.api.files import Pdf, PdfNotReady
from app.api.ids import Kind, PublicId
from app.api.money import Money
from app.api.pages import PageInfo, page_info, page_size
from app.api.registry import Registry
from app.api.scalars import SCALARS, URL, CurrencyCode
from app.billing import money
from app.billing.permissions import Actor, ActorKind, Role
from app.main import Parts, create_app, serve
from app.settings import Mode, Settings

NOW = datetime(2026, 4, 16, 9, 30, tzinfo=UTC)
CUSTOMER = UUID(int=1)
INVOICE = PublicId(Kind.INVOICE, UUID(int=2))
INVOICE_WAITING = PublicId(Kind.INVOICE, UUID(int=3))
INVOICE_BROKEN = PublicId(Kind.INVOICE, UUID(int=4))
INVOICE_UNKNOWN = PublicId(Kind.INVOICE, UUID(int=5))
PDF = b"%PDF-1.7 an invoice"
SECRET = "a-secret-of-more-than-32-characters"
TOKEN = os.environ.get("TINY_TOKEN") or new_token()[0]
TOKEN_HASH = hash_token(TOKEN)
CANARY = "hunter2"
ACTOR = Actor(ActorKind.MEMBER, "Ada", customer=CUSTOMER, role=Role.OWNER)
SETTINGS = Settings(
    mode=Mode.TEST,
    database_url="sqlite+aiosqlite:///var/none.db",
    secret=SECRET,
    public_url="http://127.0.0.1:8000",
    port=8000,
    explorer=False,
)


@dataclass
class World:
    """What the fields read and write; `log` holds what happened, in order."""

    paid: int = 0
    log: list[str] = field(default_factory=list)
    closed: int = 0
    problem: str | None = None


@dataclass
class TinyContext:
    """What the resolvers of one request share."""

    world: World
    actor: Actor
    snapshot: int

    async def after_mutation(self) -> None:
        self.world.log.append("reopened")
        self.snapshot = self.world.paid

    async def locale(self) -> str:
        return "en-GB"


Info = strawberry.Info[TinyContext, None]


@strawberry.input(one_of=True)
class Quantity:
    """Either-or."""

    total: int | None = strawberry.UNSET
    add: int | None = strawberry.UNSET


@strawberry.input
class PayInput:
    """What to pay."""

    note: str
    quantity: Quantity | None = strawberry.UNSET


def balance(info: Info) -> int:
    return info.context.snapshot


def boom() -> str:
    raise RuntimeError(f"password={CANARY} at db.internal")


def missing() -> str:
    return None  # type: ignore[return-value]


def forbidden() -> str:
    raise PublicError("Ask for less.", Code.RATE_LIMITED)


def numbers(first: int) -> list[int]:
    return list(range(page_size(first)))


def page(first: int = 20, after: str | None = strawberry.UNSET) -> PageInfo:
    return page_info(["a", "b"][:first], more=True, after=after or None)


async def slow(info: Info) -> int:
    info.context.world.log.append("slow")
    try:
        await asyncio.sleep(60)
    except asyncio.CancelledError:
        info.context.world.log.append("cancelled")
        raise
    return 1


async def greeting(name: str = "world") -> str:
    return f"Hello, {name}!"


def euros() -> Money:
    return Money.of(money.Money(-4463, money.CURRENCIES["EUR"]))


def echo_instant(value: datetime) -> datetime:
    return value


def echo_day(value: date) -> date:
    return value


def echo_decimal(value: Decimal) -> Decimal:
    return value


def echo_currency(value: CurrencyCode) -> CurrencyCode:
    return value


def echo_url(value: URL) -> URL:
    return value


def tree() -> "Node":
    return Node()


@strawberry.type
class Node:
    """Nests as deep as somebody asks."""

    name: str = "node"
    node: "Node" = strawberry.field(resolver=tree)
    boom: str = strawberry.field(resolver=boom)


@strawberry.type
class Query:
    """Everything to read."""

    balance: int = strawberry.field(resolver=balance)
    greeting: str = strawberry.field(resolver=greeting)
    slow: int = strawberry.field(resolver=slow)
    boom: str | None = strawberry.field(resolver=boom)
    missing: str = strawberry.field(resolver=missing)
    forbidden: str | None = strawberry.field(resolver=forbidden)
    numbers: list[int] = strawberry.field(resolver=numbers)
    page: PageInfo = strawberry.field(resolver=page)
    money: Money = strawberry.field(resolver=euros)
    node: Node = strawberry.field(resolver=tree)
    echo_instant: datetime = strawberry.field(resolver=echo_instant)
    echo_day: date = strawberry.field(resolver=echo_day)
    echo_decimal: Decimal = strawberry.field(resolver=echo_decimal)
    echo_currency: CurrencyCode = strawberry.field(resolver=echo_currency)
    echo_url: URL = strawberry.field(resolver=echo_url)


@strawberry.type
class Paid:
    """What a payment did."""

    note: str
    balance: int = strawberry.field(resolver=balance)


def pay(info: Info, input: PayInput) -> Paid:
    info.context.world.paid += 1
    info.context.world.log.append(f"paid {input.note}")
    return Paid(note=input.note)


async def refund(info: Info) -> int:
    info.context.world.paid -= 1
    info.context.world.log.append("refunded")
    return info.context.world.paid


@strawberry.type
class Mutation:
    """Everything to do."""

    pay: Paid = strawberry.mutation(resolver=pay)
    refund: int = strawberry.mutation(resolver=refund)
    slow: int = strawberry.mutation(resolver=slow)


def tiny_parts(world: World) -> Parts:
    """The parts of an application around a world."""

    async def who(token_hash: bytes) -> Actor | None:
        return ACTOR if token_hash == TOKEN_HASH else None

    @asynccontextmanager
    async def open_context(actor: Actor) -> AsyncIterator[TinyContext]:
        world.log.append("opened")
        try:
            yield TinyContext(world, actor, world.paid)
        finally:
            world.closed += 1

    async def load_pdf(customer: UUID, document: PublicId) -> Pdf | None:
        if document == INVOICE_WAITING:
            raise PdfNotReady(retry_after_seconds=3)
        if document == INVOICE_BROKEN:
            raise RuntimeError(f"password={CANARY}")
        return Pdf(PDF, "NW-2026-0001") if (customer, document) == (CUSTOMER, INVOICE) else None

    async def ready() -> str | None:
        if world.problem == "raise":
            raise RuntimeError(f"password={CANARY}")
        return world.problem

    @get("/broken")
    async def broken() -> None:
        raise RuntimeError(f"password={CANARY}")

    schema = strawberry.Schema(Query, Mutation, config=StrawberryConfig(scalar_map=SCALARS))
    return Parts(
        schema=schema,
        who=who,
        open_context=open_context,
        load_pdf=load_pdf,
        ready=ready,
        routes=[broken],
        clock=lambda: NOW,
    )


def tiny_app(world: World, *, registry: Registry | None = None, **settings: Any) -> Litestar:
    parts = replace(tiny_parts(world), registry=registry or Registry())
    return create_app(replace(SETTINGS, **settings), parts)


@dataclass
class Tiny:
    """A client that is signed in, and the world behind the server."""

    client: TestClient[Litestar]
    world: World

    def post(
        self,
        query: object,
        variables: object = None,
        *,
        headers: Mapping[str, str] | None = None,
        **more: object,
    ) -> Any:
        """Send an operation as JSON; gives the response."""
        body = {"query": query, **({} if variables is None else {"variables": variables}), **more}
        return self.client.post("/graphql", json=body, headers=headers)

    def send(self, content: bytes | str, content_type: str = "application/json") -> Any:
        """Send a body as it is."""
        return self.client.post("/graphql", content=content, headers={"Content-Type": content_type})

    def errors(self, query: object, variables: object = None) -> list[dict[str, Any]]:
        """The errors of an operation that must have some."""
        errors: list[dict[str, Any]] = self.post(query, variables).json()["errors"]
        assert errors
        return errors


if __name__ == "__main__":
    serve(tiny_app(World()), port=int(sys.argv[1]))
