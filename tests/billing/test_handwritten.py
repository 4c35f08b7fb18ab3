"""Credits written by hand: spread over the lines of an invoice, and never above what is left of one."""

from dataclasses import replace

import pytest

from app.billing.handwritten import Credited, handwritten
from app.billing.lines import Line, LineKind
from app.billing.state import State
from tests.builders import VIEWER, money, plan_price, seat_price, started


def invoiced() -> State:
    """Ten editors for 100.00 and five viewers for 20.00."""
    return started(plan_price(seat_price(), seat_price("4.00", VIEWER)), viewer=5)


def credited(amount: str) -> tuple[Line, ...]:
    """The lines of an amount off that invoice."""
    return handwritten(invoiced().lines, Credited(money(amount), "an outage", 3))


def test_all_that_a_handwritten_credit_says() -> None:
    """12.00 off 120.00: 10.00 of the editors and 2.00 of the viewers, no seats, with the reason."""
    wanted = [
        replace(
            billed.line,
            kind=LineKind.CREDIT,
            quantity=0,
            parts=(),
            share=None,
            amount=money(f"-{text}"),
            formula=f"−{text} USD",
            cycle=3,
            reverses=billed.id,
            note="an outage",
        )
        for billed, text in zip(invoiced().lines, ("10.00", "2.00"), strict=True)
    ]

    assert list(credited("12.00")) == wanted


def test_everything_and_a_cent_can_be_credited() -> None:
    """All of 120.00 goes; a single cent is of the larger line alone."""
    assert [line.amount for line in credited("120.00")] == [money("-100.00"), money("-20.00")]
    assert [line.amount for line in credited("0.01")] == [money("-0.01")]


def test_more_than_is_left_is_a_bug() -> None:
    """Whoever asks has looked what is left."""
    with pytest.raises(AssertionError, match="never more than is left"):
        credited("120.01")
