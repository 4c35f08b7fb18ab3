"""Seat events and the balances that are folds of them: as of, as known at, corrected, per day."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.billing.ledger import (
    BalanceKind,
    DayLevel,
    Delta,
    EventSource,
    Holder,
    SeatBalance,
    SeatEvent,
    SeatLevels,
    Sitting,
    balance,
    balance_of,
    correction,
    days,
    equaliser,
    first_negative,
    moved,
)
from tests.builders import EDITOR, instant, seat_price

ADA = Holder("u1", "Ada", "ada@acme.example")
COMMITTED, IN_USE = BalanceKind.COMMITTED, BalanceKind.IN_USE


def a_delta(
    net: int, at: str | datetime = "2026-04-16", kind: BalanceKind = IN_USE, holder: Holder | None = None
) -> Delta:
    """Seats added, or removed if negative."""
    effective = instant(at) if isinstance(at, str) else at
    return Delta(EDITOR, kind, max(0, net), max(0, -net), effective, EventSource.REPORT, holder)


def an_event(net: int, at: str, recorded: str | None = None, number: int = 1) -> SeatEvent:
    return SeatEvent(UUID(int=number), a_delta(net, at), instant(recorded or at), "backend")


EVENTS = (
    an_event(10, "2026-04-01"),
    an_event(-3, "2026-04-16", number=2),
    an_event(5, "2026-04-10", recorded="2026-04-20", number=3),
)


def test_a_balance_is_read_as_of_an_instant() -> None:
    """10 on the 1st, 15 from the 10th, 12 from the 16th, whose own instant is included."""
    assert [balance(EVENTS, instant(f"2026-04-{day}")) for day in ("01", "09", "10", "16")] == [
        10,
        10,
        15,
        12,
    ]
    assert balance(EVENTS, instant("2026-03-31")) == 0


def test_a_balance_is_read_as_known_at_an_instant() -> None:
    """The 5 of the 10th became known on the 20th: until then the balance of the 16th was 7."""
    assert balance(EVENTS, instant("2026-04-16"), known_at=instant("2026-04-19")) == 7
    assert balance(EVENTS, instant("2026-04-16"), known_at=instant("2026-04-20")) == 12


def test_events_are_ordered_by_when_they_took_effect() -> None:
    """By the instant, then by the id."""
    assert [event.id.int for event in sorted(EVENTS, key=lambda event: event.order)] == [1, 3, 2]


@given(st.integers(0, 50), st.integers(0, 50))
def test_a_correction_reverses_and_says_what_is_right(wrong: int, right: int) -> None:
    """The reversal and the right values leave the balance as if only the right values had been recorded."""
    original = SeatEvent(UUID(int=9), a_delta(wrong, holder=ADA), instant("2026-04-16"), "backend")
    reversal, fixed = correction(original, added=right, removed=0, note="typing error")

    assert wrong + reversal.net + fixed.net == right
    for delta in (reversal, fixed):
        assert delta.corrects == original.id
        assert delta.effective_at == original.delta.effective_at
        assert (delta.source, delta.note, delta.holder) == (EventSource.CORRECTION, "typing error", ADA)


def test_the_first_negative_day_is_found() -> None:
    """5, then −6 on the 12th, then +10: below 0 from the 12th on; never with one seat to begin with."""
    deltas = [a_delta(10, "2026-04-14"), a_delta(5, "2026-04-10"), a_delta(-6, "2026-04-12")]

    assert first_negative(deltas) == instant("2026-04-12")
    assert first_negative(deltas, opening=1) is None
    assert first_negative([]) is None


def test_events_of_one_instant_count_together() -> None:
    """A seat that changes hands is removed and added at one instant: the balance is never below 0."""
    swap = [a_delta(-1), a_delta(1)]

    assert first_negative(swap) is None
    assert first_negative([*swap, a_delta(-1)]) == instant("2026-04-16")


def test_below_zero_is_judged_when_an_instant_is_over() -> None:
    """Two go and one comes at one instant, which leaves −1 from then on, whatever comes a day later."""
    deltas = [a_delta(-2), a_delta(1), a_delta(5, "2026-04-17")]
    up_and_down = [a_delta(1, "2026-04-15"), a_delta(1), a_delta(-3), a_delta(5, "2026-04-17")]

    assert first_negative(deltas) == instant("2026-04-16")
    assert first_negative(up_and_down) == instant("2026-04-16")


@pytest.mark.parametrize(("stated", "right"), [(None, None), (9, 7)])
def test_all_that_a_correction_says(stated: int | None, right: int | None) -> None:
    """Three were added and one removed, so that nine were in use; it were one and one, so seven were."""
    wrong = Delta(
        EDITOR, IN_USE, 3, 1, instant("2026-04-16"), EventSource.REPORT, ADA, "first note", stated=stated
    )
    original = SeatEvent(UUID(int=9), wrong, instant("2026-04-17"), "backend")
    reversal, fixed = correction(original, added=1, removed=1, note="typing error")
    said = replace(wrong, source=EventSource.CORRECTION, note="typing error", corrects=original.id)

    assert reversal == replace(said, added=1, removed=3, stated=None)
    assert fixed == replace(said, added=1, removed=1, stated=right)


@pytest.mark.parametrize(("net", "added", "removed"), [(2, 0, 2), (-2, 2, 0)])
def test_all_that_an_equaliser_says(net: int, added: int, removed: int) -> None:
    """Nine were stated on the 20th: what is told of the 16th is taken back there, and it says why."""
    total = SeatEvent(
        UUID(int=1), replace(a_delta(4, "2026-04-20"), stated=9), instant("2026-04-20"), "backend"
    )

    assert equaliser([a_delta(net)], [total]) == Delta(
        EDITOR,
        IN_USE,
        added,
        removed,
        instant("2026-04-20"),
        EventSource.EQUALISER,
        note="keeps the stated total of 9",
    )


def test_people_sit_since_they_came() -> None:
    """Who comes sits from then on; more seats are added, and name and e-mail are the last ones told."""
    later = instant("2026-04-18")
    renamed = replace(a_delta(2, later), holder=Holder("u1", None, "ada@new.example"))
    sitting = moved(None, [a_delta(1, holder=ADA)])

    assert sitting == Sitting(ADA, 1, instant("2026-04-16"))
    assert moved(sitting, [renamed]) == Sitting(
        Holder("u1", "Ada", "ada@new.example"), 3, instant("2026-04-16")
    )
    assert moved(sitting, [replace(renamed, holder=Holder("u1", "Ada L.", None))]) == Sitting(
        Holder("u1", "Ada L.", "ada@acme.example"), 3, instant("2026-04-16")
    )


def test_who_gives_the_last_seat_back_sits_no_more() -> None:
    """Deltas that were recorded together count together: −2 and +2 leave one seat, −2 and +1 none."""
    sitting = Sitting(ADA, 1, instant("2026-04-16"))
    gone, back, one = (a_delta(net, holder=ADA) for net in (-2, 2, 1))

    assert moved(sitting, [gone, back]) == sitting
    assert moved(sitting, [gone, one]) is None
    assert moved(None, [gone, back]) is None


@given(
    st.integers(0, 5),
    st.lists(st.tuples(st.integers(-5, 5), st.integers(0, 5), st.sampled_from(BalanceKind)), max_size=15),
)
def test_days_agree_with_folding_every_instant(
    opening: int, moves: list[tuple[int, int, BalanceKind]]
) -> None:
    """The level of a day is that at its end; its peak the highest seen at any of its instants."""
    start = instant("2026-04-10")
    deltas = [a_delta(net, start + timedelta(hours=8 * slot), kind) for net, slot, kind in moves]
    levels = days(
        SeatLevels(opening, opening), deltas, start=date(2026, 4, 10), until=date(2026, 4, 12), zone="UTC"
    )

    def level(kind: BalanceKind, until: datetime) -> int:
        return opening + sum(d.net for d in deltas if d.kind is kind and d.effective_at <= until)

    for i, day in enumerate(levels):
        midnight = start + timedelta(days=i)
        ends = midnight + timedelta(hours=23, minutes=59)
        instants = [midnight - timedelta(seconds=1), *(midnight + timedelta(hours=h) for h in (0, 8, 16))]
        assert (day.committed, day.in_use) == (level(COMMITTED, ends), level(IN_USE, ends))
        assert day.peak == max(level(IN_USE, at) for at in instants)


def test_a_peak_counts_an_instant_when_it_is_over() -> None:
    """One in the morning; five come and go at four in the afternoon, and were never there."""
    told = [a_delta(1, "2026-04-10 08:00"), a_delta(5, "2026-04-10 16:00"), a_delta(-5, "2026-04-10 16:00")]
    tenth = date(2026, 4, 10)

    assert days(SeatLevels(), told, start=tenth, until=date(2026, 4, 11), zone="UTC") == (
        DayLevel(tenth, 0, 1, 1),
    )


def test_days_are_those_of_the_zone() -> None:
    """22:30 UTC of 10 April is the 11th in Berlin."""
    levels = days(
        SeatLevels(),
        [a_delta(3, "2026-04-10 22:30")],
        start=date(2026, 4, 10),
        until=date(2026, 4, 12),
        zone="Europe/Berlin",
    )

    assert levels == (DayLevel(date(2026, 4, 10), 0, 0, 0), DayLevel(date(2026, 4, 11), 0, 3, 3))


@pytest.mark.parametrize(
    ("levels", "expected"),
    [
        (SeatLevels(15, 12, 0), (15, 5, 10, 0, 15, 12, 3, 0)),
        (SeatLevels(3, 8, 1), (3, 5, 0, 1, 6, 8, 0, 2)),
        (SeatLevels(0, 0, 0), (0, 5, 0, 0, 5, 0, 5, 0)),
    ],
)
def test_the_balance_that_people_read(levels: SeatLevels, expected: tuple[int, ...]) -> None:
    """With 5 included: limit = max(committed, included) + granted; what is left of it, or what is over."""
    shown = balance_of(EDITOR, levels, seat_price(included=5))

    assert expected == (
        shown.committed,
        shown.included,
        shown.purchased,
        shown.granted,
        shown.limit,
        shown.in_use,
        shown.available,
        shown.overage,
    )


def test_seats_that_the_plan_does_not_know_include_and_bill_nothing() -> None:
    """3 committed and one granted guest without a price: a limit of 4, nothing purchased."""
    shown = balance_of(EDITOR, SeatLevels(3, 2, 1), None)

    assert shown == SeatBalance(EDITOR, 3, 0, 0, 1, 4, 2)
    assert shown.available == 2
    assert balance_of(EDITOR, SeatLevels(3, 2, 1), seat_price()).metric == EDITOR


def test_without_a_limit_nothing_is_over() -> None:
    """Where the plan sets no limit, available is unknown and overage is none."""
    shown = SeatBalance(EDITOR, 0, 0, 0, 0, None, 99)

    assert (shown.available, shown.overage) == (None, 0)
