"""Seats in use, billed after they were used; and what late reports and corrections make of the bill."""

from __future__ import annotations

from datetime import UTC, datetime

from tests.portal import Portal
from tests.stories.diary import Diary
from tests.stories.page import line


async def opened(portal: Portal, plan: str, interval: str = "MONTH", *, editor: int = 0) -> Diary:
    """An American customer on a plan from 1 April on."""
    return await (await Diary.opened(portal, "2026-04-01")).starts(plan, interval, editor=editor)


async def upcoming(diary: Diary) -> tuple[list[str], str]:
    """The lines and the total of the next invoice, as it is forecast."""
    found = (await diary.page())["upcomingInvoice"]
    return [line(row) for row in found["lines"]], found["totals"]["total"]["amount"]


def new_york(day: str) -> datetime:
    """Noon of a day in April 2026, in New York."""
    return datetime.fromisoformat(f"{day}T16:00:00").replace(tzinfo=UTC)


async def test_27_people_join_on_18_april(portal: Portal) -> None:
    """27 seats from 18 April on are in use for 13 of April's 30 days: 27 × 15.00 × 13/30 = 175.50 (6.50 a
    seat); in May all of them count: 27 × 15.00 = 405.00. The next invoice is forecast from the day they join.
    """
    diary = await opened(portal, "fair")
    assert await diary.invoices() == []
    await diary.on("2026-04-18").reports(added=27)
    assert await upcoming(diary) == (["27 seats × 15.00 USD × 13/30 days = 175.50"], "175.50")

    await diary.on("2026-05-01").is_billed()
    (april,) = await diary.invoices()
    assert april.lines == ["27 seats × 15.00 USD × 13/30 days = 175.50"]
    assert april.descriptions == ["27 Editor seats in use"]
    assert april.days == ["2026-04-01 – 2026-05-01"]
    await diary.on("2026-06-01").is_billed()
    assert (await diary.invoices())[-1].lines == ["27 seats × 15.00 USD = 405.00"]


async def test_a_seat_that_was_reported_late(portal: Portal) -> None:
    """April is billed for 26 seats: 26 × 15.00 × 13/30 = 169.00. On 4 May one more is reported, in use since
    18 April: April should be 175.50, so 6.50 are billed with May's 405.00, and the line leads to that report.
    April's invoice stays as it is, and once billed nothing is left to adjust.
    """
    diary = await opened(portal, "fair")
    await diary.on("2026-04-18").reports(added=26)
    await diary.on("2026-05-01").is_billed()
    (april,) = await diary.invoices()
    assert april.total == "169.00"

    await diary.on("2026-05-04").reports(added=1, effective_at=new_york("2026-04-18"))
    lines = [
        "27 seats × 15.00 USD × 13/30 days \u2212 169.00 USD = 6.50",
        "27 seats × 15.00 USD = 405.00",
    ]
    assert await upcoming(diary) == (lines, "411.50")
    await diary.on("2026-06-01").is_billed()
    still, may = await diary.invoices()
    assert (still, may.lines, may.total) == (april, lines, "411.50")
    assert may.descriptions[0] == "Adjustment: 27 Editor seats"
    assert may.days[0] == "2026-04-01 – 2026-05-01"
    await diary.on("2026-07-01").is_billed()
    assert (await diary.invoices())[-1].lines == ["27 seats × 15.00 USD = 405.00"]


async def test_a_correction_gives_money_back(portal: Portal) -> None:
    """27 seats were reported on 18 April, 20 were meant: April should be 20 × 15.00 × 13/30 = 130.00 and was
    175.50, so 45.50 come off May's 20 × 15.00 = 300.00. A correction of the correction, 21 seats, adds
    21 × 15.00 × 13/30 = 136.50 less 130.00 = 6.50 for April and 315.00 less 300.00 for May.
    """
    diary = await opened(portal, "fair")
    wrong = await diary.on("2026-04-18").reports(added=27)
    await diary.on("2026-05-01").is_billed()
    await diary.on("2026-05-04").corrects(wrong, "there were twenty", added=20)
    await diary.on("2026-06-01").is_billed()
    may = (await diary.invoices())[-1]
    assert may.lines == [
        "20 seats × 15.00 USD × 13/30 days \u2212 175.50 USD = -45.50",
        "20 seats × 15.00 USD = 300.00",
    ]

    right = (await diary.page())["seatEvents"]["edges"][0]["node"]["id"]
    await diary.on("2026-06-10").corrects_again(right, "no, twenty-one", added=21)
    await diary.on("2026-07-01").is_billed()
    june = (await diary.invoices())[-1]
    assert june.lines == [
        "21 seats × 15.00 USD × 13/30 days \u2212 130.00 USD = 6.50",
        "21 seats × 15.00 USD \u2212 300.00 USD = 15.00",
        "21 seats × 15.00 USD = 315.00",
    ]
    assert june.total == "336.50"


async def test_what_goes_and_what_comes_back(portal: Portal) -> None:
    """Ten seats, 15 from the 11th on, 5 from the 21st on. Day by day that is 15.00 × (100 + 150 + 50)/30 =
    150.00. At the most seats so far the last ten days count 15 as well: 200.00. The peak is 15: 150.00.
    """
    tens = ["10 seats × 15.00 USD × 10/30 days", "15 seats × 15.00 USD × 10/30 days"]
    billed = {
        "fair": f"{tens[0]} + {tens[1]} + 5 seats × 15.00 USD × 10/30 days = 150.00",
        "rising": f"{tens[0]} + 15 seats × 15.00 USD × 20/30 days = 200.00",
        "peak": "15 seats × 10.00 USD = 150.00",
    }
    for plan, expected in billed.items():
        diary = await Diary.opened(portal, "2026-04-01", name=plan)
        await diary.starts(plan)
        await diary.reports(added=10)
        await diary.on("2026-04-11").reports(added=5)
        await diary.on("2026-04-21").reports(removed=10)
        await diary.on("2026-05-01").is_billed()
        (april,) = await diary.invoices()
        assert april.lines == [expected]
        portal.clock.now = new_york("2026-03-01")


async def test_everybody_who_was_there(portal: Portal) -> None:
    """Ada and Ben on 2 April, Cem from the 5th to the 9th, Ada gone and back again, Dee on the 20th: four
    people, two of them free: 2 × 8.00 = 16.00. A seat without a name is refused.
    """
    diary = await opened(portal, "people")
    diary.on("2026-04-02")
    for name in ("ada", "ben"):
        await diary.reports(holder=name, added=1)
    await diary.on("2026-04-05").reports(holder="cem", added=1)
    await diary.on("2026-04-06").reports(holder="ada", removed=1)
    await diary.on("2026-04-09").reports(holder="cem", removed=1)
    await diary.on("2026-04-10").reports(holder="ada", added=1)
    await diary.on("2026-04-20").reports(holder="dee", added=1)
    await diary.on("2026-05-01").is_billed()
    (april,) = await diary.invoices()
    assert (april.lines, april.total) == (["2 seats × 8.00 USD = 16.00"], "16.00")


async def test_more_seats_in_use_than_paid_for(portal: Portal) -> None:
    """Five seats for a year: 500.00 in advance. Seven are in use when April ends, and eight when May ends:
    2 × 12.00 = 24.00 and 3 × 12.00 = 36.00, each at its month's end. From 11 June on nine seats are paid:
    4 × 100.00 × 294/365 days = 322.19; nothing is above the limit when June ends.
    """
    diary = await opened(portal, "open", "YEAR", editor=5)
    await diary.on("2026-04-12").reports(added=7)
    assert await upcoming(diary) == (["2 seats × 12.00 USD = 24.00"], "24.00")
    await diary.on("2026-05-01").is_billed()
    await diary.on("2026-05-20").reports(added=1)
    await diary.on("2026-06-01").is_billed()
    bought = await diary.on("2026-06-11").changes(editor=9)
    assert bought.invoice
    assert bought.invoice.lines == ["4 seats × 100.00 USD × 294/365 days = 322.19"]
    await diary.on("2026-07-01").is_billed()
    year, april, may, june = await diary.invoices()
    assert (year.lines, year.days) == (["5 seats × 100.00 USD = 500.00"], ["2026-04-01 – 2027-04-01"])
    assert (april.lines, april.days) == (["2 seats × 12.00 USD = 24.00"], ["2026-04-01 – 2026-05-01"])
    assert april.descriptions == ["2 Editor seats above the limit"]
    assert may.lines == ["3 seats × 12.00 USD = 36.00"]
    assert june == bought.invoice


async def test_another_plan_in_the_middle_of_the_month(portal: Portal) -> None:
    """Twelve seats at their most until 15 April, then another plan: 12 × 10.00 × 15/30 = 60.00 wait. From the
    16th on the same twelve are billed by the day: 12 × 15.00 × 15/30 = 90.00. Both are on May's invoice.
    """
    diary = await opened(portal, "peak")
    await diary.on("2026-04-03").reports(added=12)
    change = await diary.on("2026-04-16").changes(plan="fair")
    assert (change.invoice, change.credit_note) == (None, None)
    assert [row["formula"] for row in change.quote["lines"]] == ["12 seats × 10.00 USD × 15/30 days"]
    assert change.quote["atRenewal"]["total"]["amount"] == "150.00"
    await diary.on("2026-05-01").is_billed()
    (april,) = await diary.invoices()
    assert april.lines == [
        "12 seats × 10.00 USD × 15/30 days = 60.00",
        "12 seats × 15.00 USD × 15/30 days = 90.00",
    ]
    assert april.days == ["2026-04-01 – 2026-04-16", "2026-04-16 – 2026-05-01"]
