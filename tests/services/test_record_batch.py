"""Many reports at once, on both databases: each decided as if it had come alone, after those before it."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from app.billing.ledger import BalanceKind, EventSource, Holder, SeatEvent
from app.billing.parties import BillingDetails
from app.billing.periods import BillingInterval
from app.billing.permissions import SYSTEM
from app.billing.plans import Item
from app.billing.refusals import IdempotencyKeyReused, InvalidInput, NotFound
from app.services.record_batch import (
    ITEMS_MAX,
    ItemRecorded,
    ItemRefused,
    ItemResult,
    SeatItem,
    record_batch,
)
from app.services.record_seats import SeatCorrection, SeatReport
from app.services.register_customer import NewCustomer, change_billing_details, register_customer
from app.services.report_committed import CommittedReport
from app.services.start_subscription import StartSubscription, SubscriptionStarted, start_subscription
from app.store import holders, seats
from app.store.transaction import Store
from tests.conftest import Clock
from tests.services.test_record_seats import EDITOR, registered

ADA, BEN = Holder("ada", "Ada", "ada@example.com"), Holder("ben")


async def batch(store: Store, customer: UUID, *items: SeatItem) -> tuple[ItemResult, ...]:
    return await store.run(customer, record_batch, SYSTEM, items)


def refusals(results: tuple[ItemResult, ...]) -> list[str]:
    """The messages of the items that were refused, empty for the others."""
    return [result.refusal.message if isinstance(result, ItemRefused) else "" for result in results]


async def test_each_item_has_its_own_result(store: Store) -> None:
    """Ada and Ben come; Ada cannot come twice, and nobody called guest exists; the total of 5 still holds."""
    customer = await registered(store)
    results = await batch(
        store,
        customer,
        SeatItem("a", SeatReport("editor", added=1, holder=ADA)),
        SeatItem("b", SeatReport("editor", added=1, holder=ADA)),
        SeatItem("c", SeatReport("guest", added=1)),
        SeatItem("d", SeatReport("editor", added=1, holder=BEN)),
        SeatItem("e", SeatReport("editor", total=5)),
        SeatItem("f", SeatReport("editor", total=5)),
        SeatItem("g", SeatReport("editor", removed=6)),
    )

    assert refusals(results) == [
        "",
        "'ada' holds a seat of this kind already.",
        "There are no seats called 'guest'.",
        "",
        "",
        "",
        "On 2026-04-16 fewer than no editor seats would be in use. Report fewer seats as removed.",
    ]
    recorded = [len(result.events) for result in results if isinstance(result, ItemRecorded)]
    assert recorded == [1, 1, 1, 0]
    async with store.reads(customer) as scope:
        assert (await scope.run(seats.levels))[EDITOR].in_use == 5
        held = await scope.run(holders.sittings, [("editor", "ada"), ("editor", "ben")])
    assert {seat: sitting.holder for seat, sitting in held.items()} == {
        ("editor", "ada"): ADA,
        ("editor", "ben"): BEN,
    }


async def test_a_key_does_its_work_once(store: Store) -> None:
    """The same batch again, and a key twice in one batch, give the same events and write none. A key that
    comes with other numbers is refused; a refused one may come again.
    """
    customer = await registered(store)
    items = [
        SeatItem("a", SeatReport("editor", added=2)),
        SeatItem("a", SeatReport("editor", added=2)),
        SeatItem("b", SeatReport("editor", removed=9)),
    ]
    first, same, _ = await batch(store, customer, *items)
    again, _, _ = await batch(store, customer, *items)
    other, retried = await batch(
        store,
        customer,
        SeatItem("a", SeatReport("editor", added=3)),
        SeatItem("b", SeatReport("editor", removed=1)),
    )

    assert isinstance(first, ItemRecorded)
    assert not first.replayed
    assert same == again == ItemRecorded("a", first.events, replayed=True)
    assert other == ItemRefused("a", IdempotencyKeyReused("a"))
    assert isinstance(retried, ItemRecorded)
    async with store.reads(customer) as scope:
        assert (await scope.run(seats.levels))[EDITOR].in_use == 1


async def test_what_is_told_late_is_decided_by_what_came_before_it(store: Store, clock: Clock) -> None:
    """In one batch: 4 on the 3rd, a total of 9 on the 10th, then one more on the 5th, which an equaliser
    takes back on the 10th; five given back on the 2nd are refused, five on the 7th are not.
    """
    customer = await registered(store)

    def day(number: int) -> datetime:
        return datetime(2026, 4, number, tzinfo=UTC)

    *done, refused, taken = await batch(
        store,
        customer,
        SeatItem("a", SeatReport("editor", added=4, effective_at=day(3))),
        SeatItem("b", SeatReport("editor", total=9, effective_at=day(10))),
        SeatItem("c", SeatReport("editor", added=1, effective_at=day(5))),
        SeatItem("d", SeatReport("editor", removed=5, effective_at=day(2))),
        SeatItem("e", SeatReport("editor", removed=5, effective_at=day(7))),
    )

    assert [len(result.events) for result in done if isinstance(result, ItemRecorded)] == [1, 1, 2]
    assert isinstance(refused, ItemRefused)
    assert refused.refusal.message.startswith("On 2026-04-02 fewer")
    assert isinstance(taken, ItemRecorded)
    async with store.reads(customer) as scope:
        levels = [(await scope.run(seats.levels_at, day(n)))[EDITOR].in_use for n in (3, 5, 7, 10, 16)]
        events = await scope.run(seats.metric_events, "editor", start=day(1), until=clock.now)
    assert levels == [4, 5, 0, 9, 9]
    equalisers = [e.delta.net for e in events if e.delta.source is EventSource.EQUALISER]
    assert equalisers == [-1, 5]


async def test_events_are_corrected_in_a_batch(store: Store) -> None:
    """2 were 1; the same event cannot be corrected again in the batch, and an unknown one not at all."""
    customer = await registered(store)
    (wrong,) = await batch(store, customer, SeatItem("a", SeatReport("editor", added=2, holder=ADA)))
    assert isinstance(wrong, ItemRecorded)
    right, again, unknown = await batch(
        store,
        customer,
        SeatItem("b", SeatCorrection(wrong.events[0], 1, 0)),
        SeatItem("c", SeatCorrection(wrong.events[0], 3, 0)),
        SeatItem("d", SeatCorrection(uuid4(), 1, 0)),
    )

    assert isinstance(right, ItemRecorded)
    assert len(right.events) == 2
    assert isinstance(again, ItemRefused)
    assert isinstance(again.refusal, InvalidInput)
    assert unknown == ItemRefused("d", NotFound("seat event"))
    async with store.reads(customer) as scope:
        assert (await scope.run(seats.levels))[EDITOR].in_use == 1
        assert await scope.run(holders.holder_seats, "editor", "ada") == 1


async def test_a_seat_given_back_and_taken_again_is_held_since_then(store: Store, clock: Clock) -> None:
    """Ada comes, goes and comes again in one batch: she has held her seat since she came again."""
    customer = await registered(store)
    at = clock.now - timedelta(hours=3)
    told = [("added", 0), ("removed", 1), ("added", 2)]
    reports = [
        SeatReport("editor", holder=ADA, effective_at=at + timedelta(hours=hour), **{word: 1})  # type: ignore[arg-type]
        for word, hour in told
    ]
    await batch(store, customer, *(SeatItem(str(i), report) for i, report in enumerate(reports)))

    async with store.reads(customer) as scope:
        held = await scope.run(holders.sittings, [("editor", "ada")])
    assert held["editor", "ada"].since == at + timedelta(hours=2)


async def test_committed_seats_come_in_between(store: Store, clock: Clock) -> None:
    """A report of committed seats is billed in its turn, and corrected like one of seats in use; a key of it
    is not one of seats in use.
    """
    customer = await registered(store)
    refused, used = await batch(
        store,
        customer,
        SeatItem("a", CommittedReport("editor", total=8)),
        SeatItem("b", SeatReport("editor", added=1)),
    )
    assert refused == ItemRefused("a", NotFound("subscription"))
    assert isinstance(used, ItemRecorded)
    details = BillingDetails("Initrode", ("1 Main Street",), "10001", "New York", "NY", "US")
    await store.run(customer, change_billing_details, SYSTEM, details)
    start = StartSubscription("team", BillingInterval.MONTH, (("editor", 6),))
    assert isinstance(await store.run(customer, start_subscription, SYSTEM, start), SubscriptionStarted)

    items = [
        SeatItem("c", SeatReport("editor", added=1)),
        SeatItem("d", CommittedReport("editor", total=8)),
        SeatItem("e", SeatReport("editor", added=1)),
    ]
    first = await batch(store, customer, *items)
    again = await batch(store, customer, *items, SeatItem("d", SeatReport("editor", total=8)))

    assert [type(result) for result in first] == [ItemRecorded] * 3
    assert isinstance(first[1], ItemRecorded)
    assert first[1].committed == 8
    assert [isinstance(result, ItemRecorded) and result.replayed for result in again[:3]] == [True] * 3
    assert again[3] == ItemRefused("d", IdempotencyKeyReused("d"))
    async with store.reads(customer) as scope:
        level = (await scope.run(seats.levels))[Item("editor")]
        events = await scope.run(
            seats.metric_events, "editor", start=clock.now - timedelta(1), until=clock.now + timedelta(1)
        )
    assert (level.committed, level.in_use) == (8, 3)

    (wrong,) = [event.id for event in events if event.delta.kind is BalanceKind.COMMITTED][1:]
    (corrected,) = await batch(store, customer, SeatItem("f", SeatCorrection(wrong, 3, 0)))
    assert corrected == ItemRecorded("f", committed=9)


async def test_a_batch_does_what_its_items_would_have_done_alone(store: Store, clock: Clock) -> None:
    """Random reports and corrections, in batches of thirty for one customer and each alone for another: the
    same results, events and holders.
    """
    seed = random.randrange(10**9)
    chance = random.Random(seed)
    together, alone = await registered(store), uuid4()
    await store.run(alone, register_customer, SYSTEM, NewCustomer("vandelay", "Vandelay", "USD", "UTC"))
    events: list[tuple[UUID, UUID]] = []
    for _ in range(5):
        clock.now += timedelta(days=1)
        works = [random_work(chance, clock.now, len(events)) for _ in range(30)]
        items = [[told(work, events, side) for work in works] for side in (0, 1)]
        one = await batch(store, together, *(SeatItem(str(uuid4()), work) for work in items[0]))
        other = [(await batch(store, alone, SeatItem(str(uuid4()), work)))[0] for work in items[1]]
        for left, right in zip(one, other, strict=True):
            assert type(left) is type(right), f"seed {seed}"
            if isinstance(left, ItemRefused) and isinstance(right, ItemRefused):
                assert left.refusal == right.refusal, f"seed {seed}"
            elif isinstance(left, ItemRecorded) and isinstance(right, ItemRecorded):
                events += zip(left.events, right.events, strict=True)

    assert len(events) > 30, f"seed {seed}"
    same: dict[UUID | None, UUID] = dict(events)
    (mine, *rest), (others, *other_rest) = [
        await kept(store, customer, clock.now) for customer in (together, alone)
    ]
    renamed = [
        replace(event, id=same[event.id], delta=replace(event.delta, corrects=same.get(event.delta.corrects)))
        for event in mine
    ]
    assert sorted(renamed, key=lambda e: e.id) == sorted(others, key=lambda e: e.id), f"seed {seed}"
    assert rest == other_rest, f"seed {seed}"


def random_work(chance: random.Random, now: datetime, events: int) -> SeatReport | int:
    """A report of the last five days, half of them by name, or the place of an event to correct."""
    if events and chance.random() < 0.2:
        return chance.randrange(events)
    holder = chance.choice([None, ADA, BEN, Holder("ada"), Holder("cy", "Cy")])
    at = chance.choice([None, now - timedelta(hours=chance.randint(0, 120))])
    word = chance.choice(["added", "removed"] if holder else ["added", "removed", "total"])
    count = 1 if holder else chance.randint(0, 5)
    return SeatReport("editor", holder=holder, effective_at=at, **{word: count})  # type: ignore[arg-type]


def told(work: SeatReport | int, events: list[tuple[UUID, UUID]], side: int) -> SeatReport | SeatCorrection:
    """The report, or the correction of an event of one of both customers."""
    return work if isinstance(work, SeatReport) else SeatCorrection(events[work][side], work % 3, 0)


async def kept(store: Store, customer: UUID, now: datetime) -> tuple[list[SeatEvent], object, object]:
    """All that is kept of a customer's seats."""
    async with store.reads(customer) as scope:
        events = await scope.run(
            seats.metric_events, "editor", start=now - timedelta(days=99), until=now + timedelta(1)
        )
        held = await scope.run(holders.holders_page, metric=None, search=None, limit=100, after=None)
        return events, await scope.run(seats.levels), held


async def test_a_batch_has_a_thousand_items_at_most(store: Store) -> None:
    """One more is the caller's fault."""
    customer = await registered(store)
    items = [SeatItem(str(n), SeatReport("editor", added=1)) for n in range(ITEMS_MAX + 1)]
    with pytest.raises(ValueError, match="at most 1000"):
        await batch(store, customer, *items)
    assert len(await batch(store, customer, *items[1:])) == ITEMS_MAX
