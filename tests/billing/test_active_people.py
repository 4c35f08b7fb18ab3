"""Who is counted on the basis `ACTIVE`: at one instant, at the edges of a period, with a name and without."""

import pytest

from app.billing.ledger import BalanceKind, Delta, EventSource, Holder
from app.billing.periods import Period
from app.billing.usage import Held, Usage, active
from tests.builders import EDITOR, instant

APRIL = Period(instant("2026-04-01"), instant("2026-05-01"), "UTC")
Told = tuple[str, str | None, int]


def events(*told: Told) -> tuple[Delta, ...]:
    """Seats more or fewer of somebody (None: nobody knows) on a day of 2026, like `04-10`."""
    return tuple(
        Delta(
            EDITOR,
            BalanceKind.IN_USE,
            max(0, net),
            max(0, -net),
            instant(f"2026-{day}"),
            EventSource.REPORT,
            Holder(who) if who else None,
        )
        for day, who, net in told
    )


@pytest.mark.parametrize(
    ("told", "people"),
    [
        ((("04-10", "ann", 1), ("04-12", "ann", -1), ("04-20", "ann", 1)), 1),
        ((("04-10", None, 1), ("04-12", None, -1), ("04-20", None, 1)), 2),
        ((("04-10", "ann", 1), ("04-10", "ann", -1)), 0),
        ((("04-10", "ann", 2), ("04-10", "ann", -1)), 1),
        ((("04-10", None, 2), ("04-10", None, -1)), 1),
        ((("04-10", None, -1), ("04-10", None, 2)), 1),
        ((("04-10", None, 1), ("04-10", "ann", 1), ("04-10", "ben", 1)), 3),
        ((("04-05", "ann", -1), ("04-10", "ann", 1)), 0),
        ((("04-01", "ann", 1), ("05-01", "ben", 1), ("05-02", None, 4)), 1),
    ],
)
def test_people_who_come(told: tuple[Told, ...], people: int) -> None:
    """Somebody is counted once, a seat without a name each time; what nets to nothing at one instant was
    never held; the end of the period belongs to the next.
    """
    assert active(Usage(0, Held(), events(*told)), APRIL) == people


def test_those_who_were_there_before_are_counted_with_those_who_come() -> None:
    """Two of ann's seats and one without a name are there; ann gives both back and comes again, ben comes:
    ann, the nameless seat and ben.
    """
    held = Held(people=1, seats=2, known={"ann": 2})
    told = events(("04-02", "ann", -2), ("04-09", "ben", 1), ("04-20", "ann", 1))

    assert active(Usage(3, held, told), APRIL) == 3


def test_what_came_before_the_period_is_who_is_there_when_it_begins() -> None:
    """Ann went before April, ben came before it, an unnamed seat was given back: ben alone."""
    held = Held(people=1, seats=1, known={"ann": 1})
    told = events(("03-20", "ann", -1), ("03-21", "ben", 1), ("03-22", None, -1))

    assert active(Usage(2, held, told), APRIL) == 1
