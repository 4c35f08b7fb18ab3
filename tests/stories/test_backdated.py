"""Committed seats of months that are over: told late, corrected, or stated as a total that stays true."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from app.billing.ledger import BalanceKind
from app.billing.refusals import InvalidInput
from app.services.report_committed import (
    CommittedCorrection,
    CommittedRecorded,
    CommittedReport,
    correct_committed,
    report_committed,
)
from app.store import seats
from app.store.seats import EventFilter
from app.store.tables import billing_line
from app.store.transaction import Tx
from tests.portal import VENDOR, Portal
from tests.stories.diary import Diary
from tests.stories.page import line

MINUS = "\u2212"


async def tells(diary: Diary, **what: Any) -> int:
    """The vendor reports committed editors; how many there are now."""
    report = CommittedReport("editor", **what)
    done = await diary.portal.store.run(diary.customer, report_committed, VENDOR, report)
    assert isinstance(done, CommittedRecorded), done
    return done.committed


async def corrects(diary: Diary, event: UUID, added: int, removed: int = 0) -> int | str:
    """The vendor says what an event should have said; the seats now, or why it cannot be."""
    wanted = CommittedCorrection(event, added, removed)
    done = await diary.portal.store.run(diary.customer, correct_committed, VENDOR, wanted)
    if isinstance(done, InvalidInput):
        return done.message
    assert isinstance(done, CommittedRecorded), done
    return done.committed


async def newest(diary: Diary) -> UUID:
    """The event of committed seats that was recorded last."""

    def find(tx: Tx) -> UUID:
        events = seats.events_page(tx, EventFilter(), limit=50)
        asked = [event for event in events if event.delta.kind is BalanceKind.COMMITTED]
        return max(asked, key=lambda event: event.id).id

    async with diary.portal.store.reads(diary.customer) as scope:
        return await scope.run(find)


async def waiting(diary: Diary) -> list[str]:
    """The lines that the next document will hold beside those of its own period."""
    lines = (await diary.page())["upcomingInvoice"]["lines"]
    return [line(row) for row in lines if row["kind"] != "PERIOD"]


def noon(day: str) -> datetime:
    """Noon of a day in New York."""
    return datetime.fromisoformat(f"{day}T16:00:00").replace(tzinfo=UTC)


async def test_seats_told_two_documents_late(portal: Portal) -> None:
    """Ten editors, five of them included. On 10 June five more are told of 16 April: April 5 × 15.00 × 15/30
    = 37.50, May 5 × 15.00 = 75.00, June 75.00; July's own is 99.00 + 10 × 15.00 = 249.00, so 436.50. The
    invoices of May and June keep their bytes.
    """
    diary = await (await Diary.opened(portal, "2026-04-01")).starts("team", editor=10)
    for day in ("2026-05-01", "2026-06-01"):
        await diary.on(day).is_billed()
    before = await diary.invoices()
    assert await tells(diary.on("2026-06-10"), added=5, effective_at=noon("2026-04-16")) == 15

    await diary.on("2026-07-01").is_billed()
    *issued, july = await diary.invoices()
    assert issued == before
    assert july.lines[:3] == [
        "5 seats × 15.00 USD × 15/30 days = 37.50",
        "5 seats × 15.00 USD = 75.00",
        "5 seats × 15.00 USD = 75.00",
    ]
    assert july.descriptions[:3] == ["Backdated: 5 Editor seats added"] * 2 + ["5 Editor seats added"]
    assert july.total == "436.50"


async def test_each_day_has_the_price_of_its_plan(portal: Portal) -> None:
    """Eight editors for 10.00 until the 15th of May, then on Team for 15.00. Two more since the 11th, told on
    10 June: 2 × 10.00 × 5/31 = 3.23, 2 × 15.00 × 16/31 = 15.48, and June 30.00.
    """
    diary = await (await Diary.opened(portal, "2026-05-01")).starts("simple", editor=8)
    await diary.on("2026-05-16").changes(plan="team")
    await diary.on("2026-06-01").is_billed()
    await tells(diary.on("2026-06-10"), added=2, effective_at=noon("2026-05-11"))

    assert await waiting(diary) == [
        "2 seats × 10.00 USD × 5/31 days = 3.23",
        "2 seats × 15.00 USD × 16/31 days = 15.48",
        "2 seats × 15.00 USD = 30.00",
    ]


async def test_a_wrong_start_is_corrected_and_corrected_again(portal: Portal) -> None:
    """Twelve at the start were ten: −2 × 15.00 = −30.00 for April and for May. Then they were eleven: 15.00
    back for each. June is 99.00 + 6 × 15.00 = 189.00, less 60.00, plus 30.00. What was corrected cannot be
    corrected again, nor below nothing.
    """
    diary = await (await Diary.opened(portal, "2026-04-01")).starts("team", editor=12)
    start = await newest(diary)
    await diary.on("2026-05-01").is_billed()
    assert await corrects(diary.on("2026-05-20"), start, 10) == 10
    assert await waiting(diary) == [f"{MINUS}2 seats × 15.00 USD = -30.00"] * 2
    assert "corrected already" in str(await corrects(diary, start, 9))
    again = await newest(diary)
    assert "2026-04-01 fewer than no editor seats" in str(await corrects(diary, again, 0, 5))
    assert await corrects(diary.on("2026-05-21"), again, 11) == 11

    await diary.on("2026-06-01").is_billed()
    june = (await diary.invoices())[-1]
    assert june.lines[:4] == [f"{MINUS}2 seats × 15.00 USD = -30.00"] * 2 + ["1 seat × 15.00 USD = 15.00"] * 2
    assert june.total == "159.00"


async def test_what_was_paid_too_much_comes_off_the_invoices_that_billed_it(portal: Portal) -> None:
    """A hundred at the start were ten: 90 × 15.00 = 1,350.00 for April and for May. June's own is 99.00 +
    75.00 = 174.00: a credit note of 2,526.00. Of the two open invoices of 99.00 + 95 × 15.00 = 1,524.00 it
    takes all but 522.00.
    """
    diary = await (await Diary.opened(portal, "2026-04-01")).starts("team", editor=100)
    await diary.on("2026-05-01").is_billed()
    await corrects(diary.on("2026-05-20"), await newest(diary), 10)
    await diary.on("2026-06-01").is_billed()

    (note,) = await diary.credit_notes()
    assert note.total == "-2526.00"
    assert [invoice.total for invoice in await diary.invoices()] == ["1524.00", "1524.00"]
    rows = (await diary.page())["invoices"]["edges"]
    assert sum(float(edge["node"]["amountOpen"]["amount"]) for edge in rows) == 522.0


async def test_no_more_is_given_back_than_was_billed(portal: Portal) -> None:
    """Five more seats of the 11th were billed 0.00 until the renewal. That they were never there gives back
    nothing for April, and −5 × 15.00 = −75.00 for May.
    """
    diary = await (await Diary.opened(portal, "2026-04-01")).starts("team", editor=7)
    await diary.on("2026-04-11").changes(editor="+5", mode="DO_NOT_BILL")
    event = await newest(diary)
    await diary.on("2026-05-01").is_billed()
    await corrects(diary.on("2026-05-10"), event, 0)
    assert await waiting(diary) == [f"{MINUS}5 seats × 15.00 USD = -75.00"]


async def test_what_should_be_billed_is_the_limit(portal: Portal) -> None:
    """Of twelve since the 11th, five billed 0.00, six are told to have gone: of April's 2 × 15.00 = 30.00 one
    seat of 20 days comes back, 10.00; it should have been 2 × 15.00 × 10/30 + 15.00 × 20/30 = 20.00.
    """
    diary = await (await Diary.opened(portal, "2026-04-01")).starts("team", editor=7)
    await diary.on("2026-04-11", "09:00").changes(editor="+5", mode="DO_NOT_BILL")
    await diary.on("2026-05-01").is_billed()
    await tells(diary.on("2026-05-10"), removed=6, effective_at=noon("2026-04-11"))
    assert await waiting(diary) == [
        f"max({MINUS}6 seats × 15.00 USD × 20/30 days, 20.00 {MINUS} 30.00 USD) = -10.00",
        f"{MINUS}6 seats × 15.00 USD = -90.00",
    ]


async def test_seats_that_stayed_paid_are_not_charged_again(portal: Portal) -> None:
    """Of ten seats five are given up on 11 May without credit, and stay paid. Three that were never given up
    cost nothing in May; in June they are 3 × 15.00 = 45.00.
    """
    diary = await (await Diary.opened(portal, "2026-05-01")).starts("team", editor=15)
    await diary.on("2026-05-11").changes(editor=10, mode="DO_NOT_BILL")
    await diary.on("2026-06-01").is_billed()
    await tells(diary.on("2026-06-10"), added=3, effective_at=noon("2026-05-12"))
    assert await waiting(diary) == ["3 seats × 15.00 USD = 45.00"]


async def test_a_total_that_was_stated_stays_true(portal: Portal) -> None:
    """Fifteen were stated for 10 May. Three more of 20 April, told in June, end there: 3 × 15.00 × 11/30 =
    16.50 and 3 × 15.00 × 9/31 = 13.06, and nothing since. Two fewer of 8 June, when twenty were stated for
    the 12th, are −2 × 15.00 × 4/30 = −4.00.
    """
    diary = await (await Diary.opened(portal, "2026-04-01")).starts("team", editor=10)
    await diary.on("2026-05-01").is_billed()
    assert await tells(diary.on("2026-05-12"), total=15, effective_at=noon("2026-05-10")) == 15
    await diary.on("2026-06-01").is_billed()
    assert await tells(diary.on("2026-06-12"), added=3, effective_at=noon("2026-04-20")) == 15
    assert await waiting(diary) == [
        "3 seats × 15.00 USD × 11/30 days = 16.50",
        "3 seats × 15.00 USD × 9/31 days = 13.06",
    ]
    assert await tells(diary, total=20) == 20
    assert await tells(diary.on("2026-06-20"), removed=2, effective_at=noon("2026-06-08")) == 20
    assert (await waiting(diary))[-1] == f"{MINUS}2 seats × 15.00 USD × 4/30 days = -4.00"


async def test_overage_follows_the_seats_that_were_bought(portal: Portal) -> None:
    """Twelve use ten seats of a yearly term: April's overage is 2 × 12.00 = 24.00. On 20 May two more are
    told of 20 April: nothing was above the limit, so 24.00 come back; 2 × 100.00 × 346/365 = 189.59 are due.
    """
    diary = await (await Diary.opened(portal, "2026-04-01")).starts("open", "YEAR", editor=10)
    await diary.reports(total=12)
    await diary.on("2026-05-01").is_billed()
    assert (await diary.invoices())[-1].lines == ["2 seats × 12.00 USD = 24.00"]
    await tells(diary.on("2026-05-20"), added=2, effective_at=noon("2026-04-20"))

    await diary.on("2026-06-01").is_billed()
    june = (await diary.invoices())[-1]
    assert june.lines == [
        "2 seats × 100.00 USD × 346/365 days = 189.59",
        f"0.00 USD {MINUS} 24.00 USD = -24.00",
    ]


async def test_the_limit_of_yesterday_is_not_that_of_today(portal: Portal) -> None:
    """Twelve use ten seats. On the 16th two more are bought in the morning, and the plan changes in the
    afternoon: until midnight two were above the limit, 2 × 12.00 × 15/30 = 12.00.
    """
    diary = await (await Diary.opened(portal, "2026-04-01")).starts("open", "YEAR", editor=10)
    await diary.reports(total=12)
    await diary.on("2026-04-16", "09:00").changes(editor="+2")
    change = await diary.on("2026-04-16", "15:00").changes(plan="simple")

    assert change.invoice
    assert "2 seats × 12.00 USD × 15/30 days = 12.00" in change.invoice.lines


@pytest.mark.parametrize("plan", ["simple", "team"])
async def test_late_or_at_once_comes_to_the_same(portal: Portal, plan: str) -> None:
    """Random seats of two customers, told to one at once and of the other up to a hundred days late, with a
    billing run a month. When all is told and billed, both have paid the same but for the roundings: at most
    half a cent for each line. And the books of the late one hold as many seats.
    """
    seed = random.randrange(10**9)
    chance = random.Random(seed)
    prompt = await (await Diary.opened(portal, "2026-04-01", name=f"prompt-{seed}")).starts(plan, editor=20)
    tardy = await (await Diary.opened(portal, "2026-04-01", name=f"tardy-{seed}")).starts(plan, editor=20)
    entries: list[tuple[datetime, Diary | None, dict[str, Any]]] = [
        (noon(f"2026-{month:02}-01"), None, {}) for month in range(5, 13)
    ]
    for day in sorted(chance.sample(range(100), 12)):
        at, net = noon("2026-04-02") + timedelta(days=day), chance.choice([-2, -1, 1, 3, 6])
        what = {"added": net} if net > 0 else {"removed": -net}
        entries.append((at, prompt, what))
        late = timedelta(days=chance.randrange(100), seconds=1)
        entries.append((at + late, tardy, {**what, "effective_at": at}))
    for at, diary, what in sorted(entries, key=lambda entry: entry[0]):
        portal.clock.now = at
        if diary is None:
            await prompt.is_billed()
        else:
            await tells(diary, **what)
    portal.clock.now = noon("2027-01-01")
    await prompt.is_billed()

    (paid, lines), (late_paid, late_lines) = await billed_seats(prompt), await billed_seats(tardy)
    assert abs(paid - late_paid) <= (lines + late_lines) / 2, f"seed {seed}: {paid} and {late_paid}"
    assert lines != late_lines
    assert await committed(prompt) == await committed(tardy)


async def billed_seats(diary: Diary) -> tuple[int, int]:
    """What the seats of a customer came to in minor units, and with how many lines."""

    def find(tx: Tx) -> tuple[int, int]:
        query = select(billing_line.c.amount).where(
            billing_line.c.customer_id == tx.customer, billing_line.c.item == "editor"
        )
        amounts = list(tx.connection.execute(query).scalars())
        return sum(amounts), len(amounts)

    async with diary.portal.store.reads(diary.customer) as scope:
        return await scope.run(find)


async def committed(diary: Diary) -> int:
    """The editors that are committed now."""
    seats = (await diary.page())["subscription"]["seats"]
    return int(next(row["committed"] for row in seats if row["metric"]["code"] == "editor"))


async def test_one_price_for_all_seats_is_one_term(portal: Portal) -> None:
    """Ten until 10 April, then twelve; three more since the 6th, told in May: 3 × 10.00 × 25/30 = 25.00 in
    one term, whatever else there was meanwhile.
    """
    diary = await (await Diary.opened(portal, "2026-04-01")).starts("simple", editor=10)
    await diary.on("2026-04-11").changes(editor=12)
    await diary.on("2026-05-01").is_billed()
    await tells(diary.on("2026-05-10"), added=3, effective_at=noon("2026-04-06"))
    assert (await waiting(diary))[0] == "3 seats × 10.00 USD × 25/30 days = 25.00"
