"""Levels over a stretch of time."""

from app.billing.periods import Granularity, Period
from app.billing.usage import Run, Usage, peak, rising, runs
from tests.billing.test_active_people import events
from tests.builders import instant

DAY, SECOND = Granularity.DAY, Granularity.SECOND
APRIL = Period(instant("2026-04-01"), instant("2026-05-01"), "UTC")


def test_levels_last_until_the_next_one() -> None:
    """Two, five from the 11th and two again from the 21st; what comes when April ends is not of April."""
    told = events(("04-11", None, 3), ("04-21", None, -3), ("05-01", None, 9))

    assert runs(Usage(2, events=told), APRIL, DAY) == (Run(2, 10), Run(5, 10), Run(2, 10))


def test_by_the_second_a_level_begins_with_its_second() -> None:
    """Three from a quarter to midnight on: 900 of 2,592,000 seconds."""
    told = events(("04-30 23:45", None, 3))

    assert runs(Usage(events=told), APRIL, SECOND) == (Run(0, 2_591_100), Run(3, 900))


def test_an_empty_stretch_has_no_level() -> None:
    """Five are in use, for no time at all."""
    empty = Period(APRIL.start, APRIL.start, "UTC")

    assert runs(Usage(5), empty, DAY) == ()
    assert peak(()) == 0


def test_what_was_highest_stays() -> None:
    """Nothing, two and one are nothing and twice two; with three before, it is three all the time."""
    levels = (Run(0, 3), Run(2, 1), Run(1, 4))

    assert rising(levels) == (Run(0, 3), Run(2, 5))
    assert rising(levels, since=3) == (Run(3, 8),)
