"""Initech in London: plan annual, in pounds, 12.00 a seat and month paid by the year. It has renewed once;
its removals wait for the renewal, and one waits now.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from app.billing.parties import BillingDetails, CustomerKind
from app.billing.periods import BillingInterval
from app.services.demo.calendar import Months
from app.services.demo.diary import PayWhatIsDue, Scene, add, leaves, remove, takes, team
from app.services.demo.people import office, person
from app.services.register_customer import NewCustomer
from app.services.start_subscription import StartSubscription

REFERENCE: Final = "initech"
ZONE: Final = "Europe/London"
METRIC: Final = "editor"

INITECH: Final = NewCustomer(
    reference=REFERENCE,
    name="Initech",
    currency="GBP",
    zone=ZONE,
    locale="en-GB",
    kind=CustomerKind.DEMO,
    details=BillingDetails(
        legal_name="Initech Limited",
        lines=("9 Canal Reach",),
        postal_code="N1C 4AA",
        city="London",
        country="GB",
        email="accounts@initech.example.com",
    ),
)


def diary(now: datetime) -> Iterator[Scene]:
    """All scenes until now, in no order."""
    months = Months.until(now, ZONE, back=14, days_in=8)
    yield Scene(months.on(0, 0, 9, 30), REFERENCE, INITECH)
    for visit in team(REFERENCE, office(REFERENCE, 140)):
        yield Scene(months.on(0, 0, 9, 31), REFERENCE, visit)
    start = StartSubscription("annual", BillingInterval.YEAR, ((METRIC, 20),))
    yield Scene(months.on(0, 0, 9, 35), REFERENCE, start)
    for month in (0, 4, 12, 13):
        yield Scene(months.on(month, 12, 13), REFERENCE, PayWhatIsDue())
    yield from _committed(months)
    yield from _in_use(months)


def _committed(months: Months) -> Iterator[Scene]:
    """20 editors, then 25; 22 from the renewal on; 24, and 20 from the next one."""
    changes = (
        (4, 3, add(METRIC, 5)),
        (9, 10, remove(METRIC, 3)),
        (13, 2, add(METRIC, 2)),
        (14, 3, remove(METRIC, 4)),
    )
    for month, day, change in changes:
        yield Scene(months.on(month, day, 14), REFERENCE, change)


def _in_use(months: Months) -> Iterator[Scene]:
    """22 people come, three of them leave."""
    coming = {(0, 0): range(16), (4, 4): range(16, 20), (13, 3): range(20, 22)}
    going = {(8, 20): (2, 11), (13, 10): (17,)}
    for (month, day), numbers in coming.items():
        for minute, number in enumerate(numbers):
            holder = person(100 + number, REFERENCE)
            yield Scene(months.on(month, day, 15, minute), REFERENCE, takes(METRIC, holder))
    for (month, day), gone in going.items():
        for minute, number in enumerate(gone):
            holder = person(100 + number, REFERENCE)
            yield Scene(months.on(month, day, 17, minute), REFERENCE, leaves(METRIC, holder))
