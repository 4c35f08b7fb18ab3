"""Recording what was agreed with one customer, on both databases: what is refused with which reason, what is
stored, and what others are told.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Executable, delete, select, update
from sqlalchemy.exc import DBAPIError

from app.billing.ledger import SeatLevels
from app.billing.overrides import Aspect, OwnPrice
from app.billing.parties import BillingDetails
from app.billing.periods import BillingInterval
from app.billing.permissions import SYSTEM, Actor, ActorKind, Role
from app.billing.plans import Item, PricingModel, Tier
from app.billing.refusals import InvalidInput, NotFound, NotPermitted
from app.services.apply_catalog import apply_catalog
from app.services.record_override import NewOverride, OverrideRecorded, record_override
from app.services.register_customer import NewCustomer, register_customer
from app.services.start_subscription import StartSubscription, SubscriptionStarted, start_subscription
from app.store import overrides, seats, states
from app.store.tables import audit, outbox, override
from app.store.transaction import Store, Tx
from tests.conftest import Clock
from tests.services.catalogs import SMALL, YEARLY, declared

MONTH, YEAR = BillingInterval.MONTH, BillingInterval.YEAR
SALES = Actor(ActorKind.API_KEY, "sales desk")
ADDRESS = BillingDetails("Initech Inc.", ("1 Main Street",), "10001", "New York", "NY", "US")
TABS = """
[metrics.tab]
label = "Tab"
"""


def unit(amount: str, model: PricingModel = PricingModel.PER_UNIT) -> OwnPrice:
    """One amount for each seat."""
    return OwnPrice(model, (Tier(None, Decimal(amount)),))


async def a_customer(store: Store, *, subscribed: bool = True, currency: str = "USD") -> UUID:
    """A customer of a seller who offers Team by the month and by the year; on Team by the month."""
    customer = uuid4()
    await store.deployment(apply_catalog, declared(SMALL + YEARLY + TABS))
    new = NewCustomer("initech", "Initech", currency, "UTC", details=ADDRESS)
    await store.run(customer, register_customer, SYSTEM, new)
    if subscribed:
        request = StartSubscription("team", MONTH, (("editor", 10),))
        assert isinstance(await store.run(customer, start_subscription, SYSTEM, request), SubscriptionStarted)
    return customer


async def refusals(store: Store, customer: UUID, new: NewOverride) -> dict[str, str]:
    """What is wrong with an override, by path; nothing of it is stored."""
    done = await store.run(customer, record_override, SALES, new)
    assert isinstance(done, InvalidInput), done
    async with store.reads(customer) as scope:
        assert await scope.run(overrides.recorded) == ()
    return {problem.path: problem.message for problem in done.problems}


async def recorded(store: Store, customer: UUID, new: NewOverride) -> OverrideRecorded:
    """An override that is recorded."""
    done = await store.run(customer, record_override, SALES, new)
    assert isinstance(done, OverrideRecorded), done
    return done


async def test_what_was_agreed_reads_back_equal(store: Store, clock: Clock) -> None:
    """Every field of two overrides, in the order of recording; the second, without a plan, is for that of the
    subscription.
    """
    customer = await a_customer(store)
    tiers = (Tier(10, Decimal("11.5"), Decimal("3.00")), Tier(None, Decimal("9.123456789012")))
    first = NewOverride(
        "editor", 3, OwnPrice(PricingModel.GRADUATED, tiers), 5, 400, plan="team", interval=YEAR, note="deal",
        starts_at=clock.now, ends_at=clock.now + timedelta(days=90),
    )  # fmt: skip
    one = (await recorded(store, customer, first)).override
    two = (
        await recorded(
            store, customer, NewOverride("editor", price=unit("9"), withdraws=frozenset({Aspect.GRANTED}))
        )
    ).override

    async with store.reads(customer) as scope:
        assert await scope.run(overrides.recorded) == (one, two)
    assert (one.author, one.note, one.interval, one.price) == ("sales desk", "deal", YEAR, first.price)
    assert (two.plan, two.interval, two.withdrawn) == ("team", MONTH, frozenset({Aspect.GRANTED}))


async def test_an_override_is_told_and_audited(store: Store) -> None:
    """One outbox row and one audit row go with it; a refused one leaves neither."""
    customer = await a_customer(store)

    def rows(tx: Tx) -> tuple[list[Any], list[Any]]:
        about = (outbox.c.customer_id == tx.customer, outbox.c.type == "override.recorded")
        told = tx.connection.execute(select(outbox.c.payload).where(*about)).scalars()
        mine = (audit.c.customer_id == tx.customer, audit.c.action == "override.recorded")
        noted = select(audit.c.actor, audit.c.detail).where(*mine)
        return list(told), [tuple(row) for row in tx.connection.execute(noted)]

    await refusals(store, customer, NewOverride("editor", granted=-1))
    assert await store.run(customer, rows) == ([], [])

    done = await recorded(store, customer, NewOverride("editor", granted=3, note="pilot"))
    told, noted = await store.run(customer, rows)
    assert told == [{"override": str(done.override.id), "metric": "editor", "about": ["GRANTED"]}]
    assert [(actor, detail["granted"], detail["note"]) for actor, detail in noted] == [
        ("sales desk", 3, "pilot")
    ]


async def test_only_the_seller_agrees(store: Store) -> None:
    """An owner of the customer cannot; an unknown customer has nothing to agree about."""
    customer = await a_customer(store)
    owner = Actor(ActorKind.MEMBER, "ada", customer=customer, role=Role.OWNER)

    assert isinstance(
        await store.run(customer, record_override, owner, NewOverride("editor", granted=1)), NotPermitted
    )
    assert isinstance(
        await store.run(uuid4(), record_override, SALES, NewOverride("editor", granted=1)), NotFound
    )


@pytest.mark.parametrize("engine_name", ["sqlite"])
async def test_what_cannot_be_agreed_is_refused_with_the_reason(store: Store, clock: Clock) -> None:
    """Each wrong thing by its path and in words; several at once."""
    customer = await a_customer(store)
    soon = clock.now + timedelta(days=1)
    one = frozenset({Aspect.GRANTED})
    wrong = {
        "metric": [NewOverride("desk", granted=1), NewOverride("tab", minimum=1)],
        "": [NewOverride("editor"), NewOverride("editor", note="hello")],
        "granted": [
            NewOverride("editor", granted=-1),
            NewOverride("editor", granted=100_001),
            NewOverride("editor", granted=1, withdraws=one),
        ],
        "minimum": [NewOverride("editor", minimum=-1)],
        "maximum": [
            NewOverride("editor", minimum=9, maximum=8),
            NewOverride("editor", maximum=4),  # 5 are included.
        ],
        "endsAt": [
            NewOverride("editor", granted=1, starts_at=soon, ends_at=soon),
            NewOverride("editor", granted=1, ends_at=clock.now),
        ],
        "startsAt": [NewOverride("editor", minimum=1, starts_at=clock.now - timedelta(seconds=1))],
        "note": [
            NewOverride("editor", granted=1, note="x" * 501),
            NewOverride("editor", granted=1, note="\x00"),
        ],
        "plan": [
            NewOverride("editor", minimum=1, plan="gold"),
            NewOverride("editor", price=unit("1"), plan="team", interval=BillingInterval.QUARTER),
        ],
    }
    for path, news in wrong.items():
        for new in news:
            assert list(await refusals(store, customer, new)) == [path], new

    many = replace(wrong["granted"][0], minimum=-1, ends_at=clock.now)
    assert list(await refusals(store, customer, many)) == ["granted", "minimum", "endsAt"]
    words = await refusals(store, customer, NewOverride("editor", minimum=9, maximum=8))
    assert "a maximum of 8, and its minimum is 9" in words["maximum"]


@pytest.mark.parametrize("engine_name", ["sqlite"])
async def test_an_amount_that_is_no_price_is_refused(store: Store) -> None:
    """Negative, endless, too long for the currency, at the wrong place; tiers that overlap or end."""
    customer = await a_customer(store)
    graduated = PricingModel.GRADUATED
    tier = Tier(None, Decimal(1))
    wrong: dict[str, list[OwnPrice]] = {
        "price.tiers[0].unitAmount": [
            unit("-1"),
            unit("NaN"),
            unit("Infinity"),
            unit("1000000000"),
            unit("0.1234567890123"),
            OwnPrice(PricingModel.STAIRSTEP, (tier,)),
        ],
        "price.tiers[0].flatAmount": [
            OwnPrice(graduated, (Tier(None, Decimal(1), Decimal("0.001")),)),
            OwnPrice(PricingModel.PER_UNIT, (Tier(None, Decimal(1), Decimal(1)),)),
        ],
        "price.tiers[0].upTo": [
            OwnPrice(graduated, (Tier(5, Decimal(1)),)),
            OwnPrice(graduated, (tier, tier)),
        ],
        "price.tiers[1].upTo": [OwnPrice(graduated, (Tier(5, Decimal(1)), Tier(5, Decimal(1)), tier))],
        "price.tiers": [
            OwnPrice(graduated, ()),
            OwnPrice(PricingModel.PER_UNIT, (Tier(5, Decimal(1)), tier)),
        ],
        "price.packageSize": [
            OwnPrice(PricingModel.PACKAGE, (Tier(None, Decimal(0), Decimal(50)),), 0),
            OwnPrice(PricingModel.PER_UNIT, (tier,), 5),
        ],
    }
    for path, prices in wrong.items():
        for price in prices:
            assert list(await refusals(store, customer, NewOverride("editor", price=price))) == [path], price


@pytest.mark.parametrize("engine_name", ["sqlite"])
async def test_without_a_subscription_it_must_be_said_for_what(store: Store) -> None:
    """Seats can be granted beforehand; a price needs its plan and its interval, and is there when the
    subscription starts.
    """
    customer = await a_customer(store, subscribed=False)
    assert list(await refusals(store, customer, NewOverride("editor", price=unit("9")))) == [
        "interval",
        "plan",
    ]
    await recorded(store, customer, NewOverride("editor", granted=2))
    await recorded(store, customer, NewOverride("editor", price=unit("9"), plan="team", interval=MONTH))

    request = StartSubscription("team", MONTH, (("editor", 10),))
    started = await store.run(customer, start_subscription, SYSTEM, request)
    assert isinstance(started, SubscriptionStarted)

    def billed(tx: Tx) -> list[str]:
        loaded = states.load(tx, started.subscription)
        assert loaded
        return [each.line.formula for each in loaded.state.lines]

    assert await store.run(customer, billed) == ["99.00 USD", "5 seats × 9.00 USD"]


@pytest.mark.parametrize("engine_name", ["sqlite"])
async def test_a_currency_without_such_a_plan_has_nothing_to_agree_about(store: Store) -> None:
    """Team is not sold in JPY."""
    customer = await a_customer(store, subscribed=False, currency="JPY")

    assert list(
        await refusals(store, customer, NewOverride("editor", minimum=1, plan="team", interval=MONTH))
    ) == ["plan"]


async def test_granted_seats_are_read_as_of_an_instant_and_as_known(store: Store, clock: Clock) -> None:
    """On the 16th 3 are granted; on the 18th it turns out that it was 5 since the 17th, for a week. What held
    on the 17th: 5 as we know now, 3 as it was known on that day; before the 16th and after the week: 0, 3.
    """
    customer = await a_customer(store)
    first = clock.now
    await recorded(store, customer, NewOverride("editor", granted=3))
    clock.advance(timedelta(days=2))
    late = NewOverride(
        "editor", granted=5, starts_at=first + timedelta(days=1), ends_at=first + timedelta(days=8)
    )
    await recorded(store, customer, late)

    async def at(days: float, known: float | None = None) -> int:
        known_at = first + timedelta(days=known) if known is not None else None
        async with store.reads(customer) as scope:
            levels = await scope.run(seats.levels_at, first + timedelta(days=days), known_at)
        return levels.get(Item("editor"), SeatLevels()).granted

    seen = [await at(-1), await at(0), await at(1), await at(1, known=1), await at(7.999), await at(8)]
    assert seen == [0, 3, 5, 3, 5, 3]


async def test_the_database_lets_nobody_rewrite_an_override(store: Store) -> None:
    """Rows are only appended: it refuses to change one and to delete one."""
    customer = await a_customer(store)
    await recorded(store, customer, NewOverride("editor", granted=3))

    def rewrite(tx: Tx, statement: Executable) -> None:
        tx.connection.execute(statement)

    mine = override.c.customer_id == customer
    for statement in (update(override).where(mine).values(granted=4), delete(override).where(mine)):
        with pytest.raises(DBAPIError):
            await store.run(customer, rewrite, statement)

    async with store.reads(customer) as scope:
        assert [each.granted for each in await scope.run(overrides.recorded)] == [3]
