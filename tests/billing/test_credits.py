"""What the lines that take back say of themselves."""

import pytest

from app.billing.credits import TakingBack
from app.billing.periods import Granularity
from tests.billing.playing import amounts, changed, formulas, quoted
from tests.builders import ask, instant, plan_price, seat_price, started


def test_a_credit_that_counts_seconds_says_so() -> None:
    """2 of 10 seats go at noon of the 16th: 14.5 days in seconds, 20.00 × 1252800/2592000 = 9.67."""
    state = started(plan_price(granularity=Granularity.SECOND))
    quote = quoted(state, ask(editor=8), "2026-04-16 12:00")

    assert formulas(quote) == ["−2 seats × 10.00 USD × 1252800/2592000 seconds"]
    assert amounts(quote) == ["-9.67"]


def test_a_credit_of_a_share_that_is_capped_shows_the_share() -> None:
    """2 seats at 0.0055 are billed as 0.01. On the 2nd each is worth 0.0055 × 29/30, 0.01: one takes all that
    was billed, and nothing is left for the other.
    """
    state = changed(started(plan_price(seat_price("0.0055")), editor=2), ask(editor=1), "2026-04-02")
    quote = quoted(state, ask(editor=0), "2026-04-02")

    assert formulas(quote) == ["−min(1 seat × 0.0055 USD × 29/30 days, (0.01 − 0.01) USD)"]
    assert amounts(quote) == ["0.00"]


@pytest.mark.parametrize("units", [0, 11])
def test_only_what_is_left_is_taken_back(units: int) -> None:
    """None of ten seats, or eleven of them, is a bug of the caller."""
    state = started()
    taking = TakingBack(state.subscription, instant("2026-04-16"), state.price, full=False)

    with pytest.raises(AssertionError, match="only what is left can be given back"):
        taking.units(state.lines[0], units)


def test_a_line_that_has_nothing_left_is_passed_over() -> None:
    """Five seats came and went; three more go, and come back of the ten before: 3 × 10.00 × 10/30."""
    state = changed(started(), ask(editor=15), "2026-04-16")
    state = changed(state, ask(editor=10), "2026-04-18")
    quote = quoted(state, ask(editor=7), "2026-04-21")

    assert formulas(quote) == ["−3 seats × 10.00 USD × 10/30 days"]
    assert [shown.line.reverses for shown in quote.lines] == [state.lines[0].id]
