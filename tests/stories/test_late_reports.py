"""Reports may come late and be corrected: in the end exactly what was used is billed, and only once."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import pytest
from sqlalchemy import select

from app.billing.ledger import Holder
from app.billing.parties import CustomerKind
from app.billing.periods import BillingInterval
from app.services.billing_run import everything
from app.services.record_seats import SeatCorrection, SeatReport, SeatsRecorded, correct_seats, record_seats
from app.services.register_customer import NewCustomer
from app.services.start_subscription import StartSubscription
from app.store.tables import billing_line
from app.store.transaction import Tx
from tests.portal import VENDOR, Portal
from tests.stories.diary import AMERICAN, Diary, instant
from tests.stories.test_usage import new_york

LIVES: Final = 5
PLANS: Final = (("peak", 0), ("fair", 0), ("rising", 0), ("people", 0), ("open", 3))
FIRSTS: Final = (
    "2026-05-01",
    "2026-06-01",
    "2026-07-01",
    "2026-08-01",
    "2026-09-01",
    "2026-10-01",
    "2026-11-01",
)


@dataclass(slots=True)
class Twin:
    """One of two customers to whom the same happens; only when it is told is different."""

    portal: Portal
    customer: UUID
    recorded: dict[datetime | None, UUID] = field(default_factory=dict)

    @classmethod
    async def starting(cls, portal: Portal, name: str, plan: str, editor: int) -> Twin:
        """On 1 April, with what is paid in advance."""
        portal.clock.now = instant("2026-04-01", "09:00", "America/New_York")
        new = NewCustomer(name, name, "USD", "America/New_York", "en", CustomerKind.TEST, AMERICAN)
        customer = await portal.register(new)
        interval = BillingInterval.YEAR if plan == "open" else BillingInterval.MONTH
        seats = (("editor", editor),) if editor else ()
        await portal.start(customer, StartSubscription(plan, interval, seats))
        return cls(portal, customer)

    async def told(self, report: SeatReport) -> None:
        done = await self.portal.store.run(self.customer, record_seats, VENDOR, report)
        assert isinstance(done, SeatsRecorded), done
        self.recorded[report.effective_at] = done.events[-1].id

    async def corrected(self, report: SeatReport) -> None:
        wanted = SeatCorrection(self.recorded[report.effective_at], report.added or 0, 0, "one came")
        done = await self.portal.store.run(self.customer, correct_seats, VENDOR, wanted)
        assert isinstance(done, SeatsRecorded), done

    async def use_billed(self) -> dict[tuple[datetime, datetime], int]:
        """What was billed for each stretch of use, in minor units."""
        async with self.portal.store.reads(self.customer) as scope:
            return await scope.run(_sums)


def _sums(tx: Tx) -> dict[tuple[datetime, datetime], int]:
    query = select(billing_line).where(billing_line.c.customer_id == tx.customer)
    sums: Counter[tuple[datetime, datetime]] = Counter()
    for row in tx.connection.execute(query):
        if row.kind.in_arrears:
            sums[row.period_start, row.period_end] += row.amount
    return {period: minor for period, minor in sums.items() if minor}


@dataclass(frozen=True, slots=True)
class Happening:
    """Somebody takes a seat or gives one back; told at once, some days later, or wrongly at first."""

    report: SeatReport
    days_late: int
    wrong_first: bool


@dataclass(frozen=True, slots=True)
class Entry:
    """What happens at an instant: something is told, or (without a twin) the billing run comes."""

    at: datetime
    twin: Twin | None = None
    report: SeatReport | None = None
    corrects: bool = False

    async def happens(self, portal: Portal) -> None:
        if self.twin is None or self.report is None:
            assert (await everything(portal.store)).parked == []
        elif self.corrects:
            await self.twin.corrected(self.report)
        else:
            await self.twin.told(self.report)


def happenings(chance: random.Random) -> list[Happening]:
    """Three months of comings and goings of ten people, at any minute, in their order."""
    here: set[str] = set()
    found = []
    start, end = (instant(day, "10:00", "America/New_York") for day in ("2026-04-01", "2026-06-29"))
    minutes = sorted(chance.sample(range(int((end - start) / timedelta(minutes=1))), 14))
    for minute in minutes:
        name = f"person-{chance.randrange(10)}"
        leaves = name in here
        here ^= {name}
        at = start + timedelta(minutes=minute)
        report = SeatReport(
            "editor",
            added=None if leaves else 1,
            removed=1 if leaves else None,
            holder=Holder(name),
            effective_at=at,
        )
        found.append(Happening(report, chance.choice([0, 0, 1, 9, 35, 50]), chance.random() < 0.2))
    return found


@pytest.mark.parametrize(("plan", "editor"), PLANS)
async def test_use_that_was_told_late_is_billed_as_if_it_had_been_told_in_time(
    portal: Portal, plan: str, editor: int
) -> None:
    """Random lives of twins: one reports at once, the other late by up to 50 days and sometimes wrongly at
    first. When all is told and the next document made, every stretch of use has come to the same; and another
    billing run changes nothing.
    """
    seed = random.randrange(10**9)
    chance = random.Random(seed)
    late_lines = 0
    for life in range(LIVES):
        prompt, tardy = [
            await Twin.starting(portal, f"{who}-{life}", plan, editor) for who in ("prompt", "tardy")
        ]
        await _live(portal, prompt, tardy, happenings(chance), chance)
        expected, found = await prompt.use_billed(), await tardy.use_billed()
        assert found == expected, f"seed {seed}, life {life}"
        assert (await everything(portal.store)).parked == []
        assert await tardy.use_billed() == expected
        late_lines += bool(expected)
    print(f"seed {seed}: {LIVES} lives on {plan}, {late_lines} with use billed")  # noqa: T201
    assert late_lines > LIVES // 2


async def _live(
    portal: Portal, prompt: Twin, tardy: Twin, life: list[Happening], chance: random.Random
) -> None:
    """Play both lives in the order of the clock, with a billing run a month, until all is told and billed."""
    entries = [Entry(instant(day, "06:00", "America/New_York")) for day in FIRSTS]
    last_told: dict[str, datetime] = {}
    for happening in life:
        at, holder = happening.report.effective_at, happening.report.holder
        assert at
        assert holder
        entries.append(Entry(at, prompt, happening.report))
        told_at = max(at + timedelta(days=happening.days_late), last_told.get(holder.reference, at))
        told = _tardily(tardy, happening, told_at, chance)
        last_told[holder.reference] = told[-1].at + timedelta(seconds=1)
        entries += told
    for entry in sorted(entries, key=lambda entry: entry.at):
        portal.clock.now = entry.at
        await entry.happens(portal)


def _tardily(twin: Twin, happening: Happening, at: datetime, chance: random.Random) -> list[Entry]:
    """How the late twin tells it: one time in five that two came, which is corrected some days afterwards."""
    report = happening.report
    if not (happening.wrong_first and report.added):
        return [Entry(at, twin, report)]
    corrected = at + timedelta(days=chance.choice([1, 20, 45]))
    return [Entry(at, twin, replace(report, added=2)), Entry(corrected, twin, report, corrects=True)]


async def test_what_is_told_after_the_end(portal: Portal) -> None:
    """Twenty in use on the 5th, and the end on 16 April: 20 × 10.00 × 15/30 = 100.00. In May 26 are told of
    the 10th, 130.00: the difference is invoiced when the month is over, once. In July it was 23 after all: a
    credit note of 15.00.
    """
    diary = await (await Diary.opened(portal, "2026-04-01")).starts("peak")
    await diary.on("2026-04-05").reports(total=20)
    await diary.on("2026-04-16").ends(timing="NOW")
    event = await diary.on("2026-05-12").reports(added=6, effective_at=new_york("2026-04-10"))
    await diary.is_billed()
    assert [paper.total for paper in await diary.invoices()] == ["100.00"]

    for day in ("2026-06-01", "2026-07-01"):
        await diary.on(day).is_billed()
    _, late = await diary.invoices()
    assert late.lines == ["26 seats × 10.00 USD × 15/30 days \u2212 100.00 USD = 30.00"]
    assert (late.issued_on, await diary.status()) == ("2026-06-01", "ENDED")

    await diary.on("2026-07-05").corrects(event, "three came", added=3)
    await diary.on("2026-08-02").is_billed()
    (note,) = await diary.credit_notes()
    assert note.lines == ["23 seats × 10.00 USD × 15/30 days \u2212 130.00 USD = -15.00"]


async def test_what_is_told_of_an_earlier_subscription(portal: Portal) -> None:
    """Five more of April are told when another subscription runs: they are billed for the one that had ended,
    5 × 10.00 × 15/30 = 25.00, and the one that runs goes on as it was.
    """
    diary = await (await Diary.opened(portal, "2026-04-01")).starts("peak")
    await diary.on("2026-04-05").reports(total=20)
    await diary.on("2026-04-16").ends(timing="NOW")
    await diary.on("2026-05-01").starts("simple", editor=3)
    await diary.on("2026-05-12").reports(added=5, effective_at=new_york("2026-04-10"))
    await diary.on("2026-06-01").is_billed()

    papers = await diary.invoices()
    assert sorted(paper.total for paper in papers[2:]) == ["25.00", "30.00"]
