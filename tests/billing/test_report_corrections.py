"""Corrections of reports: what takes their place, and what cannot be corrected."""

from uuid import UUID

from app.billing.ledger import BalanceKind, EventSource, Sitting
from app.billing.plans import Item
from app.billing.refusals import InvalidInput, NotFound, Problem
from app.billing.reports import (
    SeatCorrection,
    SeatReport,
)
from tests.billing.test_reports import ADA, NOW, TOO_LONG, a_ledger, an_event, day, recorded, seven
from tests.builders import EDITOR


def test_all_that_a_correction_records() -> None:
    """Four came on the 3rd: it were six. The reversal and the right values both name the event."""
    original = an_event(4, day(3))
    ledger = a_ledger(seven(), original)
    events = ledger.correct(SeatCorrection(original.id, 6, 0, "typing error"))

    assert recorded(events) == [
        (1, -4, day(3), EventSource.CORRECTION),
        (2, 6, day(3), EventSource.CORRECTION),
    ]
    assert {(event.delta.corrects, event.delta.note) for event in ledger.events} == {
        (original.id, "typing error")
    }
    assert ledger.corrected == {original.id}
    assert ledger.timelines[EDITOR].levels == [10, 11, 9]


def test_only_what_is_there_is_corrected_and_only_once() -> None:
    """An unknown event; one that was corrected; committed seats; numbers that cannot be."""
    original, asked = an_event(4, day(3)), an_event(4, day(3), 101, kind=BalanceKind.COMMITTED)
    ledger = a_ledger(seven(), original, asked)
    said = "Seats added and removed are from 0 to 100000."

    assert ledger.correct(SeatCorrection(UUID(int=77), 1, 0)) == NotFound("seat event")
    assert ledger.correct(SeatCorrection(asked.id, 1, 0)) == InvalidInput(
        (Problem("event", "Committed seats are corrected by changing the plan."),)
    )
    for added, removed in ((-1, 0), (0, -1), (100_001, 0), (0, 100_001)):
        wrong = SeatCorrection(original.id, added, removed)
        assert ledger.correct(wrong) == InvalidInput((Problem("added", said),))
    assert ledger.correct(SeatCorrection(original.id, 1, 0, "\x00")) == InvalidInput(
        (Problem("note", TOO_LONG),)
    )
    assert len(recorded(ledger.correct(SeatCorrection(original.id, 100_000, 0)))) == 2
    assert ledger.correct(SeatCorrection(original.id, 1, 0)) == InvalidInput(
        (Problem("event", "This event was corrected already. Correct its correction."),)
    )


def test_what_was_just_decided_can_be_corrected() -> None:
    """Two came in the same batch: it was one."""
    ledger = a_ledger()
    ledger.report(SeatReport(EDITOR, added=2))

    assert recorded(ledger.correct(SeatCorrection(UUID(int=1), 1, 0))) == [
        (2, -2, NOW, EventSource.CORRECTION),
        (3, 1, NOW, EventSource.CORRECTION),
    ]
    assert ledger.timelines[EDITOR].at(NOW) == 8


def test_a_corrected_total_is_a_total_again() -> None:
    """Nine were stated on the 5th, of which four had come: it were three fewer, so six were in use."""
    stated = an_event(4, day(5), stated=9)
    ledger = a_ledger(seven(), stated)
    ledger.correct(SeatCorrection(stated.id, 1, 0))

    assert [event.delta.stated for _, _, event in ledger.timelines[EDITOR].stated] == [6]


def test_a_correction_that_cannot_be_leaves_the_total_as_it_was() -> None:
    """Nine were stated on the 5th; that eight of them were never there is too many for the 9th."""
    stated = an_event(4, day(5), stated=9)
    ledger = a_ledger(seven(), stated)

    assert isinstance(ledger.correct(SeatCorrection(stated.id, 0, 4)), InvalidInput)
    assert [event for _, _, event in ledger.timelines[EDITOR].stated] == [stated]
    assert (ledger.corrected, ledger.events) == (set(), [])


def test_a_seat_that_was_given_back_is_not_taken_away_again() -> None:
    """Ada took one seat and gave it back since: that she never took it would leave her with less than none;
    that she took two leaves her with one.
    """
    took = an_event(1, day(3), holder=ADA)
    refusal = a_ledger(seven(), took).correct(SeatCorrection(took.id, 0, 0))
    ledger = a_ledger(seven(), took)

    assert refusal == InvalidInput(
        (Problem("added", "'u1' gave a seat back that this would take away. Correct that event first."),)
    )
    assert len(recorded(ledger.correct(SeatCorrection(took.id, 2, 0)))) == 2
    assert ledger.seated == {(EDITOR, "u1"): Sitting(ADA, 1, day(3))}
    sitting = a_ledger(seven(), took, sitting=(Sitting(ADA, 1, day(3)),))
    assert len(recorded(sitting.correct(SeatCorrection(took.id, 0, 0)))) == 2
    assert sitting.seated == {(Item(EDITOR), "u1"): None}
