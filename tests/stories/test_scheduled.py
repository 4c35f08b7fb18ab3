"""Changes that wait for the renewal: they are seen, replaced, taken back, applied, or raised to what is in
use.
"""

from __future__ import annotations

from typing import Any

from tests.portal import Portal
from tests.stories.diary import Diary


async def yearly(portal: Portal, editors: int = 20) -> Diary:
    """A customer who pays 100.00 a year for each editor; removals wait for 1 January 2027."""
    return await (await Diary.opened(portal, "2026-01-01")).starts("simple", "YEAR", editor=editors)


async def waiting(diary: Diary) -> list[str]:
    """What waits, in sentences."""
    subscription: dict[str, Any] = (await diary.page())["subscription"]
    return [change["summary"] for change in subscription["scheduledChanges"]]


async def editors(diary: Diary) -> tuple[int, int]:
    """Committed editors, now and from the renewal on."""
    found = (await diary.page())["subscription"]["seats"][0]
    return found["committed"], found["atRenewal"]


async def effect(diary: Diary) -> tuple[str, str]:
    """What will become of the change that waits, and what it does to the price of the renewal."""
    (change,) = (await diary.page())["subscription"]["scheduledChanges"]
    return change["outlook"], change["renewalDifference"]["amount"]


async def test_a_removal_is_scheduled_replaced_and_taken_back(portal: Portal) -> None:
    """In March two of 20 editors shall go, in April five, in May none. Nothing is billed for any of it, and
    2027 costs 20 × 100.00 = 2,000.00 as if nothing had been said.
    """
    diary = await yearly(portal)

    first = await diary.on("2026-03-01").changes(editor="-2")
    assert (first.invoice, first.credit_note) == (None, None)
    assert await waiting(diary) == ["From 1 January 2027: 18 Editor seats instead of 20."]
    assert await editors(diary) == (20, 18)

    second = await diary.on("2026-04-01").changes(editor=15)
    assert [change["replaces"] for change in second.scheduled] == ["18 Editor seats"]
    assert await waiting(diary) == ["From 1 January 2027: 15 Editor seats instead of 20."]

    (change,) = (await diary.page())["subscription"]["scheduledChanges"]
    assert await diary.on("2026-05-01").cancels(change) == "ScheduledChangeCancelled"
    assert await diary.cancels(change) == "NotFound"
    assert await editors(diary) == (20, 20)

    await diary.on("2027-01-01").is_billed()
    assert [invoice.total for invoice in await diary.invoices()] == ["2000.00", "2000.00"]


async def test_a_removal_takes_effect_at_the_renewal(portal: Portal) -> None:
    """Five of 20 editors go with the year: 15 × 100.00 = 1,500.00 from 2027 on, and no money comes back."""
    diary = await yearly(portal)
    less = await diary.on("2026-06-30").changes(editor="-5")
    assert less.quote["atRenewal"]["total"]["amount"] == "1500.00"

    assert await diary.on("2027-01-01").is_billed() == []

    _, next_year = await diary.invoices()
    assert next_year.lines == ["15 seats × 100.00 USD = 1500.00"]
    assert await editors(diary) == (15, 15)
    assert await waiting(diary) == []


async def test_a_removal_below_the_seats_in_use_is_raised_to_them(portal: Portal) -> None:
    """Two of four editors shall go, and then three are in use: from then on the page says that three will
    stay, the renewal bills 3 × 100.00, and its line and the event say why.
    """
    diary = await yearly(portal, 4)
    await diary.on("2026-02-01").reports(total=2)
    await diary.changes(editor=2)
    assert (await editors(diary), await effect(diary)) == ((4, 2), ("AS_ASKED", "-200.00"))
    await diary.on("2026-08-01").reports(total=3)
    assert (await editors(diary), await effect(diary)) == ((4, 3), ("RAISED", "-100.00"))

    await diary.on("2027-01-01").is_billed()

    invoice = (await diary.invoices())[-1]
    assert invoice.lines == ["3 seats × 100.00 USD = 300.00"]
    assert invoice.descriptions == ["3 Editor seats, raised from 2 to those in use"]
    newest = (await diary.page())["seatEvents"]["edges"][0]["node"]
    assert (newest["removed"], newest["note"]) == (1, "raised from 2 to 3: 3 in use")


async def test_seats_added_while_fewer_are_scheduled(portal: Portal) -> None:
    """18 from January on is scheduled; then three more are needed now. That replaces what waited: 23 editors
    stay, and the three pay for the rest of the year, 3 × 100.00 × 184/365 = 151.23 from 1 July on.
    """
    diary = await yearly(portal)
    await diary.on("2026-03-01").changes(editor=18)

    more = await diary.on("2026-07-01").changes(editor="+3")

    assert more.invoice
    assert more.invoice.lines == ["3 seats × 100.00 USD × 184/365 days = 151.23"]
    assert await waiting(diary) == []
    assert await editors(diary) == (23, 23)


async def test_one_request_adds_now_and_removes_later(portal: Portal) -> None:
    """Three editors more and two viewers less, in one go: the plan bills additions at once and lets removals
    wait. 3 × 100.00 × 184/365 = 151.23 today; from 2027 on 8 × 100.00 + 2 × 20.00 = 840.00.
    """
    diary = await Diary.opened(portal, "2026-01-01")
    await diary.starts("simple", "YEAR", editor=5, viewer=4)

    both = await diary.on("2026-07-01").changes(editor="+3", viewer="-2")

    assert both.invoice
    assert both.invoice.lines == ["3 seats × 100.00 USD × 184/365 days = 151.23"]
    assert [change["summary"] for change in both.scheduled] == [
        "From 1 January 2027: 2 Viewer seats instead of 4."
    ]
    assert both.quote["atRenewal"]["total"]["amount"] == "840.00"
    await diary.on("2027-01-01").is_billed()
    assert (await diary.invoices())[-1].total == "840.00"


async def test_lines_that_wait_in_a_yearly_term_are_collected_monthly(portal: Portal) -> None:
    """Two editors added on 15 June wait for the next invoice. Nobody waits till New Year: on 1 July
    2 × 100.00 × 200/365 = 109.589 are billed, 109.59.
    """
    diary = await yearly(portal)
    more = await diary.on("2026-06-15").changes(editor="+2", mode="PRORATED_ON_NEXT_INVOICE")
    assert (more.invoice, more.quote["lines"][0]["waits"]) == (None, True)
    assert (await diary.page())["upcomingInvoice"]["on"] == "2026-07-01"

    assert await diary.on("2026-07-01").is_billed() == []

    _, collected = await diary.invoices()
    assert collected.lines == ["2 seats × 100.00 USD × 200/365 days = 109.59"]
    assert collected.days == ["2026-06-15 – 2027-01-01"]


async def test_a_removal_shown_instead_of_other_seats(portal: Portal) -> None:
    """Ada is shown `15 Editor seats instead of 20`. Ben adds five in between. To take ten away, his five
    among them, is not what Ada saw: the answer says `instead of 25`, and that she can confirm.
    """
    ada = await yearly(portal)
    ben = await ada.colleague()
    shown = await ada.on("2026-03-01", "10:00").previews(editor=15)
    assert shown["scheduled"][0]["summary"] == "From 1 January 2027: 15 Editor seats instead of 20."
    await ben.on("2026-03-01", "10:05").changes(editor="+5")

    outdated = await ada.on("2026-03-01", "10:10").confirms(shown["token"], editor=15)

    assert outdated["__typename"] == "QuoteOutdated"
    fresh = outdated["current"]
    assert fresh["scheduled"][0]["summary"] == "From 1 January 2027: 15 Editor seats instead of 25."
    ada.made(fresh, await ada.confirms(fresh["token"], editor=15))
    assert await editors(ada) == (25, 15)
