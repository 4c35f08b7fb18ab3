"""A line explains itself: its formula, its unit amount, and what is left of it."""

from dataclasses import replace
from decimal import Decimal
from uuid import UUID

import pytest

from app.billing.lines import BilledLine, Left, formula, taken_back
from app.billing.money import CURRENCIES
from app.billing.periods import Granularity, Share
from app.billing.plans import BASE_FEE
from app.billing.pricing import Part
from tests.builders import money, plan_price, started

HALF = Share(15, 30)


def part(units: int, unit: str, flat: str = "0", pack: int | None = None) -> Part:
    return Part(units, Decimal(unit), Decimal(flat), pack)


@pytest.mark.parametrize(
    ("parts", "share", "text"),
    [
        ((part(5, "10"),), HALF, "5 seats × 10.00 USD × 15/30 days"),
        ((part(1, "10"),), Share(30, 30), "1 seat × 10.00 USD"),
        ((part(5, "10"),), None, "5 seats × 10.00 USD"),
        ((part(0, "0", "99"),), None, "99.00 USD"),
        ((part(5, "0", "99"), part(10, "15")), None, "99.00 USD + 10 seats × 15.00 USD"),
        ((part(2, "0.125", "9"),), HALF, "(2 seats × 0.125 USD + 9.00 USD) × 15/30 days"),
        ((part(2, "50", pack=10),), None, "2 packs of 10 seats × 50.00 USD"),
        ((part(1, "50", pack=10),), HALF, "1 pack of 10 seats × 50.00 USD × 15/30 days"),
        ((part(5, "0"),), HALF, "5 seats × 0.00 USD × 15/30 days"),
        ((part(0, "0"),), None, "0.00 USD"),
        ((part(5, "10"),), Share(5, 7, Granularity.SECOND), "5 seats × 10.00 USD × 5/7 seconds"),
    ],
)
def test_a_formula_can_be_checked_with_a_pocket_calculator(
    parts: tuple[Part, ...], share: Share | None, text: str
) -> None:
    """The sum of the parts in the price's own digits, then the share of the period if it is not whole."""
    assert formula(parts, "seat", share, CURRENCIES["USD"]) == text


def test_the_formula_of_a_credit_has_a_true_minus() -> None:
    """A credit begins with U+2212, and encloses a sum in brackets."""
    tiered = (part(5, "10"), part(1, "8", "3"))

    assert formula((part(5, "15"),), "seat", HALF, CURRENCIES["EUR"], credit=True) == (
        "−5 seats × 15.00 EUR × 15/30 days"
    )
    assert formula(tiered, "seat", None, CURRENCIES["EUR"], credit=True) == (
        "−(5 seats × 10.00 EUR + 1 seat × 8.00 EUR + 3.00 EUR)"
    )


@pytest.mark.parametrize(
    ("parts", "unit_amount"),
    [
        ((part(5, "10.5"),), Decimal("10.5")),
        ((part(5, "10", "1"),), None),
        ((part(2, "50", pack=10),), None),
        ((part(5, "10"), part(5, "8")), None),
    ],
)
def test_a_line_has_a_unit_amount_only_if_every_unit_costs_it(
    parts: tuple[Part, ...], unit_amount: Decimal | None
) -> None:
    """Tiers, flat amounts and packs have no single price for one unit."""
    (billed,) = started().lines

    assert replace(billed.line, parts=parts).unit_amount == unit_amount


def test_a_base_fee_is_one_unit_of_itself() -> None:
    """99.00 for a month: the unit amount is the fee, also when half a month of it is billed as 49.50."""
    fee = next(b.line for b in started(plan_price(fee="99.00")).lines if b.line.item == BASE_FEE)

    assert (fee.quantity, fee.unit_amount) == (1, Decimal("99.00"))
    assert replace(fee, share=HALF, amount=money("49.50")).unit_amount == Decimal("99.00")


def test_a_line_is_creditable_while_units_of_it_are_left() -> None:
    """A line without a quantity, such as a first tier's flat amount, can be taken back once, as a whole."""
    (billed,) = started().lines
    flat = BilledLine(UUID(int=1), replace(billed.line, quantity=0), None, billed.left, 0, billed.at)

    assert billed.creditable
    assert replace(billed, units_left=1).creditable
    assert not replace(billed, units_left=0).creditable
    assert flat.creditable
    assert not replace(flat, left=money("40.00")).creditable
    assert not replace(flat, left=money("0.00")).creditable


def test_what_is_taken_back_of_several_lines_says_of_each_how_much() -> None:
    """80.00 of one line that has 30.00 left and another with 70.00: the one with more goes wholly, and the
    formula of the last is that of all, less what the first one gave. Each has the tax of what it takes back
    from; where one line has enough, it is one.
    """
    line = started().lines[0].line
    less = replace(line, amount=money("-80.00"), formula="−5 seats × 10.00 USD", share=HALF)
    old_tax = replace(line.tax, label="Old tax")
    charges = (
        Left(UUID(int=3), None, line.period.start, money("30.00"), old_tax),
        Left(UUID(int=4), None, line.period.start, money("0.00"), line.tax),
        Left(UUID(int=5), None, line.period.start, money("70.00"), line.tax),
    )
    several = replace(less, parts=(), share=None)

    assert taken_back(less, charges) == (
        replace(several, amount=money("-70.00"), formula="−70.00 USD", reverses=UUID(int=5)),
        replace(
            several,
            amount=money("-10.00"),
            formula="−5 seats × 10.00 USD + 70.00 USD",
            reverses=UUID(int=3),
            tax=old_tax,
        ),
    )
    half = replace(less, amount=money("-50.00"))
    assert taken_back(half, charges) == (replace(half, reverses=UUID(int=5)),)


@pytest.mark.parametrize(
    ("amount", "pieces"),
    [
        ("-30.00", [(3, "-30.00")]),
        ("-40.00", [(3, "-30.00"), (5, "-10.00")]),
        ("-45.00", [(3, "-30.00"), (5, "-15.00")]),
        ("-85.00", [(3, "-30.00"), (5, "-55.00")]),
        ("-100.00", [(3, "-30.00"), (5, "-70.00")]),
        ("-101.00", [(3, "-30.00"), (5, "-70.00"), (7, "-1.00")]),
    ],
)
def test_what_is_spared_is_taken_when_nothing_else_is_left(
    amount: str, pieces: list[tuple[int, str]]
) -> None:
    """30.00, 70.00 and 1.00 are left, of which 60.00 and the last are spared: 30.00 and 10.00 are free, the
    rest comes after.
    """
    line = replace(started().lines[0].line, amount=money(amount))
    charges = [
        Left(UUID(int=number), None, line.period.start, money(left), line.tax)
        for number, left in ((5, "70.00"), (3, "30.00"), (7, "1.00"))
    ]
    spared = {UUID(int=5): money("60.00"), UUID(int=7): money("9.00")}

    found = [(piece.reverses, piece.amount) for piece in taken_back(line, charges, spared)]
    assert found == [(UUID(int=number), money(part)) for number, part in pieces]


@pytest.mark.parametrize("amount", ["0.00", "0.01"])
def test_a_line_that_takes_nothing_back_is_left_as_it_is(amount: str) -> None:
    """A charge, and a line of nothing."""
    line = replace(started().lines[0].line, amount=money(amount))

    assert taken_back(line, ()) == (line,)
