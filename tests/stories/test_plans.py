"""Another plan, another interval, another way to bill: what was shown is what is charged."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, NamedTuple

import pytest

from app.services.move_clock import move_clock
from tests.portal import VENDOR, Portal
from tests.stories.diary import Diary


class Way(NamedTuple):
    """A mode, what 15 → 20 editors cost in it on 16 April, and what May costs then."""

    mode: str
    lines: list[str]
    now: str
    at_renewal: str
    renews_on: str


WAYS = (
    Way(
        "PRORATED_IMMEDIATELY", ["5 seats × 15.00 USD × 15/30 days = 37.50"], "37.50", "324.00", "2026-05-01"
    ),
    Way("DIFFERENCE_IMMEDIATELY", ["5 seats × 15.00 USD = 75.00"], "75.00", "324.00", "2026-05-01"),
    Way(
        "FULL_IMMEDIATELY",
        ["99.00 USD = 99.00", "15 seats × 15.00 USD = 225.00"],
        "324.00",
        "324.00",
        "2026-05-16",
    ),
    Way("PRORATED_ON_NEXT_INVOICE", [], "0.00", "361.50", "2026-05-01"),
    Way("DO_NOT_BILL", [], "0.00", "324.00", "2026-05-01"),
)


async def team(portal: Portal, editors: int = 15) -> Diary:
    """A customer of the plan that allows every mode, from 1 April on."""
    return await (await Diary.opened(portal, "2026-04-01")).starts("team", editor=editors)


async def simple(portal: Portal, editors: int = 10) -> Diary:
    """A customer who pays 10.00 a month for each editor, from 1 April on."""
    return await (await Diary.opened(portal, "2026-04-01")).starts("simple", editor=editors)


async def test_every_mode_side_by_side(portal: Portal) -> None:
    """15 → 20 editors on 16 April, in each mode the plan allows, in one preview. From May on all cost
    99.00 + 15 × 15.00 = 324.00; lines that wait come on top: 324.00 + 37.50 = 361.50. Last, at the renewal.
    """
    diary = await team(portal)

    quote = await diary.on("2026-04-16").previews(editor=20)

    shown = [
        (
            way["prorationMode"],
            way["timing"],
            way["dueNow"]["total"]["amount"],
            way["atRenewal"]["total"]["amount"],
        )
        for way in quote["alternatives"]
    ]
    assert shown == [
        *((way.mode, "NOW", way.now, way.at_renewal) for way in WAYS),
        ("PRORATED_IMMEDIATELY", "AT_RENEWAL", "0.00", "324.00"),
    ]


@pytest.mark.parametrize("way", WAYS, ids=[way.mode for way in WAYS])
async def test_each_mode_charges_what_stood_beside_it(portal: Portal, way: Way) -> None:
    """The page shows five ways and the customer presses the button of one: that one is charged, today and at
    the renewal.
    """
    diary = await team(portal)
    quote = await diary.on("2026-04-16").previews(editor=20)
    (chosen,) = [
        other
        for other in quote["alternatives"]
        if (other["prorationMode"], other["timing"]) == (way.mode, "NOW")
    ]

    done = await diary.confirms(chosen["token"], editor=20)

    assert done["__typename"] == "PlanChanged"
    page = await diary.page()
    assert page["subscription"]["renewsOn"] == way.renews_on
    assert page["subscription"]["seats"][0]["committed"] == 20
    _, *since = await diary.invoices()
    assert [line for invoice in since for line in invoice.lines] == way.lines
    await diary.on(way.renews_on).is_billed()
    assert (await diary.invoices())[-1].total == way.at_renewal


async def test_a_dearer_plan_in_the_middle_of_the_month(portal: Portal) -> None:
    """Simple → Pro on 16 April with 10 editors: 10 × 10.00 × 15/30 = 50.00 of April are not used, and
    10 × 20.00 × 15/30 = 100.00 are for Pro: an invoice of two lines and 50.00. May costs 200.00.
    """
    diary = await simple(portal)

    change = await diary.on("2026-04-16").changes(plan="pro")

    assert change.invoice
    assert change.invoice.lines == [
        "\u221210 seats × 10.00 USD × 15/30 days = -50.00",
        "10 seats × 20.00 USD × 15/30 days = 100.00",
    ]
    assert change.invoice.descriptions == [
        "Unused time on Simple: 10 Editor seats",
        "Change to Pro: 10 Editor seats",
    ]
    assert (change.invoice.total, change.credit_note) == ("50.00", None)
    assert change.quote["atRenewal"]["total"]["amount"] == "200.00"
    assert (await diary.page())["subscription"]["plan"]["code"] == "pro"


async def test_a_cheaper_plan_waits_where_the_plan_says_so(portal: Portal) -> None:
    """Pro lets decreases start at the renewal only: Pro → Simple in April bills nothing, and May costs
    10 × 10.00 = 100.00. Asking for it at once is refused, with what is allowed.
    """
    diary = await (await Diary.opened(portal, "2026-04-01")).starts("pro", editor=10)
    refused = await diary.on("2026-04-15").is_refused(plan="simple", timing="NOW")
    assert refused["__typename"] == "ProrationModeNotAllowed"

    change = await diary.on("2026-04-16").changes(plan="simple")

    assert (change.invoice, change.credit_note) == (None, None)
    assert (await diary.page())["subscription"]["plan"]["code"] == "pro"
    await diary.on("2026-05-01").is_billed()
    page = await diary.page()
    assert page["subscription"]["plan"]["code"] == "simple"
    assert (await diary.invoices())[-1].lines == ["10 seats × 10.00 USD = 100.00"]


async def test_from_the_month_to_the_year_and_back(portal: Portal) -> None:
    """Month → year on 16 April: half of April comes back, 50.00, and a year of 10 × 100.00 begins: 950.00.
    Year → month waits for 16 April 2027, whenever it is asked for, and costs 100.00 a month from then on.
    """
    diary = await simple(portal)

    year = await diary.on("2026-04-16").changes(interval="YEAR")
    assert year.invoice
    assert year.invoice.lines == [
        "\u221210 seats × 10.00 USD × 15/30 days = -50.00",
        "10 seats × 100.00 USD = 1000.00",
    ]
    assert year.invoice.days == ["2026-04-16 – 2026-05-01", "2026-04-16 – 2027-04-16"]
    assert (year.invoice.total, year.quote["renewsOn"]) == ("950.00", "2027-04-16")

    month = await diary.on("2026-06-01").changes(interval="MONTH")
    assert (month.invoice, month.credit_note) == (None, None)
    assert [change["effectiveOn"] for change in month.scheduled] == ["2027-04-16"]

    await diary.on("2027-04-16").is_billed()
    last = (await diary.invoices())[-1]
    assert (last.lines, last.days) == (["10 seats × 10.00 USD = 100.00"], ["2027-04-16 – 2027-05-16"])
    assert (await diary.page())["subscription"]["price"]["interval"] == "MONTH"


async def test_a_free_plan_makes_no_document(portal: Portal) -> None:
    """Free seats are started with, added and renewed without one document. Simple from 16 May on then costs
    3 × 10.00 × 16/31 = 15.48. That invoice is the first, so the line of the free seat of April, which had to
    wait for one, stands on it with its 0.00; nothing is credited of what was free.
    """
    diary = await (await Diary.opened(portal, "2026-04-01")).starts("free", editor=2)
    more = await diary.on("2026-04-16").changes(editor=3)
    assert (more.invoice, more.credit_note) == (None, None)
    refused = await diary.is_refused(editor=4)
    assert (refused["__typename"], refused["maximum"]) == ("AboveMaximum", 3)
    assert await diary.on("2026-05-01").is_billed() == []
    assert await diary.invoices() == []
    assert (await diary.page())["upcomingInvoice"] is None

    paid = await diary.on("2026-05-16").changes(plan="simple")

    assert paid.invoice
    assert paid.invoice.lines == [
        "1 seat × 0.00 USD × 15/30 days = 0.00",
        "3 seats × 10.00 USD × 16/31 days = 15.48",
    ]
    assert paid.invoice.total == "15.48"


async def test_a_renewal_that_is_due_is_billed_before_a_change(portal: Portal) -> None:
    """Nobody billed on 1 May. On the 16th five editors come: first May is billed, 10 × 10.00, dated the 1st;
    then 5 × 10.00 × 16/31 = 25.81 on an invoice of its own, and only that was shown as the change's price.
    """
    diary = await simple(portal)

    more = await diary.on("2026-05-16").changes(editor=15)

    assert [row["formula"] for row in more.quote["lines"]] == ["5 seats × 10.00 USD × 16/31 days"]
    _, may, added = await diary.invoices()
    assert (may.lines, may.issued_on) == (["10 seats × 10.00 USD = 100.00"], "2026-05-01")
    assert (added.lines, added.issued_on) == (["5 seats × 10.00 USD × 16/31 days = 25.81"], "2026-05-16")
    assert await diary.is_billed() == []
    assert len(await diary.invoices()) == 3


async def test_a_credit_of_a_renewal_that_is_due_is_as_it_was_shown(portal: Portal) -> None:
    """Nobody billed on 1 May. On the 16th five editors go: shown are 5 × 10.00 × 16/31 = 25.81 back, of an
    invoice that is not written yet. The button writes it and gives back what was shown, at the first press.
    """
    diary = await simple(portal)

    less = await diary.on("2026-05-16").changes(editor=5)

    _, may = await diary.invoices()
    assert less.credit_note
    assert less.credit_note.lines == ["\u22125 seats × 10.00 USD × 16/31 days = -25.81"]
    assert less.credit_note.reverses == [may.number]
    assert (may.total, may.open) == ("100.00", "74.19")


async def test_a_quote_that_a_colleague_outdated(portal: Portal) -> None:
    """Ada is shown 5 × 10.00 × 15/30 = 25.00 for 10 → 15. Ben is quicker and takes 13. Ada's button does not
    charge 25.00 for two seats, nor 10.00 unseen: it shows 2 × 10.00 × 15/30 = 10.00, and that goes through.
    """
    ada = await simple(portal)
    ben = await ada.colleague()
    shown = await ada.on("2026-04-16", "10:00").previews(editor=15)
    await ben.on("2026-04-16", "10:01").changes(editor=13)

    outdated: dict[str, Any] = await ada.on("2026-04-16", "10:02").confirms(shown["token"], editor=15)

    assert outdated["__typename"] == "QuoteOutdated"
    assert len(await ada.invoices()) == 2
    fresh = outdated["current"]
    assert [row["amount"]["amount"] for row in fresh["lines"]] == ["10.00"]
    change = ada.made(fresh, await ada.confirms(fresh["token"], editor=15))
    assert change.invoice
    assert change.invoice.total == "10.00"


async def test_a_quote_that_a_colleague_left_as_it_was(portal: Portal) -> None:
    """Ada is shown 25.00 for five editors. Ben adds a viewer in between, which changes nothing of what Ada
    saw: her button charges the 25.00.
    """
    ada = await simple(portal)
    ben = await ada.colleague()
    shown = await ada.on("2026-04-16", "10:00").previews(editor=15)
    await ben.on("2026-04-16", "10:01").changes(viewer=1)

    change = ada.made(shown, await ada.on("2026-04-16", "10:02").confirms(shown["token"], editor=15))

    assert change.invoice
    assert change.invoice.total == "25.00"


async def test_a_quote_is_good_for_fifteen_minutes(portal: Portal) -> None:
    """A quote of noon is confirmed at 12:14. One of 12:30 is not at 12:45, though it costs the same: the
    answer holds a fresh one.
    """
    diary = await simple(portal)
    shown = await diary.on("2026-04-16", "12:00").previews(editor=11)
    diary.made(shown, await diary.on("2026-04-16", "12:14").confirms(shown["token"], editor=11))

    shown = await diary.on("2026-04-16", "12:30").previews(editor=12)
    late = await diary.on("2026-04-16", "12:45").confirms(shown["token"], editor=12)

    assert late["__typename"] == "QuoteOutdated"
    assert late["message"] == "The quote has expired. Look at the fresh quote and confirm that one."
    assert late["current"]["dueNow"] == shown["dueNow"]


async def test_a_quote_does_not_outlive_its_period(portal: Portal) -> None:
    """Shown at 23:55 on 30 April: 10.00 × 1/30 = 0.33, until midnight. At 00:01 it is May, which is billed,
    and the seat costs a whole month: the old quote is outdated, the fresh one says 10.00.
    """
    diary = await simple(portal)
    shown = await diary.on("2026-04-30", "23:55").previews(editor=11)
    assert shown["validUntil"] == "2026-05-01T04:00:00Z"

    late = await diary.on("2026-05-01", "00:01").confirms(shown["token"], editor=11)

    assert late["__typename"] == "QuoteOutdated"
    assert [row["amount"]["amount"] for row in shown["lines"]] == ["0.33"]
    assert [row["amount"]["amount"] for row in late["current"]["lines"]] == ["10.00"]


async def test_a_quote_does_not_outlive_its_period_when_time_is_moved(portal: Portal) -> None:
    """Shown on 16 April for 25.00. Ten minutes later by the wall clock the vendor has moved the customer's
    time a month on, and nobody billed May yet: the quote is of a period that is over, the fresh one says
    5 × 10.00 × 16/31 = 25.81.
    """
    diary = await simple(portal)
    shown = await diary.on("2026-04-16", "12:00").previews(editor=15)
    await portal.store.run(diary.customer, move_clock, VENDOR, timedelta(days=30))

    late = await diary.on("2026-04-16", "12:10").confirms(shown["token"], editor=15)

    assert (late["__typename"], late["current"]["effectiveOn"]) == ("QuoteOutdated", "2026-05-16")
    assert [row["amount"]["amount"] for row in shown["lines"]] == ["25.00"]
    assert [row["amount"]["amount"] for row in late["current"]["lines"]] == ["25.81"]
