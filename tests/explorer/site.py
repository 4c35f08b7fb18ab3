"""A small real API behind the explorer, and the server that the browser talks to. The tests of the page ask
the site for its address, tabs and tokens only, so they run over any application that mounts the routes.
"""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import strawberry
import uvicorn
from litestar import Litestar, Request, Response, post

from app.api.explorer import DemoAccount, ExplorerConfig, Tab, explorer_routes

START_SECONDS_MAX = 20.0

WHO_AM_I = """query WhoAmI {
  viewer {
    name
    role
  }
}
"""
SEAT_BALANCES = """query SeatBalances($subscriptionId: ID!) {
  seats(subscriptionId: $subscriptionId) {
    metric
    committed
  }
}
"""
PREVIEW = """# What five more seats would cost.
mutation PreviewChangePlan($input: PreviewInput!) {
  previewChangePlan(input: $input) {
    summary
    token
  }
}
"""
ACME, GLOBEX = "sub_acme", "sub_globex"
TABS = (
    Tab("Who am I", WHO_AM_I),
    Tab("My seats", SEAT_BALANCES, f'{{\n  "subscriptionId": "{ACME}"\n}}'),
    Tab(
        'What would five more seats cost? It\'s "just" a preview',
        PREVIEW,
        '{\n  "input": {\n    "add": 5\n  }\n}',
    ),
)
ACCOUNTS = (
    DemoAccount("Acme", "Owner", "token-of-the-owner-of-acme"),
    DemoAccount("Acme", "Viewer", "token-of-the-viewer-of-acme"),
    DemoAccount(
        "Globex",
        "Owner",
        "token-of-the-owner-of-globex",
        {"My seats": f'{{\n  "subscriptionId": "{GLOBEX}"\n}}'},
    ),
)


@strawberry.type(description="Who is signed in.")
class Viewer:
    """Who is signed in."""

    name: str = strawberry.field(description="The customer this person belongs to.")
    role: str = strawberry.field(description="What this person may do.")


@strawberry.type(description="How many seats of one metric a subscription has.")
class Seats:
    """How many seats of one metric a subscription has."""

    metric: str = strawberry.field(description="The kind of seat.")
    committed: int = strawberry.field(description="Seats asked for, included ones counted.")


@strawberry.type(description="The priced answer to a what-if.")
class Quote:
    """The priced answer to a what-if."""

    summary: str = strawberry.field(description="One sentence with the amount.")
    token: str = strawberry.field(description="Binds a change to exactly this quote.")


@strawberry.input(description="A change to price.")
class PreviewInput:
    """A change to price."""

    add: int = strawberry.field(description="Seats to add.")


def viewer(info: strawberry.Info) -> Viewer:
    account: DemoAccount = info.context["account"]
    return Viewer(name=account.customer, role=account.role)


def seats(info: strawberry.Info, subscription_id: strawberry.ID) -> list[Seats]:
    account: DemoAccount = info.context["account"]
    if subscription_id != f"sub_{account.customer.lower()}":
        raise ValueError("not found")
    return [Seats(metric="editor", committed=15), Seats(metric="viewer", committed=3)]


def preview_change_plan(input: PreviewInput) -> Quote:
    return Quote(summary=f"{input.add} seats × 15.00 USD × 15/30 days", token="quote")


@strawberry.type(description="Everything a customer can read.")
class Query:
    """Everything a customer can read."""

    viewer: Viewer = strawberry.field(resolver=viewer, description="Who is signed in.")
    seats: list[Seats] = strawberry.field(resolver=seats, description="The seats of a subscription.")


@strawberry.type(description="Everything a customer can do.")
class Mutation:
    """Everything a customer can do."""

    preview_change_plan: Quote = strawberry.mutation(
        resolver=preview_change_plan, description="Price a change without making it."
    )


@dataclass(frozen=True, slots=True)
class Site:
    """A served explorer: its address and what its page was given."""

    url: str
    config: ExplorerConfig
    tokens_seen: list[str] = field(default_factory=list)


@contextmanager
def small_site(config: ExplorerConfig) -> Iterator[Site]:
    """The explorer over the small API, on a free port."""
    tokens_seen: list[str] = []
    with served(small_app(config, tokens_seen)) as url:
        yield Site(url, config, tokens_seen)


def small_app(config: ExplorerConfig, tokens_seen: list[str]) -> Litestar:
    schema = strawberry.Schema(Query, Mutation)
    accounts = {f"Bearer {account.token}": account for account in ACCOUNTS}

    @post("/graphql")
    async def graphql(request: Request[Any, Any, Any]) -> Response[dict[str, Any]]:
        account = accounts.get(request.headers.get("authorization", ""))
        if account is None:
            return Response({"errors": [{"message": "Sign in first."}]}, status_code=401)
        tokens_seen.append(account.token)
        asked = await request.json()
        result = await schema.execute(
            asked["query"], asked.get("variables"), {"account": account}, None, asked.get("operationName")
        )
        errors = [error.formatted for error in result.errors or []]
        answer = {"data": result.data} | ({"errors": errors} if errors else {})
        return Response(answer, status_code=200)

    return Litestar([graphql, *explorer_routes(config)], openapi_config=None)


@contextmanager
def served(app: Litestar) -> Iterator[str]:
    """Serve an application by uvicorn on a free port of this machine; gives its address."""
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="on", ws="none"))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        deadline = time.monotonic() + START_SECONDS_MAX
        while not server.started:
            assert thread.is_alive(), "the server stopped while starting"
            assert time.monotonic() < deadline, "the server did not start in time"
            time.sleep(0.01)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        thread.join(START_SECONDS_MAX)
