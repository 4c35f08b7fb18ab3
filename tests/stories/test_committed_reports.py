"""Seats that were asked for somewhere else than on the page, as the vendor tells them, some days late."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from app.billing.refusals import InvalidInput
from app.services.report_committed import CommittedRecorded, CommittedReport, report_committed
from tests.portal import VENDOR, Portal
from tests.stories.diary import Diary
from tests.stories.page import line


async def tells(diary: Diary, **what: Any) -> CommittedRecorded | InvalidInput:
    """The vendor reports committed editors."""
    report = CommittedReport("editor", **what)
    done = await diary.portal.store.run(diary.customer, report_committed, VENDOR, report)
    assert isinstance(done, CommittedRecorded | InvalidInput), done
    return done


def noon(day: str) -> datetime:
    """Noon of a day in New York."""
    return datetime.fromisoformat(f"{day}T16:00:00").replace(tzinfo=UTC)


async def test_seats_told_four_days_late(portal: Portal) -> None:
    """Ten editors; on 20 April it is told that five more were sold on the 16th: 5 × 15.00 × 15/30 = 37.50
    wait for May's 99.00 + 10 × 15.00 = 249.00. On 21 May three are given up as of the 17th: 3 × 15.00 × 15/31
    = 21.774 come off June's 99.00 + 7 × 15.00 = 204.00.
    """
    diary = await (await Diary.opened(portal, "2026-04-01")).starts("team", editor=10)
    done = await tells(diary.on("2026-04-20"), added=5, effective_at=noon("2026-04-16"))
    assert isinstance(done, CommittedRecorded)
    assert done.committed == 15
    assert len(await diary.invoices()) == 1
    upcoming = (await diary.page())["upcomingInvoice"]
    assert line(upcoming["lines"][0]) == "5 seats × 15.00 USD × 15/30 days = 37.50"

    await diary.on("2026-05-01").is_billed()
    may = (await diary.invoices())[-1]
    assert (may.lines[0], may.total) == ("5 seats × 15.00 USD × 15/30 days = 37.50", "286.50")
    assert may.descriptions[0] == "5 Editor seats added"

    await tells(diary.on("2026-05-21"), total=12, effective_at=noon("2026-05-17"))
    await diary.on("2026-06-01").is_billed()
    june = (await diary.invoices())[-1]
    assert june.lines[0] == "\u22123 seats × 15.00 USD × 15/31 days = -21.77"
    assert june.total == "182.23"


async def test_a_year_collects_what_was_told_by_the_month(portal: Portal) -> None:
    """In a yearly term three seats of 12 April, told on 20 June, are billed when June ends, not for a month
    that is over: 3 × 100.00 × 354/365 = 290.958, so 290.96.
    """
    diary = await (await Diary.opened(portal, "2026-04-01")).starts("open", "YEAR", editor=5)
    await tells(diary.on("2026-06-20"), added=3, effective_at=noon("2026-04-12"))
    await diary.is_billed()
    assert len(await diary.invoices()) == 1
    await diary.on("2026-07-01").is_billed()
    july = (await diary.invoices())[-1]
    assert july.lines == ["3 seats × 100.00 USD × 354/365 days = 290.96"]
    assert july.issued_on == "2026-07-01"


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ({"added": 1, "effective_at": noon("2026-03-31")}, "can be told back to 2026-04-01"),
        ({"removed": 11}, "fewer than no editor seats would be committed"),
        ({"added": 1, "total": 3}, "Give one of added, removed and total"),
        ({"added": 1, "effective_at": noon("2026-05-11")}, "Seats cannot be committed in the future"),
    ],
)
async def test_what_cannot_be_told(portal: Portal, what: dict[str, Any], message: str) -> None:
    """Before the subscription began, below nothing, in two ways at once, in the future: refused, and why."""
    diary = await (await Diary.opened(portal, "2026-04-01")).starts("team", editor=10)
    refused = await tells(diary.on("2026-05-10"), **what)

    assert isinstance(refused, InvalidInput)
    assert message in refused.message
