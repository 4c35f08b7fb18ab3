"""The presets whose seats are ordered and paid in advance, each by the rule that it stands for.

Where the product has published an example with numbers, the story tells that example.
"""

from __future__ import annotations

from tests.portal import Portal
from tests.stories.published import opened


async def test_github(portal: Portal) -> None:
    """The rule: "Adding seats is prorated and grants immediate access. Removing seats takes effect in the
    next cycle." What waits can be looked at and cancelled.

    10 seats at 4.00 on 1 April: 40.00. Five more on the 16th for 15 of 30 days: 5 × 4.00 × 15/30 = 10.00 at
    once. Three fewer on the 20th: nothing back, it cannot be hastened, and May costs 12 × 4.00 = 48.00. Two
    more fewer are taken back again, so June costs the same.
    """
    diary = await opened(portal, "2026-04-01", "github", "4.00", editor=10)
    added = await diary.on("2026-04-16").changes(editor="+5")
    assert added.invoice
    assert added.invoice.lines == ["5 seats × 4.00 USD × 15/30 days = 10.00"]

    assert (await diary.on("2026-04-20").is_refused(editor="-3", timing="NOW"))["__typename"] == (
        "ProrationModeNotAllowed"
    )
    removed = await diary.changes(editor="-3")
    assert (removed.invoice, removed.credit_note, removed.quote["lines"]) == (None, None, [])
    (waits,) = removed.scheduled
    assert waits["summary"] == "From 1 May 2026: 12 Editor seats instead of 15."

    await diary.on("2026-05-04").is_billed()
    fewer = await diary.changes(editor="-2")
    assert await diary.cancels(fewer.scheduled[0]) == "ScheduledChangeCancelled"
    await diary.on("2026-06-02").is_billed()
    april, _, may, june = await diary.invoices()
    assert april.lines == ["10 seats × 4.00 USD = 40.00"]
    assert may.lines == june.lines == ["12 seats × 4.00 USD = 48.00"]


async def test_figma(portal: Portal) -> None:
    """An annual seat added is charged "a prorated fee for each seat at your next monthly invoice", for the
    rest of the year; "even if a seat is later downgraded, the charge still applies", and others can have it.

    10 seats at 192.00 from 15 March 2025: 1920.00. Five more on 20 September: 176 of 365 days are left, 5 ×
    192.00 × 176/365 = 462.90 (462.904), on the invoice of 15 October. Four fewer in November: nothing back;
    three of them are wanted again in January: nothing to pay. The year from 15 March 2026 costs what was
    wanted last, 14 × 192.00 = 2688.00.
    """
    diary = await opened(portal, "2025-03-15", "figma", "192.00", "YEAR", editor=10)
    added = await diary.on("2025-09-20").changes(editor=15)
    assert added.invoice is None
    await diary.on("2025-11-03").is_billed()
    year, autumn = await diary.invoices()
    assert year.lines == ["10 seats × 192.00 USD = 1920.00"]
    assert autumn.lines == ["5 seats × 192.00 USD × 176/365 days = 462.90"]
    assert autumn.issued_on == "2025-10-15"

    assert (await diary.changes(editor=11)).credit_note is None
    again = await diary.on("2026-01-12").changes(editor=14)
    assert (again.invoice, again.credit_note, again.quote["lines"]) == (None, None, [])
    await diary.on("2026-03-16").is_billed()
    assert [invoice.lines for invoice in (await diary.invoices())[2:]] == [
        ["14 seats × 192.00 USD = 2688.00"]
    ]


async def test_miro(portal: Portal) -> None:
    """The renewal is on 1 October and somebody joins on 15 September: "$10/30 days x 16 remaining days =
    $5.33" on that day. Removing "will not trigger an immediate refund; instead, the unused time is credited
    to your next bill": one fewer from 17 October on is −10.00 × 15/31 = −4.84 (4.8387) on 1 November.
    """
    diary = await opened(portal, "2026-09-01", "miro", "10.00", editor=4)
    assert (await diary.on("2026-09-15").changes(editor="+1")).invoice is None
    await diary.on("2026-10-02").is_billed()
    removed = await diary.on("2026-10-17").changes(editor="-1")
    assert (removed.invoice, removed.credit_note) == (None, None)
    await diary.on("2026-11-02").is_billed()
    _, october, november = await diary.invoices()
    assert october.lines == ["1 seat × 10.00 USD × 16/30 days = 5.33", "5 seats × 10.00 USD = 50.00"]
    assert november.lines == [
        "\u22121 seat × 10.00 USD × 15/31 days = -4.84",
        "4 seats × 10.00 USD = 40.00",
    ]


async def test_miro_by_the_year(portal: Portal) -> None:
    """Subscribed on 17 August, somebody joins on 2 September: "On Sep 17, you will be additionally charged a
    prorated amount … (from Sep 2 to August 17 of the next year)". At 96.00 a year: 16 of 365 days are over,
    96.00 × 349/365 = 91.79 (91.792).
    """
    diary = await opened(portal, "2026-08-17", "miro", "96.00", "YEAR", editor=1)
    await diary.on("2026-09-02").changes(editor=2)
    await diary.on("2026-09-20").is_billed()
    _, september = await diary.invoices()
    assert september.lines == ["1 seat × 96.00 USD × 349/365 days = 91.79"]
    assert september.issued_on == "2026-09-17"
    assert september.days == ["2026-09-02 – 2027-08-17"]


async def test_loom(portal: Portal) -> None:
    """15.00 per creator; "12 days into your billing period that started on November 1st, you add two"; "an
    additional $18 charge" for "the 18 days remaining" comes with the next invoice: 2 × 15.00 × 18/30. Whoever
    is downgraded on the 20th stays until the renewal, without a refund: December is 4 × 15.00 = 60.00.
    """
    diary = await opened(portal, "2026-11-01", "loom", "15.00", editor=3)
    assert (await diary.on("2026-11-13").changes(editor="+2")).invoice is None
    assert (await diary.on("2026-11-20").changes(editor="-1")).credit_note is None
    assert (await diary.page())["subscription"]["seats"] == [
        {"metric": {"code": "editor"}, "committed": 5, "atRenewal": 4}
    ]
    await diary.on("2026-12-01").is_billed()
    december = (await diary.invoices())[-1]
    assert december.lines == ["2 seats × 15.00 USD × 18/30 days = 18.00", "4 seats × 15.00 USD = 60.00"]
    assert december.total == "78.00"


async def test_asana(portal: Portal) -> None:
    """More seats are billed "pro rata … on the spot", fewer "only … upon your next renewal date", and nothing
    is refunded.

    Five seats for a year at 120.00: 600.00. From 1 April on ten, 275 of 365 days: 5 × 120.00 × 275/365 =
    452.05 (452.054), that day. Eight from the renewal on: 8 × 120.00 = 960.00.
    """
    diary = await opened(portal, "2026-01-01", "asana", "120.00", "YEAR", editor=5)
    added = await diary.on("2026-04-01").changes(editor=10)
    assert added.invoice
    assert added.invoice.lines == ["5 seats × 120.00 USD × 275/365 days = 452.05"]
    assert added.invoice.issued_on == "2026-04-01"
    assert (await diary.on("2026-09-10").changes(editor=8)).credit_note is None
    await diary.on("2027-01-02").is_billed()
    year, _, renewal = await diary.invoices()
    assert (year.total, renewal.lines) == ("600.00", ["8 seats × 120.00 USD = 960.00"])


async def test_dodo_prorates(portal: Portal) -> None:
    """`prorated_immediately` charges and credits the days left: "($10 × 5 seats) × (15 days / 30 days)" =
    25.00, and back again on the same day −25.00. Dodo leaves limits to the vendor: with 8 of 10 seats in use,
    five can be given up, 5 × 10.00 × 15/30 = 25.00 back.
    """
    diary = await opened(portal, "2026-04-01", "dodo", "10.00", editor=10)
    await diary.reports(added=8)
    diary.on("2026-04-16")
    added = await diary.changes(editor="+5", mode="PRORATED_IMMEDIATELY")
    assert added.invoice
    assert added.invoice.lines == ["5 seats × 10.00 USD × 15/30 days = 25.00"]
    back = await diary.changes(editor="-5")
    assert back.credit_note
    assert back.credit_note.lines == ["\u22125 seats × 10.00 USD × 15/30 days = -25.00"]
    fewer = await diary.changes(editor=5)
    assert fewer.credit_note
    assert fewer.credit_note.total == "-25.00"


async def test_dodo_takes_the_difference(portal: Portal) -> None:
    """`difference_immediately`: "charge full seat price", whatever the day; for removals "credit applied to
    future renewals". On 16 April five more cost 5 × 10.00 = 50.00. All is paid; on the 20th seven fewer give
    back 70.00, newest first: the 50.00 and two of the first ten. May is 8 × 10.00 = 80.00, of which 10.00 are
    due.
    """
    diary = await opened(portal, "2026-04-01", "dodo", "10.00", editor=10)
    added = await diary.on("2026-04-16").changes(editor=15, mode="DIFFERENCE_IMMEDIATELY")
    assert added.invoice
    assert added.invoice.lines == ["5 seats × 10.00 USD = 50.00"]
    for invoice in await diary.invoices():
        await diary.pays(invoice)
    removed = await diary.on("2026-04-20").changes(editor=8, mode="DIFFERENCE_IMMEDIATELY")
    assert removed.credit_note
    assert removed.credit_note.lines == [
        "\u22125 seats × 10.00 USD = -50.00",
        "\u22122 seats × 10.00 USD = -20.00",
    ]
    assert removed.credit_added == "70.00"
    await diary.on("2026-05-01").is_billed()
    may = (await diary.invoices())[-1]
    assert (may.total, may.credit_applied, may.amount_due) == ("80.00", "70.00", "10.00")


async def test_dodo_starts_the_cycle_anew(portal: Portal) -> None:
    """`full_immediately`: "charge full seat price, reset billing cycle", no credit. On 16 April 15 seats cost
    15 × 10.00 = 150.00 until 16 May; fewer in this mode cost their full price as well: 12 × 10.00 = 120.00
    from 20 April to 20 May. `do_not_bill` adds three for nothing until then.
    """
    diary = await opened(portal, "2026-04-01", "dodo", "10.00", editor=10)
    more = await diary.on("2026-04-16").changes(editor=15, mode="FULL_IMMEDIATELY")
    fewer = await diary.on("2026-04-20").changes(editor=12, mode="FULL_IMMEDIATELY")
    assert more.invoice
    assert fewer.invoice
    assert (more.invoice.lines, more.invoice.days) == (
        ["15 seats × 10.00 USD = 150.00"],
        ["2026-04-16 – 2026-05-16"],
    )
    assert (fewer.invoice.lines, fewer.invoice.days) == (
        ["12 seats × 10.00 USD = 120.00"],
        ["2026-04-20 – 2026-05-20"],
    )
    assert (await diary.on("2026-05-05").changes(editor=15, mode="DO_NOT_BILL")).invoice is None
    await diary.on("2026-05-20").is_billed()
    assert (await diary.invoices())[-1].total == "150.00"
