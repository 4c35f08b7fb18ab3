"""Levels of seats in use from an instant on, as reports move them."""

import pytest

from app.billing.reports import Timeline, timeline
from tests.billing.test_reports import an_event, day, seven


def test_a_timeline_has_one_level_for_each_instant() -> None:
    """What moved together counts together, and the level before is what is left of the one now."""
    assert seven() == Timeline(4, [day(3), day(5), day(9)], [8, 9, 7])
    assert timeline(3, []) == Timeline(3)
    assert timeline(5, [(day(3), 1), (day(3), 2)]) == Timeline(2, [day(3)], [5])
    assert [seven().at(day(n)) for n in (1, 3, 4, 5, 8, 9, 20)] == [4, 8, 8, 9, 9, 7, 7]
    assert Timeline(3).at(day(1)) == 3


@pytest.mark.parametrize(
    ("start", "until", "instants", "levels"),
    [
        (1, None, [1, 3, 5, 9], [6, 10, 11, 9]),
        (3, None, [3, 5, 9], [10, 11, 9]),
        (4, None, [3, 4, 5, 9], [8, 10, 11, 9]),
        (4, 9, [3, 4, 5, 9], [8, 10, 11, 7]),
        (3, 5, [3, 5, 9], [10, 9, 7]),
        (9, None, [3, 5, 9], [8, 9, 9]),
        (12, None, [3, 5, 9, 12], [8, 9, 7, 9]),
    ],
)
def test_two_more_raise_every_level_of_their_time(
    start: int, until: int | None, instants: list[int], levels: list[int]
) -> None:
    """From their instant until before the one at which a stated total takes over."""
    line = seven()
    line.move(2, day(start), day(until) if until else None)

    assert (line.opening, line.instants, line.levels) == (4, [day(n) for n in instants], levels)


def test_the_first_move_of_all_stands_on_what_was_before() -> None:
    """Three in use, and two more on the 4th."""
    line = Timeline(3)
    line.move(2, day(4), None)

    assert line == Timeline(3, [day(4)], [5])


@pytest.mark.parametrize(
    ("net", "start", "until", "below"),
    [
        (3, 1, None, None),
        (-4, 1, None, None),
        (-5, 1, None, 1),
        (-7, 3, None, None),
        (-8, 3, None, 9),
        (-9, 3, None, 3),
        (-8, 3, 9, None),
        (-8, 6, None, 9),
        (-9, 3, 5, 3),
        (-9, 5, None, 9),
        (-7, 12, None, None),
        (-8, 12, None, 12),
    ],
)
def test_the_first_instant_below_zero_is_found(
    net: int, start: int, until: int | None, below: int | None
) -> None:
    """Of four, eight, nine and seven seats, so many go at an instant."""
    found = seven().first_below(net, day(start), day(until) if until else None)

    assert found == (day(below) if below else None)


def test_stated_totals_stand_in_their_order_until_they_are_corrected() -> None:
    """Of the 5th twice and of the 9th; what states nothing is no total."""
    line = seven()
    first, second, third = (an_event(1, day(at), number, stated=9) for at, number in ((5, 2), (5, 4), (9, 3)))
    for event in (third, second, first, an_event(1, day(6), 5)):
        line.state(event)

    assert [event for _, _, event in line.stated] == [first, second, third]
    assert [line.next_stated(day(n)) for n in (4, 5, 8, 9)] == [first, third, third, None]
    line.unstate(an_event(1, day(5), 3, stated=9))
    line.unstate(an_event(1, day(20), 9, stated=9))
    line.unstate(first)
    assert [event for _, _, event in line.stated] == [second, third]
    assert Timeline().next_stated(day(1)) is None
