"""What becomes of credit: it lowers what is open, the oldest invoice first, and then pays renewals for as
long as was said when it arose.
"""

from __future__ import annotations

from tests.portal import Portal
from tests.stories.diary import Diary


async def test_a_credit_note_lowers_the_oldest_open_invoice_first(portal: Portal) -> None:
    """10 editors: 100.00 open. Five more on the 11th: 5 × 10.00 × 20/30 = 33.33 open, too. On the 16th 12 go:
    5 × 10.00 × 15/30 = 25.00 and 7 × 10.00 × 15/30 = 35.00 are 60.00, all taken off the first invoice. Both
    are paid, and the last three go: 15.00 join the balance.
    """
    diary = await (await Diary.opened(portal, "2026-04-01")).starts("simple", editor=10)
    await diary.on("2026-04-11").changes(editor=15)

    less = await diary.on("2026-04-16").changes(editor=3)

    assert less.credit_note
    assert (less.credit_note.total, less.credit_added) == ("-60.00", "0.00")
    april, more = await diary.invoices()
    assert (april.open, more.open) == ("40.00", "33.33")
    assert less.quote["creditCoversUntil"] is None
    await diary.pays(april)
    await diary.pays(more)
    rest = await diary.on("2026-04-16").changes(editor=0)
    assert rest.credit_added == (await diary.page())["creditBalance"]["amount"] == "15.00"


async def test_credit_pays_renewals_until_the_day_that_was_said(portal: Portal) -> None:
    """100 editors, 1,000.00 paid. On 2 April 90 go: 90 × 10.00 × 29/30 = 870.00 in hand. The quote says that
    they cover the renewals until 1 January: May to December are 8 × 100.00, and of January 30.00 are left to
    pay. So it happens, month by month; and every other way of the same change says its own day.
    """
    diary = await (await Diary.opened(portal, "2026-04-01")).starts("simple", editor=100)
    (april,) = await diary.invoices()
    await diary.pays(april)

    fewer = await diary.on("2026-04-02").changes(editor=10)

    assert fewer.credit_added == "870.00"
    assert fewer.quote["creditCoversUntil"] == "2027-01-01"
    assert fewer.quote["summary"].endswith("Your credit balance covers your renewals until 1 January 2027.")
    ways = {
        (each["prorationMode"], each["timing"]): each["creditCoversUntil"]
        for each in fewer.quote["alternatives"]
    }
    assert ways == {
        ("PRORATED_IMMEDIATELY", "NOW"): "2027-01-01",
        ("PRORATED_ON_NEXT_INVOICE", "NOW"): "2027-01-01",  # In hand from May on.
        ("PRORATED_IMMEDIATELY", "AT_RENEWAL"): None,
    }
    for month in range(5, 13):
        await diary.on(f"2026-{month:02}-01").is_billed()
        paper = (await diary.invoices())[-1]
        assert (paper.issued_on, paper.total, paper.amount_due) == (f"2026-{month:02}-01", "100.00", "0.00")
    await diary.on("2027-01-01").is_billed()
    january = (await diary.invoices())[-1]
    assert (january.credit_applied, january.amount_due) == ("70.00", "30.00")


async def test_credit_that_pays_a_part_is_said_to(portal: Portal) -> None:
    """10 editors, paid. One goes in the middle of April: 5.00 in hand pay a part of the 90.00 of May."""
    diary = await (await Diary.opened(portal, "2026-04-01")).starts("simple", editor=10)
    (april,) = await diary.invoices()
    await diary.pays(april)

    quote = await diary.on("2026-04-16").previews(editor=9)

    assert quote["creditCoversUntil"] == quote["renewsOn"] == "2026-05-01"
    assert quote["summary"].endswith("Your credit balance pays a part of what is due on 1 May 2026.")
