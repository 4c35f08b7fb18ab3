"""The lines of use, whole: what a segment comes to under each basis, and what late news makes of it."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any
from uuid import UUID

import pytest

from app.billing.arrears import Late, Reckoned, Segment, adjustment, reckon, taxed_on, usage_line
from app.billing.ledger import BalanceKind, Delta, EventSource, Holder
from app.billing.lines import Left, Line, LineKind
from app.billing.money import CURRENCIES
from app.billing.periods import Granularity, Period, Share
from app.billing.plans import ChargingBasis, PlanPrice, SeatPrice
from app.billing.pricing import Part
from app.billing.taxes import TaxCategory, TaxTreatment
from app.billing.usage import Usage
from tests.builders import EDITOR, instant, money, plan_price, seat_price

USD = CURRENCIES["USD"]
APRIL = Period(instant("2026-04-01"), instant("2026-05-01"), "UTC")
LATE_APRIL = Period(instant("2026-04-16"), instant("2026-05-01"), "UTC")
TAX = TaxTreatment(TaxCategory.STANDARD, Decimal(19), "VAT")
TEN = Decimal("10.00")
FULL = Share(30, 30)


def moved(net: int, when: str, who: str | None = None) -> Delta:
    holder = Holder(who) if who else None
    kind, at = BalanceKind.IN_USE, instant(f"2026-04-{when}")
    return Delta(EDITOR, kind, max(0, net), max(0, -net), at, EventSource.REPORT, holder)


def by(basis: ChargingBasis, unit: str = "10.00", **rest: Any) -> SeatPrice:
    return replace(seat_price(unit, **rest), basis=basis, overage_amount=Decimal("3.00"))


def reckoned(seat: SeatPrice, *events: Delta, period: Period = APRIL, limit: int | None = None) -> Reckoned:
    """What a stretch of April comes to."""
    segment = Segment(EDITOR, UUID(int=1), period, APRIL, APRIL.start, limit)
    return reckon(seat, segment, Usage(events=events), Granularity.DAY, USD)


def test_overage_is_the_seats_above_those_that_were_paid() -> None:
    """12 in use at the end, 10 paid: 2 × 3.00."""
    assert reckoned(by(ChargingBasis.OVERAGE), moved(12, "03"), limit=10) == Reckoned(
        2, (Part(2, Decimal("3.00")),), FULL, Fraction(6), "2 seats × 3.00 USD"
    )


def test_people_are_billed_once_each() -> None:
    """Ann and Ben, of whom Ben left: 2 × 10.00."""
    came = moved(1, "03", "ann"), moved(1, "04", "ben"), moved(-1, "05", "ben")

    assert reckoned(by(ChargingBasis.ACTIVE), *came) == Reckoned(
        2, (Part(2, TEN),), FULL, Fraction(20), "2 seats × 10.00 USD"
    )


def test_a_peak_is_the_highest_level_at_the_end_of_a_day() -> None:
    """12 for an hour of the 3rd are not the level of that day, 4 are; for half a month half of it."""
    events = moved(12, "03 10:00"), moved(-8, "03 11:00")

    assert reckoned(by(ChargingBasis.PEAK), *events, period=LATE_APRIL) == Reckoned(
        4, (Part(4, TEN),), Share(15, 30), Fraction(20), "4 seats × 10.00 USD × 15/30 days"
    )
    assert reckoned(by(ChargingBasis.PEAK), *events).quantity == 4


def test_increases_count_from_the_highest_level_of_the_billing_period() -> None:
    """7 seats until the 10th, of which 4 stay; 12 for an hour do not count: from the 16th on 7 are billed."""
    events = moved(12, "03 10:00"), moved(-5, "03 11:00"), moved(-3, "10")

    assert reckoned(by(ChargingBasis.INCREASES), *events, period=LATE_APRIL) == Reckoned(
        7, (Part(7, TEN),), Share(15, 30), Fraction(35), "7 seats × 10.00 USD × 15/30 days"
    )


def test_every_level_is_billed_for_all_its_days() -> None:
    """3 seats for 10 days, 5 for 10, 3 again for 10: 30.00 × 20/30 + 50.00 × 10/30 = 36.67; nothing is due
    before the first.
    """
    events = moved(3, "01"), moved(2, "11"), moved(-2, "21")

    assert reckoned(by(ChargingBasis.PRORATED), *events) == Reckoned(
        5,
        (),
        None,
        Fraction(110, 3),
        "3 seats × 10.00 USD × 20/30 days + 5 seats × 10.00 USD × 10/30 days",
    )
    assert reckoned(by(ChargingBasis.PRORATED), moved(3, "21")) == Reckoned(
        3, (Part(3, TEN),), Share(10, 30), Fraction(10), "3 seats × 10.00 USD × 10/30 days"
    )
    assert reckoned(by(ChargingBasis.PRORATED)) == Reckoned(0, (Part(0, TEN),), FULL, Fraction(0), "0.00 USD")


def a_line(version: PlanPrice, **rest: Any) -> Line:
    """A line of April with 12 seats at 10.00."""
    line = Line(
        item=EDITOR,
        kind=LineKind.USAGE,
        quantity=12,
        parts=(Part(12, TEN),),
        share=FULL,
        period=APRIL,
        amount=money("120.00"),
        formula="12 seats × 10.00 USD",
        tax=TAX,
        price=version.id,
        cycle=7,
    )
    return replace(line, **rest)


def the_segment(version: PlanPrice, limit: int | None = None) -> Segment:
    return Segment(EDITOR, version.id, APRIL, APRIL, APRIL.start, limit)


@pytest.mark.parametrize(
    ("seat", "rest"),
    [
        (by(ChargingBasis.PEAK), {}),
        (
            by(ChargingBasis.OVERAGE),
            {
                "kind": LineKind.OVERAGE,
                "quantity": 2,
                "parts": (Part(2, Decimal("3.00")),),
                "amount": money("6.00"),
                "formula": "2 seats × 3.00 USD",
            },
        ),
        (
            by(ChargingBasis.PEAK, "0"),
            {"parts": (Part(12, Decimal(0)),), "amount": money("0.00"), "formula": "12 seats × 0.00 USD"},
        ),
    ],
)
def test_the_line_of_a_segment(seat: SeatPrice, rest: dict[str, Any]) -> None:
    """12 seats in April: by their peak, above 10 that are paid, and free ones, which are shown."""
    version, usage = plan_price(seat), Usage(events=(moved(12, "01"),))

    assert usage_line(the_segment(version, 10), version, usage, TAX, 7) == a_line(version, **rest)


def test_where_nothing_was_used_there_is_no_line() -> None:
    """But there is one where the first tier has a flat amount: 2.00 for no seats at all."""
    version = plan_price(by(ChargingBasis.PEAK))
    flat = plan_price(replace(seat_price("0", EDITOR, (None, "10.00", "2.00")), basis=ChargingBasis.PEAK))
    line = usage_line(the_segment(flat), flat, Usage(), TAX, 7)

    assert usage_line(the_segment(version), version, Usage(), TAX, 7) is None
    assert line is not None
    assert (line.quantity, line.amount) == (0, money("2.00"))


def left(amount: str, *, waived: bool = False) -> Left:
    """What is left of the line that billed April."""
    return Left(UUID(int=3), UUID(int=4), APRIL.start, money(amount), TAX, waived)


def late(*charges: Left, seats: int) -> tuple[Line, ...]:
    """What is adjusted in April, when it is told that so many seats were in use."""
    version = plan_price(by(ChargingBasis.PEAK))
    told = Late(the_segment(version), version, (UUID(int=5),), charges)
    return adjustment(told, Usage(events=(moved(seats, "01"),)), TAX, 7)


def test_the_line_of_an_adjustment() -> None:
    """12 seats were in use, 10 were billed: 120.00 − 100.00; and 8: 80.00 − 100.00, of the line that billed
    them.
    """
    adjusted: dict[str, Any] = {"kind": LineKind.ADJUSTMENT, "parts": (), "share": None}
    version = plan_price(by(ChargingBasis.PEAK))
    whole = a_line(version, **adjusted, late=(UUID(int=5),))

    assert late(left("100.00"), seats=12) == (
        replace(whole, amount=money("20.00"), formula="12 seats × 10.00 USD − 100.00 USD"),
    )
    assert late(left("100.00"), seats=8) == (
        replace(
            whole,
            quantity=8,
            amount=money("-20.00"),
            formula="8 seats × 10.00 USD − 100.00 USD",
            reverses=UUID(int=3),
        ),
    )


def test_what_is_right_or_was_given_up_is_not_adjusted() -> None:
    """10 seats were in use and billed; 8 were, and the claim was given up: nothing is given back of it."""
    assert late(left("100.00"), seats=10) == ()
    assert late(left("100.00", waived=True), seats=8) == ()
    assert [line.amount for line in late(left("100.00", waived=True), seats=12)] == [money("20.00")]


def test_use_is_taxed_as_on_its_last_day() -> None:
    """April ends on the 30th, also where that is the evening before in UTC."""
    tokyo = Period(instant("2026-03-31 15:00"), instant("2026-04-30 15:00"), "Asia/Tokyo")

    for period in (APRIL, tokyo):
        segment = Segment(EDITOR, UUID(int=1), period, period, period.start)
        assert taxed_on(segment) == date(2026, 4, 30)
