"""Seats in use as the vendor reports them, on both databases."""

from __future__ import annotations

from uuid import UUID, uuid4

from app.billing.permissions import SYSTEM
from app.billing.plans import Item
from app.billing.refusals import InvalidInput
from app.services.apply_catalog import apply_catalog
from app.services.record_seats import SeatCorrection, SeatReport, SeatsRecorded, correct_seats, record_seats
from app.services.register_customer import NewCustomer, register_customer
from app.store import seats
from app.store.transaction import Store
from tests.services.catalogs import declared

EDITOR = Item("editor")


async def registered(store: Store) -> UUID:
    """A customer of a seller with one kind of seat."""
    customer = uuid4()
    await store.deployment(apply_catalog, declared())
    await store.run(customer, register_customer, SYSTEM, NewCustomer("initrode", "Initrode", "USD", "UTC"))
    return customer


async def test_a_report_is_corrected_once(store: Store) -> None:
    """2 were 1: the balance is 1. That event cannot be corrected again; its correction can: then it is 3."""
    customer = await registered(store)
    reported = await store.run(customer, record_seats, SYSTEM, SeatReport("editor", added=2))
    assert isinstance(reported, SeatsRecorded)
    wrong = reported.events[0].id

    right = await store.run(customer, correct_seats, SYSTEM, SeatCorrection(wrong, 1, 0))
    again = await store.run(customer, correct_seats, SYSTEM, SeatCorrection(wrong, 5, 0))

    assert isinstance(right, SeatsRecorded)
    assert isinstance(again, InvalidInput)
    async with store.reads(customer) as scope:
        assert await scope.run(seats.corrected_by, [wrong]) == {wrong: right.events[-1].id}
        assert (await scope.run(seats.levels))[EDITOR].in_use == 1

    last = await store.run(customer, correct_seats, SYSTEM, SeatCorrection(right.events[-1].id, 3, 0))
    assert isinstance(last, SeatsRecorded)
    async with store.reads(customer) as scope:
        assert (await scope.run(seats.levels))[EDITOR].in_use == 3
