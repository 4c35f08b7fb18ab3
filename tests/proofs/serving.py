"""Real `seatport serve` processes over one database, and a customer to ask them about.

    with serving(url, folder, 2) as (one, other): ...

Each server is a process of its own on a free port of 127.0.0.1, started as a person would start it, ready
when the block begins, and ended by its process id. They share a secret: a link of one is good at the other.
"""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import httpx

from app.api.auth import new_token
from app.api.ids import Kind, encode
from app.billing.parties import BillingDetails, CustomerKind
from app.billing.periods import BillingInterval
from app.billing.permissions import SYSTEM, Role
from app.clock import wall_clock
from app.services.demo import past
from app.services.demo.stage import MovedClock
from app.services.open_portal import PortalVisit, open_portal
from app.services.register_customer import NewCustomer, register_customer
from app.services.start_subscription import StartSubscription, SubscriptionStarted, start_subscription
from app.store.customers import Customer, Member
from app.store.engine import open_store
from app.store.ids import new_id
from app.store.transaction import Store, Tx

ROOT: Final = Path(__file__).resolve().parents[2]
SECRET: Final = "a secret of the proofs, as long as it has to be"
READY_SECONDS_MAX: Final = 120
STOP_SECONDS_MAX: Final = 30
SEATS: Final = 10


@dataclass(slots=True)
class Server:
    """One `seatport serve`. It may be stopped or killed and started again, on the same port."""

    database_url: str
    port: int
    log: Path
    drain: int = 0
    process: subprocess.Popen[bytes] = field(init=False)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def launch(self) -> None:
        """Start the process; `wait` returns when it is ready."""
        environ = {name: value for name, value in os.environ.items() if not name.startswith("SEATPORT_")}
        environ |= {"SEATPORT_MODE": "production", "SEATPORT_SECRET": SECRET, "PYTHONPATH": str(ROOT)}
        environ |= {"SEATPORT_DATABASE_URL": self.database_url, "SEATPORT_DRAIN_SECONDS": str(self.drain)}
        environ |= {"SEATPORT_DOCUMENTS": "any", "SEATPORT_LIMIT_POINTS": "0"}
        command = [sys.executable, "-m", "app", "serve", "--port", str(self.port)]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(command, cwd=ROOT, env=environ, stdout=log, stderr=log)

    def wait(self) -> None:
        """Return when the server takes requests."""
        until = time.monotonic() + READY_SECONDS_MAX
        while time.monotonic() < until:
            assert self.process.poll() is None, f"the server ended: {self.said()}"
            with suppress(httpx.TransportError):
                if httpx.get(f"{self.url}/readyz").status_code == httpx.codes.OK:
                    return
            time.sleep(0.05)
        raise AssertionError(f"the server did not become ready: {self.said()}")

    def stop(self) -> None:
        """Ask it to stop, and wait until it has."""
        self.process.terminate()
        assert self.process.wait(STOP_SECONDS_MAX) == 0, self.said()

    def kill(self) -> None:
        """End it at once, without a word."""
        self.process.kill()
        self.process.wait()

    def end(self) -> None:
        """End it, whatever state it is in."""
        if self.process.poll() is None:
            self.process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(STOP_SECONDS_MAX)
        self.kill()

    def said(self) -> str:
        """All that it wrote to its log, over all its starts."""
        return self.log.read_text("utf-8", errors="replace")

    def render_process(self) -> int:
        """The id of the process that draws its documents, which is its only child."""
        listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], check=True, capture_output=True, text=True)
        pairs = (line.split() for line in listed.stdout.splitlines())
        (pid,) = (int(pid) for pid, parent in pairs if int(parent) == self.process.pid)
        return pid


@contextmanager
def serving(database_url: str, folder: Path, number: int = 1) -> Iterator[list[Server]]:
    """So many servers over one database, ready."""
    servers = [Server(database_url, port, folder / f"{port}.log") for port in free_ports(number)]
    begun: list[Server] = []
    try:
        for server in servers:
            server.launch()
            begun.append(server)
        for server in servers:
            server.wait()
        yield servers
    finally:
        for server in begun:
            server.end()


def free_ports(number: int) -> list[int]:
    """Ports of 127.0.0.1 that are free just now."""
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(number)]
    ports = [int(listener.getsockname()[1]) for listener in listeners]
    for listener in listeners:
        listener.close()
    return ports


def is_alive(pid: int) -> bool:
    """Whether there is such a process; one that ended and was not yet waited for does not count."""
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], check=False, capture_output=True, text=True)
    return bool(state.stdout.strip()) and not state.stdout.startswith("Z")


def pause(pid: int) -> None:
    """Hold a process still until `go_on`."""
    os.kill(pid, signal.SIGSTOP)


def go_on(pid: int) -> None:
    """Let a process run again."""
    os.kill(pid, signal.SIGCONT)


@dataclass(frozen=True, slots=True)
class Tenant:
    """A customer on plan `team` (99.00 USD with 5 editors, 15.00 for each further one, German VAT), ten days
    into its month, with a token of its owner.
    """

    customer: UUID
    subscription: UUID
    token: str

    @property
    def subscription_id(self) -> str:
        """The public id of the subscription."""
        return encode(Kind.SUBSCRIPTION, self.subscription)

    @property
    def headers(self) -> dict[str, str]:
        """What a request of the owner carries."""
        return {"Authorization": f"Bearer {self.token}"}

    def change(self, key: str, *, add: int = 1, **rest: Any) -> dict[str, Any]:
        """The input of `changePlan` for more editors."""
        seats = [{"metric": "editor", "quantity": {"add": add}}]
        return {"subscriptionId": self.subscription_id, "seats": seats, "idempotencyKey": key, **rest}


async def settled(database_url: str, *references: str) -> list[Tenant]:
    """New customers, one for each reference, who started with ten editors ten days ago."""
    clock = MovedClock(wall_clock() - timedelta(days=10))
    store = open_store(database_url, clock=clock)
    try:
        await past.offer_catalog(store)
        return [await _settled(store, clock, reference) for reference in references]
    finally:
        await store.close()


async def _settled(store: Store, clock: MovedClock, reference: str) -> Tenant:
    clock.now = wall_clock() - timedelta(days=10)
    customer = new_id(clock.now)
    token, token_hash = new_token()
    subscription = await store.run(customer, _start, reference)
    clock.now = wall_clock()
    visit = PortalVisit("owner", Role.OWNER, token_hash.hex(), "Ada Owner", None)
    assert isinstance(await store.run(customer, open_portal, SYSTEM, visit), Member)
    return Tenant(customer, subscription, token)


def _start(tx: Tx, reference: str) -> UUID:
    details = BillingDetails(
        legal_name=f"{reference} GmbH",
        lines=("Allee 3",),
        postal_code="10115",
        city="Berlin",
        country="DE",
        email=f"{reference}@example.com",
    )
    kind = CustomerKind.DEMO
    new = NewCustomer(reference, reference.title(), "USD", "Europe/Berlin", "en", kind, details, timedelta(0))
    assert isinstance(register_customer(tx, SYSTEM, new), Customer)
    start = StartSubscription("team", BillingInterval.MONTH, (("editor", SEATS),))
    started = start_subscription(tx, SYSTEM, start)
    assert isinstance(started, SubscriptionStarted)
    return started.subscription


CHANGE: Final = """mutation change($input: ChangePlanInput!) { changePlan(input: $input) {
  __typename
  ... on PlanChanged {
    replayed
    subscription { version seats { committed } }
    invoice { id number totals { subtotal { amount } tax { amount } total { amount } amountDue { amount } } }
    creditNote { number }
    creditAdded { amount }
  }
  ... on Refusal { message }
} }"""
OVERVIEW: Final = """{ customer {
  creditBalance { amount }
  subscription { version seats { committed atRenewal } }
  seatBalances { committed limit }
  invoices(first: 3) { edges { node { number totals { total { amount } } } } }
  seatEvents(first: 5) { edges { node { balance } } }
} }"""
PREVIEW: Final = """mutation preview($input: PreviewChangePlanInput!) { previewChangePlan(input: $input) {
  __typename
  ... on ChangeQuote { token dueNow { total { amount } } alternatives { prorationMode } }
} }"""


async def ask(
    client: httpx.AsyncClient, server: Server, tenant: Tenant, query: str, **variables: Any
) -> dict[str, Any]:
    """The data of an answer without errors."""
    body = {"query": query, "variables": variables}
    answer = await client.post(f"{server.url}/graphql", json=body, headers=tenant.headers)
    found: dict[str, Any] = answer.json()
    assert answer.status_code == httpx.codes.OK, (answer.status_code, found)
    assert "errors" not in found, found
    data: dict[str, Any] = found["data"]
    return data


async def changed(
    client: httpx.AsyncClient, server: Server, tenant: Tenant, key: str, **rest: Any
) -> dict[str, Any]:
    """The fact that a change was made, by this request or an earlier one; Busy is asked again."""
    for _ in range(20):
        fact: dict[str, Any] = (await ask(client, server, tenant, CHANGE, input=tenant.change(key, **rest)))[
            "changePlan"
        ]
        if fact["__typename"] != "Busy":
            assert fact["__typename"] == "PlanChanged", fact
            return fact
        await asyncio.sleep(0.2)
    raise AssertionError("the database had no turn for this change in twenty tries")


def amounts(fact: dict[str, Any]) -> Sequence[Any]:
    """What a change cost: its document and every sum on it, and what joined the credit balance."""
    invoice, note = fact["invoice"], fact["creditNote"]
    return invoice, note, fact["creditAdded"]
