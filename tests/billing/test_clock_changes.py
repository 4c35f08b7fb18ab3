"""Days that start late, come twice or never come: where a zone changes its clocks at midnight."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from app.billing.periods import Granularity, Grid, Step, first_instant, local_day

DAY, SECOND = Granularity.DAY, Granularity.SECOND
ZONES = (
    "UTC",
    "Africa/Cairo",
    "America/Havana",
    "America/Los_Angeles",
    "America/Santiago",
    "America/Sao_Paulo",
    "America/St_Johns",
    "Asia/Beirut",
    "Asia/Kathmandu",
    "Asia/Tehran",
    "Australia/Lord_Howe",
    "Europe/Berlin",
    "Pacific/Apia",
)


@pytest.mark.parametrize(
    ("zone", "day", "utc"),
    [
        ("America/Sao_Paulo", date(2018, 11, 4), "2018-11-04T03:00"),
        ("Africa/Cairo", date(2024, 4, 26), "2024-04-25T22:00"),
        ("Asia/Beirut", date(2026, 3, 29), "2026-03-28T22:00"),
        ("Asia/Tehran", date(2022, 3, 22), "2022-03-21T20:30"),
        ("America/Havana", date(2026, 3, 8), "2026-03-08T05:00"),
    ],
)
def test_where_midnight_is_skipped_the_day_starts_after_the_gap(zone: str, day: date, utc: str) -> None:
    """The clocks go from 00:00 to 01:00: the first instant of the day is 01:00 local time."""
    instant = first_instant(day, zone)

    assert instant == datetime.fromisoformat(utc).replace(tzinfo=UTC)
    assert instant.astimezone(ZoneInfo(zone)).time() == time(1)
    assert local_day(instant - timedelta(microseconds=1), zone) == day - timedelta(days=1)


def test_a_wall_time_inside_a_gap_comes_when_the_gap_ends() -> None:
    """02:00 to 03:00 does not exist in Berlin on 29 March 2026: 02:30 comes at 03:00, that is 01:00 UTC."""
    for wall in (time(2), time(2, 30), time(3)):
        assert first_instant(date(2026, 3, 29), "Europe/Berlin", wall) == datetime(2026, 3, 29, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "day", "utc"),
    [
        ("America/Havana", date(2026, 11, 1), "2026-11-01T04:00"),
        ("America/Sao_Paulo", date(2018, 2, 18), "2018-02-18T03:00"),
        ("America/St_Johns", date(2010, 11, 7), "2010-11-07T02:30"),
    ],
)
def test_where_midnight_comes_twice_the_day_starts_with_the_first(zone: str, day: date, utc: str) -> None:
    """The clocks go back over midnight (Havana, St John's) or up to it (São Paulo): no instant is lost."""
    assert first_instant(day, zone) == datetime.fromisoformat(utc).replace(tzinfo=UTC)


def test_a_day_that_never_came_starts_where_the_next_one_does() -> None:
    """Samoa had no 30 December 2011: the 29th was followed by the 31st, at 10:00 UTC of the 30th."""
    skipped = first_instant(date(2011, 12, 30), "Pacific/Apia")

    assert (
        skipped == first_instant(date(2011, 12, 31), "Pacific/Apia") == datetime(2011, 12, 30, 10, tzinfo=UTC)
    )


def test_periods_around_a_day_that_never_came_tile_and_count_calendar_days() -> None:
    """From 30 November over the missing 30 December to 30 January: 31 + 30 = 61 calendar days."""
    grid = Grid(datetime.fromisoformat("2011-11-30"), Step(months=1), "Pacific/Apia")

    assert [grid.period(k).length(DAY) for k in (0, 1)] == [31, 30]
    assert grid.period(0).length(SECOND) + grid.period(1).length(SECOND) == 60 * 86_400


def test_a_daily_period_that_never_came_is_empty_and_holds_no_instant() -> None:
    """The grid of single days has an empty period on Samoa's missing day; its instant is in the next one."""
    grid = Grid(datetime.fromisoformat("2011-12-29"), Step(days=1), "Pacific/Apia")

    assert grid.period(1).start == grid.period(1).end
    assert grid.index_at(grid.boundary(1)) == 2


def test_an_instant_of_a_day_that_came_again_is_still_in_the_period_it_lies_in() -> None:
    """At 00:01 of 7 November 2010 St John's went back to 23:01 of the 6th, in the period that had started."""
    grid = Grid(datetime.fromisoformat("2010-11-07"), Step(months=1), "America/St_Johns")
    again = datetime(2010, 11, 7, 3, tzinfo=UTC)

    assert local_day(again, "America/St_Johns") == date(2010, 11, 6)
    assert grid.index_at(again) == Grid(grid.anchor, Step(days=1), grid.zone).index_at(again) == 0
    assert grid.period(0).rest_from(again, DAY) == grid.period(0)


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("day", [28, 29, 30, 31])
def test_twenty_years_of_months_tile_in_every_zone(zone: str, day: int) -> None:
    """2010 to 2030: no gap, no overlap, 7,305 calendar days, each start on the anchor's day or clamped."""
    grid = Grid(datetime.fromisoformat(f"2010-01-{day}"), Step(months=1), zone)
    periods = [grid.period(k) for k in range(240)]

    assert all(one.end == two.start for one, two in pairwise(periods))
    assert sum(period.length(DAY) for period in periods) == 7_305
    assert {grid.index_at(period.start) - k for k, period in enumerate(periods)} == {0}
    skipped = (zone, day) == ("Pacific/Apia", 30)
    assert sum(period.first_day.day > day for period in periods) == (1 if skipped else 0)
