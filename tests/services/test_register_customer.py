"""Registering a customer: everything wrong is said at once, and nothing is written."""

from __future__ import annotations

from dataclasses import replace
from uuid import uuid4

import pytest

from app.billing.permissions import SYSTEM
from app.billing.refusals import InvalidInput
from app.services.register_customer import NewCustomer, register_customer
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


async def test_a_customer_registers_once(store: Store) -> None:
    """The customer is there as registered; a second time is refused."""
    customer = uuid4()
    made = await store.run(customer, register_customer, SYSTEM, GOOD)
    again = await store.run(customer, register_customer, SYSTEM, GOOD)

    assert isinstance(made, Customer)
    assert isinstance(again, InvalidInput)
    async with store.reads(customer) as scope:
        assert await scope.run(customers.get) == made
