"""Committed seats that the vendor tells late more than once for the same time."""

from app.billing.backdated import Told
from app.billing.effects import reported
from app.billing.ledger import BalanceKind, Delta, EventSource
from app.billing.lines import LineKind
from app.billing.state import after
from app.billing.usage import Usage
from tests.billing.playing import changed
from tests.builders import EDITOR, ask, ids, instant, money, started


def seats(net: int, day: str) -> Delta:
    """So many seats more or fewer from a day in April on."""
    at = instant(f"2026-04-{day}")
    return Delta(EDITOR, BalanceKind.COMMITTED, max(0, net), max(0, -net), at, EventSource.REPORT)


def test_what_was_told_late_of_the_present_period_can_be_taken_back() -> None:
    """Ten editors, and three more since the 6th. On the 16th six more since the 1st are told: 6 × 10.00 ×
    15/30 = 30.00 for the days that are over, and as much for the rest. On the 21st it is told that it were
    two since the 6th: 1 × 10.00 × 15/30 = 5.00 come back for 6 to 20 April, and 10/30 of 10.00 for the rest.
    """
    state = changed(started(), ask(editor=13), "2026-04-06")
    known = Usage(10, events=(seats(3, "06"),))

    more = reported(state, Told((seats(6, "01"),), known), at=instant("2026-04-16"))
    known = known.with_events(more.events)
    state = after(state, more, ids(state))
    fewer = reported(state, Told((seats(-1, "06"),), known), at=instant("2026-04-21"))

    assert [(line.kind, line.amount) for line in more.lines] == [
        (LineKind.BACKDATED, money("30.00")),
        (LineKind.ADDED, money("30.00")),
    ]
    assert [(line.kind, line.amount) for line in fewer.lines] == [
        (LineKind.BACKDATED, money("-5.00")),
        (LineKind.CREDIT, money("-3.33")),
    ]
