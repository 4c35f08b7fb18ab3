"""Why a line comes to its amount: each kind of line is derived again, from its events to the one rounding."""

from __future__ import annotations

from app.api.ids import Kind, decode_as
from app.services.explain_line import Explanation, explain_line
from app.services.report_committed import CommittedReport, report_committed
from tests.portal import VENDOR, Portal
from tests.stories.diary import Diary
from tests.stories.page import nodes
from tests.stories.test_usage import new_york

LINES = """{ customer {
  invoices { edges { node { lines { id } } } }
  creditNotes { edges { node { lines { id } } } }
} }"""


async def explained(diary: Diary) -> list[Explanation]:
    """The explanations of all lines of all documents, invoices first, oldest first."""
    found = (await diary.portal.ask(diary.token, LINES))["customer"]
    papers = nodes(found["invoices"]) + nodes(found["creditNotes"])
    ids = [decode_as(Kind.INVOICE_LINE, line["id"]) for paper in papers for line in paper["lines"]]
    async with diary.portal.store.reads(diary.customer) as scope:
        answers = [await scope.run(explain_line, id) for id in ids if id]
    assert all(isinstance(answer, Explanation) for answer in answers)
    return [answer for answer in answers if isinstance(answer, Explanation)]


def told(explanation: Explanation, *steps: str) -> list[str]:
    """What some steps of an explanation say."""
    return [step.text for step in explanation.steps if step.step in steps]


async def test_seats_added_and_given_back(portal: Portal) -> None:
    """Five seats more on 16 April are 5 × 15.00 × 15/30 = 37.5; two of them go on the 21st: 2 × 15.00 ×
    10/30. Each line leads to its event, and the credit to the line it takes back.
    """
    diary = await (await Diary.opened(portal, "2026-04-01")).starts("team", editor=10)
    await diary.on("2026-04-16").changes(editor=15)
    await diary.on("2026-04-21").changes(editor=13)
    fee, seats, added, credit = await explained(diary)

    assert told(fee, "price", "rounding") == [
        "99.00 USD = 99", "99 USD rounded once, half away from zero: 99.00 USD",
    ]  # fmt: skip
    assert told(seats, "quantity") == ["max(10 committed, minimum 0) \u2212 5 included, not below 0: 5"]
    assert told(seats, "event") == ["2026-04-01 13:00 UTC: +10 committed, 10 then (START)"]
    assert added.formula == "5 seats × 15.00 USD × 15/30 days"
    assert told(added, "event", "time", "price", "rounding") == [
        "2026-04-16 16:00 UTC: +5 committed, 15 then (CHANGE)",
        "from 2026-04-16 until before 2026-05-01 (America/New_York)",
        "15/30 days of the full period",
        "5 seats × 15.00 USD = 75",
        "37.5 USD rounded once, half away from zero: 37.50 USD",
    ]
    assert told(credit, "reverses", "rounding") == [
        "5 seats × 15.00 USD × 15/30 days = 37.50 USD",
        "10 USD rounded once, half away from zero: 10.00 USD",
    ]
    assert credit.amount.minor == -1000


async def test_use_level_by_level_and_as_it_was_known(portal: Portal) -> None:
    """Ten seats for ten days and fifteen for twenty: 50 + 150 = 200. A seat reported late for the whole month
    makes it 55 + 160 = 215, so 15 more; April's own line is still derived from what was known in April.
    """
    diary = await (await Diary.opened(portal, "2026-04-01")).starts("fair")
    await diary.reports(added=10)
    await diary.on("2026-04-11").reports(added=5)
    await diary.on("2026-05-01").is_billed()
    await diary.on("2026-05-04").reports(added=1, effective_at=new_york("2026-04-01"))
    await diary.on("2026-06-01").is_billed()
    april, adjusted, may = await explained(diary)

    assert told(april, "level", "rounding") == [
        "10 seats for 10 days, 10 billed: 150 × 10/30 = 50",
        "15 seats for 20 days, 15 billed: 225 × 20/30 = 150",
        "200 USD rounded once, half away from zero: 200.00 USD",
    ]
    assert told(adjusted, "level", "adjustment") == [
        "11 seats for 10 days, 11 billed: 165 × 10/30 = 55",
        "16 seats for 20 days, 16 billed: 240 × 20/30 = 160",
        "should be 215.00 USD, billed 200.00 USD: 15.00 USD",
    ]
    assert told(adjusted, "event") == [
        "2026-04-01 16:00 UTC: +1 in use, 11 then (REPORT), recorded 2026-05-04 16:00 UTC"
    ]
    assert told(may, "level") == ["16 seats for 31 days, 16 billed: 240 × 31/31 = 240"]


async def test_the_other_ways_to_count_use(portal: Portal) -> None:
    """The most seats, people with two included, and seats above the limit each say what they counted."""
    billed = {}
    for plan, interval, editor in (("peak", "MONTH", 0), ("people", "MONTH", 0), ("open", "YEAR", 1)):
        diary = await Diary.opened(portal, "2026-04-01", name=plan)
        await diary.starts(plan, interval, editor=editor)
        for name in ("ada", "ben", "cem"):
            await diary.reports(holder=name, added=1)
        await diary.on("2026-05-01").is_billed()
        billed[plan] = (await explained(diary))[-1]
        portal.clock.now = new_york("2026-03-01")

    assert told(billed["peak"], "level", "quantity") == [
        "3 seats for 30 days",
        "max(3 in use at most, minimum 0) \u2212 0 included, not below 0: 3",
    ]
    assert told(billed["people"], "quantity") == [
        "max(3 people who held a seat, minimum 0) \u2212 2 included, not below 0: 1"
    ]
    assert told(billed["open"], "quantity") == ["3 in use when it ended, 1 paid in advance: 2 above"]


async def test_every_line_of_a_full_life_is_derived_to_its_amount(portal: Portal) -> None:
    """Whatever a line is, the last figure of its derivation is its amount."""
    diary = await (await Diary.opened(portal, "2026-01-31")).starts("simple", editor=7)
    await diary.on("2026-02-10").changes(editor=12)
    await diary.on("2026-02-20").changes(editor=4)
    await diary.on("2026-03-05").changes(plan="team")
    await diary.on("2026-03-20").changes(plan="fair")
    await diary.reports(added=3)
    await diary.on("2026-05-02").is_billed()
    every = await explained(diary)

    assert len(every) >= 8
    for explanation in every:
        last = told(explanation, "rounding", "limit", "adjustment")[-1]
        assert str(max(explanation.amount, -explanation.amount)) in last, explanation


async def test_seats_told_late(portal: Portal) -> None:
    """Ten became fifteen for fifteen days of April, told in May: 5 × 15.00 × 15/30 = 37.50 more."""
    diary = await (await Diary.opened(portal, "2026-04-01")).starts("team", editor=10)
    await diary.on("2026-05-01").is_billed()
    report = CommittedReport("editor", added=5, effective_at=new_york("2026-04-16"))
    await portal.store.run(diary.on("2026-05-10").customer, report_committed, VENDOR, report)
    await diary.on("2026-06-01").is_billed()
    backdated = next(each for each in await explained(diary) if each.sentence.startswith("Backdated"))

    assert told(backdated, "event", "time", "level", "rounding") == [
        "2026-04-16 16:00 UTC: +5 committed, 15 then (REPORT), recorded 2026-05-10 16:00 UTC",
        "from 2026-04-16 until before 2026-05-01 (America/New_York)",
        "15/30 days of the full period",
        "10 seats for 15 days, 15 with what was told; 5 and 10 billed: (150 \u2212 75) × 15/30 = 37.5",
        "37.5 USD rounded once, half away from zero: 37.50 USD",
    ]


async def test_an_adjustment_that_takes_back_from_two_lines(portal: Portal) -> None:
    """April: 10 at most are 100.00; then 16 were there, 60.00 more; then it had been 2: 160.00 − 20.00 come
    back, first the 100.00, then 40.00 of the 60.00. Neither line gives back more than it charged.
    """
    diary = await (await Diary.opened(portal, "2026-04-01")).starts("peak")
    first = await diary.on("2026-04-05").reports(total=10)
    await diary.on("2026-05-02").is_billed()
    second = await diary.reports(added=6, effective_at=new_york("2026-04-10"))
    await diary.on("2026-06-01").is_billed()
    await diary.on("2026-06-10").corrects(second, "nobody came")
    await diary.corrects(first, "two came", added=2)
    await diary.on("2026-07-01").is_billed()
    back = [each for each in await explained(diary) if each.amount.minor < 0]

    april = [each for each in back if told(each, "time")[0].startswith("from 2026-04-01")]
    assert [each.formula for each in april] == [
        "\u2212100.00 USD",
        "2 seats × 10.00 USD \u2212 160.00 USD + 100.00 USD",
    ]
    assert [told(each, "adjustment") for each in april] == [
        [
            "should be 20.00 USD, billed 160.00 USD: -140.00 USD",
            f"{part} of it from the line that this one takes back from",
        ]
        for part in ("-100.00 USD", "-40.00 USD")
    ]
