"""The steps that lead to an amount, word for word: people check a line with them."""

from dataclasses import replace
from datetime import timedelta, timezone
from fractions import Fraction
from uuid import UUID

import pytest

from app.billing import explaining
from app.billing.arrears import Segment
from app.billing.backdated import Told
from app.billing.explaining import Explained, exact_text
from app.billing.ledger import BalanceKind, Delta, EventSource, Holder, SeatEvent
from app.billing.lines import Line, LineKind
from app.billing.money import CURRENCIES
from app.billing.periods import BillingInterval, Granularity, Period, Share
from app.billing.plans import BASE_FEE, ChargingBasis, Item, SeatPrice
from app.billing.pricing import price
from app.billing.usage import Usage
from tests.billing.elsewhere import standing_in
from tests.builders import EDITOR, instant, money, plan_price, seat_price, started

APRIL = Period(instant("2026-04-01"), instant("2026-05-01"), "UTC")
LATE_APRIL = Period(instant("2026-04-16"), instant("2026-05-01"), "UTC")
USD = CURRENCIES["USD"]
IN_USE, COMMITTED = BalanceKind.IN_USE, BalanceKind.COMMITTED


def moved(
    net: int, day: str, kind: BalanceKind = IN_USE, who: str | None = None, hour: str = "12:00"
) -> Delta:
    at, holder = instant(f"2026-04-{day} {hour}"), Holder(who) if who else None
    return Delta(EDITOR, kind, max(0, net), max(0, -net), at, EventSource.REPORT, holder)


def april(basis: ChargingBasis, *events: Delta, limit: int | None = None, included: int = 0) -> list[str]:
    """What is said of the use of April, 10.00 a seat."""
    seat = replace(seat_price(included=included), basis=basis)
    segment = Segment(EDITOR, UUID(int=1), APRIL, APRIL, APRIL.start, limit)
    steps = explaining.use(seat, segment, Usage(events=events), Granularity.DAY)
    return [f"{each.step}: {each.text}" for each in steps]


def a_line(**rest: object) -> Line:
    """The line of ten editors from 1 April on, otherwise as given."""
    line = started().lines[0].line
    return replace(line, **rest)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("delta", "recorded", "text"),
    [
        (moved(2, "03"), "2026-04-03 23:59", "2026-04-03 12:00 UTC: +2 in use, 7 then (REPORT)"),
        (
            moved(-2, "03", COMMITTED),
            "2026-04-03 12:00",
            "2026-04-03 12:00 UTC: −2 committed, 7 then (REPORT)",
        ),
        (moved(0, "03"), "2026-04-03 12:00", "2026-04-03 12:00 UTC: +0 in use, 7 then (REPORT)"),
        (
            moved(1, "03", who="ann"),
            "2026-04-04 00:30",
            "2026-04-03 12:00 UTC: +1 in use, 7 then (REPORT, ann), recorded 2026-04-04 00:30 UTC",
        ),
    ],
)
def test_an_event_says_what_moved_and_when_it_was_told(delta: Delta, recorded: str, text: str) -> None:
    """In UTC wherever the machine stands; when it was recorded only if that was on a later day."""
    east = timezone(timedelta(hours=2))
    delta = replace(delta, effective_at=delta.effective_at.astimezone(east))
    told = SeatEvent(UUID(int=1), delta, instant(recorded).astimezone(east), "vendor")

    with standing_in("Asia/Tokyo"):
        assert explaining.event(told, 7) == Explained("event", text)


def test_a_quantity_says_how_it_follows_from_the_level() -> None:
    """10 seats of which 2 are included and at least 3 are paid: 8."""
    seat = seat_price(minimum=3, included=2)

    assert explaining.quantity(seat, 10, "committed") == Explained(
        "quantity", "max(10 committed, minimum 3) − 2 included, not below 0: 8"
    )


@pytest.mark.parametrize(
    ("events", "limit", "text"),
    [
        ([moved(8, "03")], 5, "8 in use when it ended, 5 paid in advance: 3 above"),
        ([moved(2, "03")], 5, "2 in use when it ended, 5 paid in advance: 0 above"),
        ([moved(2, "03")], 0, "2 in use when it ended, 0 paid in advance: 2 above"),
    ],
)
def test_overage_is_what_is_above_the_seats_paid(events: list[Delta], limit: int, text: str) -> None:
    """As many as are in use at the end, less those paid in advance."""
    assert april(ChargingBasis.OVERAGE, *events, limit=limit) == [f"quantity: {text}"]


def test_people_are_counted_once() -> None:
    """Two people of whom one comes twice, and one is included: 1 is billed."""
    events = moved(1, "03", who="ann"), moved(-1, "04", who="ann"), moved(1, "05", who="ann")

    assert april(ChargingBasis.ACTIVE, *events, moved(1, "06", who="ben"), included=1) == [
        "quantity: max(2 people who held a seat, minimum 0) − 1 included, not below 0: 1"
    ]


def test_a_peak_says_how_long_each_level_lasted() -> None:
    """12 seats for one day, then 4 to the end of April: 12 count."""
    assert april(ChargingBasis.PEAK, moved(12, "03"), moved(-8, "04"), included=2) == [
        "level: 0 seats for 2 days",
        "level: 12 seats for 1 day",
        "level: 4 seats for 27 days",
        "quantity: max(12 in use at most, minimum 0) − 2 included, not below 0: 10",
    ]


def test_seat_days_say_what_each_level_comes_to() -> None:
    """3 seats of which 1 is free for 10 days of 30: 20 × 10/30 = 20/3; 0 seats before come to nothing."""
    assert april(ChargingBasis.PRORATED, moved(3, "21"), included=1) == [
        "level: 0 seats for 20 days, 0 billed: 0 × 20/30 = 0",
        "level: 3 seats for 10 days, 2 billed: 20 × 10/30 = 20/3",
    ]


def told_late(seat: SeatPrice, line: Line, *known: Delta) -> list[str]:
    """What is said of two seats more since 21 April, told when April was over."""
    told = Told((moved(2, "21", COMMITTED, hour="00:00"),), Usage(events=known))
    return [f"{each.step}: {each.text}" for each in explaining.backdated(seat, told, line, Share(30, 30))]


def test_seats_told_late_say_what_they_cost_without_and_with_them() -> None:
    """From the 16th on 4 seats, of which 1 is included, and 2 more since the 21st: 20.00 × 10/30 = 6.67."""
    line = a_line(period=LATE_APRIL, amount=money("6.67"))

    assert told_late(seat_price(included=1), line, moved(4, "01", COMMITTED)) == [
        "level: 4 seats for 5 days, 4 with what was told; 3 and 3 billed: (30 − 30) × 5/30 = 0",
        "level: 4 seats for 10 days, 6 with what was told; 3 and 5 billed: (50 − 30) × 10/30 = 20/3",
        "rounding: 20/3 USD rounded once, half away from zero: 6.67 USD",
    ]


def test_every_level_of_seats_told_late_counts() -> None:
    """4 seats since the 16th and 5 since the 26th, and 2 more since the 21st: 20.00 × 5/30 twice."""
    line = a_line(period=LATE_APRIL, amount=money("6.67"))
    known = moved(4, "01", COMMITTED), moved(1, "26", COMMITTED, hour="00:00")

    assert told_late(seat_price(), line, *known)[1:] == [
        "level: 4 seats for 5 days, 6 with what was told; 4 and 6 billed: (60 − 40) × 5/30 = 10/3",
        "level: 5 seats for 5 days, 7 with what was told; 5 and 7 billed: (70 − 50) × 5/30 = 10/3",
        "rounding: 20/3 USD rounded once, half away from zero: 6.67 USD",
    ]


def test_seats_told_late_say_what_limited_them() -> None:
    """Where less was open than the seats cost, that decides."""
    line = a_line(period=LATE_APRIL, amount=money("5.00"))

    assert told_late(seat_price(), line)[-2:] == [
        "rounding: 20/3 USD rounded once, half away from zero: 6.67 USD",
        "limit: no further than what should be less what was billed: 5.00 USD",
    ]


def test_prices_say_what_each_part_costs_and_all_together() -> None:
    """7 seats of which 5 cost 10.00 and 2.00 for all, 2 cost 8.00: 52 and 16 are 68; one part is alone."""
    tiered = seat_price("0", EDITOR, (5, "10.00", "2.00"), (None, "8.00", "0"))

    assert [each.text for each in explaining.prices(price(tiered, 7), "seat", USD)] == [
        "5 seats × 10.00 USD + 2.00 USD = 52",
        "2 seats × 8.00 USD = 16",
        "together 68 for a full period",
    ]
    assert list(explaining.prices(price(seat_price(), 1), "seat", USD)) == [
        Explained("price", "1 seat × 10.00 USD = 10")
    ]
    assert {each.step for each in explaining.prices(price(tiered, 7), "seat", USD)} == {"price"}


@pytest.mark.parametrize(
    ("item", "interval", "text"),
    [
        (EDITOR, BillingInterval.HALF_YEAR, "PERIOD: editor seats on Team, billed by the half year"),
        (BASE_FEE, BillingInterval.MONTH, "PERIOD: base fee on Team, billed by the month"),
    ],
)
def test_a_line_says_what_it_is(item: Item, interval: BillingInterval, text: str) -> None:
    """Its kind, what it is for, and under which price."""
    line = a_line(item=item, kind=LineKind.PERIOD)

    assert explaining.head(line, plan_price(interval=interval)) == Explained("line", text)


@pytest.mark.parametrize(
    ("share", "steps"),
    [
        (None, []),
        (Share(15, 30), [Explained("time", "15/30 days of the full period")]),
        (Share(30, 30), [Explained("time", "30/30 days, a full period")]),
    ],
)
def test_a_line_says_for_which_days_it_is(share: Share | None, steps: list[Explained]) -> None:
    """The days with their zone, and the share of the full period where there is one."""
    line = a_line(period=LATE_APRIL, share=share)
    days = Explained("time", "from 2026-04-16 until before 2026-05-01 (UTC)")

    assert list(explaining.time(line)) == [days, *steps]


def test_amounts_say_how_they_were_rounded_limited_and_adjusted() -> None:
    """One sentence each, with the numbers that decide."""
    assert explaining.amount(Fraction(20, 3), USD) == Explained(
        "rounding", "20/3 USD rounded once, half away from zero: 6.67 USD"
    )
    assert explaining.left(a_line(amount=money("-4.00"))) == Explained(
        "limit", "4.00 USD were left of the line that it takes back"
    )
    should, together = money("175.50"), money("6.50")
    said = Explained("adjustment", "should be 175.50 USD, billed 169.00 USD: 6.50 USD")
    part = Explained("adjustment", "2.00 USD of it from the line that this one takes back from")
    assert list(explaining.adjusted(should, together, money("6.50"))) == [said]
    assert list(explaining.adjusted(should, together, money("2.00"))) == [said, part]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Fraction(0), "0"),
        (Fraction(120), "120"),
        (Fraction(5, 2), "2.5"),
        (Fraction(-1, 8), "-0.125"),
        (Fraction(1, 3), "1/3"),
        (Fraction(1, 10**12), "0.000000000001"),
        (Fraction(1, 10**13), "1/10000000000000"),
    ],
)
def test_exact_values_are_decimals_where_they_can_be(value: Fraction, text: str) -> None:
    """Up to twelve digits, else fractions."""
    assert exact_text(value) == text
