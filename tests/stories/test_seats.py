"""Seats come and go: what that costs, what it gives back, and what the ledger tells of it afterwards."""

from __future__ import annotations

import pytest

from app.api.ids import Kind, decode_as
from app.services.report_committed import CommittedCorrection, correct_committed
from tests.portal import VENDOR, Portal
from tests.stories.diary import GERMAN, Diary


async def in_berlin(portal: Portal, editors: int) -> Diary:
    """A German customer who pays 19 % VAT, from 1 April on."""
    diary = await Diary.opened(
        portal, "2026-04-01", name="globex", currency="EUR", zone="Europe/Berlin", details=GERMAN
    )
    return await diary.starts("team", editor=editors)


async def test_growing_in_the_middle_of_the_month(portal: Portal) -> None:
    """10 editors, 5 included: 99.00 + 5 × 15.00 = 174.00. Five more for 15 of April's 30 days are
    5 × 15.00 × 15/30 = 37.50, and from May on all 15 cost 99.00 + 10 × 15.00 = 249.00.
    """
    diary = await (await Diary.opened(portal, "2026-04-01")).starts("team", editor=10)

    more = await diary.on("2026-04-16").changes(editor=15)
    assert more.invoice
    assert more.invoice.lines == ["5 seats × 15.00 USD × 15/30 days = 37.50"]
    assert more.invoice.descriptions == ["5 Editor seats added"]
    assert more.invoice.days == ["2026-04-16 – 2026-05-01"]
    assert more.invoice.total == "37.50"
    assert more.quote["atRenewal"]["total"]["amount"] == "249.00"

    assert await diary.on("2026-05-01").is_billed() == []
    april, added, may = await diary.invoices()
    assert april.lines == ["99.00 USD = 99.00", "5 seats × 15.00 USD = 75.00"]
    assert added == more.invoice
    assert may.lines == ["99.00 USD = 99.00", "10 seats × 15.00 USD = 150.00"]
    assert (may.total, may.days) == ("249.00", ["2026-05-01 – 2026-06-01"] * 2)


async def test_seats_given_back_pay_for_the_renewal(portal: Portal) -> None:
    """15 editors in Berlin: 249.00 + 19 % = 296.31, paid. Five less for 15/30 days are 37.50 and 19 % of it,
    7.125, rounds to 7.13: a credit note of 44.63. In May 10 editors cost 174.00 + 33.06 = 207.06, of which
    44.63 are in hand: 162.43 are due.
    """
    diary = await in_berlin(portal, 15)
    (april,) = await diary.invoices()
    assert (april.subtotal, april.tax, april.total) == ("249.00", "47.31", "296.31")
    await diary.on("2026-04-08").pays(april)

    less = await diary.on("2026-04-16").changes(editor=10)
    assert less.invoice is None
    assert less.credit_note
    assert less.credit_note.lines == ["\u22125 seats × 15.00 EUR × 15/30 days = -37.50"]
    assert less.credit_note.taxes == ["VAT 19 % on -37.50 = -7.13"]
    assert less.credit_note.total == "-44.63"
    assert less.credit_note.reverses == [april.number]
    assert (less.credit_added, (await diary.page())["creditBalance"]["amount"]) == ("44.63", "44.63")

    await diary.on("2026-05-01").is_billed()
    _, may = await diary.invoices()
    assert (may.total, may.credit_applied, may.amount_due) == ("207.06", "44.63", "162.43")
    assert (await diary.page())["creditBalance"]["amount"] == "0.00"


async def test_seats_given_back_lower_an_open_invoice_first(portal: Portal) -> None:
    """The same five seats, but nothing is paid yet: the credit note of 44.63 leaves 296.31 − 44.63 = 251.68
    open, and nothing joins the balance.
    """
    diary = await in_berlin(portal, 15)

    less = await diary.on("2026-04-16").changes(editor=10)

    (april,) = await diary.invoices()
    assert less.credit_note
    assert (less.credit_note.total, less.credit_added) == ("-44.63", "0.00")
    assert (april.open, april.status, april.total) == ("251.68", "OPEN", "296.31")


async def test_adding_and_removing_on_one_day_nets_to_nothing(portal: Portal) -> None:
    """Seven more on 17 April for 14 of 30 days: 7 × 15.00 × 14/30 = 49.00, and 19 % are 9.31. An hour later
    they go again: the credit note takes back the same 58.31, line by line, and nothing is left to pay.
    """
    diary = await in_berlin(portal, 8)

    more = await diary.on("2026-04-17", "10:00").changes(editor="+7")
    less = await diary.on("2026-04-17", "11:00").changes(editor="-7")

    assert more.invoice
    assert less.credit_note
    assert (more.invoice.total, less.credit_note.total) == ("58.31", "-58.31")
    assert less.credit_note.reverses == [more.invoice.number]
    _, added = await diary.invoices()
    assert (added.open, added.status) == ("0.00", "PAID")
    assert (await diary.page())["creditBalance"]["amount"] == "0.00"
    assert (await diary.page())["upcomingInvoice"]["totals"]["total"]["amount"] == "171.36"


async def test_seats_in_use_protect_themselves(portal: Portal) -> None:
    """10 editors, 8 in use: 5 are too few, and the page names who sits there. When three people have left,
    5 seats × 15/30 days × 10.00 = 25.00 come back.
    """
    diary = await (await Diary.opened(portal, "2026-04-01")).starts("simple", editor=10)
    people = ["ada", "ben", "chloe", "dan", "elif", "farid", "grace", "hugo"]
    for minute, person in enumerate(people):
        await diary.on("2026-04-02", f"09:{minute:02}").reports(holder=person, added=1)

    refused = await diary.on("2026-04-15").is_refused(editor=5)
    assert refused["__typename"] == "SeatsInUse"
    assert (refused["inUse"], refused["limit"], refused["holderCount"]) == (8, 5, 8)
    assert [holder["reference"] for holder in refused["holders"]] == people
    assert refused["message"] == (
        "8 Editor seats are in use, and 5 would be left. Release 3 seats first, or keep more."
    )

    for person in people[:3]:
        await diary.on("2026-04-16").reports(holder=person, removed=1)
    less = await diary.changes(editor=5)
    assert less.credit_note
    assert less.credit_note.lines == ["\u22125 seats × 10.00 USD × 15/30 days = -25.00"]


async def test_a_correction_shows_as_one_and_history_stays_as_it_was_known(portal: Portal) -> None:
    """On the 5th two seats are reported; on the 9th that turns out to have been one. The balance of the 6th
    is 1 as we know it now, and 2 as it was known on the 6th; the event and its correction name each other.
    """
    diary = await (await Diary.opened(portal, "2026-04-01")).starts("simple", editor=10)
    wrong = await diary.on("2026-04-05").reports(added=2)
    await diary.on("2026-04-09").corrects(wrong, "one person, not two", added=1)

    sixth = "2026-04-06T12:00:00-04:00"
    now = await diary.page(asOf=sixth)
    then = await diary.page(asOf=sixth, knownAt=sixth)
    assert [page["seatBalances"][0]["inUse"] for page in (now, then)] == [1, 2]

    _, reported, taken_back, right = [edge["node"] for edge in reversed(now["seatEvents"]["edges"])]
    assert [(e["added"], e["removed"], e["balance"]) for e in (reported, taken_back, right)] == [
        (2, 0, 2),
        (0, 2, 0),
        (1, 0, 1),
    ]
    assert reported["correctedBy"] == {"id": right["id"]}
    assert taken_back["corrects"] == right["corrects"] == {"id": reported["id"]}
    assert right["note"] == "one person, not two"


async def test_march_as_known_in_april_and_in_june(portal: Portal) -> None:
    """Twelve in use on 10 March, and ten committed; in May it turns out that nine were in use and eight
    committed. As known in June, the middle of March differs from what was known in April by exactly these
    corrections, and so does every day since; what April knew can be read for ever.
    """
    diary = await (await Diary.opened(portal, "2026-03-01")).starts("simple", editor=10)
    used = await diary.on("2026-03-10").reports(total=12)
    march, april, june = (f"2026-{day}T12:00:00-04:00" for day in ("03-15", "04-15", "06-15"))
    await diary.on("2026-04-20").is_billed()
    known_in_april = (await diary.page(asOf=march, knownAt=april))["seatBalances"]
    await diary.on("2026-05-05").corrects(used, "nine came", added=9)
    start = (await diary.page())["seatEvents"]["edges"][-1]["node"]["id"]
    event = decode_as(Kind.SEAT_EVENT, start)
    assert event is not None
    wanted = CommittedCorrection(event, added=8, removed=0)
    await portal.store.run(diary.customer, correct_committed, VENDOR, wanted)

    now = diary.on("2026-06-20")
    before, after = [
        {row["metric"]["code"]: row for row in (await now.page(asOf=march, knownAt=at))["seatBalances"]}
        for at in (april, june)
    ]
    assert list(before.values()) == known_in_april
    differs = {name: after["editor"][name] - before["editor"][name] for name in ("inUse", "committed")}
    assert differs == {"inUse": -3, "committed": -2}
    assert after["viewer"] == before["viewer"]


@pytest.mark.parametrize("mode", ["PRORATED_IMMEDIATELY", "PRORATED_ON_NEXT_INVOICE"])
async def test_every_line_leads_to_its_events(portal: Portal, mode: str) -> None:
    """Two more editors on 21 April for 10 of 30 days: the event names the line of 2 × 10.00 × 10/30 = 6.67,
    whether it was billed at once or waits; the start names April's line.
    """
    diary = await (await Diary.opened(portal, "2026-04-01")).starts("simple", editor=3)
    await diary.on("2026-04-21").changes(editor="+2", mode=mode)

    events = [edge["node"] for edge in reversed((await diary.page())["seatEvents"]["edges"])]
    assert [[row["formula"] for row in event["invoiceLines"]] for event in events] == [
        ["3 seats × 10.00 USD"],
        ["2 seats × 10.00 USD × 10/30 days"],
    ]
