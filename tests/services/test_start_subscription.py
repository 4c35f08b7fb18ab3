"""Starting a subscription: with a trial or without, and what cannot be."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from uuid import UUID, uuid4

import pytest

from app.billing.parties import BillingDetails, CustomerKind
from app.billing.periods import BillingInterval
from app.billing.permissions import SYSTEM
from app.billing.refusals import InvalidInput
from app.billing.subscriptions import Subscription, SubscriptionStatus
from app.services.apply_catalog import apply_catalog
from app.services.bill import bill
from app.services.cancel_subscription import cancel_subscription, cancelling
from app.services.confirming import Press
from app.services.quotes import QuoteSigner
from app.services.register_customer import NewCustomer, register_customer
from app.services.start_subscription import StartSubscription, SubscriptionStarted, start_subscription
from app.store import subscriptions
from app.store.customers import Customer
from app.store.transaction import Store
from tests.conftest import Clock
from tests.services.catalogs import changed, declared

DETAILS = BillingDetails("Initrode Inc.", ("1 Road",), "60601", "Chicago", "IL", "US")
NEW = NewCustomer("initrode", "Initrode", "USD", "America/Chicago", "en-US", CustomerKind.TEST, DETAILS)
START = StartSubscription("team", BillingInterval.MONTH, (("editor", 6),))
SIGNER = QuoteSigner(b"a secret of the tests, as long as it has to be")


async def a_customer(store: Store) -> UUID:
    """A customer of a seller whose plan is tried for two weeks."""
    tried = declared(changed("[plans.team]", "[plans.team]\ntrial_days = 14"))
    await store.deployment(apply_catalog, tried)
    customer = uuid4()
    assert isinstance(await store.run(customer, register_customer, SYSTEM, NEW), Customer)
    return customer


async def started(store: Store, customer: UUID, request: StartSubscription) -> Subscription:
    """The subscription that a request started."""
    done = await store.run(customer, start_subscription, SYSTEM, request)
    assert isinstance(done, SubscriptionStarted), done
    async with store.reads(customer) as scope:
        found = await scope.run(subscriptions.get, done.subscription)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("request_", "status", "ends"),
    [
        (START, SubscriptionStatus.TRIALING, date(2026, 4, 30)),
        (replace(START, trial_days=3), SubscriptionStatus.TRIALING, date(2026, 4, 19)),
        (replace(START, trial_days=0), SubscriptionStatus.ACTIVE, date(2026, 5, 16)),
        (replace(START, anchor=date(2026, 5, 1)), SubscriptionStatus.ACTIVE, date(2026, 5, 1)),
    ],
)
async def test_the_trial_is_that_of_the_plan_unless_another_is_given(
    store: Store, request_: StartSubscription, status: SubscriptionStatus, ends: date
) -> None:
    """On 16 April: the plan's two weeks, three days, none; and none where an anchor is given."""
    subscription = await started(store, await a_customer(store), request_)

    assert (subscription.status, subscription.period.end_day) == (status, ends)


@pytest.mark.parametrize(
    ("request_", "path"),
    [
        (replace(START, trial_days=-1), "trialDays"),
        (replace(START, trial_days=731), "trialDays"),
        (replace(START, trial_days=7, anchor=date(2026, 5, 1)), "anchor"),
        (replace(START, seats=(("pilot", 1),)), "seats"),
    ],
)
async def test_what_cannot_be_is_refused(store: Store, request_: StartSubscription, path: str) -> None:
    """No days at all, years of trial, a trial and an anchor, seats that the plan does not have."""
    refused = await store.run(await a_customer(store), start_subscription, SYSTEM, request_)

    assert isinstance(refused, InvalidInput)
    assert [problem.path for problem in refused.problems] == [path]


@pytest.mark.parametrize("engine_name", ["sqlite"])
async def test_a_plan_is_tried_once(store: Store, clock: Clock) -> None:
    """Whoever cancelled the trial and comes back pays from the first day, unless another trial is given."""
    customer = await a_customer(store)
    trial = await started(store, customer, START)
    await store.run(customer, cancel_subscription, SYSTEM, SIGNER, Press(trial.id, cancelling(), "key"))
    clock.now = trial.period.end
    await store.run(customer, bill, trial.id)

    again = await started(store, customer, START)

    assert again.status is SubscriptionStatus.ACTIVE
    assert again.id != trial.id


@pytest.mark.parametrize(
    ("sold", "count", "message"),
    [
        ('basis = "PEAK", unit_amount', 3, "Editor seats are billed as they are used; none are ordered."),
        ("maximum = 7, unit_amount", 8, "Editor seats are from 0 to 7, not 8."),
        ("unit_amount", -1, "Editor seats are from 0 to 100000, not -1."),
    ],
)
async def test_seats_that_a_plan_does_not_sell_so(store: Store, sold: str, count: int, message: str) -> None:
    """Seats that are billed by use, more than the maximum, and fewer than none cannot be started with."""
    await store.deployment(apply_catalog, declared(changed("included = 5, unit_amount", sold)))
    customer = uuid4()
    await store.run(customer, register_customer, SYSTEM, NEW)
    request = replace(START, seats=(("editor", count),))
    refused = await store.run(customer, start_subscription, SYSTEM, request)

    assert isinstance(refused, InvalidInput)
    assert refused.message == message
