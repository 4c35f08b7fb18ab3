"""Committed seats told late, line by line: what time that is over costs more, or less, for them."""

from dataclasses import replace
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from app.billing.arrears import Segment
from app.billing.backdated import Stretch, Told, backdated_lines, levels, whole_of
from app.billing.ledger import BalanceKind, Delta, EventSource
from app.billing.lines import Left, Line, LineKind
from app.billing.periods import Granularity, Period, Share
from app.billing.plans import PlanPrice, PricingModel
from app.billing.pricing import Part
from app.billing.taxes import TaxCategory, TaxTreatment
from app.billing.usage import Run, Usage
from tests.builders import EDITOR, VIEWER, instant, money, plan_price, seat_price

APRIL = Period(instant("2026-04-01"), instant("2026-05-01"), "UTC")
TAX = TaxTreatment(TaxCategory.STANDARD, Decimal(19), "VAT")
OLD_TAX = TaxTreatment(TaxCategory.STANDARD, Decimal(16), "VAT")
CHARGE, NEWER, DOCUMENT = UUID(int=3), UUID(int=4), UUID(int=5)
VOLUME = plan_price(
    seat_price("0", EDITOR, (12, "10.00", "0"), (None, "8.00", "0"), model=PricingModel.VOLUME)
)


def moved(net: int, when: str) -> Delta:
    at = instant(f"2026-04-{when}")
    return Delta(EDITOR, BalanceKind.COMMITTED, max(0, net), max(0, -net), at, EventSource.REPORT)


def told(*deltas: Delta, known: Usage | None = None) -> Told:
    """What is told where ten seats were known."""
    return Told(deltas, known or Usage(10))


def left(amount: str, line: UUID = CHARGE, since: str = "2026-04-01") -> Left:
    return Left(line, DOCUMENT, instant(since), money(amount), OLD_TAX)


def april(version: PlanPrice, *charges: Left) -> Stretch:
    """All of April under one price."""
    return Stretch(Segment(EDITOR, version.id, APRIL, APRIL, APRIL.start), version, charges)


def lines(
    what: Told, version: PlanPrice | None = None, *charges: Left, until: str | None = None
) -> tuple[Line, ...]:
    """The lines of what is told, with 100.00 billed for April."""
    version = version or plan_price()
    stretch = april(version, *(charges or (left("100.00"),)))
    return backdated_lines(what, stretch, TAX, 7, until=instant(until) if until else None)


def the_line(version: PlanPrice, **rest: Any) -> Line:
    """5 seats more since 16 April."""
    line = Line(
        item=EDITOR,
        kind=LineKind.BACKDATED,
        quantity=5,
        parts=(Part(5, Decimal("10.00")),),
        share=Share(15, 30),
        period=Period(instant("2026-04-16"), APRIL.end, "UTC"),
        amount=money("25.00"),
        formula="5 seats × 10.00 USD × 15/30 days",
        tax=TAX,
        price=version.id,
        cycle=7,
    )
    return replace(line, **rest)


def test_seats_told_late_are_one_line() -> None:
    """5 more since noon of the 16th: 5 × 10.00 × 15/30 = 25.00, with the tax of their days; 5 fewer take as
    much back from the line that charged for them, with the tax of that.
    """
    price = plan_price()

    assert lines(told(moved(5, "16 12:00"))) == (the_line(price),)
    assert lines(told(moved(-5, "16 12:00"))) == (
        the_line(
            price,
            amount=money("-25.00"),
            formula="−5 seats × 10.00 USD × 15/30 days",
            tax=OLD_TAX,
            reverses=CHARGE,
        ),
    )


def test_seats_that_nobody_committed_to_cost_nothing() -> None:
    """Where ten are included, five told late change nothing, nor do seats of a metric without a price."""
    free = plan_price(seat_price(included=15))
    viewers = april(plan_price(seat_price("4.00", VIEWER)), left("100.00"))

    assert lines(told(moved(5, "16")), free, left("0.00")) == ()
    assert backdated_lines(told(moved(5, "16")), viewers, TAX, 7) == ()
    assert lines(told(moved(5, "16")), until="2026-04-10") == ()


def test_a_price_of_the_whole_quantity_is_priced_with_and_without() -> None:
    """By volume 13 cost 8.00 each: 104.00 for 100.00, × 15/30 = 2.00 since the 16th; since the 1st 4.00."""
    text = "(13 seats × 8.00 USD − 10 seats × 10.00 USD)"
    line = the_line(VOLUME, quantity=3, parts=(), share=None)

    assert lines(told(moved(3, "16")), VOLUME) == (
        replace(line, amount=money("2.00"), formula=f"{text} × 15/30 days"),
    )
    assert lines(told(moved(3, "01")), VOLUME) == (
        replace(line, amount=money("4.00"), formula=text, period=APRIL),
    )
    (fewer,) = lines(told(moved(-2, "16")), VOLUME)
    assert (fewer.quantity, fewer.amount) == (2, money("-10.00"))


def test_two_levels_are_told_apart() -> None:
    """Ten until the 21st and twelve since, five more since the 16th: where all cost 10.00 that is one term,
    5 × 10.00 × 15/30 = 25.00. From the 13th seat on at 4.00, 32.00 × 5/30 and 20.00 × 10/30 are 12.00.
    """
    known = Usage(10, events=(moved(2, "21"),))
    (line,) = lines(told(moved(5, "16"), known=known), None, left("106.67"))
    tiered = plan_price(seat_price("0", EDITOR, (12, "10.00", "0"), (None, "4.00", "0")))
    (cheaper,) = lines(told(moved(5, "16"), known=known), tiered, left("106.67"))

    assert (line.quantity, line.amount, line.formula) == (
        5, money("25.00"), "5 seats × 10.00 USD × 15/30 days",
    )  # fmt: skip
    assert (cheaper.quantity, cheaper.parts, cheaper.share, cheaper.amount) == (5, (), None, money("12.00"))
    assert cheaper.formula == (
        "(2 seats × 10.00 USD + 3 seats × 4.00 USD) × 5/30 days + 5 seats × 4.00 USD × 10/30 days"
    )


def test_the_same_difference_twice_is_one_term() -> None:
    """Ten, twelve from the 21st until the 26th, and ten again, the 13th at 4.00: the first five days and the
    last five are one term.
    """
    known = Usage(10, events=(moved(2, "21"), moved(-2, "26")))
    tiered = plan_price(seat_price("0", EDITOR, (12, "10.00", "0"), (None, "4.00", "0")))
    (line,) = lines(told(moved(5, "16"), known=known), tiered, left("103.33"))

    assert line.formula == (
        "(2 seats × 10.00 USD + 3 seats × 4.00 USD) × 10/30 days + 5 seats × 4.00 USD × 5/30 days"
    )


@pytest.mark.parametrize(
    ("net", "billed", "amount", "formula"),
    [
        (5, "150.00", None, None),
        (5, "124.99", "0.01", "min(5 seats × 10.00 USD × 15/30 days, 125.00 − 124.99 USD)"),
        (5, "110.00", "15.00", "min(5 seats × 10.00 USD × 15/30 days, 125.00 − 110.00 USD)"),
        (-5, "80.00", "-5.00", "max(−5 seats × 10.00 USD × 15/30 days, 75.00 − 80.00 USD)"),
        (-5, "60.00", None, None),
        (5, "100.02", "25.00", "5 seats × 10.00 USD × 15/30 days"),
        (5, "100.03", "24.97", "min(5 seats × 10.00 USD × 15/30 days, 125.00 − 100.03 USD)"),
        (-5, "99.98", "-25.00", "−5 seats × 10.00 USD × 15/30 days"),
    ],
)
def test_a_difference_goes_no_further_than_what_is_open(
    net: int, billed: str, amount: str | None, formula: str | None
) -> None:
    """125.00 or 75.00 should be billed: never further than that from what was. Two cents are rounding."""
    found = lines(told(moved(net, "16")), None, left(billed))

    assert [(str(line.amount.amount), line.formula) for line in found] == (
        [(amount, formula)] if amount else []
    )
    assert all(line.parts == () for line in found if "USD)" in line.formula)


@pytest.mark.parametrize("later", ["80.00", "60.00"])
def test_no_more_is_taken_back_than_was_billed_until_then(later: str) -> None:
    """No seats in the first half of April instead of ten: 50.00, of which 20.00 were billed by then; what was
    billed since is for the second half.
    """
    fewer = told(moved(-10, "01"), moved(10, "16"))
    (line,) = lines(fewer, None, left(later, NEWER, "2026-04-16"), left("20.00"))
    (all_of_it,) = lines(fewer)

    assert (line.amount, line.reverses) == (money("-20.00"), CHARGE)
    assert (all_of_it.amount, all_of_it.period.end) == (money("-50.00"), instant("2026-04-16"))


def test_what_is_taken_back_of_two_lines_is_two_lines() -> None:
    """50.00 less: of 40.00 that are left of the line with most, and of the newer one of two with 30.00."""
    oldest = left("30.00", UUID(int=6))
    taken = lines(told(moved(-10, "16")), None, left("30.00", NEWER), left("40.00"), oldest)

    assert [(line.amount, line.reverses) for line in taken] == [
        (money("-40.00"), CHARGE),
        (money("-10.00"), NEWER),
    ]


@pytest.mark.parametrize(
    ("granularity", "deltas", "until", "start", "end"),
    [
        (Granularity.DAY, [moved(5, "16 12:00")], None, "16", "30 24:00"),
        (Granularity.SECOND, [moved(5, "16 12:00")], None, "16 12:00", "30 24:00"),
        (Granularity.DAY, [moved(5, "16")], "20 09:00", "16", "20"),
        (Granularity.SECOND, [moved(5, "16")], "20 09:00", "16", "20 09:00"),
        (Granularity.DAY, [moved(5, "16"), moved(-5, "20 12:00")], None, "16", "20"),
        (Granularity.SECOND, [moved(5, "16"), moved(-5, "20 12:00")], None, "16", "20 12:00"),
        (Granularity.DAY, [moved(5, "16"), moved(-5, "25")], "20", "16", "20"),
        (Granularity.DAY, [moved(5, "01")], None, "01", "30 24:00"),
        (Granularity.DAY, [moved(5, "16")], "16", None, None),
    ],
)
def test_for_which_time_something_is_told(
    granularity: Granularity, deltas: list[Delta], until: str | None, start: str | None, end: str | None
) -> None:
    """From when it is told, on whole days or by the second, until it is over, today, or the period ends."""
    ends = APRIL.end if end == "30 24:00" else instant(f"2026-04-{end}") if end else None
    found = told(*deltas).within(APRIL, granularity, instant(f"2026-04-{until}") if until else None)

    assert found == (Period(instant(f"2026-04-{start}"), ends, "UTC") if start and ends else None)


def test_what_is_told_before_a_period_is_told_for_all_of_it() -> None:
    """Told since March, all of April is meant; told since May nothing of it."""
    march = told(replace(moved(5, "01"), effective_at=instant("2026-03-10")))
    may = told(replace(moved(5, "01"), effective_at=instant("2026-05-01")))

    assert march.within(APRIL, Granularity.DAY, None) == APRIL
    assert may.within(APRIL, Granularity.DAY, None) is None


def test_levels_stand_side_by_side() -> None:
    """Ten for 20 days and twelve for 10; with five more since the 16th there are three stretches."""
    known = Usage(10, events=(moved(2, "21"),))

    assert list(levels(told(moved(5, "16"), known=known), APRIL, Granularity.DAY)) == [
        (Run(10, 15), Run(10, 15)),
        (Run(10, 5), Run(15, 5)),
        (Run(12, 10), Run(17, 10)),
    ]


def test_levels_that_are_told_away_stand_side_by_side_too() -> None:
    """That two came on the 21st is taken back: they were known, and are no more."""
    known = Usage(10, events=(moved(2, "21"),))

    assert list(levels(told(moved(-2, "21"), known=known), APRIL, Granularity.DAY)) == [
        (Run(10, 20), Run(10, 20)),
        (Run(12, 10), Run(10, 10)),
    ]


def test_by_the_second_a_line_begins_with_its_second() -> None:
    """5 more since noon of the 16th: 50.00 × 1252800/2592000 = 24.17."""
    (line,) = lines(told(moved(5, "16 12:00")), plan_price(granularity=Granularity.SECOND))

    assert line.period.start == instant("2026-04-16 12:00")
    assert line.formula == "5 seats × 10.00 USD × 1252800/2592000 seconds"
    assert line.amount == money("24.17")


def test_a_cent_is_limited_too() -> None:
    """One seat more at 0.02 for half of April is 0.01, but 1.00 was billed and 0.21 should be."""
    assert lines(told(moved(1, "16")), plan_price(seat_price("0.02")), left("1.00")) == ()


def test_the_whole_of_a_stretch_is_the_period_of_its_price() -> None:
    """A short stretch of April is priced by the 30 days of April, or its seconds."""
    price, seconds = plan_price(), plan_price(granularity=Granularity.SECOND)

    assert whole_of(april(price)) == Share(30, 30)
    assert whole_of(april(seconds)) == Share(2_592_000, 2_592_000, Granularity.SECOND)
