"""Half-open periods counted from an anchor, and the shares that they are of each other."""

from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.billing.periods import (
    BillingInterval,
    Granularity,
    Grid,
    Period,
    Share,
    Step,
    first_instant,
    share_of,
)
from tests.billing.elsewhere import standing_in
from tests.builders import instant

DAY, SECOND = Granularity.DAY, Granularity.SECOND

steps = st.one_of(
    st.builds(lambda months: Step(months=months), st.sampled_from([1, 2, 3, 6, 12])),
    st.builds(lambda days: Step(days=days), st.sampled_from([1, 7, 14, 30])),
)
anchors = st.datetimes(datetime.fromisoformat("2015-01-01"), datetime.fromisoformat("2026-12-31")).map(
    lambda at: at.replace(microsecond=0)
)


def days_of(grid: Grid, count: int) -> list[str]:
    """The first boundaries of a grid in UTC, as days."""
    return [grid.boundary(k).date().isoformat() for k in range(count)]


def monthly(anchor: str, zone: str = "UTC") -> Grid:
    return Grid(datetime.fromisoformat(anchor), Step(months=1), zone)


@given(anchors, steps, st.integers(-30, 30))
def test_periods_tile(anchor: datetime, step: Step, k: int) -> None:
    """Each period ends where the next one starts, before the anchor as after it."""
    grid = Grid(anchor, step, "Europe/Berlin")

    assert grid.period(k).end == grid.period(k + 1).start
    assert grid.period(k).start < grid.period(k).end


@given(
    anchors,
    steps,
    st.datetimes(
        datetime.fromisoformat("2014-01-01"), datetime.fromisoformat("2027-12-31"), timezones=st.just(UTC)
    ),
)
def test_every_instant_is_in_the_period_of_its_index(anchor: datetime, step: Step, at: datetime) -> None:
    """The period that `index_at` names holds the instant; no other does."""
    grid = Grid(anchor, step, "America/New_York")
    k = grid.index_at(at)

    assert at in grid.period(k)
    assert at not in grid.period(k - 1)
    assert at not in grid.period(k + 1)


@given(anchors, steps, st.integers(-30, 30))
def test_a_boundary_is_in_the_period_that_starts_there(anchor: datetime, step: Step, k: int) -> None:
    """The instant of a boundary belongs to the next period, the microsecond before it to the last."""
    grid = Grid(anchor, step, "Asia/Kolkata")
    boundary = grid.boundary(k)

    assert grid.index_at(boundary) == k
    assert grid.index_at(boundary - timedelta(microseconds=1)) == k - 1


def test_month_ends_are_always_computed_from_the_anchor() -> None:
    """31 January is followed by 29 February and 31 March of 2024: the day of the anchor is kept for life."""
    assert days_of(monthly("2024-01-31"), 5) == [
        "2024-01-31",
        "2024-02-29",
        "2024-03-31",
        "2024-04-30",
        "2024-05-31",
    ]


@pytest.mark.parametrize(
    ("anchor", "february", "march"),
    [
        ("2025-01-28", "2025-02-28", "2025-03-28"),
        ("2025-01-29", "2025-02-28", "2025-03-29"),
        ("2025-01-30", "2025-02-28", "2025-03-30"),
        ("2025-01-31", "2025-02-28", "2025-03-31"),
        ("2024-01-30", "2024-02-29", "2024-03-30"),
    ],
)
def test_anchors_at_the_end_of_a_month_are_clamped(anchor: str, february: str, march: str) -> None:
    """A month without the anchor's day starts its period on its last day; the next has the day again."""
    assert days_of(monthly(anchor), 3)[1:] == [february, march]


def test_periods_before_the_anchor_are_counted_backwards() -> None:
    """One, two and eleven months before 31 March 2026 are 28 February, 31 January and 30 April 2025."""
    grid = monthly("2026-03-31")

    assert [grid.boundary(k).date() for k in (-1, -2, -11)] == [
        date(2026, 2, 28),
        date(2026, 1, 31),
        date(2025, 4, 30),
    ]
    assert grid.index_at(instant("2025-05-01")) == -11


def test_a_leap_day_comes_back_every_four_years() -> None:
    """A year after 29 February 2024 starts on 28 February, and on the 29th again in 2028."""
    grid = Grid(datetime.fromisoformat("2024-02-29"), BillingInterval.YEAR.step, "UTC")

    assert days_of(grid, 5) == ["2024-02-29", "2025-02-28", "2026-02-28", "2027-02-28", "2028-02-29"]


def test_intervals_are_months() -> None:
    """A quarter is three months, a half-year six, a year twelve."""
    assert [interval.months for interval in BillingInterval] == [1, 3, 6, 12]


def test_the_rest_of_a_period_holds_the_whole_day_of_a_change() -> None:
    """On 16 April at 14:30, 15 of 30 days are left, or 14 days and 9.5 hours in seconds."""
    april = Period(instant("2026-04-01"), instant("2026-05-01"), "UTC")
    at = instant("2026-04-16 14:30")

    assert str(share_of(april.rest_from(at, DAY), april, DAY)) == "15/30 days"
    assert str(share_of(april.rest_from(at, SECOND), april, SECOND)) == "1243800/2592000 seconds"


def test_the_rest_is_never_more_than_the_period_nor_less_than_nothing() -> None:
    """Before its start all of a period is left, from its end on nothing."""
    april = Period(instant("2026-04-01 09:00"), instant("2026-05-01 09:00"), "UTC")

    for granularity in Granularity:
        assert april.rest_from(instant("2026-03-20"), granularity) == april
        assert april.rest_from(instant("2026-05-03"), granularity).length(granularity) == 0
    assert april.rest_from(instant("2026-04-01 12:00"), DAY) == april


def test_a_day_with_a_clock_change_is_one_day() -> None:
    """March 2026 in Berlin has 31 days and an hour less than 31 × 24 hours."""
    march = Grid(datetime.fromisoformat("2026-03-01"), Step(months=1), "Europe/Berlin").period(0)

    assert march.length(DAY) == 31
    assert march.length(SECOND) == 31 * 86_400 - 3_600


def test_the_days_of_a_period_are_those_of_its_zone() -> None:
    """Midnight of 1 April in Tokyo is 15:00 of 31 March in UTC."""
    april = monthly("2026-04-01", "Asia/Tokyo").period(0)

    assert april.start == instant("2026-03-31 15:00")
    assert (april.first_day, april.end_day) == (date(2026, 4, 1), date(2026, 5, 1))


def test_a_period_does_not_end_before_it_starts() -> None:
    """A period of negative length is a bug; an empty one is not."""
    with pytest.raises(ValueError, match=r"^a period does not end before it starts$"):
        Period(instant("2026-04-02"), instant("2026-04-01"), "UTC")
    assert instant("2026-04-01") not in Period(instant("2026-04-01"), instant("2026-04-01"), "UTC")


def test_a_share_is_not_reduced_so_that_it_can_be_read() -> None:
    """15 of 30 days is a half, and reads as 15/30 days; 30 of 30 days is the whole."""
    assert Share(15, 30).exact == Fraction(1, 2)
    assert str(Share(15, 30)) == "15/30 days"
    assert not Share(15, 30).whole
    assert Share(30, 30).whole


@pytest.mark.parametrize("machine", ["UTC", "Asia/Tokyo"])
def test_a_time_that_is_skipped_comes_when_the_gap_ends(machine: str) -> None:
    """Half past one does not exist in London on 29 March 2026: the gap ends at 1:00 UTC, in UTC wherever the
    machine stands.
    """
    with standing_in(machine):
        instant_after = first_instant(date(2026, 3, 29), "Europe/London", time(1, 30))

    assert instant_after.replace(tzinfo=None) == datetime.fromisoformat("2026-03-29 01:00")
    assert instant_after.tzinfo is UTC
