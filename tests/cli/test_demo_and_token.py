"""`seatport demo` and `seatport token`."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

import pytest

from app.api.auth import hash_token
from app.billing.permissions import SYSTEM, Role
from app.clock import wall_clock
from app.services.register_customer import NewCustomer, register_customer
from app.store import customers, system
from app.store.customers import Member
from app.store.engine import open_store
from app.store.transaction import Store
from tests.cli.conftest import Seatport
from tests.postgres import in_own_loop

REFERENCES = ["acme", "globex", "initech"]


def within(url: str, work: Callable[[Store], Awaitable[Any]]) -> Any:
    """What work on the store of a database comes to."""

    async def worked() -> Any:
        store = open_store(url, clock=wall_clock)
        try:
            return await work(store)
        finally:
            await store.close()

    return in_own_loop(worked())


def test_the_demo_is_made_once(seatport: Seatport) -> None:
    """The first run lives the past and sums it up; the second finds it there and says the same."""
    first, second = seatport("demo"), seatport("demo")

    assert (first.exit_code, second.exit_code) == (0, 0)
    assert first.stderr == "Living the past of acme, globex, initech …\n"
    assert second.stderr == "The demo is there already.\n"
    lines = first.stdout.splitlines()
    assert [line.split()[0] for line in lines] == REFERENCES
    assert re.fullmatch(
        r"acme     Team, by the month; seats: 15 editor \(12 in use\); last invoice DEMO-INV-\d{6}, "
        r"last credit note DEMO-CRN-\d{6}; credit [0-9.]+ USD",
        lines[0],
    )
    assert second.stdout == first.stdout


def test_the_summary_is_there_for_programs(demo: Seatport) -> None:
    """With --json it is one list, amounts as text."""
    acme, globex, initech = json.loads(demo("demo", "--json").stdout)

    assert [each["reference"] for each in (acme, globex, initech)] == REFERENCES
    assert acme["seats"] == [{"metric": "editor", "committed": 15, "in_use": 12}]
    assert re.fullmatch(r"[0-9]+\.[0-9]{2}", acme["credit"])
    assert (acme["currency"], globex["currency"], initech["currency"]) == ("USD", "EUR", "GBP")


def test_more_subscriptions_are_due_and_billed(demo: Seatport) -> None:
    """Four more customers are four renewals that are due; a second run makes four others."""
    made = demo("demo", "--subscriptions", "4")
    assert made.exit_code == 0, made.output
    assert "Made 4 more customers, each with a renewal that is due." in made.stderr

    billed = json.loads(demo("bill", "--json").stdout)
    assert (billed["claimed"], billed["billed"], billed["parked"]) == (4, 4, [])
    assert demo("demo", "--subscriptions", "4").exit_code == 0
    assert demo("bill").stdout.startswith("Billed 4, parked 0.\n")


def test_a_demo_that_was_cut_short_is_told(seatport: Seatport, database_url: str) -> None:
    """Where acme is without its past, one line says to start again, and no other customer is made."""

    async def begin(store: Store) -> None:
        await store.run(uuid4(), register_customer, SYSTEM, NewCustomer("acme", "Acme", "USD", "UTC"))

    within(database_url, begin)
    result = seatport("demo")

    assert result.exit_code == 1
    assert "customer 'acme' here whose past was not lived to its end" in result.stderr
    assert seatport("token", "--customer", "globex", "--role", "owner").exit_code == 1


@pytest.mark.parametrize("role", list(Role))
def test_a_token_signs_its_role_in(demo: Seatport, demo_url: str, role: Role) -> None:
    """Only the token is printed; its hash opens a session of the demo's member in that role, by name."""
    result = demo("token", "--customer", "acme", "--role", role.value.lower())
    token = result.stdout.strip()
    assert result.stdout == f"{token}\n"
    assert result.stderr == ""

    async def signed_in(store: Store) -> Member | None:
        session = await store.system(system.signed_in, hash_token(token).hex())
        assert session is not None
        async with store.reads(session.customer) as scope:
            return await scope.run(customers.member, session.member)

    member = within(demo_url, signed_in)
    assert member.role is role
    assert member.email.endswith("@acme.example.com")


def test_a_token_is_revoked(demo: Seatport, demo_url: str) -> None:
    """All that were made for a role of a customer open nothing any more; those of another role do."""
    tokens = [
        demo("token", "--customer", "acme", "--role", role).stdout.strip()
        for role in ("viewer", "viewer", "owner")
    ]

    revoked = demo("token", "--customer", "acme", "--role", "viewer", "--revoke")

    async def opened(store: Store) -> list[bool]:
        return [await store.system(system.signed_in, hash_token(token).hex()) is not None for token in tokens]

    assert (revoked.exit_code, revoked.stdout) == (0, "Every session of viewer of acme has ended.\n")
    assert within(demo_url, opened) == [False, False, True]
    assert demo("token", "--customer", "acmee", "--role", "viewer", "--revoke").exit_code == 1


def test_a_token_needs_a_customer_that_is_there(demo: Seatport) -> None:
    """An unknown reference is one line, and no token."""
    result = demo("token", "--customer", "acmee", "--role", "owner")

    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "Error: There is no customer 'acmee'. Give the reference it is registered by.\n"
