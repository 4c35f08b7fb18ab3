"""Committed seats that the vendor tells late: what is over, and the rest of the present period."""

from dataclasses import replace

from app.billing.backdated import Told
from app.billing.effects import reported
from app.billing.ledger import BalanceKind, Delta, EventSource
from app.billing.lines import LineKind
from app.billing.plans import ProrationMode
from app.billing.state import Posting, after
from app.billing.usage import Usage
from tests.billing.playing import changed, quoted
from tests.builders import EDITOR, VAT, ask, ids, instant, money, plan_price, seat_price, started


def seats(net: int, day: str) -> Delta:
    """So many seats more or fewer from a day in April on."""
    at = instant(f"2026-04-{day}")
    return Delta(EDITOR, BalanceKind.COMMITTED, max(0, net), max(0, -net), at, EventSource.REPORT)


def lines_of(posting: Posting) -> list[tuple[LineKind, str]]:
    return [(line.kind, str(line.amount.amount)) for line in posting.lines]


def test_all_that_a_report_writes() -> None:
    """One seat more since the 16th, told on the 20th: a line from its day on, which waits, and one version
    more; all under the present price.
    """
    state, at = started(taxes=VAT), instant("2026-04-20 09:00")
    posting = reported(state, Told((seats(1, "16"),), Usage(10)), at=at)
    (line,) = posting.lines

    assert (posting.at, posting.price, posting.drafts) == (at, state.price, ())
    assert posting.subscription == state.subscription.changed()
    assert posting.events == (seats(1, "16"),)
    assert (line.kind, line.quantity, line.amount) == (LineKind.ADDED, 1, money("5.00"))


def test_time_that_is_over_has_the_tax_of_the_period() -> None:
    """Two more since the 1st, told when another two had come on the 6th."""
    state = changed(started(taxes=VAT), ask(editor=12), "2026-04-06")
    told = Told((seats(2, "01"),), Usage(10, events=(seats(2, "06"),)))
    line, *_ = reported(state, told, at=instant("2026-04-16")).lines

    assert (line.kind, line.tax, line.cycle) == (LineKind.BACKDATED, state.lines[0].line.tax, 0)


def test_seats_that_something_happened_to_since_are_told_in_two_parts() -> None:
    """Two of ten were given up on the 10th without a credit. Three more since the 5th, told on the 16th: 3 ×
    10.00 × 11/30 for the days that are over; of eleven seats ten are paid for the rest, 10.00 × 15/30.
    """
    unbilled = ask(editor=8, mode=ProrationMode.DO_NOT_BILL)
    state = changed(started(), unbilled, "2026-04-10")
    told = Told((seats(3, "05"),), Usage(10, events=(seats(-2, "10"),)))

    assert lines_of(reported(state, told, at=instant("2026-04-16"))) == [
        (LineKind.BACKDATED, "11.00"),
        (LineKind.ADDED, "5.00"),
    ]


def test_seats_that_came_that_very_day_are_taken_back_from_then_on() -> None:
    """Three came on the 6th, and on the 10th it is told that it were two: 10.00 × 25/30 come back."""
    state = changed(started(), ask(editor=13), "2026-04-06")
    told = Told((seats(-1, "06"),), Usage(10, events=(seats(3, "06"),)))

    assert lines_of(reported(state, told, at=instant("2026-04-10"))) == [(LineKind.CREDIT, "-8.33")]


def test_what_is_over_and_the_rest_take_back_no_more_than_was_billed() -> None:
    """A seat at 0.01 was none: half of April is 0.01 and so is the other half, but only 0.01 was billed."""
    state = started(plan_price(seat_price("0.01")), editor=1)
    there_and_back = replace(seats(1, "10"), removed=1)
    told = Told((seats(-1, "01"),), Usage(1, events=(there_and_back,)))

    assert lines_of(reported(state, told, at=instant("2026-04-16"))) == [
        (LineKind.BACKDATED, "-0.01"),
        (LineKind.CREDIT, "0.00"),
    ]


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


def test_time_that_is_over_does_not_use_up_what_the_rest_is_taken_from() -> None:
    """Ten editors, and six more since the 15th (32.00). On the 21st it is told that it were four and not ten
    on the 1st: 6 × 10.00 × 20/30 = 40.00 come back of the ten, which were billed for that time, and 20.00 of
    the six for the rest.
    """
    state = changed(started(), ask(editor=16), "2026-04-15")
    ten, six = state.lines
    told = Told((seats(-6, "01"),), Usage(10, events=(seats(6, "15"),)))
    posting = reported(state, told, at=instant("2026-04-21"))

    assert lines_of(posting) == [(LineKind.BACKDATED, "-40.00"), (LineKind.CREDIT, "-20.00")]
    assert [line.reverses for line in posting.lines] == [ten.id, six.id]


def test_seats_that_stay_can_still_be_given_back_in_full() -> None:
    """One editor since 1 April, a hundred more on the 2nd and one on the 10th. On the 20th it is told that
    the hundred never came: 100 × 10.00 × 18/30 = 600.00 come back of them, and for the other 11 days 3.67 of
    the newest and 99 × 10.00 × 11/30 = 363.00 of the hundred, 966.67 as was billed. The two that stay are
    given up on the 21st: 10.00 × 10/30 = 3.33 each, one of the hundred's line and one of the first.
    """
    state = changed(started(editor=1), ask(editor="+100"), "2026-04-02")
    state = changed(state, ask(editor="+1"), "2026-04-10")
    first, hundred, newest = (billed.id for billed in state.lines)
    told = Told((seats(-100, "02"),), Usage(0, events=(seats(1, "01"), seats(100, "02"), seats(1, "10"))))

    never = reported(state, told, at=instant("2026-04-20"))
    state = after(state, never, ids(state))
    given_up = quoted(state, ask(editor=0), "2026-04-21")

    assert [(line.reverses, line.amount) for line in never.lines] == [
        (hundred, money("-600.00")),
        (newest, money("-3.67")),
        (hundred, money("-363.00")),
    ]
    assert [(quote.line.reverses, quote.line.amount) for quote in given_up.lines[3:]] == [
        (hundred, money("-3.33")),
        (first, money("-3.33")),
    ]
