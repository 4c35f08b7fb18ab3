"""Globex in Berlin: plan studio by the month, in euros with German VAT; three kinds of seats, one of them
free. Its removals wait for the next invoice, as do some of its additions: today lines are waiting, and the
invoice of this month is open.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from app.billing.ledger import Holder
from app.billing.parties import BillingDetails, CustomerKind
from app.billing.periods import BillingInterval
from app.billing.plans import ProrationMode
from app.billing.requests import ChangeRequest, SeatQuantity
from app.services.demo.calendar import Months
from app.services.demo.diary import PayWhatIsDue, Scene, add, leaves, takes, team
from app.services.demo.people import office, person
from app.services.record_seats import SeatReport
from app.services.register_customer import NewCustomer
from app.services.start_subscription import StartSubscription

REFERENCE: Final = "globex"
ZONE: Final = "Europe/Berlin"

GLOBEX: Final = NewCustomer(
    reference=REFERENCE,
    name="Globex",
    currency="EUR",
    zone=ZONE,
    locale="de",
    kind=CustomerKind.DEMO,
    details=BillingDetails(
        legal_name="Globex Gestaltung GmbH",
        lines=("Am Treptower Hafen 12",),
        postal_code="12435",
        city="Berlin",
        country="DE",
        tax_id="DE888888888",
        email="rechnung@globex.example.com",
        reference="Kostenstelle 4711",
    ),
)


def diary(now: datetime) -> Iterator[Scene]:
    """All scenes until now, in no order."""
    months = Months.until(now, ZONE, back=4, days_in=10)
    yield Scene(months.on(0, 0, 10, 0), REFERENCE, GLOBEX)
    for visit in team(REFERENCE, office(REFERENCE, 80)):
        yield Scene(months.on(0, 0, 10, 1), REFERENCE, visit)
    seats = (("full", 6), ("viewer", 10), ("guest", 20))
    start = StartSubscription("studio", BillingInterval.MONTH, seats)
    yield Scene(months.on(0, 0, 10, 5), REFERENCE, start)
    for month in range(months.back):
        yield Scene(months.on(month, 12, 14), REFERENCE, PayWhatIsDue("SEPA credit transfer"))
    yield from _committed(months)
    yield from _in_use(months)


def _committed(months: Months) -> Iterator[Scene]:
    """Full seats 6, 8, 9, 10; viewers 10, 15, 12, 14; guests stay at 20."""
    both = ChangeRequest(seats=(SeatQuantity("full", add=1), SeatQuantity("viewer", remove=3)))
    changes = (
        (1, 3, add("full", 2)),
        (1, 10, add("viewer", 5, ProrationMode.PRORATED_ON_NEXT_INVOICE)),
        (2, 12, both),
        (3, 6, add("full", 1)),
        (4, 4, add("viewer", 2, ProrationMode.PRORATED_ON_NEXT_INVOICE)),
    )
    for month, day, change in changes:
        yield Scene(months.on(month, day, 11), REFERENCE, change)


def _in_use(months: Months) -> Iterator[Scene]:
    """Full seats and viewers are people; guests are only counted."""
    full = _people(50, 5)
    viewers = _people(60, 9)
    for minute, holder in enumerate(full):
        yield Scene(months.on(0, 0, 12, minute), REFERENCE, takes("full", holder))
    for minute, holder in enumerate(viewers):
        yield Scene(months.on(0, 1, 12, minute), REFERENCE, takes("viewer", holder))
    for minute, holder in enumerate(_people(70, 3)):
        yield Scene(months.on(1, 4, 9, minute), REFERENCE, takes("full", holder))
    yield Scene(months.on(2, 10, 9), REFERENCE, leaves("viewer", viewers[4]))
    yield Scene(months.on(3, 7, 9), REFERENCE, takes("full", viewers[4]))
    for month, guests in enumerate((8, 12, 15, 11, 17)):
        yield Scene(months.on(month, 2, 16), REFERENCE, SeatReport("guest", total=guests))


def _people(first: int, count: int) -> tuple[Holder, ...]:
    return tuple(person(first + i, REFERENCE) for i in range(count))
