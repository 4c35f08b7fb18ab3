"""The lines that charge, one by one."""

from app.billing.plans import ProrationMode
from tests.billing.playing import formulas, quoted
from tests.builders import EDITOR, VIEWER, ask, plan_price, seat_price, started

UNBILLED = ProrationMode.DO_NOT_BILL


def test_seats_that_are_not_billed_are_counted() -> None:
    """5 seats at nothing for half of April: the line says how many, and has as many to give back."""
    quote = quoted(started(), ask(editor=15, mode=UNBILLED), "2026-04-16")
    (shown,) = quote.lines

    assert formulas(quote) == ["5 seats × 0.00 USD × 15/30 days"]
    assert [part.units for part in shown.line.parts] == [5]


def test_a_metric_that_nobody_asked_for_has_no_line() -> None:
    """Viewers are on the plan, and none were committed."""
    state = started(plan_price(seat_price(), seat_price("4.00", VIEWER)))

    assert [(billed.line.item, billed.line.quantity) for billed in state.lines] == [(EDITOR, 10)]
