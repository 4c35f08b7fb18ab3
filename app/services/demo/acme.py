"""Acme in New York: plan team by the month, in US dollars; months of adding and giving back, in every mode
but the one that would move its renewal. Today it has 15 editors, 12 of them in use, and a little credit.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from app.billing.parties import BillingDetails, CustomerKind
from app.billing.periods import BillingInterval
from app.billing.plans import ProrationMode
from app.services.demo.calendar import Months
from app.services.demo.diary import (
    CorrectLastReport,
    PayWhatIsDue,
    Scene,
    add,
    leaves,
    remove,
    takes,
    team,
)
from app.services.demo.people import office, person
from app.services.record_seats import SeatReport
from app.services.register_customer import NewCustomer
from app.services.start_subscription import StartSubscription

REFERENCE: Final = "acme"
ZONE: Final = "America/New_York"
METRIC: Final = "editor"

ACME: Final = NewCustomer(
    reference=REFERENCE,
    name="Acme",
    currency="USD",
    zone=ZONE,
    locale="en-US",
    kind=CustomerKind.DEMO,
    details=BillingDetails(
        legal_name="Acme Incorporated",
        lines=("200 Harbor Street", "Suite 400"),
        postal_code="10013",
        city="New York",
        region="NY",
        country="US",
        email="invoices@acme.example.com",
        reference="PO-2207",
    ),
)


def diary(now: datetime) -> Iterator[Scene]:
    """All scenes until now, in no order."""
    months = Months.until(now, ZONE, back=5, days_in=12)
    yield Scene(months.on(0, 0, 9, 0), REFERENCE, ACME)
    for visit in team(REFERENCE, office(REFERENCE, 30)):
        yield Scene(months.on(0, 0, 9, 1), REFERENCE, visit)
    start = StartSubscription("team", BillingInterval.MONTH, ((METRIC, 8),))
    yield Scene(months.on(0, 0, 9, 5), REFERENCE, start)
    yield from _money(months)
    yield from _committed(months)
    yield from _in_use(months)


def _money(months: Months) -> Iterator[Scene]:
    """Every invoice is paid within a week or so; the one of this month, too."""
    for month in range(months.back + 1):
        yield Scene(months.on(month, 5, 15), REFERENCE, PayWhatIsDue())
        if month < months.back:
            yield Scene(months.on(month, 24, 15), REFERENCE, PayWhatIsDue("card"))


def _committed(months: Months) -> Iterator[Scene]:
    """8 editors, then 10, 14, 16; 13; 18; 14, 16; 15."""
    changes = (
        (0, 9, add(METRIC, 2)),
        (1, 5, add(METRIC, 4)),
        (1, 18, add(METRIC, 2, ProrationMode.PRORATED_ON_NEXT_INVOICE)),
        (2, 9, remove(METRIC, 3)),
        (3, 3, add(METRIC, 5, ProrationMode.DIFFERENCE_IMMEDIATELY)),
        (4, 6, remove(METRIC, 4)),
        (4, 20, add(METRIC, 2, ProrationMode.DO_NOT_BILL)),
        (5, 8, remove(METRIC, 1)),
    )
    for month, day, change in changes:
        yield Scene(months.on(month, day, 10), REFERENCE, change)


def _in_use(months: Months) -> Iterator[Scene]:
    """Seventeen people come, five of them leave; and two contractors are reported who were one."""
    coming = {
        (0, 0): (0, 1, 2, 3, 4, 5), (0, 3): (6,), (0, 10): (7,), (0, 20): (8, 9), (1, 6): (10, 11),
        (1, 19): (12, 13), (3, 4): (14, 15, 16),
    }  # fmt: skip
    going = {(2, 8): (3, 12), (4, 2): (5, 8), (5, 6): (14,)}
    for (month, day), numbers in coming.items():
        for minute, number in enumerate(numbers):
            yield Scene(
                months.on(month, day, 11, minute), REFERENCE, takes(METRIC, person(number, REFERENCE))
            )
    for (month, day), numbers in going.items():
        for minute, number in enumerate(numbers):
            yield Scene(
                months.on(month, day, 8, minute), REFERENCE, leaves(METRIC, person(number, REFERENCE))
            )
    contractors = SeatReport(METRIC, added=2, note="contractors for the launch")
    right = CorrectLastReport(added=1, removed=0, note="one contractor came, not two")
    yield Scene(months.on(2, 14, 9), REFERENCE, contractors)
    yield Scene(months.on(2, 15, 9), REFERENCE, right)
    # Told a day late, as happens.
    ended = SeatReport(METRIC, removed=1, effective_at=months.on(2, 24, 18), note="the contractor's last day")
    yield Scene(months.on(2, 25, 9), REFERENCE, ended)
