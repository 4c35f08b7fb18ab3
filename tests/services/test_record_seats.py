"""Seats in use as the vendor reports them, on both databases."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from app.billing.ledger import EventSource, Holder, first_negative
from app.billing.permissions import SYSTEM
from app.billing.plans import Item
from app.billing.refusals import InvalidInput
from app.services.apply_catalog import apply_catalog
from app.services.record_seats import SeatCorrection, SeatReport, SeatsRecorded, correct_seats, record_seats
from app.services.register_customer import NewCustomer, register_customer
from app.store import seats
from app.store.transaction import Store
from tests.conftest import Clock
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


async def test_a_total_that_was_stated_stays_true(store: Store, clock: Clock) -> None:
    """On the 10th nine are in use, it is said on that day. On the 12th a seat of the 5th becomes known: then
    there were two from the 5th on, and nine on the 10th all the same.
    """
    customer = await registered(store)
    clock.now = datetime(2026, 4, 1, tzinfo=UTC)
    await store.run(customer, record_seats, SYSTEM, SeatReport("editor", added=1))
    clock.now = datetime(2026, 4, 10, tzinfo=UTC)
    await store.run(customer, record_seats, SYSTEM, SeatReport("editor", total=9))
    clock.now = datetime(2026, 4, 12, tzinfo=UTC)
    fifth = datetime(2026, 4, 5, tzinfo=UTC)
    late = await store.run(customer, record_seats, SYSTEM, SeatReport("editor", added=1, effective_at=fifth))

    assert isinstance(late, SeatsRecorded)
    _, kept = (event.delta for event in late.events)
    assert (kept.source, kept.net, kept.note) == (EventSource.EQUALISER, -1, "keeps the stated total of 9")
    assert kept.effective_at == datetime(2026, 4, 10, tzinfo=UTC)
    async with store.reads(customer) as scope:
        for day, in_use in ((4, 1), (5, 2), (9, 2), (10, 9), (12, 9)):
            levels = await scope.run(seats.levels_at, datetime(2026, 4, day, tzinfo=UTC))
            assert levels[EDITOR].in_use == in_use


async def test_all_totals_stay_true_whatever_comes_late(store: Store, clock: Clock) -> None:
    """Random reports and corrections, most of them of days before: at its instant every total is what was
    stated last for it, and no balance is ever negative.
    """
    seed = random.randrange(10**9)
    chance = random.Random(seed)
    customer = await registered(store)
    stated: dict[datetime, int] = {}
    clock.now = datetime(2026, 4, 20, tzinfo=UTC)
    for n in range(60):
        clock.now += timedelta(minutes=1)
        at = datetime(2026, 4, chance.randint(1, 19), tzinfo=UTC) + timedelta(minutes=n)
        quantity = chance.choice(["total", "added", "added", "removed"])
        report = SeatReport("editor", effective_at=at, **{quantity: chance.randint(0, 9)})  # type: ignore[arg-type]
        done = await store.run(customer, record_seats, SYSTEM, report)
        if isinstance(done, SeatsRecorded) and report.total is not None and done.events:
            stated[at] = report.total

    assert len(stated) > 5, f"seed {seed}"
    async with store.reads(customer) as scope:
        for at, total in stated.items():
            assert (await scope.run(seats.levels_at, at))[EDITOR].in_use == total, f"seed {seed}"
        events = await scope.run(
            seats.metric_events, "editor", start=min(stated) - timedelta(30), until=clock.now
        )
    assert first_negative(event.delta for event in events) is None, f"seed {seed}"


async def test_nobody_gives_back_a_seat_that_a_correction_took_away(store: Store) -> None:
    """Ann came and went. That she came cannot be corrected to nothing before that she went is."""
    customer, ann = await registered(store), Holder("ann")
    came = await store.run(customer, record_seats, SYSTEM, SeatReport("editor", added=1, holder=ann))
    await store.run(customer, record_seats, SYSTEM, SeatReport("editor", added=1, holder=Holder("ben")))
    went = await store.run(customer, record_seats, SYSTEM, SeatReport("editor", removed=1, holder=ann))
    assert isinstance(came, SeatsRecorded)
    assert isinstance(went, SeatsRecorded)

    refused = await store.run(customer, correct_seats, SYSTEM, SeatCorrection(came.events[0].id, 0, 0))
    assert isinstance(refused, InvalidInput)
    assert refused.message == ("'ann' gave a seat back that this would take away. Correct that event first.")
    first = await store.run(customer, correct_seats, SYSTEM, SeatCorrection(went.events[0].id, 0, 0))
    then = await store.run(customer, correct_seats, SYSTEM, SeatCorrection(came.events[0].id, 0, 0))
    assert isinstance(first, SeatsRecorded)
    assert isinstance(then, SeatsRecorded)
