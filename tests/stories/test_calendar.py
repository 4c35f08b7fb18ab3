"""Months are not all alike: the 31st, the leap day, the two days of the year that have no 24 hours."""

from __future__ import annotations

import pytest

from tests.portal import Portal
from tests.stories.diary import GERMAN, Diary


async def test_an_anchor_on_the_31st_never_drifts(portal: Portal) -> None:
    """Who starts on 31 January renews on 28 February, and on 31 March again, not on the 28th for ever. An
    editor added on 14 February pays 10.00 × 14/28; one added on 30 April is in a period of 31 days.
    """
    diary = await (await Diary.opened(portal, "2026-01-31")).starts("simple", editor=4)

    february = await diary.on("2026-02-14").changes(editor="+1")
    for day in ("2026-02-28", "2026-03-31", "2026-04-30"):
        await diary.on(day).is_billed()
    april = await diary.on("2026-04-30").changes(editor="+1")

    invoices = await diary.invoices()
    assert [invoice.days for invoice in invoices] == [
        ["2026-01-31 – 2026-02-28"],
        ["2026-02-14 – 2026-02-28"],
        ["2026-02-28 – 2026-03-31"],
        ["2026-03-31 – 2026-04-30"],
        ["2026-04-30 – 2026-05-31"],
        ["2026-04-30 – 2026-05-31"],
    ]
    assert february.invoice
    assert february.invoice.lines == ["1 seat × 10.00 USD × 14/28 days = 5.00"]
    assert april.invoice
    assert april.invoice.lines == ["1 seat × 10.00 USD = 10.00"]
    assert (await diary.page())["subscription"]["renewsOn"] == "2026-05-31"


async def test_a_leap_day_is_a_day(portal: Portal) -> None:
    """February 2028 has 29 days: five editors from the 15th on are 5 × 10.00 × 15/29 = 25.862, so 25.86. One
    more on the 29th itself is 10.00 × 1/29 = 0.345, so 0.34, and the same seat given back on that day is
    worth as much.
    """
    diary = await (await Diary.opened(portal, "2028-02-01")).starts("simple", editor=5)

    middle = await diary.on("2028-02-15").changes(editor="+5")
    last = await diary.on("2028-02-29", "09:00").changes(editor="+1")
    back = await diary.on("2028-02-29", "17:00").changes(editor="-1")

    assert middle.invoice
    assert middle.invoice.lines == ["5 seats × 10.00 USD × 15/29 days = 25.86"]
    assert last.invoice
    assert last.invoice.lines == ["1 seat × 10.00 USD × 1/29 days = 0.34"]
    assert back.credit_note
    assert back.credit_note.lines == ["\u22121 seat × 10.00 USD × 1/29 days = -0.34"]
    assert last.quote["renewsOn"] == "2028-03-01"


async def test_a_year_from_a_leap_day_to_the_next(portal: Portal) -> None:
    """A year that starts on 29 February 2028 ends on 28 February 2029; the fourth ends on the leap day of
    2032 again. An editor added for the first year's last day costs 100.00 × 1/365 = 0.27.
    """
    diary = await (await Diary.opened(portal, "2028-02-29")).starts("simple", "YEAR", editor=2)

    last = await diary.on("2029-02-27").changes(editor="+1")
    for year in ("2029", "2030", "2031"):
        await diary.on(f"{year}-02-28").is_billed()

    assert last.invoice
    assert last.invoice.lines == ["1 seat × 100.00 USD × 1/365 days = 0.27"]
    assert [invoice.days[0] for invoice in await diary.invoices()] == [
        "2028-02-29 – 2029-02-28",
        "2029-02-27 – 2029-02-28",
        "2029-02-28 – 2030-02-28",
        "2030-02-28 – 2031-02-28",
        "2031-02-28 – 2032-02-29",
    ]


async def in_berlin(portal: Portal, day: str) -> Diary:
    """A German customer with five editors at 10.00 a month."""
    diary = await Diary.opened(
        portal, day, name="globex", currency="EUR", zone="Europe/Berlin", details=GERMAN
    )
    return await diary.starts("simple", editor=5)


@pytest.mark.parametrize("at", ["00:00", "23:59"])
async def test_the_day_of_23_hours_is_a_day(portal: Portal, at: str) -> None:
    """In Berlin 29 March 2026 has 23 hours. Two seats added on it, in its first minute or in its last, pay
    for 3 of 31 days: 2 × 10.00 × 3/31 = 1.935, so 1.94, and VAT of 0.37. April begins at midnight as ever.
    """
    diary = await in_berlin(portal, "2026-03-01")

    more = await diary.on("2026-03-29", at).changes(editor="+2")

    assert more.invoice
    assert more.invoice.lines == ["2 seats × 10.00 EUR × 3/31 days = 1.94"]
    assert (more.invoice.tax, more.invoice.days) == ("0.37", ["2026-03-29 – 2026-04-01"])
    await diary.on("2026-03-31", "23:59").is_billed()
    assert len(await diary.invoices()) == 2
    await diary.on("2026-04-01", "00:00").is_billed()
    assert [invoice.issued_on for invoice in await diary.invoices()] == [
        "2026-03-01",
        "2026-03-29",
        "2026-04-01",
    ]


@pytest.mark.parametrize("at", ["00:00", "02:30", "23:59"])
async def test_the_day_of_25_hours_is_a_day(portal: Portal, at: str) -> None:
    """In Berlin 25 October 2026 has 25 hours, and half past two comes twice. Whenever it was, two seats pay
    for 7 of 31 days: 2 × 10.00 × 7/31 = 4.516, so 4.52.
    """
    diary = await in_berlin(portal, "2026-10-01")

    more = await diary.on("2026-10-25", at).changes(editor="+2")

    assert more.invoice
    assert more.invoice.lines == ["2 seats × 10.00 EUR × 7/31 days = 4.52"]
    assert more.quote["renewsOn"] == "2026-11-01"


async def test_the_day_of_a_change_is_the_customers_day(portal: Portal) -> None:
    """At half past six in the evening of 30 April in New York it is 1 May in Berlin. The American customer
    pays for one day of April, 10.00 × 1/30 = 0.33, on an invoice that the German seller issues on 1 May.
    """
    diary = await (await Diary.opened(portal, "2026-04-01")).starts("simple", editor=5)

    more = await diary.on("2026-04-30", "18:30").changes(editor="+1")

    assert more.invoice
    assert more.invoice.lines == ["1 seat × 10.00 USD × 1/30 days = 0.33"]
    assert more.invoice.days == ["2026-04-30 – 2026-05-01"]
    assert more.invoice.issued_on == "2026-05-01"


async def test_a_short_first_period(portal: Portal) -> None:
    """Billed on the first of each month, started on 10 April: 10 seats × 10.00 × 21/30 = 70.00 for the 21
    days that are left, and a seat added on the 16th pays 15 of 30 days, not of 21.
    """
    diary = await Diary.opened(portal, "2026-04-10")
    await diary.starts("simple", anchor="2026-04-01", editor=10)

    more = await diary.on("2026-04-16").changes(editor="+1")

    (first, _) = await diary.invoices()
    assert first.lines == ["10 seats × 10.00 USD × 21/30 days = 70.00"]
    assert first.days == ["2026-04-10 – 2026-05-01"]
    assert more.invoice
    assert more.invoice.lines == ["1 seat × 10.00 USD × 15/30 days = 5.00"]


async def test_a_company_moves_across_the_ocean(portal: Portal) -> None:
    """April is paid in Berlin, and on the 16th the company moves to New York. April ends when it ended in
    Berlin, on the evening of the 30th there; May begins then, and ends with the last of May in New York. A
    seat added on 16 May is for 16 of the 32 days that it touches: 10.00 × 16/32 = 5.00.
    """
    diary = await Diary.opened(portal, "2026-04-01", name="globex", zone="Europe/Berlin")
    await diary.starts("simple", editor=4)
    diary.on("2026-04-16")
    await diary.moves_to("America/New_York")
    await diary.on("2026-04-30", "17:59").is_billed()
    assert len(await diary.invoices()) == 1
    await diary.on("2026-04-30", "18:00").is_billed()
    may = (await diary.invoices())[-1]
    assert (may.lines, may.days) == (["4 seats × 10.00 USD = 40.00"], ["2026-04-30 – 2026-06-01"])

    added = await diary.on("2026-05-16").changes(editor="+1")
    assert added.invoice
    assert added.invoice.lines == ["1 seat × 10.00 USD × 16/32 days = 5.00"]
    await diary.on("2026-06-01", "00:00").is_billed()
    assert (await diary.invoices())[-1].days == ["2026-06-01 – 2026-07-01"]
