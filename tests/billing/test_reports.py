"""Seats in use as they are reported: what is recorded, what keeps stated totals true, and every no."""

import itertools
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from app.billing.ledger import BalanceKind, Delta, EventSource, Holder, SeatEvent, Sitting
from app.billing.periods import local_day
from app.billing.refusals import InvalidInput, Problem
from app.billing.reports import (
    LATE_MAX,
    OpenLedger,
    Rules,
    SeatReport,
    Timeline,
    timeline,
)
from tests.builders import EDITOR, VIEWER, instant

NOW = instant("2026-04-20 12:00")
ADA = Holder("u1", "Ada")
IN_USE = BalanceKind.IN_USE
RULES = Rules(
    NOW, NOW + timedelta(microseconds=5), lambda at: local_day(at, "UTC"), frozenset({EDITOR, VIEWER})
)


def day(number: int) -> datetime:
    return instant(f"2026-04-{number:02}")


def seven() -> Timeline:
    """Four before the 3rd, then eight, nine from the 5th, and seven since the 9th."""
    return timeline(7, [(day(3), 4), (day(5), -1), (day(5), 2), (day(9), -2)])


def an_event(net: int, at: datetime, number: int = 100, **rest: object) -> SeatEvent:
    """An event that was recorded before."""
    delta = Delta(EDITOR, IN_USE, max(0, net), max(0, -net), at, EventSource.REPORT)
    return SeatEvent(UUID(int=number), replace(delta, **rest), day(10), "vendor")  # type: ignore[arg-type]


def a_ledger(
    line: Timeline | None = None,
    *known: SeatEvent,
    rules: Rules = RULES,
    sitting: tuple[Sitting, ...] = (),
) -> OpenLedger:
    """A ledger with seven editors in use, whose next events are numbered from one."""
    ids = itertools.count(1)
    line = line or seven()
    for event in known:
        line.state(event)
    return OpenLedger(
        rules,
        lambda delta: SeatEvent(UUID(int=next(ids)), delta, NOW, "vendor"),
        {EDITOR: line},
        {(EDITOR, each.holder.reference): each for each in sitting},
        {event.id: event for event in known},
        set(),
    )


def recorded(found: object) -> list[tuple[int, int, datetime, EventSource]]:
    """Number, net, instant and source of each event."""
    assert isinstance(found, tuple), found
    return [(e.id.int, e.delta.net, e.delta.effective_at, e.delta.source) for e in found]


def test_all_that_a_report_records() -> None:
    """Ada takes a seat today: one event, with everything that was told; the ledger has moved on."""
    ledger = a_ledger()
    events = ledger.report(SeatReport(EDITOR, added=1, holder=ADA, note="new colleague"))
    told = Delta(EDITOR, IN_USE, 1, 0, NOW, EventSource.REPORT, ADA, "new colleague")

    assert events == (SeatEvent(UUID(int=1), told, NOW, "vendor"),)
    assert ledger.events == list(events)
    assert ledger.seated == {(EDITOR, "u1"): Sitting(ADA, 1, NOW)}
    assert ledger.timelines[EDITOR].at(NOW) == 8


@pytest.mark.parametrize(
    ("report", "net"),
    [
        (SeatReport(EDITOR, added=2), 2),
        (SeatReport(EDITOR, removed=2), -2),
        (SeatReport(EDITOR, total=9), 2),
        (SeatReport(EDITOR, total=5), -2),
        (SeatReport(EDITOR, total=0), -7),
        (SeatReport(VIEWER, total=3), 3),
    ],
)
def test_a_report_says_how_many_or_how_many_more(report: SeatReport, net: int) -> None:
    """Seven editors and no viewer are in use; a total is remembered as it was stated."""
    ledger = a_ledger()
    events = ledger.report(report)

    assert recorded(events) == [(1, net, NOW, EventSource.REPORT)]
    assert [event.delta.stated for event in ledger.events] == [report.total]
    stands = ledger.timelines[report.metric].stated
    assert [event for _, _, event in stands] == ([] if report.total is None else ledger.events)
    assert ledger.seated == {}


@pytest.mark.parametrize("report", [SeatReport(EDITOR, total=7), SeatReport(EDITOR, added=0)])
def test_what_is_so_already_records_nothing(report: SeatReport) -> None:
    """Seven are in use: that there are seven is no news."""
    assert a_ledger().report(report) == ()


def test_a_total_that_was_stated_for_later_stays_true() -> None:
    """Seven were stated on the 9th; two more since the 4th are taken back then."""
    ledger = a_ledger(seven(), an_event(-2, day(9), stated=7))
    events = ledger.report(SeatReport(EDITOR, added=2, effective_at=day(4)))

    assert recorded(events) == [
        (1, 2, day(4), EventSource.REPORT),
        (2, -2, day(9), EventSource.EQUALISER),
    ]
    assert [ledger.timelines[EDITOR].at(day(n)) for n in (3, 4, 8, 9)] == [8, 10, 11, 7]


def test_below_zero_is_looked_for_until_a_stated_total_takes_over() -> None:
    """Seven were stated on the 9th: eight fewer since the 3rd leave none and one, and seven from the 9th."""
    ledger = a_ledger(seven(), an_event(-2, day(9), stated=7))

    assert len(recorded(ledger.report(SeatReport(EDITOR, removed=8, effective_at=day(3))))) == 2
    assert ledger.timelines[EDITOR].levels == [0, 1, 7]


def test_a_report_decided_before_counts_for_the_next() -> None:
    """Five more, then a total of twelve: that is true already; then eight fewer leave four."""
    ledger = a_ledger()
    ledger.report(SeatReport(EDITOR, added=5))

    assert ledger.report(SeatReport(EDITOR, total=12)) == ()
    assert recorded(ledger.report(SeatReport(EDITOR, removed=8))) == [(2, -8, NOW, EventSource.REPORT)]
    assert len(ledger.events) == 2


def test_fewer_than_no_seats_are_refused_with_their_day() -> None:
    """Eight fewer since the 3rd are too many on the 9th, which has begun in Tokyo the evening before."""
    evening = timeline(7, [(day(3), 4), (instant("2026-04-08 16:00"), -1)])
    ledger = a_ledger(evening, rules=replace(RULES, day_of=lambda at: local_day(at, "Asia/Tokyo")))
    refusal = ledger.report(SeatReport(EDITOR, removed=8, effective_at=day(3)))

    assert refusal == InvalidInput(
        (
            Problem(
                "removed",
                "On 2026-04-09 fewer than no editor seats would be in use. Report fewer seats as removed.",
            ),
        )
    )
    assert (ledger.events, ledger.timelines[EDITOR].levels) == ([], [8, 7])


QUANTITY = Problem("quantity", "Give one of added, removed and total, from 0 to 100000.")
FUTURE = Problem("effectiveAt", "An event cannot be effective in the future.")
TOO_LONG = "Give at most 500 characters, and no NUL among them."


@pytest.mark.parametrize(
    ("report", "problem"),
    [
        (SeatReport("guest", added=1), Problem("metric", "There are no seats called 'guest'.")),
        (SeatReport(EDITOR), QUANTITY),
        (SeatReport(EDITOR, added=1, total=3), QUANTITY),
        (SeatReport(EDITOR, added=-1), QUANTITY),
        (SeatReport(EDITOR, total=100_001), QUANTITY),
        (SeatReport(EDITOR, added=1, effective_at=NOW + timedelta(microseconds=6)), FUTURE),
        (SeatReport(EDITOR, added=1, note="x" * 501), Problem("note", TOO_LONG)),
        (SeatReport(EDITOR, added=1, note="a\x00b"), Problem("note", TOO_LONG)),
        (SeatReport(EDITOR, added=1, holder=Holder("u2"), note="x" * 501), Problem("note", TOO_LONG)),
        (
            SeatReport(EDITOR, added=1, holder=Holder("")),
            Problem("holder.reference", "A holder has a reference. Give the product's own id of them."),
        ),
        (SeatReport(EDITOR, added=1, holder=Holder("x" * 501)), Problem("holder.reference", TOO_LONG)),
        (SeatReport(EDITOR, added=1, holder=Holder("u2", "x" * 501)), Problem("holder.name", TOO_LONG)),
        (SeatReport(EDITOR, added=1, holder=Holder("u2", None, "\x00")), Problem("holder.email", TOO_LONG)),
        (
            SeatReport(EDITOR, added=1, holder=ADA),
            Problem("holder", "'u1' holds a seat of this kind already."),
        ),
        (SeatReport(EDITOR, removed=2, holder=ADA), Problem("holder", "'u1' holds no such seat.")),
        (SeatReport(EDITOR, removed=1, holder=Holder("u2")), Problem("holder", "'u2' holds no such seat.")),
    ],
)
def test_reports_that_cannot_be(report: SeatReport, problem: Problem) -> None:
    """Each no names what was wrong with which part."""
    ledger = a_ledger(sitting=(Sitting(ADA, 1, day(3)),))

    assert ledger.report(report) == InvalidInput((problem,))
    assert ledger.events == []


@pytest.mark.parametrize(
    "report",
    [
        SeatReport(EDITOR, total=100_000),
        SeatReport(EDITOR, added=1, effective_at=NOW + timedelta(microseconds=5)),
        SeatReport(EDITOR, added=1, note="x" * 500),
        SeatReport(EDITOR, removed=1, holder=ADA),
        SeatReport(VIEWER, added=1, holder=ADA),
    ],
)
def test_reports_that_just_can_be(report: SeatReport) -> None:
    """The bounds belong to what is possible."""
    ledger = a_ledger(sitting=(Sitting(ADA, 1, day(3)),))

    assert len(recorded(ledger.report(report))) == 1


def test_somebody_who_is_billed_by_person_is_named() -> None:
    """Editors are billed by person, viewers are not."""
    ledger = a_ledger(rules=replace(RULES, by_person=frozenset({EDITOR})))

    assert ledger.report(SeatReport(EDITOR, added=1)) == InvalidInput(
        (Problem("holder", "Who takes editor seats is billed by person. Name the holder."),)
    )
    assert len(recorded(ledger.report(SeatReport(EDITOR, added=1, holder=ADA)))) == 1
    assert len(recorded(ledger.report(SeatReport(VIEWER, added=1)))) == 1


def test_people_leave_and_come_back() -> None:
    """Ada gives her only seat back, and can take one again."""
    ledger = a_ledger(sitting=(Sitting(ADA, 1, day(3)),))

    ledger.report(SeatReport(EDITOR, removed=1, holder=ADA))
    assert ledger.seated == {(EDITOR, "u1"): None}
    assert isinstance(ledger.report(SeatReport(EDITOR, removed=1, holder=ADA)), InvalidInput)
    ledger.report(SeatReport(EDITOR, added=1, holder=ADA))
    assert ledger.seated == {(EDITOR, "u1"): Sitting(ADA, 1, NOW)}


def test_who_has_two_seats_and_gives_one_back_keeps_the_other() -> None:
    """Since when Ada sits does not change."""
    ledger = a_ledger(sitting=(Sitting(ADA, 2, day(3)),))
    ledger.report(SeatReport(EDITOR, removed=1, holder=ADA))

    assert ledger.seated == {(EDITOR, "u1"): Sitting(ADA, 1, day(3))}


def test_what_was_billed_long_ago_stays() -> None:
    """Thirteen months back is the most for time that was billed; what was never billed is not bounded."""
    billed = replace(RULES, billed_until={EDITOR: day(1)})
    oldest = RULES.known_until - LATE_MAX
    told = [SeatReport(EDITOR, added=1, effective_at=at) for at in (oldest, oldest - timedelta(seconds=1))]

    assert len(recorded(a_ledger(rules=billed).report(told[0]))) == 1
    assert len(recorded(a_ledger().report(told[1]))) == 1
    assert a_ledger(rules=billed).report(told[1]) == InvalidInput(
        (
            Problem(
                "effectiveAt",
                "This is more than 13 months ago. Write a credit note for what it changes.",
            ),
        )
    )
    for until in (oldest - timedelta(days=9), oldest - timedelta(seconds=1)):
        before = replace(RULES, billed_until={EDITOR: until})
        assert len(recorded(a_ledger(rules=before).report(told[1]))) == 1


# ── Corrections ─────────────────────────────────────────────────────────────────────────────────────────────
