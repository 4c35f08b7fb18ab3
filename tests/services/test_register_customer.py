"""Registering a customer: everything wrong is said at once, and nothing is written."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from uuid import uuid4

import pytest

from app.billing.permissions import SYSTEM
from app.billing.refusals import InvalidInput, Problem
from app.services.register_customer import NewCustomer, move_to_zone, register_customer
from app.store import customers
from app.store.customers import Customer
from app.store.transaction import Store

GOOD = NewCustomer("initrode", "Initrode", "USD", "America/Chicago", "en-US")


@pytest.mark.parametrize(
    ("wrong", "path"),
    [
        (replace(GOOD, reference=""), "reference"),
        (replace(GOOD, reference="x" * 201), "reference"),
        (replace(GOOD, currency="usd"), "currency"),
        (replace(GOOD, zone="America/Springfield"), "zone"),
        (replace(GOOD, zone="../../etc/passwd"), "zone"),
        (replace(GOOD, zone="America"), "zone"),
        (replace(GOOD, zone=""), "zone"),
        (replace(GOOD, locale="klingon"), "locale"),
        (replace(GOOD, locale=""), "locale"),
    ],
)
async def test_a_wrong_field_is_named(store: Store, wrong: NewCustomer, path: str) -> None:
    """Codes that do not exist, paths in the place of a zone, texts that are missing or too long."""
    customer = uuid4()
    refused = await store.run(customer, register_customer, SYSTEM, wrong)

    assert isinstance(refused, InvalidInput)
    assert [problem.path for problem in refused.problems] == [path]
    async with store.reads(customer) as scope:
        assert await scope.run(customers.get) is None


async def test_all_that_is_wrong_is_said_at_once(store: Store) -> None:
    """Currency, zone and locale are three problems in one answer."""
    wrong = replace(GOOD, currency="X", zone="Y", locale="zz-zz-zz")
    refused = await store.run(uuid4(), register_customer, SYSTEM, wrong)

    assert isinstance(refused, InvalidInput)
    assert [problem.path for problem in refused.problems] == ["currency", "zone", "locale"]


async def test_a_reference_belongs_to_one_customer(store: Store) -> None:
    """The second that comes with it is refused and leaves nothing behind; it may come with another."""
    first, second = uuid4(), uuid4()
    await store.run(first, register_customer, SYSTEM, GOOD)
    refused = await store.run(second, register_customer, SYSTEM, replace(GOOD, name="Another"))

    assert refused == InvalidInput((Problem("reference", "Another customer has the reference 'initrode'."),))
    async with store.reads(second) as scope:
        assert await scope.run(customers.get) is None
    async with store.reads(first) as scope:
        assert await scope.run(customers.get) is not None
    other = await store.run(second, register_customer, SYSTEM, replace(GOOD, reference="initech"))
    assert isinstance(other, Customer)


async def test_of_two_that_come_at_once_with_one_reference_one_is_registered(store: Store) -> None:
    """Neither fails: the one that comes second is told."""
    answers = await asyncio.gather(
        *(store.run(uuid4(), register_customer, SYSTEM, GOOD) for _ in range(4)),
    )

    assert sorted(type(answer).__name__ for answer in answers) == ["Customer", *["InvalidInput"] * 3]


async def test_a_customer_registers_once(store: Store) -> None:
    """The customer is there as registered; a second time is refused."""
    customer = uuid4()
    made = await store.run(customer, register_customer, SYSTEM, GOOD)
    again = await store.run(customer, register_customer, SYSTEM, GOOD)

    assert isinstance(made, Customer)
    assert isinstance(again, InvalidInput)
    async with store.reads(customer) as scope:
        assert await scope.run(customers.get) == made


async def test_a_zone_that_nobody_knows_is_refused(store: Store) -> None:
    """The customer stays where it is, and the answer says what a zone is called."""
    customer = uuid4()
    assert isinstance(await store.run(customer, register_customer, SYSTEM, GOOD), Customer)
    refused = await store.run(customer, move_to_zone, SYSTEM, "Mars/Olympus")

    assert isinstance(refused, InvalidInput)
    assert refused.message == "'Mars/Olympus' is no IANA time zone. Give one such as Europe/Berlin."
    async with store.reads(customer) as scope:
        found = await scope.run(customers.get)
    assert found is not None
    assert found.zone == GOOD.zone
