"""Many more customers, each with a renewal that is due: something to measure a billing run with."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from app.billing.parties import BillingDetails, CustomerKind
from app.billing.periods import BillingInterval
from app.services.demo.calendar import Months
from app.services.demo.people import person
from app.services.demo.stage import VENDOR, MovedClock
from app.services.register_customer import NewCustomer, register_customer
from app.services.start_subscription import StartSubscription, SubscriptionStarted, start_subscription
from app.store.customers import Customer
from app.store.ids import new_id
from app.store.transaction import Store, Tx

DAYS_DUE: Final = 3
SEATS_MIN: Final = 3
SEATS_VARY: Final = 20


@dataclass(frozen=True, slots=True)
class Kind:
    """One of the kinds of customers that alternate."""

    plan: str
    metric: str
    currency: str
    zone: str
    locale: str
    country: str
    city: str


KINDS: Final = (
    Kind("team", "editor", "USD", "America/Chicago", "en", "US", "Chicago"),
    Kind("studio", "full", "EUR", "Europe/Vienna", "de", "AT", "Wien"),
    Kind("annual", "editor", "GBP", "Europe/London", "en-GB", "GB", "Leeds"),
)


async def crowd(store: Store, clock: MovedClock, now: datetime, count: int) -> AsyncIterator[int]:
    """Make so many customers, whose month ended today or in the two days before; yields how many there are.

    The clock shows `now` afterwards.
    """
    prefix = f"load-{now:%Y%m%d-%H%M%S%f}"
    for number in range(count):
        kind = KINDS[number % len(KINDS)]
        month = Months.until(now, kind.zone, back=1, days_in=number // len(KINDS) % DAYS_DUE)
        clock.now = month.on(0, 0, hour=10)
        await store.run(new_id(clock.now), settle, f"{prefix}-{number + 1:06}", kind, number)
        yield number + 1
    clock.now = now


def settle(tx: Tx, reference: str, kind: Kind, number: int) -> None:
    """A customer comes and starts, in one transaction."""
    seats = ((kind.metric, SEATS_MIN + number % SEATS_VARY),)
    company = f"{person(number, 'company').name} & Sons"
    details = BillingDetails(
        legal_name=company,
        lines=(f"{number + 1} Market Street",),
        city=kind.city,
        country=kind.country,
        email=f"{reference}@example.com",
    )
    new = NewCustomer(
        reference, company, kind.currency, kind.zone, kind.locale, CustomerKind.DEMO, details, timedelta(0)
    )
    start = StartSubscription(kind.plan, BillingInterval.MONTH, seats)
    done = (
        (register_customer(tx, VENDOR, new), Customer),
        (start_subscription(tx, VENDOR, start), SubscriptionStarted),
    )
    for outcome, wanted in done:
        assert isinstance(outcome, wanted), outcome
