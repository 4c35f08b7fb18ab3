"""Forty zones, every change of their clocks from 2024 to 2030, and anchors at the end of a month."""

from __future__ import annotations

import sys
from calendar import monthrange
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import pairwise
from typing import Final
from zoneinfo import ZoneInfo

import pytest

from app.billing.periods import (
    MICROSECOND,
    BillingInterval,
    Granularity,
    Grid,
    Period,
    Step,
    first_instant,
    local_day,
)
from tests.billing.playing import brought_up, quoted
from tests.builders import ask, instant, plan_price, started

DAY, SECOND = Granularity.DAY, Granularity.SECOND
ANCHORS: Final = (28, 29, 30, 31)
WALLS: Final = (time(0), time(2, 30))
CHANGING: Final = (
    "Africa/Cairo", "Africa/Casablanca", "America/Anchorage", "America/Asuncion", "America/Chicago",
    "America/Denver", "America/Halifax", "America/Havana", "America/Los_Angeles", "America/Miquelon",
    "America/New_York", "America/Nuuk", "America/Port-au-Prince", "America/Santiago", "America/Scoresbysund",
    "America/St_Johns", "Antarctica/Troll", "Asia/Beirut", "Asia/Gaza", "Asia/Jerusalem", "Asia/Nicosia",
    "Atlantic/Azores", "Australia/Adelaide", "Australia/Lord_Howe", "Australia/Sydney", "Europe/Berlin",
    "Europe/Chisinau", "Europe/Dublin", "Europe/Kyiv", "Europe/Lisbon", "Europe/London", "Pacific/Auckland",
    "Pacific/Chatham", "Pacific/Easter", "Pacific/Norfolk",
)  # fmt: skip
STEADY: Final = ("America/Sao_Paulo", "Asia/Kathmandu", "Asia/Tehran", "Pacific/Apia", "UTC")
ZONES: Final = tuple(sorted((*CHANGING, *STEADY)))
FIRST, LAST = datetime(2024, 1, 1, tzinfo=UTC), datetime(2031, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


@cache
def clock_changes(zone: str) -> tuple[datetime, ...]:
    """The instants from 2024 to 2030 at which a zone's offset jumps, to the second."""
    return tuple(_clock_changes(ZoneInfo(zone)))


def _clock_changes(zone: ZoneInfo) -> Iterator[datetime]:
    days = [FIRST + timedelta(days=n) for n in range((LAST - FIRST).days + 1)]
    for before, after in pairwise(days):
        old, new = before.astimezone(zone).utcoffset(), after.astimezone(zone).utcoffset()
        if old != new:
            low, high = 0, 86_400
            while high - low > 1:
                middle = (low + high) // 2
                offset = (before + timedelta(seconds=middle)).astimezone(zone).utcoffset()
                low, high = (middle, high) if offset == old else (low, middle)
            yield before + timedelta(seconds=high)


def around(grid: Grid, change: datetime) -> list[Period]:
    """The period that holds a change of the clocks, with two before and two after it."""
    k = grid.index_at(change)
    periods = [grid.period(each) for each in range(k - 2, k + 3)]

    assert change in periods[2]
    assert grid.index_at(change - timedelta(seconds=1)) == (k - 1 if periods[2].start == change else k)
    assert all(one.end == two.start and one.start < one.end for one, two in pairwise(periods))
    return periods


def counts_add_up(periods: list[Period]) -> None:
    """Calendar days and elapsed seconds of the parts are those of the whole."""
    whole = replace(periods[0], end=periods[-1].end)
    for granularity in Granularity:
        assert sum(period.length(granularity) for period in periods) == whole.length(granularity)
    assert whole.length(SECOND) == (whole.end - whole.start) // timedelta(seconds=1)


def starts_where_its_day_does(period: Period, anchor: int) -> None:
    """The period starts with the first instant of the anchor's day, or of the last one of a short month."""
    day = period.first_day

    assert day.day == anchor or (day.day < anchor and (day + timedelta(days=1)).day == 1)
    assert local_day(period.start - MICROSECOND, period.zone) < day


def test_forty_zones_change_their_clocks_hundreds_of_times() -> None:
    """35 zones change them in these years, in steps of half an hour to two hours; five do not any more."""
    assert len(set(ZONES)) == 40
    assert all(clock_changes(zone) for zone in CHANGING)
    assert not any(clock_changes(zone) for zone in STEADY)
    assert sum(len(clock_changes(zone)) for zone in ZONES) > 450


def test_periods_tile_over_every_clock_change(capsys: pytest.CaptureFixture[str]) -> None:
    """40 zones × every change × anchors 28 to 31 × midnight and 02:30: months and single days around it have
    no gap and no overlap, start with their day, and add up in days and seconds.
    """
    changes = tried = 0
    for zone in ZONES:
        instants = clock_changes(zone) or (FIRST + timedelta(days=888),)
        changes += len(clock_changes(zone))
        for change, day, wall in ((c, d, w) for c in instants for d in ANCHORS for w in WALLS):
            grid = Grid(datetime.combine(date(2023, 12, day), wall), Step(months=1), zone)
            months = around(grid, change)
            counts_add_up(months)
            if wall == time(0):
                for period in months:
                    starts_where_its_day_does(period, day)
            tried += len(months)
        for change, wall in ((c, w) for c in instants for w in WALLS):
            days = around(Grid(datetime.combine(date(2023, 12, 31), wall), Step(days=1), zone), change)
            counts_add_up(days)
            assert all(abs((period.end - period.start) - 24 * HOUR) <= 2 * HOUR for period in days)
            tried += len(days)
    with capsys.disabled():
        sys.stdout.write(f"\n{len(ZONES)} zones, {changes} clock changes, {tried} periods around them tile\n")

    assert tried > 20_000


@pytest.mark.parametrize("zone", CHANGING)
def test_the_day_of_a_clock_change_is_a_day_like_any_other(zone: str) -> None:
    """By days, whatever is left of a month begins with the local day, and what is left and what is gone are
    the days of the calendar: 23 or 25 hours count as one.
    """
    subscription = started().subscription
    for change in clock_changes(zone):
        first = local_day(change, zone).replace(day=1)
        grid = Grid(datetime.combine(first, time(0)), Step(months=1), zone)
        for at in (change - HOUR, change, change + HOUR):
            period = grid.period(grid.index_at(at))
            rest, share = replace(subscription, period=period, full_period=period).rest(at, DAY)
            gone = (local_day(at, zone) - period.first_day).days
            assert share.denominator == monthrange(period.first_day.year, period.first_day.month)[1]
            assert share.numerator == share.denominator - gone
            assert rest.start == max(period.start, first_instant(local_day(at, zone), zone))


@pytest.mark.parametrize(
    ("anchor", "interval", "boundaries"),
    [
        ("2024-02-29", BillingInterval.YEAR, "2025-02-28 2026-02-28 2027-02-28 2028-02-29 2029-02-28"),
        ("2024-02-29", BillingInterval.MONTH, "2024-03-29 2024-04-29 2024-05-29 2024-06-29 2024-07-29"),
        ("2023-08-31", BillingInterval.HALF_YEAR, "2024-02-29 2024-08-31 2025-02-28 2025-08-31 2026-02-28"),
        ("2027-11-30", BillingInterval.QUARTER, "2028-02-29 2028-05-30 2028-08-30 2028-11-30 2029-02-28"),
        ("2028-01-31", BillingInterval.MONTH, "2028-02-29 2028-03-31 2028-04-30 2028-05-31 2028-06-30"),
    ],
)
def test_leap_days(anchor: str, interval: BillingInterval, boundaries: str) -> None:
    """A subscription of a leap day renews on 28 February, and on the 29th again four years later; and one of
    the 30th or 31st meets the 29th.
    """
    subscription = started(plan_price(interval=interval), at=anchor).subscription
    price = plan_price(interval=interval)
    found = []
    for _ in boundaries.split():
        found.append(subscription.period.end_day.isoformat())
        subscription = subscription.renewed(price)

    assert found == boundaries.split()


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "Africa/Cairo"])
def test_instants_are_utc_whatever_the_machine_says(zone: str) -> None:
    """Boundaries and first instants are in UTC itself, not in the local zone of the machine."""
    gap = first_instant(date(2024, 4, 26), zone)

    assert gap.tzinfo is UTC
    assert Grid(datetime.combine(date(2024, 1, 31), time(0)), Step(months=1), zone).boundary(3).tzinfo is UTC


def test_a_leap_day_is_a_day_to_be_paid() -> None:
    """A seat added on 29 February 2028, the last of 29 days: 5 × 10.00 × 1/29 = 1.724… → 1.72."""
    quote = quoted(started(at="2028-02-01"), ask(editor="+5"), "2028-02-29 12:00")

    assert quote.due_now.total.minor == 172


MOVES: Final = [
    (old, new)
    for old in ("Pacific/Auckland", "Europe/Berlin", "America/Havana", "Pacific/Honolulu")
    for new in ("Pacific/Kiritimati", "Africa/Cairo", "America/St_Johns", "Pacific/Pago_Pago")
]


@pytest.mark.parametrize(("old", "new"), MOVES)
@pytest.mark.parametrize("anchor", ["2026-01-31", "2026-03-28"])
def test_an_opened_period_keeps_its_instants_when_the_zone_changes(old: str, new: str, anchor: str) -> None:
    """The customer moves in mid-period, up to a day east or west: the period and its share stay as they were,
    the next one starts where it ends and ends with a day of the new zone, and so on without a gap.
    """
    state = started(at=f"{anchor} 12:00", zone=old)
    at = state.subscription.period.start + timedelta(days=9, hours=7)
    before = quoted(state, ask(editor="+5"), at)
    moved = replace(state, buyer=replace(state.buyer, zone=new))

    assert moved.subscription.period == state.subscription.period
    assert quoted(moved, ask(editor="+5"), at).lines == before.lines
    assert quoted(moved, ask(editor="-5"), at).lines == quoted(state, ask(editor="-5"), at).lines
    for _ in range(14):
        ends = moved.subscription.period.end
        moved = brought_up(moved, ends)
        period = moved.subscription.period
        assert period.start == ends
        assert period.zone == new
        assert period.end == first_instant(local_day(period.end, new), new)
        assert period.end - period.start > timedelta(days=26)
        first_day = quoted(moved, ask(editor="+5"), ends).lines[0].line
        assert first_day.share, "a first day's share is known"
        assert first_day.share.numerator <= first_day.share.denominator


def test_periods_of_a_customer_who_stays_are_the_same_over_years() -> None:
    """The counterpart: without a move the renewals of eight years are the grid's own periods."""
    state = started(at="2023-12-31", zone="America/Santiago")
    grid = state.subscription.monthly
    for k in range(96):
        assert state.subscription.period == grid.period(k)
        state = brought_up(state, state.subscription.period.end)

    assert state.subscription.period.start > instant("2031-12-30")
